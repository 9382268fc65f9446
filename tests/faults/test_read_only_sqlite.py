"""A SQLite registry on media that cannot be written: closed properly, and as a writer that died has left it."""

import os
import signal
import sqlite3
from contextlib import contextmanager

import pytest

from tests.faults.children import run_in_child
from tests.faults.media import NOBODY, become_nobody, files_of, private_mount
from tests.support.factories import make_portfolio, make_record
from vectorbt.portfolio.registry import RunRegistry, StoreError

pytest.importorskip("sqlalchemy", reason="needs the extra sql")

from vectorbt.portfolio.registry import SqliteStore


def fill(store):
    store.save_run(make_record(), make_portfolio())
    store.save_runs([make_record(i) for i in range(1, 4)])


@pytest.fixture(params=["closed", "killed", "killed, without its index"])
def path(request, open_folder):
    """A registry. Of a writer that died, the last saves are in the write-ahead log alone."""
    path = open_folder / "runs.db"
    store = SqliteStore(path)
    if request.param == "closed":
        fill(store)
        store.close()
        return path
    child = os.fork()
    if child == 0:
        fill(store)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert path.with_name("runs.db-wal").stat().st_size > 0
    if request.param == "killed, without its index":
        path.with_name("runs.db-shm").unlink()
    return path


def read_everything(path):
    registry = RunRegistry(f"sqlite:///{path}")
    assert len(registry) == len(registry.list_runs()) == 4
    assert registry.get_run(make_record().run_id) == registry.get_best_runs(n=4)[-1]
    assert len(registry.to_frame(where="params.fast > 1 and 'daily' in tags")) == 2
    assert registry.load_portfolio(make_record().run_id) is not None
    assert registry.check(deep=True) == []
    assert registry.gc(min_age=0, dry_run=True) == []
    registry.close()


def assert_writing_is_refused(path):
    registry = RunRegistry(f"sqlite:///{path}")
    for change in (
        lambda: registry.save_run(make_portfolio(), "dual_sma"),
        lambda: registry.update_run(make_record().run_id, notes="x"),
        lambda: registry.delete_run(make_record().run_id),
        lambda: registry.store.save_run(make_record(9)),
    ):
        with pytest.raises(StoreError, match=r"runs\.db is read-only"):
            change()
    registry.close()


def test_a_file_system_that_is_mounted_read_only(can_mount, path):
    before = files_of(path.parent)

    def use(report):
        folder = str(path.parent)
        private_mount(["--bind", folder, folder], ["-o", "remount,bind,ro", folder])
        read_everything(path)
        assert_writing_is_refused(path)

    run_in_child(use)
    assert files_of(path.parent) == before


def test_permissions_that_allow_reading_only(path):
    for file in [*path.parent.rglob("*"), path.parent]:
        file.chmod(0o555 if file.is_dir() else 0o444)
    before = files_of(path.parent)

    def use(report):
        become_nobody()
        read_everything(path)
        assert_writing_is_refused(path)

    run_in_child(use)
    assert files_of(path.parent) == before


@contextmanager
def as_reader(folder):
    """Be somebody who may not write into a folder."""
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, 0)
        yield
        os.setresuid(0, 0, 0)
    else:
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)


def test_a_reader_sees_what_others_save(path):
    def use(report):
        reader = RunRegistry(f"sqlite:///{path}")
        with as_reader(path.parent):
            assert len(reader) == 4
        for number in range(10, 15):
            writer = SqliteStore(path)
            writer.save_run(make_record(number))
            with as_reader(path.parent):
                assert reader.list_runs(limit=1) == [make_record(number)]
            writer.close()
            with as_reader(path.parent):
                assert reader.list_runs(limit=1) == [make_record(number)]

    run_in_child(use)


def test_a_registry_that_cannot_be_read(path):
    path.chmod(0)

    def use(report):
        become_nobody()
        with pytest.raises(StoreError, match=r"runs\.db.*unable to open"):
            RunRegistry(f"sqlite:///{path}").list_runs()
        with pytest.raises(StoreError, match=r"runs\.db"):
            RunRegistry(f"sqlite:///{path}").store.save_run(make_record(9))

    run_in_child(use)
    path.chmod(0o644)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (4,)
