"""Metrics, parameters and times as people read them: two or three digits, percent as percent, durations in days."""

import math
import numbers
import unicodedata
from datetime import datetime, timedelta

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.metric_names import percent_metrics

__all__ = [
    "INFINITE",
    "MISSING",
    "cut",
    "duration_text",
    "metric_text",
    "moment_text",
    "number_text",
    "parameter_text",
    "percent_text",
    "width_of",
]

MISSING = "–"
INFINITE = "∞"

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
"""Units of durations, with their lengths in seconds."""

_MAX_INTEGER = 10**15
"""Integers from here on are written with an exponent."""


def metric_text(name: str, value: tp.Any) -> str:
    """Return a metric as people read it.

    Args:
        name (str): Name of the metric, which says whether it is a percentage.
        value (any): Value."""
    if name in percent_metrics() and isinstance(value, numbers.Real) and not isinstance(value, bool):
        return text_of(value, percent_text)
    return text_of(value, _value_text)


def parameter_text(value: tp.Any) -> str:
    """Return a parameter as people read it. It is what tells runs apart, so nothing but a float is rounded."""
    if _is_missing(value):
        return MISSING
    if type(value) is float:
        return f"{'-' if value < 0 else ''}{INFINITE}" if math.isinf(value) else f"{value:g}"
    return escaped(text_of(value, str)).removesuffix(" 00:00:00")


def moment_text(moment: datetime) -> str:
    """Return a point in time to the minute. Its zone stands elsewhere, once for all of them."""
    return f"{moment:%Y-%m-%d %H:%M}"


def number_text(value: tp.Any) -> str:
    """Return a number with two or three digits; a whole one, which is a count, with all of them."""
    if _is_missing(value):
        return MISSING
    if isinstance(value, int) and abs(value) < _MAX_INTEGER:
        return f"{value:,}"
    if math.isinf(value):
        return f"{'-' if value < 0 else ''}{INFINITE}"
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        return f"{value:.1e}"
    if size >= 99.95:
        return f"{value:,.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.0995 else f"{value:.2g}"


def percent_text(value: tp.Any) -> str:
    """Return a number of percent."""
    if _is_missing(value) or math.isinf(value):
        return number_text(value)
    return f"{value:.1f} %" if 0.95 <= abs(value) < 99.95 else f"{number_text(float(value))} %"


def duration_text(value: pd.Timedelta) -> str:
    """Return a duration in days, a shorter one in hours, minutes or seconds."""
    seconds = value.total_seconds()
    length, unit = next((pair for pair in _UNITS if abs(seconds) >= pair[0]), _UNITS[-1])
    count = seconds / length
    return f"{count:,.0f} {unit}" if abs(count) >= 99.95 else f"{count:.3g} {unit}"


def cut(text: str, width: int) -> str:
    """Return a text that is no wider than so many characters, with what was left out shown by an ellipsis."""
    if width_of(text) <= width:
        return text
    kept, used = [], 1
    for character in text:
        used += width_of(character)
        if used > width:
            break
        kept.append(character)
    return f"{''.join(kept)}…"


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: characters of East Asia take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _value_text(value: tp.Any) -> str:
    if _is_missing(value):
        return MISSING
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return number_text(value)
    if isinstance(value, (pd.Timedelta, timedelta)):
        return duration_text(pd.Timedelta(value))
    if isinstance(value, datetime):
        return moment_text(value).removesuffix(" 00:00")
    return escaped(text_of(value, str))


def _is_missing(value: tp.Any) -> bool:
    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))
