"""Taking runs from one registry into another."""

import json
import shutil
import threading
import uuid
import warnings

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore, RunNotFoundError, RunRegistry
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.query.query import Query

SWEEP = str(uuid.UUID(int=77, version=4))


@pytest.fixture
def mine(tmp_path):
    return RunRegistry(tmp_path / "mine")


@pytest.fixture
def theirs(tmp_path):
    return RunRegistry(tmp_path / "theirs")


@pytest.fixture(autouse=True)
def no_surprises():
    """A warning that a test does not expect is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def contents(registry):
    """Return what a registry holds, as a fresh one reads it: runs, deleted runs, and portfolios."""
    store = registry.store if isinstance(registry.store, MemoryStore) else FileStore(registry.store.base_dir)
    runs = [{run.run_id: run.to_dict() for run in store.select(Query(deleted=deleted))} for deleted in (False, True)]
    for record in (record for held in runs for record in held.values()):
        record["environment"].pop("tried_elsewhere", None)  # what it left behind on the way here
    return [*runs, {info.name: store.artifacts.read(info.name) for info in store.artifacts.list()}]


def fill(registry, portfolio, sweep):
    """Save runs with and without a portfolio and a sweep, and delete some of them."""
    run_ids = [registry.save_run(portfolio, "a", {"fast": i}, notes="x") for i in range(2)]
    run_ids += registry.save_sweep(sweep, "b")
    registry.store.save_runs([make_record(i) for i in range(3)])
    run_ids += [make_record(i).run_id for i in range(3)]
    registry.delete_runs([run_ids[0], run_ids[2], run_ids[-1]])
    return run_ids


class TestWhatArrives:
    @pytest.mark.parametrize("direction", ["merge", "merge_path", "export", "export_path", "memory"])
    def test_everything_as_it_was(self, mine, theirs, portfolio, sweep, direction):
        run_ids = fill(theirs, portfolio, sweep)
        before = contents(theirs)
        if direction == "memory":
            mine = RunRegistry(MemoryStore())
        report = {
            "merge": lambda: mine.merge(theirs),
            "merge_path": lambda: mine.merge(str(theirs.store.base_dir)),
            "export": lambda: theirs.export(mine.store),
            "export_path": lambda: theirs.export(mine.store.base_dir),
            "memory": lambda: mine.merge(theirs),
        }[direction]()
        assert sorted(report.merged) == sorted(run_ids)
        assert report.skipped == report.conflicts == []
        assert contents(mine) == contents(theirs) == before
        assert mine.load_portfolio(run_ids[4]).stats().equals(theirs.load_portfolio(run_ids[4]).stats())
        assert mine.check(deep=True) == []

    def test_a_sweep_travels_as_one_block_and_one_portfolio(self, mine, theirs, sweep):
        theirs.save_sweep(sweep, "b")
        mine.merge(theirs)
        assert mine.store.metadata_file.read_bytes() == theirs.store.metadata_file.read_bytes()
        assert len(mine.store.artifacts.list()) == 1

    def test_the_same_run_twice_is_one_run(self, mine, theirs, portfolio, sweep):
        run_ids = fill(theirs, portfolio, sweep)
        mine.merge(theirs)
        before = contents(mine), mine.store.metadata_file.read_bytes()
        report = mine.merge(theirs)
        assert sorted(report.skipped) == sorted(run_ids)
        assert report.merged == report.conflicts == []
        assert mine.merge(mine).merged == []
        assert (contents(mine), mine.store.metadata_file.read_bytes()) == before

    def test_a_sweep_that_is_there_in_part_is_completed(self, mine, theirs, sweep):
        run_ids = theirs.save_sweep(sweep, "b")
        theirs.export(mine, run_ids[1:2])
        assert [run.run_id for run in mine.list_runs()] == run_ids[1:2]
        assert mine.load_portfolio(run_ids[1]).stats().equals(sweep.iloc[1].stats())
        report = mine.merge(theirs)
        assert (sorted(report.merged), report.skipped) == (sorted([run_ids[0], run_ids[2]]), run_ids[1:2])
        assert contents(mine) == contents(theirs)

    def test_chosen_runs(self, mine, theirs, portfolio):
        run_ids = [theirs.save_run(portfolio, "a") for _ in range(3)]
        report = theirs.export(mine, [run_ids[0][:13], run_ids[1]])
        assert sorted(report.merged) == sorted(run_ids[:2])
        with pytest.raises(RunNotFoundError, match="'nothing'"):
            theirs.export(mine, [run_ids[2], "nothing"])
        assert len(mine) == 2
        assert theirs.export(mine, run_ids[2]).merged == [run_ids[2]]

    def test_what_a_newer_version_wrote_is_kept_as_it_is(self, mine, theirs):
        newer = {
            **make_record().to_dict(),
            "verdict": {"$odd": [1, 1.0, True]},
            "nothing": None,
            "parameters": {"a": {"$newer": 1}, "side": {"$enum": ["no.such:Side", "LONG", 1]}},
        }
        theirs.store.insert(RunBlock.of([newer]))
        mine.merge(theirs)
        found = contents(mine)[0][newer["run_id"]]
        for name in ("verdict", "parameters"):
            assert json.dumps(found[name]) == json.dumps(newer[name])
        assert mine.merge(theirs).skipped == [newer["run_id"]]

    def test_the_older_layout(self, mine, theirs, portfolio):
        run_id = make_record().run_id
        theirs.store.artifacts.write(f"{run_id}.pkl", portfolio.dumps())
        old = {"strategy_name": "old", "timestamp": "2020-01-01T00:00", "portfolio_path": f"/x/{run_id}.pkl"}
        theirs.store.older_metadata_file.write_text(json.dumps({run_id: {**old, "stats": {"sharpe_ratio": 1.5}}}))
        assert mine.merge(theirs).merged == [run_id]
        assert mine.get_run(run_id).sharpe_ratio == 1.5
        assert mine.load_portfolio(run_id).stats().equals(portfolio.stats())
        assert mine.merge(theirs).skipped == [run_id]

    def test_nothing_is_unpickled(self, mine, theirs, portfolio):
        run_id = theirs.save_run(portfolio, "a")
        mine.store.allow_pickle = False
        assert mine.merge(RunRegistry(theirs.store.base_dir, allow_pickle=False)).merged == [run_id]
        assert len(mine.store.artifacts.list()) == 1

    def test_a_place_without_a_registry(self, mine, tmp_path):
        for place in (tmp_path / "nowhere", tmp_path):
            with pytest.raises(FileNotFoundError, match="no registry"):
                mine.merge(place)
        assert not (tmp_path / "nowhere").exists()
        for call in (mine.merge, mine.export):
            with pytest.raises(TypeError, match="another registry"):
                call(None)
        assert not mine.store.base_dir.exists()


class TestConflicts:
    def check_alone(self, mine, theirs, reason, n_merged=1):
        """Merge, and check that the run numbered 0 is reported, and is as it was on both sides."""
        before = contents(mine), contents(theirs)
        with pytest.warns(UserWarning, match=make_record(0).run_id) as caught:
            report = mine.merge(theirs)
        (conflict,) = report.conflicts
        assert conflict.run_id == make_record(0).run_id
        assert reason in conflict.reason and conflict.reason in str(caught[0].message)
        assert caught[0].filename == __file__
        assert len(report.merged) == n_merged
        after = contents(mine)
        for found, expected in zip(after, before[0], strict=True):
            assert {key: found.get(key) for key in expected} == expected
        assert contents(theirs) == before[1]
        assert conflict.reason in repr(report)
        return after

    def test_different_contents(self, mine, theirs):
        mine.store.save_run(make_record(0, notes="here"))
        theirs.store.save_runs([make_record(0, notes="there"), make_record(1)])
        self.check_alone(mine, theirs, 'notes is "here" here and "there" there')
        mine.update_run(make_record(0).run_id, notes="there")
        assert mine.merge(theirs).conflicts == []

    @pytest.mark.parametrize("values", [(1, 1.0), (1, True), ("1", 1)])
    def test_values_that_are_nearly_the_same(self, mine, theirs, values):
        for registry, value in zip((mine, theirs), values, strict=True):
            registry.store.save_run(make_record(0, parameters={"x": value}))
        self.check_alone(mine, theirs, "parameters", n_merged=0)

    def test_deleted_there(self, mine, theirs):
        for registry in (mine, theirs):
            registry.store.save_run(make_record(0))
        theirs.store.save_run(make_record(1))
        theirs.delete_run(make_record(0).run_id)
        self.check_alone(mine, theirs, "deleted there")
        assert make_record(0).run_id in mine

    def test_deleted_here(self, mine, theirs, portfolio):
        for registry in (mine, theirs):
            registry.store.save_run(make_record(0), portfolio)
        theirs.store.save_run(make_record(1))
        mine.delete_run(make_record(0).run_id)
        after = self.check_alone(mine, theirs, "deleted here")
        assert make_record(0).run_id not in mine and list(after[2]) == [f"trash-{make_record(0).run_id}.pkl"]

    def test_deleted_on_both_sides_is_none(self, mine, theirs):
        for registry in (mine, theirs):
            registry.store.save_run(make_record(0))
            registry.delete_run(make_record(0).run_id)
        assert mine.merge(theirs).skipped == [make_record(0).run_id]

    @pytest.mark.parametrize("damage", ["missing", "altered"])
    def test_a_portfolio_that_is_not_what_was_saved(self, mine, theirs, portfolio, damage):
        theirs.store.save_run(make_record(0), portfolio)
        theirs.store.save_run(make_record(1), portfolio)
        name = f"{make_record(0).run_id}.pkl"
        if damage == "missing":
            theirs.store.artifacts.delete(name)
        else:
            theirs.store.artifacts.write(name, b"x" * theirs.store.artifacts.size(name))
        after = self.check_alone(mine, theirs, "missing" if damage == "missing" else "not what was saved")
        assert list(after[0]) == [make_record(1).run_id]
        assert list(after[2]) == [f"{make_record(1).run_id}.pkl"]

    def test_the_portfolio_of_another_run_is_not_replaced(self, mine, theirs, portfolio):
        """A record that came from somebody else can name any portfolio as its own."""
        mine.store.save_run(make_record(5), portfolio)
        name = f"{make_record(5).run_id}.pkl"
        theirs.store.artifacts.write(name, b"evil")
        theirs.store.insert(
            RunBlock.of([{**make_record(0).to_dict(), "artifact": {"format": "pickle", "names": [name]}}])
        )
        self.check_alone(mine, theirs, "portfolio of other runs", n_merged=0)
        assert mine.check(deep=True) == []

    def test_a_portfolio_that_belongs_to_another_run_by_its_name(self, mine, theirs, portfolio):
        theirs.store.save_run(make_record(5), portfolio)
        artifact = theirs.get_run(make_record(5).run_id).artifact
        theirs.store.insert(RunBlock.of([{**make_record(0).to_dict(), "artifact": artifact}]))
        self.check_alone(mine, theirs, "not named after it")

    @pytest.mark.parametrize("name", ["../../outside.pkl", "/etc/passwd", "a/b.pkl", "x.pkl\0"])
    def test_a_record_that_points_outside(self, mine, theirs, name):
        (theirs.store.base_dir.parent / "outside.pkl").write_bytes(b"secret")
        theirs.store.insert(
            RunBlock.of([{**make_record(0).to_dict(), "artifact": {"format": "pickle", "names": [name]}}])
        )
        self.check_alone(mine, theirs, "cannot name a portfolio", n_merged=0)

    def test_an_orphan_gives_way(self, mine, theirs, portfolio):
        theirs.store.save_run(make_record(0), portfolio)
        mine.store.artifacts.write(f"{make_record(0).run_id}.pkl", b"left behind by a merge that died")
        mine.merge(theirs)
        assert mine.check(deep=True) == []
        assert contents(mine) == contents(theirs)

    def test_a_long_list_is_cut_in_the_warning_and_whole_in_the_report(self, mine, theirs):
        mine.store.save_runs([make_record(i, notes="here") for i in range(12)])
        theirs.store.save_runs([make_record(i, notes="there") for i in range(12)])
        with pytest.warns(UserWarning, match="and 2 more"):
            assert len(mine.merge(theirs).conflicts) == 12


class TestInterruption:
    @pytest.mark.parametrize("kind", ["insert", "write"])
    def test_at_every_step_and_repeated(self, mine, theirs, portfolio, sweep, tmp_path, monkeypatch, kind):
        fill(theirs, portfolio, sweep)
        steps = 0
        while True:
            target = RunRegistry(tmp_path / f"target{steps}")
            place = target.store if kind == "insert" else target.store.artifacts
            original, remaining = getattr(place, kind), [steps]

            def fail_at_last(*args, original=original, remaining=remaining, **kwargs):
                if remaining[0] == 0:
                    raise KeyboardInterrupt
                remaining[0] -= 1
                return original(*args, **kwargs)

            with monkeypatch.context() as patch:
                patch.setattr(place, kind, fail_at_last)
                try:
                    target.merge(theirs)
                except KeyboardInterrupt:
                    finished = False
                else:
                    finished = True
            if finished:
                break
            assert target.check(deep=True) == []  # nothing half done, and nothing left behind
            assert contents(target)[0].items() <= contents(theirs)[0].items()
            assert len([run for run in target.store.select(Query()) if run.sweep_id]) in (0, 2)
            report = target.merge(theirs)
            assert report.conflicts == [] and len(report.merged) + len(report.skipped) == 8
            assert contents(target) == contents(theirs)
            steps += 1
        assert steps == {"insert": 7, "write": 3}[kind]

    def test_somebody_else_is_faster(self, mine, theirs, portfolio, monkeypatch):
        theirs.store.save_runs([make_record(i, sweep_id=SWEEP, column=i) for i in range(3)], portfolio)
        read = theirs.store.artifacts.read

        def overtaken(name, *part):
            monkeypatch.undo()
            theirs.export(mine.store.base_dir, [make_record(1).run_id])
            return read(name, *part)

        monkeypatch.setattr(theirs.store.artifacts, "read", overtaken)
        report = mine.merge(theirs)
        assert (len(report.merged), report.skipped) == (2, [make_record(1).run_id])
        assert contents(mine) == contents(theirs)
        assert mine.check(deep=True) == []

    def test_two_merges_and_a_clean_up_at_the_same_time(self, mine, theirs, portfolio, tmp_path):
        for number in range(8):
            theirs.store.save_run(make_record(number), portfolio)
        shutil.copytree(theirs.store.base_dir, tmp_path / "copy")
        theirs.export(mine.store.base_dir, [make_record(0).run_id])  # portfolios before the first run look like a loss
        done, reports, errors = threading.Event(), [], []

        def merge(path):
            try:
                reports.append(RunRegistry(mine.store.base_dir).merge(path))
            except Exception as error:
                errors.append(error)

        def tidy():
            while not done.is_set():
                RunRegistry(mine.store.base_dir).gc(min_age=0)

        sources = (theirs.store.base_dir, tmp_path / "copy")
        threads = [threading.Thread(target=merge, args=(path,)) for path in sources]
        tidier = threading.Thread(target=tidy)
        for thread in (*threads, tidier):
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        tidier.join()
        assert errors == []
        assert sum(len(report.merged) for report in reports) == 7
        assert contents(mine) == contents(theirs)
        assert mine.check(deep=True) == []
