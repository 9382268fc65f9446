"""What a portfolio has one value of per bar and column, apart from the values: how they are wrapped.

A close or a sequence of calls may be an array, a Series or a DataFrame, in either order of memory. Where its index or
columns are those of the portfolio's wrapper, they are not written again."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import UnknownValue, decode, encode
from vectorbt.portfolio.registry.portfolios.index import decode_index, describe_index, encode_index

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper

_KINDS = {np.ndarray: "array", pd.Series: "series", pd.DataFrame: "frame"}


def is_matrix(value: tp.Any, n_bars: int) -> bool:
    """Return whether a value has a row per bar."""
    return isinstance(value, tuple(_KINDS)) and value.ndim in (1, 2) and len(value) == n_bars


def describe_matrix(value: tp.Any, wrapper: "ArrayWrapper", name: str) -> tp.Tuple[tp.Dict[str, tp.Any], tp.Array2d]:
    """Return how a matrix is wrapped, and its values.

    Raises:
        TypeError: If it is of another type, or holds values that are no numbers of NumPy."""
    if type(value) not in _KINDS:
        raise TypeError(f"{name} is of type {type(value).__name__}; expected an array, a Series or a DataFrame")
    dtypes = set(value.dtypes) if isinstance(value, pd.DataFrame) else {value.dtype}
    if len(dtypes) != 1 or not all(isinstance(dtype, np.dtype) and dtype.kind in "iufb" for dtype in dtypes):
        raise TypeError(f"{name} has the types {', '.join(map(str, dtypes))}; expected one type of numbers")
    values = value if isinstance(value, np.ndarray) else value.to_numpy()
    description = dict(kind=_KINDS[type(value)], ndim=value.ndim, dtype=values.dtype.str)
    description["fortran"] = values.ndim == 2 and values.flags.f_contiguous and not values.flags.c_contiguous
    if not isinstance(value, np.ndarray):
        description["index"] = None if _are_same(value.index, wrapper.index) else encode_index(value.index)
    if isinstance(value, pd.Series):
        description["name"] = encode(value.name, f"the name of {name}")
    elif isinstance(value, pd.DataFrame):
        description["columns"] = None if _are_same(value.columns, wrapper.columns) else encode_index(value.columns)
    return description, values.reshape(len(values), -1)


def new_matrix(description: tp.Dict[str, tp.Any], n_bars: int, n_columns: int, dtype: np.dtype) -> tp.Array2d:
    """Return an array for the values of a matrix, in the order of memory that it had."""
    return np.empty((n_bars, n_columns), dtype, order="F" if description["fortran"] is True else "C")


def restore_matrix(description: tp.Dict[str, tp.Any], values: tp.Array2d, wrapper: "ArrayWrapper") -> tp.Any:
    """Return the matrix that `describe_matrix` was given.

    Raises:
        ValueError: If the description is malformed."""
    kind, ndim = description["kind"], description["ndim"]
    if (ndim == 1 and values.shape[1] != 1) or ndim not in (1, 2):
        raise ValueError("a matrix of another shape")
    shaped = values[:, 0] if ndim == 1 else values
    if kind == "array":
        return shaped
    index = wrapper.index if description["index"] is None else decode_index(description["index"])
    if kind == "series" and ndim == 1:
        name = decode(description["name"])
        if isinstance(name, UnknownValue):
            raise ValueError("a Series with a name that cannot be read")
        return pd.Series(shaped, index=index, name=name, copy=False)
    if kind == "frame" and ndim == 2:
        columns = wrapper.columns if description["columns"] is None else decode_index(description["columns"])
        return pd.DataFrame(shaped, index=index, columns=columns, copy=False)
    raise ValueError(f"a matrix of the kind {kind!r}")


def _are_same(index: pd.Index, other: pd.Index) -> bool:
    """Return whether two indexes are the same in everything that is written of them."""
    if index is other:
        return True
    if type(index) is not type(other) or len(index) != len(other):
        return False
    (description, ticks), (other_description, other_ticks) = describe_index(index), describe_index(other)
    return description == other_description and np.array_equal(ticks, other_ticks)
