"""Many at once: every save that was acknowledged is there exactly once, and nobody ever reads half of anything."""

import json
import multiprocessing
import os
import pickle
import random
import threading
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.children import finish, fork, run_in_child
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.checks import new_run_ids
from vectorbt.portfolio.registry.errors import LockHeldWarning
from vectorbt.portfolio.registry.query.query import Query

WRITERS, PORTFOLIO_EVERY = 8, 25


def save_many(report, folder, writer, saves, portfolio):
    """Save runs, some with a portfolio and some under ids that are looked up. Report each when the call returned."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", LockHeldWarning)  # on a busy machine, one of so many may wait for a second
    store = FileStore(folder)
    for n in range(saves):
        run = make_record(writer * saves + n, run_id=new_run_ids(1)[0], notes=f"{writer} {n}")
        if n % PORTFOLIO_EVERY == 0:
            store.save_run(run, portfolio, new_ids=True)
        else:
            store.save_run(run, new_ids=n % 2 == 0)
        report(run.run_id)


def change_many(report, folder, seed, done):
    """List, update and delete runs until all is saved. What was seen once must not go but by a deletion."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", LockHeldWarning)  # on a busy machine, one of so many may wait for a second
    registry = RunRegistry(folder)
    chance = random.Random(seed)
    seen = set()
    while not done.is_set():
        everything = registry.list_runs(deleted=None)
        run_ids = {run.run_id for run in everything}
        assert len(run_ids) == len(everything), "a run is listed twice"
        assert seen <= run_ids, "a run is gone"
        seen = run_ids
        alive = [run.run_id for run in registry.list_runs() if "updated" not in run.tags]
        for run_id in chance.sample(alive, min(2, len(alive))):
            if chance.random() < 0.3:
                if registry.delete_run(run_id):
                    report(f"deleted {run_id}")
            else:
                try:
                    registry.update_run(run_id, add_tags="updated")
                except LookupError:
                    continue  # the other one has deleted it
                report(f"updated {run_id}")
        done.wait(0.01)  # those who save need the processor as well


def compact_many(report, folder, done):
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", LockHeldWarning)  # on a busy machine, one of so many may wait for a second
    registry = RunRegistry(folder)
    while not done.is_set():
        registry.compact()
        registry.gc(min_age="1 hour")
        report("compacted")
        done.wait(0.05)


@pytest.mark.parametrize("saves", [100, pytest.param(250, marks=pytest.mark.slow)])
def test_eight_writers_two_changers_and_one_who_compacts(saves, tmp_path, portfolio):
    folder = tmp_path / "runs"
    done = multiprocessing.get_context("fork").Event()
    writers = [fork(save_many, folder, writer, saves, portfolio) for writer in range(WRITERS)]
    others = [fork(change_many, folder, seed, done) for seed in range(2)] + [fork(compact_many, folder, done)]
    with ThreadPoolExecutor(len(writers) + len(others)) as pool:
        outcomes = [pool.submit(finish, *child) for child in writers]
        other_outcomes = [pool.submit(finish, *child) for child in others]
        try:
            saved = [run_id for outcome in outcomes for run_id in outcome.result()[0]]
        finally:
            done.set()
        *changes, compactions = [outcome.result()[0] for outcome in other_outcomes]
    deleted = [line.split()[1] for lines in changes for line in lines if line.startswith("deleted")]
    updated = {line.split()[1] for lines in changes for line in lines if line.startswith("updated")}
    assert len(saved) == len(set(saved)) == WRITERS * saves
    assert compactions and updated and deleted
    registry = RunRegistry(folder)
    listed = Counter(run.run_id for run in registry.list_runs(deleted=None))
    assert listed == Counter(saved)
    assert sorted(run.run_id for run in registry.list_runs(deleted=True)) == sorted(deleted)
    assert all("updated" in run.tags for run in registry.list_runs() if run.run_id in updated)
    assert registry.check(deep=True) == []
    registry.compact()
    lines = registry.store.metadata_file.read_text().splitlines()[1:]
    assert Counter(run_id for line in lines for run_id in ids_of(json.loads(line))) == listed


def ids_of(line):
    return [value["run_id"] for value in line.values() if isinstance(value, dict) and "run_id" in value]


def test_threads_share_a_registry(tmp_path, portfolio):
    registry = RunRegistry(tmp_path / "runs")
    per_thread, threads = 25, 8
    shared = make_record(500)
    registry.store.save_run(shared)
    stop = threading.Event()

    def save(thread):
        run_ids = []
        for n in range(per_thread):
            run = make_record(n, run_id=new_run_ids(1)[0])
            registry.store.save_run(run, portfolio if n == 0 else None, new_ids=True)
            assert run.run_id in registry
            registry.update_run(run.run_id, add_tags=f"thread-{thread}")
            registry.update_run(shared.run_id, add_tags=f"{thread} {n}")
            run_ids.append(run.run_id)
        assert registry.delete_run(run_ids[-1])
        return run_ids

    def read():
        seen = set()
        while not stop.is_set():
            run_ids = {run.run_id for run in registry.list_runs(deleted=None)}
            assert seen <= run_ids
            seen = run_ids

    with ThreadPoolExecutor(threads + 1) as pool:
        reader = pool.submit(read)
        try:
            saved = [run_id for run_ids in pool.map(save, range(threads)) for run_id in run_ids]
        finally:
            stop.set()
        reader.result()
    assert sorted(run.run_id for run in registry.list_runs(deleted=None)) == sorted([*saved, shared.run_id])
    assert len(registry) == threads * (per_thread - 1) + 1
    tags = set(registry.get_run(shared.run_id).tags)
    assert {f"{thread} {n}" for thread in range(threads) for n in range(per_thread)} <= tags
    assert registry.check(deep=True) == []


# ############# Objects that go to other processes ############# #


def save_one(registry):
    """Save a run with the registry that came here. Return its id and the number of runs that are seen."""
    run = make_record(0, run_id=new_run_ids(1)[0])
    registry.store.save_run(run, new_ids=True)
    return run.run_id, len(registry)


def test_a_pickled_registry_is_the_same_folder(tmp_path, monkeypatch):
    registry = RunRegistry(tmp_path / "runs", allow_pickle=False)
    registry.store.save_run(make_record(5))
    content = pickle.dumps(registry)
    monkeypatch.chdir(tmp_path)
    copy = pickle.loads(content)
    assert copy.store.base_dir == registry.store.base_dir
    assert copy.store.allow_pickle is False
    run_id, seen = save_one(copy)
    assert seen == 2
    assert run_id in registry


def test_spawned_workers(tmp_path):
    registry = RunRegistry(tmp_path / "runs")
    registry.store.save_run(make_record(5))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        saved = [run_id for run_id, _ in pool.map(save_one, [registry] * 2)]
    assert all(run_id in registry for run_id in saved)


def test_joblib_workers(tmp_path):
    joblib = pytest.importorskip("joblib")
    registry = RunRegistry(tmp_path / "runs")
    registry.store.save_run(make_record(5))
    saved = joblib.Parallel(n_jobs=2)(joblib.delayed(save_one)(registry) for _ in range(4))
    assert all(run_id in registry for run_id, _ in saved)
    assert len(registry) == 5


# ############# Forks at a bad moment ############# #


@pytest.fixture
def registry(tmp_path):
    registry = RunRegistry(tmp_path / "runs")
    registry.store.save_run(make_record(5))  # its lock has been used
    return registry


def use_in_child(report, registry):
    run_id, seen = save_one(registry)
    report(f"{run_id} {seen}")


def assert_usable_after_fork(registry, release=lambda: None):
    pid, pipe = fork(use_in_child, registry)
    release()
    lines, killed = finish(pid, pipe)
    assert killed is None
    run_id, seen = lines[0].split()
    assert run_id in registry
    assert int(seen) == len(registry) == 2
    save_one(registry)


def test_a_forked_registry_that_has_been_used(registry):
    assert_usable_after_fork(registry)


@pytest.mark.parametrize("held", ["reading", "writing"])
def test_fork_while_another_thread_is_busy(registry, held):
    store = registry.store
    is_held, may_go_on = threading.Event(), threading.Event()

    def be_busy():
        with store._reading if held == "reading" else store.exclusive():
            is_held.set()
            may_go_on.wait()

    thread = threading.Thread(target=be_busy)
    thread.start()
    is_held.wait()

    def release():
        may_go_on.set()
        thread.join()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python advises against what this test does
        assert_usable_after_fork(registry, release)


def test_fork_while_another_thread_is_in_the_middle_of_reading(registry, monkeypatch):
    store = FileStore(registry.store.base_dir)
    half_read, may_go_on = threading.Event(), threading.Event()
    take = store._take

    def take_slowly(entry):
        take(entry)
        half_read.set()
        may_go_on.wait()

    store._take = take_slowly
    thread = threading.Thread(target=store.count)
    thread.start()
    half_read.wait()
    may_go_on_in_child = lambda: may_go_on.set()  # noqa: E731

    def read(report):
        may_go_on_in_child()
        report(str(store.count()))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert run_in_child(read) == ["1"]
    may_go_on.set()
    thread.join()


def test_a_child_that_ends_leaves_the_lock_of_its_parent_alone(registry):
    """The parent is writing while a child comes and goes. Nobody else gets in between."""
    with registry.store.exclusive():

        def try_to_write(report):
            from filelock import FileLock, Timeout

            with pytest.raises(Timeout):
                FileLock(os.path.join(registry.store.base_dir, ".lock"), timeout=0).acquire()

        run_in_child(lambda report: registry.list_runs())
        run_in_child(try_to_write)
    assert len(registry.store.select(Query())) == 1
