"""Indexes whose equal labels are of equal types, so that pandas aligns what they label.

pandas tells whole numbers apart by the type that they are kept in, and compares integers that are signed with others
that are not by way of floats, which makes one label of several."""

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.labels import as_numpy, levels_of

__all__ = ["are_same", "in_common"]

_UNITS = ("ns", "us", "ms", "s")
"""Resolutions of times and durations, the finest first."""


def are_same(first: pd.Index, second: pd.Index) -> bool:
    """Return whether two indexes have the same labels in the same order, of the same type."""
    return first is second or (first.dtype == second.dtype and first.equals(second))


def in_common(indexes: tp.Sequence[pd.Index]) -> tp.Optional[tp.List[pd.Index]]:
    """Return indexes of one type that have the labels of the given ones.

    Naive times are in UTC where others have a zone. No label changes its value: where no type of numbers and no
    resolution holds all labels, they become objects.

    Args:
        indexes (list of pd.Index): Indexes.

    Returns:
        Indexes in their order, or None if their labels are of different kinds, such as times and numbers."""
    if any(isinstance(index, pd.MultiIndex) for index in indexes):
        return _levels_in_common(indexes)
    indexes = [_without_frequency(as_numpy(index)) for index in indexes]
    kinds = {_kind(index) for index in indexes}
    if len(kinds) > 1:
        return None
    if len({index.dtype for index in indexes}) > 1 and kinds == {"times"}:
        indexes = (
            [_in_utc(index) for index in indexes]
            if len({getattr(index, "tz", None) for index in indexes}) > 1
            else indexes
        )
    types = {index.dtype for index in indexes}
    if len(types) > 1:
        for dtype in _candidates(indexes, *kinds):
            converted = [_converted(index, dtype) for index in indexes]
            whole = [index for index in converted if index is not None]
            if len(whole) == len(converted):
                return whole
        return [index.astype(object) for index in indexes]
    return indexes


def _levels_in_common(indexes: tp.Sequence[pd.Index]) -> tp.Optional[tp.List[pd.Index]]:
    if len({index.nlevels for index in indexes}) > 1:
        return None
    levels = [in_common(of_all) for of_all in zip(*map(levels_of, indexes))]
    if None in levels:
        return None
    return [pd.MultiIndex.from_arrays(arrays, names=index.names) for arrays, index in zip(zip(*levels), indexes)]


def _kind(index: pd.Index) -> str:
    """Return what the labels of an index are. Those of different kinds are never equal."""
    if isinstance(index, pd.DatetimeIndex):
        return "times"
    if isinstance(index, pd.TimedeltaIndex):
        return "durations"
    if isinstance(index, pd.PeriodIndex):
        return f"periods of {index.freqstr}"
    if pd.api.types.is_numeric_dtype(index.dtype) and not pd.api.types.is_bool_dtype(index.dtype):
        return "numbers"
    return pd.api.types.infer_dtype(index, skipna=True)


def _without_frequency(index: tp.Any) -> pd.Index:
    """Return an index without its frequency: pandas 2 unites those that have one as if they were nanoseconds."""
    if getattr(index, "freq", None) is None or isinstance(index, pd.PeriodIndex):
        return index
    index = index.copy()
    index.freq = None
    return index


def _in_utc(index: tp.Any) -> pd.DatetimeIndex:
    return index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")


def _candidates(indexes: tp.Sequence[pd.Index], kind: str) -> tp.List[str]:
    """Return the types that may hold all labels, the best one first."""
    if kind == "numbers":
        return ["int64", "uint64", "float64"]
    if kind not in ("times", "durations"):
        return []
    present = {getattr(index, "unit", None) for index in indexes}
    zone = ", UTC" if getattr(indexes[0], "tz", None) is not None else ""
    name = "datetime64" if kind == "times" else "timedelta64"
    return [
        f"{name}[{unit}{zone}]" for unit in sorted(_UNITS, key=lambda unit: (unit not in present, _UNITS.index(unit)))
    ]


def _converted(index: pd.Index, dtype: str) -> tp.Optional[pd.Index]:
    """Return an index as another type, None if a label would change."""
    try:
        converted = index.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return None
    return converted if converted.tolist() == index.tolist() else None  # Python compares numbers exactly
