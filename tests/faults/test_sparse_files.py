"""A sparse file of 50 GB in the place of metadata: an error that names it, in bounded memory."""

import os
import resource
from pathlib import Path

import pytest

from tests.faults.children import run_in_child
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.errors import StoreError

SIZE = 50 * 2**30
ROOM = 256 * 2**20


def limit_memory():
    """Let this process take little more memory than it has now."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))


def use(report, store, changes, name):
    limit_memory()
    for change in changes:
        with pytest.raises(StoreError) as e:
            change(FileStore(store.base_dir))
        assert str(store.base_dir / name) in str(e.value) and str(SIZE) in str(e.value)
    report("done")


READING = {
    "list": lambda store: store.list_runs(),
    "check": lambda store: RunRegistry(store).check(),
    "gc": lambda store: RunRegistry(store).gc(min_age=0),
    "compact": lambda store: store.compact(),
    "update": lambda store: store.update_run(make_record(0).run_id, notes="new"),
}
SAVING = {
    "save": lambda store: store.save_run(make_record(1)),
    "save with a new id": lambda store: store.save_run(make_record(1), new_ids=True),
}


@pytest.mark.parametrize(
    "name, changes",
    [
        ("runs_metadata.jsonl", {**READING, **SAVING}),
        ("runs_metadata.json", READING),
        ("runs_metadata.damaged", {name: READING[name] for name in ("check", "gc")}),
    ],
)
def test_a_sparse_file(tmp_path, name, changes):
    store = FileStore(tmp_path / "runs")
    store.save_run(make_record(0))
    if name == "runs_metadata.damaged":
        store.artifacts.write(f"{make_record(5).run_id}.pkl", b"orphan")
    path = store.base_dir / name
    path.touch()
    os.truncate(path, SIZE)
    assert run_in_child(use, store, changes.values(), name) == ["done"]
    assert path.stat().st_size == SIZE


def test_zeros_at_the_end_are_not_read_into_memory(tmp_path):
    store = FileStore(tmp_path / "runs")
    store.save_run(make_record(0))
    os.truncate(store.metadata_file, 2**29)

    def listed(report):
        limit_memory()
        report(str(len(FileStore(store.base_dir).list_runs())))

    assert run_in_child(listed) == ["1"]


def test_a_line_that_is_longer_than_a_piece_is_read(tmp_path):
    store = FileStore(tmp_path / "runs")
    notes = "long " * 2**19
    store.save_run(make_record(0, notes=notes))
    store.save_run(make_record(1))
    assert sorted(len(run.notes) for run in FileStore(store.base_dir).list_runs()) == sorted(
        [len(notes), len(make_record(1).notes)]
    )
