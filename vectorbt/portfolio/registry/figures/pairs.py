"""Columns of the table of runs against each other."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.figures.style import color, counted, figure_with, plain, rounded
from vectorbt.portfolio.registry.figures.thinning import sampled
from vectorbt.portfolio.registry.grid import Axis, Grid, numbers_of
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX, lower_is_better

_FIFTHS = ("worst fifth", "fourth", "third", "second", "best fifth")

_AXIS_LABELS = 5


def plot_scatter(
    frame: pd.DataFrame,
    x: str,
    y: str,
    color_by: tp.Optional[str] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Is one of these paid for with the other?

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them.
        x (str): Column along the horizontal axis.
        y (str): Column along the vertical axis.
        color_by (str): Column of numbers that colours the points.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If there is no run with both, or a column is not there."""
    import plotly.graph_objects as go

    columns = {name: _column(frame, name) for name in dict.fromkeys((x, y, *([color_by] if color_by else [])))}
    known = np.ones(len(frame), bool)
    for values in (columns[x], columns[y]):
        known &= pd.notna(values)
    places = np.flatnonzero(known)
    if not len(places):
        raise ValueError(f"no run has both {x} and {y}")
    heights = columns[y] if columns[y].dtype.kind == "f" else np.arange(len(frame), dtype=float)
    drawn = places[sampled(np.asarray(heights, dtype=float)[places])]
    part = (
        f"{len(drawn):,} of {counted(len(places), 'run')} drawn"
        if len(drawn) < len(places)
        else counted(len(places), "run")
    )
    left_out = f", {len(frame) - len(places):,} without one of them left out" if len(places) < len(frame) else ""
    layout = dict(
        width=720,
        height=480,
        title=f"{plain(y)} over {plain(x)}: {part}{left_out}",
        xaxis=dict(title=plain(x)),
        yaxis=dict(title=plain(y)),
        showlegend=False,
    )
    fig = figure_with(fig, layout_kwargs, layout)
    marker: tp.Dict[str, tp.Any] = dict(size=6, color=color("blue"), opacity=0.7)
    if color_by is not None:
        if columns[color_by].dtype.kind != "f":
            raise ValueError(f"{color_by} has no numbers to colour points by")
        shades = dict(colorscale="Viridis", showscale=True, colorbar=dict(title=plain(color_by)))
        marker.update(color=rounded(columns[color_by][drawn]), reversescale=lower_is_better(color_by), **shades)
    fig.add_trace(
        go.Scatter(
            x=_drawn(columns[x][drawn]),
            y=_drawn(columns[y][drawn]),
            mode="markers",
            marker=marker,
            customdata=[frame.index[place] for place in drawn],
            hovertemplate=f"run %{{customdata}}<br>{plain(x)} %{{x}}<br>{plain(y)} %{{y}}<extra></extra>",
        )
    )
    if columns[x].dtype.kind == columns[y].dtype.kind == "f":
        thin_line = dict(color=color("gray"), width=1)
        fig.add_vline(x=float(np.median(columns[x][places])), line=thin_line)
        fig.add_hline(y=float(np.median(columns[y][places])), line=thin_line)
    return fig


def plot_parallel(
    frame: pd.DataFrame,
    metric: str = "sharpe_ratio",
    dimensions: tp.Optional[tp.Sequence[str]] = None,
    top: int = 500,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """What do the best runs have in common?

    Each run is a line from parameter to parameter to its metric, coloured by the fifth that it belongs to. The best
    ones are drawn last. Values that are no numbers lie at equal distances.

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them.
        metric (str): Metric, on the rightmost axis.
        dimensions (list of str): Columns to draw. Defaults to the parameters in which the runs differ.
        top (int): Number of runs at most, the best ones.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If there is no run with the metric, or a column is not there."""
    import plotly.graph_objects as go
    from plotly.colors import sample_colorscale

    values = _column(frame, metric)
    if values.dtype.kind != "f" or not np.isfinite(values).any():
        raise ValueError(f"no run has a finite {metric}")
    order = np.flatnonzero(np.isfinite(values))
    order = order[np.argsort(values[order], kind="stable")]
    if lower_is_better(metric):
        order = order[::-1]
    shown = order[-top:]  # the best come last
    names = dimensions or [f"{PARAMETER_PREFIX}{name}" for name in Grid(frame.iloc[shown]).axes]
    if not names:
        raise ValueError("the runs differ in no parameter; name the columns to draw: dimensions=[...]")
    part = frame.iloc[shown]
    axes = [_scaled(part, name) for name in names] + [_scaled(part, metric)]
    layout = dict(
        width=max(720, 160 * len(axes)),
        height=440,
        title=f"The best {len(shown):,} of {counted(len(order), 'run')} by {plain(metric)}",
        xaxis=dict(
            tickvals=list(range(len(axes))),
            ticktext=[plain(name.removeprefix(PARAMETER_PREFIX)) for name in [*names, metric]],
            side="top",
            showgrid=False,
            range=[-0.2, len(axes) - 0.6],
        ),
        yaxis=dict(visible=False, range=[-0.05, 1.05]),
        legend=dict(orientation="v", y=1, x=1.02, xanchor="left", yanchor="top", traceorder="reversed"),
        margin=dict(t=90),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    heights = np.column_stack([axis.heights for axis in axes])
    fifths = np.minimum(np.arange(len(shown)) * len(_FIFTHS) // len(shown), len(_FIFTHS) - 1)
    shades = sample_colorscale("Viridis", np.linspace(0, 1, len(_FIFTHS)).tolist())
    for fifth, (name, shade) in enumerate(zip(_FIFTHS, shades)):
        lines = heights[fifths == fifth]
        if not len(lines):
            continue
        ids = part.index[fifths == fifth]
        padded = np.column_stack([lines, np.full(len(lines), np.nan)])
        fig.add_trace(
            go.Scatter(
                x=[*range(len(axes)), None] * len(lines),
                y=rounded(padded.ravel()),
                mode="lines",
                name=name,
                line=dict(color=shade, width=1),
                opacity=0.5,
                customdata=np.repeat(ids, len(axes) + 1).tolist(),
                hoverinfo="skip",
            )
        )
    written = dict(showarrow=False, xanchor="left", xshift=3, font=dict(size=11, color="black"))
    for at, axis in enumerate(axes):
        fig.add_vline(x=at, line=dict(color=color("gray"), width=1))
        for height, text in axis.labels:
            fig.add_annotation(x=at, y=height, text=text, bgcolor="rgba(255,255,255,0.75)", **written)
    return fig


class _Scaled(tp.NamedTuple):
    """A column as heights between 0 and 1, and what is written at some of them."""

    heights: tp.Array1d
    labels: tp.List[tp.Tuple[float, str]]


def _scaled(frame: pd.DataFrame, name: str) -> _Scaled:
    values = _column(frame, name)
    if values.dtype.kind == "f" and np.isfinite(values).any():
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        span = (high - low) or 1.0
        at = np.linspace(0, 1, _AXIS_LABELS) if high > low else np.zeros(1)
        return _Scaled((values - low) / span, [(height, f"{low + height * span:.4g}") for height in at.tolist()])
    axis = Axis(name, frame[name])
    last = max(len(axis) - 1, 1)
    heights = np.where(axis.places >= 0, axis.places / last, np.nan)
    step = max(1, len(axis) // 12)
    return _Scaled(heights, [(place / last, plain(text)) for place, text in enumerate(axis.labels)][::step])


def _column(frame: pd.DataFrame, name: str) -> tp.Array1d:
    """Return a column as an array: floats where it has numbers or durations (in days), else as it is."""
    if name not in frame:
        raise ValueError(f"these runs have no column {name!r}; see to_frame().columns")
    column = frame[name]
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if is_number or pd.api.types.is_timedelta64_dtype(column):
        return numbers_of(column)
    return column.to_numpy()


def _drawn(values: tp.Array1d) -> tp.List[tp.Any]:
    if values.dtype.kind == "f":
        return rounded(values)
    return (
        list(values) if values.dtype.kind == "M" or hasattr(values, "tz") else [plain(str(value)) for value in values]
    )
