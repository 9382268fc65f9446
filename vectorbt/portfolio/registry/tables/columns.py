"""The encoded values of very many runs as columns of a DataFrame."""

from datetime import datetime

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import LongInt, as_printable
from vectorbt.portfolio.registry.encoding import decode

_ENCODED = frozenset({dict, list})
"""Types of JSON that may stand for another value. All others stand for themselves."""

_UNITS_OF_PANDAS = frozenset({"W", "D", "h", "m", "s", "ms", "us", "ns"})
"""Units of NumPy's times that pandas converts without loss, or leaves alone where that is too far away."""


class Columns:
    """Encoded dicts as columns, in the order in which their keys are first met."""

    def __init__(self) -> None:
        self._columns: tp.Dict[str, _Column] = {}
        self._n_rows = 0

    def add(self, dcts: tp.List[tp.Dict[str, tp.Any]]) -> None:
        """Take the next rows."""
        layouts = dict.fromkeys(map(tuple, dcts))
        if len(layouts) == 1:  # nearly all of them have the same keys in the same order
            columns: tp.Iterable[tp.Tuple[str, tp.Sequence[tp.Any]]] = zip(*layouts, zip(*map(dict.values, dcts)))
        else:
            names = dict.fromkeys(name for layout in layouts for name in layout)
            columns = ((name, [dct.get(name) for dct in dcts]) for name in names)
        for name, values in columns:
            if name not in self._columns:
                self._columns[name] = _Column()
            self._columns[name].add(values, self._n_rows)
        self._n_rows += len(dcts)

    def decoded(self, leave_out: tp.Collection[str] = ()) -> tp.Dict[str, tp.Any]:
        """Return all columns but some. A value that a dict lacks is None."""
        return {name: column.decoded(self._n_rows) for name, column in self._columns.items() if name not in leave_out}


_Chunk = tp.Union[tp.Sequence[tp.Any], tp.Array1d]


class _Column:
    """The encoded values of one column, chunk by chunk.

    Of most columns a chunk is small once it is here: an array of floats, or one of numbers that stand for dates and
    durations, each different one of which is decoded once."""

    def __init__(self) -> None:
        self._chunks: tp.List[_Chunk] = []
        self._length = 0
        self._tag: tp.Optional[str] = None
        self._numbers: tp.Dict[str, int] = {}
        """Numbers of the texts that are met under the tag."""

    def add(self, values: tp.Sequence[tp.Any], at: int) -> None:
        """Take the values of the rows from `at` on."""
        self._fill(at)
        self._chunks.append(self._condensed(values))
        self._length = at + len(values)

    def _fill(self, length: int) -> None:
        """Take None for the rows that lack a value."""
        if length > self._length:
            self._chunks.append([None] * (length - self._length))
            self._length = length

    def _condensed(self, values: tp.Sequence[tp.Any]) -> _Chunk:
        kinds = set(map(type, values))
        if kinds == {float}:
            return np.fromiter(values, float, len(values))
        if kinds == {dict} and set(map(len, values)) == {1}:
            if self._tag is None:
                (self._tag,) = values[0]
            texts = [value.get(self._tag) for value in values]
            if set(map(type, texts)) == {str}:
                number = self._numbers.setdefault
                return np.array([number(text, len(self._numbers)) for text in texts])
        return values

    def decoded(self, length: int) -> tp.Any:
        """Return the values of that many rows, as narrow as `as_array` makes them."""
        self._fill(length)
        kinds = {chunk.dtype.kind if isinstance(chunk, np.ndarray) else "O" for chunk in self._chunks}
        if kinds == {"f"}:
            return np.concatenate(self._chunks)
        if kinds == {"i"}:
            return as_array([as_printable(decode(value)) for value in self._distinct()]).take(
                np.concatenate(self._chunks)
            )
        values = [value for chunk in self._chunks for value in self._expanded(chunk)]
        return as_array([as_printable(decode(value)) if type(value) in _ENCODED else value for value in values])

    def _distinct(self) -> tp.List[tp.Dict[tp.Any, str]]:
        return [{self._tag: text} for text in self._numbers]

    def _expanded(self, chunk: _Chunk) -> tp.Sequence[tp.Any]:
        """Return a chunk as it was before it was condensed."""
        if not isinstance(chunk, np.ndarray):
            return chunk
        if chunk.dtype.kind == "f":
            return chunk.tolist()
        distinct = self._distinct()
        return [distinct[number] for number in chunk]


def as_timestamps(moments: tp.List[datetime]) -> pd.DatetimeIndex:
    """Return points in time as UTC, in microseconds."""
    try:
        return pd.DatetimeIndex(moments, tz="UTC").as_unit("us")
    except pd.errors.OutOfBoundsDatetime:
        # pandas 2 goes through nanoseconds, and refuses those after 2262. NumPy knows all years, and takes ten times
        # as long.
        naive = [moment.replace(tzinfo=None) for moment in moments]
        return pd.DatetimeIndex(np.array(naive, dtype="datetime64[us]")).tz_localize("UTC")


def as_array(values: tp.Sequence[tp.Any]) -> tp.Any:
    """Return values in the narrowest type that holds all of them."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return np.fromiter(values, float, len(values))
    if kinds <= {int, float}:
        return _as_numbers(values)
    if kinds <= {int, float, type(None)}:
        return _as_numbers([np.nan if value is None else value for value in values])
    array = as_objects(values)
    if not all(map(_is_inferable, values)):
        return array
    return pd.Series(array, dtype=object).infer_objects()._values


def _is_inferable(value: tp.Any) -> bool:
    """Return whether pandas can look at a value for the type of a column without changing it."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        unit, step = np.datetime_data(value)
        return step == 1 and (unit in _UNITS_OF_PANDAS or (unit in ("Y", "M") and isinstance(value, np.datetime64)))
    return type(value) is not LongInt


def _as_numbers(values: tp.Sequence[tp.Union[int, float]]) -> tp.Any:
    try:
        array = np.array(values)
    except OverflowError:
        return as_objects(values)
    if array.dtype == object or (array.dtype.kind == "f" and any(map(_is_inexact, values))):
        return as_objects(values)
    return array


def _is_inexact(value: tp.Union[int, float]) -> bool:
    """Return whether a number is another one as a float."""
    return type(value) is int and value != float(value)


def as_objects(values: tp.Sequence[tp.Any]) -> tp.Array1d:
    """Return values as they are, one in each place: a list among them is a value, not a dimension."""
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array
