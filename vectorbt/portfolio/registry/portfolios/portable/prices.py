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
from vectorbt.portfolio.registry.capture.distinct_columns import distinct_columns
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.portfolios.index import DescriptionT, describe_index, restore_index
from vectorbt.portfolio.registry.portfolios.portable.table import TableFile, as_type, write_table

FORMAT = "vectorbt-registry prices"

_NAME = re.compile(r"prices-([0-9a-f]{64})\.parquet")
_INDEX = "index"
_COLUMNS_PER_GROUP = 2**10
"""Distinct columns that stand side by side. Further ones follow in row groups of their own."""
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
    first_ones, positions = distinct_columns(close)
    distinct = [np.ascontiguousarray(close[:, first]) for first in first_ones]
    labels, ticks = _to_share(*describe_index(index))
    digests = [_index_digest(labels, ticks), *map(_column_digest, distinct)]
    header = dict(format=FORMAT, version=version, index=labels, digests=digests)
    columns, n_groups = _side_by_side(distinct, ticks)
    bounds = [len(close) * i for i in range(n_groups + 1)] if len(close) else [0]
    is_time = labels["kind"] == "datetime" and labels["unit"] == "ns"
    content = write_table(header, columns, bounds, timestamps=[_INDEX] if is_time else [])
    return WrittenPrices(_name(digests), content, positions.astype(np.int32))


def _side_by_side(
    distinct: tp.Sequence[tp.Array1d], ticks: tp.Optional[tp.Array1d]
) -> tp.Tuple[tp.Dict[str, tp.Array1d], int]:
    """Return the columns of a table, and how many row groups it has. In each of them the index is repeated."""
    n_groups = max(1, -(-len(distinct) // _COLUMNS_PER_GROUP))
    columns = {} if ticks is None else {_INDEX: np.tile(ticks, n_groups)}
    for i in range(min(len(distinct), _COLUMNS_PER_GROUP)):
        blocks = distinct[i::_COLUMNS_PER_GROUP]
        missing = n_groups - len(blocks)
        column = np.concatenate([*blocks, *missing * [np.zeros_like(blocks[0])]])
        columns[str(i)] = column.astype(blocks[0].dtype, copy=False)  # NumPy concatenates in the order of the machine
    return columns, n_groups


class Prices:
    """A file of prices that `write_prices` has written.

    Args:
        name (str): Name of the file.
        table (TableFile): File.

    Raises:
        ValueError: If it is not the file of that name."""

    def __init__(self, name: str, table: TableFile) -> None:
        self._table = table
        digests = table.header.get("digests")
        if table.header.get("format") != FORMAT or type(digests) is not list or not digests:
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
        labels = self._table.header.get("index")
        if not isinstance(labels, dict) or not isinstance(own, dict):
            raise ValueError("prices without an index")
        ticks = self._table.columns([_INDEX], self._first_group)[_INDEX] if _INDEX in self._table.names else None
        if _index_digest(labels, ticks) != self._digests[0]:
            raise ValueError("an index that is not what was saved")
        if ticks is not None and labels["kind"] in _TIMES and own["kind"] == labels["kind"]:
            ticks = _convert(ticks, labels, own["unit"])
        return restore_index({**labels, **own}, ticks)

    def columns(self, positions: tp.Iterable[int], dtype: np.dtype) -> tp.Dict[int, tp.Array1d]:
        """Return the prices of columns by their positions.

        Args:
            positions (iterable of int): Positions.
            dtype (np.dtype): Type of the prices, which the portfolio tells.

        Raises:
            ValueError: If there is no such column, or the prices are not what was saved."""
        by_group: tp.Dict[int, tp.List[int]] = {}
        for position in sorted(set(positions)):
            if not 0 <= position < self.n_columns:
                raise ValueError(f"no prices {position} among {self.n_columns}")
            by_group.setdefault(position // _COLUMNS_PER_GROUP, []).append(position)
        prices = {}
        for group, members in by_group.items():
            names = {position: str(position % _COLUMNS_PER_GROUP) for position in members}
            # A table without rows has no groups either.
            columns = self._table.columns(list(names.values()), [group] if self._table.n_groups else [])
            for position, name in names.items():
                prices[position] = as_type(columns[name], dtype)
                if _column_digest(prices[position]) != self._digests[position + 1]:
                    raise ValueError("prices that are not what was saved")
        return prices

    @property
    def _first_group(self) -> tp.List[int]:
        return list(range(min(1, self._table.n_groups)))


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
    if kind in _TIMES and ticks is not None:
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
    hashed.update(values.tobytes())
    return hashed.hexdigest()
