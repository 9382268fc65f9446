"""Which of many trials are better than a benchmark, with a small chance of even one false claim."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.bootstrap import in_chunks
from vectorbt.portfolio.registry.selection_bias.progress import progress_bar
from vectorbt.portfolio.registry.selection_bias.return_matrix import as_return_matrix, excess_returns, has_sharpe_ratio

__all__ = ["step_down_pvalues"]

_COLUMNS_AT_ONCE = 256
"""Columns that are bootstrapped by one matrix product: their results fit into the CPU's cache."""


def step_down_pvalues(
    returns: tp.ArrayLike,
    indices: tp.Union[tp.ArrayLike, tp.Iterator[tp.Array2d]],
    benchmark: tp.ArrayLike = 0.0,
    *,
    progress: tp.Optional[bool] = None,
) -> tp.Array1d:
    """P-values of trials for being better than a benchmark, adjusted for how many there are.

    Returns are taken in units of their sample standard deviation (ddof 0), which stays fixed over the draws. Columns
    are put in the falling order of their means m. In how many bootstraps does the largest deviation m* - m among a
    column and all that rank behind it reach the column's own mean? The share of these is its p-value, made monotone,
    and the bootstrap counts the sample itself as a draw (White, "A Reality Check for Data Snooping", 2000; Romano and
    Wolf, "Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing", 2005, and "Efficient Computation of
    Adjusted p-Values for Resampling-Based Stepdown Multiple Testing", 2016).

    Those with a p-value of at most 5 % are better, with a chance of 5 % that even one of them is not. However closely
    trials resemble each other, the bootstrap knows it: copies of a trial change no p-value.

    Args:
        returns (array_like): Per-period returns, T rows, one column per trial.
        indices (array_like): Rows of bootstraps, B x T, as `stationary_bootstrap` draws them, or an iterator of such
            arrays.
        benchmark (float or array_like): Per-period returns to exceed: one for all rows, or one per row.
        progress (bool): Whether to show a progress bar if it takes more than two seconds. By default in a terminal.

    Returns:
        array: One p-value per column. NaN for columns without a Sharpe ratio against the benchmark.

    Raises:
        ValueError: If shapes do not fit.

    Usage:
        ```pycon
        >>> import numpy as np
        >>> from vectorbt.portfolio.registry.selection_bias import stationary_bootstrap, step_down_pvalues

        >>> returns = np.random.default_rng(42).normal(0, 0.01, size=(1000, 20))
        >>> returns[:, 3] += 0.002
        >>> pvalues = step_down_pvalues(returns, stationary_bootstrap(1000, 999, 5, seed=0))
        >>> np.flatnonzero(pvalues <= 0.05)
        array([3])
        ```"""
    matrix = excess_returns(as_return_matrix(returns), benchmark)
    usable = np.flatnonzero(has_sharpe_ratio(matrix))
    pvalues = np.full(matrix.shape[1], np.nan)
    means = np.concatenate(
        [part.mean(axis=0) / part.std(axis=0) for part in _in_parts(matrix, usable)] if len(usable) else [usable]
    )
    order = np.argsort(-means, kind="stable")
    ranked, means = usable[order], means[order]
    n_bootstraps, n_reached = 0, np.zeros(len(ranked), dtype=int)
    for rows in in_chunks(indices):
        with progress_bar(len(rows) * len(ranked), "Bootstraps", progress) as advance:
            n_reached += _count_reached(matrix, ranked, means, _how_often(rows, len(matrix)), advance)
        n_bootstraps += len(rows)
    pvalues[ranked] = np.maximum.accumulate((1 + n_reached) / (n_bootstraps + 1))
    return pvalues


def _count_reached(
    matrix: tp.Array2d,
    ranked: tp.Array1d,
    means: tp.Array1d,
    counts: tp.Array2d,
    advance: tp.Callable[[int], tp.Any],
) -> tp.Array1d:
    """Count for each of the ranked columns how many bootstraps of it or of one behind it reach its mean."""
    n_rows, n_reached = len(matrix), np.zeros(len(ranked), dtype=int)
    behind = np.full(len(counts), -np.inf, dtype=np.float32)
    # From the last one on, so that the largest deviation behind a column is known when it is its turn.
    for end in range(len(ranked), 0, -_COLUMNS_AT_ONCE):
        chunk = slice(max(0, end - _COLUMNS_AT_ONCE), end)
        # Single precision holds counts exactly, and the means of the draws far better than they are known.
        scores = matrix[:, ranked[chunk]]
        scores = ((scores - scores.mean(axis=0)) / (scores.std(axis=0) * n_rows)).astype(np.float32)
        deviations = (scores.T @ counts.T)[::-1]
        np.maximum(deviations[0], behind, out=deviations[0])
        np.maximum.accumulate(deviations, axis=0, out=deviations)
        behind = deviations[-1].copy()
        n_reached[chunk] = np.count_nonzero(deviations >= means[chunk][::-1, None], axis=1)[::-1]
        advance(deviations.size)
    return n_reached


def _in_parts(matrix: tp.Array2d, columns: tp.Array1d) -> tp.Iterator[tp.Array2d]:
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        yield matrix[:, columns[start : start + _COLUMNS_AT_ONCE]]


def _how_often(rows: tp.Array2d, n_rows: int) -> tp.Array2d:
    """Count how often each row occurs in each bootstrap, B x T."""
    if rows.ndim != 2 or rows.shape[1] != n_rows:
        raise ValueError(f"indices must have one row per bootstrap and {n_rows} columns; got the shape {rows.shape}")
    counts = np.empty(rows.shape, dtype=np.float32)
    for bootstrap, drawn in zip(counts, rows):
        bootstrap[:] = np.bincount(drawn, minlength=n_rows)
    return counts
