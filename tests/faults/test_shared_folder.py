"""A registry that the members of a group share: in a folder with the setgid bit, with the umask 002."""

import os
import stat

import pytest

from tests.faults.children import run_in_child
from tests.support.factories import make_portfolio, make_record
from vectorbt.portfolio.registry import RunRegistry

GROUP = 61_000
MEMBERS = (61_001, 61_002)


@pytest.fixture(params=["file", "sqlite", "engine"])
def place(request, open_folder):
    if request.param != "file":
        pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    return request.param, open_folder / "shared"


def open_registry(place):
    kind, folder = place
    if kind == "engine":
        import sqlalchemy as sa

        from vectorbt.portfolio.registry import SqlStore

        return RunRegistry(SqlStore(sa.create_engine(f"sqlite:///{folder}/runs.db")))
    return RunRegistry(folder / "runs" if kind == "file" else f"sqlite:///{folder}/runs.db")


def use_everything(registry, number):
    """Do whatever writes to a registry."""
    registry.save_run(make_portfolio(), "kept")
    run_id = registry.save_run(make_portfolio(), "deleted")
    registry.store.save_run(make_record(number))
    for run in registry.list_runs("kept"):
        registry.update_run(run.run_id, add_tags=f"seen by {number}")
    registry.delete_run(run_id)
    registry.compact()
    registry.gc(min_age=0)
    assert registry.check(deep=True) == []


def use_as_member(report, place, number, user):
    os.umask(0o002)
    os.setgroups([GROUP])
    os.setgid(user)
    os.setuid(user)
    registry = open_registry(place)
    use_everything(registry, number)
    registry.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_two_users_save_in_turn(place, tmp_path):
    # Modules are loaded and compiled here: where they lie, other users may not be allowed to read.
    use_everything(open_registry((place[0], tmp_path)), 9)
    folder = place[1]
    folder.mkdir()
    os.chown(folder, 0, GROUP)
    folder.chmod(0o2770)
    for number, user in enumerate([*MEMBERS, *MEMBERS]):
        run_in_child(use_as_member, place, number, user)
    registry = open_registry(place)
    assert len(registry) == 8
    assert sorted(len(run.tags) for run in registry.list_runs("kept")) == [1, 2, 3, 4]
    registry.close()
    assert {path.stat().st_gid for path in folder.rglob("*")} == {GROUP}


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_every_file_has_the_permissions_of_any_new_file(place, umask):
    def use(report):
        os.umask(umask)
        folder = place[1]
        folder.mkdir()
        registry = open_registry(place)
        with registry.store.exclusive():  # some versions of filelock remove the lock afterwards
            use_everything(registry, 0)
            paths = list(folder.rglob("*"))
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}
            expected = {path.name: (0o777 if path.is_dir() else 0o666) & ~umask for path in paths}
            assert modes == expected and len(modes) > 4
        registry.close()

    run_in_child(use)
