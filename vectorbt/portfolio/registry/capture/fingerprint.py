"""The fingerprint of prices: what two runs on the same data have in common.

The fingerprint of one column of prices is the SHA-256, in hexadecimal, of these bytes:

1. one byte for the kind of index: `t` points in time, `d` durations, `i` integers, `s` anything else;
2. the number of bars, 8 bytes;
3. the index. For `t` nanoseconds since 1970 in UTC (naive times are read as UTC), for `d` nanoseconds, for `i` the
   integers, 8 bytes each. For `s` the ISO form of each label (or its `str`, if it has none) in UTF-8, preceded by its
   length in bytes as decimal digits and a colon. Times too far away to be counted in nanoseconds are of kind `s`;
4. the prices as float64, 8 bytes each, with one bit pattern for NaN and one for zero.

All numbers are little-endian. The unit, the zone and the name of the index, and the name of the prices, do not count.

The fingerprint of several columns is the SHA-256 of the fingerprints of the columns, in their order, joined by
newlines. A column that repeats an earlier one is left out, and a single fingerprint that remains stands for itself. So
the fingerprint of thousands of columns of parameters over one series of prices is that of the series."""

import hashlib
from contextlib import suppress

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.distinct_columns import distinct_columns
from vectorbt.portfolio.registry.capture.labels import as_numpy

__all__ = ["column_fingerprints", "distinct_prices", "fingerprint", "joined", "price_fingerprints"]


def fingerprint(close: tp.ArrayLike, index: tp.Index) -> str:
    """Return the fingerprint of prices, as the module's documentation defines it.

    Args:
        close (array_like): Prices, one column or several.
        index (pd.Index): Index of the prices.

    Raises:
        TypeError: If the prices are not numbers.
        ValueError: If prices and index differ in length."""
    return joined(column_fingerprints(close, index))


def joined(fingerprints: tp.Iterable[str]) -> str:
    """Return the fingerprint of several columns.

    Args:
        fingerprints (iterable of str): Fingerprint of each column, in their order."""
    distinct = list(dict.fromkeys(fingerprints))
    return distinct[0] if len(distinct) == 1 else hashlib.sha256("\n".join(distinct).encode()).hexdigest()


def column_fingerprints(close: tp.ArrayLike, index: tp.Index) -> tp.List[str]:
    """Return the fingerprint of each column. Equal columns are hashed once.

    Args:
        close (array_like): Prices, one column or several.
        index (pd.Index): Index of the prices.

    Raises:
        TypeError: If the prices are not numbers.
        ValueError: If prices and index differ in length."""
    prices, positions = distinct_prices(close, index)
    fingerprints = price_fingerprints(prices, index)
    return [fingerprints[position] for position in positions]


def distinct_prices(close: tp.ArrayLike, index: tp.Index) -> tp.Tuple[tp.Array2d, tp.Array1d]:
    """Return prices as float64, each different column once and in a row of its own, and which of them each column is.

    Args:
        close (array_like): Prices, one column or several.
        index (pd.Index): Index of the prices.

    Raises:
        TypeError: If the prices are not numbers.
        ValueError: If prices and index differ in length."""
    columns = _price_columns(close, index)
    first_ones, positions = distinct_columns(columns.T)
    return (columns if len(first_ones) == len(columns) else columns[first_ones]), positions


def price_fingerprints(prices: tp.Array2d, index: tp.Index) -> tp.List[str]:
    """Return the fingerprint of each row of prices.

    Args:
        prices (array): Prices, as `distinct_prices` returns them.
        index (pd.Index): Index of the prices."""
    indexed = hashlib.sha256(_index_bytes(index))
    fingerprints = []
    for row in prices:
        hashed = indexed.copy()
        hashed.update(_price_bytes(row))
        fingerprints.append(hashed.hexdigest())
    return fingerprints


def _price_columns(close: tp.ArrayLike, index: tp.Index) -> tp.Array2d:
    """Return prices as float64, one column in each row of the array."""
    try:
        if isinstance(close, (pd.Series, pd.DataFrame)) and not _is_numpys(close):
            close = close.astype(np.float64)  # which makes NaN of what is missing
        columns = np.atleast_2d(np.asarray(close, dtype=np.float64).T)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Prices must be numbers: {error}") from error
    if columns.shape[1] != len(index):
        raise ValueError(f"Prices and index must have the same length, got {columns.shape[1]} and {len(index)}")
    return columns


def _is_numpys(prices: tp.SeriesFrame) -> bool:
    """Return whether all columns are of types that NumPy knows, rather than nullable ones or those of Arrow."""
    return all(isinstance(dtype, np.dtype) for dtype in pd.DataFrame(prices).dtypes.unique())


def _price_bytes(prices: tp.Array1d) -> bytes:
    canonical = prices + 0.0  # -0.0 becomes 0.0
    canonical[np.isnan(canonical)] = np.nan
    return canonical.astype("<f8", copy=False).tobytes()


def _index_bytes(index: tp.Index) -> bytes:
    kind, encoded = _encoded_index(index)
    return kind + len(index).to_bytes(8, "little") + encoded


def _encoded_index(index: tp.Index) -> tp.Tuple[bytes, bytes]:
    """Return the kind and the bytes of an index."""
    index = as_numpy(index)
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert(None)
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        with suppress(pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
            kind = b"t" if isinstance(index, pd.DatetimeIndex) else b"d"
            return kind, index.as_unit("ns").asi8.astype("<i8", copy=False).tobytes()
    if pd.api.types.is_integer_dtype(index.dtype) and not index.hasnans:
        return b"i", index.to_numpy().astype("<i8", copy=False).tobytes()
    return b"s", b"".join(_label_bytes(label) for label in index.tolist())


def _label_bytes(label: tp.Any) -> bytes:
    if isinstance(label, tuple):
        encoded = b"".join(_label_bytes(part) for part in label)
    else:
        text = label.isoformat() if hasattr(label, "isoformat") else str(label)
        encoded = text.encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(encoded), encoded)
