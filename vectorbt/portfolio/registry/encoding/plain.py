"""Constants, text and numbers."""

import decimal
import math
import reprlib

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import PathT, decodes, display, encodes

_MAX_INT = 2**63 - 1


@encodes(bool, type(None))
def _encode_constant(value: tp.Optional[bool], path: PathT) -> tp.Optional[bool]:
    return value


@encodes(type(pd.NaT), type(pd.NA))
def _encode_pandas_missing(value: tp.Any, path: PathT) -> dict:
    return {"$pandas": "NaT" if value is pd.NaT else "NA"}


@decodes("$pandas", str)
def _decode_pandas_missing(text: str, depth: int) -> tp.Any:
    return {"NaT": pd.NaT, "NA": pd.NA}[text]


@encodes(str)
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


@encodes(int)
def _encode_int(value: int, path: PathT) -> tp.Union[int, dict]:
    value = int.__int__(value)
    return value if -_MAX_INT - 1 <= value <= _MAX_INT else {"$int": hex(value)}


@decodes("$int", str)
def _decode_int(text: str, depth: int) -> int:
    return int(text, 16)


@encodes(float)
def _encode_float(value: float, path: PathT) -> tp.Union[float, dict]:
    value = float.__float__(value)
    return value if math.isfinite(value) else {"$float": repr(value)}


@decodes("$float", str)
def _decode_float(text: str, depth: int) -> float:
    # Each NaN is an object of its own, since a set tells two of them apart by identity.
    return float(text)


@encodes(decimal.Decimal)
def _encode_decimal(value: decimal.Decimal, path: PathT) -> dict:
    return {"$decimal": str(value)}


@decodes("$decimal", str)
def _decode_decimal(text: str, depth: int) -> decimal.Decimal:
    return decimal.Decimal(text)
