"""Ctrl-C at any instant: a SQLite database is left without a transaction, and everybody else goes on."""

import gc
import os
import random
import sqlite3
import time

import pytest

from tests.support.factories import make_record
from tests.support.interrupts import Interrupter, changes

# Where it comes while Python is calling back a weak reference, Python writes it down and goes on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

sa = pytest.importorskip("sqlalchemy", reason="needs the extra sql")

from vectorbt.portfolio.registry import SqliteStore, SqlStore  # noqa: E402


@pytest.fixture(autouse=True)
def quick_collections():
    """Hide what vectorbt has loaded from the garbage collector, which looks through it after each interrupt."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def operations(store):
    """Return what is done to a store, each as a function that prepares it and returns it."""

    def list_runs():
        return lambda: store.list_runs(limit=20)

    return [*changes(store), list_runs]


def interrupt_many_times(store, path, interrupts, seed):
    """Interrupt every operation at random instants, and look at what is left behind after each."""
    chance = random.Random(seed)
    store.save_run(make_record(0))

    def check():
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # nobody is writing
        other.execute("ROLLBACK")
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0  # and nobody is reading
        other.close()

    check()
    before = open_files(path)  # with that of `other`: SQLite keeps it as long as there is a connection beside it
    with Interrupter() as interrupt:
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
                happened += interrupt(max(1e-6, chance.uniform(0, longest)), prepare(), check)
                check()
                assert open_files(path) <= before
    assert store.get_run(make_record(0).run_id) == make_record(0)


def open_files(path):
    """Return how often the database and its log are open."""
    opened = [os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path)]
    return sum(name in (str(path), f"{path}-wal", f"{path}-shm") for name in opened)


def test_interrupts_leave_no_transaction_open(tmp_path):
    path = tmp_path / "runs.db"
    interrupt_many_times(SqliteStore(path), path, interrupts=100, seed=0)  # 500 in all


def test_interrupts_leave_no_transaction_open_in_an_engine_of_the_caller(tmp_path):
    path = tmp_path / "runs.db"
    store = SqlStore(sa.create_engine(f"sqlite:///{path}"))
    interrupt_many_times(store, path, interrupts=20, seed=1)


@pytest.mark.slow
def test_many_interrupts_leave_no_transaction_open(tmp_path):
    path = tmp_path / "runs.db"
    interrupt_many_times(SqliteStore(path), path, interrupts=2000, seed=2)  # 10,000 in all
