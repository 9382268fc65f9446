"""Runs as a DataFrame to work with."""

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.display import text_of
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.named_values import ORIGINS
from vectorbt.portfolio.registry.query.columns import Found
from vectorbt.portfolio.registry.query.query import FIELDS
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.columns import (
    Excerpt,
    as_column,
    as_objects,
    as_timestamps,
    column_at,
    column_within,
    columns_below,
    excerpts_in,
    excerpts_of,
    headline_of,
    is_of_objects,
    run_ids_of,
    sweep_ids_of,
    texts_of,
    timestamps_of,
)

__all__ = ["frame_of", "symbols_text", "to_frame"]


def symbols_text(data: tp.Mapping[str, tp.Any]) -> tp.Optional[str]:
    """Return the symbols that a description of data names as one text, by which a table can be grouped."""
    symbols = data.get("symbols")
    if not isinstance(symbols, list) or not symbols:
        return None
    total = data.get("n_symbols")
    more = [f"and {total - len(symbols):,} more"] if isinstance(total, int) and total > len(symbols) else []
    return ", ".join([*(text_of(symbol, str) for symbol in symbols), *more])


_TAKEN = frozenset({*FIELDS, *HEADLINE, "column"})
"""Names of fields, which a custom metric of the same name does not replace, as in a `where` expression."""


def to_frame(records: tp.Sequence[RunRecord], tz: tp.Optional[str] = "UTC") -> tp.Frame:
    """Return runs as a DataFrame that opens everywhere: `to_csv`, `to_parquet` and `to_excel` take it as it is.

    The index is `run_id`. The columns are `timestamp`, `strategy_name`, the headline metrics, every other metric that
    one of the runs has, `params.<name>` for every parameter that one of them has, `tags`, `notes` and `sweep_id`, then
    `symbols`, `bars`, `frequency`, `git_commit` and `vectorbt`. Where a run is deleted, `deleted_at` and `restorable`
    follow.

    A column has one type, and a missing value is NaN, NaT or None:

    * Numbers are numbers. Integers of which some are missing are floats, as everywhere in pandas;
        `astype("Int64")` makes integers of them.
    * Durations are durations and times are times. Where a run has no frequency, vectorbt counts bars instead: such a
        count is missing here. The record has it.
    * Times in different zones are in UTC.
    * Parameters of several types under one name, such as `10` and `"auto"`, and values of which neither NumPy nor
        Arrow has a type, are texts. The records have them as they were given.

    Args:
        records (sequence of RunRecord): Runs.
        tz (str): Zone of the `timestamp`. None gives times without a zone, in UTC, which is what Excel takes; it
            holds for every column of times.

    Usage:
        ```pycon
        >>> registry.to_frame(tz=None).to_excel("runs.xlsx")
        ```"""
    with collection_paused():
        excerpts = excerpts_of(records)
        summary: tp.Dict[str, tp.Any] = {"run_id": [record.run_id for record in records]}
        summary["timestamp"] = as_timestamps([record.timestamp for record in records])
        summary["strategy_name"] = [record.strategy_name for record in records]
        for name in HEADLINE:
            summary[name] = as_column([getattr(record, name) for record in records])
        summary["sweep_id"] = as_objects([record.sweep_id for record in records])
        frame = _frame(summary, excerpts)
        if _are_deleted(excerpts):
            frame["deleted_at"] = as_timestamps([record.deleted_at for record in records])
            frame["restorable"] = as_objects([record.restorable for record in records])
        return _in_zone(frame, tz)


def frame_of(found: Found, tz: tp.Optional[str] = "UTC") -> tp.Frame:
    """Return rows of blocks as the DataFrame that `to_frame` makes of their records."""
    with collection_paused():
        excerpts = excerpts_in(found)
        if _are_deleted(excerpts):
            return to_frame(found.records(), tz)
        summary: tp.Dict[str, tp.Any] = {"run_id": run_ids_of(excerpts), "timestamp": timestamps_of(excerpts)}
        summary["strategy_name"] = texts_of(excerpts, "strategy_name")
        for name in HEADLINE:
            summary[name] = headline_of(excerpts, name)
        summary["sweep_id"] = sweep_ids_of(excerpts)
        return _in_zone(_frame(summary, excerpts), tz)


def _frame(summary: tp.Dict[str, tp.Any], excerpts: tp.Sequence[Excerpt]) -> tp.Frame:
    """Return the DataFrame of runs whose fields are known, and whose details are in blocks."""
    run_ids, sweep_ids = summary.pop("run_id"), summary.pop("sweep_id")
    index = pd.Index(run_ids, name="run_id", dtype=None if len(run_ids) else object)
    columns = {**summary, **columns_below(excerpts, "stats", leave_out=_TAKEN)}
    parameters = columns_below(excerpts, "parameters")
    columns.update((f"{PARAMETER_PREFIX}{name}", values) for name, values in parameters.items())
    columns["tags"] = as_objects(column_at(excerpts, "tags", list))
    columns["notes"] = texts_of(excerpts, "notes")
    columns["sweep_id"] = sweep_ids
    for name, (field, read) in ORIGINS.items():
        columns[name] = column_within(excerpts, field, symbols_text if name == "symbols" else read)
    return pd.DataFrame({name: _as_series(values, index) for name, values in columns.items()}, index=index)


def _are_deleted(excerpts: tp.Iterable[Excerpt]) -> bool:
    """Return whether one of the runs may be a deleted one."""
    return any(type(value) is bool for excerpt in excerpts for value in excerpt.block.distinct("restorable"))


def _in_zone(frame: tp.Frame, tz: tp.Optional[str]) -> tp.Frame:
    """Return a table with its times in another zone than UTC, or without one."""
    if tz is None:
        for name in [name for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]:
            frame[name] = frame[name].dt.tz_convert(None)
    elif tz != "UTC":
        frame["timestamp"] = frame["timestamp"].dt.tz_convert(tz)
    return frame


def _as_series(values: tp.Any, index: pd.Index) -> tp.Series:
    # Objects stay objects: pandas would look for times among them again, and change or refuse those it cannot hold.
    return pd.Series(values, index=index, dtype=object if is_of_objects(values) else None)
