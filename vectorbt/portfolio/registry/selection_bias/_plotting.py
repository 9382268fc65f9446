"""The figure that a result draws on, in vectorbt's own style."""

from vectorbt import _typing as tp


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
