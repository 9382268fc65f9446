"""How people say which registry they mean."""

import pickle

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore, RunRegistry
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(registry, number=0):
    registry.store.save_run(make_record(number))
    return registry


def test_a_registry_is_opened_by_whatever_names_it(here):
    assert RunRegistry(path="x").store.base_dir == RunRegistry("x").store.base_dir == here / "x"
    registry = save(RunRegistry("x"))
    assert RunRegistry(registry).store is registry.store and RunRegistry(store=registry).store is registry.store
    assert RunRegistry(path=registry).store is registry.store


@pytest.mark.parametrize("name", ["runs.db", "runs.sqlite", "runs.SQLite3", "sub folder/runs.db"])
def test_a_database_is_opened_by_its_path(here, name):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    from vectorbt.portfolio.registry import SqliteStore

    (here / name).parent.mkdir(exist_ok=True)
    registry = RunRegistry(name, allow_pickle=False)
    assert type(registry.store) is SqliteStore and not (here / name).exists() and not registry.store.allow_pickle
    save(registry).close()
    assert (here / name).is_file() and len(RunRegistry(here / name)) == 1
    (here / name).rename(here / "moved")
    assert type(RunRegistry("moved").store) is SqliteStore and len(RunRegistry("./moved")) == 1
    other = save(RunRegistry(MemoryStore()), 1)
    assert len(other.merge("moved").merged) == 1 and len(other.export("copy.db").merged) == 2
    assert (here / "copy.db").is_file()


@pytest.mark.parametrize("place", ["folder", "runs.db"])
def test_a_registry_remembers_the_format_that_it_was_made_with(here, place):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    assert RunRegistry("plain").store.portfolio_format == "pickle"
    made = RunRegistry(place, portfolio_format="portable")
    assert RunRegistry(place).store.portfolio_format == "pickle"  # nothing was saved yet
    save(made)
    for registry in (RunRegistry(place), pickle.loads(pickle.dumps(RunRegistry(place)))):
        assert registry.store.portfolio_format == "portable" and registry.store.given_format is None
    other = RunRegistry(place, portfolio_format="pickle")
    assert other.store.portfolio_format == "pickle"  # for this time
    save(other, 1)
    other.delete_run(make_record(1).run_id)
    other.compact()
    other.close()
    assert RunRegistry(place).store.portfolio_format == "portable" and len(RunRegistry(place)) == 1
    assert RunRegistry(place).compact(dry_run=True).bytes_before == RunRegistry(place).compact().bytes_after


def test_a_folder_may_be_called_anything(here):
    for name in ("runs.db", "runs.csv"):
        (here / name).mkdir()
        assert type(RunRegistry(name).store) is FileStore
    (here / "notes.txt").write_text("no database")
    (here / "notes.db").write_text("no database either")
    for name in ("notes.txt", "notes.db"):
        with pytest.raises(NotADirectoryError):
            RunRegistry(name)
    assert len(save(RunRegistry(MemoryStore())).export("runs.csv").merged) == 1


def test_the_portfolios_of_a_database_lie_where_the_environment_says(here, monkeypatch):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    monkeypatch.setenv("VBT_REGISTRY_ARTIFACTS", "apart")
    for default in ("sqlite:///runs.db", "runs.db"):
        monkeypatch.setenv("VBT_REGISTRY", default)
        assert RunRegistry().store.artifacts.root == str(here / "apart")
        assert RunRegistry(artifacts="given").store.artifacts.root == str(here / "given")
    for own in ("sqlite:///own.db", "own.db"):  # gc would take those of another file for leftovers
        assert RunRegistry(own).store.artifacts.root == str(here / "own.db.portfolios")
    monkeypatch.setenv("VBT_REGISTRY", "folder")
    assert RunRegistry().store.artifacts.root == str(here / "folder" / "portfolios")
    assert isinstance(RunRegistry().store.artifacts, FolderArtifacts)


def test_the_portfolios_of_a_server_lie_where_the_environment_says(here, monkeypatch):
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    monkeypatch.setenv("VBT_REGISTRY_ARTIFACTS", "apart")
    assert RunRegistry("postgresql+psycopg://user@nowhere/x").store.artifacts.root == str(here / "apart")
