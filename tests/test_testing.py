"""The suite that is shipped: it can be used without our own tests, and finds what is wrong with a store."""

import subprocess
import sys

import pytest

BROKEN_STORES = """
import numpy as np
import pytest

from vectorbt.portfolio.registry import MemoryStore
from vectorbt.portfolio.registry.encoding import loads
from vectorbt.portfolio.registry.testing import StoreSuite


class Shared(StoreSuite):
    @pytest.fixture
    def open_store(self):
        store = self.Store()
        return lambda: store


class TestSound(Shared):
    Store = MemoryStore


class TestForgetsTrials(Shared):
    class Store(MemoryStore):
        def remove(self, run_ids, deletion):
            removed = super().remove(run_ids, deletion)
            self._deleted.clear()
            return removed


class TestHalfAnInsert(Shared):
    class Store(MemoryStore):
        def insert(self, block, new_ids=False, deleted=False):
            for i in range(len(block)):
                super().insert(block.take(np.array([i])), new_ids, deleted)


class TestLosesPortfolios(Shared):
    class Store(MemoryStore):
        def replace(self, block, deleted=False):
            super().replace(block, deleted)
            for info in self.artifacts.list():
                self.artifacts.delete(info.name)


class TestWithoutItsFixture(StoreSuite):
    pass
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest says of some stores, run where our own tests are not."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "test_broken_stores.py").write_text(BROKEN_STORES)
    (folder / "conftest.py").write_text(
        'import pytest\n\npytest.register_assert_rewrite("vectorbt.portfolio.registry.testing")\n'
    )
    some = "update or deleted_run_stays or saved_once or upkeep_of_a_sound_store"
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--strict-markers", "-p", "no:cacheprovider", "-k", some]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8").stdout


@pytest.mark.parametrize(
    "line",
    [
        "FAILED test_broken_stores.py::TestForgetsTrials::test_a_deleted_run_stays_a_trial",
        "FAILED test_broken_stores.py::TestHalfAnInsert::test_a_run_is_saved_once",
        "ERROR test_broken_stores.py::TestLosesPortfolios::test_upkeep_of_a_sound_store",
        "ERROR test_broken_stores.py::TestWithoutItsFixture::test_update",
    ],
)
def test_the_suite_finds_what_is_wrong(report, line):
    assert line in report


def test_the_suite_finds_nothing_wrong_with_a_sound_store(report):
    assert "::TestSound::" not in report and "missing_artifact" in report


def test_it_says_what_to_install_where_pytest_is_missing():
    code = "import sys; sys.modules['pytest'] = None; import vectorbt.portfolio.registry.testing"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert "ImportError: vectorbt.portfolio.registry.testing needs pytest: pip install 'pytest>=8'" in run.stderr
