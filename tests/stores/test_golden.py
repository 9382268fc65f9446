"""Folders that were written once and must be readable for ever. `golden/make_golden.py` says what is in them."""

import shutil
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.factories import make_portfolio, make_price, make_record, make_sweep
from vectorbt.portfolio.registry import RunRegistry

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a copy of a golden folder."""

    def open_copy(name):
        shutil.copytree(GOLDEN / name, tmp_path / name)
        return RunRegistry(tmp_path / name)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield open_copy


def test_version_1(opened):
    registry = opened("version_1")
    assert len(registry) == 5 and registry.check() == []
    (lone,) = registry.list_runs(tags="golden")
    assert lone.parameters == {"fast": 3, "slow": 9}
    assert (lone.tags, lone.notes) == (["golden", "updated"], "changed once")
    assert lone.environment["vectorbt"] == "0.28.5" and lone.data["bars"] == 60
    assert lone.stats["period"].days == 60 and len(lone.stats) == 23
    assert registry.load_portfolio(lone.run_id).stats().equals(make_portfolio().stats())

    first, third = registry.list_runs(where="sweep_id != none", sort_by="column")
    (second,) = registry.list_runs(deleted=True)
    assert [run.parameters for run in (first, second, third)] == [
        {"fees": 0.001, "fast_window": fast, "slow_window": slow} for fast, slow in ((3, 9), (4, 9), (3, 12))
    ]
    assert first.sweep_id == second.sweep_id == third.sweep_id and (first.notes, second.notes) == ("a sweep", "")
    assert registry.load_portfolio(third.run_id).stats().equals(make_sweep().iloc[2].stats())

    (returns,) = registry.list_runs(strategy_name="returns")
    assert registry.load_returns([returns.run_id]).iloc[:, 0].tolist() == make_portfolio(fast=4).returns().tolist()
    odd = registry.get_run(make_record(7).run_id)
    assert odd.parameters["big"] == 2**80 and odd.parameters["nested"] == {"pair": (1, {"a"})}
    assert odd.parameters["text"] == "\u2028" and odd.parameters["nan"] != odd.parameters["nan"]


def test_the_older_layout_opens_as_it_is(opened):
    registry = opened("older_layout")
    older_file = registry.store.older_metadata_file
    before = older_file.read_bytes()
    newest, middle, oldest = registry.list_runs()
    assert [run.run_id for run in (oldest, middle, newest)] == [make_record(i).run_id for i in range(3)]
    assert oldest.timestamp == datetime(2023, 5, 1, 10, 20, 30, 123456, tzinfo=UTC)
    assert oldest.parameters == {"fast": 3, "symbols": ["BTC", "ETH"], "stop": None}
    assert (oldest.sharpe_ratio, oldest.total_trades, oldest.tags, oldest.notes) == (1.25, 3, ["old"], "kept")
    assert middle.sharpe_ratio != middle.sharpe_ratio and newest.sharpe_ratio == float("inf")
    assert [run.run_id for run in registry.get_best_runs()] == [oldest.run_id]
    for run, fast in ((oldest, 3), (middle, 4)):
        assert Path(run.portfolio_path).parent == registry.store.portfolios_dir
        assert registry.load_portfolio(run.run_id).stats().equals(make_portfolio(make_price(), fast=fast).stats())
    assert registry.load_portfolio(newest.run_id) is None

    registry.update_run(oldest.run_id, notes="rewritten")
    registry.delete_run(middle.run_id)
    added = registry.save_run(make_portfolio(), "newer")
    again = RunRegistry(registry.store.base_dir)
    assert {run.run_id for run in again} == {added, oldest.run_id, newest.run_id}
    assert again.get_run(oldest.run_id).notes == "rewritten"
    assert [run.run_id for run in again.list_runs(deleted=True)] == [middle.run_id]
    assert again.load_portfolio(oldest.run_id).stats().equals(make_portfolio(make_price(), fast=3).stats())
    assert older_file.read_bytes() == before
