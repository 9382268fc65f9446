"""Figures: what their traces hold, and where their lines are."""

import numpy as np
import pytest

import vectorbt as vbt
from tests.selection_bias.test_judge import registry_of
from tests.selection_bias.test_trials import make_trial
from vectorbt.portfolio.registry.selection_bias import probability_of_backtest_overfitting


@pytest.fixture(autouse=True)
def _plain_figures():
    use_widgets = vbt.settings["plotting"]["use_widgets"]
    vbt.settings["plotting"]["use_widgets"] = False
    yield
    vbt.settings["plotting"]["use_widgets"] = use_widgets


@pytest.fixture
def result():
    returns = np.random.default_rng(3).normal(0.0005, 0.01, size=(96, 7))
    return probability_of_backtest_overfitting(returns, n_blocks=6)


@pytest.fixture
def verdict():
    return registry_of(*(make_trial(i) for i in range(1, 13))).selection_bias()


def test_logits(result):
    fig = result.plot_logits()
    assert isinstance(fig, vbt.Figure)
    np.testing.assert_array_equal(fig.data[0].x, result.logits)
    assert fig.layout.shapes[0].x0 == 0 and f"{result.pbo:.1%}" in fig.layout.title.text


def test_degradation(result):
    points, line = result.plot_degradation().data
    np.testing.assert_array_equal(points.x, result.is_oos[:, 0])
    np.testing.assert_array_equal(points.y, result.is_oos[:, 1])
    np.testing.assert_allclose(line.y, result.intercept + result.slope * np.array(line.x))
    assert list(line.x) == [result.is_oos[:, 0].min(), result.is_oos[:, 0].max()]


def test_without_a_slope_there_is_no_line():
    returns = np.array([[0.01, -0.01], [0.02, -0.02]] * 2 + [[0.01, -0.01], [0.02, -0.02]] * 2)
    result = probability_of_backtest_overfitting(returns, n_blocks=2)
    assert np.isnan(result.slope) and len(result.plot_degradation().data) == 1


def test_trials(verdict):
    fig = verdict.plot_trials()
    trials, maximum, winner = fig.data
    np.testing.assert_allclose(trials.x, verdict.trial_sharpes * 252**0.5)
    np.testing.assert_allclose(maximum.x, [verdict.expected_max_sharpe] * 2)
    np.testing.assert_allclose(winner.x, [verdict.sharpe_ratio] * 2)
    assert [trace.name for trace in fig.data] == ["Trials", "Expected maximum", "This run"]
    assert "a year" in fig.layout.xaxis.title.text


def test_trials_without_a_frequency_are_drawn_per_period():
    moments = {"periods_per_year": float("nan")}
    records = [make_trial(i, frequency=None, moments=moments) for i in range(1, 4)]
    fig = registry_of(*records).selection_bias(records[0].run_id).plot_trials()
    np.testing.assert_allclose(fig.data[0].x, [0.01, 0.02, 0.03])
    assert "per period" in fig.layout.xaxis.title.text


def test_a_figure_and_its_layout_can_be_given(result):
    fig = vbt.make_figure() if hasattr(vbt, "make_figure") else vbt.Figure()
    assert result.plot_logits(fig=fig, title="My title", width=321) is fig
    assert (fig.layout.title.text, fig.layout.width) == ("My title", 321)
