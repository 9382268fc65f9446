"""Which trials of a registry are better than a benchmark."""

import html
import json

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.selection_bias import (
    bootstrap_intervals,
    residual_returns,
    stationary_bootstrap,
    step_down_pvalues,
)


@pytest.fixture(scope="module")
def markets():
    """Twelve markets, two of which rise."""
    returns = np.random.default_rng(0).normal(0, 0.01, size=(400, 12))
    returns[:, [3, 7]] += 0.004
    return pd.DataFrame(100 * np.cumprod(1 + returns, axis=0), pd.date_range("2020", periods=400, freq="D"))


@pytest.fixture(scope="module")
def held(markets):
    return vbt.Portfolio.from_holding(markets, freq="1D")


@pytest.fixture
def registry(held):
    registry = RunRegistry(MemoryStore())
    registry.save_sweep(held, "markets", save_portfolio="returns")
    return registry


def test_the_survivors_are_those_of_the_published_procedure(registry, held):
    found = registry.survivors(n_bootstraps=500, block_size=4, seed=3)
    returns = held.returns().to_numpy()
    indices = stationary_bootstrap(400, 500, 4, seed=3)
    by_column = {registry.get_run(run_id).column: p for run_id, p in zip(found.run_ids, found.p_values)}
    expected = step_down_pvalues(returns, indices)
    np.testing.assert_allclose([by_column[i] for i in range(12)], expected)
    assert {registry.get_run(run_id).column for run_id in found.survivors} == {3, 7}
    best = registry.get_run(found.run_ids[0]).column
    assert found.intervals[found.run_ids[0]] == bootstrap_intervals(returns[:, best], indices)
    assert len(found.intervals) == 10 and (np.diff(found.sharpe_ratios) <= 0).all()


def test_what_was_found_is_said(registry):
    found = registry.survivors()
    assert found.sentence.startswith("2 of 12 trials are better than zero, with a chance of 5% of even one false claim")
    assert str(found) == found.summary() and found.summary().startswith(found.sentence)
    assert found.sentence in repr(found) and html.escape(found.sentence) in found._repr_html_()
    assert "rests on the returns of 12 of 12 trials: 1,000 bootstraps" in found.summary()
    frame = found.to_frame()
    assert list(frame.index) == list(found.run_ids) and frame["survives"].sum() == 2
    assert (frame["sharpe_low"] < frame["sharpe_ratio"]).head(10).all()
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["survivors"] == found.survivors and values["p_values"] == found.p_values.tolist()


def test_the_verdict_has_the_p_value_of_the_survivors(registry):
    verdict = registry.selection_bias()
    found = registry.survivors().to_frame()
    assert verdict.p_value == found.loc[verdict.run_id, "p_value"]
    assert registry.survivors(seed=1).p_values.tolist() != found["p_value"].tolist()


def test_a_benchmark_is_taken_out(registry, held, markets):
    market = markets.pct_change().mean(axis=1).fillna(0)
    found = registry.survivors(benchmark=market, block_size=2, n_bootstraps=200)
    rest, _ = residual_returns(held.returns().to_numpy(), market.to_numpy())
    expected = step_down_pvalues(rest, stationary_bootstrap(400, 200, 2, seed=0))
    by_column = {registry.get_run(run_id).column: p for run_id, p in zip(found.run_ids, found.p_values)}
    np.testing.assert_allclose([by_column[i] for i in range(12)], expected)
    assert found.benchmark == "the series" and "better than the series" in found.sentence


def test_trials_without_returns_add_to_every_p_value(registry, held):
    before = registry.survivors().to_frame()["p_value"]
    registry.save_run(vbt.Portfolio.from_holding(held.close[0] * 1.1 + 3, freq="1D"), "markets", save_portfolio=False)
    after = registry.survivors()
    assert after.n_trials == 13 and len(after.run_ids) == 12
    assert (after.to_frame()["p_value"] >= before[list(after.run_ids)]).all()
    assert "12 of 13 trials" in after.summary() and any("gone" in warning for warning in after.warnings)


def test_questions_that_have_no_answer_are_refused(registry, held):
    with pytest.raises(ValueError, match="prices of the trials were not saved"):
        registry.survivors(benchmark="hold")
    with pytest.raises(ValueError, match="100 or more"):
        registry.survivors(n_bootstraps=10)
    with pytest.raises(ValueError, match="'strategy', 'data'"):
        registry.survivors("everything")
    empty = RunRegistry(MemoryStore())
    empty.save_sweep(held, "markets", save_portfolio=False)
    with pytest.raises(ValueError, match="save_portfolio='returns'"):
        empty.survivors()


def test_the_same_prices_are_held_by_all_columns(markets):
    from vectorbt.portfolio.registry.portfolios.holding import holding_returns

    whole = vbt.Portfolio.from_holding(markets, freq="1D")
    np.testing.assert_allclose(holding_returns(whole), whole.benchmark_returns().to_numpy(), atol=1e-12)
    one = vbt.Portfolio.from_holding(pd.concat([markets[0]] * 3, axis=1, keys=list("abc")), freq="1D")
    assert holding_returns(one).shape == (400, 1)
    gaps = markets[[0, 1]].copy()
    gaps.iloc[:3, 0] = gaps.iloc[50:60, 1] = np.nan
    expected = gaps.ffill().pct_change(fill_method=None).fillna(0).to_numpy()
    np.testing.assert_allclose(holding_returns(vbt.Portfolio.from_holding(gaps, freq="1D")), expected)
    grouped = vbt.Portfolio.from_holding(markets, freq="1D", group_by=[0] * 6 + [1] * 6)
    np.testing.assert_allclose(holding_returns(grouped), grouped.benchmark_returns().to_numpy())
