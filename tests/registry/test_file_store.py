"""The folder: what every store promises, and what only a folder can."""

import pytest

from tests.registry.store_suite import StoreSuite
from vectorbt.portfolio.registry import FileStore


class TestFileStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        return FileStore(tmp_path / "runs")

    def reopened(self, store):
        return FileStore(store.base_dir)
