"""A metric over the parameters that were tried."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.figures.luck import Luck
from vectorbt.portfolio.registry.figures.style import LUCK_COLOR, color, counted, figure_with, ink, plain, rounded
from vectorbt.portfolio.registry.grid import Axis, Grid, Neighbourhood, finite_values
from vectorbt.portfolio.registry.metric_names import lower_is_better

SHARPE = "sharpe_ratio"
"""The metric that luck is measured in."""

_MAX_PANELS = 8


class Cells(tp.NamedTuple):
    """A metric by two parameters, and the run behind each cell."""

    values: tp.Array2d
    """Metric, with one row for each value of the second parameter."""
    places: tp.Array2d
    """Place of the run that a cell shows, -1 where none was tried."""


def plot_heatmap(
    frame: pd.DataFrame,
    metric: str = SHARPE,
    x_level: tp.Optional[str] = None,
    y_level: tp.Optional[str] = None,
    slider_level: tp.Optional[str] = None,
    agg: str = "best",
    luck: tp.Optional[Luck] = None,
    neighbourhood: tp.Optional[Neighbourhood] = None,
    mark_winner: bool = True,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Is the best cell a plateau, or one bright dot below what luck would show?

    Sharpe ratios are coloured up to what luck alone would show: as long as no cell is darker than the end of the
    scale, there is nothing to see. A cell above it has a frame.

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them.
        metric (str): Metric.
        x_level (str): Parameter along the horizontal axis. Defaults to the one with the most values.
        y_level (str): Parameter along the vertical axis. Defaults to the next one. Without one the figure is a line.
        slider_level (str): Parameter that a slider goes through.
        agg (str): What a cell shows of several runs: `"best"` or `"median"`.
        luck (Luck): Hurdles.
        neighbourhood (Neighbourhood): What lies around the winner.
        mark_winner (bool): Whether to mark the winner.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If there is no run with the metric, no parameter in which the runs differ, or a level is none of
            these."""
    if agg not in ("best", "median"):
        raise ValueError(f"agg must be 'best' or 'median', not {agg!r}")
    values, grid = _measured(frame, metric)
    x, y, slider = _levels(grid, x_level, y_level, slider_level)
    winner = _winner(values, metric)
    if y is None:
        return _plot_line(grid, values, metric, x, luck, winner if mark_winner else None, fig, layout_kwargs)
    import plotly.graph_objects as go

    scale = _scale_of(values, metric, luck)
    steps = [None] if slider is None else list(range(len(slider)))
    first = 0 if slider is None or winner is None else max(int(slider.places[winner]), 0)
    layout = dict(
        width=720,
        height=560,
        title=_title(values, metric, luck, winner),
        xaxis=_axis_layout(x),
        yaxis=_axis_layout(y),
        legend=dict(orientation="h", y=-0.18, x=0, xanchor="left", yanchor="top"),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    for step in steps:
        chosen = np.ones(len(values), bool) if slider is None or step is None else slider.places == step
        cells = _cells(values, x, y, chosen, metric, agg)
        shown = step is None or step == first
        fig.add_trace(_heatmap(go, grid, cells, x, y, metric, scale, shown))
        if luck is not None and luck.is_usable and metric == SHARPE:
            fig.add_trace(_above_luck(go, cells, x, y, luck, shown))
    if slider is not None:
        _add_slider(fig, slider, first, len(fig.data) // len(steps))
    if mark_winner and winner is not None and x.places[winner] >= 0 and y.places[winner] >= 0:
        star = dict(
            symbol="star", size=15, color=ink(), line=dict(color="white" if ink() == "black" else "black", width=1)
        )
        fig.add_trace(
            go.Scatter(
                x=[x.ticks[x.places[winner]]],
                y=[y.ticks[y.places[winner]]],
                mode="markers",
                marker=star,
                name="winner",
                customdata=[grid.run_ids[winner]],
                hovertemplate=f"winner: {plain(grid.label(winner))}<extra></extra>",
                showlegend=False,
            )
        )
        if neighbourhood is not None:
            _frame_neighbourhood(fig, neighbourhood, x, y)
    return fig


def plot_volume(
    frame: pd.DataFrame,
    metric: str = SHARPE,
    x_level: tp.Optional[str] = None,
    y_level: tp.Optional[str] = None,
    z_level: tp.Optional[str] = None,
    luck: tp.Optional[Luck] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Where in the space of three parameters are the good runs?

    Needs WebGL, which many browsers that are remote or without a screen do not have: they show one sentence instead.

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them.
        metric (str): Metric.
        x_level (str): First parameter. By default those with the most values are taken.
        y_level (str): Second parameter.
        z_level (str): Third parameter.
        luck (Luck): Hurdles. The colours of Sharpe ratios end at luck.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If the runs do not differ in three parameters."""
    values, grid = _measured(frame, metric)
    if len(grid.axes) < 3:
        raise ValueError(f"a volume needs three parameters in which runs differ; these differ in {_named(grid.axes)}")
    names = [x_level, y_level, z_level]
    rest = [name for name in grid.axes if name not in names]
    axes = [_axis_of(grid, name) if name is not None else grid.axes[rest.pop(0)] for name in names]
    good = -values if lower_is_better(metric) else values
    order = np.argsort(np.where(np.isnan(good), -np.inf, good), kind="stable")
    best = {tuple(axis.places[place] for axis in axes): place for place in order}  # the best one comes last, and stays
    places = np.array(list(best.values()))
    labels = [[axis.labels[place] for place in axis.places[places]] for axis in axes]
    index = pd.MultiIndex.from_arrays(
        [
            [axis.values[place] if axis.is_numeric else label for place, label in zip(axis.places[places], own)]
            for axis, own in zip(axes, labels)
        ],
        names=[axis.name for axis in axes],
    )
    scale = _scale_of(values, metric, luck)
    layout = {
        **dict(width=760, height=620, title=_title(values, metric, luck, _winner(values, metric))),
        **layout_kwargs,
    }
    return pd.Series(values[places], index=index).vbt.volume(
        trace_kwargs=dict(colorscale=scale["colorscale"], cmin=scale["zmin"], cmax=scale["zmax"]), fig=fig, **layout
    )


def plot_marginals(
    frame: pd.DataFrame,
    metric: str = SHARPE,
    top: int = _MAX_PANELS,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Which parameter matters, and where is it good?

    One panel for each parameter, the one that matters most first: a bar from the tenth to the ninetieth percentile of
    all runs at each value, their median as a line, and the winner as a star.

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them.
        metric (str): Metric.
        top (int): Number of panels at most.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    from vectorbt.utils.figure import make_subplots

    values, grid = _measured(frame, metric)
    if not grid.axes:
        raise ValueError("the runs differ in no parameter; a figure over parameters needs one")
    spread = {name: _quantiles(values, axis) for name, axis in grid.axes.items()}
    ordered = sorted(grid.axes, key=lambda name: np.ptp(spread[name][1][~np.isnan(spread[name][1])]), reverse=True)[
        :top
    ]
    n_rows = -(-len(ordered) // 2)
    n_columns = min(2, len(ordered))
    fig = make_subplots(rows=n_rows, cols=n_columns, subplot_titles=list(map(plain, ordered))) if fig is None else fig
    layout = dict(
        width=400 * n_columns + 40,
        height=260 * n_rows + 80,
        showlegend=False,
        title=_named_metric(metric),
        margin=dict(t=80),
    )
    figure_with(fig, layout_kwargs, layout)
    winner = _winner(values, metric)
    for panel, name in enumerate(ordered):
        axis, where = grid.axes[name], dict(row=panel // n_columns + 1, col=panel % n_columns + 1)
        low, middle, high = spread[name]
        line = dict(color=color("blue"))
        fig.add_trace(
            go.Bar(
                x=axis.labels,
                base=rounded(low),
                y=rounded(high - low),
                marker=dict(color=color("blue"), opacity=0.3),
                hoverinfo="skip",
            ),
            **where,
        )
        fig.add_trace(
            go.Scatter(
                x=axis.labels,
                y=rounded(middle),
                mode="lines+markers",
                line=line,
                hovertemplate=f"{plain(name)} %{{x}}: median %{{y:.3g}}<extra></extra>",
            ),
            **where,
        )
        if winner is not None and axis.places[winner] >= 0:
            _add_star(go, fig, axis.labels[axis.places[winner]], values[winner], grid.run_ids[winner], **where)
        fig.update_xaxes(type="category", **where)
    return fig


def plot_plateau(
    frame: pd.DataFrame,
    neighbourhood: Neighbourhood,
    luck: tp.Optional[Luck] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Do the neighbours of the winner do as well?

    One panel for each parameter: the metric along it, the other parameters being those of the run, over the tenth to
    the ninetieth percentile of all runs at that value.

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them, the run among them.
        neighbourhood (Neighbourhood): The run, and what is around it.
        luck (Luck): Hurdles.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure."""
    import plotly.graph_objects as go

    from vectorbt.utils.figure import make_subplots

    metric = neighbourhood.metric
    values, grid = _measured(frame, metric)
    place = grid.run_ids.index(neighbourhood.run_id)
    names = [name for name, axis in grid.axes.items() if axis.places[place] >= 0][:6]
    if not names:
        raise ValueError("the runs differ in no parameter; a figure over parameters needs one")
    n_columns = min(2, len(names))
    n_rows = -(-len(names) // n_columns)
    fig = make_subplots(rows=n_rows, cols=n_columns, shared_yaxes=True) if fig is None else fig
    layout = dict(
        width=400 * n_columns + 40, height=300 * n_rows + 60, showlegend=False, title=_title_of_plateau(neighbourhood)
    )
    figure_with(fig, layout_kwargs, layout)
    for panel, name in enumerate(names):
        axis, where = grid.axes[name], dict(row=panel // n_columns + 1, col=panel % n_columns + 1)
        low, _, high = _quantiles(values, axis)
        band = dict(mode="lines", line=dict(width=0), hoverinfo="skip", **{})
        fig.add_trace(go.Scatter(x=axis.ticks, y=rounded(low), **band), **where)
        fig.add_trace(
            go.Scatter(x=axis.ticks, y=rounded(high), fill="tonexty", fillcolor="rgba(127,127,127,0.25)", **band),
            **where,
        )
        alike = np.ones(len(values), bool)
        for other, own in grid.axes.items():
            alike &= (own.places == own.places[place]) | (other == name)
        along = np.flatnonzero(alike & (axis.places >= 0))
        along = along[np.argsort(axis.places[along], kind="stable")]
        fig.add_trace(
            go.Scatter(
                x=[axis.ticks[at] for at in axis.places[along]],
                y=rounded(values[along]),
                mode="lines+markers",
                line=dict(color=color("blue")),
                marker=dict(size=4),
                customdata=[grid.run_ids[at] for at in along],
                hovertemplate=f"{plain(name)} %{{x}}: %{{y:.3g}}<extra></extra>",
            ),
            **where,
        )
        _add_star(go, fig, axis.ticks[axis.places[place]], values[place], neighbourhood.run_id, **where)
        if luck is not None and luck.is_usable and metric == SHARPE:
            fig.add_hline(y=luck.worthless, line=dict(color=color(LUCK_COLOR), dash="dash"), **where)
        fig.update_xaxes(title_text=plain(name), type=None if axis.is_even else "category", **where)
    fig.update_yaxes(title_text=_named_metric(metric), col=1)
    return fig


# ############# Data ############# #


def _measured(frame: pd.DataFrame, metric: str) -> tp.Tuple[tp.Array1d, Grid]:
    """Return the metric of each run, NaN where it is not finite, and the grid of the runs."""
    if not len(frame):
        raise ValueError("no runs to draw")
    values = finite_values(frame, metric)
    return values, Grid(frame)


def _winner(values: tp.Array1d, metric: str) -> tp.Optional[int]:
    """Return the place of the best run."""
    if np.isnan(values).all():
        return None
    return int(np.nanargmin(values) if lower_is_better(metric) else np.nanargmax(values))


def _axis_of(grid: Grid, name: str) -> Axis:
    if name not in grid.axes:
        raise ValueError(f"the runs do not differ in a parameter {name!r}; they differ in {_named(grid.axes)}")
    return grid.axes[name]


def _levels(
    grid: Grid, x_level: tp.Optional[str], y_level: tp.Optional[str], slider_level: tp.Optional[str]
) -> tp.Tuple[Axis, tp.Optional[Axis], tp.Optional[Axis]]:
    """Return the axes of a heatmap. Of parameters that nobody named, those with the most values come first.

    With exactly three parameters the third is a slider; of more than these, cells hold several runs."""
    if not grid.axes:
        raise ValueError("the runs differ in no parameter; a figure over parameters needs one")
    named = [name for name in (x_level, y_level, slider_level) if name is not None]
    rest = [name for name in grid.axes if name not in named]
    x = _axis_of(grid, x_level) if x_level is not None else grid.axes[rest.pop(0)] if rest else None
    y = _axis_of(grid, y_level) if y_level is not None else grid.axes[rest.pop(0)] if rest else None
    if x is None:
        raise ValueError("a slider needs a second parameter in which runs differ")
    if slider_level is not None:
        return x, y, _axis_of(grid, slider_level)
    return x, y, grid.axes[rest[0]] if y is not None and len(rest) == 1 else None


def _cells(values: tp.Array1d, x: Axis, y: Axis, chosen: tp.Array1d, metric: str, agg: str) -> Cells:
    """Return what the cells show of the chosen runs."""
    places = np.full((len(y), len(x)), -1)
    held = np.full((len(y), len(x)), np.nan)
    usable = np.flatnonzero(chosen & (x.places >= 0) & (y.places >= 0) & ~np.isnan(values))
    order = usable[np.argsort(values[usable], kind="stable")]
    if lower_is_better(metric):
        order = order[::-1]
    rows, columns = y.places[order], x.places[order]
    places[rows, columns] = order  # the best one comes last, and stays
    held[rows, columns] = values[order]
    if agg == "median":
        medians = pd.Series(values[order]).groupby([rows, columns]).median()
        held[medians.index.get_level_values(0), medians.index.get_level_values(1)] = medians
    return Cells(held, places)


def _quantiles(values: tp.Array1d, axis: Axis) -> tp.Tuple[tp.Array1d, tp.Array1d, tp.Array1d]:
    """Return the tenth, fiftieth and ninetieth percentile of the runs at each value of an axis."""
    known = (axis.places >= 0) & ~np.isnan(values)
    grouped = pd.Series(values[known]).groupby(axis.places[known])
    low, middle, high = (
        grouped.quantile(share).reindex(range(len(axis))).to_numpy(dtype=float) for share in (0.1, 0.5, 0.9)
    )
    return low, middle, high


# ############# Words ############# #


def _named(axes: tp.Iterable[str]) -> str:
    return ", ".join(map(repr, axes)) or "none"


def _named_metric(metric: str) -> str:
    """Return a metric as people call it."""
    return "Sharpe ratio a year" if metric == SHARPE else plain(metric.replace("_", " ").capitalize())


def _title(values: tp.Array1d, metric: str, luck: tp.Optional[Luck], winner: tp.Optional[int]) -> str:
    n_runs = int((~np.isnan(values)).sum())
    best = "" if winner is None else f", best {values[winner]:.3g}"
    hurdle = f", luck alone {luck.worthless:.3g}" if luck is not None and luck.is_usable and metric == SHARPE else ""
    missing = len(values) - n_runs
    left_out = f" ({missing:,} without one)" if missing else ""
    return f"{_named_metric(metric)}: {counted(n_runs, 'run')}{left_out}{best}{hurdle}"


def _title_of_plateau(found: Neighbourhood) -> str:
    if not found.n_neighbours:
        return "The run has no neighbours in its grid"
    share = (
        f" = {found.share:.0%} of the run's {found.value:.2f}" if found.share > 0 else f", the run's {found.value:.2f}"
    )
    edge = "" if found.is_complete else ", at the edge of the grid"
    return (
        f"Within {counted(found.radius, 'step')}: median {found.median:.2f}{share}, worst {found.worst:.2f}, "
        f"{counted(found.n_neighbours, 'neighbour')}{edge}"
    )


# ############# Drawing ############# #


def _scale_of(values: tp.Array1d, metric: str, luck: tp.Optional[Luck]) -> tp.Dict[str, tp.Any]:
    """Return how values are coloured. The scale of Sharpe ratios ends at luck, on both sides of zero."""
    if metric == SHARPE:
        has_luck = luck is not None and luck.is_usable
        end = float(np.nanmax(np.abs(values))) or 1.0
        if luck is not None and has_luck:
            end = max(luck.worthless, float(np.nanmax(values)))
            ticks = dict(tickvals=[-luck.worthless, 0, luck.worthless], ticktext=["-luck", "0", "luck"])
        else:
            ticks = {}
        return dict(colorscale="RdBu", zmin=-end, zmax=end, zmid=0, colorbar=dict(title="Sharpe", **ticks))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    name = plain(metric.replace("_", " "))
    return dict(
        colorscale="Viridis", reversescale=lower_is_better(metric), zmin=low, zmax=high, colorbar=dict(title=name)
    )


def _axis_layout(axis: Axis) -> tp.Dict[str, tp.Any]:
    kind = {} if axis.is_even else dict(type="category", categoryorder="array", categoryarray=axis.labels)
    return dict(title=plain(axis.name), constrain="domain", showgrid=False, zeroline=False, **kind)


def _heatmap(
    go: tp.Any, grid: Grid, cells: Cells, x: Axis, y: Axis, metric: str, scale: tp.Dict[str, tp.Any], shown: bool
) -> tp.Any:
    ids = [[grid.run_ids[place] if place >= 0 else "" for place in row] for row in cells.places.tolist()]
    hover = (
        f"run %{{customdata}}<br>{plain(x.name)} %{{x}}, {plain(y.name)} %{{y}}<br>"
        f"{_named_metric(metric)} %{{z:.3g}}<extra></extra>"
    )
    return go.Heatmap(
        x=x.ticks,
        y=y.ticks,
        z=[rounded(row) for row in cells.values],
        customdata=ids,
        hovertemplate=hover,
        hoverongaps=False,
        visible=shown,
        **scale,
    )


def _above_luck(go: tp.Any, cells: Cells, x: Axis, y: Axis, luck: Luck, shown: bool) -> tp.Any:
    """Return frames around the cells that show more than luck."""
    rows, columns = np.nonzero(np.nan_to_num(cells.values, nan=-np.inf) > luck.worthless)
    return go.Scatter(
        x=[x.ticks[column] for column in columns],
        y=[y.ticks[row] for row in rows],
        mode="markers",
        name="above luck",
        marker=dict(symbol="square-open", size=8, color=ink(), line=dict(width=1)),
        hoverinfo="skip",
        visible=shown,
        showlegend=False,
    )


def _add_slider(fig: tp.BaseFigure, slider: Axis, first: int, n_each: int) -> None:
    """Add a slider that shows the traces of one value at a time."""
    steps = []
    n_traces = n_each * len(slider)
    for step, label in enumerate(slider.labels):
        visible = [at // n_each == step for at in range(n_traces)]
        change = dict(visible=visible)
        steps.append(dict(method="restyle", args=[change, list(range(n_traces))], label=label))
    prefix = f"{plain(slider.name)}: "
    fig.update_layout(sliders=[dict(active=first, steps=steps, currentvalue=dict(prefix=prefix), pad=dict(t=50))])


def _frame_neighbourhood(fig: tp.BaseFigure, found: Neighbourhood, x: Axis, y: Axis) -> None:
    """Draw a dotted frame around the neighbours of the winner."""
    bounds = [found.places.get(axis.name) for axis in (x, y)]
    if any(bound is None for bound in bounds):
        return
    (x0, x1), (y0, y1) = (
        (axis.ticks[low], axis.ticks[high]) for axis, (low, high) in zip((x, y), tp.cast(tp.Any, bounds))
    )
    if x.is_even and y.is_even:
        half_x, half_y = (x.values[1] - x.values[0]) / 2, (y.values[1] - y.values[0]) / 2
        x0, x1, y0, y1 = x0 - half_x, x1 + half_x, y0 - half_y, y1 + half_y
    fig.add_shape(type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line=dict(color=ink(), width=2, dash="dot"))


def _add_star(go: tp.Any, fig: tp.BaseFigure, x: tp.Any, y: float, run_id: str, **where: int) -> None:
    fig.add_trace(
        go.Scatter(
            x=[x],
            y=rounded([y]),
            mode="markers",
            marker=dict(symbol="star", size=14, color=ink()),
            customdata=[run_id],
            hovertemplate="winner: %{y:.3g}<extra></extra>",
            name="winner",
        ),
        **where,
    )


def _plot_line(
    grid: Grid,
    values: tp.Array1d,
    metric: str,
    x: Axis,
    luck: tp.Optional[Luck],
    winner: tp.Optional[int],
    fig: tp.Optional[tp.BaseFigure],
    layout_kwargs: tp.Dict[str, tp.Any],
) -> tp.BaseFigure:
    """Draw a metric along the only parameter."""
    import plotly.graph_objects as go

    layout = dict(
        width=720,
        height=400,
        title=_title(values, metric, luck, _winner(values, metric)),
        xaxis=_axis_layout(x),
        yaxis=dict(title=_named_metric(metric)),
        showlegend=False,
    )
    fig = figure_with(fig, layout_kwargs, layout)
    places = np.flatnonzero((x.places >= 0) & ~np.isnan(values))
    places = places[np.argsort(x.places[places], kind="stable")]
    fig.add_trace(
        go.Scatter(
            x=[x.ticks[at] for at in x.places[places]],
            y=rounded(values[places]),
            mode="lines+markers",
            line=dict(color=color("blue")),
            customdata=[grid.run_ids[place] for place in places],
            hovertemplate=f"run %{{customdata}}<br>{plain(x.name)} %{{x}}: %{{y:.3g}}<extra></extra>",
        )
    )
    if luck is not None and luck.is_usable and metric == SHARPE:
        fig.add_hline(
            y=luck.worthless,
            line=dict(color=color(LUCK_COLOR), dash="dash"),
            annotation_text=f"luck alone {luck.worthless:.2f}",
        )
    if winner is not None and x.places[winner] >= 0:
        _add_star(go, fig, x.ticks[x.places[winner]], values[winner], grid.run_ids[winner])
    return fig
