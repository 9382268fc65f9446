"""Effective number of trials, serial correlation and what it does to annualisation."""

import numpy as np
import pytest

from vectorbt.portfolio.registry.selection_bias import (
    autocorrelations,
    cluster_sharpe_ratios,
    effective_number_of_trials,
    ljung_box_test,
    lo_adjusted_sharpe,
)


def normal(*size, seed=0):
    return np.random.default_rng(seed).normal(size=size)


def blocks(n_blocks, n_members, noise, seed=0):
    return np.repeat(normal(500, n_blocks, seed=seed), n_members, axis=1) + noise * normal(
        500, n_blocks * n_members, seed=seed + 1
    )


class TestEffectiveNumberOfTrials:
    def test_one_column_is_one_trial(self):
        assert effective_number_of_trials(normal(100, 1)) == 1

    @pytest.mark.parametrize("seed", range(10))
    def test_identical_columns_are_one_trial(self, seed):
        assert effective_number_of_trials(np.repeat(normal(100, 1, seed=seed), 30, axis=1)) == 1

    def test_leveraged_copies_are_one_trial(self):
        assert effective_number_of_trials(normal(100, 1) * np.geomspace(0.1, 10, 20) + 0.01) == 1

    @pytest.mark.parametrize("n_columns, n_rows", [(2, 500), (50, 500), (300, 100), (300, 2000)])
    def test_independent_columns_are_as_many_trials(self, n_columns, n_rows):
        assert effective_number_of_trials(normal(n_rows, n_columns)) >= 0.97 * n_columns

    @pytest.mark.parametrize("noise", [0.1, 0.7, 1.5])
    def test_correlated_blocks_are_one_trial_each(self, noise):
        n_trials, labels = effective_number_of_trials(blocks(10, 20, noise), return_labels=True)
        assert n_trials == 10
        np.testing.assert_array_equal(labels, np.repeat(np.arange(10), 20))

    def test_one_idea_with_noise_is_one_trial(self):
        assert effective_number_of_trials(blocks(1, 100, 1.0)) == 1

    def test_distinct_variants_of_one_idea_are_told_apart(self):
        idea = 0.65 * normal(500, 1, seed=9)
        assert effective_number_of_trials(blocks(30, 4, 0.3) + idea) == 30

    def test_blocks_among_noise(self):
        assert effective_number_of_trials(np.hstack([blocks(5, 20, 0.7), normal(500, 40, seed=8)])) == 45

    def test_opposite_positions_are_two_trials(self):
        idea = normal(500, 1)
        assert effective_number_of_trials(np.hstack([idea, -idea])) == 2

    def test_order_of_columns_does_not_matter(self):
        returns, order = blocks(6, 5, 0.7), np.random.default_rng(4).permutation(30)
        n_trials, labels = effective_number_of_trials(returns[:, order], return_labels=True)
        assert n_trials == 6
        assert len(set(zip(labels.tolist(), (order // 5).tolist()))) == 6

    def test_labels_are_numbered_by_first_appearance(self):
        _, labels = effective_number_of_trials(blocks(8, 2, 0.1)[:, ::-1], return_labels=True)
        np.testing.assert_array_equal(labels, np.repeat(np.arange(8), 2))

    def test_untraded_columns_are_labelled_as_left_out(self):
        returns = np.insert(blocks(3, 4, 0.5), [0, 5], [np.nan, 0.0], axis=1)
        n_trials, labels = effective_number_of_trials(returns, return_labels=True)
        assert n_trials == 3
        assert np.flatnonzero(labels == -1).tolist() == [0, 6]

    def test_silhouette_is_that_of_scikit_learn(self):
        from sklearn.metrics import silhouette_score

        from vectorbt.portfolio.registry.selection_bias.dependence import _correlation_distances, _mean_silhouette

        distances = _correlation_distances(normal(60, 9))
        labels = [0, 0, 0, 1, 2, 2, 2, 2, 3]
        expected = silhouette_score(distances, labels, metric="precomputed")
        assert _mean_silhouette(distances, np.array([0, 3, 4, 8])) == pytest.approx(expected)

    def test_thousands_of_columns(self):
        returns = np.repeat(normal(200, 150), 10, axis=1) + 0.3 * normal(200, 1500, seed=1)
        assert effective_number_of_trials(returns) == 150

    def test_too_few_rows_are_refused(self):
        with pytest.raises(ValueError, match="has 3 rows"):
            effective_number_of_trials(normal(3, 5))

    def test_no_traded_column_is_refused(self):
        with pytest.raises(ValueError, match="none of the 4 columns"):
            effective_number_of_trials(np.full((50, 4), np.nan))

    def test_more_columns_than_memory_allows_are_refused(self, monkeypatch):
        monkeypatch.setattr("vectorbt.portfolio.registry.selection_bias.dependence.MAX_COLUMNS", 5)
        with pytest.raises(ValueError, match=r"has 6 columns.*at most 5"):
            effective_number_of_trials(normal(50, 6))


class TestClusterSharpeRatios:
    def test_each_cluster_is_one_portfolio_of_equal_risks(self):
        returns = normal(200, 3) * [0.01, 0.02, 0.05] + 0.001
        cluster = returns[:, 0] / returns[:, 0].var() + returns[:, 2] / returns[:, 2].var()
        expected = [series.mean() / series.std(ddof=1) for series in (cluster, returns[:, 1])]
        np.testing.assert_allclose(cluster_sharpe_ratios(returns, [0, 1, 0]), expected)

    def test_columns_that_were_left_out_count_for_nothing(self):
        returns = normal(200, 3)
        returns[:, 1] = np.nan
        np.testing.assert_allclose(
            cluster_sharpe_ratios(returns, [0, -1, 1]), cluster_sharpe_ratios(returns[:, [0, 2]], [0, 1])
        )


class TestLoAdjustedSharpe:
    def test_without_autocorrelation_is_the_square_root_rule(self):
        assert lo_adjusted_sharpe(0.1, [], 252) == pytest.approx(0.1 * 252**0.5)
        assert lo_adjusted_sharpe(0.1, np.zeros(10), 252) == pytest.approx(0.1 * 252**0.5)

    def test_formula_by_hand(self):
        expected = 0.2 * 3 / np.sqrt(3 + 2 * (2 * 0.3 + 1 * -0.1))
        assert lo_adjusted_sharpe(0.2, [0.3, -0.1], 3) == pytest.approx(expected)

    def test_lags_beyond_the_horizon_do_not_count(self):
        assert lo_adjusted_sharpe(0.2, [0.3, -0.1, 0.9, 0.9], 3) == lo_adjusted_sharpe(0.2, [0.3, -0.1], 3)

    def test_geometric_autocorrelations_have_the_published_closed_form(self):
        rho, q = 0.2, 12
        scale = np.sqrt(q) / np.sqrt(1 + 2 * rho / (1 - rho) * (1 - (1 - rho**q) / (q * (1 - rho))))
        assert lo_adjusted_sharpe(1.0, rho ** np.arange(1, q), q) == pytest.approx(scale)

    def test_arrays_of_sharpe_ratios(self):
        adjusted = lo_adjusted_sharpe([0.1, np.nan, 0.2], [0.1], 12)
        assert adjusted[2] == pytest.approx(2 * adjusted[0])
        assert np.isnan(adjusted[1])

    def test_impossible_autocorrelations_give_nan(self):
        assert np.isnan(lo_adjusted_sharpe(0.1, [-0.9], 12))

    def test_less_than_one_period_is_refused(self):
        with pytest.raises(ValueError, match="periods must be at least 1"):
            lo_adjusted_sharpe(0.1, [0.1], 0)


class TestAutocorrelations:
    def test_definition(self):
        series = normal(50)
        deviations = series - series.mean()
        expected = [(deviations[k:] * deviations[:-k]).sum() / (deviations**2).sum() for k in (1, 2, 3)]
        np.testing.assert_allclose(autocorrelations(series, 3), expected)

    @pytest.mark.parametrize(
        "series, n_lags, message",
        [
            (np.ones(20), 2, "finite and vary"),
            ([0.1, np.nan, 0.2], 1, "finite and vary"),
            (np.eye(3), 1, "one dimension"),
            (np.arange(5.0), 5, "from 1 to 4"),
            (np.arange(5.0), 0, "from 1 to 4"),
        ],
    )
    def test_bad_input_is_refused(self, series, n_lags, message):
        with pytest.raises(ValueError, match=message):
            autocorrelations(series, n_lags)


class TestLjungBoxTest:
    def test_against_statsmodels(self):
        diagnostic = pytest.importorskip(
            "statsmodels.stats.diagnostic", reason="statsmodels, which the extra stats brings, is not installed"
        )
        series = normal(300)
        expected = diagnostic.acorr_ljungbox(series, lags=[7]).iloc[0]
        result = ljung_box_test(series, 7)
        assert result.statistic == pytest.approx(expected["lb_stat"])
        assert result.p_value == pytest.approx(expected["lb_pvalue"])

    def test_flags_smooth_returns_and_not_others(self):
        shocks = normal(500)
        assert not ljung_box_test(shocks).is_autocorrelated
        assert ljung_box_test(shocks[1:] + 0.5 * shocks[:-1]).is_autocorrelated

    def test_false_alarms_are_as_rare_as_promised(self):
        alarms = [ljung_box_test(normal(250, seed=seed)).is_autocorrelated for seed in range(400)]
        assert np.mean(alarms) == pytest.approx(0.05, abs=0.03)

    @pytest.mark.parametrize("n_obs, n_lags", [(500, 10), (30, 6), (4, 1)])
    def test_number_of_lags_suits_the_sample(self, n_obs, n_lags):
        assert ljung_box_test(normal(n_obs)).n_lags == n_lags
