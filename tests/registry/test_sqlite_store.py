"""A SQLite file: what every store promises, and what only a database can."""

import pytest

from tests.registry.store_suite import StoreSuite, portfolio, sweep  # noqa: F401
from vectorbt.portfolio.registry import SqliteStore

pytest.importorskip("sqlalchemy", reason="needs the extra sql")


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        store = SqliteStore(tmp_path / "runs.db")
        yield store
        store.close()

    def reopened(self, store):
        return SqliteStore(store.path)
