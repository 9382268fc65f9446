"""Probability of backtest overfitting: definition, oracle, precision, bounds and bad input."""

import json
import tracemalloc
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorbt.portfolio.registry.selection_bias import probability_of_backtest_overfitting


@pytest.fixture
def noise():
    return np.random.default_rng(3).normal(0.0005, 0.01, size=(96, 7))


def published_matrix():
    t, n = np.mgrid[:24, :5]
    return (((7 * t + 13 * n + 5 * t * n + t**2) % 23) - 11) / 1000 + n / 20000


def cscv_by_the_book(returns, n_blocks):
    """Logits and Sharpe ratios straight from the definition, one split at a time."""
    from scipy.stats import rankdata

    blocks = np.split(np.arange(len(returns)), n_blocks)
    logits, is_oos = [], []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        in_sample = np.concatenate([blocks[i] for i in chosen])
        out_of_sample = np.setdiff1d(np.arange(len(returns)), in_sample)
        inside, outside = (
            returns[rows].mean(axis=0) / returns[rows].std(axis=0, ddof=1) for rows in (in_sample, out_of_sample)
        )
        best = np.argmax(inside)
        omega = rankdata(outside)[best] / (returns.shape[1] + 1)
        logits.append(np.log(omega / (1 - omega)))
        is_oos.append((inside[best], outside[best]))
    return np.array(logits), np.array(is_oos)


class TestDefinition:
    def test_published_values(self):
        result = probability_of_backtest_overfitting(published_matrix(), n_blocks=4)
        assert result.pbo == pytest.approx(2 / 3, abs=1e-9)
        assert result.slope == pytest.approx(-0.9943598263, abs=1e-9)

    @pytest.mark.parametrize("n_blocks", [2, 4, 6, 8])
    def test_every_split_is_scored_as_defined(self, noise, n_blocks):
        logits, is_oos = cscv_by_the_book(noise, n_blocks)
        result = probability_of_backtest_overfitting(noise, n_blocks)
        np.testing.assert_allclose(result.logits, logits, atol=1e-12)
        np.testing.assert_allclose(result.is_oos, is_oos, rtol=1e-10)
        assert result.pbo == np.mean(logits <= 0)
        assert result.prob_loss == np.mean(is_oos[:, 1] < 0)
        np.testing.assert_allclose(
            (result.slope, result.intercept), np.polyfit(is_oos[:, 0], is_oos[:, 1], 1), rtol=1e-8
        )

    def test_agrees_with_purgedcv_but_for_ties(self, noise):
        purgedcv = pytest.importorskip("purgedcv", reason="purgedcv, an oracle, is not installed")
        oracle = purgedcv.probability_of_backtest_overfitting(noise.T, n_splits=8)
        result = probability_of_backtest_overfitting(noise, n_blocks=8)
        # It lists the splits by their blocks out of sample, and counts a logit of zero as no overfitting.
        np.testing.assert_allclose(result.logits, oracle.logits[::-1], atol=1e-12)
        assert result.pbo == np.mean(oracle.logits <= 0)
        assert result.slope == pytest.approx(oracle.slope, rel=1e-9)

    def test_chunks_do_not_change_the_result(self, noise, monkeypatch):
        whole = probability_of_backtest_overfitting(noise, n_blocks=8)
        monkeypatch.setattr("vectorbt.portfolio.registry.selection_bias.overfitting._CELLS_PER_CHUNK", 21)
        chunked = probability_of_backtest_overfitting(noise, n_blocks=8)
        np.testing.assert_allclose(chunked.is_oos, whole.is_oos, rtol=1e-12)
        np.testing.assert_array_equal(chunked.logits, whole.logits)

    def test_one_skilled_column_is_no_overfitting(self, noise):
        noise[:, 2] += 0.02
        result = probability_of_backtest_overfitting(noise, n_blocks=8)
        assert result.pbo == 0
        assert result.prob_loss == 0
        assert result.first_order_dominance and result.second_order_dominance

    def test_equal_columns_share_the_median_rank(self, noise):
        leveraged = noise[:, :1] * [1, 3, 0.1, 0.7, 1 / 3]
        result = probability_of_backtest_overfitting(leveraged, n_blocks=8)
        assert not result.logits.any()
        assert result.pbo == 1
        assert not result.first_order_dominance and not result.second_order_dominance

    @settings(max_examples=25, deadline=None)
    @given(st.permutations(range(7)), st.floats(0.01, 100))
    def test_neither_the_order_of_columns_nor_their_leverage_matters(self, order, leverage):
        returns = np.random.default_rng(3).normal(0.0005, 0.01, size=(96, 7))
        result = probability_of_backtest_overfitting(returns, n_blocks=6)
        other = probability_of_backtest_overfitting(returns[:, list(order)] * leverage, n_blocks=6)
        np.testing.assert_allclose(other.logits, result.logits, atol=1e-12)
        np.testing.assert_allclose(other.is_oos, result.is_oos, rtol=1e-9)


class TestDominance:
    @staticmethod
    def dominance(selected, average):
        from vectorbt.portfolio.registry.selection_bias.overfitting import _dominance

        return _dominance(np.array(selected, dtype=float), np.array(average, dtype=float))

    def test_better_everywhere_is_first_and_second_order(self):
        assert self.dominance([2, 3, 4], [1, 2, 3]) == (True, True)

    def test_same_mean_with_less_risk_is_second_order_only(self):
        assert self.dominance([1, 1], [0, 2]) == (False, True)

    def test_more_risk_for_the_same_mean_is_neither(self):
        assert self.dominance([0, 2], [1, 1]) == (False, False)

    def test_higher_mean_with_a_worse_worst_case_is_neither(self):
        assert self.dominance([0, 10], [1, 2]) == (False, False)

    def test_equal_distributions_are_neither(self):
        assert self.dominance([1, 2], [2, 1]) == (False, False)


class TestUnusableColumnsAndRows:
    @pytest.mark.parametrize("untraded", [np.nan, np.inf, 0.0, 0.001])
    def test_columns_without_a_sharpe_ratio_are_left_out_and_counted(self, noise, untraded):
        expected = probability_of_backtest_overfitting(noise, n_blocks=8)
        with_untraded = np.insert(noise, [0, 3], untraded, axis=1)
        result = probability_of_backtest_overfitting(with_untraded, n_blocks=8)
        np.testing.assert_array_equal(result.logits, expected.logits)
        assert (result.n_columns, result.n_dropped_columns) == (7, 2)

    def test_a_single_nan_drops_its_column_only(self, noise):
        noise[5, 1] = np.nan
        result = probability_of_backtest_overfitting(noise, n_blocks=8)
        assert (result.n_columns, result.n_dropped_columns) == (6, 1)

    def test_last_rows_are_left_out_and_counted(self, noise):
        result = probability_of_backtest_overfitting(noise, n_blocks=10)
        expected = probability_of_backtest_overfitting(noise[:90], n_blocks=10)
        assert (result.n_rows, result.n_dropped_rows) == (90, 6)
        np.testing.assert_array_equal(result.logits, expected.logits)

    @pytest.mark.parametrize("unvarying", [0.0, 0.1 / 3, -0.0137, 1e-4 / 7])
    def test_a_half_without_variance_has_a_sharpe_ratio_of_zero(self, noise, unvarying):
        noise[:48, 0] = unvarying
        noise[:, 1:] -= 0.05
        result = probability_of_backtest_overfitting(noise, n_blocks=2)
        assert result.is_oos[0, 0] == 0
        assert result.is_oos[1, 1] == 0


class TestPrecision:
    def test_returns_far_from_zero_keep_their_digits(self, noise):
        far = noise + 1e5
        result = probability_of_backtest_overfitting(far, n_blocks=6)
        logits, is_oos = cscv_by_the_book(far.astype(np.longdouble), 6)
        np.testing.assert_allclose(result.is_oos, is_oos.astype(float), rtol=1e-6)
        np.testing.assert_allclose(result.logits, logits.astype(float), atol=1e-12)

    def test_memory_does_not_grow_with_the_number_of_splits(self):
        returns = np.random.default_rng(0).normal(size=(32, 4950))
        tracemalloc.start()
        result = probability_of_backtest_overfitting(returns, n_blocks=16)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert result.n_splits == 12_870
        # All Sharpe ratios at once would be 510 MB for each half.
        assert peak < 100e6


class TestProgressBar:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch):
        monkeypatch.setattr("vectorbt.portfolio.registry.selection_bias.progress._SECONDS", 0)

    def test_without_a_terminal_there_is_none(self, noise, capsys):
        probability_of_backtest_overfitting(noise, n_blocks=8)
        assert capsys.readouterr().err == ""

    def test_it_can_be_asked_for_and_switched_off(self, noise, capsys):
        probability_of_backtest_overfitting(noise, n_blocks=8, progress=True)
        assert "Splits of time" in capsys.readouterr().err
        probability_of_backtest_overfitting(noise, n_blocks=8, progress=False)
        assert capsys.readouterr().err == ""


class TestBadInput:
    @pytest.mark.parametrize(
        "shape, n_blocks, message",
        [
            ((15, 3), 16, "has 15 rows; 16 blocks need at least 16"),
            ((3, 3), 2, "need at least 4"),
            ((100, 3), 7, "n_blocks must be an even number"),
            ((100, 3), 0, "n_blocks must be an even number"),
            ((100, 1), 8, "at least 2 columns with a Sharpe ratio, got 1 of 1"),
            ((100,), 8, "two dimensions"),
        ],
    )
    def test_impossible_shapes_are_refused(self, shape, n_blocks, message):
        returns = np.random.default_rng(0).normal(size=shape)
        with pytest.raises(ValueError, match=message):
            probability_of_backtest_overfitting(returns, n_blocks)

    def test_fewer_than_two_traded_columns_are_refused(self, noise):
        noise[:, 1:] = np.nan
        with pytest.raises(ValueError, match="got 1 of 7"):
            probability_of_backtest_overfitting(noise)

    def test_fractional_number_of_blocks_is_refused(self, noise):
        with pytest.raises(TypeError):
            probability_of_backtest_overfitting(noise, n_blocks=8.0)


class TestResult:
    def test_summary_tells_the_probability_and_what_was_left_out(self, noise):
        noise[:, 0] = np.nan
        summary = probability_of_backtest_overfitting(noise, n_blocks=10).summary()
        assert "Probability of backtest overfitting: " in summary
        assert "6 columns, 90 rows, 10 blocks, 252 splits" in summary
        assert "Rows left out at the end: 6" in summary
        assert "Columns left out, without a Sharpe ratio: 1" in summary

    def test_dict_is_plain_json(self, noise):
        result = probability_of_backtest_overfitting(noise, n_blocks=4)
        values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
        assert values["pbo"] == result.pbo
        assert values["logits"] == result.logits.tolist()

    def test_cannot_be_changed(self, noise):
        result = probability_of_backtest_overfitting(noise, n_blocks=4)
        with pytest.raises(AttributeError):
            result.pbo = 0.0


# ############# Ties ############# #


def test_sharpe_ratios_of_zero_tie():
    returns = np.array([[2, -2], [3, -1], [-2, 1], [-3, 2], [-3, 0], [0, -3], [3, 2], [0, 1]]) * 0.01
    assert probability_of_backtest_overfitting(returns, n_blocks=2).pbo == 1.0


def exact_sharpe(values):
    """Return the square of a Sharpe ratio with its sign, as a fraction: it ranks as the Sharpe ratio does."""
    total = sum(values)
    spread = len(values) * sum(value * value for value in values) - total * total
    return Fraction(0) if spread == 0 else Fraction(total * abs(total), spread)


def exact_pbo(returns, n_blocks):
    n_rows, n_columns = returns.shape
    blocks = np.split(np.arange(n_rows), n_blocks)
    n_overfit = 0
    halves = list(combinations(range(n_blocks), n_blocks // 2))
    for half in halves:
        inside = np.isin(np.arange(n_rows), np.concatenate([blocks[i] for i in half]))
        in_sample = [exact_sharpe(returns[inside, j].tolist()) for j in range(n_columns)]
        out_of_sample = [exact_sharpe(returns[~inside, j].tolist()) for j in range(n_columns)]
        chosen = out_of_sample[in_sample.index(max(in_sample))]
        n_overfit += sum(value < chosen for value in out_of_sample) <= sum(value > chosen for value in out_of_sample)
    return n_overfit / len(halves)


def test_pbo_is_that_of_exact_arithmetic_whatever_ties():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n_blocks = int(rng.choice([2, 4, 6]))
        returns = rng.integers(-3, 4, size=(n_blocks * int(rng.integers(2, 5)), int(rng.integers(2, 6))))
        returns[0], returns[1] = -1, 1  # so that no column is constant
        assert probability_of_backtest_overfitting(returns * 0.01, n_blocks).pbo == exact_pbo(returns, n_blocks)
