"""Which trials are better than a benchmark: published procedure, oracles, and what must not move it."""

import numpy as np
import pytest

from vectorbt.portfolio.registry.selection_bias import stationary_bootstrap, step_down_pvalues
from vectorbt.portfolio.registry.selection_bias.bootstrap import stationary_bootstraps


def trials(seed, n_rows, n_columns, edge):
    """Return noise in whose first column is an edge, and a second column that is nearly the first."""
    returns = np.random.default_rng(seed).normal(0, 0.01, (n_rows, n_columns))
    returns[:, 0] += edge * 0.01
    returns[:, 1] = 0.9 * returns[:, 0] + 0.1 * returns[:, 1]
    return returns


def by_the_book(returns, indices):
    """Adjusted p-values straight from the definition."""
    scores = returns / returns.std(axis=0)
    means = scores.mean(axis=0)
    drawn = np.array([scores[rows].mean(axis=0) for rows in indices])
    order = np.argsort(-means, kind="stable")
    pvalues = np.empty(len(means))
    largest = 0.0
    for rank, column in enumerate(order):
        behind = order[rank:]
        reached = ((drawn[:, behind] - means[behind]).max(axis=1) >= means[column]).sum()
        largest = max(largest, (1 + reached) / (len(indices) + 1))
        pvalues[column] = largest
    return pvalues


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((0, 250, 5, 0.15), [0.6, 0.688, 0.688, 0.913]), ((1, 500, 20, 0.12), [0.353, 0.398, 1.0, 1.0])],
)
def test_values_computed_apart_from_this_code(arguments, expected):
    indices = stationary_bootstrap(arguments[1], 999, 10, seed=arguments[0])
    np.testing.assert_allclose(step_down_pvalues(trials(*arguments), indices)[:4], expected, atol=1e-9)


def test_copies_of_the_best_leave_its_p_value_as_it_is():
    returns = np.random.default_rng(5).normal(0, 0.01, (200, 6))
    indices = stationary_bootstrap(200, 499, 5, seed=5)
    before = step_down_pvalues(returns, indices)
    best = int(np.argmin(before))
    after = step_down_pvalues(np.column_stack([returns, *[returns[:, best]] * 200]), indices)
    assert before[best] == pytest.approx(0.184, abs=1e-9) and after[best] == before[best]
    assert (after[6:] == before[best]).all()


def test_every_p_value_is_as_defined():
    returns = trials(2, 120, 300, 0.3)  # more columns than are bootstrapped at once
    indices = stationary_bootstrap(120, 200, 4, seed=0)
    expected = by_the_book(returns, indices)
    np.testing.assert_allclose(step_down_pvalues(returns, indices), expected, atol=1e-9)
    np.testing.assert_array_equal(
        step_down_pvalues(returns, stationary_bootstraps(120, 200, 4, seed=0)), step_down_pvalues(returns, indices)
    )


def test_bootstraps_that_come_in_parts_count_as_one(monkeypatch):
    returns = trials(3, 100, 5, 0.2)
    indices = stationary_bootstrap(100, 300, 3, seed=0)
    np.testing.assert_array_equal(
        step_down_pvalues(returns, iter(np.array_split(indices, 7))), step_down_pvalues(returns, indices)
    )


def test_a_benchmark_is_subtracted():
    returns = trials(4, 200, 4, 0.2)
    indices = stationary_bootstrap(200, 200, 3, seed=0)
    market = np.random.default_rng(9).normal(0.001, 0.01, 200)
    for benchmark in (0.001, market):
        expected = step_down_pvalues(returns - np.reshape(benchmark, (-1, 1)), indices)
        np.testing.assert_array_equal(step_down_pvalues(returns, indices, benchmark), expected)


def test_columns_without_a_sharpe_ratio_are_no_trials():
    returns = trials(4, 200, 4, 0.2)
    indices = stationary_bootstrap(200, 200, 3, seed=0)
    with_gaps = np.column_stack([returns, np.zeros(200), np.full(200, np.nan)])
    pvalues = step_down_pvalues(with_gaps, indices)
    np.testing.assert_array_equal(pvalues[:4], step_down_pvalues(returns, indices))
    assert np.isnan(pvalues[4:]).all()
    assert np.isnan(step_down_pvalues(with_gaps[:, 4:], indices)).all()


def test_indices_of_other_rows_are_refused():
    with pytest.raises(ValueError, match="200 columns"):
        step_down_pvalues(trials(4, 200, 4, 0.2), stationary_bootstrap(100, 200, 3, seed=0))


@pytest.mark.parametrize("edge", [0.0, 0.12, 0.25])
def test_the_best_is_as_significant_as_in_the_spa_test_of_arch(edge):
    from arch.bootstrap import SPA

    returns = trials(6, 500, 20, edge)
    losses = -returns / returns.std(axis=0)
    spa = SPA(np.zeros(500), losses, block_size=5, reps=2000, studentize=False, seed=1)
    spa.compute()
    found = step_down_pvalues(returns, stationary_bootstrap(500, 2000, 5, seed=0)).min()
    expected = float(spa.pvalues["upper"])
    # Four standard errors of the difference of two Monte Carlo estimates.
    assert abs(found - expected) <= 4 * np.sqrt(2 * max(expected * (1 - expected), 1 / 2000) / 2000)


def test_the_survivors_are_those_of_stepm_of_arch():
    from arch.bootstrap import StepM

    returns = trials(7, 500, 10, 0.3)
    returns[:, 4] += 0.0025
    losses = -returns / returns.std(axis=0)
    stepm = StepM(np.zeros(500), losses, size=0.05, block_size=5, reps=2000, studentize=False, seed=1)
    stepm.compute()
    found = step_down_pvalues(returns, stationary_bootstrap(500, 2000, 5, seed=0))
    assert sorted(stepm.superior_models) == np.flatnonzero(found <= 0.05).tolist() == [0, 1, 4]
