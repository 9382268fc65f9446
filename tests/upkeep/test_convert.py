"""Saved portfolios change their format without being lost."""

import pandas as pd
import pytest

import vectorbt as vbt
from tests.portfolios.test_portable import check_same_portfolio
from tests.support.factories import make_portfolio, make_price, make_sweep
from vectorbt.portfolio.registry import RunRegistry
from vectorbt.portfolio.registry.portfolios.formats import FORMATS


@pytest.fixture
def registry(tmp_path):
    return RunRegistry(tmp_path / "runs")


def files(registry):
    return sorted(path.name for path in registry.store.portfolios_dir.iterdir())


def test_pickles_become_portable_and_the_other_way_round(registry):
    run_id, (column_id, *_) = registry.save_run(make_portfolio(), "x"), registry.save_sweep(make_sweep(), "x")
    bare = registry.save_run(make_portfolio(), "x", save_portfolio=False)
    before = {run.run_id: run for run in registry}
    report = registry.convert()
    assert repr(report) == "Conversion(converted=4, skipped=1, failures=0)" and report.skipped == [bare]
    assert [name for name in files(registry) if name.endswith(".pkl")] == []
    for run in registry:
        assert {**run.to_dict(), "artifact": 0} == {**before[run.run_id].to_dict(), "artifact": 0}
    check_same_portfolio(registry.load_portfolio(run_id), make_portfolio())
    check_same_portfolio(registry.load_sweep(registry.get_run(column_id).sweep_id), make_sweep())
    assert registry.convert().converted == [] and registry.check(deep=True) == []
    assert registry.convert(to="pickle").failures == []
    registry.gc(min_age=0)
    assert all(name.endswith(".pkl") for name in files(registry))
    assert registry.load_portfolio(run_id).stats().equals(make_portfolio().stats())


def test_some_runs(registry):
    first, second = registry.save_run(make_portfolio(), "x"), registry.save_run(make_portfolio(), "x")
    assert registry.convert([first[:8]]).converted == [first]
    assert registry.get_run(second).artifact["format"] == "pickle"


def test_what_cannot_be_converted_stays(registry):
    trading_days = pd.offsets.CustomBusinessDay(holidays=["2020-01-01"])
    pf = make_portfolio(make_price().set_axis(pd.date_range("2020-01-02", periods=60, freq=trading_days)))
    bad, good = registry.save_run(pf, "x"), registry.save_run(make_portfolio(), "x")
    with pytest.warns(UserWarning, match="frequency"):
        report = registry.convert()
    assert report.converted == [good] and [run_id for run_id, _ in report.failures] == [bad]
    assert isinstance(registry.load_portfolio(bad), vbt.Portfolio)


def test_a_file_that_does_not_come_back_is_not_referred_to(registry, monkeypatch):
    run_id = registry.save_run(make_portfolio(), "x")
    other = make_portfolio(make_price() + 1)
    with monkeypatch.context() as patch:
        patch.setattr(FORMATS["portable"].__class__, "load", lambda *args: other)
        with pytest.warns(UserWarning, match="as it was"):
            assert registry.convert().converted == []
    assert registry.get_run(run_id).artifact["format"] == "pickle"
    registry.load_portfolio(run_id)


def test_an_interruption_loses_nothing(registry, monkeypatch):
    run_ids = [registry.save_run(make_portfolio(), "x"), *registry.save_sweep(make_sweep(), "x")]
    update, calls = type(registry.store).update, []

    def interrupted(self, run_id, change):
        calls.append(run_id)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return update(self, run_id, change)

    with monkeypatch.context() as patch:
        patch.setattr(type(registry.store), "update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            registry.convert()
    for run_id in run_ids:
        registry.load_portfolio(run_id)
    assert len(registry.convert().converted) == 2
    for run_id in run_ids:
        assert registry.get_run(run_id).artifact["format"] == "portable"
        registry.load_portfolio(run_id)
    assert not any(name.endswith(".pkl") for name in files(registry))


def test_a_run_that_is_deleted_meanwhile_stays_deleted(registry, monkeypatch):
    run_id = registry.save_run(make_portfolio(), "x")
    dump = FORMATS["portable"].dump

    def delete_first(portfolio, stem):
        registry.delete_run(run_id, permanent=True)
        return dump(portfolio, stem)

    monkeypatch.setattr(FORMATS["portable"], "dump", delete_first)
    assert registry.convert().converted == []
    registry.gc(min_age=0)
    assert files(registry) == [] and run_id not in registry


def test_returns_alone_are_no_format_to_convert_to(registry):
    with pytest.raises(ValueError, match="whole portfolios"):
        registry.convert(to="returns")
    with pytest.raises(ValueError, match="one of"):
        registry.convert(to="zip")
