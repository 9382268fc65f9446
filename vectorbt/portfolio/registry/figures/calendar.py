"""Runs by month and by year."""

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
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def compounded(returns: pd.Series, parts: tp.Sequence[str]) -> pd.Series:
    """Return the returns of whole years or months, in percent.

    Args:
        returns (Series): Returns per period, with times as its index. NaN where there is none.
        parts (sequence of str): What a time is grouped by: `"year"`, or `"year"` and `"month"`.

    Raises:
        ValueError: If the index has no times."""
    own = returns.dropna()
    if not isinstance(own.index, pd.DatetimeIndex):
        raise ValueError("these returns have no dates, so they have no months and no years")
    growth = (1 + own).groupby([getattr(own.index, part) for part in parts]).prod()
    return (growth - 1) * 100


def plot_months(
    returns: pd.Series,
    name: str = "",
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """In which months was it earned?

    Each row is a year, whose own return stands in the last column. A month without a period is blank.

    Args:
        returns (Series): Returns per period, with times as its index.
        name (str): What the run is called.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If the index has no times."""
    import plotly.graph_objects as go

    months = compounded(returns, ["year", "month"])
    years = compounded(returns, ["year"])
    table = months.unstack().reindex(index=years.index, columns=range(1, 13))
    limit = float(np.nanquantile(np.abs(table.to_numpy()), 0.95)) or 1.0
    n_good = int((months > 0).sum())
    layout = dict(
        width=820,
        height=max(220, 140 + 24 * len(table)),
        margin=dict(t=80),
        title=f"{plain(name) + ': ' if name else ''}{n_good} of {counted(len(months), 'month')} gained",
        xaxis=dict(domain=[0, 0.91], side="top", type="category", showgrid=False),
        xaxis2=dict(domain=[0.93, 1], anchor="y", type="category", side="top", showgrid=False),
        yaxis=dict(type="category", autorange="reversed", showgrid=False),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    shared = dict(
        y=[str(year) for year in table.index],
        colorscale="RdBu",
        zmid=0,
        showscale=False,
        xgap=1,
        ygap=1,
        texttemplate="%{text}",
    )
    for axis, columns, values, bound in (
        ("x", list(_MONTHS), table.to_numpy(), limit),
        ("x2", ["year"], years.to_numpy()[:, np.newaxis], float(np.abs(years).max()) or 1.0),
    ):
        text = [["" if np.isnan(value) else f"{value:.1f}" for value in row] for row in values]
        fig.add_trace(
            go.Heatmap(
                x=columns,
                z=[rounded(row) for row in values],
                xaxis=axis,
                text=text,
                zmin=-bound,
                zmax=bound,
                hovertemplate="%{x} %{y}: %{z:.1f} %<extra></extra>",
                **shared,
            )
        )
    return fig


def plot_years(
    returns: pd.DataFrame,
    labels: tp.Optional[tp.Mapping[str, str]] = None,
    benchmark: tp.Optional[pd.Series] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """Which years carry the result?

    Args:
        returns (DataFrame): Returns per period, one column per run, with times as its index.
        labels (dict): What each run is called.
        benchmark (Series): Returns of holding, or of anything else to compare with.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If there is no run, or the index has no times."""
    import plotly.graph_objects as go

    if returns.shape[1] == 0:
        raise ValueError("no runs to draw")
    layout = dict(
        width=820,
        height=350,
        title=f"{counted(returns.shape[1], 'run')} by year",
        barmode="group",
        xaxis=dict(type="category"),
        yaxis=dict(title="Return", ticksuffix=" %"),
        legend=dict(orientation="v", x=1.01, y=1, xanchor="left", yanchor="top"),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    bars: tp.List[tp.Tuple[str, tp.Optional[str], pd.Series]] = []
    for run_id in map(str, returns):
        bars.append((plain((labels or {}).get(run_id, run_id[:8])), run_id, returns[run_id]))
    years = sorted({year for _, _, series in bars for year in compounded(series, ["year"]).index})
    if benchmark is not None:
        bars.insert(0, ("holding", None, benchmark))
    for place, (name, owner, series) in enumerate(bars):
        is_holding = owner is None
        values = compounded(series, ["year"]).reindex(years)
        shade = color(HOLDING_COLOR) if is_holding else line_of(place - (benchmark is not None))["color"]
        fig.add_trace(
            go.Bar(
                x=[str(year) for year in years],
                y=rounded(values),
                name=name,
                marker_color=shade,
                customdata=None if is_holding else [owner] * len(years),
                hovertemplate=f"{name} · %{{x}}: %{{y:.1f}} %<extra></extra>",
            )
        )
    return fig
