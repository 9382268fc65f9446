"""Dates, times and durations of pandas and Python."""

import datetime
import re
from functools import lru_cache

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import PathT, decodes, display, encodes, match_text
from vectorbt.portfolio.registry.encoding.time_zones import offset_text, parse_zone, zone_name

_CACHE_SIZE = 8192

# ############# pandas ############# #

_TIMESTAMP = re.compile(
    r"(?P<iso>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?)"
    r"(?P<utc>Z(?:\[(?P<zone>[^\[\]]+)\])?)?"
    r"(?: (?P<unit>s|ms|us))?",
    re.ASCII,
)
_TIMEDELTA = re.compile(r"(?P<count>-?\d{1,19})(?P<unit>D|h|m|s|ms|us|ns)(?: (?P<resolution>s|ms|us))?", re.ASCII)
# From the largest.
_NANOSECONDS = {
    "D": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}


@encodes(pd.Timestamp)
def _encode_timestamp(value: pd.Timestamp, path: PathT) -> dict:
    text = _instant_text(value)
    if text is None:
        raise TypeError(f"{display(path)} is {value.asm8}, and only the years 1 to 9999 can be stored")
    if value.tz is None:
        text = text.removesuffix("T00:00")
    else:
        zone = zone_name(value.tz, path) or offset_text(value.tz.utcoffset(None))
        text += f"Z[{zone}]" if zone else "Z"
    return {"$timestamp": _with_resolution(text, value.unit)}


@lru_cache(maxsize=_CACHE_SIZE)
def _instant_text(value: pd.Timestamp) -> tp.Optional[str]:
    """The instant in UTC, which is the same for all timestamps that are equal. None if its year has no four digits."""
    instant = value.asm8
    if not np.datetime64("0001") <= instant.astype("M8[Y]") <= np.datetime64("9999"):
        return None
    iso, _, fraction = str(instant).partition(".")
    fraction = fraction.rstrip("0")
    return f"{iso}.{fraction}" if fraction else iso.removesuffix(":00")


@decodes("$timestamp", str)
def _decode_timestamp(text: str, depth: int) -> pd.Timestamp:
    return _parse_timestamp(text)


@lru_cache(maxsize=_CACHE_SIZE)
def _parse_timestamp(text: str) -> pd.Timestamp:
    iso, utc, zone, unit = match_text(_TIMESTAMP, text).group("iso", "utc", "zone", "unit")
    timestamp = pd.Timestamp(iso).as_unit(unit or "ns", round_ok=False)
    if utc:
        timestamp = timestamp.tz_localize(datetime.UTC)
    return timestamp.tz_convert(parse_zone(zone)) if zone else timestamp


@encodes(pd.Timedelta)
def _encode_timedelta(value: pd.Timedelta, path: PathT) -> dict:
    return {"$timedelta": _with_resolution(_duration_text(value), value.unit)}


@lru_cache(maxsize=_CACHE_SIZE)
def _duration_text(value: pd.Timedelta) -> str:
    # Not as nanoseconds of 64 bits, which a coarser resolution goes beyond.
    nanoseconds = int(value.asm8.view("i8")) * _NANOSECONDS[value.unit]
    unit, size = next((unit, size) for unit, size in _NANOSECONDS.items() if nanoseconds % size == 0)
    return f"{nanoseconds // size}{unit}"


@decodes("$timedelta", str)
def _decode_timedelta(text: str, depth: int) -> pd.Timedelta:
    return _parse_timedelta(text)


@lru_cache(maxsize=_CACHE_SIZE)
def _parse_timedelta(text: str) -> pd.Timedelta:
    count, unit, resolution = match_text(_TIMEDELTA, text).group("count", "unit", "resolution")
    resolution = resolution or "ns"
    ticks, rest = divmod(int(count) * _NANOSECONDS[unit], _NANOSECONDS[resolution])
    # The smallest integer of 64 bits is NaT.
    if rest or ticks == -(2**63):
        raise ValueError(f"not a number of {resolution}: {text}")
    return pd.Timedelta(np.timedelta64(ticks, resolution))


def _with_resolution(text: str, unit: str) -> str:
    return text if unit == "ns" else f"{text} {unit}"


# ############# Python ############# #

_DATETIME = re.compile(r"(?P<iso>[^\[\]]+)(?:\[(?P<zone>[^\[\]]+)\])?")


@encodes(datetime.datetime)
def _encode_datetime(value: datetime.datetime, path: PathT) -> dict:
    zone = None if value.tzinfo is None else zone_name(value.tzinfo, path)
    text = datetime.datetime.isoformat(value)
    return {"$datetime": f"{text}[{zone}]" if zone else text}


@decodes("$datetime", str)
def _decode_datetime(text: str, depth: int) -> datetime.datetime:
    iso, zone = match_text(_DATETIME, text).group("iso", "zone")
    value = _parse_iso(datetime.datetime, iso)
    if zone is None:
        return value
    if value.tzinfo is None:
        raise ValueError(f"a zone needs an offset: {text}")
    return _in_zone(value, parse_zone(zone))


def _in_zone(value: datetime.datetime, tz: datetime.tzinfo) -> datetime.datetime:
    # The wall time is kept, even one that a change of the clocks skips. Where the clocks show it twice, the offset
    # tells which one it was.
    for fold in (0, 1):
        local = value.replace(tzinfo=tz, fold=fold)
        if local.utcoffset() == value.utcoffset():
            return local
    return value.astimezone(tz)


@encodes(datetime.date)
def _encode_date(value: datetime.date, path: PathT) -> dict:
    return {"$date": datetime.date.isoformat(value)}


@decodes("$date", str)
def _decode_date(text: str, depth: int) -> datetime.date:
    return _parse_iso(datetime.date, text)


@encodes(datetime.time)
def _encode_time(value: datetime.time, path: PathT) -> dict:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise TypeError(f"{display(path)} is a time without a date in the zone {value.tzinfo}; pass a datetime")
    return {"$time": datetime.time.isoformat(value)}


@decodes("$time", str)
def _decode_time(text: str, depth: int) -> datetime.time:
    return _parse_iso(datetime.time, text)


def _parse_iso(kind: type, text: str) -> tp.Any:
    value = kind.fromisoformat(text)
    # It would drop digits that are finer than microseconds.
    if value.isoformat() != text:
        raise ValueError(f"not in the form that isoformat() writes: {text}")
    return value


@encodes(datetime.timedelta)
def _encode_pytimedelta(value: datetime.timedelta, path: PathT) -> dict:
    return {"$pytimedelta": str(value // datetime.timedelta(microseconds=1))}


@decodes("$pytimedelta", str)
def _decode_pytimedelta(text: str, depth: int) -> datetime.timedelta:
    return datetime.timedelta(microseconds=int(text))
