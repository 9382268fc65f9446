"""Scalars of NumPy."""

import re

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import PathT, decodes, encode_at, encodes, match_text, refuse

_COUNT = re.compile(
    r"(?P<count>NaT|-?\d{1,19})(?:\*(?P<step>\d{1,10}))?(?P<unit>Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as|generic)",
    re.ASCII,
)


@encodes(np.generic)
def _encode_numpy_scalar(value: np.generic, path: PathT) -> tp.Any:
    item = value.item()
    return encode_at(item, path) if isinstance(item, (bool, int, float, str)) else refuse(value, path)


@encodes(np.datetime64)
def _encode_datetime64(value: np.datetime64, path: PathT) -> dict:
    return {"$datetime64": _count_text(value)}


@decodes("$datetime64", str)
def _decode_datetime64(text: str, depth: int) -> np.datetime64:
    return np.datetime64(*_parse_count(text))


@encodes(np.timedelta64)
def _encode_timedelta64(value: np.timedelta64, path: PathT) -> dict:
    return {"$timedelta64": _count_text(value)}


@decodes("$timedelta64", str)
def _decode_timedelta64(text: str, depth: int) -> np.timedelta64:
    return np.timedelta64(*_parse_count(text))


def _count_text(value: tp.Union[np.datetime64, np.timedelta64]) -> str:
    unit, step = np.datetime_data(value)
    count = "NaT" if np.isnat(value) else str(value.view("i8"))
    return f"{count}{unit}" if step == 1 else f"{count}*{step}{unit}"


def _parse_count(text: str) -> tp.Tuple[tp.Union[int, str], str]:
    count, step, unit = match_text(_COUNT, text).group("count", "step", "unit")
    return count if count == "NaT" else int(count), f"{step or ''}{unit}"
