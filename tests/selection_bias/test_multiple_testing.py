"""Adjusted p-values, haircut Sharpe ratios and the bootstrap tests for data snooping."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorbt.portfolio.registry.selection_bias import adjust_pvalues, haircut_sharpe, reality_check, spa_test

PUBLISHED = [0.005, 0.009, 0.0128, 0.0135, 0.045, 0.06]
METHODS = ["bonferroni", "holm", "bhy"]


class TestAdjustPvalues:
    @pytest.mark.parametrize(
        "method, expected, tolerance",
        [
            ("bonferroni", [0.03, 0.054, 0.0768, 0.081, 0.27, 0.36], 1e-9),
            ("holm", [0.03, 0.045, 0.0512, 0.0512, 0.09, 0.09], 1e-9),
            ("bhy", [0.0496, 0.0496, 0.0496, 0.0496, 0.06, 0.06], 5e-5),
        ],
    )
    def test_published_values(self, method, expected, tolerance):
        np.testing.assert_allclose(adjust_pvalues(PUBLISHED, method), expected, rtol=0, atol=tolerance)

    @pytest.mark.parametrize("method", METHODS)
    def test_order_of_the_tests_is_kept(self, method):
        order = [3, 0, 5, 1, 4, 2]
        shuffled = adjust_pvalues(np.array(PUBLISHED)[order], method)
        np.testing.assert_array_equal(shuffled, adjust_pvalues(PUBLISHED, method)[order])

    @pytest.mark.parametrize("method", METHODS)
    def test_nan_is_no_test(self, method):
        adjusted = adjust_pvalues([np.nan, *PUBLISHED, np.nan], method)
        assert np.isnan(adjusted[[0, -1]]).all()
        np.testing.assert_array_equal(adjusted[1:-1], adjust_pvalues(PUBLISHED, method))

    @pytest.mark.parametrize("method", METHODS)
    def test_single_test_stays_as_it_is(self, method):
        assert adjust_pvalues(0.04, method) == 0.04
        assert type(adjust_pvalues(0.04, method)) is float

    @pytest.mark.parametrize("method", METHODS)
    def test_no_tests_give_none(self, method):
        assert adjust_pvalues([], method).shape == (0,)

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.sampled_from(METHODS))
    def test_adjusted_are_probabilities_in_the_same_order_and_not_smaller(self, pvalues, method):
        adjusted = adjust_pvalues(pvalues, method)
        assert ((adjusted >= np.array(pvalues)) & (adjusted <= 1)).all()
        assert (np.diff(adjusted[np.argsort(pvalues)]) >= 0).all()

    @pytest.mark.parametrize("bad", [[0.1, 1.1], [-0.1]])
    def test_improbable_probabilities_are_refused(self, bad):
        with pytest.raises(ValueError, match="from 0 to 1"):
            adjust_pvalues(bad, "holm")

    def test_unknown_method_is_refused_with_the_known_ones(self):
        with pytest.raises(ValueError, match="'bonferroni', 'holm', 'bhy', got 'fdr'"):
            adjust_pvalues(PUBLISHED, "fdr")

    def test_table_is_refused(self):
        with pytest.raises(ValueError, match="one dimension"):
            adjust_pvalues([PUBLISHED, PUBLISHED], "holm")


class TestHaircutSharpe:
    @pytest.mark.parametrize("method", METHODS)
    def test_is_as_significant_alone_as_the_original_among_the_others(self, method):
        from scipy.stats import t

        sharpe, n_obs = np.array([0.11, 0.2, 0.14, 0.05]), np.array([400, 500, 600, 700])
        pvalues = 2 * t.sf(sharpe * np.sqrt(n_obs), n_obs - 1)
        haircut = haircut_sharpe(sharpe, n_obs, method)
        alone = 2 * t.sf(haircut * np.sqrt(n_obs), n_obs - 1)
        np.testing.assert_allclose(alone, adjust_pvalues(pvalues, method), rtol=1e-9)
        assert (haircut <= sharpe).all()

    def test_number_of_trials_stands_for_the_others(self):
        all_trials = [0.2, 0.1, 0.05]
        assert haircut_sharpe(0.2, 500, n_trials=3) == haircut_sharpe(all_trials, 500)[0]

    def test_insignificant_ones_are_cut_to_zero_and_losses_keep_their_sign(self):
        haircut = haircut_sharpe([0.001, -0.3, 0.3], 500)
        assert haircut[0] == 0
        assert haircut[1] == -haircut[2] < 0
        assert haircut_sharpe(0.01, 100, n_trials=50) == 0

    def test_untraded_ones_do_not_count(self):
        haircut = haircut_sharpe([0.2, np.nan, np.inf, 0.1], [500, 0, 500, 500], "holm")
        assert np.isnan(haircut[1:3]).all()
        np.testing.assert_array_equal(haircut[[0, 3]], haircut_sharpe([0.2, 0.1], 500, "holm"))

    def test_significance_beyond_what_floats_hold_is_not_cut(self):
        assert haircut_sharpe(5.0, 100_000, n_trials=1000) == 5.0

    @pytest.mark.parametrize("method", ["holm", "bhy"])
    def test_number_alone_is_not_enough_for_other_methods(self, method):
        with pytest.raises(ValueError, match="needs the Sharpe ratios of all trials"):
            haircut_sharpe(0.2, 500, method, n_trials=10)

    def test_fewer_trials_than_sharpe_ratios_are_refused(self):
        with pytest.raises(ValueError, match="at least the number of Sharpe ratios, 2"):
            haircut_sharpe([0.2, 0.1], 500, n_trials=1)

    def test_one_observation_is_refused(self):
        with pytest.raises(ValueError, match="n_obs must be at least 2"):
            haircut_sharpe([0.2, 0.1], [500, 1])


class TestDataSnooping:
    OPTIONS = {"block_size": 5, "seed": 1, "n_bootstraps": 300}

    @pytest.fixture(autouse=True)
    def _arch(self):
        pytest.importorskip("arch", reason="arch, the extra stats, is not installed")

    @pytest.fixture
    def noise(self):
        return np.random.default_rng(11).normal(size=(250, 20))

    @pytest.mark.parametrize("test", [reality_check, spa_test])
    def test_noise_is_not_told_from_the_benchmark_but_skill_is(self, test, noise):
        assert test(noise, **self.OPTIONS).p_value > 0.1
        noise[:, 4] += 0.4
        assert test(noise, **self.OPTIONS).p_value < 0.01

    def test_each_takes_its_own_p_value(self, noise):
        noise[:, 10:] -= 0.5
        white, hansen = reality_check(noise, **self.OPTIONS), spa_test(noise, **self.OPTIONS)
        assert white.p_value == white.p_upper
        assert hansen.p_value == hansen.p_consistent
        assert hansen.p_lower <= hansen.p_consistent < hansen.p_upper

    def test_losses_are_not_mistaken_for_gains(self, noise):
        assert reality_check(noise - 0.4, **self.OPTIONS).p_value > 0.9

    def test_leverage_does_not_matter(self, noise):
        leveraged = noise * np.geomspace(0.01, 100, 20)
        assert spa_test(leveraged, **self.OPTIONS) == spa_test(noise, **self.OPTIONS)

    def test_benchmark_is_subtracted(self, noise):
        market = np.random.default_rng(5).normal(0.5, 1, size=250)
        beating_nothing = spa_test(noise + market[:, None], benchmark=market, **self.OPTIONS)
        np.testing.assert_allclose(beating_nothing.p_value, spa_test(noise, **self.OPTIONS).p_value, atol=0.005)

    def test_seed_decides(self, noise):
        assert spa_test(noise, **self.OPTIONS) == spa_test(noise, **self.OPTIONS)

    def test_untraded_columns_are_left_out_and_counted(self, noise):
        expected = reality_check(noise, **self.OPTIONS)
        result = reality_check(np.insert(noise, [0, 7], [np.nan, 0.0], axis=1), **self.OPTIONS)
        assert result.p_value == expected.p_value
        assert (result.n_columns, result.n_dropped_columns) == (20, 2)

    @pytest.mark.parametrize("block_size", [0, 251])
    def test_impossible_block_size_is_refused(self, noise, block_size):
        with pytest.raises(ValueError, match="block_size must be between 1 and the number of rows, 250"):
            spa_test(noise, block_size=block_size, seed=1)

    def test_benchmark_of_another_length_is_refused(self, noise):
        with pytest.raises(ValueError, match="one return for each of the 250 rows"):
            spa_test(noise, benchmark=[0.1, 0.2], block_size=5, seed=1)

    def test_no_traded_column_is_refused(self):
        with pytest.raises(ValueError, match="none of the 3 columns"):
            spa_test(np.zeros((50, 3)), block_size=5, seed=1)


def test_without_arch_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    with pytest.raises(ImportError, match=r'pip install "vectorbt-registry\[stats\]"'):
        reality_check(np.eye(3), block_size=1, seed=1)
