"""The order of file operations: data before its name, its name before the record, the record last, and synced."""

import pytest

from tests.faults.scenes import Scenes
from tests.faults.syscalls import Syscalls

JOURNAL = "runs_metadata.jsonl"


@pytest.fixture(scope="module")
def scenes(memory_folder):
    return Scenes(memory_folder)


def trace_of(store, change):
    """Return the operations that matter to the disk, without the lock and without opening for reading."""
    with Syscalls(store.base_dir) as calls:
        change(store)
    return [step for step in calls.trace if step[1] != ".lock" and step[0] != "open"]


def saved_as(name):
    """Return the steps that keep a file whole and durable."""
    folder = name.rpartition("/")[0] or "."
    temporary = f"{folder}/.tmp".removeprefix("./")
    return [("write", temporary), ("fsync", temporary), ("replace", name), ("fsync", folder)]


APPENDED = [("write", JOURNAL), ("fsync", JOURNAL)]


def test_a_run_is_its_portfolio_then_its_record(scenes):
    name = f"portfolios/{scenes.new_run.run_id}.pkl"
    assert trace_of(scenes.copy(), scenes.save_run) == [*saved_as(name), *APPENDED]
    assert trace_of(scenes.copy(), scenes.save_brought_run) == [*saved_as(name), *APPENDED]


def test_a_sweep_costs_as_many_syncs_as_a_run(scenes):
    name = f"portfolios/{scenes.new_runs[0].sweep_id}.pkl"
    assert trace_of(scenes.copy(), scenes.save_sweep) == [*saved_as(name), *APPENDED]


def test_the_first_save_syncs_the_folder_of_the_metadata(scenes):
    store = scenes.empty()
    name = f"portfolios/{scenes.new_run.run_id}.pkl"
    syncs_of_new_folders = [("fsync", ".")]
    assert trace_of(store, scenes.save_run) == [*syncs_of_new_folders, *saved_as(name), *APPENDED, ("fsync", ".")]


def test_an_update_is_one_write(scenes):
    assert trace_of(scenes.copy(), scenes.update_run) == APPENDED


def test_a_deletion_is_recorded_before_the_portfolio_goes(scenes):
    name = f"portfolios/{scenes.runs[3].run_id}.pkl"
    assert trace_of(scenes.copy(), scenes.delete_run) == [*APPENDED, ("unlink", name), ("fsync", "portfolios")]


def test_a_compaction_replaces_a_whole_file(scenes):
    assert trace_of(scenes.copy(), scenes.compact) == saved_as(JOURNAL)


def test_what_cannot_be_read_is_safe_before_the_metadata_is_replaced(scenes):
    store = scenes.copy()
    content = store.metadata_file.read_bytes()
    lines = content.splitlines(keepends=True)
    lines[2] = b"damaged" + lines[2]
    store.metadata_file.write_bytes(b"".join([lines[0], lines[1], lines[2][:100] + b"?" + lines[2][100:], *lines[3:]]))
    with pytest.warns(UserWarning, match="line 3"):
        trace = trace_of(store, scenes.compact)
    assert trace == [*saved_as("runs_metadata.damaged"), *saved_as(JOURNAL)]
