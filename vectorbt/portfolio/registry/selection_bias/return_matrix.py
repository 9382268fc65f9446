"""Per-period returns of many trials as one matrix: one row per period, one column per trial."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.metrics import ROUNDING

__all__ = ["as_return_matrix", "has_sharpe_ratio"]


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
    finite = np.isfinite(matrix).all(axis=0)
    values = np.where(finite, matrix, 0.0)
    return np.ptp(values, axis=0) > ROUNDING * np.abs(values).max(axis=0)
