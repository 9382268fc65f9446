"""The order of file operations: data before its name, its name before the record, the record last, and synced."""

import signal

import pytest

from tests.faults.children import finish, fork
from tests.faults.scenes import Scenes
from tests.faults.syscalls import FAILING, Syscalls
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts
from vectorbt.portfolio.registry.block import RunBlock

JOURNAL = "runs_metadata.jsonl"


@pytest.fixture(scope="module")
def scenes(memory_folder):
    return Scenes(memory_folder)


def trace_of(store, change):
    """Return the operations that matter to the disk, without the lock and without opening for reading."""
    with Syscalls(store.base_dir) as calls:
        change(store)
    return [step for step in calls.trace if step[1] != ".lock" and step[0] != "open"]


def used(scenes):
    """Return a store that has made a change: the first one syncs names that others may have left behind."""
    store = scenes.copy()
    store.save_run(make_record(300), scenes.portfolio, new_ids=True)
    return store


def saved_as(name):
    """Return the steps that keep a file whole and durable."""
    folder = name.rpartition("/")[0] or "."
    temporary = f"{folder}/.tmp".removeprefix("./")
    return [("write", temporary), ("fsync", temporary), ("replace", name), ("fsync", folder)]


APPENDED = [("write", JOURNAL), ("fsync", JOURNAL)]


def test_a_run_is_its_portfolio_then_its_record(scenes):
    name = f"portfolios/{scenes.new_run.run_id}.pkl"
    assert trace_of(used(scenes), scenes.save_run) == [*saved_as(name), *APPENDED]
    assert trace_of(used(scenes), scenes.save_brought_run) == [*saved_as(name), *APPENDED]


def test_a_sweep_costs_as_many_syncs_as_a_run(scenes):
    name = f"portfolios/{scenes.new_runs[0].sweep_id}.pkl"
    assert trace_of(used(scenes), scenes.save_sweep) == [*saved_as(name), *APPENDED]


def test_the_first_save_syncs_the_folder_of_the_metadata(scenes):
    store = scenes.empty()
    name = f"portfolios/{scenes.new_run.run_id}.pkl"
    syncs_of_new_folders = [("fsync", ".")]
    assert trace_of(store, scenes.save_run) == [*syncs_of_new_folders, *saved_as(name), *APPENDED, ("fsync", ".")]


def test_an_update_is_one_write(scenes):
    assert trace_of(used(scenes), scenes.update_run) == APPENDED


def test_a_deletion_is_recorded_before_the_portfolio_goes(scenes):
    name = f"{scenes.runs[3].run_id}.pkl"
    moved = [("replace", f"portfolios/trash-{name}"), ("fsync", "portfolios")]
    assert trace_of(used(scenes), scenes.delete_run) == [*APPENDED, *moved]
    removed = [("unlink", f"portfolios/{name}"), ("fsync", "portfolios"), ("unlink", f"portfolios/trash-{name}")]
    assert trace_of(used(scenes), scenes.delete_for_good) == [*APPENDED, *removed]


def test_a_restored_portfolio_is_there_before_its_record(scenes):
    name = f"portfolios/{scenes.runs[2].run_id}.pkl"
    assert trace_of(used(scenes), scenes.restore_run) == [("replace", name), ("fsync", "portfolios"), *APPENDED]


def test_the_trash_is_emptied_of_what_no_record_promises_any_more(scenes):
    name = f"portfolios/{scenes.runs[2].run_id}.pkl"
    trashed = name.replace("/", "/trash-")
    removed = [("unlink", name), ("unlink", trashed), ("fsync", "portfolios")]
    assert trace_of(used(scenes), scenes.empty_trash) == [*APPENDED, *removed]


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
    written, named = saved_as(JOURNAL)[:2], saved_as(JOURNAL)[2:]
    assert trace == [*written, *saved_as("runs_metadata.damaged"), *named]


# ############# After a writer that died between a name and its sync ############# #


def die_before(store, change, step):
    def change_and_die(report):
        with Syscalls(store.base_dir.parent, at=step, error=None):
            change(store)

    _, killed = finish(*fork(change_and_die))
    assert killed == signal.SIGKILL


def steps_of(store, change):
    """Return the operations at which a change can die, whose number is their place and one."""
    with Syscalls(store.base_dir.parent) as calls:
        change(store)
    return [step for step in calls.trace if step[0] in FAILING]


def assert_synced_by_next_save(scenes, store, number, folder):
    with Syscalls(store.base_dir.parent) as calls:
        store.save_run(make_record(number), scenes.portfolio, new_ids=True)
    assert ("fsync", folder) in calls.trace


def test_folders_and_metadata_that_a_dead_writer_has_made(scenes):
    store = scenes.empty()
    name = store.base_dir.name
    folders = (".", name, f"{name}/portfolios")
    steps = enumerate(steps_of(store, scenes.save_run), 1)
    syncs = [(number, path) for number, (what, path) in steps if what == "fsync" and path in folders]
    assert {path for _, path in syncs} == set(folders)
    for number, folder in syncs:
        store = scenes.empty()
        die_before(store, scenes.save_run, number)
        assert_synced_by_next_save(scenes, store, 300, folder.replace(name, store.base_dir.name))


def test_metadata_that_a_dead_writer_has_compacted(scenes):
    number = len(steps_of(scenes.copy(), scenes.compact))  # the last one syncs the name
    store = scenes.copy()
    store.save_run(make_record(300))
    die_before(FileStore(store.base_dir), scenes.compact, number)
    assert_synced_by_next_save(scenes, store, 301, store.base_dir.name)
    assert_synced_by_next_save(scenes, FileStore(store.base_dir), 302, store.base_dir.name)


def test_a_blob_that_is_found_is_synced_once_before_a_record_refers_to_it(scenes):
    store = used(scenes)
    name = f"{'0' * 64}.parquet"
    FolderArtifacts(store.portfolios_dir).write(name, b"shared")
    with Syscalls(store.base_dir) as calls:
        for record in (make_record(1), make_record(2)):
            blobs = {f"{record.run_id}.pkl": b"own", name: b"shared"}
            store.insert_with_blobs(RunBlock.of([record.to_dict()]), "pickle", blobs, new_ids=True)
    synced = [path for what, path in calls.trace if what == "fsync"]
    found = synced.index(f"portfolios/{name}")
    assert synced[found + 1] == "portfolios" and found < synced.index(JOURNAL)
    assert synced.count(f"portfolios/{name}") == 1


def test_lines_that_are_found_put_aside_are_synced_before_they_go(scenes):
    store = scenes.copy()
    content = store.metadata_file.read_bytes() + b"damaged\n"
    store.metadata_file.write_bytes(content)
    store.damaged_file.write_bytes(b"damaged\n")
    with pytest.warns(UserWarning, match="skipped"):
        trace = trace_of(store, scenes.compact)
    written, named = saved_as(JOURNAL)[:2], saved_as(JOURNAL)[2:]
    assert trace == [*written, ("fsync", "runs_metadata.damaged"), ("fsync", "."), *named]
