"""How alike the returns of runs are."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.figures.style import counted, figure_with, ink, plain, rounded


def plot_correlation(
    returns: pd.DataFrame,
    labels: tp.Optional[tp.Mapping[str, str]] = None,
    fig: tp.Optional[tp.BaseFigure] = None,
    **layout_kwargs: tp.Any,
) -> tp.BaseFigure:
    """How many different bets are these?

    Runs that are alike stand side by side: they are ordered by average linkage of the distance
    `sqrt((1 - correlation) / 2)`, as in López de Prado (2016), "Building Diversified Portfolios that Outperform Out of
    Sample". Periods that a pair of runs does not share are left out.

    Args:
        returns (DataFrame): Returns per period, one column per run.
        labels (dict): What each run is called.
        fig (Figure): Figure to add to.
        **layout_kwargs: Layout of the figure.

    Raises:
        ValueError: If there are fewer than two runs whose returns change."""
    import plotly.graph_objects as go
    from scipy.cluster.hierarchy import average, leaves_list
    from scipy.spatial.distance import squareform

    moving = returns.loc[:, returns.std() > 0]
    if moving.shape[1] < 2:
        raise ValueError("a correlation needs two runs whose returns change")
    table = moving.corr().fillna(0.0).to_numpy().clip(-1, 1)
    np.fill_diagonal(table, 1.0)
    order = leaves_list(average(squareform(np.sqrt((1 - table) / 2), checks=False)))
    ids = [str(moving.columns[at]) for at in order]
    names = [plain((labels or {}).get(run_id, run_id[:8])) for run_id in ids]
    sorted_table = table[np.ix_(order, order)]
    others = sorted_table[np.triu_indices(len(ids), 1)]
    left_out = returns.shape[1] - moving.shape[1]
    flat = f", {left_out:,} that never changed left out" if left_out else ""
    low = -1.0 if others.min() < 0 else 0.0
    ticks = dict(tickmode="array", tickvals=list(range(len(ids))), ticktext=names, showgrid=False)
    layout = dict(
        width=640,
        height=580,
        title=f"{counted(len(ids), 'run')}: mean correlation {others.mean():.2f}{flat}",
        xaxis=dict(ticks, showticklabels=False),
        yaxis=dict(ticks, autorange="reversed", showticklabels=len(ids) <= 60),
    )
    fig = figure_with(fig, layout_kwargs, layout)
    fig.add_trace(
        go.Heatmap(
            z=[rounded(row) for row in sorted_table],
            customdata=[[[one, other] for other in ids] for one in ids],
            colorscale="RdBu" if low < 0 else "Blues",
            zmin=low,
            zmax=1.0,
            xgap=1 if len(ids) <= 30 else 0,
            ygap=1 if len(ids) <= 30 else 0,
            colorbar=dict(title="correlation", tickfont=dict(color=ink())),
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.2f}<extra></extra>",
        )
    )
    return fig
