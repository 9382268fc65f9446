"""The index and the columns of a portfolio as JSON, and back, exactly.

Type, names, labels, resolution, time zone and frequency survive, also from one major version of pandas to another."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import decode, encode

__all__ = ["decode_index", "encode_index"]


def encode_index(index: pd.Index) -> tp.Dict[str, tp.Any]:
    """Encode an index.

    Args:
        index (pd.Index): Index of any type whose labels can be encoded.

    Returns:
        Dict of strict JSON, for `decode_index`.

    Raises:
        TypeError: If a label has no faithful encoding. The message names it."""
    if isinstance(index, pd.MultiIndex):
        levels = [encode_index(index.get_level_values(i)) for i in range(index.nlevels)]
        return dict(kind="multi", levels=levels)
    named = dict(name=encode(index.name, "name of the index"))
    if isinstance(index, pd.RangeIndex):
        return dict(kind="range", start=index.start, stop=index.stop, step=index.step, **named)
    if isinstance(index, pd.DatetimeIndex):
        zone = None if index.tz is None else encode(pd.Timestamp(0, tz=index.tz), "time zone of the index")
        return dict(kind="datetime", **_ticks(index), zone=zone, **named)
    if isinstance(index, pd.TimedeltaIndex):
        return dict(kind="timedelta", **_ticks(index), **named)
    if isinstance(index, pd.PeriodIndex):
        return dict(kind="period", ordinals=encode(np.asarray(index.asi8)), freq=index.freqstr, **named)
    if isinstance(index.dtype, np.dtype) and index.dtype.kind in "iufb":
        return dict(kind="array", values=encode(index.to_numpy()), **named)
    labels = [encode(label, f"label {i} of the index") for i, label in enumerate(index.tolist())]
    return dict(kind="labels", labels=labels, dtype=str(index.dtype), **named)


def _ticks(index: tp.Union[pd.DatetimeIndex, pd.TimedeltaIndex]) -> tp.Dict[str, tp.Any]:
    return dict(ticks=encode(np.asarray(index.asi8)), unit=index.unit, freq=index.freqstr)


def decode_index(encoded: tp.Mapping[str, tp.Any]) -> pd.Index:
    """Decode what `encode_index` returned.

    Raises:
        ValueError: If it is malformed."""
    try:
        return _DECODERS[encoded["kind"]](encoded)
    except (KeyError, TypeError, AttributeError, OverflowError) as e:
        raise ValueError(f"an index cannot be read: {type(e).__name__}: {e}") from e


def _decode_multi(encoded: tp.Mapping[str, tp.Any]) -> pd.MultiIndex:
    levels = [decode_index(level) for level in encoded["levels"]]
    return pd.MultiIndex.from_arrays(levels, names=[level.name for level in levels])


def _decode_range(encoded: tp.Mapping[str, tp.Any]) -> pd.RangeIndex:
    return pd.RangeIndex(encoded["start"], encoded["stop"], encoded["step"], name=decode(encoded["name"]))


def _decode_datetime(encoded: tp.Mapping[str, tp.Any]) -> pd.DatetimeIndex:
    values = decode(encoded["ticks"]).view(f"M8[{encoded['unit']}]")
    index = pd.DatetimeIndex(values, name=decode(encoded["name"]))
    if encoded["zone"] is not None:
        index = index.tz_localize("UTC").tz_convert(decode(encoded["zone"]).tz)
    return _with_freq(index, encoded["freq"])


def _decode_timedelta(encoded: tp.Mapping[str, tp.Any]) -> pd.TimedeltaIndex:
    values = decode(encoded["ticks"]).view(f"m8[{encoded['unit']}]")
    return _with_freq(pd.TimedeltaIndex(values, name=decode(encoded["name"])), encoded["freq"])


def _with_freq(index: tp.Any, freq: tp.Optional[str]) -> tp.Any:
    if freq is not None:
        index.freq = freq
    return index


def _decode_period(encoded: tp.Mapping[str, tp.Any]) -> pd.PeriodIndex:
    return pd.PeriodIndex.from_ordinals(decode(encoded["ordinals"]), freq=encoded["freq"], name=decode(encoded["name"]))


def _decode_array(encoded: tp.Mapping[str, tp.Any]) -> pd.Index:
    return pd.Index(decode(encoded["values"]), name=decode(encoded["name"]))


def _decode_labels(encoded: tp.Mapping[str, tp.Any]) -> pd.Index:
    # A type that only one major version of pandas has, such as its new strings, is left to the other to choose.
    dtype = "object" if encoded["dtype"] == "object" else None
    return pd.Index(
        [decode(label) for label in encoded["labels"]], dtype=dtype, name=decode(encoded["name"]), tupleize_cols=False
    )


_DECODERS = dict(
    multi=_decode_multi,
    range=_decode_range,
    datetime=_decode_datetime,
    timedelta=_decode_timedelta,
    period=_decode_period,
    array=_decode_array,
    labels=_decode_labels,
)
