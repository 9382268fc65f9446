"""Which columns of an array are the same, bit by bit."""

import hashlib
from collections import defaultdict

import numpy as np

from vectorbt import _typing as tp

_SAMPLED_ROWS = 8
"""Rows by which columns that may be equal are found before they are compared in full."""

_COLUMNS_AT_ONCE = 64
"""Columns that are compared in full together, which bounds the memory it takes."""


def distinct_columns(values: tp.Array2d) -> tp.Tuple[tp.Array1d, tp.Array1d]:
    """Return the position of the first one of each distinct column, in their order, and which of them each column is.

    A sweep repeats the same prices thousands of times, which is faster to see than to hash. Columns that agree in a
    few rows are compared with the first of their kind, and hashed only if they differ from it."""
    n_rows, n_columns = values.shape
    sampled = values[np.linspace(0, n_rows - 1, _SAMPLED_ROWS).astype(int) if n_rows else []]
    alike: tp.Dict[bytes, tp.List[int]] = defaultdict(list)
    for position, sample in enumerate(np.ascontiguousarray(sampled.T)):
        alike[sample.tobytes()].append(position)
    first_ones = np.arange(n_columns)
    for position, *further in alike.values():
        first_ones[further] = position
        others = np.asarray(further, int)
        unequal = others[~_are_equal(values, position, others)].tolist()
        known: tp.Dict[bytes, int] = {}
        for other in [position, *unequal] if unequal else []:
            digest = hashlib.sha256(values[:, other].tobytes()).digest()
            first_ones[other] = known.setdefault(digest, other)
    return np.unique(first_ones, return_inverse=True)


def _are_equal(values: tp.Array2d, position: int, others: tp.Array1d) -> tp.Array1d:
    """Return which columns are the same as the one at a position."""
    are_equal = np.zeros(len(others), bool)
    if values.dtype.itemsize not in (1, 2, 4, 8):  # NumPy has no integers of that size to compare bits by
        return are_equal
    bits = values.view(f"u{values.dtype.itemsize}")
    for start in range(0, len(others), _COLUMNS_AT_ONCE):
        chunk = others[start : start + _COLUMNS_AT_ONCE]
        is_adjacent = chunk[-1] - chunk[0] == len(chunk) - 1
        columns = bits[:, chunk[0] : chunk[-1] + 1] if is_adjacent else bits[:, chunk]
        are_equal[start : start + len(chunk)] = (columns == bits[:, [position]]).all(axis=0)
    return are_equal
