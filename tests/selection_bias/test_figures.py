"""Figures: what their traces hold, and where their lines are."""

import dataclasses

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
    overfit, better = fig.data
    assert sum(overfit.y) == (result.logits <= 0).sum() and sum(better.y) == (result.logits > 0).sum()
    # No bar lies on both sides of the median.
    assert all(x + width / 2 <= 1e-9 for x, width, y in zip(overfit.x, overfit.width, overfit.y) if y)
    assert f"worse half, {result.pbo:.1%}" in overfit.name and f"{1 - result.pbo:.1%}" in better.name
    assert fig.layout.shapes[0].x0 == 0 and fig.layout.annotations[0].text == "median of the trials"
    assert f"{result.pbo:.1%}" in fig.layout.title.text


def test_degradation(result):
    result = dataclasses.replace(result, periods_per_year=252.0)
    splits, diagonal, zero, fitted = result.plot_degradation().data
    assert np.sum(splits.z) == result.n_splits
    inside, outside = result.is_oos.T * 252**0.5
    np.testing.assert_allclose(diagonal.x, [inside.min(), inside.max()])
    np.testing.assert_allclose(diagonal.y, diagonal.x)
    assert tuple(zero.y) == (0, 0)
    slope, intercept = np.polyfit(inside, outside, 1)
    np.testing.assert_allclose(fitted.y, intercept + slope * np.array(fitted.x))
    assert "a year" in result.plot_degradation().layout.xaxis.title.text


def test_a_figure_of_many_splits_holds_few_numbers():
    returns = np.random.default_rng(3).normal(0.0005, 0.01, size=(160, 20))
    result = probability_of_backtest_overfitting(returns)
    for fig in (result.plot_logits(), result.plot_degradation()):
        assert sum(np.size(trace.y) for trace in fig.data) < 500
    assert "per period" in result.plot_degradation().layout.xaxis.title.text


def test_without_a_slope_there_is_no_line():
    returns = np.array([[0.01, -0.01], [0.02, -0.02]] * 2 + [[0.01, -0.01], [0.02, -0.02]] * 2)
    result = probability_of_backtest_overfitting(returns, n_blocks=2)
    assert np.isnan(result.slope) and len(result.plot_degradation().data) == 3


def test_trials(verdict):
    verdict = dataclasses.replace(verdict, holding_sharpe_ratio=0.63)
    fig = verdict.plot_trials()
    assert sum(fig.data[0].y) == 12 and fig.data[0].name == "Trials"
    np.testing.assert_allclose(
        [shape.x0 for shape in fig.layout.shapes], [verdict.expected_max_sharpe, verdict.sharpe_ratio, 0.63]
    )
    assert [text.text for text in fig.layout.annotations] == [
        f"luck: the best of 12 worthless trials shows {verdict.expected_max_sharpe:.2f}",
        f"this run: {verdict.sharpe_ratio:.2f}",
        "holding: 0.63",
    ]
    assert "a year" in fig.layout.xaxis.title.text and fig.layout.title.text == verdict.sentence


def test_trials_without_a_frequency_are_drawn_per_period():
    moments = {"periods_per_year": float("nan")}
    records = [make_trial(i, frequency=None, moments=moments) for i in range(1, 4)]
    verdict = registry_of(*records).selection_bias(records[0].run_id)
    fig = verdict.plot_trials()
    assert fig.layout.shapes[1].x0 == verdict.sharpe_per_period and len(fig.layout.shapes) == 2
    assert "per period" in fig.layout.xaxis.title.text


def test_a_figure_and_its_layout_can_be_given(result):
    fig = vbt.make_figure() if hasattr(vbt, "make_figure") else vbt.Figure()
    assert result.plot_logits(fig=fig, title="My title", width=321) is fig
    assert (fig.layout.title.text, fig.layout.width) == ("My title", 321)
