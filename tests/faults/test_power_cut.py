"""A power cut after any operation, with every legal loss: what was acknowledged is there, and the registry opens."""

import hashlib
import shutil
import uuid
import warnings

import pytest

from tests.faults.power_cut import Disk, Recorder, lay
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.errors import ArtifactError
from vectorbt.portfolio.registry.query.query import Query

SWEEP_ID = str(uuid.UUID(int=9, version=4))
STATES = 25
"""States that are looked at for each instant."""

UNHARMFUL = {"torn_end", "orphan_artifact", "temporary_file", "unreadable_line", "lines_put_aside"}
"""Kinds of what may be found: the marks of what nobody has acknowledged."""


def content_of(name):
    """Return something in the place of a pickled portfolio, more than a page of it."""
    return hashlib.sha256(name.encode()).digest() * 300


def save(store, records, stem):
    store.insert_with_blobs(
        RunBlock.of([record.to_dict() for record in records]), "pickle", {f"{stem}.pkl": content_of(stem)}
    )


class History:
    """Does what a registry is there for, and notes what was acknowledged.

    Args:
        store (FileStore): Store in a folder that is not there yet, or in one that somebody else has made."""

    def __init__(self, store):
        self.store = store
        self.lone = [make_record(i) for i in range(6)]
        self.sweep = [make_record(20 + i, sweep_id=SWEEP_ID, column=i) for i in range(40)]

    def steps(self):
        """Yield the steps by name, each with what `seen` returns after it."""
        store, runs = self.store, {}
        for record in self.lone[:2]:
            yield "save", lambda record=record: save(store, [record], record.run_id), runs | {record.run_id: ""}
            runs[record.run_id] = ""
        swept = {record.run_id: "" for record in self.sweep}
        yield "sweep", lambda: save(store, self.sweep, SWEEP_ID), runs | swept
        runs |= swept
        changed = self.lone[0].run_id
        yield "update", lambda: store.update_run(changed, notes="new"), runs | {changed: "new"}
        runs[changed] = "new"
        gone = [self.lone[1].run_id, self.sweep[3].run_id]
        yield "delete", lambda: store.delete_runs(gone), runs | dict.fromkeys(gone)
        runs |= dict.fromkeys(gone)
        yield "compact", store.compact, runs
        record = self.lone[2]
        yield "save again", lambda: save(store, [record], record.run_id), runs | {record.run_id: ""}
        runs[record.run_id] = ""
        yield "gc", lambda: RunRegistry(store).gc(min_age=0), runs
        rest = list(swept)
        yield "delete the sweep", lambda: store.delete_runs(rest), runs | dict.fromkeys(rest)
        runs |= dict.fromkeys(rest)
        yield "restore some of it", lambda: store.restore_runs(rest[:3]), runs | dict.fromkeys(rest[:3], "")
        runs |= dict.fromkeys(rest[:3], "")
        first = self.lone[0].run_id
        yield "delete for good", lambda: store.delete_run(first, permanent=True), runs | {first: None}
        runs[first] = None
        yield "empty the trash", lambda: RunRegistry(store).gc(trash_age=0), runs


def record_history(folder):
    """Return the operations of a whole history, and what `seen` returns after each of its steps."""
    expected = []
    folder.parent.mkdir()
    with Recorder(folder.parent) as recorder:
        for name, do, runs in History(FileStore(folder)).steps():
            recorder.events.append(("begun", name))
            do()
            recorder.events.append(("acknowledged", name))
            expected.append(dict(runs))
    return recorder.events, expected


def seen(store):
    """Return the runs that a fresh reader sees: their notes by id, None for deleted ones."""
    runs = {run.run_id: run.notes for run in store.select(Query())}
    return runs | {run.run_id: None for run in store.select(Query(deleted=True))}


def check(folder, before, after):
    """Check that a registry is in one of two states: before the step that was not acknowledged, or after it."""
    store = FileStore(folder)
    found = seen(store)
    # Every run of a save is there, or none of it; and what was acknowledged is as it was.
    assert found in (before, after), (set(found) ^ set(before), set(found) ^ set(after))
    registry = RunRegistry(FileStore(folder))
    for run in registry.list_runs(deleted=None):
        if run.restorable is not False:
            registry.store.stored(run).verify()
    assert {problem.kind for problem in registry.check()} <= UNHARMFUL
    new = make_record(150)
    registry.store.save_run(new)
    assert seen(FileStore(folder)) == found | {new.run_id: ""}


@pytest.fixture(autouse=True)
def _of_the_damage():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@pytest.fixture(scope="module")
def history(memory_folder):
    return record_history(memory_folder / "history" / "runs")


def replay(events, expected, folder):
    """Cut the power after each operation, look at what may be on the disk then, and count these states."""
    disk, before, after = Disk(), {}, {}
    n_acknowledged = n_states = 0
    for at, event in enumerate(events):
        disk.do(event)
        if event[0] == "begun":
            after = expected[n_acknowledged]
        elif event[0] == "acknowledged":
            before = after
            n_acknowledged += 1
        for state in disk.states(STATES, seed=at):
            cut = folder / uuid.uuid4().hex
            lay(state, cut)
            check(cut / "runs", before, after)
            shutil.rmtree(cut)
            n_states += 1
    return n_states


def test_nothing_that_was_acknowledged_is_lost(history, memory_folder):
    events, expected = history
    assert replay(events, expected, memory_folder) > len(events)


UNSYNCED = {
    "journal": lambda path: path == "runs/runs_metadata.jsonl",
    "folder of the journal": lambda path: path in (".", "runs"),
    "portfolio": lambda path: path.startswith("runs/portfolios/.tmp-"),
    "folder of the portfolios": lambda path: path == "runs/portfolios",
    "compacted journal": lambda path: path.startswith("runs/.tmp-"),
}


@pytest.mark.parametrize("unsynced", UNSYNCED)
def test_a_sync_that_is_left_out_is_found(history, memory_folder, unsynced):
    events, expected = history
    left = [event for event in events if event[0] != "fsync" or not UNSYNCED[unsynced](event[1])]
    assert len(left) < len(events)
    with pytest.raises((AssertionError, ArtifactError)):
        replay(left, expected, memory_folder)
