"""Runs as a DataFrame to work with."""

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.display import text_of
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.named_values import ORIGINS
from vectorbt.portfolio.registry.query.query import FIELDS
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.columns import (
    as_column,
    as_objects,
    as_timestamps,
    column_at,
    column_within,
    columns_below,
    excerpts_of,
    is_of_objects,
)

__all__ = ["symbols_text", "to_frame"]


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
        columns = _columns_of(records)
        index = pd.Index([record.run_id for record in records], name="run_id", dtype=None if records else object)
        series = {name: _as_series(values, index) for name, values in columns.items()}
        frame = pd.DataFrame(series, index=index)
    if tz is None:
        for name in [name for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]:
            frame[name] = frame[name].dt.tz_convert(None)
    elif tz != "UTC":
        frame["timestamp"] = frame["timestamp"].dt.tz_convert(tz)
    return frame


def _as_series(values: tp.Any, index: pd.Index) -> tp.Series:
    # Objects stay objects: pandas would look for times among them again, and change or refuse those it cannot hold.
    return pd.Series(values, index=index, dtype=object if is_of_objects(values) else None)


def _columns_of(records: tp.Sequence[RunRecord]) -> tp.Dict[str, tp.Any]:
    excerpts = excerpts_of(records)
    columns: tp.Dict[str, tp.Any] = {"timestamp": as_timestamps([record.timestamp for record in records])}
    columns["strategy_name"] = [record.strategy_name for record in records]
    for name in HEADLINE:
        columns[name] = as_column([getattr(record, name) for record in records])
    columns.update(columns_below(excerpts, "stats", leave_out=_TAKEN))
    parameters = columns_below(excerpts, "parameters")
    columns.update((f"{PARAMETER_PREFIX}{name}", values) for name, values in parameters.items())
    columns["tags"] = as_objects(column_at(excerpts, "tags", list))
    columns["notes"] = column_at(excerpts, "notes", str)
    columns["sweep_id"] = as_objects([record.sweep_id for record in records])
    for name, (field, read) in ORIGINS.items():
        columns[name] = column_within(excerpts, field, symbols_text if name == "symbols" else read)
    if any(type(value) is bool for excerpt in excerpts for value in excerpt.block.distinct("restorable")):
        columns["deleted_at"] = as_timestamps([record.deleted_at for record in records])
        columns["restorable"] = as_objects([record.restorable for record in records])
    return columns
