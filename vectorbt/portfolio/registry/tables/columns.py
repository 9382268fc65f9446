"""What runs hold under their names as columns of a DataFrame, which a CSV file, Parquet and Excel take as they are."""

from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import Row, RunBlock
from vectorbt.portfolio.registry.checks import as_utc
from vectorbt.portfolio.registry.column import ABSENT, Coded, Column, Numbers
from vectorbt.portfolio.registry.display import LongInt, as_printable, text_of
from vectorbt.portfolio.registry.encoding import UnknownValue, decode_mapping
from vectorbt.portfolio.registry.named_values import MAX_EXACT, NumericValues, values_of
from vectorbt.portfolio.registry.query.columns import Found, spans
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


def excerpts_in(found: Found) -> tp.List[Excerpt]:
    """Return what was found, block by block."""
    by_block = np.argsort(found.which, kind="stable")
    excerpts = [
        Excerpt(found.blocks[number], found.rows[by_block[start:end]], by_block[start:end])
        for number, start, end in spans(found.which[by_block])
    ]
    return sorted(excerpts, key=lambda excerpt: excerpt.places[0])


def run_ids_of(excerpts: tp.Sequence[Excerpt]) -> tp.List[str]:
    """Return the ids of all runs."""
    run_ids = np.empty(_size(excerpts), "S36")
    for block, rows, places in excerpts:
        run_ids[places] = block.ids[rows]
    return run_ids.astype("U36").tolist()


def timestamps_of(excerpts: tp.Sequence[Excerpt]) -> pd.DatetimeIndex:
    """Return when all runs were saved, in UTC and microseconds."""
    moments = np.empty(_size(excerpts), np.int64)
    for block, rows, places in excerpts:
        moments[places] = block.moments[rows]
    return pd.DatetimeIndex(moments.view("M8[us]")).tz_localize("UTC")


def texts_of(excerpts: tp.Sequence[Excerpt], name: str) -> tp.Any:
    """Return what all runs hold under the name of a text."""
    distinct, codes = _coded_at(excerpts, name)
    return pd.Series(distinct)._values.take(codes)


def sweep_ids_of(excerpts: tp.Sequence[Excerpt]) -> tp.Array1d:
    """Return the sweeps that all runs belong to, None for lone ones."""
    distinct, codes = _coded_at(excerpts, "sweep_id")
    return as_objects(distinct).take(codes)


def _coded_at(excerpts: tp.Sequence[Excerpt], name: str) -> tp.Tuple[tp.List[tp.Any], tp.Array1d]:
    """Return values of a field, and which of them each run has."""
    distinct: tp.List[tp.Any] = []
    codes = np.empty(_size(excerpts), np.int64)
    for block, rows, places in excerpts:
        values = values_of(block, name)
        codes[places] = values.codes[rows].astype(np.int64) + len(distinct)
        distinct += values.distinct
    return distinct, codes


def headline_of(excerpts: tp.Sequence[Excerpt], name: str) -> tp.Any:
    """Return a headline metric of all runs."""
    found = [values_of(excerpt.block, name) for excerpt in excerpts]
    arrays = [values.numbers for values in found if isinstance(values, NumericValues)]
    if found and len(arrays) == len(found) and len({array.dtype for array in arrays}) == 1:
        return _filled(excerpts, arrays)
    metrics: tp.List[tp.Any] = [None] * _size(excerpts)
    for (_, rows, places), values in zip(excerpts, found):
        for place, value in zip(places.tolist(), values.take(rows)):
            metrics[place] = value
    return as_column(metrics)


def _filled(excerpts: tp.Sequence[Excerpt], arrays: tp.Sequence[tp.Array1d]) -> tp.Array1d:
    """Return what all runs have in the arrays of their blocks."""
    filled = np.empty(_size(excerpts), arrays[0].dtype)
    for (_, rows, places), array in zip(excerpts, arrays):
        filled[places] = array[rows]
    return filled


def _size(excerpts: tp.Iterable[Excerpt]) -> int:
    return sum(len(excerpt.places) for excerpt in excerpts)


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


def column_within(
    excerpts: tp.Sequence[Excerpt], name: str, within: tp.Callable[[tp.Mapping[str, tp.Any]], tp.Any]
) -> tp.Any:
    """Return what `within` finds in the dict that records hold under the name of a field such as `data`."""
    distinct: tp.List[tp.Any] = []
    codes = np.empty(sum(len(excerpt.places) for excerpt in excerpts), np.int64)
    for block, rows, places in excerpts:
        column = tp.cast(Coded, block.column(name))
        used, own = np.unique(column.codes[rows], return_inverse=True)
        codes[places] = own + len(distinct)
        found = (column.decoded[code] for code in used.tolist())
        distinct += [within(value if isinstance(value, dict) else {}) for value in found]
    is_there = any(value is not None for value in distinct)
    return (as_column(distinct) if is_there else as_objects(distinct)).take(codes)


def column_at(excerpts: tp.Sequence[Excerpt], name: str, default: tp.Callable[[], tp.Any]) -> tp.List[tp.Any]:
    """Return what records hold under the name of a field that is no number. Each has a value of its own."""
    values: tp.List[tp.Any] = [None] * _size(excerpts)
    for block, rows, places in excerpts:
        column = tp.cast(Coded, block.column(name))
        for place, code in zip(places.tolist(), column.codes[rows].tolist()):
            found = column.decoded[code]
            values[place] = default() if found is None else found[:]
    return values


def _gathered(excerpts: tp.Sequence[Excerpt], path: tp.Tuple[str, ...]) -> tp.Any:
    """Return one column of all records in the narrowest type that holds it, None if none of them has such a value."""
    columns = [excerpt.block.column(*path) for excerpt in excerpts]
    arrays = [column.values for column in columns if isinstance(column, Numbers)]
    if len(arrays) == len(columns) and len({array.dtype for array in arrays}) == 1:
        return _filled(excerpts, arrays)
    distinct: tp.List[tp.Any] = []
    codes = np.empty(_size(excerpts), np.int64)
    is_there = False
    for (_, rows, places), column in zip(excerpts, columns):
        values, own = _distinct_of(column, rows)
        codes[places] = own + len(distinct)
        is_there = is_there or any(value is not ABSENT for value in values)
        distinct += [None if value is ABSENT else value for value in values]
    if not is_there:
        return None
    return as_column(_without_bar_numbers(distinct) if path[0] == "stats" else distinct).take(codes)


def _without_bar_numbers(values: tp.List[tp.Any]) -> tp.List[tp.Any]:
    """Return metrics without the numbers among times and durations.

    Where there is no frequency or no time, vectorbt counts bars instead."""
    if not any(isinstance(value, (datetime, pd.Timedelta)) for value in values if not _is_missing(value)):
        return values
    return [None if type(value) in (int, float) else value for value in values]


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


def as_timestamps(moments: tp.Sequence[tp.Optional[datetime]]) -> pd.DatetimeIndex:
    """Return points in time as UTC, in microseconds. NaT stands for None."""
    try:
        return pd.DatetimeIndex(list(moments), tz="UTC").as_unit("us")
    except pd.errors.OutOfBoundsDatetime:
        # pandas 2 goes through nanoseconds, and refuses those after 2262. NumPy knows all years, and takes ten times
        # as long.
        naive = [None if moment is None else moment.replace(tzinfo=None) for moment in moments]
        return pd.DatetimeIndex(np.array(naive, dtype="datetime64[us]")).tz_localize("UTC")


def as_column(values: tp.Sequence[tp.Any]) -> tp.Any:
    """Return values in the narrowest type that holds all of them, as texts if neither NumPy nor Arrow has one.

    Times in different zones become UTC. One without a zone among them is read as UTC."""
    array = as_array(values)
    if is_of_objects(array) and any(value is pd.NaT for value in values):
        values = [None if value is pd.NaT else value for value in values]
        array = as_array(values)
    if not is_of_objects(array):
        return array
    moments = [value for value in values if not _is_missing(value)]
    if all(isinstance(value, datetime) for value in moments) and len({value.tzinfo for value in moments}) > 1:
        with suppress(OverflowError, ValueError):  # the first and the last day that there is
            return as_array([None if _is_missing(value) else as_utc(value) for value in values])
    if _common(map(_kind_of, values)) is not _NO_KIND:
        return array
    return as_array([None if _is_missing(value) else text_of(value, str) for value in values])


def as_array(values: tp.Sequence[tp.Any]) -> tp.Any:
    """Return values in the narrowest type that holds all of them, as objects if there is none."""
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


def is_of_objects(values: tp.Any) -> bool:
    """Return whether values are an array of Python's objects."""
    return isinstance(getattr(values, "dtype", None), np.dtype) and values.dtype.kind == "O"


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


# ############# Types of objects ############# #

_NO_KIND = object()
"""Kind of what no column of Arrow holds."""

_PLAIN = (bool, str, bytes, date)
"""Types of objects of which Arrow has a type."""

_ARRAYS = ("|b1", "<i4", "<i8", "<f4", "<f8")
"""Types of NumPy's arrays that are lists to Arrow."""

_MAX_DIGITS = 18
"""Digits of a decimal number before and after the point, few enough for any two to have a type in common."""


def _kind_of(value: tp.Any) -> tp.Any:
    """Return a name for the type that Arrow gives a column of such objects. None for a missing value."""
    kind = type(value)
    if kind in _PLAIN:
        return kind
    if _is_missing(value):
        return None
    if kind is int:
        return "integer" if abs(value) <= MAX_EXACT else "long integer" if -(2**63) <= value < 2**63 else _NO_KIND
    if kind is float:
        return "number"
    if isinstance(value, datetime):
        return datetime if value.tzinfo is None and not getattr(value, "nanosecond", 0) else _NO_KIND
    if kind is time:
        return time if value.tzinfo is None else _NO_KIND
    if kind is Decimal:
        exponent = value.as_tuple().exponent
        is_short = isinstance(exponent, int) and exponent >= -_MAX_DIGITS and value.adjusted() < _MAX_DIGITS
        return Decimal if is_short else _NO_KIND
    if kind is np.ndarray:
        return (list, value.dtype) if value.ndim == 1 and value.dtype.str in _ARRAYS else _NO_KIND
    if kind in (list, tuple):
        within = _common(_NO_KIND if type(item) is float and item != item else _kind_of(item) for item in value)
        return _NO_KIND if within is _NO_KIND else (list, within)
    if kind is dict and value and all(type(key) is str for key in value):
        items = tuple((key, _kind_of(item)) for key, item in value.items())
        return _NO_KIND if any(item is _NO_KIND for _, item in items) else (dict, items)
    return _NO_KIND


def _common(kinds: tp.Iterable[tp.Any]) -> tp.Any:
    """Return the kind of a column of values of some kinds."""
    found = set(kinds) - {None}
    if len(found) < 2:
        return next(iter(found), None)
    if found == {"integer", "number"} or found == {"integer", "long integer"}:
        return "number" if "number" in found else "long integer"
    if all(type(kind) is tuple and kind[0] is list for kind in found):
        within = _common(kind[1] for kind in found)
        return _NO_KIND if within is _NO_KIND else (list, within)
    return _NO_KIND


def _is_missing(value: tp.Any) -> bool:
    return value is None or value is pd.NaT or (type(value) is float and value != value)
