"""Dependence between trials, and between the returns of one trial."""

import operator
from typing import Literal, overload

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.return_matrix import as_return_matrix, has_sharpe_ratio

__all__ = [
    "LjungBoxTest",
    "MAX_COLUMNS",
    "autocorrelations",
    "cluster_sharpe_ratios",
    "effective_number_of_trials",
    "ljung_box_test",
    "lo_adjusted_sharpe",
]

MAX_COLUMNS = 10_000
"""Number of trials that can be clustered at most. The distances between all pairs of them take 8 bytes each, and a few
copies exist at a time."""

_N_CUTS = 100
_SIGNIFICANCE = 0.05
# Clusters with a mean silhouette up to this are "no substantial structure" (Kaufman and Rousseeuw, 1990).
_NO_STRUCTURE = 0.25


@overload
def effective_number_of_trials(returns: tp.ArrayLike, *, return_labels: Literal[False] = False) -> int: ...


@overload
def effective_number_of_trials(returns: tp.ArrayLike, *, return_labels: Literal[True]) -> tp.Tuple[int, tp.Array1d]: ...


def effective_number_of_trials(
    returns: tp.ArrayLike, *, return_labels: bool = False
) -> tp.Union[int, tp.Tuple[int, tp.Array1d]]:
    """Number of clusters of correlated trials.

    Trials that hold nearly the same positions are nearly one trial. Columns are joined bottom-up (average linkage) by
    their distance sqrt((1 - rho) / 2), with rho the correlation of their returns (Lopez de Prado and Lewis, "Detection
    of False Investment Strategies Using Unsupervised Learning Methods", 2019, who use k-means). How many clusters there
    are is decided in two steps, since silhouettes alone know neither a single cluster nor one per column:

    * Clusters are joined as long as the mean distance between them is below that of a correlation which independent
        columns would not show: the 5 % critical value over all pairs. So N columns of noise are N trials, and identical
        columns are one.
    * Of 100 evenly spaced cuts below that distance, one with more clusters is taken if its mean silhouette is the best
        and above 0.25, up to which Kaufman and Rousseeuw ("Finding Groups in Data", 1990) see no substantial structure.

    Nothing in it is random. Of a sweep over a continuous parameter, whose trials merge into each other, it makes few
    clusters: take the result as the lower end of a range, and the number of columns as the upper.

    Args:
        returns (array_like): Per-period returns, one row per period and one column per trial.
        return_labels (bool): Whether to return the cluster of each column as well.

    Returns:
        int or tuple: The number of clusters. With `return_labels`, also an array with the cluster of each column,
        numbered from 0 in the order of first appearance, and -1 for columns that were left out because they have no
        Sharpe ratio (NaN, infinite or constant returns).

    Raises:
        ValueError: If there are fewer than four rows, no column has a Sharpe ratio, or more than 10,000 do.

    Usage:
        ```pycon
        >>> import numpy as np
        >>> from vectorbt.portfolio.registry.selection_bias import effective_number_of_trials

        >>> ideas = np.random.default_rng(42).normal(size=(1000, 3))
        >>> effective_number_of_trials(np.repeat(ideas, 20, axis=1))
        3
        ```"""
    matrix = as_return_matrix(returns)
    usable = has_sharpe_ratio(matrix)
    _check_clusterable(matrix.shape[0], usable)
    labels = np.full(matrix.shape[1], -1)
    labels[usable] = _cluster(matrix[:, usable])
    n_clusters = int(labels.max()) + 1
    return (n_clusters, labels) if return_labels else n_clusters


def _check_clusterable(n_rows: int, usable: tp.Array1d) -> None:
    if n_rows < 4:
        raise ValueError(f"returns has {n_rows} rows; correlations need at least 4")
    if not usable.any():
        raise ValueError(f"none of the {len(usable)} columns of returns has a Sharpe ratio")
    if usable.sum() > MAX_COLUMNS:
        raise ValueError(
            f"returns has {usable.sum()} columns; the memory for clustering grows with their square, "
            f"pass at most {MAX_COLUMNS} at a time"
        )


def _cluster(matrix: tp.Array2d) -> tp.Array1d:
    """Label the columns with the number of their cluster."""
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    n_rows, n_columns = matrix.shape
    if n_columns == 1:
        return np.zeros(1, dtype=int)
    distances = _correlation_distances(matrix)
    tree = linkage(squareform(distances, checks=False), method="average")
    # In the order of the tree's leaves, each cluster of each cut is a run of neighbours.
    order = leaves_list(tree)
    distances = distances[np.ix_(order, order)]
    best_labels, best_score, n_clusters = np.zeros(n_columns, dtype=int), _NO_STRUCTURE, 0
    for height in np.linspace(_noise_distance(n_rows, n_columns), 0, _N_CUTS, endpoint=False):
        labels = fcluster(tree, height, criterion="distance")
        if labels.max() == n_clusters:
            continue
        score = _mean_silhouette(distances, np.flatnonzero(np.diff(labels[order], prepend=-1)))
        if n_clusters == 0 or score > best_score:
            best_labels, best_score = labels, max(score, best_score)
        n_clusters = labels.max()
    return _number_by_appearance(best_labels)


def _correlation_distances(matrix: tp.Array2d) -> tp.Array2d:
    """Distances sqrt((1 - rho) / 2) between the columns."""
    scores = matrix - matrix.mean(axis=0)
    scores /= np.sqrt(np.einsum("ij,ij->j", scores, scores))
    distances = scores.T @ scores
    np.subtract(1, distances, out=distances)
    # Equal columns have a correlation of one but for rounding, whose root would be far from zero.
    distances[distances < 1e-12] = 0.0
    distances /= 2
    np.sqrt(distances, out=distances)
    np.fill_diagonal(distances, 0.0)
    return distances


def _noise_distance(n_rows: int, n_columns: int) -> float:
    """Distance that no two of so many independent columns fall below, with 95 % confidence."""
    from scipy.stats import norm

    n_pairs = n_columns * (n_columns - 1) / 2
    correlation = np.tanh(norm.isf(_SIGNIFICANCE / n_pairs) / np.sqrt(n_rows - 3))
    return float(np.sqrt((1 - correlation) / 2))


def _mean_silhouette(distances: tp.Array2d, starts: tp.Array1d) -> float:
    """Mean silhouette of the clusters that begin at the positions `starts`.

    Zero for a single cluster, which has no other to compare with; a column alone in its cluster counts as zero."""
    n_columns = len(distances)
    if len(starts) in (1, n_columns):
        return 0.0
    sizes = np.diff(starts, append=n_columns)
    rows, own = np.arange(n_columns), np.repeat(np.arange(len(starts)), sizes)
    to_clusters = np.add.reduceat(distances, starts, axis=1)
    within = to_clusters[rows, own] / np.maximum(sizes[own] - 1, 1)
    to_clusters /= sizes
    to_clusters[rows, own] = np.inf
    nearest = to_clusters.min(axis=1)
    larger = np.maximum(within, nearest)
    silhouettes = np.divide(nearest - within, larger, out=np.zeros(n_columns), where=larger > 0)
    return float(np.where(sizes[own] > 1, silhouettes, 0.0).mean())


def _number_by_appearance(labels: tp.Array1d) -> tp.Array1d:
    """Renumber the labels from 0 in the order in which they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def cluster_sharpe_ratios(returns: tp.ArrayLike, labels: tp.ArrayLike) -> tp.Array1d:
    """Sharpe ratio per period of each cluster of trials, as one portfolio of its members.

    The members are weighted with the inverse of their variances, so that none speaks for the cluster because it takes
    the largest positions (Lopez de Prado and Lewis, 2019).

    Args:
        returns (array_like): Per-period returns, one row per period and one column per trial.
        labels (array_like): Cluster of each column, as `effective_number_of_trials` returns them.

    Returns:
        array: Sharpe ratios in the order of the labels.

    Raises:
        ValueError: If there is not one label for each column."""
    matrix, labels = as_return_matrix(returns), np.asarray(labels)
    if labels.shape != (matrix.shape[1],):
        raise ValueError(f"labels must be one for each of the {matrix.shape[1]} columns, got {labels.shape}")
    sharpes = []
    for label in np.unique(labels[labels >= 0]):  # the others were left out
        members = matrix[:, labels == label]
        cluster = members @ (1 / members.var(axis=0))
        sharpes.append(cluster.mean() / cluster.std(ddof=1))
    return np.array(sharpes)


def lo_adjusted_sharpe(sharpe: tp.ArrayLike, autocorrelations: tp.ArrayLike, periods: float) -> tp.MaybeArray[float]:
    """Sharpe ratio over several periods, as for a year, of returns that are serially correlated.

    SR(q) = SR q / sqrt(q + 2 ((q - 1) rho(1) + (q - 2) rho(2) + ... + rho(q - 1))), which is SR sqrt(q) without
    autocorrelation (Lo, "The Statistics of Sharpe Ratios", 2002). Smooth returns, with positive autocorrelations, have
    a lower one.

    Args:
        sharpe (float or array_like): Sharpe ratio per period, SR.
        autocorrelations (array_like): Autocorrelations of the returns from lag 1 on, rho, as the function of that name
            gives them. Those of longer lags count as zero, and lags of q and longer do not count.
        periods (float): Number of periods to aggregate, q: for a year, the periods per year.

    Returns:
        float or array: Sharpe ratio over `periods` periods. NaN if the autocorrelations leave no positive variance.

    Raises:
        ValueError: If `periods` is less than 1 or `autocorrelations` does not have one dimension."""
    rho = np.atleast_1d(np.asarray(autocorrelations, dtype=float))
    if rho.ndim != 1:
        raise ValueError(f"autocorrelations must have one dimension, one value per lag; got {rho.ndim}")
    if not periods >= 1:
        raise ValueError(f"periods must be at least 1, got {periods!r}")
    weights = np.maximum(periods - np.arange(1, len(rho) + 1), 0)
    variance = periods + 2 * weights @ rho
    scale = periods / np.sqrt(variance) if variance > 0 else np.nan
    adjusted = np.asarray(sharpe, dtype=float) * scale
    return float(adjusted) if adjusted.ndim == 0 else adjusted


def autocorrelations(returns: tp.ArrayLike, n_lags: int) -> tp.Array1d:
    """Autocorrelations of one series of returns, from lag 1 to `n_lags`.

    Args:
        returns (array_like): Per-period returns, one dimension.
        n_lags (int): Longest lag, less than the number of returns.

    Raises:
        ValueError: If `returns` has more than one dimension, holds NaN or infinities, or never varies, or if `n_lags`
            is out of range."""
    series = np.asarray(returns, dtype=float)
    if series.ndim != 1:
        raise ValueError(f"returns must have one dimension, got {series.ndim}")
    if not 1 <= operator.index(n_lags) < len(series):
        raise ValueError(f"n_lags must be from 1 to {len(series) - 1}, less than the number of returns; got {n_lags}")
    if not has_sharpe_ratio(series[:, None]).all():
        raise ValueError("returns must be finite and vary; a series with NaN or of one value has no autocorrelation")
    deviations = series - series.mean()
    products = [deviations[lag:] @ deviations[:-lag] for lag in range(1, n_lags + 1)]
    return np.array(products) / (deviations @ deviations)


class LjungBoxTest(tp.NamedTuple):
    """Result of `ljung_box_test`."""

    statistic: float
    """Q statistic."""

    p_value: float
    """Probability of a statistic this large without autocorrelation."""

    n_lags: int
    """Number of lags tested together."""

    is_autocorrelated: bool
    """Whether the p-value is below 0.05."""


def ljung_box_test(returns: tp.ArrayLike, n_lags: tp.Optional[int] = None) -> LjungBoxTest:
    """Test whether returns are serially correlated.

    Q = T (T + 2) (rho(1)^2 / (T - 1) + ... + rho(m)^2 / (T - m)), which has a chi-squared distribution with m degrees
    of freedom if they are not (Ljung and Box, "On a Measure of Lack of Fit in Time Series Models", 1978).

    Args:
        returns (array_like): Per-period returns, one dimension, T values.
        n_lags (int): Number of lags, m. By default 10, or a fifth of T if that is less.

    Raises:
        ValueError: As `autocorrelations` does."""
    from scipy.stats import chi2

    n_obs = len(np.atleast_1d(returns))
    if n_lags is None:
        n_lags = max(1, min(10, n_obs // 5))
    rho = autocorrelations(returns, n_lags)
    statistic = n_obs * (n_obs + 2) * np.sum(rho**2 / (n_obs - np.arange(1, n_lags + 1)))
    p_value = float(chi2.sf(statistic, n_lags))
    return LjungBoxTest(float(statistic), p_value, n_lags, p_value < _SIGNIFICANCE)
