"""Encoded values as the text of strict JSON, and back."""

import json

import orjson

from vectorbt import _typing as tp

# Of the levels of JSON that orjson reads, it writes so many.
_MAX_LEVELS = 254


def dumps(encoded: tp.Any) -> bytes:
    """Write an encoded value as strict JSON in UTF-8.

    Args:
        encoded (any): What `encode` or `encode_mapping` returned. Other values are not checked: NaN becomes null.

    Returns:
        bytes: JSON without spaces or line breaks.
    """
    return orjson.dumps(encoded)


def loads(data: bytes) -> tp.Any:
    """Read strict JSON.

    Args:
        data (bytes): JSON in UTF-8.

    Returns:
        any: Encoded value, for `decode` or `decode_mapping`. `dumps` can write it again.

    Raises:
        ValueError: If `data` is not valid JSON, or nests deeper than `dumps` writes.
    """
    encoded = orjson.loads(data)
    if data.count(b"[") + data.count(b"{") > _MAX_LEVELS:
        _check_levels(encoded)
    return encoded


def loads_again(data: bytes) -> tp.Any:
    """Read what `loads` has read before. It need not be checked again, which takes a quarter of the time.

    Args:
        data (bytes): JSON in UTF-8.

    Returns:
        any: What `loads` has returned.
    """
    return orjson.loads(data)


def _check_levels(encoded: tp.Any) -> None:
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
        ValueError: If `data` is not valid JSON otherwise.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("JSON nests too deeply") from None
