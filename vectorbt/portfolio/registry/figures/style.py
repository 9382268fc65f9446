"""What all figures have in common: vectorbt's colours and layout, and texts that came from anybody."""

import html

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped

RUN_COLORS = ("blue", "orange", "green", "purple", "brown", "pink", "cyan", "yellow")
"""Colours of runs, in turn. Red is luck and gray is holding."""

HOLDING_COLOR = "gray"
LUCK_COLOR = "red"

SIGNIFICANT_DIGITS = 5
"""Digits of what is drawn: more of them nobody sees, and each makes a page larger."""


def figure_with(
    fig: tp.Optional[tp.BaseFigure], layout: tp.Mapping[str, tp.Any], own: tp.Mapping[str, tp.Any]
) -> tp.BaseFigure:
    """Return the figure to draw on, a new one if there is none.

    Args:
        fig (Figure): Figure to add to.
        layout (dict): Layout that somebody asked for.
        own (dict): Layout of the figure itself, where nobody asked for another one."""
    from vectorbt.utils.config import merge_dicts
    from vectorbt.utils.figure import make_figure

    fig = make_figure() if fig is None else fig
    fig.update_layout(**merge_dicts(dict(own), dict(layout)))
    return fig


def color(name: str) -> str:
    """Return the colour that vectorbt's settings have under a name, such as `"blue"`."""
    from vectorbt._settings import settings

    return settings["plotting"]["color_schema"][name]


def line_of(place: int, **line: tp.Any) -> tp.Dict[str, tp.Any]:
    """Return how the line of a run looks. From the ninth on they are dashed."""
    dash = "solid" if place < len(RUN_COLORS) else "dash"
    return dict(color=color(RUN_COLORS[place % len(RUN_COLORS)]), dash=dash, **line)


def ink() -> str:
    """Return the colour of what must be seen on the background: black, or white in a dark theme."""
    from vectorbt._settings import settings

    return "white" if "dark" in str(settings["plotting"]["layout"].get("template", "")) else "black"


def plain(text: str) -> str:
    """Return a text of the registry that plotly shows as it is: no markup, no control characters."""
    return html.escape(escaped(text))


def rounded(values: tp.Any) -> tp.List[tp.Any]:
    """Return numbers with as many digits as are seen, None for those that are not finite."""
    return [
        None if value is None or not np.isfinite(value) else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        for value in np.asarray(values, dtype=float).tolist()
    ]


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: `1 run`, `4,950 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def mark(
    fig: tp.BaseFigure, x: float, text: str, color_name: str, dash: str = "dash", place: int = 0, **kwargs: tp.Any
) -> None:
    """Draw a vertical line with its meaning written on it.

    Args:
        fig (Figure): Figure.
        x (float): Where.
        text (str): What the line means, in words and numbers.
        color_name (str): Colour by its name in vectorbt's settings.
        dash (str): Kind of the line.
        place (int): Which of several lines, from the top: their texts stand below each other."""
    if not np.isfinite(x):
        return
    fig.add_vline(x=x, line=dict(color=color(color_name), dash=dash, width=2), **kwargs)
    fig.add_annotation(
        x=x,
        y=1 - 0.07 * place,
        yref="y domain",
        text=text,
        showarrow=False,
        xanchor="left",
        yanchor="top",
        xshift=4,
        bgcolor="rgba(255,255,255,0.75)",
        font=dict(color=color(color_name), size=12),
        **kwargs,
    )


def times(index: pd.Index) -> tp.List[tp.Any]:
    """Return what lies along the axis of time: dates as short texts, and anything that is no time as it is."""
    if not isinstance(index, pd.DatetimeIndex):
        return list(index)
    form = "%Y-%m-%d" if (index == index.normalize()).all() else "%Y-%m-%d %H:%M:%S"
    return index.strftime(form).tolist()
