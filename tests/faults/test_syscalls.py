"""Every file operation fails once: the caller gets the error, and the registry is as before the call or after it."""

import errno
import shutil
from functools import lru_cache

import pytest

from tests.faults.scenes import DELETING, OPERATIONS, Scenes, kinds, leftovers, state
from tests.faults.syscalls import Syscalls
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


@pytest.fixture(scope="module")
def scenes(memory_folder):
    return Scenes(memory_folder)


@pytest.fixture(params=[*OPERATIONS, "first_save"])
def operation(request):
    return request.param


def start(scenes, operation):
    """Return a store and the function that is to fail."""
    if operation == "first_save":
        return scenes.empty(), scenes.save_run
    return scenes.copy(garbage=operation == "gc"), getattr(scenes, operation)


def number_of_steps(scenes, operation):
    store, change = start(scenes, operation)
    with Syscalls(store.base_dir) as calls:
        change(store)
    return calls.count


def try_each(scenes, operation, **fault):
    """Let each step of an operation fail. Yield the store, what it held before, and the steps that failed."""
    for step in range(1, number_of_steps(scenes, operation) + 1):
        store, change = start(scenes, operation)
        before = state(store)
        error = None
        with Syscalls(store.base_dir, at=step, **fault) as calls:
            try:
                change(store)
            except OSError as e:
                error = e
        assert calls.failed
        assert error is not None, calls.failed
        assert error.errno == fault["error"]
        assert str(store.base_dir) in str(error)
        yield store, before, calls.failed
        shutil.rmtree(store.base_dir, ignore_errors=True)


@lru_cache
def after(scenes, operation):
    """Return what a registry holds after an operation that nothing disturbs."""
    store, change = start(scenes, operation)
    change(store)
    return state(store)


def assert_before_or_after(scenes, operation, store, before, failed):
    now = state(store)
    assert now in (before, after(scenes, operation)), failed
    assert not kinds(store) & {"missing_artifact", "altered_artifact", "unreadable_line", "malformed_record"}, failed
    later = make_record(200)
    FileStore(store.base_dir).save_run(later, scenes.portfolio)
    assert set(state(store)[0]) == {*now[0], later.run_id}
    assert FileStore(store.base_dir).load_portfolio(later.run_id) is not None


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_one_step_fails(scenes, operation, error):
    for store, before, failed in try_each(scenes, operation, error=error):
        if operation != "gc":
            assert leftovers(store) == [], failed
            # Whoever deletes a run has said what is to go, so its portfolio may stay behind, but nobody else's.
            assert operation in DELETING or "orphan_artifact" not in kinds(store), failed
        assert_before_or_after(scenes, operation, store, before, failed)


def test_a_write_stops_halfway(scenes, operation):
    for store, before, failed in try_each(scenes, operation, error=errno.ENOSPC, torn=True):
        assert operation == "gc" or leftovers(store) == [], failed
        assert kinds(store) <= {"orphan_artifact", "temporary_file"}, failed
        assert_before_or_after(scenes, operation, store, before, failed)


def test_a_medium_that_breaks_for_good(scenes, operation):
    for store, before, failed in try_each(scenes, operation, error=errno.EIO, lasting=True, cleanup=True, torn=True):
        assert_before_or_after(scenes, operation, store, before, failed)
