"""Runs as figures: `RunList` collects what `vectorbt.portfolio.registry.figures` draws."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.errors import ArtifactError, RegistryError
from vectorbt.portfolio.registry.grid import Grid, Neighbourhood, finite_values
from vectorbt.portfolio.registry.metric_names import lower_is_better, metric_called

if tp.TYPE_CHECKING:
    import pandas as pd

    from vectorbt.portfolio.registry.figures.luck import Luck
    from vectorbt.portfolio.registry.registry import RunRegistry
    from vectorbt.portfolio.registry.run import RunRecord

_SHARPE = "sharpe_ratio"

Holding = tp.Union[None, str, "pd.Series"]
"""Returns of something to compare with; `"hold"` for holding the prices of the runs, None for nothing."""


class RunPlots:
    """Figures of a list of runs. Each takes `fig` to add to, and any layout of plotly."""

    if tp.TYPE_CHECKING:

        @property
        def registry(self) -> tp.Optional[RunRegistry]: ...
        @property
        def run_ids(self) -> tp.List[str]: ...
        def to_frame(self) -> tp.Frame: ...
        def load_returns(self) -> tp.Frame: ...
        def __iter__(self) -> tp.Iterator[RunRecord]: ...
        def __getitem__(self, key: tp.Any) -> tp.Any: ...
        def __len__(self) -> int: ...

    # ############# Numbers ############# #

    def sensitivity(self, run_id: tp.Optional[str] = None, metric: str = _SHARPE, radius: int = 1) -> Neighbourhood:
        """Return what the runs around one of them show: a plateau, or a peak that stands alone.

        A neighbour lies at most `radius` steps of the grid away in every parameter of numbers in which the runs differ,
        and has the same value of every other one.

        Args:
            run_id (str): Whole id of one of the runs. Defaults to the best one.
            metric (str): Metric.
            radius (int): Steps of the grid.

        Raises:
            ValueError: If none of the runs has the metric, or the run is not one of them.

        Usage:
            ```pycon
            >>> found = registry.list_runs(sweep_id=sweep_id).sensitivity()
            >>> found.median, found.share, found.is_complete
            (0.34, 0.69, True)
            ```"""
        if isinstance(radius, bool) or not isinstance(radius, int) or radius < 1:
            raise ValueError(f"radius must be a whole number of steps, at least 1, not {radius!r}")
        metric = metric_called(metric)
        frame = self.to_frame()
        values = finite_values(frame, metric)
        low = lower_is_better(metric)
        if run_id is None:
            place = int(np.nanargmin(values) if low else np.nanargmax(values))
        elif run_id in frame.index:
            place = list(frame.index).index(run_id)
        else:
            raise ValueError(f"run {run_id!r} is not in this list; sensitivity needs the run and its neighbours")
        return Grid(frame).neighbourhood(values, place, radius, low, metric)

    def _luck(self) -> tp.Optional["Luck"]:
        """Return what luck and holding would have shown beside the best of the runs, None if nobody knows."""
        registry = self.registry
        if registry is None or not len(self):
            return None
        best = max(self, key=lambda run: run.sharpe_ratio if np.isfinite(run.sharpe_ratio) else -np.inf)
        try:
            return registry.luck(best.run_id)
        except (ValueError, RegistryError):  # the run has no Sharpe ratio, or is not there any more
            return None

    # ############# Over parameters ############# #

    def plot_heatmap(
        self,
        metric: str = _SHARPE,
        x_level: tp.Optional[str] = None,
        y_level: tp.Optional[str] = None,
        slider_level: tp.Optional[str] = None,
        agg: str = "best",
        radius: int = 5,
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Is the best cell a plateau, or one bright dot below what luck would show?

        One varying parameter gives a line, two cells, a third a slider; of more, cells show the best. See
        `vectorbt.portfolio.registry.figures.sweep.plot_heatmap`.

        Args:
            metric (str): Metric.
            x_level (str): Parameter along the horizontal axis. Defaults to the one with the most values.
            y_level (str): Parameter along the vertical axis.
            slider_level (str): Parameter that a slider goes through.
            agg (str): What a cell shows of several runs: `"best"` or `"median"`.
            radius (int): Steps of the grid around the winner that are framed.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.sweep import plot_heatmap

        metric = metric_called(metric)
        found = self.sensitivity(metric=metric, radius=radius)
        return plot_heatmap(
            *(self.to_frame(), metric, x_level, y_level, slider_level, agg),
            luck=self._luck(),
            neighbourhood=found,
            fig=fig,
            **layout_kwargs,
        )

    def plot_plateau(
        self,
        run_id: tp.Optional[str] = None,
        metric: str = _SHARPE,
        radius: int = 5,
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Do the neighbours of the winner do as well?

        See `vectorbt.portfolio.registry.figures.sweep.plot_plateau`.

        Args:
            run_id (str): Whole id of one of the runs. Defaults to the best one.
            metric (str): Metric.
            radius (int): Steps of the grid that count as near.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.sweep import plot_plateau

        found = self.sensitivity(run_id, metric, radius)
        return plot_plateau(self.to_frame(), found, self._luck(), fig, **layout_kwargs)

    def plot_marginals(
        self,
        metric: str = _SHARPE,
        top: int = 8,
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Which parameter matters, and where is it good?

        See `vectorbt.portfolio.registry.figures.sweep.plot_marginals`.

        Args:
            metric (str): Metric.
            top (int): Number of panels at most.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.sweep import plot_marginals

        return plot_marginals(self.to_frame(), metric_called(metric), top, fig, **layout_kwargs)

    def plot_volume(
        self,
        metric: str = _SHARPE,
        x_level: tp.Optional[str] = None,
        y_level: tp.Optional[str] = None,
        z_level: tp.Optional[str] = None,
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Where in the space of three parameters are the good runs?

        Needs WebGL. See `vectorbt.portfolio.registry.figures.sweep.plot_volume`.

        Args:
            metric (str): Metric.
            x_level (str): First parameter. By default those with the most values are taken.
            y_level (str): Second parameter.
            z_level (str): Third parameter.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.sweep import plot_volume

        levels = (x_level, y_level, z_level)
        return plot_volume(self.to_frame(), metric_called(metric), *levels, self._luck(), fig, **layout_kwargs)

    # ############# Against each other ############# #

    def plot_distribution(
        self, bins: int = 80, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any
    ) -> tp.BaseFigure:
        """Does the best of these stand out of all, and beyond what luck would show?

        Of the Sharpe ratios a year. See `vectorbt.portfolio.registry.figures.trials.plot_distribution`.

        Args:
            bins (int): Number of bars at most.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.trials import plot_distribution

        values = finite_values(self.to_frame(), _SHARPE)
        return plot_distribution(values, float(np.nanmax(values)), self._luck(), bins, fig=fig, **layout_kwargs)

    def plot_scatter(
        self,
        x: str,
        y: str,
        color: tp.Optional[str] = None,
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Is one of these paid for with the other?

        See `vectorbt.portfolio.registry.figures.pairs.plot_scatter`.

        Args:
            x (str): Column of `RunList.to_frame` along the horizontal axis.
            y (str): Column along the vertical axis.
            color (str): Column of numbers that colours the points.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.pairs import plot_scatter

        return plot_scatter(self.to_frame(), x, y, color, fig, **layout_kwargs)

    def plot_parallel(
        self,
        metric: str = _SHARPE,
        dimensions: tp.Optional[tp.Sequence[str]] = None,
        top: int = 500,
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """What do the best runs have in common?

        See `vectorbt.portfolio.registry.figures.pairs.plot_parallel`.

        Args:
            metric (str): Metric, on the rightmost axis.
            dimensions (list of str): Columns to draw. Defaults to the parameters in which the runs differ.
            top (int): Number of runs at most, the best ones.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.pairs import plot_parallel

        return plot_parallel(self.to_frame(), metric_called(metric), dimensions, top, fig, **layout_kwargs)

    # ############# Over time ############# #

    def plot_equity(
        self,
        benchmark: Holding = "hold",
        drawdown: bool = True,
        rebase: float = 1.0,
        log: bool = True,
        top: int = 20,
        labels: str = "end",
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """How did these runs grow, and how deep did they fall?

        See `vectorbt.portfolio.registry.figures.equity.plot_equity`.

        Args:
            benchmark (str or Series): `"hold"` for holding the prices, where all runs were made on the same ones and
                these were saved; returns per period; or None.
            drawdown (bool): Whether to draw the distance from the last high below.
            rebase (float): Where all lines begin.
            log (bool): Whether growth is on a logarithmic scale.
            top (int): Number of runs at most, the first ones.
            labels (str): `"end"`, at the ends of the lines, or `"legend"`.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.equity import plot_equity
        from vectorbt.portfolio.registry.figures.style import counted

        runs = self[:top]
        names, shared = _names_of(runs)
        more = f", the first {top} of {len(self):,}" if len(self) > top else ""
        return plot_equity(
            runs.load_returns(),
            names,
            runs._holding(benchmark),
            *(drawdown, rebase, log),
            place_labels=labels,
            title=f"{counted(len(runs), 'run')}{more}{shared}",
            fig=fig,
            **layout_kwargs,
        )

    def plot_rolling(
        self,
        window: int = 252,
        benchmark: Holding = "hold",
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Was it good all the time, or once?

        Draws the Sharpe ratio a year over a moving window. See
        `vectorbt.portfolio.registry.figures.equity.plot_rolling`.

        Args:
            window (int): Periods in the window.
            benchmark (str or Series): See `RunList.plot_equity`.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.equity import plot_rolling

        periods = {run.returns_stats.get("periods_per_year", float("nan")) for run in self}
        if len(periods) != 1 or not all(np.isfinite(value) for value in periods):
            raise ValueError("these runs have no year of the same number of periods, so no common Sharpe ratio a year")
        names, _ = _names_of(self)
        return plot_rolling(
            self.load_returns(), periods.pop(), window, names, self._holding(benchmark), fig, **layout_kwargs
        )

    def plot_months(self, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any) -> tp.BaseFigure:
        """In which months was it earned?

        Of the first run. See `vectorbt.portfolio.registry.figures.calendar.plot_months`.

        Args:
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.calendar import plot_months

        first = self[:1]
        returns = first.load_returns()
        if returns.shape[1] == 0:
            raise ValueError("no runs to draw")
        return plot_months(returns.iloc[:, 0], first[0].run_id[:8], fig, **layout_kwargs)

    def plot_years(
        self,
        benchmark: Holding = "hold",
        fig: tp.Optional[tp.BaseFigure] = None,
        **layout_kwargs: tp.Any,
    ) -> tp.BaseFigure:
        """Which years carry the result?

        See `vectorbt.portfolio.registry.figures.calendar.plot_years`.

        Args:
            benchmark (str or Series): See `RunList.plot_equity`.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.calendar import plot_years

        names, _ = _names_of(self)
        return plot_years(self.load_returns(), names, self._holding(benchmark), fig, **layout_kwargs)

    def plot_correlation(
        self, top: int = 60, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any
    ) -> tp.BaseFigure:
        """How many different bets are these?

        See `vectorbt.portfolio.registry.figures.correlation.plot_correlation`.

        Args:
            top (int): Number of runs at most, the first ones.
            fig (Figure): Figure to add to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.figures.correlation import plot_correlation

        runs = self[:top]
        names, _ = _names_of(runs)
        return plot_correlation(runs.load_returns(), names, fig, **layout_kwargs)

    def _holding(self, benchmark: Holding) -> tp.Optional["pd.Series"]:
        """Return the returns to compare with. None where nobody knows them."""
        if not isinstance(benchmark, str):
            return benchmark
        if benchmark != "hold":
            raise ValueError(f"benchmark must be 'hold', a series of returns or None, not {benchmark!r}")
        registry = self.registry
        prices = {run.data.get("fingerprint") for run in self}
        if registry is None or len(prices) != 1 or None in prices:
            return None
        try:
            portfolio = registry.load_portfolio(self[0].run_id)
        except (ArtifactError, ValueError):  # only its returns are kept, or it cannot be opened: then there is no line
            return None
        if portfolio is None:
            return None
        returns = portfolio.benchmark_returns()
        return returns if returns.ndim == 1 else returns.iloc[:, 0]


def _names_of(runs: tp.Any) -> tp.Tuple[tp.Dict[str, str], str]:
    """Return what runs are called in a figure, and what their names are made of, for its title.

    A name is the beginning of the id and the values of the parameters in which the runs differ."""
    grid = Grid(runs.to_frame())
    names = {}
    for place, run_id in enumerate(grid.run_ids):
        values = [axis.labels[axis.places[place]] for axis in grid.axes.values() if axis.places[place] >= 0]
        names[run_id] = " ".join([run_id[:4], "/".join(values)]).strip()
    return names, f" by {'/'.join(grid.axes)}" if grid.axes else ""
