"""What was tried as a whole, against luck."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.figures.luck import Luck
from vectorbt.portfolio.registry.figures.style import (
    HOLDING_COLOR,
    LUCK_COLOR,
    color,
    counted,
    figure_with,
    mark,
    rounded,
)


def plot_distribution(
    sharpes: tp.Array1d,
    winner: float,
    luck: tp.Optional[Luck] = None,
    bins: int = 80,
    unit: str = "a year",
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Does the winner stand out of all that was tried, and beyond what luck would show?

    Args:
        sharpes (array): Sharpe ratio of each trial.
        winner (float): Sharpe ratio of the run that is judged.
        luck (Luck): Hurdles, in the same unit.
        bins (int): Number of bars.
        unit (str): Period of the Sharpe ratios.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    known = np.asarray(sharpes, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        raise ValueError("no trials to draw")
    title = f"{counted(len(known), 'trial')}: the run shows {winner:.2f}"
    if luck is not None and luck.is_usable:
        title += f", the best of as many worthless ones would show {luck.worthless:.2f}"
    layout = dict(
        width=760,
        height=380,
        title=title,
        bargap=0.02,
        showlegend=False,
        xaxis=dict(title=f"Sharpe ratio {unit}"),
        yaxis=dict(title="Trials"),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    counts, edges = np.histogram(known, bins=min(bins, max(10, len(known))))
    middles = (edges[:-1] + edges[1:]) / 2
    fig.add_trace(
        go.Bar(
            x=rounded(middles),
            y=counts.tolist(),
            width=float(edges[1] - edges[0]),
            marker_color=color("blue"),
            hovertemplate="%{y} trials at %{x:.2f}<extra></extra>",
        )
    )
    lines = [(winner, f"this run {winner:.2f}", "green", "solid")]
    if luck is not None and luck.is_usable:
        lines.append((luck.worthless, f"luck alone {luck.worthless:.2f}", LUCK_COLOR, "dash"))
        lines.append((luck.around_mean, f"luck around the trials' mean {luck.around_mean:.2f}", LUCK_COLOR, "dot"))
        above = max(luck.worthless, luck.around_mean)
        fig.add_vrect(
            x0=above,
            x1=max(above * 1.1, float(edges[-1]), winner),
            fillcolor=color("green"),
            opacity=0.08,
            line_width=0,
        )
    if luck is not None:
        lines.append((luck.holding, f"holding {luck.holding:.2f}", HOLDING_COLOR, "dot"))
    for place, (x, text, name, dash) in enumerate(lines):
        mark(fig, x, text, name, dash, place)
    drawn = [edges[0], edges[-1], *(x for x, *_ in lines if np.isfinite(x))]
    span = max(drawn) - min(drawn)
    # The texts stand to the right of their lines.
    fig.update_xaxes(range=[min(drawn) - 0.03 * span, max(drawn) + 0.25 * span])
    return fig


class Step(tp.NamedTuple):
    """One save in the order of time: a run, or all runs of a sweep at once."""

    n_trials: int
    """Number of trials up to and with this one."""
    moment: pd.Timestamp
    """When it was saved."""
    low: float
    """Tenth percentile of the Sharpe ratios of its runs."""
    high: float
    """Ninetieth percentile."""
    best: float
    """Best Sharpe ratio so far."""
    luck: Luck
    """Hurdles that the trials so far make."""
    n_runs: int
    """Number of its runs."""
    n_deleted: int
    """Number of its runs that are deleted."""


def plot_timeline(
    steps: tp.Sequence[Step],
    x: str = "trials",
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """How long have I been fishing, and did the best catch grow faster than what luck would have brought?

    A sweep is one step, since its columns have no order in time.

    Args:
        steps (sequence of Step): Saves in the order of time.
        x (str): `"trials"`, their number on a logarithmic scale, or `"time"`.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    if not steps:
        raise ValueError("no trials to draw")
    if x not in ("trials", "time"):
        raise ValueError(f"x must be 'trials' or 'time', not {x!r}")
    at = [step.n_trials if x == "trials" else step.moment for step in steps]
    last = steps[-1]
    title = f"{counted(last.n_trials, 'trial')}: best so far {last.best:.2f}"
    if last.luck.is_usable:
        title += f", luck would have brought {last.luck.worthless:.2f}"
    axis = dict(title="Number of trials", type="log") if x == "trials" else dict(title="Saved")
    layout = dict(
        width=760,
        height=400,
        title=title,
        xaxis=axis,
        yaxis=dict(title="Sharpe ratio a year"),
        legend=dict(orientation="h", y=-0.22, x=0, xanchor="left", yanchor="top"),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    spread_x: tp.List[tp.Any] = []
    spread_y: tp.List[tp.Any] = []
    for place, step in zip(at, steps):
        spread_x += [place, place, None]
        spread_y += [*rounded([step.low, step.high]), None]
    fig.add_trace(
        go.Scatter(
            x=spread_x,
            y=spread_y,
            mode="lines+markers",
            name="trials (10 to 90 %)",
            line=dict(color=color("blue"), width=2),
            marker=dict(size=4),
            hoverinfo="skip",
        )
    )
    deleted = [(place, step) for place, step in zip(at, steps) if step.n_deleted]
    if deleted:
        fig.add_trace(
            go.Scatter(
                x=[place for place, _ in deleted],
                y=rounded([step.high for _, step in deleted]),
                mode="markers",
                name="deleted, and trials all the same",
                marker=dict(symbol="circle-open", size=9, color=color("gray")),
                text=[f"{counted(step.n_deleted, 'run')} deleted of {step.n_runs:,}" for _, step in deleted],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    for name, values, shade, dash in (
        ("best so far", [step.best for step in steps], "green", "solid"),
        ("luck alone", [step.luck.worthless for step in steps], LUCK_COLOR, "dash"),
        ("luck around the mean", [step.luck.around_mean for step in steps], LUCK_COLOR, "dot"),
    ):
        fig.add_trace(
            go.Scatter(
                x=at,
                y=rounded(values),
                mode="lines",
                name=name,
                line=dict(color=color(shade), dash=dash, shape="hv"),
                hovertemplate=f"{name} %{{y:.2f}}<extra></extra>",
            )
        )
    return fig
