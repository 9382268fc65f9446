"""The lock of writers: who is shut out, who is told of whom, and when waiting ends."""

import os
import pickle
import socket
import threading
import warnings

import pytest
from filelock import FileLock, Timeout

from tests.faults.children import finish, fork
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.errors import LockHeldWarning, StoreError
from vectorbt.portfolio.registry.stores import file_lock
from vectorbt.portfolio.registry.stores.file_lock import WriterLock


@pytest.fixture
def lock(tmp_path):
    return WriterLock(tmp_path / "runs.lock")


def is_free(path):
    """Return whether another open file could be locked now, as one of another process."""
    try:
        with FileLock(path, timeout=0):
            return True
    except Timeout:
        return False


class Holder:
    """A process that changes a registry until it is told to end."""

    def __init__(self, store):
        waits, self._end = os.pipe()
        held, says_held = os.pipe()

        def hold(report):
            os.close(self._end)
            with store.exclusive():
                os.write(says_held, b".")
                os.read(waits, 1)

        self.pid, self._pipe = fork(hold)
        os.read(held, 1)
        for fd in (waits, held, says_held):
            os.close(fd)

    def end(self):
        os.close(self._end)
        finish(self.pid, self._pipe)


def test_a_thread_may_enter_again(lock):
    with lock.hold():
        with lock.hold():
            assert not is_free(lock.path)
        assert not is_free(lock.path)
    assert is_free(lock.path)


def test_filelock_on_the_same_file_is_shut_out_and_shuts_out(lock):
    with lock.hold():
        assert not is_free(lock.path)
    still_held = pytest.raises(StoreError, match=r"runs\.lock is still held after 0 seconds by")
    with FileLock(lock.path), still_held, lock.hold(timeout=0):
        pytest.fail("two hold the lock")
    with lock.hold(timeout=0):
        pass


def test_a_lock_that_is_removed_meanwhile_is_made_anew(lock):
    first, second = lock.hold(), WriterLock(lock.path)
    with first:
        lock.path.unlink()
        with second.hold(timeout=0):  # the name is free again
            assert not is_free(lock.path)
    assert is_free(lock.path)


def test_another_thread_waits(lock):
    refused = []

    def enter():
        with pytest.raises(StoreError) as e, lock.hold(timeout=0):
            pytest.fail("two hold the lock")
        refused.append(str(e.value))

    with lock.hold():
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    assert f"another thread of this process ({os.getpid()})" in refused[0]


def test_whoever_waits_is_told_once_for_whom(tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock, "TOLD_AFTER_SECONDS", 0.01)
    store = FileStore(tmp_path / "runs")
    holder = Holder(store)
    told = []

    def be_told(message, category, *_):
        told.append((category, str(message)))
        holder.end()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", be_told)
        store.save_run(make_record())
    held_by = f"held by process {holder.pid} on {socket.gethostname()}, as its note says"
    limit = "until that is done; lock_timeout= limits it"
    assert told == [(LockHeldWarning, f"waiting for {store.base_dir / '.lock'}, {held_by}: {limit}")]
    assert store.count() == 1


def test_waiting_ends_with_an_error_that_says_for_whom(tmp_path, portfolio):
    store = FileStore(tmp_path / "runs", lock_timeout=0.05)
    store.save_run(make_record(0))
    store.update_run(make_record(0).run_id, notes="so that there is something to compact")
    holder = Holder(store)
    expected = f"still held after 0.05 seconds by process {holder.pid} on "
    for change in (
        lambda: store.save_run(make_record(1)),
        lambda: store.save_run(make_record(2), portfolio, new_ids=True),
        lambda: store.update_run(make_record(0).run_id, notes="new"),
        lambda: store.delete_run(make_record(0).run_id),
        store.compact,
    ):
        with pytest.raises(StoreError, match=expected):
            change()
    holder.end()
    assert [run.notes for run in store.list_runs()] == ["so that there is something to compact"]
    assert store.artifacts.list() == []
    store.save_run(make_record(1))


def test_a_database_says_for_whom_it_waits_as_well(tmp_path):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    store = RunRegistry(f"sqlite:///{tmp_path}/runs.db", lock_timeout=0.05).store
    store.save_run(make_record(0))
    holder = Holder(store)
    with pytest.raises(StoreError, match=f"still held after 0.05 seconds by process {holder.pid} on "):
        store.save_run(make_record(1))
    holder.end()
    assert pickle.loads(pickle.dumps(store)).database.lock_timeout == 0.05
    with pytest.raises(ValueError, match="lock_timeout must not be negative"):
        RunRegistry(f"sqlite:///{tmp_path}/runs.db", lock_timeout=-1)


def test_a_note_that_is_none(lock):
    lock.path.write_bytes(b"1 \x1b[31mred\n" * 100)
    nobody = pytest.raises(StoreError, match="by a process that has left no note in it")
    with FileLock(lock.path), nobody, lock.hold(timeout=0):
        pytest.fail("two hold the lock")
    with lock.hold():
        assert lock.path.read_bytes().startswith(f"{os.getpid()} {socket.gethostname()}\n".encode())


def test_a_child_does_not_keep_the_lock_of_its_parent(lock):
    waits, end = os.pipe()
    lives, says_lives = os.pipe()

    def live(report):
        os.close(end)
        os.write(says_lives, b".")
        os.read(waits, 1)

    with lock.hold():
        pid, pipe = fork(live)
        os.read(lives, 1)
        assert not is_free(lock.path)
    assert is_free(lock.path)
    for fd in (waits, end, lives, says_lives):
        os.close(fd)
    finish(pid, pipe)


def test_how_long_is_checked_and_goes_to_other_processes(tmp_path):
    store = FileStore(tmp_path / "runs", lock_timeout=3)
    assert pickle.loads(pickle.dumps(store)).lock_timeout == 3
    assert FileStore(tmp_path / "runs").lock_timeout is None
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="lock_timeout must not be negative"):
            FileStore(tmp_path / "runs", lock_timeout=wrong)
    for wrong in ("3", True):
        with pytest.raises(TypeError, match="lock_timeout must be a number of seconds or None"):
            FileStore(tmp_path / "runs", lock_timeout=wrong)
