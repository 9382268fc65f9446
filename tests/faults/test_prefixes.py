"""The metadata cut at every byte, as a crash or a power cut leaves it: complete runs stay, torn bytes never return."""

import os
import uuid

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.query.query import Query

SWEEP_ID = str(uuid.UUID(int=7, version=4))


def small(number, **fields):
    """Return a record of a short line: every one of its bytes is tried."""
    return make_record(number, **{"stats": {}, "data": {}, "parameters": {}, "tags": [], **fields})


def save_runs(store):
    for number in (2, 3):
        store.save_run(small(number))


def save_sweep(store):
    store.save_runs([small(number, sweep_id=SWEEP_ID, column=number - 2) for number in (2, 3)])


def update_and_delete(store):
    store.update_run(small(0).run_id, notes="new")
    store.delete_runs([small(1).run_id])


@pytest.fixture(params=[save_runs, save_sweep, update_and_delete])
def saved(request, memory_folder, monkeypatch):
    """A store whose metadata ends with what was saved last, and where that begins."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    store = FileStore(memory_folder / uuid.uuid4().hex)
    for number in range(2):
        store.save_run(small(number))
    start = store.metadata_file.stat().st_size
    request.param(store)
    return store, start


def seen(store):
    """Return what a fresh reader sees: the runs with their notes, and the deleted ones."""
    fresh = FileStore(store.base_dir)
    runs = {run.run_id: run.notes for run in fresh.select(Query())}
    return runs, {run.run_id for run in fresh.select(Query(deleted=True))}


def states_by_offset(store, content, start):
    """Return for each offset behind which a line or block is complete what is there up to it."""
    states = {}
    for end in range(start, len(content) + 1):
        if content[end - 1 : end] == b"\n":
            store.metadata_file.write_bytes(content[:end])
            states[end] = seen(store)
    return states


@pytest.mark.parametrize("fill", ["cut", "zeros"])
def test_every_prefix(saved, fill):
    store, start = saved
    content = store.metadata_file.read_bytes()
    states = states_by_offset(store, content, start)
    assert len({str(state) for state in states.values()}) > 1
    new = small(9)
    for offset in range(start, len(content)):
        torn = content[:offset] + (b"" if fill == "cut" else bytes(len(content) - offset))
        store.metadata_file.write_bytes(torn)
        complete = max(end for end in states if end <= offset)
        runs, deleted = states[complete]
        assert seen(store) == (runs, deleted), offset
        FileStore(store.base_dir).save_run(new)
        assert seen(store) == ({**runs, new.run_id: ""}, deleted), offset
        kept = store.metadata_file.read_bytes()
        assert kept == content[: len(kept) - len(line_of(kept))] + line_of(kept), offset
        if fill == "cut" and content[offset : offset + 1] == b"\n":
            # Only its break is missing, which may have been lost since: nobody knows, so it is kept.
            assert store.damaged_file.read_bytes() == line_of(torn) + b"\n"
            store.damaged_file.unlink()
        assert RunRegistry(store.base_dir).check() == [], offset


def line_of(content):
    """Return the last line."""
    return content[content.rfind(b"\n", 0, -1) + 1 :]


def test_a_sweep_is_whole_or_absent_at_every_offset(memory_folder, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    store = FileStore(memory_folder / uuid.uuid4().hex)
    store.save_run(small(0))
    start = store.metadata_file.stat().st_size
    sweep = [small(number, sweep_id=SWEEP_ID, column=number - 1) for number in range(1, 6)]
    store.save_runs(sweep)
    content = store.metadata_file.read_bytes()
    sizes = set()
    for offset in range(start, len(content) + 1):
        store.metadata_file.write_bytes(content[:offset])
        sizes.add(len(FileStore(store.base_dir).select(Query(sweep_id=SWEEP_ID))))
    assert sizes == {0, 5}


@pytest.mark.parametrize("size", [1, 100, 1024, 4096])
def test_the_end_filled_with_zeros(memory_folder, size):
    store = FileStore(memory_folder / uuid.uuid4().hex)
    runs = [make_record(number) for number in range(12)]
    for run in runs:
        store.save_run(run)
    content = store.metadata_file.read_bytes()
    store.metadata_file.write_bytes(content[:-size] + bytes(size))
    complete = content[:-size].count(b"\n") - 1
    assert set(seen(store)[0]) == {run.run_id for run in runs[:complete]}
    reader = FileStore(store.base_dir)  # opened before the next save, it goes on reading
    assert len(reader.select(Query())) == complete
    store.save_run(make_record(50))
    assert len(reader.select(Query())) == complete + 1
    assert b"\0" not in store.metadata_file.read_bytes()
    assert RunRegistry(store.base_dir).check() == []
