"""Labels and other values of a backtest, whatever type they come in: as a record can hold them.

What a user gives, such as a parameter, is kept faithfully or refused. What vectorbt says of a backtest must not stand
in the way of saving it: here such a value becomes one that has an encoding."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.column import Column, Numbers, column_of, spread
from vectorbt.portfolio.registry.encoding import encode

__all__ = ["as_column", "as_numpy", "duration_text", "levels_of", "recordable"]


AS_TEXT = (pd.Period, pd.Interval, pd.offsets.BaseOffset)
"""Types that have an encoding, and stand as text in what was measured: it can be compared with one in a question."""


def recordable(value: tp.Any) -> tp.Any:
    """Return a value as a record can hold it.

    Args:
        value (any): Label of an index, or what a metric returns.

    Returns:
        The value itself, as Python's or pandas' where it is NumPy's, if it has a faithful encoding. A moment in a time
        zone that has none keeps its instant and its offset from UTC. Anything else becomes text, and so do periods,
        intervals and offsets of pandas: a text can be compared with one in a question."""
    value = _without_numpy(value)
    if isinstance(value, AS_TEXT):
        return _text(value)
    if _has_encoding(value):
        return value
    if isinstance(value, datetime):
        with suppress(Exception):  # a zone of the user's own may raise anything
            offset = timezone(tp.cast(timedelta, value.utcoffset()))
            moment = value.tz_convert(offset) if isinstance(value, pd.Timestamp) else value.astimezone(offset)
            if _has_encoding(moment):
                return moment
    return _text(value)


def as_column(values: tp.Union[tp.Series, pd.Index], encoded: tp.Callable[[tp.Any], tp.Any]) -> Column:
    """Return what pandas holds as a column of runs.

    Args:
        values (pd.Series or pd.Index): A value for each run.
        encoded (callable): Function that encodes one value. It is called once for each different one, unless they are
            of several types."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "if":
        return Numbers(values.to_numpy(np.int64 if values.dtype.kind == "i" else np.float64))
    if values.dtype.kind in "Oc":
        return column_of([encoded(value) for value in values.tolist()])
    which, distinct = pd.factorize(values, use_na_sentinel=False)
    return spread([encoded(value) for value in distinct.tolist()], which)


def as_numpy(index: pd.Index) -> pd.Index:
    """Return an index whose times and durations are kept by NumPy, also if they come as objects, as categories, or in
    Arrow. Dates that are kept in Arrow become objects. Anything else stays as it is.

    Args:
        index (pd.Index): Index of any type."""
    if isinstance(index, pd.CategoricalIndex):
        index = index.astype(index.categories.dtype)
    if isinstance(index.dtype, pd.ArrowDtype) and index.dtype.kind in "mM":
        return pd.Index(index.array.__arrow_array__().to_pandas(), name=index.name)
    if not isinstance(index, pd.MultiIndex):
        # Text that Arrow cannot hold, where pandas uses it, is neither numbers nor times.
        with suppress(UnicodeEncodeError):
            index = index.infer_objects()
    return index


def levels_of(index: pd.Index) -> tp.List[pd.Index]:
    """Return the labels of each level of an index, by position and without names.

    pandas takes the number of a level for a name where a level has that name.

    Args:
        index (pd.Index): Index of one level or several."""
    nameless = index.set_names([None] * index.nlevels)
    return [nameless.get_level_values(i) for i in range(index.nlevels)]


def duration_text(duration: pd.Timedelta) -> str:
    """Return a duration as pandas writes it, in whole days if it is some: a record has few bytes to spare.

    Args:
        duration (pd.Timedelta): Duration."""
    return str(duration).removesuffix(" 00:00:00")


def _without_numpy(value: tp.Any) -> tp.Any:
    try:
        if isinstance(value, np.datetime64):
            return pd.Timestamp(value)
        if isinstance(value, np.timedelta64):
            return pd.Timedelta(value)
    except (ValueError, OverflowError):
        return value  # too far away for pandas, or in months
    return value.item() if isinstance(value, np.generic) else value


def _has_encoding(value: tp.Any) -> bool:
    try:
        encode(value)
    except (TypeError, ValueError):
        return False
    return True


def _text(value: tp.Any) -> str:
    try:
        text = str(value)
    except Exception:  # code of the user's own
        return f"<{type(value).__qualname__}>"
    return text if _has_encoding(text) else ascii(text)
