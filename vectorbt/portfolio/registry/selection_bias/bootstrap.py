"""Stationary bootstraps of return series: histories that might as well have been, with the same dependence in time."""

import math
import operator
from typing import Literal

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.return_matrix import as_return_matrix, has_sharpe_ratio

__all__ = [
    "Draws",
    "Interval",
    "Intervals",
    "bootstrap_intervals",
    "check_draws",
    "mean_block_size",
    "stationary_bootstrap",
    "stationary_bootstraps",
]

BlockSize = tp.Union[float, Literal["auto"]]
"""Mean length of a block in rows, or `"auto"`."""

_ROWS_AT_ONCE = 1 << 23
"""Rows that are drawn at once, of all bootstraps together, at 8 bytes each."""

_ROWS_TO_MEASURE = 50
"""Rows below which autocorrelations are too rough to tell how long blocks should be."""

_MEASURED_COLUMNS = 5
"""Columns that the length of the blocks is measured on: it differs little between the columns of a sweep."""


class Interval(tp.NamedTuple):
    """Where a figure lies in most of the bootstrapped histories."""

    low: float
    """Lower end."""

    high: float
    """Upper end."""


class Intervals(tp.NamedTuple):
    """What `bootstrap_intervals` found, each figure per period."""

    sharpe: Interval
    """Sharpe ratio, with ddof 1."""

    growth: Interval
    """Mean growth, which compounds to the total return: 0.001 for 0.1 % per period."""

    max_drawdown: Interval
    """Deepest drawdown of a history of this length, 0.2 for 20 %."""


class Draws(tp.NamedTuple):
    """Which bootstraps are drawn. The same ones serve for every figure of a verdict."""

    n_bootstraps: int
    """Number of bootstraps, B."""

    block_size: float
    """Mean length of a block in rows."""

    seed: int
    """Seed."""

    @classmethod
    def of(cls, matrix: tp.Array2d, n_bootstraps: int, block_size: BlockSize, seed: int) -> "Draws":
        """Return the bootstraps of a matrix of returns. With `block_size="auto"` it says how long blocks are."""
        size = mean_block_size(matrix) if isinstance(block_size, str) and block_size == "auto" else block_size
        check_bootstrap(len(matrix), n_bootstraps, size, seed)
        return cls(n_bootstraps, float(size), seed)

    def rows(self, n_rows: int) -> tp.Iterator[tp.Array2d]:
        """Yield the rows of the bootstraps, some at a time."""
        return stationary_bootstraps(n_rows, self.n_bootstraps, self.block_size, self.seed)


def stationary_bootstrap(n_rows: int, n_bootstraps: int, block_size: float, seed: int) -> tp.Array2d:
    """Draw the rows of stationary bootstraps.

    Blocks start anywhere, have lengths that are geometrically distributed, and go on at the first row where they run
    over the last (Politis and Romano, "The Stationary Bootstrap", 1994).

    Args:
        n_rows (int): Number of rows, T.
        n_bootstraps (int): Number of bootstraps, B.
        block_size (float): Mean length of a block in rows, from 1 to T.
        seed (int): Seed. The same seed draws the same rows.

    Returns:
        array: Indices of rows, B x T.

    Raises:
        TypeError: If a number is not of its type.
        ValueError: If a number is out of range."""
    return np.concatenate(list(stationary_bootstraps(n_rows, n_bootstraps, block_size, seed)))


def stationary_bootstraps(n_rows: int, n_bootstraps: int, block_size: float, seed: int) -> tp.Iterator[tp.Array2d]:
    """Yield the rows that `stationary_bootstrap` returns, some bootstraps at a time, so that memory is bounded."""
    check_bootstrap(n_rows, n_bootstraps, block_size, seed)
    rng = np.random.default_rng(seed)
    at_once = max(1, _ROWS_AT_ONCE // n_rows)
    for done in range(0, n_bootstraps, at_once):
        yield np.stack([_draw(rng, n_rows, block_size) for _ in range(min(at_once, n_bootstraps - done))])


def _draw(rng: np.random.Generator, n_rows: int, block_size: float) -> tp.Array1d:
    starts, rows = rng.integers(0, n_rows, n_rows), np.arange(n_rows)
    begins = rng.random(n_rows) < 1 / block_size
    begins[0] = True
    # Each row goes on from the last one at which a block has begun.
    began = np.maximum.accumulate(np.where(begins, rows, 0))
    return (starts[began] + rows - began) % n_rows


def check_draws(n_bootstraps: int, block_size: tp.Any, seed: int) -> None:
    """Raise unless bootstraps can be drawn like that, however many rows there are.

    Raises:
        TypeError: If a number is not of its type.
        ValueError: If a number is out of range."""
    if operator.index(n_bootstraps) < 100:
        raise ValueError(f"n_bootstraps must be 100 or more, got {n_bootstraps}")
    if operator.index(seed) < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if isinstance(block_size, str):
        if block_size != "auto":
            raise ValueError(f"block_size must be a number of rows or 'auto', got {block_size!r}")
    elif not block_size >= 1:
        raise ValueError(f"block_size must be at least 1 row, got {block_size!r}")


def check_bootstrap(n_rows: int, n_bootstraps: int, block_size: float, seed: int) -> None:
    """Raise unless that many rows can be drawn like that, as `check_draws` does."""
    check_draws(n_bootstraps, block_size, seed)
    if block_size > n_rows:
        raise ValueError(f"block_size must be between 1 and the number of rows, {n_rows}; got {block_size!r}")


def mean_block_size(returns: tp.ArrayLike) -> float:
    """Return the mean length of blocks that suits the dependence of returns in time, in rows.

    With the package `arch`, the automatic length of Politis and White ("Automatic Block-Length Selection for the
    Dependent Bootstrap", 2004, corrected 2009): the median over five evenly spaced columns, rounded up. Without it, and
    below 50 rows, the rule of thumb T^(1/3), rounded up: a length of that order is the best one for variances (Hall,
    Horowitz and Jing, 1995).

    Args:
        returns (array_like): Per-period returns, T rows, one column per trial.

    Raises:
        ValueError: If no column has a Sharpe ratio."""
    matrix = as_return_matrix(returns)
    usable = np.flatnonzero(has_sharpe_ratio(matrix))
    if not len(usable):
        raise ValueError(f"none of the {matrix.shape[1]} columns of returns has a Sharpe ratio")
    rule_of_thumb = float(math.ceil(len(matrix) ** (1 / 3)))
    if len(matrix) < _ROWS_TO_MEASURE:
        return rule_of_thumb
    try:
        from arch.bootstrap import optimal_block_length
    except ImportError:
        return rule_of_thumb
    measured = usable[np.unique(np.linspace(0, len(usable) - 1, _MEASURED_COLUMNS).round().astype(int))]
    lengths = [float(optimal_block_length(matrix[:, column])["stationary"].iloc[0]) for column in measured]
    finite = [length for length in lengths if math.isfinite(length)]
    return float(min(max(1, math.ceil(np.median(finite))), len(matrix))) if finite else rule_of_thumb


def bootstrap_intervals(
    returns: tp.ArrayLike, indices: tp.Union[tp.ArrayLike, tp.Iterable[tp.Array2d]], confidence: float = 0.95
) -> Intervals:
    """Intervals of the Sharpe ratio, the growth and the deepest drawdown of one series of returns.

    They span the middle of what the bootstrapped histories show (percentile intervals of Efron). Whoever picked the
    series because it was the best must not read them as if it was the only one.

    Args:
        returns (array_like): Per-period returns, one dimension, T values.
        indices (array_like): Rows of bootstraps, B x T, as `stationary_bootstrap` draws them, or several such arrays.
        confidence (float): Share of the histories within an interval, between 0 and 1.

    Raises:
        ValueError: If `returns` does not have one dimension or has no Sharpe ratio, or `confidence` is out of
            range."""
    series = np.asarray(returns, dtype=float)
    if series.ndim != 1 or not has_sharpe_ratio(series[:, None]).all():
        raise ValueError("returns must be one series of finite returns that vary")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    with np.errstate(divide="ignore", invalid="ignore"):
        # A loss of everything has a growth of minus infinity.
        logs = np.log1p(np.maximum(series, -1.0))
    figures = np.concatenate([_figures(series, logs, rows) for rows in in_chunks(indices)], axis=1)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    return Intervals(*(Interval(*map(float, np.quantile(values, tails, method="nearest"))) for values in figures))


def _figures(series: tp.Array1d, logs: tp.Array1d, rows: tp.Array2d) -> tp.Array2d:
    """Sharpe ratio, growth and deepest drawdown of each bootstrap, 3 x B."""
    drawn = series[rows]
    deviation = drawn.std(axis=1, ddof=1)
    sharpe = np.divide(drawn.mean(axis=1), deviation, out=np.zeros(len(rows)), where=deviation > 0)
    np.take(logs, rows, out=drawn)
    np.cumsum(drawn, axis=1, out=drawn)
    growth = np.expm1(drawn[:, -1] / rows.shape[1])
    peaks = np.maximum(np.maximum.accumulate(drawn, axis=1), 0.0)
    with np.errstate(invalid="ignore"):
        deepest = -np.expm1(np.min(drawn - peaks, axis=1))
    return np.stack([sharpe, growth, deepest])


def in_chunks(indices: tp.Any) -> tp.Iterable[tp.Array2d]:
    """Return rows of bootstraps as some arrays of them, whether they are one array or several."""
    return indices if isinstance(indices, tp.Iterator) else [np.asarray(indices)]
