"""Ctrl-C at any instant: lock, garbage collector and open files are as before, and everybody else goes on."""

import gc
import os
import random
import time

import pytest
from filelock import FileLock

from tests.faults.children import run_in_child
from tests.faults.scenes import kinds
from tests.support.factories import make_record
from tests.support.interrupts import Interrupter, changes
from vectorbt.portfolio.registry import FileStore, MemoryStore
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.checks import new_run_ids
from vectorbt.portfolio.registry.stores.file_lock import WriterLock

# Where it comes while Python is calling back a weak reference, Python writes it down and goes on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def interrupt():
    with Interrupter() as interrupter:
        yield interrupter


def operations(store):
    """Return what is done to a store, each as a function that prepares it and returns it."""

    def list_runs():
        fresh = FileStore(store.base_dir)
        return lambda: fresh.list_runs(deleted=None)

    def compact():
        return store.compact

    return [*changes(store), list_runs, compact]


def number_of_handles():
    return len(os.listdir("/proc/self/fd"))


def interrupt_many_times(interrupt, folder, interrupts, seed):
    """Interrupt every operation at random instants, and look at what is left behind after each."""
    chance = random.Random(seed)
    store = FileStore(folder)
    store.save_run(make_record(0, run_id=new_run_ids(1)[0]))
    lock_file = str(store.base_dir / ".lock")
    handles = number_of_handles()

    def check():
        with FileLock(lock_file, timeout=0):  # a file of its own, as another process has
            pass
        assert gc.isenabled()
        assert not store._reading._is_owned()

    for prepare in operations(store):
        durations = []
        for _ in range(5):
            work = prepare()
            started = time.perf_counter()
            work()
            durations.append(time.perf_counter() - started)
        longest = sorted(durations)[2] * 1.2
        happened = 0
        while happened < interrupts:
            if len(store.list_runs()) > 50:
                store.delete_runs([run.run_id for run in store.list_runs()])
                store.metadata_file.unlink()
            happened += interrupt(max(1e-6, chance.uniform(0, longest)), prepare(), check)
            check()
        assert number_of_handles() <= handles
    run_in_child(lambda report: FileStore(folder).save_run(make_record(1)))
    assert store.get_run(make_record(1).run_id) is not None
    assert kinds(store) <= {"torn_end"}


def test_interrupts_leave_nothing_behind(memory_folder, interrupt):
    interrupt_many_times(interrupt, memory_folder / "few", interrupts=84, seed=0)  # 504 in all


@pytest.mark.slow
def test_many_interrupts_leave_nothing_behind(memory_folder, interrupt):
    interrupt_many_times(interrupt, memory_folder / "many", interrupts=1667, seed=1)  # 10,002 in all


@pytest.mark.parametrize("make", [MemoryStore, lambda: None], ids=["lock", "pause"])
def test_interrupts_of_a_context_alone(make, interrupt):
    """The windows of entering and leaving are short, so nothing else is interrupted here."""
    chance = random.Random(2)
    store = make()

    def work():
        while True:  # until it is interrupted
            with collection_paused() if store is None else store.exclusive():
                pass

    def check():
        assert gc.isenabled()
        assert store is None or not store._lock._is_owned()

    for _ in range(2000):
        assert interrupt(chance.uniform(1e-5, 1e-4), work, check)


def test_interrupts_of_the_lock_alone(memory_folder, interrupt):
    chance = random.Random(3)
    lock = WriterLock(memory_folder / "alone.lock")
    handles = number_of_handles()

    def work():
        while True:  # until it is interrupted
            with lock.hold(), lock.hold():
                pass

    def check():
        with FileLock(lock.path, timeout=0):
            pass

    for _ in range(2000):
        assert interrupt(chance.uniform(1e-5, 1e-4), work, check)
    assert number_of_handles() <= handles
