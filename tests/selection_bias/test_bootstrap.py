"""Bootstraps: what is drawn, how long blocks are, and the intervals that follow."""

import sys

import numpy as np
import pytest

from vectorbt.portfolio.registry.selection_bias import bootstrap_intervals, mean_block_size
from vectorbt.portfolio.registry.selection_bias.bootstrap import stationary_bootstrap, stationary_bootstraps


def test_rows_go_on_in_blocks_of_the_mean_length():
    indices = stationary_bootstrap(500, 200, 8, seed=1)
    assert indices.shape == (200, 500) and indices.min() == 0 and indices.max() == 499
    breaks = (np.diff(indices, axis=1) % 500 != 1).mean()
    # A new block may begin where the old one would have gone on.
    assert breaks == pytest.approx(1 / 8 * 499 / 500, rel=0.03)
    assert np.bincount(indices.ravel(), minlength=500).std() < 0.15 * 200


def test_a_block_size_of_one_is_the_bootstrap_of_independent_rows():
    expected = [np.random.default_rng(3).integers(0, 50, 50)]
    np.testing.assert_array_equal(stationary_bootstrap(50, 100, 1, seed=3)[:1], expected)


def test_the_seed_alone_decides_what_is_drawn_however_memory_is_bounded(monkeypatch):
    whole = stationary_bootstrap(60, 150, 4, seed=5)
    monkeypatch.setattr("vectorbt.portfolio.registry.selection_bias.bootstrap._ROWS_AT_ONCE", 600)
    parts = list(stationary_bootstraps(60, 150, 4, seed=5))
    assert [len(part) for part in parts] == [10] * 15
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(stationary_bootstrap(60, 150, 4, seed=6), whole)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((50, 99, 5, 0), ValueError, "100 or more"),
        ((50, 100.0, 5, 0), TypeError, "float"),
        ((50, 100, 0.5, 0), ValueError, "at least 1 row"),
        ((50, 100, 51, 0), ValueError, "number of rows, 50"),
        ((50, 100, "long", 0), ValueError, "'auto'"),
        ((50, 100, 5, -1), ValueError, "seed"),
    ],
)
def test_bootstraps_that_cannot_be_drawn_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        stationary_bootstrap(*arguments)


def test_blocks_are_as_long_as_arch_finds_them():
    from arch.bootstrap import optimal_block_length

    rng = np.random.default_rng(2)
    smooth = np.convolve(rng.normal(size=1030), np.ones(30), mode="valid")[:1000]
    returns = np.column_stack([smooth] * 3)
    expected = float(optimal_block_length(smooth)["stationary"].iloc[0])
    assert mean_block_size(returns) == np.ceil(expected) > 10
    assert mean_block_size(rng.normal(size=(1000, 5))) < 10


def test_few_rows_are_not_measured():
    assert mean_block_size(np.random.default_rng(0).normal(size=(5, 2))) == 2


def test_without_arch_a_rule_of_thumb_decides(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    assert mean_block_size(np.random.default_rng(0).normal(size=(1000, 2))) == 10
    assert mean_block_size(np.random.default_rng(0).normal(size=(1001, 2))) == 11


def test_intervals_span_the_middle_of_what_the_bootstraps_show():
    series = np.random.default_rng(0).normal(0.001, 0.02, 250)
    indices = stationary_bootstrap(250, 199, 5, seed=0)
    drawn = series[indices]
    values = np.cumprod(1 + drawn, axis=1)
    peaks = np.maximum.accumulate(np.column_stack([np.ones(199), values]), axis=1)[:, 1:]
    expected = {
        "sharpe": drawn.mean(axis=1) / drawn.std(axis=1, ddof=1),
        "growth": values[:, -1] ** (1 / 250) - 1,
        "max_drawdown": (1 - values / peaks).max(axis=1),
    }
    found = bootstrap_intervals(series, iter([indices[:100], indices[100:]]), confidence=0.9)
    for name, figures in expected.items():
        ends = np.quantile(figures, [0.05, 0.95], method="nearest")
        np.testing.assert_allclose(getattr(found, name), ends, rtol=1e-9)


def test_a_loss_of_everything_is_a_drawdown_of_everything():
    series = np.random.default_rng(0).normal(0.001, 0.02, 250)
    series[100] = -1.0
    found = bootstrap_intervals(series, stationary_bootstrap(250, 199, 5, seed=0))
    assert found.growth.low == -1 and found.max_drawdown.high == 1


@pytest.mark.parametrize("returns", [np.zeros((5, 2)), np.zeros(5), [0.1, np.nan, 0.2]])
def test_what_has_no_sharpe_ratio_has_no_interval(returns):
    with pytest.raises(ValueError, match="one series of finite returns"):
        bootstrap_intervals(returns, np.zeros((100, len(returns)), dtype=int))
