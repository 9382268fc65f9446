"""What runs hold under their names as columns of a DataFrame."""

from datetime import datetime

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import Row, RunBlock
from vectorbt.portfolio.registry.column import ABSENT, Coded, Column, Numbers
from vectorbt.portfolio.registry.display import LongInt, as_printable
from vectorbt.portfolio.registry.encoding import UnknownValue, decode_mapping
from vectorbt.portfolio.registry.run import RunRecord

_UNITS_OF_PANDAS = frozenset({"W", "D", "h", "m", "s", "ms", "us", "ns"})
"""Units of NumPy's times that pandas converts without loss, or leaves alone where that is too far away."""


class Excerpt(tp.NamedTuple):
    """Rows of a block, and the places among all records that they take."""

    block: RunBlock
    rows: tp.Array1d
    places: tp.Array1d


def excerpts_of(records: tp.Sequence[RunRecord]) -> tp.List[Excerpt]:
    """Return where records come from: blocks of which they are rows, and one block of all that are no rows."""
    blocks: tp.Dict[int, RunBlock] = {}
    rows: tp.Dict[int, tp.List[int]] = {}
    places: tp.Dict[int, tp.List[int]] = {}
    others: tp.List[tp.Tuple[int, RunRecord]] = []
    for place, record in enumerate(records):
        source = record.source
        if not isinstance(source, Row):
            others.append((place, record))
            continue
        key = id(source.block)
        if key not in blocks:
            blocks[key], rows[key], places[key] = source.block, [], []
        rows[key].append(source.i)
        places[key].append(place)
    excerpts = [Excerpt(block, np.array(rows[key]), np.array(places[key])) for key, block in blocks.items()]
    if others:
        block = RunBlock.of([record.as_json() for _, record in others])
        excerpts.append(Excerpt(block, np.arange(len(others)), np.array([place for place, _ in others])))
    return sorted(excerpts, key=lambda excerpt: excerpt.places[0])


def columns_below(
    excerpts: tp.Sequence[Excerpt], name: str, leave_out: tp.Collection[str] = ()
) -> tp.Dict[str, tp.Any]:
    """Return the columns below a name such as `stats`, by their own names, in the order in which these are first met.

    A value that a record lacks is None."""
    names = dict.fromkeys(
        path[1] for excerpt in excerpts for path in excerpt.block.columns if path[0] == name and path[1:]
    )
    columns = {inner: _gathered(excerpts, (name, inner)) for inner in names if inner not in leave_out}
    return {inner: column for inner, column in columns.items() if column is not None}


def column_at(excerpts: tp.Sequence[Excerpt], name: str, default: tp.Callable[[], tp.Any]) -> tp.List[tp.Any]:
    """Return what records hold under the name of a field that is no number. Each has a value of its own."""
    values: tp.List[tp.Any] = [None] * sum(len(excerpt.places) for excerpt in excerpts)
    for block, rows, places in excerpts:
        column = tp.cast(Coded, block.column(name))
        for place, code in zip(places.tolist(), column.codes[rows].tolist()):
            found = column.decoded[code]
            values[place] = default() if found is None else found[:]
    return values


def _gathered(excerpts: tp.Sequence[Excerpt], path: tp.Tuple[str, ...]) -> tp.Any:
    """Return one column of all records in the narrowest type that holds it, None if none of them has such a value."""
    columns = [excerpt.block.column(*path) for excerpt in excerpts]
    n_records = sum(len(excerpt.places) for excerpt in excerpts)
    arrays = [column.values for column in columns if isinstance(column, Numbers)]
    if len(arrays) == len(columns) and len({array.dtype for array in arrays}) == 1:
        numbers = np.empty(n_records, arrays[0].dtype)
        for (_, rows, places), array in zip(excerpts, arrays):
            numbers[places] = array[rows]
        return numbers
    distinct: tp.List[tp.Any] = []
    codes = np.empty(n_records, np.int64)
    is_there = False
    for (_, rows, places), column in zip(excerpts, columns):
        values, own = _distinct_of(column, rows)
        codes[places] = own + len(distinct)
        is_there = is_there or any(value is not ABSENT for value in values)
        distinct += [None if value is ABSENT else value for value in values]
    return as_array(distinct).take(codes) if is_there else None


_CHANGEABLE = (list, dict, set, np.ndarray, UnknownValue)


def _shown(encoded: tp.Any) -> tp.Any:
    """Return an encoded value as a table shows it, which shares nothing with what a store holds."""
    return as_printable(decode_mapping({"": encoded})[""]) if type(encoded) in (dict, list) else encoded


def _distinct_of(column: Column, rows: tp.Array1d) -> tp.Tuple[tp.List[tp.Any], tp.Array1d]:
    """Return the different values of some rows as a table shows them, and which of them each row has."""
    if isinstance(column, Coded):
        used, codes = np.unique(column.codes[rows], return_inverse=True)
        values = [_shown(column.distinct[code]) for code in used.tolist()]
        if any(isinstance(value, _CHANGEABLE) for value in values):  # then each row has one of its own
            return [_shown(column.distinct[used[code]]) for code in codes.tolist()], np.arange(len(rows))
        return values, codes
    distinct, codes = np.unique(column.values[rows], return_inverse=True)
    return distinct.tolist(), codes


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
        array = np.array(values, object)
    if array.dtype == object or (array.dtype.kind == "f" and any(map(_is_inexact, values))):
        return as_objects(list(map(as_printable, values)))
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
