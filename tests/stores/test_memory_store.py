"""The reference store holds what every store promises."""

import pytest

from vectorbt.portfolio.registry import MemoryStore
from vectorbt.portfolio.registry.testing import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def open_store(self):
        store = MemoryStore()
        return lambda: store
