"""What is left of returns without those of a benchmark."""

import numpy as np
import pandas as pd
import pytest

from vectorbt.portfolio.registry.selection_bias import (
    deflated_sharpe_ratio,
    probabilistic_sharpe_ratio,
    residual_returns,
)

PAIRS = [(a, b) for a in (2, 5, 10, 20, 30) for b in (15, 25, 40, 60, 100) if a < b]


def sharpes_of(matrix):
    return matrix.mean(axis=0) / matrix.std(axis=0, ddof=1)


def moments_of(series):
    scores = (series - series.mean()) / series.std()
    return sharpes_of(series), len(series), (scores**3).mean(), (scores**4).mean()


def held(returns, fast, slow):
    """Return whether the averages said the day before that the market is to be held."""
    price = pd.Series(np.exp(np.cumsum(returns)))
    above = (price.rolling(fast).mean() > price.rolling(slow).mean()).to_numpy(float)
    return np.concatenate([[0], above[:-1]])


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (1, (0.0035700819630533685, 0.5522235302681449, 4, 0.021365277028434878, 0.7759459778725124, 0.5219615995323)),
        (
            2,
            (-0.0031297178343505385, 0.2749360897710958, 21, 0.014210287068718446, 0.6929515791855, 0.2137406731157178),
        ),
    ],
)
def test_values_computed_apart_from_this_code(seed, expected):
    market = np.random.default_rng(seed).normal(0.0005, 0.01, 1260)
    returns = np.column_stack([held(market, *pair) * market for pair in PAIRS])
    deflated = []
    for matrix in (returns, residual_returns(returns, market)[0]):
        sharpes = sharpes_of(matrix)
        best = int(np.argmax(sharpes))
        moments = moments_of(matrix[:, best])
        deflated.append(deflated_sharpe_ratio(*moments, n_trials=22, sharpe_variance=np.var(sharpes, ddof=1)))
    found = (sharpes_of(market), deflated[0], best, moments[0], probabilistic_sharpe_ratio(*moments), deflated[1])
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_remains_has_nothing_of_the_benchmark():
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.01, 500)
    returns = rng.normal(0.001, 0.01, (500, 3)) + market[:, None] * [0.5, 1.0, -2.0]
    residuals, betas = residual_returns(returns, market)
    np.testing.assert_allclose(betas, [np.cov(column, market)[0, 1] / market.var(ddof=1) for column in returns.T])
    np.testing.assert_allclose(residuals, returns - market[:, None] * betas)
    np.testing.assert_allclose([np.cov(column, market)[0, 1] for column in residuals.T], 0, atol=1e-18)


def test_each_trial_may_have_a_benchmark_of_its_own():
    rng = np.random.default_rng(1)
    returns, markets = rng.normal(0, 0.01, (300, 3)), rng.normal(0, 0.01, (300, 3))
    found, betas = residual_returns(returns, markets)
    for column in range(3):
        expected, beta = residual_returns(returns[:, [column]], markets[:, column])
        np.testing.assert_allclose(found[:, column], expected[:, 0])
        assert betas[column] == pytest.approx(beta[0])


def test_of_a_multiple_of_the_benchmark_nothing_remains():
    market = np.random.default_rng(0).normal(0.001, 0.01, 500)
    residuals, betas = residual_returns(np.column_stack([market, 0.3 * market]), market)
    assert not residuals.any()
    np.testing.assert_allclose(betas, [1, 0.3])


def test_a_benchmark_that_never_varies_takes_out_nothing():
    returns = np.random.default_rng(0).normal(0.001, 0.01, (50, 2))
    residuals, betas = residual_returns(returns, np.full(50, 0.0001))
    np.testing.assert_array_equal(residuals, returns)
    assert not betas.any()


@pytest.mark.parametrize("benchmark", [np.zeros(49), np.zeros((50, 3)), np.full(50, np.nan)])
def test_a_benchmark_that_does_not_fit_is_refused(benchmark):
    with pytest.raises(ValueError, match="benchmark must"):
        residual_returns(np.random.default_rng(0).normal(size=(50, 2)), benchmark)
