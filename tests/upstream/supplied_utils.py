"""Stands in for `tests/utils.py`, which vectorbt's tests import and its source distribution lacks."""

import numpy as np


def record_arrays_close(actual, expected):
    """Assert that two record arrays have the same fields, and values that differ by rounding at most."""
    assert actual.dtype.names == expected.dtype.names
    for field in actual.dtype.names:
        np.testing.assert_allclose(actual[field], expected[field], rtol=1e-9)
