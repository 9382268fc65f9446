"""Columns are the same if they are the same bit by bit, whichever of them agree in a few rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorbt.portfolio.registry.capture.distinct_columns import distinct_columns

ORDERS = {"C": np.ascontiguousarray, "F": np.asfortranarray, "strided": lambda values: np.repeat(values, 2, 0)[::2]}


def check(values):
    first_ones, positions = distinct_columns(values)
    contents = [np.ascontiguousarray(column).tobytes() for column in values.T]
    assert [contents[i] for i in first_ones] == list(dict.fromkeys(contents))
    assert [contents[first_ones[position]] for position in positions] == contents


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "f4", "i2", "?", "longdouble"])
@given(
    kinds=st.lists(st.integers(0, 5), max_size=150),
    n_rows=st.integers(0, 40),
    changed=st.lists(st.integers(0, 39), min_size=5, max_size=5),
)
def test_they_are_found_however_they_lie_in_memory(order, dtype, kinds, n_rows, changed):
    bases = np.zeros((n_rows, 6))
    for kind, row in enumerate(changed, 1):  # alike but for one row, which may not be among those that are sampled
        bases[row : row + 1, kind] = kind
    check(ORDERS[order](bases[:, kinds].astype(dtype)))


def test_bits_count_not_values():
    nan, other_nan = np.array([0x7FF8000000000000, 0x7FF8000000000001], "u8").view("f8")
    check(np.array([[0.0, -0.0, nan, other_nan, 0.0, nan]]))
    assert len(distinct_columns(np.array([[0.0, -0.0, nan, other_nan, 0.0, nan]]))[0]) == 4


def test_a_broadcast_column_is_one():
    check(np.broadcast_to(np.arange(100.0)[:, None], (100, 300)))
    assert distinct_columns(np.broadcast_to(np.arange(100.0)[:, None], (100, 300)))[0].tolist() == [0]
