"""Media that cannot be written, that are full, or that are not there."""

import errno
import resource
import shutil
import signal

import pytest

from tests.faults.children import run_in_child
from tests.faults.media import become_nobody, files_of, private_mount
from tests.faults.scenes import Scenes, kinds, leftovers, state
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry


@pytest.fixture
def scenes(open_folder):
    return Scenes(open_folder)


def read_everything(store, scenes):
    """Do all that only reads, with a registry that is opened here."""
    registry = RunRegistry(store.base_dir)
    run_id = scenes.runs[0].run_id
    assert len(registry) == len(registry.list_runs()) == 6
    assert len(registry.to_frame(where="sharpe_ratio > 0")) > 0
    assert registry.load_portfolio(run_id) is not None
    assert registry.load_sweep(scenes.sweep_runs[0].sweep_id) is not None
    assert registry.check(deep=True) == []
    assert registry.gc(min_age=0, dry_run=True) == []
    assert registry.compact(dry_run=True).lines_after > 0


def assert_writing_is_refused(store, scenes, number):
    for name in ("save_run", "save_sweep", "update_run", "delete_run", "compact"):
        with pytest.raises(OSError) as info:
            getattr(scenes, name)(FileStore(store.base_dir))
        assert info.value.errno == number
        assert str(store.base_dir) in str(info.value)


# ############# Read-only ############# #


def test_permissions_that_allow_reading_only(scenes):
    store = scenes.copy()
    for path in [*store.base_dir.rglob("*"), store.base_dir]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = files_of(store.base_dir)

    def use(report):
        become_nobody()
        read_everything(store, scenes)
        assert_writing_is_refused(store, scenes, errno.EACCES)

    run_in_child(use)
    assert files_of(store.base_dir) == before


def test_a_file_system_that_is_mounted_read_only(can_mount, scenes):
    store = scenes.copy()
    before = files_of(store.base_dir)

    def use(report):
        folder = str(store.base_dir)
        private_mount(["--bind", folder, folder], ["-o", "remount,bind,ro", folder])
        read_everything(store, scenes)
        assert_writing_is_refused(store, scenes, errno.EROFS)

    run_in_child(use)
    assert files_of(store.base_dir) == before


# ############# Full ############# #


def save_until_refused(store, scenes):
    """Save until there is no room any more. Return the ids that were saved, and the error."""
    saved = []
    for number in range(1000, 3000):
        run = make_record(number)
        try:
            store.save_run(run, scenes.portfolio, new_ids=True)
        except OSError as error:
            return saved, error
        saved.append(run.run_id)
    raise AssertionError("the disk was not full after 2000 runs")


def assert_nothing_is_lost(store, saved, error, number):
    assert error.errno == number
    assert str(store.base_dir) in str(error)
    assert set(saved) == set(state(store)[0])
    assert leftovers(store) == []
    assert kinds(store) == set()


def test_a_full_disk(can_mount, scenes, tmp_path):
    def use(report):
        private_mount(["-t", "tmpfs", "-o", "size=512k", "none", str(tmp_path)])
        store = FileStore(tmp_path / "runs")
        saved, error = save_until_refused(store, scenes)
        assert saved
        assert_nothing_is_lost(store, saved, error, errno.ENOSPC)
        # What is there can be read and removed, and then there is room again.
        for run_id in saved[:2]:
            assert store.load_portfolio(run_id) is not None
        shutil.rmtree(tmp_path / "runs")
        assert save_until_refused(store, scenes)[0]

    run_in_child(use)


@pytest.mark.parametrize("room", [0, 1, 100, 300])
def test_a_file_that_may_not_grow(scenes, room):
    """The metadata reaches the limit of the process, so that a write stops within a line."""
    store = scenes.copy()
    before = state(store)
    size = store.metadata_file.stat().st_size

    def use(report):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, size + room))
        with pytest.raises(OSError, match=r"runs_metadata\.jsonl") as info:
            store.save_run(scenes.new_run, new_ids=True)
        assert info.value.errno == errno.EFBIG

    run_in_child(use)
    assert store.metadata_file.stat().st_size == size
    assert state(store) == before
    scenes.save_run(store)
    assert scenes.new_run.run_id in state(store)[0]


# ############# Not there ############# #


def test_a_folder_that_is_not_there_is_empty_and_stays_so(tmp_path):
    registry = RunRegistry(tmp_path / "a" / "b")
    assert registry.list_runs() == registry.check() == registry.gc(min_age=0) == []
    assert registry.get_run(make_record().run_id) is None
    assert registry.delete_run("x") is False
    assert list(tmp_path.iterdir()) == []
    registry.store.save_run(make_record())
    assert len(RunRegistry(tmp_path / "a" / "b")) == 1


def test_a_file_where_the_folder_should_be(tmp_path):
    file = tmp_path / "runs"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match="needs a folder"):
        RunRegistry(file)
    assert file.read_text() == "mine"


def test_a_file_above_the_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file"):
        RunRegistry(tmp_path / "file" / "runs").store.save_run(make_record())
    assert (tmp_path / "file").read_text() == "mine"


def test_a_file_where_the_portfolios_should_be(tmp_path, scenes):
    store = FileStore(tmp_path / "runs")
    store.save_run(make_record(0))
    store.portfolios_dir.write_text("mine")
    with pytest.raises(OSError, match="portfolios"):
        scenes.save_run(store)
    assert len(store.list_runs()) == 1
    assert store.portfolios_dir.read_text() == "mine"


def test_a_folder_that_is_deleted_under_an_open_registry(scenes):
    store = scenes.copy()
    registry = RunRegistry(store)
    run_id = scenes.runs[0].run_id
    assert run_id in registry
    shutil.rmtree(store.base_dir)
    assert registry.list_runs() == registry.check() == []
    assert registry.load_portfolio(run_id) is None
    assert not store.base_dir.exists()
    scenes.save_run(store)
    assert [run.run_id for run in registry.list_runs()] == [scenes.new_run.run_id]
    assert registry.load_portfolio(scenes.new_run.run_id) is not None
    shutil.rmtree(store.portfolios_dir)
    assert [problem.kind for problem in registry.check()] == ["missing_artifact"]
    scenes.save_sweep(store)
    assert len(registry) == 4


def test_a_folder_that_is_replaced_under_an_open_registry(scenes):
    store, other = scenes.copy(), scenes.empty()
    assert len(store.list_runs()) == 6
    scenes.save_run(other)
    shutil.rmtree(store.base_dir)
    other.base_dir.rename(store.base_dir)
    assert [run.run_id for run in store.list_runs()] == [scenes.new_run.run_id]
