"""Values of Python, NumPy and pandas as strict JSON, and back.

JSON's own types stand for themselves. Every other value is a dict with one key, its tag, which starts with "$":

| Tag | Type | Example |
|---|---|---|
| `$float` | a float that is not finite | `"nan"`, `"inf"`, `"-inf"` |
| `$int` | an integer of more than 64 bits, hexadecimal | `"0x100000000000000000000"` |
| `$decimal` | `decimal.Decimal` | `"0.10"` |
| `$pandas` | `pd.NaT`, `pd.NA` | `"NaT"`, `"NA"` |
| `$tuple`, `$set`, `$frozenset` | the container | `[1, 2]` |
| `$dict` | a dict with keys that are not str or start with "$": keys and values in turn | `[1, "a", 2, "b"]` |
| `$timestamp` | `pd.Timestamp` | `"2020-01-31"`, `"2020-01-31T14:30Z[Europe/Berlin] us"` |
| `$timedelta` | `pd.Timedelta` | `"60D"`, `"-90m us"` |
| `$datetime` | `datetime.datetime` | `"2020-01-31T15:30:00+01:00[Europe/Berlin]"` |
| `$date`, `$time` | `datetime.date`, `datetime.time` | `"2020-01-31"`, `"15:30:00"` |
| `$pytimedelta` | `datetime.timedelta`, in microseconds | `"86400000000"` |
| `$datetime64`, `$timedelta64` | the NumPy scalar: its integer, then its unit | `"18292D"`, `"2*15m"`, `"NaTns"` |
| `$enum` | a member of an Enum: class, name, value | `["package.module:Side", "LONG", 1]` |
| `$path` | a path of `pathlib`: class, text | `["PosixPath", "data/spx.csv"]` |
| `$period` | `pd.Period`: frequency, number | `["M", 600]` |
| `$interval` | `pd.Interval`: both ends, the closed ones | `[0, 1, "right"]` |
| `$offset` | an offset of pandas: its name, or how many of which parts | `["3MS"]`, `[1, {"months": 3}]` |
| `$ndarray` | an array: dtype, shape, base64 of its bytes in C order | `["<f8", [1], "AAAAAAAA8D8="]` |

What follows the space of a `$timestamp` or a `$timedelta` is its resolution, which is nanoseconds where none is named.
A `$timestamp` with a zone is the instant in UTC; a `$datetime` is the wall time. Other NumPy scalars become Python's,
and an instance of a subclass comes back as its base class. Time zones of pytz come back as those of `zoneinfo` of the
same name. What has named fields is a dict of them: a named tuple, a mapping, an instance of a dataclass or of attrs, a
model of pydantic, a configuration of OmegaConf.

Decoding never imports a module, never evaluates text, and never fails: what it cannot read, such as a value that a
newer version wrote, is an `UnknownValue`, which is encoded again as it was."""

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import pathlib
import re
import reprlib
import sys
import types
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pandas as pd
from pandas.tseries.frequencies import to_offset

from vectorbt import _typing as tp

__all__ = [
    "encode",
    "encode_mapping",
    "fields_of",
    "decode",
    "decode_mapping",
    "dumps",
    "loads",
    "loads_again",
    "loads_lenient",
    "UnknownValue",
    "MAX_DEPTH",
]

MAX_DEPTH: int = 100
"""How deep containers may nest. A level of values takes at most two levels of JSON."""

_MAX_INT = 2**63 - 1
_MAX_LEVELS = 254
"""Of the levels of JSON that orjson reads, it writes so many."""

_DECIMAL_CONTEXT = decimal.Context(capitals=1, traps=[decimal.InvalidOperation])
"""In the caller's context the exponent may be in lower case, and a text that is no number may be NaN."""

PathT = tp.Tuple[tp.Any, ...]
"""The names and keys that lead to a value, from the outside in: `("parameters", "ma", "func")`."""


# ############# JSON ############# #


def dumps(encoded: tp.Any) -> bytes:
    """Write an encoded value as strict JSON in UTF-8.

    Args:
        encoded (any): What `encode` or `encode_mapping` returned. Other values are not checked: NaN becomes null.

    Returns:
        bytes: JSON without spaces or line breaks."""
    return orjson.dumps(encoded)


def loads(data: bytes) -> tp.Any:
    """Read strict JSON.

    Args:
        data (bytes): JSON in UTF-8.

    Returns:
        any: Encoded value, for `decode` or `decode_mapping`. `dumps` can write it again.

    Raises:
        ValueError: If `data` is not valid JSON, or nests deeper than `dumps` writes."""
    encoded = orjson.loads(data)
    if data.count(b"[") + data.count(b"{") > _MAX_LEVELS:
        check_levels(encoded)
    return encoded


def loads_again(data: bytes) -> tp.Any:
    """Read what `loads` has read before. It need not be checked again, which takes a quarter of the time.

    Args:
        data (bytes): JSON in UTF-8.

    Returns:
        any: What `loads` has returned."""
    return orjson.loads(data)


def check_levels(encoded: tp.Any) -> None:
    """Check that encoded values can be written again.

    Raises:
        ValueError: If they nest deeper than `dumps` writes."""
    try:
        orjson.dumps(encoded)
    except TypeError:
        raise ValueError(f"JSON nests deeper than {_MAX_LEVELS} levels") from None


def loads_lenient(data: bytes) -> tp.Any:
    """Read JSON that may contain the bare tokens NaN, Infinity and -Infinity.

    Args:
        data (bytes): JSON in UTF-8.

    Returns:
        any: Plain value. It is not an encoded one, since its floats may be NaN.

    Raises:
        ValueError: If `data` is not valid JSON otherwise."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("JSON nests too deeply") from None


class UnknownValue:
    """A part of an encoded value that this version cannot read. It is kept, and encoded again, as it is.

    It is a value with a tag that is unknown, with a known tag but other contents than this version writes, or one that
    nests deeper than `MAX_DEPTH`.

    Args:
        encoded (any): Encoded value. It is copied.

    Usage:
        ```pycon
        >>> decode({"fast": 10, "model": {"$future": 1}})
        {'fast': 10, 'model': UnknownValue({'$future': 1})}
        ```"""

    __slots__ = ("encoded",)

    def __init__(self, encoded: tp.Any) -> None:
        self.encoded = _copy_json(encoded)

    def __eq__(self, other: tp.Any) -> bool:
        return self.encoded == other.encoded if isinstance(other, UnknownValue) else NotImplemented

    def __hash__(self) -> int:
        # It may stand for an element of a set or a key of a dict.
        return hash(UnknownValue)

    def __repr__(self) -> str:
        return f"UnknownValue({reprlib.repr(self.encoded)})"


def _copy_json(value: tp.Any) -> tp.Any:
    # Not recursive: JSON may nest deeper than Python's functions.
    holder = [value]
    pending: tp.List[tp.Any] = [holder]
    while pending:
        container = pending.pop()
        for key, item in container.items() if type(container) is dict else enumerate(container):
            if type(item) is dict or type(item) is list:
                container[key] = item.copy()
                pending.append(container[key])
    return holder[0]


# ############# Encoding ############# #


def encode(value: tp.Any, path: str = "value") -> tp.Any:
    """Encode a value as dicts, lists, str, 64-bit integers, finite floats, bool and None.

    Args:
        value (any): Value to encode.
        path (str): What to call the value in an error message.

    Returns:
        any: Value that `dumps` accepts. It shares nothing mutable with `value`.

    Raises:
        TypeError: If the value, or one inside it, has no faithful encoding. The message names its path.
        ValueError: If containers nest deeper than `MAX_DEPTH`.

    Usage:
        ```pycon
        >>> encode({"fast": np.int64(10), "window": (5, 20)})
        {'fast': 10, 'window': {'$tuple': [5, 20]}}
        ```"""
    return value if _is_plain(value) else encode_at(value, (path,))


def encode_mapping(mapping: tp.Dict[str, tp.Any], path: str) -> tp.Dict[str, tp.Any]:
    """Encode the values of a dict whose keys are names. They are kept as they are, even if they start with "$".

    Args:
        mapping (dict): Values by name.
        path (str): What to call the dict in an error message.

    Returns:
        dict: Encoded values by name, to be read with `decode_mapping`.

    Raises:
        TypeError: If `mapping` is not a dict, has keys other than str, or holds what has no faithful encoding.
        ValueError: If containers nest deeper than `MAX_DEPTH`."""
    if not isinstance(mapping, dict):
        raise TypeError(f"{path} must be a dict with str keys, not {type_name(mapping)}")
    encoded = {}
    for key, value in mapping.items():
        # Most values are plain: this line is what saving a large sweep costs.
        encoded[_encode_name(key, path)] = value if _is_plain(value) else encode_at(value, (path, key))
    return encoded


@lru_cache(maxsize=1024)
def _encode_name(name: tp.Any, path: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{path} must have str keys, not {name!r} of type {type_name(name)}")
    # Even if it is a member of an Enum: a name is text.
    return _encode_str(name, (path, KEY))


def _is_plain(value: tp.Any) -> bool:
    """Return whether a value stands for itself, without asking the encoder of its type."""
    kind = type(value)
    if kind is float:
        return isfinite(value)
    if kind is int:
        return -_MAX_INT <= value <= _MAX_INT
    return value.isascii() if kind is str else value is None or kind is bool


def encode_at(value: tp.Any, path: PathT) -> tp.Any:
    """Encode the value at `path`."""
    return _encoder_of(type(value))(value, path)  # type: ignore[arg-type]  # mypy takes no class for hashable


def encode_items(items: tp.Iterable, path: PathT) -> list:
    """Encode the items of the sequence at `path`."""
    check_path_depth(path)
    return [encode_at(item, (*path, i)) for i, item in enumerate(items)]


def check_path_depth(path: PathT) -> None:
    """Raise a `ValueError` if a container at `path` is one level too deep."""
    if len(path) > MAX_DEPTH:
        raise ValueError(
            f"{display(path[:8])}... nests deeper than {MAX_DEPTH} levels; pass a flatter value, and none that "
            "contains itself"
        )


@lru_cache(maxsize=512)
def _encoder_of(kind: type) -> tp.Callable:
    # Before the bases are looked at: an IntEnum is an int as well, and a named tuple is a tuple.
    if issubclass(kind, enum.Enum):
        return _encode_enum
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _encode_fields
    return next((ENCODERS[base] for base in kind.__mro__ if base in ENCODERS), _encode_fields)


# ############# Paths and refusals ############# #


class Literal(str):
    """A step of a path that is shown as it is rather than as a subscript."""


KEY = Literal(".keys()")
"""Leads to the keys of a dict."""


def display(path: PathT) -> str:
    """Return a path as a person would write it in Python: `parameters['ma']['func']`."""
    return path[0] + "".join(step if type(step) is Literal else f"[{step!r}]" for step in path[1:])


def type_name(value: tp.Any) -> str:
    """Return the name of the type of `value`, with its module."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def refuse(value: tp.Any, path: PathT) -> tp.NoReturn:
    """Raise a `TypeError` that says which value cannot be stored, and what to pass instead."""
    raise TypeError(f"{display(path)} is of type {type_name(value)}, which cannot be stored; {_advice(value)}")


def _advice(value: tp.Any) -> str:
    if isinstance(value, pd.DataFrame):
        return "save it with the portfolio, or pass value.to_dict()"
    if isinstance(value, (pd.Series, pd.Index)):
        return "save it with the portfolio, or pass value.tolist()"
    if isinstance(value, np.ndarray):
        return f"pass value.tolist(), or a plain array of numbers or text instead of dtype {value.dtype}"
    if isinstance(value, dt.tzinfo):
        return "pass its name"
    if callable(value):
        return "pass its name, such as value.__name__"
    return "pass numbers, text, dates, or lists and dicts of them"


# ############# Decoding ############# #


def decode(encoded: tp.Any) -> tp.Any:
    """Decode what `encode` returned.

    A part that this version cannot read becomes an `UnknownValue`. No value of JSON is an error: a newer version may
    have widened what a tag holds, and the rest of the record stays readable.

    Args:
        encoded (any): Encoded value.

    Returns:
        any: Value as it was. It shares nothing mutable with `encoded`.

    Usage:
        ```pycon
        >>> decode({"fast": 10, "window": {"$tuple": [5, 20]}})
        {'fast': 10, 'window': (5, 20)}
        ```"""
    return decode_at(encoded, 0)


def decode_mapping(encoded: tp.Dict[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Decode what `encode_mapping` returned. What cannot be read becomes an `UnknownValue`, as in `decode`.

    Args:
        encoded (dict): Encoded values by name.

    Returns:
        dict: Values by name.

    Raises:
        ValueError: If `encoded` is not a dict."""
    if type(encoded) is not dict:
        raise ValueError(f"expected an object of encoded values, not {reprlib.repr(encoded)}")
    # Most values are plain: this line is what reading a large registry costs.
    return {k: decode_at(v, 1) if type(v) is dict or type(v) is list else v for k, v in encoded.items()}


def decode_at(encoded: tp.Any, depth: int) -> tp.Any:
    """Decode the value inside `depth` containers."""
    kind = type(encoded)
    if kind is dict:
        if len(encoded) == 1:
            ((tag, payload),) = encoded.items()
            if tag.startswith("$"):
                return _decode_tagged(encoded, tag, payload, depth)
        return _decode_object(encoded, depth)
    if kind is list:
        return decode_items(encoded, depth) if depth < MAX_DEPTH else UnknownValue(encoded)
    return encoded


def decode_items(items: list, depth: int) -> list:
    """Decode the items of the container inside `depth` others."""
    if depth >= MAX_DEPTH:
        raise ValueError(f"encoded value nests deeper than {MAX_DEPTH} levels")
    return [decode_at(item, depth + 1) for item in items]


def match_text(pattern: tp.Pattern, text: str) -> tp.Match:
    """Match the whole of `text`, or raise a `ValueError`."""
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"malformed text: {reprlib.repr(text)}")
    return match


def _decode_object(encoded: dict, depth: int) -> tp.Any:
    # Tags beside other keys are not of this version, which writes a dict with such keys as a $dict.
    if depth >= MAX_DEPTH or any(key.startswith("$") for key in encoded):
        return UnknownValue(encoded)
    return {key: decode_at(value, depth + 1) for key, value in encoded.items()}


def _decode_tagged(encoded: dict, tag: str, payload: tp.Any, depth: int) -> tp.Any:
    payload_type, decoder = DECODERS.get(tag, (None, None))
    if decoder is None or type(payload) is not payload_type:
        return UnknownValue(encoded)
    try:
        return decoder(payload, depth)
    except Exception:
        # Whatever NumPy, pandas, zoneinfo or an Enum's own code says to contents that they do not expect.
        return UnknownValue(encoded)


# ############# Numbers, text and constants ############# #


def _encode_str(value: str, path: PathT) -> str:
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise TypeError(
                f"{display(path)} is not valid Unicode text: {reprlib.repr(value)} contains a lone surrogate; "
                "remove or replace it"
            ) from None
    return str.__str__(value)


def _encode_int(value: int, path: PathT) -> tp.Union[int, dict]:
    value = int.__int__(value)
    return value if -_MAX_INT - 1 <= value <= _MAX_INT else {"$int": hex(value)}


def _encode_float(value: float, path: PathT) -> tp.Union[float, dict]:
    value = float.__float__(value)
    return value if isfinite(value) else {"$float": repr(value)}


# ############# Containers ############# #

_ELEMENT, _VALUE = Literal("{...}"), Literal(".value")


def _encode_unordered(items: tp.Iterable, path: PathT) -> list:
    check_path_depth(path)
    # Sorted, so that equal sets have equal encodings.
    return sorted((encode_at(item, (*path, _ELEMENT)) for item in items), key=dumps)


def _encode_dict(value: dict, path: PathT) -> dict:
    check_path_depth(path)
    keys = [encode_at(key, (*path, KEY)) for key in value]
    values = [encode_at(item, (*path, key)) for key, item in value.items()]
    if all(type(key) is str and not key.startswith("$") for key in keys):
        return dict(zip(keys, values, strict=True))
    return {"$dict": [item for pair in zip(keys, values, strict=True) for item in pair]}


def _decode_dict(items: list, depth: int) -> dict:
    decoded = decode_items(items, depth)
    keys, values = decoded[::2], decoded[1::2]
    return _without_loss(dict(zip(keys, values, strict=True)), len(keys))


def _without_loss(container: tp.Any, n: int) -> tp.Any:
    # Members of an Enum that is not imported come back as their values, which may be equal to others.
    if len(container) != n:
        raise ValueError(f"{n - len(container)} of {n} keys or elements are equal to others")
    return container


def fields_of(value: tp.Any) -> tp.Optional[tp.Dict[tp.Any, tp.Any]]:
    """Return the fields of a value by their names, None if it is nothing that has named fields.

    The libraries that such values come from are not imported: their classes tell what they are.

    Args:
        value (any): Named tuple, mapping, instance of a dataclass or of attrs, model of pydantic, or configuration of
            OmegaConf."""
    kind = type(value)
    if isinstance(value, Mapping):
        return dict(value)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value))
    names: tp.Optional[tp.Iterable[str]] = None
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "__attrs_attrs__"):
        names = [attribute.name for attribute in kind.__attrs_attrs__]
    if names is not None:
        return {name: getattr(value, name) for name in names}
    if callable(getattr(kind, "model_dump", None)):  # pydantic
        return dict(value.model_dump())
    if hasattr(kind, "__fields__") and callable(getattr(kind, "dict", None)):  # pydantic before version 2
        return dict(value.dict())
    return None


def _encode_fields(value: tp.Any, path: PathT) -> tp.Any:
    if path[-1] is KEY or path[-1] is _ELEMENT:  # where no dict could stand
        return {"$tuple": encode_items(value, path)} if isinstance(value, tuple) else refuse(value, path)
    fields = fields_of(value)
    if fields is not None:
        return _encode_dict(fields, path)
    if _is_list_of_omegaconf(value):
        return encode_items(value, path)
    return refuse(value, path)


def _is_list_of_omegaconf(value: tp.Any) -> bool:
    return isinstance(value, Sequence) and type(value).__module__.partition(".")[0] == "omegaconf"


# ############# Members of an Enum ############# #


def _encode_enum(value: enum.Enum, path: PathT) -> dict:
    check_path_depth(path)
    kind = type(value)
    class_name = encode_at(f"{kind.__module__}:{kind.__qualname__}", path)
    return {"$enum": [class_name, encode_at(value.name, path), encode_at(value.value, (*path, _VALUE))]}


def _decode_enum(payload: list, depth: int) -> tp.Any:
    class_name, name, encoded = payload
    (value,) = decode_items([encoded], depth)
    kind = _find_enum(class_name)
    if kind is None:
        return value
    if name in kind.__members__:
        return kind.__members__[name]
    try:  # a combination of flags, which has no name
        return kind(value) if issubclass(kind, enum.Flag) and type(value) is int else value
    except ValueError:
        return value


def _find_enum(class_name: str) -> tp.Optional[tp.Type[enum.Enum]]:
    """Look for a class among what is already imported."""
    module_name, _, qualname = class_name.partition(":")
    found = sys.modules.get(module_name)
    for name in qualname.split("."):
        if not isinstance(found, (types.ModuleType, type)):
            return None
        # Not getattr: a module may import something when it is asked for a name that it lacks.
        found = object.__getattribute__(found, "__dict__").get(name)
    return found if isinstance(found, enum.EnumMeta) else None


# ############# Paths ############# #


def _encode_path(value: pathlib.PurePath, path: PathT) -> dict:
    flavour = "Posix" if isinstance(value, pathlib.PurePosixPath) else "Windows"
    pure = "" if isinstance(value, pathlib.Path) else "Pure"
    return {"$path": [f"{pure}{flavour}Path", encode_at(str(value), path)]}


def _decode_path(payload: list, depth: int) -> pathlib.PurePath:
    class_name, text = payload
    if class_name not in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"):
        raise ValueError(f"no class of paths: {class_name}")
    try:
        return getattr(pathlib, class_name)(text)
    except NotImplementedError:  # another system's: its pure one stands in
        return getattr(pathlib, f"Pure{class_name}")(text)


# ############# Times of pandas ############# #

_CACHE_SIZE = 8192
_TIMESTAMP = re.compile(
    r"(?P<iso>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?)"
    r"(?P<utc>Z(?:\[(?P<zone>[^\[\]]+)\])?)?"
    r"(?: (?P<unit>s|ms|us))?",
    re.ASCII,
)
_TIMEDELTA = re.compile(r"(?P<count>-?\d{1,19})(?P<unit>D|h|m|s|ms|us|ns)(?: (?P<resolution>s|ms|us))?", re.ASCII)
_NANOSECONDS = dict(D=86_400 * 10**9, h=3_600 * 10**9, m=60 * 10**9, s=10**9, ms=10**6, us=10**3, ns=1)


def _encode_timestamp(value: pd.Timestamp, path: PathT) -> dict:
    text = _instant_text(value)
    if text is None:
        raise TypeError(f"{display(path)} is {value.asm8}, and only the years 1 to 9999 can be stored")
    if value.tz is None:
        text = text.removesuffix("T00:00")
    else:
        zone = zone_name(value.tz, path) or offset_text(value.tz)
        text += f"Z[{zone}]" if zone else "Z"
    return {"$timestamp": _with_resolution(text, value.unit)}


@lru_cache(maxsize=_CACHE_SIZE)
def _instant_text(value: pd.Timestamp) -> tp.Optional[str]:
    """Return the instant in UTC as text, the same for all timestamps that are equal. None unless its year has four
    digits."""
    instant = value.asm8
    if not np.datetime64("0001") <= instant.astype("M8[Y]") <= np.datetime64("9999"):
        return None
    iso, _, fraction = str(instant).partition(".")
    fraction = fraction.rstrip("0")
    return f"{iso}.{fraction}" if fraction else iso.removesuffix(":00")


@lru_cache(maxsize=_CACHE_SIZE)
def _parse_timestamp(text: str) -> pd.Timestamp:
    iso, utc, zone, unit = match_text(_TIMESTAMP, text).group("iso", "utc", "zone", "unit")
    timestamp = pd.Timestamp(iso).as_unit(unit or "ns", round_ok=False)
    if utc:
        timestamp = timestamp.tz_localize(dt.UTC)
    return timestamp.tz_convert(parse_zone(zone)) if zone else timestamp


@lru_cache(maxsize=_CACHE_SIZE)
def _duration_text(value: pd.Timedelta) -> str:
    # Not as nanoseconds of 64 bits, which a coarser resolution goes beyond.
    nanoseconds = int(value.asm8.view("i8")) * _NANOSECONDS[value.unit]
    unit, size = next((unit, size) for unit, size in _NANOSECONDS.items() if nanoseconds % size == 0)
    return f"{nanoseconds // size}{unit}"


@lru_cache(maxsize=_CACHE_SIZE)
def _parse_timedelta(text: str) -> pd.Timedelta:
    count, unit, resolution = match_text(_TIMEDELTA, text).group("count", "unit", "resolution")
    resolution = resolution or "ns"
    ticks, rest = divmod(int(count) * _NANOSECONDS[unit], _NANOSECONDS[resolution])
    if rest or ticks == -(2**63):  # the smallest integer of 64 bits is NaT
        raise ValueError(f"not a number of {resolution}: {text}")
    return pd.Timedelta(np.timedelta64(ticks, resolution))  # type: ignore[arg-type]  # NumPy's stubs want a literal


def _encode_period(value: pd.Period, path: PathT) -> dict:
    return {"$period": [value.freqstr, value.ordinal]}


def _decode_period(payload: list, depth: int) -> pd.Period:
    frequency, ordinal = payload
    if type(frequency) is not str or type(ordinal) is not int:
        raise ValueError("a period has the name of a frequency and a number")
    return pd.Period(ordinal=ordinal, freq=frequency)


def _encode_interval(value: pd.Interval, path: PathT) -> dict:
    check_path_depth(path)
    ends = [encode_at(end, (*path, Literal(name))) for end, name in ((value.left, ".left"), (value.right, ".right"))]
    return {"$interval": [*ends, value.closed]}


def _decode_interval(payload: list, depth: int) -> pd.Interval:
    left, right = decode_items(payload[:2], depth)
    (closed,) = payload[2:]
    return pd.Interval(left, right, closed=closed)


def _encode_offset(value: pd.offsets.BaseOffset, path: PathT) -> dict:
    check_path_depth(path)
    if type(value) is pd.DateOffset and value == pd.DateOffset(n=value.n, **value.kwds):
        return {"$offset": [value.n, _encode_dict(value.kwds, (*path, Literal(".kwds")))]}
    if not _is_told_by_its_name(value):
        refuse(value, path)
    return {"$offset": [value.freqstr]}


def _decode_offset(payload: list, depth: int) -> pd.offsets.BaseOffset:
    if len(payload) == 1:
        return to_offset(payload[0])
    n, encoded = payload
    (parts,) = decode_items([encoded], depth)
    return pd.DateOffset(n=n, **parts)


def _is_told_by_its_name(offset: pd.offsets.BaseOffset) -> bool:
    try:
        return to_offset(offset.freqstr) == offset
    except ValueError:
        return False


def _with_resolution(text: str, unit: str) -> str:
    return text if unit == "ns" else f"{text} {unit}"


# ############# Times of Python ############# #

_DATETIME = re.compile(r"(?P<iso>[^\[\]]+)(?:\[(?P<zone>[^\[\]]+)\])?")


def _encode_datetime(value: dt.datetime, path: PathT) -> dict:
    zone = None if value.tzinfo is None else zone_name(value.tzinfo, path)
    text = dt.datetime.isoformat(value)
    return {"$datetime": f"{text}[{zone}]" if zone else text}


def _decode_datetime(text: str, depth: int) -> dt.datetime:
    iso, zone = match_text(_DATETIME, text).group("iso", "zone")
    value = _parse_iso(dt.datetime, iso)
    if zone is None:
        return value
    if value.tzinfo is None:
        raise ValueError(f"a zone needs an offset: {text}")
    # The wall time is kept, even one that a change of the clocks skips. Where the clocks show it twice, the offset
    # tells which one it was.
    tz = parse_zone(zone)
    for fold in (0, 1):
        local = value.replace(tzinfo=tz, fold=fold)
        if local.utcoffset() == value.utcoffset():
            return local
    return value.astimezone(tz)


def _encode_time(value: dt.time, path: PathT) -> dict:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise TypeError(f"{display(path)} is a time without a date in the zone {value.tzinfo}; pass a datetime")
    return {"$time": dt.time.isoformat(value)}


def _parse_iso(kind: tp.Any, text: str) -> tp.Any:
    value = kind.fromisoformat(text)
    if value.isoformat() != text:  # it would drop digits that are finer than microseconds
        raise ValueError(f"not in the form that isoformat() writes: {text}")
    return value


# ############# Time zones ############# #

_OFFSET = re.compile(r"[+-]\d\d:\d\d(?::\d\d(?:\.\d{6})?)?", re.ASCII)
_ZONE_NAME = re.compile(r"[A-Za-z][\w+/-]*", re.ASCII)


def zone_name(tz: dt.tzinfo, path: PathT) -> tp.Optional[str]:
    """Return the name of a zone in the time zone database, or None for a fixed offset."""
    # pytz is not imported: pandas 3 does without it.
    is_pytz = type(tz).__module__.partition(".")[0] == "pytz"
    if isinstance(tz, dt.timezone) or (is_pytz and getattr(tz, "zone", None) is None):
        return None
    if not is_pytz and not isinstance(tz, ZoneInfo):
        raise TypeError(
            f"{display(path)} has a time zone of type {type_name(tz)}, which cannot be stored; convert it to a "
            "zoneinfo.ZoneInfo or a datetime.timezone"
        )
    name = tz.key if isinstance(tz, ZoneInfo) else getattr(tz, "zone", None)
    try:
        parse_zone(name or "")
    except (TypeError, ValueError, LookupError, OSError):
        raise TypeError(
            f"{display(path)} has the time zone {tz!r}, which zoneinfo does not find by its name; convert it to one "
            "of the time zone database, or install tzdata"
        ) from None
    return name


def offset_text(tz: dt.tzinfo) -> str:
    """Return the offset of a zone that always has the same, such as "+01:00", or "" for UTC itself."""
    return str(dt.timezone(tp.cast(dt.timedelta, tz.utcoffset(None)))).removeprefix("UTC")


def parse_zone(text: str) -> dt.tzinfo:
    """Return the time zone of a name or an offset. `zoneinfo` is never asked for what does not look like a name."""
    if _OFFSET.fullmatch(text):
        return tp.cast(dt.tzinfo, dt.datetime.fromisoformat(f"2000-01-01T00:00{text}").tzinfo)
    return ZoneInfo(match_text(_ZONE_NAME, text).group())


# ############# NumPy ############# #

_COUNT = re.compile(
    r"(?P<count>NaT|-?\d{1,19})(?:\*(?P<step>\d{1,10}))?(?P<unit>Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as|generic)",
    re.ASCII,
)
_PORTABLE_DTYPE = re.compile(
    r"\|b1|[<>|](?:[iu][1248]|f[248]|c8|c16|[SUV]\d{1,9}|[mM]8(?:\[\d{0,10}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)",
    re.ASCII,
)
_MAX_DIMENSIONS = 64
"""What NumPy allows. More of them are not even multiplied."""
_DTYPE_KEYS = {"names", "formats", "offsets", "itemsize"}


def _encode_numpy_scalar(value: np.generic, path: PathT) -> tp.Any:
    item = value.item()
    return encode_at(item, path) if isinstance(item, (bool, int, float, str)) else refuse(value, path)


def _count_text(value: tp.Union[np.datetime64, np.timedelta64]) -> str:
    unit, step = np.datetime_data(value)
    count = "NaT" if np.isnat(value) else str(value.view("i8"))
    return f"{count}{unit}" if step == 1 else f"{count}*{step}{unit}"


def _parse_count(text: str) -> tp.Tuple[tp.Union[int, str], str]:
    count, step, unit = match_text(_COUNT, text).group("count", "step", "unit")
    return count if count == "NaT" else int(count), f"{step or ''}{unit}"


def _decode_datetime64(text: str, depth: int) -> np.datetime64:
    return np.datetime64(*_parse_count(text))  # type: ignore[call-overload]  # NumPy's stubs want a literal


def _decode_timedelta64(text: str, depth: int) -> np.timedelta64:
    return np.timedelta64(*_parse_count(text))  # type: ignore[call-overload]  # NumPy's stubs want a literal


def _encode_ndarray(value: np.ndarray, path: PathT) -> dict:
    # A subclass, such as a masked array, has more to it than its numbers.
    if type(value) is not np.ndarray or not _is_portable(value.dtype):
        refuse(value, path)
    data = base64.b64encode(value.tobytes()).decode("ascii")
    return {"$ndarray": [_encode_dtype(value.dtype), list(value.shape), data]}


def _decode_ndarray(payload: list, depth: int) -> np.ndarray:
    encoded_dtype, shape, data = payload
    dtype = _decode_dtype(encoded_dtype, MAX_DEPTH)
    _check_shape(shape)
    raw = base64.b64decode(data, validate=True)
    if dtype.itemsize == 0 or len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"$ndarray of shape {shape} and dtype {dtype} cannot have {len(raw)} bytes")
    array = np.ndarray(shape, dtype, buffer=bytearray(raw))
    _check_code_points(array)
    return array


def _check_shape(shape: tp.Any) -> None:
    if type(shape) is not list or len(shape) > _MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("not the shape of an array")


def _check_code_points(array: np.ndarray) -> None:
    """Raise a `ValueError` if text in the array is none: NumPy fails with a `SystemError`, and only on access."""
    for name in array.dtype.names or ():
        _check_code_points(array[name])
    if array.dtype.kind == "U" and array.size:
        codes = np.ascontiguousarray(array).view(array.dtype.str[0] + "u4")
        if codes.max() > sys.maxunicode:
            raise ValueError("$ndarray holds text with invalid code points")


def _is_portable(dtype: np.dtype, depth: int = MAX_DEPTH) -> bool:
    """Return whether a dtype means the same on every machine.

    Objects, pointers, extended precision, titles and records without fields do not."""
    if dtype.itemsize == 0 or dtype.names == () or depth == 0:
        return False
    if dtype.subdtype is not None:
        return _is_portable(dtype.base, depth - 1)
    if dtype.fields is not None:
        return all(len(field) == 2 and _is_portable(field[0], depth - 1) for field in dtype.fields.values())
    return _PORTABLE_DTYPE.fullmatch(dtype.str) is not None


def _encode_dtype(dtype: np.dtype) -> tp.Union[str, list, dict]:
    if dtype.subdtype is not None:
        return [_encode_dtype(dtype.base), list(dtype.shape)]
    if dtype.names is None or dtype.fields is None:
        return dtype.str
    dtypes, offsets = zip(*(dtype.fields[name] for name in dtype.names))
    formats = [_encode_dtype(each) for each in dtypes]
    return dict(names=list(dtype.names), formats=formats, offsets=list(offsets), itemsize=dtype.itemsize)


def _decode_dtype(encoded: tp.Any, levels: int) -> np.dtype:
    if levels == 0:
        raise ValueError("dtype nests too deeply")
    if type(encoded) is str:
        return np.dtype(match_text(_PORTABLE_DTYPE, encoded).group())
    if type(encoded) is list:
        base, shape = encoded
        _check_shape(shape)
        return np.dtype((_decode_dtype(base, levels - 1), tuple(shape)))
    if encoded.keys() != _DTYPE_KEYS:
        raise ValueError(f"a dtype with fields has {sorted(_DTYPE_KEYS)}, not {sorted(encoded)}")
    formats = [_decode_dtype(item, levels - 1) for item in encoded["formats"]]
    return np.dtype({**encoded, "formats": formats})  # type: ignore[call-overload]  # NumPy's stubs want a literal


# ############# Who encodes what ############# #

ENCODERS: tp.Dict[type, tp.Callable[[tp.Any, PathT], tp.Any]] = {
    UnknownValue: lambda value, path: _copy_json(value.encoded),
    type(None): lambda value, path: None,
    bool: lambda value, path: value,
    str: _encode_str,
    int: _encode_int,
    float: _encode_float,
    decimal.Decimal: lambda value, path: {"$decimal": _DECIMAL_CONTEXT.to_sci_string(value)},
    type(pd.NaT): lambda value, path: {"$pandas": "NaT"},
    type(pd.NA): lambda value, path: {"$pandas": "NA"},
    list: lambda value, path: encode_items(value, path),
    tuple: lambda value, path: {"$tuple": encode_items(value, path)},
    set: lambda value, path: {"$set": _encode_unordered(value, path)},
    frozenset: lambda value, path: {"$frozenset": _encode_unordered(value, path)},
    dict: _encode_dict,
    pd.Timestamp: _encode_timestamp,
    pd.Timedelta: lambda value, path: {"$timedelta": _with_resolution(_duration_text(value), value.unit)},
    dt.datetime: _encode_datetime,
    dt.date: lambda value, path: {"$date": dt.date.isoformat(value)},
    dt.time: _encode_time,
    dt.timedelta: lambda value, path: {"$pytimedelta": str(value // dt.timedelta(microseconds=1))},
    np.datetime64: lambda value, path: {"$datetime64": _count_text(value)},
    np.timedelta64: lambda value, path: {"$timedelta64": _count_text(value)},
    np.generic: _encode_numpy_scalar,
    np.ndarray: _encode_ndarray,
    pathlib.PurePath: _encode_path,
    pd.Period: _encode_period,
    pd.Interval: _encode_interval,
    pd.offsets.BaseOffset: _encode_offset,
}
"""Encoders by the type that they take, its subclasses included. Members of an Enum come first, see `_encoder_of`."""

DECODERS: tp.Dict[str, tp.Tuple[type, tp.Callable[[tp.Any, int], tp.Any]]] = {
    "$float": (str, lambda text, depth: float(text)),  # each NaN is an object of its own, as sets tell them apart
    "$int": (str, lambda text, depth: int(text, 16)),
    "$decimal": (str, lambda text, depth: decimal.Decimal(text, _DECIMAL_CONTEXT)),
    "$pandas": (str, lambda text, depth: {"NaT": pd.NaT, "NA": pd.NA}[text]),
    "$tuple": (list, lambda items, depth: tuple(decode_items(items, depth))),
    "$set": (list, lambda items, depth: _without_loss(set(decode_items(items, depth)), len(items))),
    "$frozenset": (list, lambda items, depth: _without_loss(frozenset(decode_items(items, depth)), len(items))),
    "$dict": (list, _decode_dict),
    "$timestamp": (str, lambda text, depth: _parse_timestamp(text)),
    "$timedelta": (str, lambda text, depth: _parse_timedelta(text)),
    "$datetime": (str, _decode_datetime),
    "$date": (str, lambda text, depth: _parse_iso(dt.date, text)),
    "$time": (str, lambda text, depth: _parse_iso(dt.time, text)),
    "$pytimedelta": (str, lambda text, depth: dt.timedelta(microseconds=int(text))),
    "$datetime64": (str, _decode_datetime64),
    "$timedelta64": (str, _decode_timedelta64),
    "$enum": (list, _decode_enum),
    "$path": (list, _decode_path),
    "$period": (list, _decode_period),
    "$interval": (list, _decode_interval),
    "$offset": (list, _decode_offset),
    "$ndarray": (list, _decode_ndarray),
}
"""By tag: the type of JSON that stands under it, and the decoder. It may raise anything to say that it cannot read."""
