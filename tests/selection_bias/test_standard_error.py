"""The standard error of a Sharpe ratio, against statsmodels and against what repeated samples show."""

import numpy as np
import pytest
from scipy.stats import norm

from vectorbt.portfolio.registry.selection_bias import (
    probabilistic_sharpe_ratio,
    robust_probabilistic_sharpe_ratio,
    sharpe_standard_error,
)


def smooth(seed, n_obs=800, phi=0.3):
    shocks = np.random.default_rng(seed).normal(0.0005, 0.01, n_obs)
    for t in range(1, n_obs):
        shocks[t] += phi * shocks[t - 1]
    return shocks


@pytest.mark.parametrize("n_lags", [0, 1, 6, 20])
def test_the_error_is_that_of_statsmodels(n_lags):
    from statsmodels.regression.linear_model import OLS

    returns = smooth(1)
    scores = (returns - returns.mean()) / returns.std()
    reaction = scores - returns.mean() / returns.std() / 2 * (scores**2 - 1)
    fit = OLS(reaction, np.ones(len(returns))).fit(cov_type="HAC", cov_kwds={"maxlags": n_lags})
    assert sharpe_standard_error(returns, n_lags) == pytest.approx(float(fit.bse[0]), rel=1e-9)


def test_without_lags_it_is_the_error_of_the_psr():
    returns = np.random.default_rng(3).standard_t(5, size=5000) * 0.01 + 0.0005
    scores = (returns - returns.mean()) / returns.std()
    sharpe = returns.mean() / returns.std(ddof=1)
    expected = probabilistic_sharpe_ratio(sharpe, 5000, (scores**3).mean(), (scores**4).mean(), 0.02)
    assert robust_probabilistic_sharpe_ratio(returns, 0.02, n_lags=0) == pytest.approx(expected, abs=1e-4)


def test_it_is_what_repeated_samples_show():
    sharpes = [returns.mean() / returns.std(ddof=1) for returns in map(smooth, range(400))]
    errors = [sharpe_standard_error(smooth(seed)) for seed in range(50)]
    assert np.mean(errors) == pytest.approx(np.std(sharpes), rel=0.15)
    alone = [sharpe_standard_error(smooth(seed), 0) for seed in range(50)]
    assert np.mean(alone) < 0.8 * np.std(sharpes)


def test_the_probability_is_that_of_the_distance_in_errors():
    returns = smooth(2)
    distance = (returns.mean() / returns.std(ddof=1) - 0.01) / sharpe_standard_error(returns)
    assert robust_probabilistic_sharpe_ratio(returns, 0.01) == pytest.approx(norm.cdf(distance))


@pytest.mark.parametrize("arguments", [(np.zeros(9),), (np.ones((3, 3)),), (smooth(1), -1), (smooth(1), 800)])
def test_what_has_no_error_is_refused(arguments):
    with pytest.raises(ValueError, match=r"returns must|n_lags must"):
        sharpe_standard_error(*arguments)
