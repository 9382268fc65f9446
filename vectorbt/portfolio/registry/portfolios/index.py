"""The index and the columns of a portfolio as JSON, and back, exactly.

Type, names, labels, resolution, time zone and frequency survive, also from one major version of pandas to another.

An index is a *description*, which is strict JSON, and its *ticks*: an array of numbers that the labels are counted
in, for the types that have one. `describe_index` keeps the two apart, for who stores arrays in a better way than JSON;
`encode_index` puts the ticks into the JSON. The kinds of descriptions:

| kind | index | ticks |
|---|---|---|
| `range` | `pd.RangeIndex`: `start`, `stop`, `step` | its numbers |
| `datetime` | `pd.DatetimeIndex`: `unit`, `zone`, `freq` | counts of `unit` since 1970 |
| `timedelta` | `pd.TimedeltaIndex`: `unit`, `freq` | counts of `unit` |
| `period` | `pd.PeriodIndex`: `freq` | ordinals |
| `array` | numbers of a NumPy type | the numbers |
| `labels` | text, objects, and pandas' nullable types: `dtype`, `labels` | none |
| `categorical` | `pd.CategoricalIndex`: `categories`, `ordered`, `codes` | none |
| `multi` | `pd.MultiIndex`: `levels`, `codes`, `names` | none |

Text is of the type that pandas gives it: `str` of pandas 3 becomes `object` under pandas 2."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.labels import as_numpy, levels_of, recordable
from vectorbt.portfolio.registry.encoding import UnknownValue, decode, encode, offset_text, parse_zone, zone_name

__all__ = ["decode_index", "describe_index", "encodable_index", "encode_index", "restore_index"]

DescriptionT = tp.Dict[str, tp.Any]

_LABEL_TYPES = (
    *("object", "str", "string", "boolean"),
    *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    *("Float32", "Float64"),
)
"""Types of pandas whose labels are written one by one."""


_MAX_RANGE = 2**22
"""Labels of a range that come without their numbers, as those of columns do: a few bytes can claim any number."""


def encode_index(index: pd.Index) -> DescriptionT:
    """Encode an index.

    Args:
        index (pd.Index): Index of any type whose labels can be encoded.

    Returns:
        Dict of strict JSON, for `decode_index`.

    Raises:
        TypeError: If the index has no faithful encoding. The message names what of it."""
    description, ticks = describe_index(index)
    if ticks is None or description["kind"] == "range":
        return description
    return {**description, "ticks": encode(ticks)}


def decode_index(encoded: tp.Mapping[str, tp.Any]) -> pd.Index:
    """Decode what `encode_index` returned.

    Raises:
        ValueError: If it is malformed."""
    if not isinstance(encoded, dict):
        raise ValueError("an index that is no object")
    return restore_index(encoded, decode(encoded["ticks"]) if "ticks" in encoded else None)


def encodable_index(index: pd.Index) -> pd.Index:
    """Return an index that has a faithful encoding, of the same labels as far as they have one.

    What it takes is given up, in this order: a frequency that its name does not tell; that the labels are categories,
    objects, or kept in Arrow; the time zone, for UTC; and the type of a label, for text.

    Args:
        index (pd.Index): Index of any type.

    Returns:
        The index itself if it can be encoded."""
    index = index.set_names([recordable(name) for name in index.names])
    if isinstance(index, pd.MultiIndex) and not _has_encoding(index):
        return pd.MultiIndex.from_arrays([encodable_index(level) for level in levels_of(index)], names=index.names)
    return next(filter(_has_encoding, _plainer(index)))


def _has_encoding(index: pd.Index) -> bool:
    try:
        encode_index(index)
    except (TypeError, ValueError):
        return False
    return True


def _plainer(index: pd.Index) -> tp.Iterator[pd.Index]:
    """Yield an index, and what is left of it if ever more is given up."""
    yield index
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        index = index.copy()
        index.freq = None  # type: ignore[misc]  # pandas documents that it can be set
        yield index
    index = as_numpy(index)
    yield index
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        yield index.tz_convert("UTC")
    labels = [recordable(label) for label in index.tolist()]
    yield pd.Index(labels, dtype=object, name=index.name, tupleize_cols=False)


def describe_index(index: pd.Index) -> tp.Tuple[DescriptionT, tp.Optional[tp.Array1d]]:
    """Return the description of an index, and its ticks if its type has any.

    Raises:
        TypeError: If the index has no faithful encoding. The message names what of it."""
    if isinstance(index, pd.MultiIndex):
        return _describe_multi(index), None
    describe = next((describe for kind, describe in _DESCRIBERS.items() if isinstance(index, kind)), _describe_values)
    description, ticks = describe(index)
    return {**description, "name": encode(index.name, "the name of the index")}, ticks


def restore_index(description: DescriptionT, ticks: tp.Optional[tp.Array1d]) -> pd.Index:
    """Return the index that `describe_index` was given.

    Raises:
        ValueError: If the description is malformed, or does not belong to the ticks."""
    try:
        index = _RESTORERS[description["kind"]](description, ticks)
        if description["kind"] != "multi":
            index.name = _decode(description["name"])
    except (KeyError, TypeError, AttributeError, IndexError, ArithmeticError, AssertionError) as e:
        raise ValueError(f"an index cannot be read: {type(e).__name__}: {e}") from e
    return index


def _decode(encoded: tp.Any) -> tp.Any:
    value = decode(encoded)
    if isinstance(value, UnknownValue):
        raise ValueError(f"a value of an index cannot be read: {value!r}")
    return value


def _array(encoded: tp.Any, kinds: str) -> tp.Array1d:
    return _ticks(_decode(encoded), kinds)


def _ticks(ticks: tp.Any, kinds: str = "i") -> tp.Array1d:
    """Check that ticks are numbers of these kinds."""
    if not isinstance(ticks, np.ndarray) or ticks.ndim != 1 or ticks.dtype.kind not in kinds:
        raise ValueError("an index without its numbers")
    return ticks


# ############# Ranges, times and periods ############# #


def _describe_range(index: pd.RangeIndex) -> tp.Tuple[DescriptionT, tp.Array1d]:
    return dict(kind="range", start=index.start, stop=index.stop, step=index.step), index.to_numpy(np.int64)


def _restore_range(description: DescriptionT, ticks: tp.Optional[tp.Array1d]) -> pd.RangeIndex:
    bounds = [description[name] for name in ("start", "stop", "step")]
    if not all(type(bound) is int and abs(bound) < 2**62 for bound in bounds):
        raise ValueError("a range without start, stop and step")
    index = pd.RangeIndex(*bounds)
    if ticks is None and len(index) > _MAX_RANGE:
        raise ValueError(f"a range of {len(index)} labels that nothing counts")
    if ticks is not None and (len(index) != len(ticks) or not np.array_equal(index, _ticks(ticks))):
        raise ValueError("a range that is not that of its numbers")
    return index


def _describe_datetime(index: pd.DatetimeIndex) -> tp.Tuple[DescriptionT, tp.Array1d]:
    zone = None if index.tz is None else _describe_zone(index.tz)
    description = dict(kind="datetime", unit=index.unit, zone=zone, freq=_describe_freq(index))
    ticks = np.asarray(index.asi8)
    if zone is not None and index.freq is not None:
        _check_freq_fits(description, ticks)
    return description, ticks


def _check_freq_fits(description: DescriptionT, ticks: tp.Array1d) -> None:
    try:
        _restore_datetime(description, ticks)
    except ValueError as e:
        raise TypeError(
            f"the frequency of the index is {description['freq']!r}, which does not fit its labels in the time zone "
            f"{description['zone']['name']}; set index.freq = None"
        ) from e


def _describe_zone(zone: tp.Any) -> tp.Dict[str, str]:
    name = zone_name(zone, ("the time zone of the index",))
    library = type(zone).__module__.partition(".")[0]
    return dict(name=name or offset_text(zone), library=library)


def _restore_zone(description: tp.Dict[str, str]) -> tp.Any:
    """Return a time zone. pandas 2 makes those of pytz out of names, and tells them from those of `zoneinfo`."""
    zone = parse_zone(description["name"] or "+00:00")
    if description["library"] != "pytz":
        return zone
    try:
        import pytz
    except ImportError:
        return zone
    offset = zone.utcoffset(None)
    if offset is None or description["name"][:1].isalpha():
        return pytz.timezone(description["name"])
    return pytz.FixedOffset(offset.total_seconds() / 60)


def _restore_datetime(description: DescriptionT, ticks: tp.Array1d) -> pd.DatetimeIndex:
    index = pd.DatetimeIndex(_ticks(ticks).astype("i8", copy=False).view(f"M8[{_unit(description)}]"))
    if description["zone"] is None:
        return _with_freq(index, description["freq"])
    zone = _restore_zone(description["zone"])
    try:
        return _with_freq(index.tz_localize("UTC").tz_convert(zone), description["freq"])
    except ValueError:
        # An index that was converted from UTC keeps its frequency, also where it does not fit in the other zone, such
        # as days over a change of the clocks.
        return _with_freq(index.tz_localize("UTC"), description["freq"]).tz_convert(zone)


def _describe_timedelta(index: pd.TimedeltaIndex) -> tp.Tuple[DescriptionT, tp.Array1d]:
    return dict(kind="timedelta", unit=index.unit, freq=_describe_freq(index)), np.asarray(index.asi8)


def _restore_timedelta(description: DescriptionT, ticks: tp.Array1d) -> pd.TimedeltaIndex:
    index = pd.TimedeltaIndex(_ticks(ticks).astype("i8", copy=False).view(f"m8[{_unit(description)}]"))
    return _with_freq(index, description["freq"])


def _unit(description: DescriptionT) -> str:
    if description["unit"] not in ("s", "ms", "us", "ns"):
        raise ValueError("times without a unit")
    return description["unit"]


def _describe_freq(index: tp.Union[pd.DatetimeIndex, pd.TimedeltaIndex]) -> tp.Optional[str]:
    if index.freq is not None and not _is_told_by_its_name(index.freq):
        raise TypeError(
            f"the frequency of the index is {index.freq!r}, which its name does not tell; set index.freq = None"
        )
    return index.freqstr


def _is_told_by_its_name(freq: tp.Any) -> bool:
    try:
        return pd.tseries.frequencies.to_offset(freq.freqstr) == freq
    except ValueError:  # it has none, such as that of months of one's own
        return False


def _with_freq(index: tp.Any, freq: tp.Optional[str]) -> tp.Any:
    if freq is None:
        return index
    if not isinstance(freq, str):
        raise ValueError("times with a frequency that has no name")
    index.freq = freq
    return index


def _describe_period(index: pd.PeriodIndex) -> tp.Tuple[DescriptionT, tp.Array1d]:
    return dict(kind="period", freq=index.freqstr), np.asarray(index.asi8)


def _restore_period(description: DescriptionT, ticks: tp.Array1d) -> pd.PeriodIndex:
    if not isinstance(description["freq"], str):
        raise ValueError("periods without a frequency")
    ordinals = _ticks(ticks).astype("i8", copy=False)
    return pd.PeriodIndex.from_ordinals(  # type: ignore[attr-defined]  # missing in the stubs of pandas
        ordinals, freq=description["freq"]
    )


# ############# Labels ############# #


def _describe_values(index: pd.Index) -> tp.Tuple[DescriptionT, tp.Optional[tp.Array1d]]:
    if isinstance(index.dtype, np.dtype) and index.dtype.kind in "iufb":
        return dict(kind="array"), index.to_numpy()
    if str(index.dtype) not in _LABEL_TYPES:
        raise TypeError(f"an index of type {index.dtype} cannot be stored")
    labels = [encode(label, f"label {i} of the index") for i, label in enumerate(index.tolist())]
    return dict(kind="labels", dtype=str(index.dtype), labels=labels), None


def _restore_array(description: DescriptionT, ticks: tp.Array1d) -> pd.Index:
    return pd.Index(_ticks(ticks, "iufb"))


def _restore_labels(description: DescriptionT, ticks: None) -> pd.Index:
    dtype = description["dtype"]
    if dtype not in _LABEL_TYPES:
        raise ValueError("labels of an unknown type")
    if dtype == "str" and not hasattr(pd.Index(["text"]).dtype, "na_value"):
        dtype = "object"  # under pandas 2, text is a kind of object
    return pd.Index([_decode(label) for label in _list(description, "labels")], dtype=dtype, tupleize_cols=False)


def _describe_categorical(index: pd.CategoricalIndex) -> tp.Tuple[DescriptionT, None]:
    categories = encode_index(index.categories)
    codes = encode(np.asarray(index.codes))
    return dict(kind="categorical", categories=categories, ordered=bool(index.ordered), codes=codes), None


def _restore_categorical(description: DescriptionT, ticks: None) -> pd.CategoricalIndex:
    categories = decode_index(description["categories"])
    codes = _array(description["codes"], "i")
    return pd.CategoricalIndex(pd.Categorical.from_codes(codes, categories, ordered=description["ordered"] is True))


def _describe_multi(index: pd.MultiIndex) -> DescriptionT:
    names = [encode(name, f"the name of level {i}") for i, name in enumerate(index.names)]
    levels = [encode_index(level.rename(None)) for level in index.levels]
    codes = [encode(np.asarray(codes)) for codes in index.codes]
    return dict(kind="multi", levels=levels, codes=codes, names=names)


def _restore_multi(description: DescriptionT, ticks: None) -> pd.MultiIndex:
    levels = [decode_index(level) for level in _list(description, "levels")]
    codes = [_array(codes, "i") for codes in _list(description, "codes")]
    names = [_decode(name) for name in _list(description, "names")]
    return pd.MultiIndex(levels, codes, names=names)  # type: ignore[arg-type]  # the stubs of pandas take only lists


def _list(description: DescriptionT, name: str) -> list:
    if type(description[name]) is not list:
        raise ValueError(f"an index without {name}")
    return description[name]


_DESCRIBERS: tp.Dict[type, tp.Callable[[tp.Any], tp.Tuple[DescriptionT, tp.Optional[tp.Array1d]]]] = {
    pd.RangeIndex: _describe_range,
    pd.DatetimeIndex: _describe_datetime,
    pd.TimedeltaIndex: _describe_timedelta,
    pd.PeriodIndex: _describe_period,
    pd.CategoricalIndex: _describe_categorical,
}

_RESTORERS: tp.Dict[str, tp.Callable[[DescriptionT, tp.Any], pd.Index]] = dict(
    range=_restore_range,
    datetime=_restore_datetime,
    timedelta=_restore_timedelta,
    period=_restore_period,
    array=_restore_array,
    labels=_restore_labels,
    categorical=_restore_categorical,
    multi=_restore_multi,
)
