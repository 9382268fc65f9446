"""Figures of a list of runs and of a registry: what they collect for the functions that draw."""

import numpy as np
import pytest

import vectorbt as vbt
from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, RunRegistry

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def plain_figures(monkeypatch):
    """Figures without widgets, which need a notebook."""
    monkeypatch.setitem(vbt.settings["plotting"], "use_widgets", False)


@pytest.fixture(scope="module")
def registry(sweep, portfolio):
    registry = RunRegistry(MemoryStore())
    registry.save_sweep(sweep, "dual_sma", parameters={"fees": 0.001})
    registry.save_run(portfolio, "lone", parameters={"fast_window": 3, "slow_window": 9})
    return registry


def test_equity_has_holding_and_names_of_what_differs(registry):
    runs = registry.list_runs("dual_sma")
    fig = runs.plot_equity()
    assert next(trace.name for trace in fig.data if trace.yaxis == "y") == "holding"
    assert sorted(trace.meta for trace in fig.data if trace.meta and trace.yaxis == "y") == sorted(runs.run_ids)
    assert "3 runs by " in fig.layout.title.text
    assert registry.plot_equity(runs[:2]).layout.title.text.startswith("2 runs")
    assert not any(trace.name == "holding" for trace in runs.plot_equity(benchmark=None).data)


def test_growth_is_that_of_the_portfolio(registry, portfolio):
    (run,) = registry.list_runs("lone")
    fig = registry.plot_equity(run, benchmark=None, drawdown=False, rebase=100)
    np.testing.assert_allclose(fig.data[0].y, portfolio.value().to_numpy(), rtol=1e-4)


def test_a_sweep_ends_at_luck(registry):
    (sweep_id,) = {run.sweep_id for run in registry.list_runs("dual_sma")}
    best = registry.get_best_runs(n=1, strategy_name="dual_sma")[0]
    luck = registry.luck(best.run_id)
    verdict = registry.selection_bias(best.run_id, dependence=False)
    assert luck.n_trials == verdict.n_trials and luck.worthless == pytest.approx(verdict.expected_max_sharpe)
    fig = registry.plot_sweep(sweep_id)
    assert f"luck alone {luck.worthless:.3g}" in fig.layout.title.text


def test_every_figure_of_a_list_is_drawn(registry):
    runs = registry.list_runs("dual_sma")
    returns = ["plot_rolling", "plot_months", "plot_years", "plot_correlation"]
    frame = ["plot_heatmap", "plot_plateau", "plot_marginals", "plot_distribution", "plot_parallel"]
    for name in frame + returns:
        options = dict(window=20) if name == "plot_rolling" else {}
        fig = getattr(runs, name)(**options, width=500)
        assert fig.data and fig.layout.width == 500, name
    assert runs.plot_scatter("max_drawdown", "sharpe_ratio", color="total_trades").data


def test_sensitivity_is_of_the_best_or_of_a_run(registry):
    runs = registry.list_runs("dual_sma")
    best = runs.best(n=1)[0]
    assert runs.sensitivity().run_id == best.run_id
    assert runs.sensitivity(runs[0].run_id).value == pytest.approx(runs[0].sharpe_ratio)
    with pytest.raises(ValueError, match="is not in this list"):
        runs.sensitivity("unknown")
    with pytest.raises(ValueError, match="radius must be"):
        runs.sensitivity(radius=0)


def test_the_timeline_counts_a_sweep_as_one_step_and_keeps_deleted_runs():
    registry = RunRegistry(MemoryStore())
    moments = dict(n_obs=500, skew=0.0, kurtosis=3.0, periods_per_year=252.0, bars_in_market=200)
    for i in range(6):
        sweep = dict(sweep_id="00000000-0000-4000-8000-00000000abcd", column=i) if i < 4 else {}
        record = make_record(
            i, returns_stats={**moments, "sharpe": 0.01 * i}, sharpe_ratio=0.01 * i * 252**0.5, **sweep
        )
        if i < 4:
            record.timestamp = make_record(0).timestamp
        registry.store.save_run(record)
    registry.delete_run(make_record(4).run_id)
    fig = registry.plot_timeline()
    best = next(trace for trace in fig.data if trace.name == "best so far")
    assert best.x == (4, 5, 6)
    np.testing.assert_allclose(best.y, np.array([0.03, 0.04, 0.05]) * 252**0.5, rtol=1e-4)
    assert any("1 run deleted of 1" in text for trace in fig.data for text in trace.text or ())


def test_what_cannot_be_drawn_says_so(registry):
    with pytest.raises(ValueError, match="no runs to draw"):
        registry.list_runs("dual_sma")[:0].plot_equity()
    with pytest.raises(ValueError, match="none of these runs has a nothing"):
        registry.list_runs("dual_sma").plot_heatmap("nothing")
