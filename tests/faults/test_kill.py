"""A writer is killed at random instants and before every file operation: what it was told is saved, is saved."""

import os
import random
import shutil
import signal
import time

import pytest
from filelock import FileLock

from tests.faults.children import finish, fork, kill
from tests.faults.scenes import OPERATIONS, Scenes, kinds, state
from tests.faults.syscalls import Syscalls
from tests.support.factories import make_portfolio, make_record, make_sweep
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.checks import new_run_ids
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord

SWEEP_SIZE = 3


def save_without_end(report, folder, portfolio, sweep, sweep_runs):
    """Save runs and sweeps until somebody kills this process, and report each id when the call has returned."""
    store = FileStore(folder)
    while True:
        run = make_record(0, run_id=new_run_ids(1)[0])
        store.save_run(run, portfolio, new_ids=True)
        report(f"run {run.run_id}")
        sweep_id, *run_ids = new_run_ids(1 + SWEEP_SIZE)
        for record, run_id in zip(sweep_runs, run_ids):
            record.sweep_id, record.run_id = sweep_id, run_id
        store.save_runs(sweep_runs, sweep, new_ids=True)
        report(f"sweep {sweep_id}")
        store.update_run(run.run_id, add_tags="kept")
        report(f"updated {run.run_id}")


def assert_lock_is_free(folder):
    """The kernel lets go of a dead writer's lock: the next one gets it at the first attempt."""
    with FileLock(str(folder / ".lock"), timeout=0):
        pass


def wait_for_lines(pipe, n):
    """Wait until a child has reported so many lines, however slow the machine is, and return them."""
    content = b""
    while content.count(b"\n") < n:
        content += os.read(pipe, 1)
    return content.decode().splitlines()


def dumped_once(portfolio):
    """Let a portfolio return the same bytes each time, so that a child spends its short life on writing them."""
    content = portfolio.dumps()
    portfolio.dumps = lambda: content
    return portfolio


def kill_many_times(folder, rounds, seed=0):
    portfolio, sweep = dumped_once(make_portfolio()), dumped_once(make_sweep())
    sweep_runs = RunRecord.from_columns(sweep, "sweep")
    chance = random.Random(seed)
    saved = {"run": set(), "sweep": set(), "updated": set()}
    for _ in range(rounds):
        pid, pipe = fork(save_without_end, folder, portfolio, sweep, sweep_runs)
        first = wait_for_lines(pipe, chance.randrange(3))
        time.sleep(chance.uniform(0, 0.01))
        kill(pid)
        rest, killed = finish(pid, pipe)
        lines = first + rest
        assert killed == signal.SIGKILL
        if folder.exists():
            assert_lock_is_free(folder)
        reported = {what: {line.split()[1] for line in lines if line.startswith(what)} for what in saved}
        for what, ids in reported.items():
            saved[what] |= ids
        check_round(FileStore(folder), saved, reported)
    return saved


def check_round(store, saved, reported):
    runs = store.select(Query())
    by_sweep = {}
    for run in runs:
        by_sweep.setdefault(run.sweep_id, set()).add(run.run_id)
    assert saved["run"] <= by_sweep.pop(None, set())
    assert saved["sweep"] <= by_sweep.keys()
    assert {len(run_ids) for run_ids in by_sweep.values()} <= {SWEEP_SIZE}
    assert all("kept" in store.get(run_id).tags for run_id in reported["updated"])
    for run_id in sorted(reported["run"])[-1:]:
        assert store.load_portfolio(run_id) is not None
    for sweep_id in sorted(reported["sweep"])[-1:]:
        assert store.load_sweep(sweep_id).wrapper.shape[1] == SWEEP_SIZE


def check_in_the_end(folder, saved):
    registry = RunRegistry(folder)
    assert len(saved["run"]) > 10 and saved["sweep"]
    assert kinds(registry.store) <= {"torn_end", "orphan_artifact", "temporary_file"}
    registry.save_run(make_portfolio(), "later")
    registry.gc(min_age=0)
    assert registry.check(deep=True) == []
    assert saved["run"] <= {run.run_id for run in registry.list_runs()}


def test_killed_at_random_instants(memory_folder):
    saved = kill_many_times(memory_folder / "runs", rounds=100)
    check_in_the_end(memory_folder / "runs", saved)


@pytest.mark.slow
def test_killed_at_many_random_instants(tmp_path):
    for seed in range(1, 11):
        saved = kill_many_times(tmp_path / f"runs-{seed}", rounds=200, seed=seed)
        check_in_the_end(tmp_path / f"runs-{seed}", saved)


# ############# Before every operation ############# #


@pytest.fixture(scope="module")
def scenes(memory_folder):
    return Scenes(memory_folder)


def change_and_die(report, store, change, step, torn):
    with Syscalls(store.base_dir, at=step, error=None, torn=torn):
        change(store)
    report("survived")


@pytest.mark.parametrize("torn", [False, True], ids=["before", "halfway"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_operation(scenes, operation, torn):
    change = getattr(scenes, operation)
    is_gc = operation == "gc"
    done = scenes.copy(is_gc)
    before = state(done)
    with Syscalls(done.base_dir) as calls:
        change(done)
    seen = []
    for step in range(1, calls.count + 1):
        store = scenes.copy(is_gc)
        lines, killed = finish(*fork(change_and_die, store, change, step, torn))
        assert (lines, killed) == ([], signal.SIGKILL)
        assert_lock_is_free(store.base_dir)
        seen.append(state(store))
        assert seen[-1] in (before, state(done)), step
        assert kinds(store) <= {"torn_end", "orphan_artifact", "temporary_file"}, step
        change(FileStore(store.base_dir)) if seen[-1] == before else None
        assert state(store) == state(done)
        RunRegistry(store).gc(min_age=0)
        assert kinds(store) <= {"torn_end"}
        shutil.rmtree(store.base_dir)
    assert before in seen


def test_killed_between_portfolio_and_record(scenes):
    store = scenes.copy()
    name = f"{scenes.new_run.run_id}.pkl"

    def die_at_the_record(report):
        store.insert = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        scenes.save_run(store)

    _, killed = finish(*fork(die_at_the_record))
    assert killed == signal.SIGKILL
    assert store.get(scenes.new_run.run_id) is None
    assert kinds(store) == {"orphan_artifact"}
    assert RunRegistry(store).gc() == []  # it may be about to be saved
    (garbage,) = RunRegistry(store).gc(min_age=0)
    assert garbage.place == store.artifacts.locate(name)
    assert kinds(store) == set()
