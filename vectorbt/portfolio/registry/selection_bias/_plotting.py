"""What the figures of results have in common: vectorbt's own style, bars and lines that say what they are."""

import math

import numpy as np

from vectorbt import _typing as tp

_MAX_BARS = 80


def figure_with(fig: tp.Optional[tp.BaseFigure], layout: tp.Dict[str, tp.Any]) -> tp.BaseFigure:
    """Return the figure to draw on, a new one if there is none, with a layout."""
    from vectorbt.utils.figure import make_figure

    fig = make_figure() if fig is None else fig
    fig.update_layout(**layout)
    return fig


def color(name: str) -> str:
    """Return the color that vectorbt's settings have under a name, such as `"blue"`."""
    from vectorbt._settings import settings

    return settings["plotting"]["color_schema"][name]


def bin_edges(values: tp.Array1d, through_zero: bool = False) -> tp.Array1d:
    """Return the edges of as many bins as values can fill. If asked, one of them is zero, with a bin on either side."""
    low, high = float(values.min()), float(values.max())
    n_bins = min(_MAX_BARS, max(1, int(np.sqrt(len(values)))))
    width = (high - low) / n_bins or 1.0
    if through_zero:
        first, last = min(math.floor(low / width), -1), max(math.ceil(high / width), 1)
        return np.arange(first, last + 1) * width
    return low + width * np.arange(n_bins + 1)


def bars(values: tp.Array1d, edges: tp.Array1d, name: str, color_name: str) -> tp.Any:
    """Return a bar for each bin, as high as values are in it: few numbers, however many values there are.

    A value on an edge is in the bin to its right, on the last edge in the last bin."""
    import plotly.graph_objects as go

    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges), name=name, marker_color=color(color_name)
    )


def mark(fig: tp.BaseFigure, x: float, text: str, color_name: str, level: int = 0) -> None:
    """Draw a line from bottom to top that says what it is. Lines of other levels have their words at other heights."""
    line = color(color_name)
    fig.add_shape(
        type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", name=text, line=dict(color=line, dash="dash", width=2)
    )
    fig.add_annotation(
        x=x,
        y=1 - 0.09 * level,
        yref="paper",
        text=text,
        showarrow=False,
        xanchor="left",
        xshift=4,
        font=dict(color=line),
    )
