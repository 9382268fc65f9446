"""Paths and URLs: each names one place, whichever way it is given."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import make_portfolio, make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry, stores
from vectorbt.portfolio.registry.artifacts import open_artifacts
from vectorbt.portfolio.registry.artifacts.remote import FsspecArtifacts
from vectorbt.portfolio.registry.locations import local_path
from vectorbt.portfolio.registry.stores import open_store

NAMES = ["my runs", "Läufe", "50%", "a%20b", "a%ce", "a%cf", "#1", "a;b&c=d+e", "~", "日本", "a:b", "'q\""]


class TestFileUrls:
    @given(
        st.binary(min_size=1, max_size=20).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b".."))
    )
    def test_what_pathlib_makes_of_a_path_leads_back_to_it(self, name):
        path = Path("/runs") / os.fsdecode(name)
        assert local_path(path.as_uri()) == str(path)

    # RFC 8089: section 2 and appendices B and E.1.
    @pytest.mark.parametrize("url", ["file:///a/b", "file:/a/b", "file://localhost/a/b", "FILE://LocalHost/%61/b"])
    def test_all_ways_to_write_a_local_file(self, url):
        assert local_path(url) == "/a/b"
        assert open_artifacts(url).root == "/a/b"
        assert open_store(url).base_dir == Path("/a/b")

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("file://host/runs", "leads to the machine 'host'"),
            ("file://host.example.com/runs", "leads to the machine 'host.example.com'"),
            ("file://user:sesame@host/runs", "leads to the machine 'host'"),
            ("file://localhost:80/runs", "leads to the machine"),
            ("file://runs", "leads to the machine 'runs'.*a relative path is written without file://"),
            ("file:runs", "by its whole path"),
            ("file:", "by its whole path"),
            ("file://", "by its whole path"),
            ("file:///runs?mode=ro", "%3F"),
            ("file:///runs#1", "%23"),
            ("file:///runs\n", "line break"),
        ],
    )
    def test_what_leads_nowhere_is_refused(self, tmp_path, monkeypatch, url, message):
        monkeypatch.chdir(tmp_path)
        for use in (RunRegistry, lambda url: RunRegistry("runs", artifacts=url), RunRegistry("runs").merge):
            with pytest.raises(ValueError, match=message) as raised:
                use(url)
            assert "sesame" not in str(raised.value)
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("name", [*NAMES, "what?", "\udcff"])
    def test_portfolios_and_runs_lie_where_the_url_says(self, tmp_path, monkeypatch, name):
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        runs, portfolios = tmp_path / name / "runs", tmp_path / name / "portfolios"
        registry = RunRegistry(runs.as_uri(), artifacts=portfolios.as_uri())
        run_id = registry.save_run(make_portfolio(), "a")
        assert RunRegistry(runs, artifacts=portfolios).load_portfolio(run_id) is not None
        assert [path.name for path in portfolios.iterdir()] == [f"{run_id}.pkl"]
        assert os.listdir(tmp_path / "elsewhere") == []

    def test_wherever_a_registry_is_named(self, tmp_path, monkeypatch):
        mine, theirs = tmp_path / "my runs", tmp_path / "their runs"
        monkeypatch.setenv("VBT_REGISTRY", mine.as_uri())
        registry = RunRegistry()
        registry.store.save_run(make_record())
        assert registry.export(theirs.as_uri()).merged == [make_record().run_id]
        assert RunRegistry(tmp_path / "third").merge(theirs.as_uri()).merged == [make_record().run_id]
        assert FileStore(mine).count() == FileStore(theirs).count() == 1


class TestSqliteUrls:
    @pytest.fixture(autouse=True)
    def sqlalchemy(self):
        return pytest.importorskip("sqlalchemy", reason="needs the extra sql")

    @pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "SQLite"])
    @pytest.mark.parametrize("name", [*NAMES, "\udcff"])
    def test_the_path_is_taken_as_it_is_written(self, tmp_path, scheme, name):
        path = tmp_path / f"{name}.db"
        registry = RunRegistry(f"{scheme}:///{path}")
        registry.store.save_run(make_record())
        assert path.exists()
        assert stores.SqliteStore(path).count() == 1
        assert str(registry.store.database) == f"sqlite:///{path}"
        assert RunRegistry(str(registry.store.database)).store.count() == 1

    def test_two_names_are_two_registries(self, tmp_path):
        RunRegistry(f"sqlite:///{tmp_path}/gain%ce.db").store.save_run(make_record())
        assert len(RunRegistry(f"sqlite:///{tmp_path}/gain%cf.db")) == 0

    def test_a_path_is_never_taken_for_a_url(self, tmp_path):
        for name in ("a%20b.db", "a?b.db", "a?mode=ro"):
            stores.SqliteStore(tmp_path / name).save_run(make_record())
        assert {"a%20b.db", "a?b.db", "a?mode=ro"} <= set(os.listdir(tmp_path))

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("sqlite:///what?.db", r"but has \.db; SqliteStore\(path\) opens"),
            ("sqlite:///what?", "but has a question mark"),
            ("sqlite:///runs.db?mode=ro&key=sesame", "but has mode, key"),
            ("sqlite:///file:runs.db?mode=ro&uri=true", "a SQLite registry is a file"),
            ("sqlite://host/runs.db", "names a host"),
            ("sqlite://user:sesame@/runs.db", "names a host"),
        ],
    )
    def test_what_is_no_path_is_refused(self, tmp_path, monkeypatch, url, message):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match=message) as raised:
            RunRegistry(url)
        assert "sesame" not in str(raised.value)
        assert os.listdir(tmp_path) == []

    def test_the_name_of_a_database_on_a_server_may_have_escapes(self):
        store = open_store("postgresql+psycopg://quant@db/a%20b%25", artifacts="runs")
        assert store.database.url.database == "a b%"


def test_a_folder_is_no_place_for_remote_artifacts():
    with pytest.raises(ValueError, match="is no URL; expected such as 's3://"):
        FsspecArtifacts("folder/of/portfolios")
