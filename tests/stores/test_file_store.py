"""The folder: what every store promises, and what only a folder can."""

import pytest

from tests.support.factories import make_portfolio
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.testing import StoreSuite


class TestFileStore(StoreSuite):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: FileStore(tmp_path / "runs")


def test_the_portfolios_may_lie_elsewhere(tmp_path):
    registry = RunRegistry(tmp_path / "runs", artifacts=str(tmp_path / "elsewhere"))
    run_id = registry.save_run(make_portfolio(), "a")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == [f"{run_id}.pkl"]
    assert registry.load_portfolio(run_id) is not None
    with pytest.raises(TypeError, match="artifacts must be a folder, a URL or an ArtifactStore, not int"):
        RunRegistry(tmp_path / "runs", artifacts=3)
