"""How values and their encodings find each other: the tables by type and by tag, and the walk through both.

A module of types registers its encoders with `encodes` and its decoders with `decodes`. An encoder is called with the
value and the path that leads to it, a decoder with what stands under the tag and with its depth."""

import datetime
import enum
import reprlib
from functools import lru_cache
from math import isfinite

import numpy as np
import pandas as pd

from vectorbt import _typing as tp

MAX_DEPTH: int = 100
"""How deep containers may nest. A level of values takes at most two levels of JSON."""

_MAX_INT = 2**63 - 1

PathT = tp.Tuple[tp.Any, ...]
"""The names and keys that lead to a value, from the outside in: `("parameters", "ma", "func")`."""

ENCODERS: tp.Dict[type, tp.Callable] = {}
"""Encoders by the type that they take, its subclasses included."""

DECODERS: tp.Dict[str, tp.Tuple[type, tp.Callable]] = {}
"""By tag: the type of JSON that stands under it, and the decoder."""


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
        ```
    """

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
    pending = [holder]
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
        ```
    """
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
        ValueError: If containers nest deeper than `MAX_DEPTH`.
    """
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
    return ENCODERS[str](name, (path, KEY))


def _is_plain(value: tp.Any) -> bool:
    """Whether a value stands for itself, without asking the encoder of its type."""
    kind = type(value)
    if kind is float:
        return isfinite(value)
    if kind is int:
        return -_MAX_INT <= value <= _MAX_INT
    return value.isascii() if kind is str else value is None or kind is bool


def encodes(*kinds: type) -> tp.Callable:
    """Register the decorated function as the encoder of `kinds` and their subclasses."""

    def register(encoder: tp.Callable) -> tp.Callable:
        ENCODERS.update(dict.fromkeys(kinds, encoder))
        return encoder

    return register


def encode_at(value: tp.Any, path: PathT) -> tp.Any:
    """Encode the value at `path`."""
    return _encoder_of(type(value))(value, path)


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
    # Before the bases are looked at: an IntEnum is an int as well.
    if issubclass(kind, enum.Enum):
        return ENCODERS[enum.Enum]
    return next((ENCODERS[base] for base in kind.__mro__ if base in ENCODERS), refuse)


@encodes(UnknownValue)
def _encode_unknown(value: UnknownValue, path: PathT) -> tp.Any:
    return _copy_json(value.encoded)


# ############# Paths and refusals ############# #


class Literal(str):
    """A step of a path that is shown as it is rather than as a subscript."""


KEY = Literal(".keys()")
"""Leads to the keys of a dict."""


def display(path: PathT) -> str:
    """A path as a person would write it in Python: `parameters['ma']['func']`."""
    return path[0] + "".join(step if type(step) is Literal else f"[{step!r}]" for step in path[1:])


def type_name(value: tp.Any) -> str:
    """Name of the type of `value`, with its module."""
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
    if isinstance(value, datetime.tzinfo):
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
        ```
    """
    return decode_at(encoded, 0)


def decode_mapping(encoded: tp.Dict[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Decode what `encode_mapping` returned. What cannot be read becomes an `UnknownValue`, as in `decode`.

    Args:
        encoded (dict): Encoded values by name.

    Returns:
        dict: Values by name.

    Raises:
        ValueError: If `encoded` is not a dict.
    """
    if type(encoded) is not dict:
        raise ValueError(f"expected an object of encoded values, not {reprlib.repr(encoded)}")
    # Most values are plain: this line is what reading a large registry costs.
    return {k: decode_at(v, 1) if type(v) is dict or type(v) is list else v for k, v in encoded.items()}


def decodes(tag: str, payload_type: type) -> tp.Callable:
    """Register the decorated function as the decoder of what stands under `tag`, which is of `payload_type`.

    It may raise any exception to say that it cannot read it."""

    def register(decoder: tp.Callable) -> tp.Callable:
        DECODERS[tag] = (payload_type, decoder)
        return decoder

    return register


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
    if type(payload) is not payload_type:
        return UnknownValue(encoded)
    try:
        return decoder(payload, depth)
    except Exception:
        # Whatever NumPy, pandas, zoneinfo or an Enum's own code says to contents that they do not expect.
        return UnknownValue(encoded)
