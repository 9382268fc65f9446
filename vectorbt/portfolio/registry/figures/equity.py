"""Runs over time: growth, drawdowns, and ratios over a moving window."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.figures.style import (
    HOLDING_COLOR,
    color,
    counted,
    figure_with,
    line_of,
    plain,
    rounded,
    times,
)
from vectorbt.portfolio.registry.figures.thinning import thinned

MAX_LABELLED = 12
"""Lines whose names fit beside their ends."""

_LABEL_DISTANCE = 0.045
"""Least distance of two labels, as a share of the height."""

_GROWTH_HEIGHT = 0.68
"""Share of the height that growth takes where drawdowns are drawn below it."""


def plot_equity(
    returns: pd.DataFrame,
    labels: tp.Optional[tp.Mapping[str, str]] = None,
    benchmark: tp.Optional[pd.Series] = None,
    drawdown: bool = True,
    rebase: float = 1.0,
    log: bool = True,
    place_labels: str = "end",
    title: tp.Optional[str] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """How did these runs grow, and how deep did they fall?

    Args:
        returns (DataFrame): Returns per period, one column per run. Each run is drawn over its own periods: those in
            which it is not NaN.
        labels (dict): What the line of each run is called. Defaults to the first characters of its id.
        benchmark (Series): Returns of holding, or of anything else to compare with.
        drawdown (bool): Whether to draw the distance from the last high below.
        rebase (float): Where all lines begin.
        log (bool): Whether growth is on a logarithmic scale, where equal distances are equal growth.
        place_labels (str): `"end"`, at the ends of the lines, or `"legend"`. More than twelve runs have a legend.
        title (str): Title.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure."""
    if returns.shape[1] == 0:
        raise ValueError("no runs to draw")
    if place_labels not in ("end", "legend"):
        raise ValueError(f"place_labels must be 'end' or 'legend', not {place_labels!r}")
    names = {run_id: (labels or {}).get(run_id, run_id[:8]) for run_id in map(str, returns)}
    at_end = place_labels == "end" and len(names) <= MAX_LABELLED
    growth_axis = dict(title="Growth of " + f"{rebase:g}", type="log" if log else "linear")
    layout: tp.Dict[str, tp.Any] = dict(
        width=820,
        height=470,
        title=title or f"{counted(len(names), 'run')} over time",
        showlegend=not at_end,
        legend=dict(orientation="v", x=1.01, y=1, xanchor="left", yanchor="top", traceorder="normal"),
        margin=dict(r=150),
        hovermode="x unified" if len(names) == 1 else "closest",
        yaxis=dict(growth_axis, domain=[1 - _GROWTH_HEIGHT, 1] if drawdown else [0, 1]),
        xaxis=dict(anchor="y2" if drawdown else "y"),
    )
    if drawdown:
        layout["yaxis2"] = dict(title="Drawdown", domain=[0, 1 - _GROWTH_HEIGHT - 0.04], tickformat=".0%", anchor="x")
    fig = figure_with(fig, layout_kwargs, layout)
    ends = []
    if benchmark is not None:
        line = dict(color=color(HOLDING_COLOR), dash="dot", width=1.5)
        ends.append(_add_run(fig, benchmark.dropna(), "holding", None, line, rebase, drawdown, filled=False))
    for place, run_id in enumerate(map(str, returns)):
        own = returns[run_id].dropna()
        line = line_of(place, width=1.5)
        filled = len(names) == 1
        ends.append(_add_run(fig, own, plain(names[run_id]), run_id, line, rebase, drawdown, filled))
    if at_end:
        _label_ends(fig, ends, log)
    return fig


class _End(tp.NamedTuple):
    """Where a line ends, what it is called, and its colour."""

    height: float
    name: str
    color: str
    lowest: float
    highest: float


def _add_run(
    fig: tp.BaseFigure,
    returns: pd.Series,
    name: str,
    run_id: tp.Optional[str],
    line: tp.Dict[str, tp.Any],
    rebase: float,
    drawdown: bool,
    filled: bool,
) -> _End:
    """Draw one run, and return where it ends."""
    import plotly.graph_objects as go

    growth = np.cumprod(1 + returns.to_numpy(dtype=float))
    highs = np.maximum.accumulate(np.maximum(growth, 1.0)) if len(growth) else growth
    value = growth * rebase

    def add(heights: tp.Array1d, axis: str, form: str, **kwargs: tp.Any) -> None:
        shown = thinned(heights)
        fig.add_trace(
            go.Scatter(
                x=times(returns.index[shown]),
                y=rounded(heights[shown]),
                yaxis=axis,
                name=name,
                mode="lines",
                meta=run_id,
                hovertemplate=f"{name} · %{{y:{form}}}<extra></extra>",
                legendgroup=name,
                **kwargs,
            )
        )

    add(value, "y", ",.4g", line=line)
    if drawdown:
        below = dict(line, width=1)
        add(growth / highs - 1, "y2", ".1%", line=below, showlegend=False, fill="tozeroy" if filled else "none")
    known = value[np.isfinite(value)]
    lowest, highest = (float(known.min()), float(known.max())) if len(known) else (rebase, rebase)
    return _End(float(known[-1]) if len(known) else rebase, name, line["color"], lowest, highest)


def _label_ends(fig: tp.BaseFigure, ends: tp.Sequence[_End], log: bool) -> None:
    """Write the name of each line at its end, moved apart where they would cover each other."""
    scale = (lambda value: float(np.log10(max(value, 1e-12)))) if log else float
    low = scale(min(end.lowest for end in ends))
    high = scale(max(end.highest for end in ends))
    span = (high - low) or 1.0
    low, high = low - 0.05 * span, high + 0.05 * span
    fig.update_layout(yaxis_range=[low, high])
    domain = fig.layout.yaxis.domain
    wanted = [domain[0] + (scale(end.height) - low) / (high - low) * (domain[1] - domain[0]) for end in ends]
    for end, height in zip(ends, _apart(wanted, _LABEL_DISTANCE)):
        fig.add_annotation(
            x=1.005,
            xref="paper",
            xanchor="left",
            y=height,
            yref="paper",
            yanchor="middle",
            text=end.name,
            showarrow=False,
            font=dict(color=end.color, size=12),
        )


def _apart(heights: tp.Sequence[float], distance: float) -> tp.List[float]:
    """Return heights in which no two are closer than a distance, in the order of the given ones and near to them."""
    order = np.argsort(heights, kind="stable")
    ranks = np.arange(len(heights)) * distance
    free = np.array(heights, dtype=float)[order] - ranks
    # The nearest heights in rising order: neighbours that would change places share the mean of what they want.
    blocks: tp.List[tp.List[float]] = []
    for height in free:
        blocks.append([height, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (first, n_first), (second, n_second) = blocks[-2:]
            blocks[-2:] = [[(first * n_first + second * n_second) / (n_first + n_second), n_first + n_second]]
    moved = np.concatenate([[height] * int(n) for height, n in blocks]) + ranks
    apart = np.empty(len(heights))
    apart[order] = moved
    return apart.tolist()


def plot_rolling(
    returns: pd.DataFrame,
    periods_per_year: float,
    window: int = 252,
    labels: tp.Optional[tp.Mapping[str, str]] = None,
    benchmark: tp.Optional[pd.Series] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Was it good all the time, or once?

    Draws the Sharpe ratio a year over a moving window.

    Args:
        returns (DataFrame): Returns per period, one column per run.
        periods_per_year (float): Periods in a year.
        window (int): Periods in the window.
        labels (dict): What the line of each run is called.
        benchmark (Series): Returns of holding, or of anything else to compare with.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    if returns.shape[1] == 0:
        raise ValueError("no runs to draw")
    if window < 2:
        raise ValueError(f"window must be at least 2 periods, not {window!r}")
    layout = dict(
        width=820,
        height=350,
        title=f"Sharpe ratio a year over {window:,} periods",
        yaxis=dict(title="Sharpe ratio a year", zeroline=True),
        legend=dict(orientation="v", x=1.01, y=1, xanchor="left", yanchor="top"),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    lines: tp.List[tp.Tuple[str, tp.Optional[str], pd.Series, tp.Dict[str, tp.Any]]] = []
    if benchmark is not None:
        lines.append(("holding", None, benchmark, dict(color=color(HOLDING_COLOR), dash="dot")))
    for place, run_id in enumerate(map(str, returns)):
        name = plain((labels or {}).get(run_id, run_id[:8]))
        lines.append((name, run_id, returns[run_id], line_of(place, width=1.5)))
    for name, owner, series, line in lines:
        own = series.dropna()
        moving = own.rolling(window)
        spread = moving.std()
        ratio = (moving.mean() / spread.where(spread > 0)).to_numpy() * np.sqrt(periods_per_year)
        shown = thinned(ratio)
        fig.add_trace(
            go.Scatter(
                x=times(own.index[shown]),
                y=rounded(ratio[shown]),
                name=name,
                mode="lines",
                line=line,
                meta=owner,
                hovertemplate=f"{name} · %{{y:.2f}}<extra></extra>",
            )
        )
    return fig
