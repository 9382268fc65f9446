"""Fewer points, and the same picture: every low and high stays."""

import numpy as np

from vectorbt import _typing as tp

MAX_BUCKETS = 1000
"""Pieces of a line of which the lowest and the highest point are drawn: two thousand points fill any screen."""

MAX_POINTS = 3000
"""Points of a cloud."""

_EXTREMES = 100
"""Points of a cloud at each end that are always drawn."""


def thinned(values: tp.Array1d, n_buckets: int = MAX_BUCKETS) -> tp.Array1d:
    """Return the places of the points of a line that are drawn, in their order.

    Of each bucket of neighbouring points the lowest and the highest stay, and so do the first and the last of all: no
    drawdown becomes shallower. There are at most `2 * n_buckets + 2`.

    Args:
        values (array): Heights of the points, NaN where there is none.
        n_buckets (int): Number of buckets."""
    n = len(values)
    if n <= 2 * n_buckets + 2:
        return np.arange(n)
    size = -(-n // n_buckets)
    padded = np.full(size * -(-n // size), np.nan)
    padded[:n] = values
    buckets = padded.reshape(-1, size)
    starts = np.arange(len(buckets)) * size
    known = ~np.isnan(buckets).all(axis=1)
    lowest = starts + np.where(np.isnan(buckets), np.inf, buckets).argmin(axis=1)
    highest = starts + np.where(np.isnan(buckets), -np.inf, buckets).argmax(axis=1)
    return np.unique(np.concatenate([[0], lowest[known], highest[known], [n - 1]]))


def sampled(values: tp.Array1d, n_points: int = MAX_POINTS, seed: int = 0) -> tp.Array1d:
    """Return the places of the points of a cloud that are drawn, in their order.

    A sample that is the same every time, and every one of the hundred best and worst.

    Args:
        values (array): What makes a point good or bad.
        n_points (int): Number of points in the sample."""
    n = len(values)
    if n <= n_points:
        return np.arange(n)
    order = np.argsort(values, kind="stable")
    order = order[~np.isnan(np.asarray(values, dtype=float)[order])]
    chosen = np.random.default_rng(seed).choice(n, n_points, replace=False)
    return np.unique(np.concatenate([chosen, order[:_EXTREMES], order[-_EXTREMES:]]))
