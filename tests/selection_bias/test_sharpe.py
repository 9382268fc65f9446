"""Sharpe ratios under selection: published values, limits, bad input and pure noise."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorbt.portfolio.registry import selection_bias
from vectorbt.portfolio.registry.selection_bias import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    min_backtest_length,
    min_track_record_length,
    probabilistic_sharpe_ratio,
    probability_of_backtest_overfitting,
)

DAILY_SHARPE = 2.5 / 250**0.5
DAILY_VARIANCE = 0.5 / 250


def test_everything_can_be_imported_from_one_place():
    assert all(hasattr(selection_bias, name) for name in selection_bias.__all__)


class TestProbabilisticSharpeRatio:
    @pytest.mark.parametrize(
        "args, published",
        [
            ((0.458, 24, 0, 3), 0.981674919091),
            ((0.458, 24, -2.448, 10.164), 0.913361083861),
            ((1.14, 250, 0, 3, 1), 0.957277880327),
        ],
    )
    def test_published_values(self, args, published):
        assert probabilistic_sharpe_ratio(*args) == pytest.approx(published, abs=1e-9)

    def test_scalars_give_a_python_float(self):
        assert type(probabilistic_sharpe_ratio(0.1, 100, 0, 3)) is float

    def test_arrays_broadcast(self):
        table = probabilistic_sharpe_ratio([[0.1], [0.2]], [100, 200, 300], 0, 3)
        assert table.shape == (2, 3)
        assert table[1, 2] == probabilistic_sharpe_ratio(0.2, 300, 0, 3)

    @pytest.mark.parametrize("untraded", [np.nan, np.inf, -np.inf])
    def test_a_strategy_that_never_traded_leaves_the_others_alone(self, untraded):
        psr = probabilistic_sharpe_ratio([0.1, untraded], [100, 0], [0, np.nan], [3, np.nan])
        assert psr[0] == probabilistic_sharpe_ratio(0.1, 100, 0, 3)
        assert np.isnan(psr[1])

    def test_excess_kurtosis_is_refused(self):
        with pytest.raises(ValueError, match="excess kurtosis, add 3"):
            probabilistic_sharpe_ratio(0.1, 100, 0, 0)

    def test_kurtosis_of_two_values_is_accepted_but_for_rounding(self):
        assert probabilistic_sharpe_ratio(0.1, 100, 2, 5 * (1 - 1e-10)) > 0.5
        with pytest.raises(ValueError, match="below 1"):
            probabilistic_sharpe_ratio(0.1, 100, 2, 5 * (1 - 1e-8))

    def test_no_uncertainty_is_certainty(self):
        # Two equally likely values have skewness 0 and kurtosis 1; skewness 2 and kurtosis 5 leave nothing at SR = 1.
        assert probabilistic_sharpe_ratio([1, 1, 1], 100, 2, 5, [0.9, 1, 1.1]).tolist() == [1, 0.5, 0]

    def test_one_observation_is_refused(self):
        with pytest.raises(ValueError, match="n_obs must be at least 2"):
            probabilistic_sharpe_ratio(0.1, 1, 0, 3)

    @given(
        sharpe=st.floats(-0.5, 0.5),
        skew=st.floats(-3, 3),
        surplus=st.floats(0.1, 20),
        n_obs=st.integers(2, 10_000),
    )
    def test_is_one_half_at_its_own_benchmark_and_falls_with_it(self, sharpe, skew, surplus, n_obs):
        benchmarks = [sharpe - 0.1, sharpe, sharpe + 0.1]
        below, at, above = probabilistic_sharpe_ratio(sharpe, n_obs, skew, 1 + skew**2 + surplus, benchmarks)
        assert at == 0.5
        assert above < 0.5 < below


class TestMinTrackRecordLength:
    @pytest.mark.parametrize("periods, years", [(250, 2.73118780), (52, 2.82883359), (12, 3.23980070)])
    def test_published_years(self, periods, years):
        n_obs = min_track_record_length(2 / periods**0.5, 0, 3, 1 / periods**0.5)
        assert n_obs / periods == pytest.approx(years, abs=1e-7)

    def test_published_months_of_skewed_returns(self):
        months = min_track_record_length(2 / 12**0.5, -0.72, 5.78, 1 / 12**0.5)
        assert months == pytest.approx(59.8950986865, abs=1e-8)

    def test_is_the_length_at_which_the_probability_reaches_the_confidence(self):
        n_obs = min_track_record_length(0.1, -1, 6, 0.02, confidence=0.9)
        assert probabilistic_sharpe_ratio(0.1, n_obs, -1, 6, 0.02) == pytest.approx(0.9, abs=1e-12)

    def test_is_infinite_at_and_below_the_benchmark(self):
        lengths = min_track_record_length([0.1, 0.05, 0.2, np.nan], 0, 3, 0.1)
        assert np.isinf(lengths[:2]).all()
        assert np.isfinite(lengths[2])
        assert np.isnan(lengths[3])

    @pytest.mark.parametrize("confidence", [1.0, 0.49, 95, np.nan])
    def test_confidence_out_of_range_is_refused(self, confidence):
        with pytest.raises(ValueError, match="confidence must be"):
            min_track_record_length(0.1, 0, 3, confidence=confidence)

    def test_excess_kurtosis_is_refused(self):
        with pytest.raises(ValueError, match="excess kurtosis"):
            min_track_record_length(0.1, 0, 0)


class TestExpectedMaxSharpe:
    def test_published_value(self):
        assert expected_max_sharpe(100, 1) == pytest.approx(2.5306028932, abs=1e-9)

    def test_one_trial_has_nothing_to_select_from_whatever_its_variance(self):
        assert expected_max_sharpe(1, [0.0, 1.0, np.nan]).tolist() == [0, 0, 0]

    @given(n_trials=st.floats(1, 1e12), more=st.floats(0, 1e6))
    def test_never_negative_and_never_falls_with_more_trials(self, n_trials, more):
        few, many = expected_max_sharpe([n_trials, n_trials + more], 1.0)
        assert 0 <= few <= many

    def test_scales_with_the_deviation_of_the_sharpe_ratios(self):
        assert expected_max_sharpe(7.5, 0.04) == pytest.approx(0.2 * expected_max_sharpe(7.5, 1), rel=1e-14)

    def test_less_than_one_trial_is_refused(self):
        with pytest.raises(ValueError, match="n_trials must be at least 1"):
            expected_max_sharpe([10, 0.5], 1)

    def test_negative_variance_is_refused(self):
        with pytest.raises(ValueError, match="sharpe_variance must not be negative"):
            expected_max_sharpe(10, -1e-3)


class TestDeflatedSharpeRatio:
    @pytest.mark.parametrize(
        "n_trials, skew, kurtosis, published",
        [(100, -3, 10, 0.900396834449), (46, -3, 10, 0.950501706876), (88, 0, 3, 0.950490816676)],
    )
    def test_published_values(self, n_trials, skew, kurtosis, published):
        dsr = deflated_sharpe_ratio(
            DAILY_SHARPE, 1250, skew, kurtosis, n_trials=n_trials, sharpe_variance=DAILY_VARIANCE
        )
        assert dsr == pytest.approx(published, abs=1e-9)

    @pytest.mark.parametrize("wrong", [0.901779, 0.900487, 1.0, 0.0])
    def test_values_of_known_mistakes_do_not_appear(self, wrong):
        dsr = deflated_sharpe_ratio(DAILY_SHARPE, 1250, -3, 10, n_trials=100, sharpe_variance=DAILY_VARIANCE)
        assert abs(dsr - wrong) > 5e-6

    def test_single_trial_is_not_deflated(self):
        dsr = deflated_sharpe_ratio(0.1, 500, 0, 3, n_trials=1, sharpe_variance=np.nan)
        assert dsr == probabilistic_sharpe_ratio(0.1, 500, 0, 3)

    def test_excess_kurtosis_is_refused(self):
        with pytest.raises(ValueError, match="excess kurtosis"):
            deflated_sharpe_ratio(0.1, 500, -3, 7, n_trials=10, sharpe_variance=0.01)


class TestMinBacktestLength:
    def test_published_value(self):
        assert min_backtest_length(45, 1) == pytest.approx(4.99808700444, abs=1e-8)

    def test_is_the_length_at_which_luck_alone_reaches_the_sharpe_ratio(self):
        years = min_backtest_length(200, 1.3)
        assert expected_max_sharpe(200, 1 / years) == pytest.approx(1.3)

    def test_is_infinite_without_a_positive_sharpe_ratio(self):
        assert min_backtest_length(10, [0, -1]).tolist() == [np.inf, np.inf]

    def test_infinite_sharpe_ratio_says_nothing(self):
        assert np.isnan(min_backtest_length(10, [np.nan, np.inf, -np.inf])).all()


@pytest.fixture(scope="module")
def returns():
    rng = np.random.default_rng(7)
    return rng.standard_t(5, size=(400, 12)) * 0.01 + 0.001


@pytest.fixture(scope="module")
def moments(returns):
    from scipy.stats import kurtosis, skew

    return {
        "sharpe": returns.mean(axis=0) / returns.std(axis=0, ddof=1),
        "n_obs": len(returns),
        "skew": skew(returns, axis=0),
        "kurtosis": kurtosis(returns, axis=0, fisher=False),
    }


class TestOracles:
    def test_probabilistic_and_deflated_against_skfolio(self, returns, moments):
        measures = pytest.importorskip(
            "skfolio.measures", reason="skfolio is not installed; it needs plotly 6, vectorbt 0.28.5 an older one"
        )
        psr = probabilistic_sharpe_ratio(**moments, benchmark_sharpe=0.05)
        np.testing.assert_allclose(psr, measures.probabilistic_sharpe_ratio(returns, 0.05), rtol=1e-10)
        dsr = deflated_sharpe_ratio(**moments, n_trials=12, sharpe_variance=np.var(moments["sharpe"], ddof=1))
        np.testing.assert_allclose(dsr, measures.deflated_sharpe_ratio(returns, moments["sharpe"]), rtol=1e-10)

    def test_deflated_against_vectorbt(self, returns, moments):
        import pandas as pd

        import vectorbt as vbt

        if tuple(map(int, vbt.__version__.split(".")[:2])) < (1, 2):
            pytest.skip("vectorbt before 1.2.0 does not agree with the paper")
        index = pd.date_range("2020-01-01", periods=len(returns), freq="D")
        expected = pd.DataFrame(returns, index=index).vbt.returns(freq="D").deflated_sharpe_ratio()
        dsr = deflated_sharpe_ratio(**moments, n_trials=12, sharpe_variance=np.var(moments["sharpe"], ddof=1))
        np.testing.assert_allclose(dsr, expected.values, rtol=1e-9)


N_SWEEPS = 200


@pytest.fixture(scope="module", params=[1, 12], ids=["one random walk", "a random walk each"])
def sweeps(request):
    return [moving_average_sweep(seed, request.param) for seed in range(N_SWEEPS)]


class TestPureNoise:
    """The best of many worthless strategies must not look like skill."""

    def test_deflated_sharpe_ratio_is_rarely_significant(self, sweeps):
        share = np.mean([best_deflated_sharpe_ratio(returns) >= 0.95 for returns in sweeps])
        assert share <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / N_SWEEPS)

    def test_undeflated_ratio_is_often_significant(self, sweeps):
        """Without this, the sweeps would be too tame to test anything."""
        share = np.mean([best_deflated_sharpe_ratio(returns, n_trials=1) >= 0.95 for returns in sweeps])
        assert share > 0.1

    def test_overfitting_is_a_coin_toss(self, sweeps):
        mean = np.mean([probability_of_backtest_overfitting(returns, n_blocks=10).pbo for returns in sweeps])
        assert mean == pytest.approx(0.5, abs=0.05)


def moving_average_sweep(seed, n_walks):
    """Returns of a dozen moving-average crossings on one random walk, or on one for each."""
    walks = np.random.default_rng(seed).normal(0, 0.01, size=(n_walks, 600))
    columns = []
    for i, (fast, slow) in enumerate(product((2, 4, 8), (10, 20, 40, 80))):
        returns = walks[i % n_walks]
        price = np.cumsum(returns)
        signal = np.sign(moving_average(price, fast) - moving_average(price, slow))
        columns.append((signal[:-1] * returns[1:])[80:])
    return np.column_stack(columns)


def moving_average(price, window):
    total = np.cumsum(np.concatenate([np.zeros(window), price]))
    return (total[window:] - total[:-window]) / window


def best_deflated_sharpe_ratio(returns, n_trials=None):
    from scipy.stats import kurtosis, skew

    sharpe = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    best = returns[:, np.argmax(sharpe)]
    return deflated_sharpe_ratio(
        sharpe.max(),
        len(best),
        skew(best),
        kurtosis(best, fisher=False),
        n_trials=n_trials or len(sharpe),
        sharpe_variance=np.var(sharpe, ddof=1),
    )
