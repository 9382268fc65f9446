"""Every store gives the answers of MemoryStore, whatever the records and the question."""

import pytest
from hypothesis import given, settings

from tests.registry.equivalence import cases
from vectorbt.portfolio.registry import FileStore, MemoryStore, SqliteStore

EXAMPLES = 100


def check_equivalence(store, saved, deleted, asked):
    """Save and delete the same runs in a store and in a MemoryStore, and ask both the same."""
    reference = MemoryStore()
    for kept in (store, reference):
        _save_by_sweep(kept, saved)
        kept.remove({record.run_id for record in saved if record.run_id in deleted})
    for query in asked:
        assert store.select(query) == reference.select(query), query
    assert store.count() == reference.count()


def _save_by_sweep(store, saved):
    """Save the runs of a sweep together, as a sweep is, and the others alone."""
    sweeps = {}
    for record in saved:
        sweeps.setdefault(record.sweep_id or record.run_id, []).append(record.to_dict())
    for together in sweeps.values():
        store.insert(together)


@pytest.mark.parametrize("kind", ["file", "sqlite"])
@settings(max_examples=EXAMPLES)
@given(case=cases())
def test_answers_are_those_of_the_reference(kind, case, tmp_path_factory):
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    folder = tmp_path_factory.mktemp("equivalence")
    store = FileStore(folder) if kind == "file" else SqliteStore(folder / "runs.db")
    check_equivalence(store, *case)
    store.close()
