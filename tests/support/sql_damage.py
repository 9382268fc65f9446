"""An altered record in a database costs one run, and says so: what holds in every database."""

import warnings

import pytest
import sqlalchemy as sa

from tests.support.factories import make_record
from vectorbt.portfolio.registry import CorruptedRecordWarning, MemoryStore, RunNotFoundError, RunRegistry
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.stores.sql import schema

SWEEP = "00000000-0000-4000-8000-00000000abcd"

RECORDS = {
    "altered byte": lambda text: text.replace('"parameters":{', '"parameters"}{'),
    "no JSON": lambda text: "dear diary",
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "a number": lambda text: "5",
    "null": lambda text: "null",
    "no record": lambda text: "{}",
    "another run": lambda text: text.replace(make_record(1).run_id, make_record(7).run_id),
    "no tags": lambda text: '{"tags":5,' + text[1:].replace('"tags"', '"labels"'),
}
SHARED = {
    "altered byte": lambda text: text.replace('"', "'", 1),
    "no JSON": lambda text: "dear diary",
    "a list": lambda text: "[]",
    "null": lambda text: "null",
}


def alter(store, column, condition, change):
    """Change a text in the rows of its table that meet a condition."""

    def work(connection):
        text = connection.scalars(sa.select(column).where(condition)).one()
        assert change(text) != text
        connection.execute(sa.update(column.table).where(condition).values({column.name: change(text)}))

    store.database.write(work)


class DamageSuite:
    """Tests for a database. A subclass has the fixture `open_store`, as `StoreSuite` has."""

    @pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
    def test_an_altered_record_costs_one_run(self, open_store, change):
        run_ids = [open_store().save_run(make_record(i)) for i in range(3)]
        blob = f"{run_ids[1]}.pkl"
        open_store().artifacts.write(blob, b"kept")
        alter(open_store(), schema.records.c.record, schema.records.c.id == 2, change)
        store = open_store()
        registry = RunRegistry(store)
        with pytest.warns(CorruptedRecordWarning) as caught:
            assert [run.run_id for run in registry.list_runs()] == [run_ids[2], run_ids[0]]
        assert [run_ids[1] in str(warning.message) for warning in caught] == [True]
        self.check_the_others(registry, run_ids)
        (problem,) = registry.check()
        assert problem.kind in ("unreadable_line", "malformed_record") and problem.run_id == run_ids[1]
        assert str(store.database) in problem.place
        assert registry.gc(min_age=0) == []
        self.check_its_deletion(registry, run_ids)
        assert [found.place for found in registry.gc(min_age=0)] == [store.artifacts.locate(blob)]
        assert registry.check() == []

    def check_the_others(self, registry, run_ids):
        """Do with the rest what people do. It was said once what is wrong."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert [run.run_id for run in registry.list_runs(limit=2, sort_by="sharpe_ratio")] == run_ids[::2]
            assert len(registry.list_runs(where="win_rate > 0 or params.fast != none", deleted=None)) == 2
            assert registry.get_run(run_ids[1]) is None
            with pytest.raises(RunNotFoundError):
                registry.update_run(run_ids[1], notes="mended")
            assert registry.update_run(run_ids[0], notes="good").notes == "good"
            assert registry.merge(RunRegistry(MemoryStore())).merged == []
            copy = RunRegistry(MemoryStore())
            assert set(copy.merge(registry).merged) == set(run_ids[::2])

    def check_its_deletion(self, registry, run_ids):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert registry.delete_run(run_ids[1]) and not registry.delete_run(run_ids[1])
            (trial,) = registry.list_runs(deleted=True)
        expected = make_record(1)
        names = ("run_id", "timestamp", "strategy_name", "sharpe_ratio", "total_trades")
        assert [getattr(trial, name) for name in names] == [getattr(expected, name) for name in names]

    @pytest.mark.parametrize("change", SHARED.values(), ids=SHARED)
    def test_what_a_sweep_shares_costs_its_runs(self, open_store, change):
        sweep = [make_record(i, sweep_id=SWEEP, column=i) for i in range(3)]
        run_ids = open_store().save_runs(sweep)
        other = open_store().save_run(make_record(3))
        open_store().artifacts.write(f"{SWEEP}.pkl", b"kept")
        alter(open_store(), schema.shared.c.content, sa.true(), change)
        registry = RunRegistry(open_store())
        with pytest.warns(CorruptedRecordWarning):
            assert [run.run_id for run in registry.list_runs()] == [other]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert [run.run_id for run in registry.list_runs(deleted=None)] == [other]
            assert {problem.run_id for problem in registry.check()} == set(run_ids)
            assert registry.gc(min_age=0) == []
            assert registry.delete_runs(run_ids) == 3
            assert [run.run_id for run in registry.list_runs(deleted=None, sort_by="run_id")] == [*run_ids, other]
            assert len(registry.gc(min_age=0)) == 1 and registry.check() == []

    def test_what_was_altered_since_it_was_read_is_listed(self, open_store):
        store = open_store()
        run_ids = store.save_runs([make_record(i, sweep_id=SWEEP, column=i) for i in range(2)])
        assert len(store.list_runs()) == 2
        alter(open_store(), schema.shared.c.content, sa.true(), SHARED["no JSON"])
        assert {problem.run_id for problem in store.problems()} == set(run_ids)

    @pytest.mark.filterwarnings("ignore::vectorbt.portfolio.registry.CorruptedRecordWarning")
    def test_a_damaged_run_keeps_its_id(self, open_store, portfolio):
        run_id = open_store().save_run(make_record(), portfolio)
        alter(open_store(), schema.records.c.record, schema.records.c.id == 1, lambda text: "")
        store = open_store()
        before = {info.name: store.artifacts.get(info.name) for info in store.artifacts.list()}
        with pytest.raises(ValueError, match="already"):
            store.save_run(make_record(), portfolio)
        assert {info.name: store.artifacts.get(info.name) for info in store.artifacts.list()} == before != {}
        assert store.select(Query()) == [] and store.has_run(run_id)
