"""Every store gives the answers of MemoryStore, whatever the records and the question."""

from contextlib import closing
from unittest import mock

import pandas as pd
import pytest
from hypothesis import given

from tests.support.equivalence import cases
from tests.support.examples import expensive
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.query.explaining import NAMES
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.stores import open_store

EXAMPLES = 100
DELETION = Deletion("2024-02-01T00:00:00Z", restorable=False)


def check_equivalence(store, saved, deleted, asked):
    """Save and delete the same runs in a store and in a MemoryStore, and ask both the same."""
    reference = MemoryStore()
    for kept in (store, reference):
        _save_by_sweep(kept, saved)
        kept.remove({record.run_id for record in saved if record.run_id in deleted}, DELETION)
    for query in asked:
        assert store.select(query) == reference.select(query), query
        settled = query.with_choices(reference.kinds)
        assert query.with_choices(store.kinds) == settled, query
        if settled is not query:
            assert store.select(settled) == reference.select(settled), settled
    for what in NAMES:  # long names may be left out
        known = reference.names(what)
        assert {name for name in known if len(name) < 10} <= store.names(what) <= known
    assert store.count() == reference.count()


def _save_by_sweep(store, saved):
    """Save the runs of a sweep together, as a sweep is, and the others alone."""
    sweeps = {}
    for record in saved:
        sweeps.setdefault(record.sweep_id or record.run_id, []).append(record.to_dict())
    for together in sweeps.values():
        store.insert(RunBlock.of(together))


@expensive(EXAMPLES)
@given(case=cases())
def test_file_store(case, tmp_path_factory):
    check_equivalence(FileStore(tmp_path_factory.mktemp("equivalence")), *case)


# SQLite is asked in another way for what many runs have. With a handful of runs, that is one or two.
@pytest.mark.parametrize("common", [1, 5_000])
@expensive(EXAMPLES)
@given(case=cases())
def test_sqlite_store(common, case, tmp_path_factory):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    with (
        mock.patch("vectorbt.portfolio.registry.stores.sql.query.COMMON", common),
        closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('equivalence')}/runs.db")) as store,
    ):
        check_equivalence(store, *case)


LONG = "s" * 250

EDGES = {
    "the newest only seem to match": (
        [dict(parameters={"x": (i,)}) for i in range(30)],
        dict(parameters={"x": (2,)}, limit=1),
    ),
    "numbers that are the same in double precision": (
        [dict(total_trades=2**53 + 1), dict(total_trades=2**53), dict(total_trades=2**53 + 2)],
        dict(sort_by="total_trades", limit=1),
    ),
    "texts with the same beginning": (
        [dict(strategy_name=LONG), dict(strategy_name=LONG + "t")],
        dict(where=f"not strategy_name == '{LONG}'"),
    ),
    "a text that is an instant": (
        [dict(parameters={"at": "2024-01-01"}), dict(parameters={"at": pd.Timestamp("2024-01-01 12:00")})],
        dict(where="params.at == '2024-01-01'"),
    ),
    "an instant that is no text": (
        [dict(parameters={"at": "2024-01-01"}), dict(parameters={"at": pd.Timestamp("2024-01-01")})],
        dict(parameters={"at": pd.Timestamp("2024-01-01")}),
    ),
    "more runs than a database counts": ([dict(), dict()], dict(sort_by="sharpe_ratio", limit=2**63)),
    "numbers first, from the highest on": (
        [dict(parameters={"x": x}) for x in (2, True, "b", None, 1.5, [1], 2**80, 10, "c")],
        dict(sort_by="params.x", ascending=False, limit=6),
    ),
    "a missing value is not in a list, nor out of it": (
        [dict(parameters={}), dict(parameters={"x": 1}), dict(parameters={"x": 2})],
        dict(where="not params.x not in [1]"),
    ),
    "numbers of metrics that differ in the last place": (
        [dict(stats={"custom": 0.1 + 0.2}), dict(stats={"custom": 0.3}), dict(stats={"custom": 5e-324})],
        dict(where="custom > 0.3 or custom == 5e-324"),
    ),
    "a value that is missing, and no value at all": (
        [dict(parameters={}), dict(parameters={"x": pd.NaT})],
        dict(sort_by="params.x", limit=1),
    ),
    "an integer beyond 64 bits": (
        [dict(parameters={"x": 2**80}), dict(parameters={"x": 2**80 + 1})],
        dict(parameters={"x": 2**80}),
    ),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge, tmp_path):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    fields, filters = EDGES[edge]
    records = [make_record(i, **own) for i, own in enumerate(fields)]
    query = Query.of(**filters)
    assert query.apply(records) != []
    with closing(open_store(f"sqlite:///{tmp_path}/runs.db")) as store:
        check_equivalence(store, records, set(), [query])
