"""Arrays of NumPy."""

import base64
import math
import re
import sys

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import MAX_DEPTH, PathT, decodes, encodes, match_text, refuse

# What NumPy allows. More of them are not even multiplied.
_MAX_DIMENSIONS = 64

_DTYPE_KEYS = {"names", "formats", "offsets", "itemsize"}
_PORTABLE_DTYPE = re.compile(
    r"\|b1|[<>|](?:[iu][1248]|f[248]|c8|c16|[SUV]\d{1,9}|[mM]8(?:\[\d{0,10}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)",
    re.ASCII,
)


@encodes(np.ndarray)
def _encode_ndarray(value: np.ndarray, path: PathT) -> dict:
    # A subclass, such as a masked array, has more to it than its numbers.
    if type(value) is not np.ndarray or not _is_portable(value.dtype):
        refuse(value, path)
    data = base64.b64encode(value.tobytes()).decode("ascii")
    return {"$ndarray": [_encode_dtype(value.dtype), list(value.shape), data]}


@decodes("$ndarray", list)
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
    if (
        type(shape) is not list
        or len(shape) > _MAX_DIMENSIONS
        or not all(type(size) is int and size >= 0 for size in shape)
    ):
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
    """Whether a dtype means the same on every machine: no objects, pointers or extended precision, and no titles."""
    if dtype.itemsize == 0 or depth == 0:
        return False
    if dtype.subdtype is not None:
        return _is_portable(dtype.base, depth - 1)
    if dtype.names is not None:
        return all(len(field) == 2 and _is_portable(field[0], depth - 1) for field in dtype.fields.values())
    return _PORTABLE_DTYPE.fullmatch(dtype.str) is not None


def _encode_dtype(dtype: np.dtype) -> tp.Union[str, list, dict]:
    if dtype.subdtype is not None:
        return [_encode_dtype(dtype.base), list(dtype.shape)]
    if dtype.names is None:
        return dtype.str
    fields = [dtype.fields[name] for name in dtype.names]
    return {
        "names": list(dtype.names),
        "formats": [_encode_dtype(field) for field, _ in fields],
        "offsets": [offset for _, offset in fields],
        "itemsize": dtype.itemsize,
    }


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
    return np.dtype({**encoded, "formats": [_decode_dtype(item, levels - 1) for item in encoded["formats"]]})
