"""What is left of returns once those of a benchmark are taken out."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.return_matrix import as_return_matrix, has_sharpe_ratio

__all__ = ["residual_returns"]

_NOTHING_LEFT = 1e-9
"""Share of the variance below which what is left is rounding: the trial is the benchmark, in some multiple."""


def residual_returns(returns: tp.ArrayLike, benchmark: tp.ArrayLike) -> tp.Tuple[tp.Array2d, tp.Array1d]:
    """Take the benchmark out of the returns of trials.

    The returns y of each trial are regressed on those of the benchmark, x. What remains is y - beta x, with the mean
    that x does not explain: what the trial earns beside a position of -beta in the benchmark (Treynor and Black, "How
    to Use Security Analysis to Improve Portfolio Selection", 1973).

    Args:
        returns (array_like): Per-period returns, one row per period and one column per trial.
        benchmark (array_like): Per-period returns of the benchmark, one per row, or a matrix with a benchmark of its
            own for each trial.

    Returns:
        tuple: The matrix of what remains, and the beta of each trial. What is a multiple of the benchmark leaves
        zeros. A benchmark that never varies has a beta of zero, and takes out nothing.

    Raises:
        ValueError: If shapes do not fit, or the benchmark has a NaN or an infinity."""
    matrix = as_return_matrix(returns)
    x = np.asarray(benchmark, dtype=float)
    x = x.reshape(-1, 1) if x.ndim == 1 else x
    if x.ndim != 2 or len(x) != len(matrix) or x.shape[1] not in (1, matrix.shape[1]):
        raise ValueError(
            f"benchmark must have one return for each of the {len(matrix)} rows, or for each cell of returns; got the "
            f"shape {np.shape(benchmark)}"
        )
    if not np.isfinite(x).all():
        raise ValueError("benchmark must hold finite returns, without NaN")
    deviations = np.where(has_sharpe_ratio(x), x - x.mean(axis=0), 0.0)
    squares = np.einsum("ij,ij->j", deviations, deviations)
    centred = matrix - matrix.mean(axis=0)
    products = deviations[:, 0] @ centred if x.shape[1] == 1 else np.einsum("ij,ij->j", deviations, centred)
    betas = np.divide(products, squares, out=np.zeros(matrix.shape[1]), where=squares > 0)
    variance = np.einsum("ij,ij->j", centred, centred)
    del centred
    residuals = matrix - betas * x
    left = variance - betas * products
    residuals[:, left <= _NOTHING_LEFT * variance] = 0.0
    return residuals, betas
