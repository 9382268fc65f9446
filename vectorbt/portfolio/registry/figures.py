"""Figures of what `vectorbt.portfolio.registry.selection_bias` finds, in vectorbt's own style.

Each takes a figure to draw on and arguments for its layout, as the plotting methods of vectorbt do."""

import math

from vectorbt import _typing as tp

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.overfitting import PBOResult
    from vectorbt.portfolio.registry.verdict import SelectionBias

__all__ = ["plot_degradation", "plot_logits", "plot_trials"]


def plot_logits(result: "PBOResult", fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any) -> tp.BaseFigure:
    """Plot the distribution of the logits. The share at or below zero is the probability of backtest overfitting.

    Args:
        result (PBOResult): What `probability_of_backtest_overfitting` returned.
        fig (Figure): Figure to add traces to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    layout = dict(
        title=f"Probability of backtest overfitting: {result.pbo:.1%}",
        xaxis_title="Logit of the rank out of sample",
        yaxis_title="Splits",
    )
    fig = _figure(fig, {**layout, **layout_kwargs})
    fig.add_trace(go.Histogram(x=result.logits, name="Splits", marker_color=_color("blue")))
    fig.add_vline(x=0, line_color=_color("red"), line_dash="dash", annotation_text="median")
    return fig


def plot_degradation(
    result: "PBOResult", fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any
) -> tp.BaseFigure:
    """Plot the Sharpe ratio of the selected trial out of sample against that in sample, one point per split.

    Args:
        result (PBOResult): What `probability_of_backtest_overfitting` returned.
        fig (Figure): Figure to add traces to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    inside, outside = result.is_oos.T
    layout = dict(
        title=f"Degradation: slope {result.slope:.2f}, probability of loss {result.prob_loss:.1%}",
        xaxis_title="Sharpe ratio in sample, per period",
        yaxis_title="Sharpe ratio out of sample, per period",
    )
    fig = _figure(fig, {**layout, **layout_kwargs})
    points = dict(color=_color("blue"), size=4, opacity=0.3)
    fig.add_trace(go.Scattergl(x=inside, y=outside, mode="markers", name="Splits", marker=points))
    if not math.isnan(result.slope):
        ends = [inside.min(), inside.max()]
        line = [result.intercept + result.slope * end for end in ends]
        fig.add_trace(go.Scatter(x=ends, y=line, mode="lines", name="Degradation", line_color=_color("red")))
    return fig


def plot_trials(
    verdict: "SelectionBias", fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any
) -> tp.BaseFigure:
    """Plot the Sharpe ratios of all trials, with the expected maximum of worthless ones and the run that is judged.

    Annualised, or per period without a frequency.

    Args:
        verdict (SelectionBias): What `vectorbt.portfolio.registry.registry.RunRegistry.selection_bias` returned.
        fig (Figure): Figure to add traces to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    layout = dict(
        title=f"{verdict.n_trials:,} trials: DSR {verdict.dsr:.1%}",
        xaxis_title=f"Sharpe ratio {verdict.unit}",
        yaxis_title="Trials",
        # The lines reach from bottom to top, however high the histogram.
        yaxis2=dict(overlaying="y", range=[0, 1], visible=False),
    )
    fig = _figure(fig, {**layout, **layout_kwargs})
    sharpes = verdict.trial_sharpes * verdict.scale
    fig.add_trace(go.Histogram(x=sharpes, name="Trials", marker_color=_color("blue")))
    for name, sharpe, color in (
        ("Expected maximum", verdict.expected_max_per_period, "red"),
        ("This run", verdict.sharpe_per_period, "green"),
    ):
        x, line = [sharpe * verdict.scale] * 2, dict(color=_color(color), dash="dash")
        fig.add_trace(go.Scatter(x=x, y=[0, 1], yaxis="y2", mode="lines", name=name, line=line))
    return fig


def _figure(fig: tp.Optional[tp.BaseFigure], layout: tp.Dict[str, tp.Any]) -> tp.BaseFigure:
    """Return the figure to draw on, with its layout."""
    from vectorbt.utils.figure import make_figure

    fig = make_figure() if fig is None else fig
    fig.update_layout(**layout)
    return fig


def _color(name: str) -> str:
    from vectorbt._settings import settings

    return settings["plotting"]["color_schema"][name]
