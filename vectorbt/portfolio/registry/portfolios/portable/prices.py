"""Prices and their index as one file, which all portfolios on the same prices share.

The file is named after what is in it: `prices-<digest>.parquet`. The digest is the SHA-256 of the digest of the index
and of those of the distinct columns, in their order, joined by newlines. So a part of the file can be verified without
the rest. It tells apart whatever `vectorbt.portfolio.registry.capture.fingerprint.fingerprint` tells apart, and bit
patterns beside.

What the fingerprint leaves out of an index is not in the file either, so that it does not keep portfolios from
sharing it: the name, the time zone, the frequency, and the resolution. They are in the *description* of the index
(`vectorbt.portfolio.registry.portfolios.index`), which each portfolio has."""

import hashlib
import re

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.portfolios.index import DescriptionT, describe_index, restore_index
from vectorbt.portfolio.registry.portfolios.portable.parquet_file import TableFile, write_file

FORMAT = "vectorbt-registry prices"

_NAME = re.compile(r"prices-([0-9a-f]{64})\.parquet")
_INDEX = "index"
_COLUMNS_AT_ONCE = 64
_TIMES = {"datetime": "M8", "timedelta": "m8"}
_OWN = ("name", "names", "zone", "freq", "unit")
"""What a portfolio has of an index for itself."""


class WrittenPrices(tp.NamedTuple):
    """A file of prices: its name, its content, and which of its columns is each column of the portfolio."""

    name: str
    content: bytes
    positions: tp.Array1d


def is_prices(name: str) -> bool:
    """Return whether a file of this name holds prices, which several portfolios may need."""
    return _NAME.fullmatch(name) is not None


def write_prices(close: tp.Array2d, index: pd.Index, version: int) -> WrittenPrices:
    """Return prices and their index as a file.

    Args:
        close (np.ndarray): Prices, bars by columns.
        index (pd.Index): Index.
        version (int): Version of the format.

    Raises:
        TypeError: If the index has no faithful encoding."""
    positions, first = _distinct(close)
    description, ticks = describe_index(index)
    labels, ticks = _to_share(description, ticks)
    columns = {} if ticks is None else {_INDEX: ticks}
    columns.update({str(i): np.ascontiguousarray(close[:, position]) for i, position in enumerate(first)})
    digests = [_index_digest(labels, ticks), *(_column_digest(columns[str(i)]) for i in range(len(first)))]
    meaning = dict(format=FORMAT, version=version, index=labels, digests=digests)
    is_time = labels["kind"] == "datetime" and labels["unit"] == "ns"
    bounds = [0, len(close)] if len(close) else [0]
    content = write_file(meaning, columns, bounds, timestamps=[_INDEX] if is_time else [])
    return WrittenPrices(_name(digests), content, positions)


class Prices:
    """A file of prices that `write_prices` has written.

    Args:
        name (str): Name of the file.
        table (TableFile): File.

    Raises:
        ValueError: If it is not the file of that name."""

    def __init__(self, name: str, table: TableFile) -> None:
        self._table = table
        digests = table.meaning.get("digests")
        if table.meaning.get("format") != FORMAT or type(digests) is not list or not digests:
            raise ValueError(f"{name} holds no prices")
        if not all(type(digest) is str for digest in digests) or _name(digests) != name:
            raise ValueError(f"{name} holds other prices than its name says")
        self._digests = digests

    @property
    def n_columns(self) -> int:
        """Number of distinct columns."""
        return len(self._digests) - 1

    def index(self, own: DescriptionT) -> pd.Index:
        """Return the index.

        Args:
            own (dict): What a portfolio has of it for itself, see `own_description`."""
        labels = self._table.meaning.get("index")
        if not isinstance(labels, dict) or not isinstance(own, dict):
            raise ValueError("prices without an index")
        ticks = self._table.column(_INDEX) if _INDEX in self._table.names else None
        if _index_digest(labels, ticks) != self._digests[0]:
            raise ValueError("an index that is not what was saved")
        if labels["kind"] in _TIMES and own["kind"] == labels["kind"]:
            ticks = _convert(ticks, labels, own["unit"])
        return restore_index({**labels, **own}, ticks)

    def column(self, i: int) -> tp.Array1d:
        """Return the prices of a column by its position."""
        if not 0 <= i < self.n_columns:
            raise ValueError(f"no prices {i} among {self.n_columns}")
        values = self._table.column(str(i))
        if _column_digest(values) != self._digests[i + 1]:
            raise ValueError("prices that are not what was saved")
        return values


def own_description(index: pd.Index) -> DescriptionT:
    """Return what a portfolio needs to make its index out of what `write_prices` keeps of it."""
    description, _ = describe_index(index)
    if description["kind"] == "range":
        return description
    return {name: value for name, value in description.items() if name == "kind" or name in _OWN}


# ############# What is shared ############# #


def _to_share(
    description: DescriptionT, ticks: tp.Optional[tp.Array1d]
) -> tp.Tuple[DescriptionT, tp.Optional[tp.Array1d]]:
    """Return what prices keep of an index: the same for all that have the same fingerprint."""
    kind = description["kind"]
    if kind in _TIMES:
        unit, shared = _finest(ticks, kind, description["unit"])
        return dict(kind=kind, unit=unit), shared
    if kind == "range":
        return dict(kind="array"), ticks
    if kind == "period":
        return dict(kind=kind, freq=description["freq"]), ticks
    return {name: value for name, value in description.items() if name not in _OWN}, ticks


def _finest(ticks: tp.Array1d, kind: str, unit: str) -> tp.Tuple[str, tp.Array1d]:
    """Return times in nanoseconds, or in their own unit if they are too far away to be counted so."""
    times = ticks.view(f"{_TIMES[kind]}[{unit}]")
    fine = times.astype(f"{_TIMES[kind]}[ns]")
    is_faithful = np.array_equal(fine.astype(times.dtype).view(np.int64), ticks)
    return ("ns", fine.view(np.int64)) if is_faithful else (unit, ticks)


def _convert(ticks: tp.Array1d, labels: DescriptionT, unit: tp.Any) -> tp.Array1d:
    if unit not in ("s", "ms", "us", "ns") or labels["unit"] not in ("s", "ms", "us", "ns"):
        raise ValueError("times without a unit")
    times = ticks.view(f"{_TIMES[labels['kind']]}[{labels['unit']}]")
    coarse = times.astype(f"{_TIMES[labels['kind']]}[{unit}]")
    if not np.array_equal(coarse.astype(times.dtype).view(np.int64), ticks):
        raise ValueError("times that their unit cannot count")
    return coarse.view(np.int64)


def _name(digests: tp.Sequence[str]) -> str:
    return f"prices-{hashlib.sha256(chr(10).join(digests).encode()).hexdigest()}.parquet"


def _index_digest(labels: DescriptionT, ticks: tp.Optional[tp.Array1d]) -> str:
    hashed = hashlib.sha256(dumps(labels))
    if ticks is not None:
        hashed.update(_column_digest(ticks).encode())
    return hashed.hexdigest()


def _column_digest(values: tp.Array1d) -> str:
    hashed = hashlib.sha256(values.dtype.str.encode())
    hashed.update(np.ascontiguousarray(values))
    return hashed.hexdigest()


def _distinct(close: tp.Array2d) -> tp.Tuple[tp.Array1d, tp.List[int]]:
    """Return which distinct column each column is, and where each distinct one occurs first."""
    n_columns = close.shape[1]
    if n_columns > 1 and _are_all_equal(close):
        return np.zeros(n_columns, np.int32), [0]
    positions, first, known = np.empty(n_columns, np.int32), [], {}
    for start in range(0, n_columns, _COLUMNS_AT_ONCE):
        for column, values in enumerate(np.ascontiguousarray(close[:, start : start + _COLUMNS_AT_ONCE].T), start):
            digest = hashlib.sha256(values).digest()
            if digest not in known:
                known[digest] = len(first)
                first.append(column)
            positions[column] = known[digest]
    return positions, first


def _are_all_equal(close: tp.Array2d) -> bool:
    """Return whether all columns are the same bit by bit, as they are in a sweep."""
    if close.dtype.itemsize not in (1, 2, 4, 8):
        return False
    bits = close.view(f"u{close.dtype.itemsize}")
    if not np.array_equal(bits[-1:], np.broadcast_to(bits[-1:, :1], (len(bits[-1:]), bits.shape[1]))):
        return False
    if close.flags.f_contiguous:
        return all(np.array_equal(bits[:, 0], bits[:, i]) for i in range(1, bits.shape[1]))
    return all(bool((row == row[0]).all()) for row in bits)
