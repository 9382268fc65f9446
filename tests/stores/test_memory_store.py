"""The reference store holds what every store promises."""

import pytest

from tests.support.store_suite import StoreSuite
from vectorbt.portfolio.registry import MemoryStore


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self):
        return MemoryStore()

    def reopened(self, store):
        return store
