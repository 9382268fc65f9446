"""Entries of the configuration of a portfolio as JSON, and back: scalars, arrays, frequencies and groups."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import UnknownValue, decode, encode
from vectorbt.portfolio.registry.portfolios.index import decode_index, encode_index

EncodedT = tp.Dict[str, tp.Any]


def encode_entry(value: tp.Any, name: str) -> EncodedT:
    """Encode one entry, so that `decode_entry` returns one of the same type.

    Raises:
        TypeError: If it has no faithful encoding. The message names it."""
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        return dict(scalar=encode(np.asarray(value), name))
    if type(value) is pd.Series:
        values = encode(_values_of(value, name), name)
        return dict(series=values, index=encode_index(value.index), name=encode(value.name, f"the name of {name}"))
    if type(value) is pd.DataFrame:
        values = encode(_values_of(value, name), name)
        return dict(frame=values, index=encode_index(value.index), columns=encode_index(value.columns))
    if isinstance(value, pd.Index):
        return dict(index=encode_index(value))
    if isinstance(value, pd.tseries.offsets.BaseOffset):
        if pd.tseries.frequencies.to_offset(value.freqstr) != value:
            raise TypeError(f"{name} is {value!r}, which its name does not tell")
        return dict(offset=value.freqstr)
    return dict(value=encode(value, name))


def _values_of(obj: tp.SeriesFrame, name: str) -> tp.Array:
    dtypes = {obj.dtype} if obj.ndim == 1 else set(obj.dtypes)
    if len(dtypes) > 1 or not all(isinstance(dtype, np.dtype) for dtype in dtypes):
        raise TypeError(f"{name} has the types {', '.join(map(str, dtypes))}; expected one type of NumPy")
    return obj.to_numpy()


def decode_entry(encoded: tp.Any) -> tp.Any:
    """Decode what `encode_entry` returned.

    Raises:
        ValueError: If it is malformed."""
    if type(encoded) is not dict or not encoded:
        raise ValueError("an entry that is no object")
    kind = next(iter(encoded))
    if kind == "scalar":
        return _decoded_array(encoded[kind], ndim=0)[()]
    if kind == "series":
        series = pd.Series(_decoded_array(encoded[kind], ndim=1), index=decode_index(encoded["index"]))
        return series.rename(_decoded(encoded["name"]))
    if kind == "frame":
        index, columns = decode_index(encoded["index"]), decode_index(encoded["columns"])
        return pd.DataFrame(_decoded_array(encoded[kind], ndim=2), index=index, columns=columns)
    if kind == "index":
        return decode_index(encoded[kind])
    if kind == "offset":
        if not isinstance(encoded[kind], str):
            raise ValueError("a frequency without a name")
        return pd.tseries.frequencies.to_offset(encoded[kind])
    if kind == "value":
        return _decoded(encoded[kind])
    raise ValueError(f"an entry of the kind {kind!r}")


def _decoded(encoded: tp.Any) -> tp.Any:
    value = decode(encoded)
    if isinstance(value, UnknownValue):
        raise ValueError("an entry that cannot be read")
    return value


def _decoded_array(encoded: tp.Any, ndim: int) -> tp.Array:
    value = _decoded(encoded)
    if not isinstance(value, np.ndarray) or value.ndim != ndim:
        raise ValueError(f"an entry that is no array of {ndim} dimensions")
    return value
