"""Ctrl-C at any instant: lock, garbage collector and open files are as before, and everybody else goes on."""

import gc
import itertools
import os
import random
import signal
import time

import pytest
from filelock import FileLock

from tests.faults.children import run_in_child
from tests.faults.scenes import kinds
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.checks import new_run_ids
from vectorbt.portfolio.registry.stores.file_lock import WriterLock


class Interrupter:
    """Raises KeyboardInterrupt at an instant of a call, as Ctrl-C does: between any two steps of the interpreter."""

    def __init__(self):
        self._is_due = False
        self._previous = signal.signal(signal.SIGALRM, self._interrupt)

    def close(self):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._previous)

    def _interrupt(self, *_):
        if self._is_due:
            self._is_due = False
            raise KeyboardInterrupt

    def __call__(self, delay, work, afterwards):
        """Call `work`. Call `afterwards` if it was interrupted, while the traceback is still there as in a notebook."""
        try:
            self._is_due = True
            signal.setitimer(signal.ITIMER_REAL, delay)
            work()
            self._is_due = False
        except KeyboardInterrupt:
            afterwards()
            return True
        return False


@pytest.fixture
def interrupt():
    interrupter = Interrupter()
    yield interrupter
    interrupter.close()


def operations(store):
    """Return what is done to a store, each as a function that prepares it and returns it."""
    numbers = itertools.count()

    def new_runs(n):
        sweep_id, *run_ids = new_run_ids(n + 1)
        sweep = None if n == 1 else sweep_id
        return [make_record(next(numbers), run_id=run_id, sweep_id=sweep) for run_id in run_ids]

    def save_run():
        (run,) = new_runs(1)
        return lambda: store.save_run(run, new_ids=True)

    def save_brought_runs():
        runs = new_runs(3)
        return lambda: store.save_runs(runs)

    def update_run():
        (run,) = new_runs(1)
        store.save_run(run)
        return lambda: store.update_run(run.run_id, add_tags="new")

    def delete_runs():
        runs = new_runs(2)
        run_ids = store.save_runs(runs)
        return lambda: store.delete_runs(run_ids)

    def list_runs():
        fresh = FileStore(store.base_dir)
        return lambda: fresh.list_runs(deleted=None)

    def compact():
        return store.compact

    return [save_run, save_brought_runs, update_run, delete_runs, list_runs, compact]


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
