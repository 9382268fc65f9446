"""Per-period returns of many trials as one matrix: one row per period, one column per trial."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.metrics import ROUNDING

__all__ = ["as_return_matrix", "excess_returns", "has_sharpe_ratio"]


def as_return_matrix(returns: tp.ArrayLike) -> tp.Array2d:
    """Return `returns` as a matrix of floats.

    Args:
        returns (array_like): Per-period returns, one row per period and one column per trial.

    Raises:
        ValueError: If `returns` does not have two dimensions."""
    matrix = np.asarray(returns, dtype=float)
    if matrix.ndim != 2:
        raise ValueError(
            f"returns must have two dimensions, one row per period and one column per trial; got {matrix.ndim}"
        )
    return matrix


def has_sharpe_ratio(matrix: tp.Array2d) -> tp.Array1d:
    """Tell for each column of `matrix` whether it has a Sharpe ratio.

    A column with a NaN or an infinity has none, nor has a column whose returns never vary: that of a strategy
    that never traded.

    Args:
        matrix (array): Per-period returns, one row per period and one column per trial."""
    with np.errstate(invalid="ignore"):
        highest, lowest = matrix.max(axis=0), matrix.min(axis=0)  # NaN where one value is
        return highest - lowest > ROUNDING * np.maximum(np.abs(highest), np.abs(lowest))


def excess_returns(matrix: tp.Array2d, benchmark: tp.ArrayLike) -> tp.Array2d:
    """Returns of each column less those of a benchmark.

    Args:
        matrix (array): Per-period returns, one row per period and one column per trial.
        benchmark (float or array_like): Per-period returns to subtract: one for all rows, or one per row.

    Raises:
        ValueError: If there is not one return per row."""
    benchmark = np.asarray(benchmark, dtype=float)
    if benchmark.ndim > 1 or (benchmark.ndim == 1 and len(benchmark) != len(matrix)):
        raise ValueError(
            f"benchmark must be a number or have one return for each of the {len(matrix)} rows, "
            f"got the shape {benchmark.shape}"
        )
    return matrix - benchmark.reshape(-1, 1) if benchmark.any() else matrix
