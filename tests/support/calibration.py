"""How often the verdict on noise and on skill is right: size and power of the p-value that decides, and of the DSR.

`python -m tests.support.calibration 2000` prints the table of docs/selection-bias.md, with that many repetitions."""

import sys
from functools import lru_cache
from itertools import combinations

import numpy as np

from vectorbt.portfolio.registry.selection_bias import (
    deflated_sharpe_ratio,
    mean_block_size,
    probabilistic_sharpe_ratio,
    residual_returns,
    stationary_bootstrap,
    step_down_pvalues,
)

N_DAYS = 1260
"""Five years."""

N_BOOTSTRAPS = 499
WINDOWS = (2, 3, 5, 8, 10, 15, 20, 30, 50, 70, 100)
"""Their 55 pairs are the sweep of moving averages."""


# ############# Markets ############# #


def random_walk(rng):
    return rng.normal(0, 0.01, N_DAYS)


def student(rng):
    return rng.standard_t(3, N_DAYS) * 0.01 / 3**0.5


def garch(rng):
    shocks, variance = rng.normal(size=N_DAYS), 1e-4
    returns = np.empty(N_DAYS)
    for t, shock in enumerate(shocks):
        returns[t] = shock * variance**0.5
        variance = 0.05e-4 + 0.10 * returns[t] ** 2 + 0.85 * variance
    return returns


def autoregressive(rng):
    returns = rng.normal(0, 0.01, N_DAYS)
    for t in range(1, N_DAYS):
        returns[t] -= 0.1 * returns[t - 1]
    return returns


def rising(rng):
    """A market with a Sharpe ratio of 0.63 a year."""
    return rng.normal(0.63 / 252**0.5 * 0.01, 0.01, N_DAYS)


# ############# Trials ############# #


def pairs(market, short):
    """Returns of the sweep: in the market while the fast average is above the slow one, else out, or short."""
    log_price = np.cumsum(market)
    sums = np.concatenate([[0], np.cumsum(np.exp(log_price))])
    averages = {}
    for window in WINDOWS:
        averages[window] = np.full(N_DAYS, np.nan)
        averages[window][window - 1 :] = (sums[window:] - sums[:-window]) / window
    held = np.column_stack([averages[fast] > averages[slow] for fast, slow in combinations(WINDOWS, 2)]).astype(float)
    if short:
        held = np.where(
            np.isnan(np.column_stack([averages[slow] for _, slow in combinations(WINDOWS, 2)])), 0, 2 * held - 1
        )
    return np.concatenate([np.zeros((1, held.shape[1])), held[:-1]]) * market[:, None]


def correlated(rng, correlation, n_trials=100):
    common = rng.normal(0, 0.01, (N_DAYS, 1))
    return correlation**0.5 * common + (1 - correlation) ** 0.5 * rng.normal(0, 0.01, (N_DAYS, n_trials))


def skilled(rng):
    """A hundred trials, the first of which has a true Sharpe ratio of 1.5 a year."""
    returns = rng.normal(0, 0.01, (N_DAYS, 100))
    returns[:, 0] += 1.5 / 252**0.5 * 0.01
    return returns


def long_only_against_holding(rng):
    market = rising(rng)
    return residual_returns(pairs(market, short=False), market)[0]


SCENARIOS = {
    "random walk, 55 pairs, long and short": lambda rng: pairs(random_walk(rng), short=True),
    "random walk, 55 pairs, long only": lambda rng: pairs(random_walk(rng), short=False),
    "Student t with 3 degrees of freedom, 55 pairs": lambda rng: pairs(student(rng), short=True),
    "GARCH(0.10, 0.85), 55 pairs": lambda rng: pairs(garch(rng), short=True),
    "AR(-0.1), 55 pairs": lambda rng: pairs(autoregressive(rng), short=True),
    "100 trials with a correlation of 0.5": lambda rng: correlated(rng, 0.5),
    "100 trials with a correlation of 0.9": lambda rng: correlated(rng, 0.9),
    "rising market (0.63), long only, without holding": long_only_against_holding,
    "rising market (0.63), long only, against zero": lambda rng: pairs(rising(rng), short=False),
    "skill: 1.5 in 1 of 100 trials": skilled,
}
"""Returns of trials by what they are. In all but the last two, no trial is better than its benchmark."""


@lru_cache
def indices_of(block_size):
    return stationary_bootstrap(N_DAYS, N_BOOTSTRAPS, block_size, seed=0)


def judged(returns):
    """Return the p-value, the DSR and the PSR of the best trial."""
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    best = int(np.argmax(sharpes))
    scores = (returns[:, best] - returns[:, best].mean()) / returns[:, best].std()
    moments = (sharpes[best], N_DAYS, (scores**3).mean(), (scores**4).mean())
    dsr = deflated_sharpe_ratio(*moments, n_trials=returns.shape[1], sharpe_variance=np.var(sharpes, ddof=1))
    p_value = step_down_pvalues(returns, indices_of(mean_block_size(returns)))[best]
    return p_value, dsr, probabilistic_sharpe_ratio(*moments)


def repeat(name, n_repetitions):
    """Return how many of so many repetitions are significant at 5 % by p-value, DSR and PSR."""
    found = np.array([judged(SCENARIOS[name](np.random.default_rng([7, i]))) for i in range(n_repetitions)])
    return (found[:, 0] <= 0.05).sum(), (found[:, 1] >= 0.95).sum(), (found[:, 2] >= 0.95).sum()


def interval(n_found, n_repetitions):
    """Return the exact 95 % interval of a share (Clopper and Pearson)."""
    from scipy.stats import beta

    low = beta.ppf(0.025, n_found, n_repetitions - n_found + 1) if n_found else 0.0
    high = beta.ppf(0.975, n_found + 1, n_repetitions - n_found) if n_found < n_repetitions else 1.0
    return float(low), float(high)


if __name__ == "__main__":
    n_repetitions = int(sys.argv[1])
    print("| best of | p <= 5 % | 95 % interval | DSR >= 95 % | PSR >= 95 % |\n| --- | --- | --- | --- | --- |")
    for scenario in SCENARIOS:
        by_p, by_dsr, by_psr = repeat(scenario, n_repetitions)
        low, high = interval(by_p, n_repetitions)
        shares = [f"{100 * found / n_repetitions:.1f} %" for found in (by_p, by_dsr, by_psr)]
        print(
            f"| {scenario} | {shares[0]} | {100 * low:.1f}-{100 * high:.1f} % | {shares[1]} | {shares[2]} |", flush=True
        )
