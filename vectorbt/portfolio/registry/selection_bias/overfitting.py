"""Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV)."""

import math
import operator
from dataclasses import dataclass, field, fields
from itertools import combinations, islice
from math import comb

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.progress import progress_bar
from vectorbt.portfolio.registry.selection_bias.return_matrix import as_return_matrix, has_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.sharpe import annual_scale

__all__ = ["PBOResult", "check_n_blocks", "probability_of_backtest_overfitting"]

# Sharpe ratios of this many columns times splits are calculated at a time, few enough for the CPU's cache.
_CELLS_PER_CHUNK = 50_000
# Sharpe ratios that differ by less, relative to their size, differ by rounding only.
_TIE = 1e-10
# So do those this close to zero, whose size is rounding itself.
_ZERO = 1e-13
# So does a variance this small beside the mean square that it was computed from.
_NO_VARIANCE = 1e-12
# One this large does not.
_CERTAIN_VARIANCE = 1e-6


@dataclass(frozen=True, eq=False)
class PBOResult:
    """What `probability_of_backtest_overfitting` found.

    Each of the C splits of time selects the column with the best Sharpe ratio in sample. Sharpe ratios are per period,
    with the sample standard deviation (ddof 1)."""

    pbo: float
    """Share of splits in which the selected column is at or below the median out of sample."""

    logits: tp.Array1d = field(repr=False)
    """Logits of the selected column's relative rank out of sample, one per split."""

    is_oos: tp.Array2d = field(repr=False)
    """Sharpe ratio of the selected column in sample and out of sample, C x 2."""

    mean_oos: tp.Array1d = field(repr=False)
    """Mean Sharpe ratio of all columns out of sample, one per split: what picking at random earns on average."""

    slope: float
    """Slope of the regression of out of sample on in sample; below zero means degradation. NaN if all splits have the
    same Sharpe ratio in sample."""

    intercept: float
    """Intercept of that regression."""

    prob_loss: float
    """Share of splits in which the selected column has a negative Sharpe ratio out of sample."""

    first_order_dominance: bool
    """Whether `is_oos[:, 1]` dominates `mean_oos` stochastically in the first order: every threshold is exceeded
    at least as often, and some more often. Whoever prefers more to less then prefers selecting to picking at random."""

    second_order_dominance: bool
    """Whether it does so in the second order: the integral of the difference of the distribution functions is nowhere
    negative, and somewhere positive. Then everybody does who also dislikes risk."""

    n_blocks: int
    """Number of blocks of time, S."""

    n_rows: int
    """Number of rows used."""

    n_columns: int
    """Number of columns compared, N."""

    n_dropped_rows: int
    """Number of rows at the end that were left out to make the rest divisible into blocks."""

    n_dropped_columns: int
    """Number of columns that were left out for having no Sharpe ratio: NaN, infinite, or constant returns."""

    periods_per_year: float = math.nan
    """Periods per year, which figures annualise with. NaN where it is unknown."""

    @property
    def n_splits(self) -> int:
        """Number of splits, C."""
        return len(self.logits)

    def summary(self) -> str:
        """Return the findings in words."""
        lines = [
            f"Probability of backtest overfitting: {self.pbo:.1%} "
            f"({self.n_columns} columns, {self.n_rows} rows, {self.n_blocks} blocks, {self.n_splits} splits)",
            f"Out of sample = {self.intercept:.4f} + {self.slope:.4f} x in sample (Sharpe ratio per period)",
            f"Probability of loss out of sample: {self.prob_loss:.1%}",
            f"Stochastic dominance over picking at random: first order {_yes_or_no(self.first_order_dominance)}, "
            f"second order {_yes_or_no(self.second_order_dominance)}",
        ]
        if self.n_dropped_rows:
            lines.append(f"Rows left out at the end: {self.n_dropped_rows}")
        if self.n_dropped_columns:
            lines.append(f"Columns left out, without a Sharpe ratio: {self.n_dropped_columns}")
        return "\n".join(lines)

    def plot_logits(self, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any) -> tp.BaseFigure:
        """Plot the distribution of the logits. The share at or below zero is the probability of backtest overfitting.

        Args:
            fig (Figure): Figure to add traces to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.selection_bias._plotting import bars, bin_edges, figure_with, mark

        layout = dict(
            title=f"Probability of backtest overfitting: {self.pbo:.1%} (noise shows 50%)",
            xaxis_title="Rank of the picked trial out of sample, as a logit: worse to the left, better to the right",
            yaxis_title="Splits of time",
            barmode="overlay",
            bargap=0,
            showlegend=True,
        )
        fig = figure_with(fig, {**layout, **layout_kwargs})
        edges, is_overfit = bin_edges(self.logits, through_zero=True), self.logits <= 0
        for values, side, text, color_name in (
            (self.logits[is_overfit], edges <= 0, f"Overfit: the pick is in the worse half, {self.pbo:.1%}", "red"),
            (self.logits[~is_overfit], edges >= 0, f"The pick is in the better half, {1 - self.pbo:.1%}", "blue"),
        ):
            fig.add_trace(bars(values, edges[side], text, color_name))
        mark(fig, 0.0, "median of the trials", "gray")
        return fig

    def plot_degradation(self, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any) -> tp.BaseFigure:
        """Plot the Sharpe ratio of the selected trial out of sample against that in sample, over all splits.

        The darker, the more splits. On the diagonal the pick would do as well out of sample as in sample. Annualised
        where `PBOResult.periods_per_year` is known.

        Args:
            fig (Figure): Figure to add traces to.
            **layout_kwargs: Layout of the figure."""
        import plotly.graph_objects as go

        from vectorbt.portfolio.registry.selection_bias._plotting import bin_edges, color, figure_with

        inside, outside = self.is_oos.T * annual_scale(self.periods_per_year)
        unit = "a year" if self.periods_per_year > 0 else "per period"
        layout = dict(
            title=f"Out of sample against in sample: slope {self.slope:.2f}, a loss in {self.prob_loss:.1%} of splits",
            xaxis_title=f"Sharpe ratio {unit} in sample, of the best trial",
            yaxis_title=f"Sharpe ratio {unit} of the same trial out of sample",
            showlegend=True,
        )
        fig = figure_with(fig, {**layout, **layout_kwargs})
        edges = bin_edges(inside), bin_edges(outside)
        counts, *_ = np.histogram2d(inside, outside, edges)
        across, up = ((ends[:-1] + ends[1:]) / 2 for ends in edges)
        shades = [[0, "rgba(0, 0, 0, 0)"], [1, color("blue")]]
        fig.add_trace(
            go.Heatmap(x=across, y=up, z=counts.T, colorscale=shades, colorbar=dict(title="Splits"), name="Splits")
        )
        ends = np.array([inside.min(), inside.max()])
        line = dict(mode="lines", x=ends)
        fig.add_trace(
            go.Scatter(y=ends, name="As good as in sample", line=dict(color=color("gray"), dash="dot"), **line)
        )
        fig.add_trace(go.Scatter(y=[0, 0], name="Zero: below is a loss", line_color=color("gray"), **line))
        if not math.isnan(self.slope):
            fitted = self.intercept * annual_scale(self.periods_per_year) + self.slope * ends
            fig.add_trace(go.Scatter(y=fitted, name=f"Fitted, slope {self.slope:.2f}", line_color=color("red"), **line))
        return fig

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the fields as a dict of plain Python values, arrays as lists."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}
        return {**values, "periods_per_year": self.periods_per_year if self.periods_per_year > 0 else None}


def probability_of_backtest_overfitting(
    returns: tp.ArrayLike, n_blocks: int = 16, *, progress: tp.Optional[bool] = None
) -> PBOResult:
    """Estimate how often the best trial in sample is at or below the median out of sample.

    Time is cut into S contiguous blocks of equal length. Each of the C(S, S / 2) ways to take half of the blocks is a
    split: the column with the best Sharpe ratio in these is looked up in the others, where its rank from below is r,
    its relative rank omega = r / (N + 1), and its logit ln(omega / (1 - omega)). PBO is the share of logits at or
    below zero (Bailey, Borwein, Lopez de Prado and Zhu, "The Probability of Backtest Overfitting", 2015).

    Columns with equal Sharpe ratios out of sample share the mean of their ranks; of equal ones in sample the first is
    selected. A column that does not vary within one half, as of a strategy that did not trade there, has a Sharpe
    ratio of zero in it. Memory is bounded whatever the number of columns and splits.

    Args:
        returns (array_like): Per-period returns, T rows by N columns, one column per trial.
        n_blocks (int): Number of blocks, S. Even; the T mod S last rows are left out and counted.
        progress (bool): Whether to show a progress bar if it takes more than two seconds. By default in a terminal.

    Returns:
        PBOResult: The probability, and what it was computed from.

    Raises:
        TypeError: If `n_blocks` is not an integer.
        ValueError: If `n_blocks` is odd or less than 2, if there are fewer rows than blocks or fewer than four, or if
            fewer than two columns have a Sharpe ratio.

    Usage:
        ```pycon
        >>> import numpy as np
        >>> from vectorbt.portfolio.registry.selection_bias import probability_of_backtest_overfitting

        >>> noise = np.random.default_rng(42).normal(0, 0.01, size=(1600, 50))
        >>> probability_of_backtest_overfitting(noise).n_splits
        12870
        ```"""
    matrix = as_return_matrix(returns)
    n_blocks = check_n_blocks(n_blocks)
    _check_shape(matrix, n_blocks)
    matrix, n_dropped_rows = _divisible_rows(matrix, n_blocks)
    matrix, n_dropped_columns = _comparable_columns(matrix)
    logits, is_oos, mean_oos = _select_in_all_splits(_BlockMoments(matrix, n_blocks), progress)
    slope, intercept = _regress(is_oos[:, 0], is_oos[:, 1])
    first_order, second_order = _dominance(is_oos[:, 1], mean_oos)
    return PBOResult(
        pbo=float(np.mean(logits <= 0)),
        logits=logits,
        is_oos=is_oos,
        mean_oos=mean_oos,
        slope=slope,
        intercept=intercept,
        prob_loss=float(np.mean(is_oos[:, 1] < 0)),
        first_order_dominance=first_order,
        second_order_dominance=second_order,
        n_blocks=n_blocks,
        n_rows=matrix.shape[0],
        n_columns=matrix.shape[1],
        n_dropped_rows=n_dropped_rows,
        n_dropped_columns=n_dropped_columns,
    )


class _BlockMoments:
    """Sums and sums of squares per block, from which any union of blocks has its Sharpe ratios."""

    def __init__(self, matrix: tp.Array2d, n_blocks: int) -> None:
        self.n_blocks = n_blocks
        self.n_columns = matrix.shape[1]
        self.n_half = matrix.shape[0] // 2
        # Sums of squares of deviations keep the digits that those of returns far from zero would lose.
        center = matrix.mean(axis=0)
        deviations = (matrix - center).reshape(n_blocks, -1, self.n_columns)
        self.offsets = self.n_half * center
        self.sums = deviations.sum(axis=1)
        self.squares = self.n_half * np.einsum("bij,bij->bj", deviations, deviations)
        self.always_vary = self._vary_in_most_blocks()

    def _vary_in_most_blocks(self) -> bool:
        """Whether each column varies within so many blocks that every half has one of them."""
        n_rows = 2 * self.n_half // self.n_blocks
        varies = self.squares * n_rows / self.n_half - self.sums**2 > _CERTAIN_VARIANCE * self.squares
        return bool((varies.sum(axis=0) > self.n_blocks // 2).all())

    def sharpe(self, membership: tp.Array2d) -> tp.Array2d:
        """Sharpe ratio of each column in the half of the blocks that each row of `membership` marks with ones, with
        ddof 0."""
        sums = membership @ self.sums
        squares = membership @ self.squares
        variance = sums**2
        np.subtract(squares, variance, out=variance)
        sums += self.offsets
        if self.always_vary:
            return np.divide(sums, np.sqrt(variance, out=variance), out=sums)
        varies = variance > _NO_VARIANCE * squares
        variance[~varies] = 1.0
        sums[~varies] = 0.0
        return np.divide(sums, np.sqrt(variance, out=variance), out=sums)


def _select_in_all_splits(
    blocks: _BlockMoments, progress: tp.Optional[bool]
) -> tp.Tuple[tp.Array1d, tp.Array2d, tp.Array1d]:
    """Logits, Sharpe ratios of the selected columns, and mean Sharpe ratios out of sample, for every split."""
    n_splits = comb(blocks.n_blocks, blocks.n_blocks // 2)
    logits, is_oos, mean_oos = np.empty(n_splits), np.empty((n_splits, 2)), np.empty(n_splits)
    chunk_size = max(1, _CELLS_PER_CHUNK // blocks.n_columns)
    done = 0
    with progress_bar(n_splits // 2, "Splits of time", progress) as advance:
        for in_sample in _in_sample_blocks(blocks.n_blocks, chunk_size):
            halves = blocks.sharpe(in_sample), blocks.sharpe(1 - in_sample)
            rows = np.arange(done, done + len(in_sample))
            # The splits are in such an order that the last ones are the first ones with their halves exchanged.
            for splits, (is_sharpe, oos_sharpe) in ((rows, halves), (n_splits - 1 - rows, halves[::-1])):
                chosen = _first_best(is_sharpe)[:, None]
                is_oos[splits, 0] = np.take_along_axis(is_sharpe, chosen, axis=1)[:, 0]
                is_oos[splits, 1] = np.take_along_axis(oos_sharpe, chosen, axis=1)[:, 0]
                logits[splits] = _rank_logit(oos_sharpe, is_oos[splits, 1])
                mean_oos[splits] = oos_sharpe.mean(axis=1)
            done += len(in_sample)
            advance(len(in_sample))
    with_ddof = math.sqrt(1 - 1 / blocks.n_half)
    return logits, is_oos * with_ddof, mean_oos * with_ddof


def _in_sample_blocks(n_blocks: int, chunk_size: int) -> tp.Iterator[tp.Array2d]:
    """Yield the choices of half of the blocks that hold the first one, `chunk_size` at a time, as rows of zeros and
    ones. They are the first half of all choices in their order."""
    choices = islice(combinations(range(n_blocks), n_blocks // 2), comb(n_blocks, n_blocks // 2) // 2)
    while chunk := list(islice(choices, chunk_size)):
        membership = np.zeros((len(chunk), n_blocks))
        np.put_along_axis(membership, np.array(chunk), 1.0, axis=1)
        yield membership


def _first_best(sharpe: tp.Array2d) -> tp.Array1d:
    """Position of the first of the highest values in each row."""
    best = sharpe.max(axis=1, keepdims=True)
    return np.argmax(sharpe >= best - _TIE * np.abs(best) - _ZERO, axis=1)


def _rank_logit(sharpe: tp.Array2d, chosen: tp.Array1d) -> tp.Array1d:
    """Logit of the relative rank of `chosen` among the values of its row."""
    tolerance = _TIE * np.abs(chosen) + _ZERO
    n_below = np.count_nonzero(sharpe < (chosen - tolerance)[:, None], axis=1)
    n_above = np.count_nonzero(sharpe > (chosen + tolerance)[:, None], axis=1)
    # The mean rank of r tied values above b others is b + (r + 1) / 2; omega / (1 - omega) follows.
    n_tied = sharpe.shape[1] - n_below - n_above
    return np.log((n_below + (n_tied + 1) / 2) / (n_above + (n_tied + 1) / 2))


def _regress(x: tp.Array1d, y: tp.Array1d) -> tp.Tuple[float, float]:
    """Slope and intercept of the least squares line of `y` on `x`."""
    deviations = x - x.mean()
    spread = deviations @ deviations
    if spread <= _NO_VARIANCE * (x @ x):
        return float("nan"), float("nan")
    slope = deviations @ (y - y.mean()) / spread
    return float(slope), float(y.mean() - slope * x.mean())


def _dominance(selected: tp.Array1d, average: tp.Array1d) -> tp.Tuple[bool, bool]:
    """Whether `selected` dominates `average` stochastically, in the first and in the second order."""
    # Rounded, so that the difference of two orders of summation counts for neither side.
    scale = max(np.abs(selected).max(), np.abs(average).max()) or 1.0
    selected, average = np.sort(np.round(selected / scale, 10)), np.sort(np.round(average / scale, 10))
    points = np.sort(np.concatenate([selected, average]))
    lead = np.searchsorted(average, points, side="right") - np.searchsorted(selected, points, side="right")
    area = np.cumsum(lead[:-1] * np.diff(points)) / len(selected)
    first_order = (lead >= 0).all() and (lead > 0).any()
    second_order = (area >= -_TIE).all() and (area > _TIE).any()
    return bool(first_order), bool(second_order)


def _divisible_rows(matrix: tp.Array2d, n_blocks: int) -> tp.Tuple[tp.Array2d, int]:
    """Drop the last rows that do not fill a block, and count them."""
    n_dropped = matrix.shape[0] % n_blocks
    return matrix[: matrix.shape[0] - n_dropped], n_dropped


def _comparable_columns(matrix: tp.Array2d) -> tp.Tuple[tp.Array2d, int]:
    """Drop the columns without a Sharpe ratio, and count them."""
    usable = has_sharpe_ratio(matrix)
    n_usable = int(usable.sum())
    if n_usable < 2:
        raise ValueError(
            f"returns needs at least 2 columns with a Sharpe ratio, got {n_usable} of {matrix.shape[1]}: a column with "
            "a NaN or an infinity, or whose returns never vary, has none"
        )
    return (matrix if n_usable == len(usable) else matrix[:, usable]), len(usable) - n_usable


def check_n_blocks(n_blocks: int) -> int:
    """Return a number of blocks if halves can be made of them.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is odd or less than 2."""
    n_blocks = operator.index(n_blocks)
    if n_blocks < 2 or n_blocks % 2:
        raise ValueError(f"n_blocks must be an even number of at least 2, got {n_blocks}")
    return n_blocks


def _check_shape(matrix: tp.Array2d, n_blocks: int) -> None:
    """Raise unless the rows can be split into that many blocks and each half has a Sharpe ratio."""
    if matrix.shape[0] < max(n_blocks, 4):
        raise ValueError(
            f"returns has {matrix.shape[0]} rows; {n_blocks} blocks need at least {max(n_blocks, 4)}, "
            "pass more rows or a smaller n_blocks"
        )


def _yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"
