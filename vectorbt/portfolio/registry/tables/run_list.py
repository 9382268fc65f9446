"""Runs as tables: a DataFrame to work with, and HTML for a notebook to show."""

from typing import SupportsIndex, overload

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.display import as_cell
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.query import FIELDS
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.columns import (
    as_array,
    as_objects,
    as_timestamps,
    column_at,
    columns_below,
    excerpts_of,
)

_SHOWN_ROWS = 20
_HIDDEN = ("notes", "sweep_id")
_TAKEN = frozenset({*FIELDS, *HEADLINE, "column"})
"""Names of fields, which a custom metric of the same name does not replace, as in a `where` expression."""


class RunList(list[RunRecord]):
    """A list of `vectorbt.portfolio.registry.run.RunRecord`, that is also a table.

    Usage:
        ```pycon
        >>> runs = registry.list_runs(strategy_name="dual_sma")
        >>> runs[0].sharpe_ratio
        0.4215
        >>> runs.to_frame()["params.fast"].value_counts()
        ```"""

    def __init__(
        self,
        records: tp.Iterable[RunRecord] = (),
        dsr: tp.Optional[tp.Dict[str, float]] = None,
        repeats: tp.Optional[tp.Dict[str, int]] = None,
    ) -> None:
        super().__init__(records)
        self.dsr = dsr
        """Deflated Sharpe ratios by run_id, if they were asked for."""
        self.repeats = repeats
        """How many runs are the same trial by run_id, if only distinct trials were asked for."""

    def to_frame(self) -> tp.Frame:
        """Return the runs as a DataFrame. See `to_frame`.

        With a column `dsr` beside the Sharpe ratio if `RunRegistry.get_best_runs` was called with `deflate`, and a
        column `repeats` if it was called with `distinct`."""
        frame = to_frame(self)
        if self.dsr is not None:
            frame = frame.drop(columns="dsr", errors="ignore")
            at = list(frame.columns).index("sharpe_ratio") + 1
            frame.insert(at, "dsr", frame.index.map(self.dsr).astype(float))
        if self.repeats is not None:
            frame = frame.drop(columns="repeats", errors="ignore")
            frame.insert(list(frame.columns).index("win_rate") + 1, "repeats", frame.index.map(self.repeats))
        return frame

    @overload
    def __getitem__(self, key: SupportsIndex) -> RunRecord: ...

    @overload
    def __getitem__(self, key: slice) -> "RunList": ...

    def __getitem__(self, key: tp.Any) -> tp.Any:
        got = super().__getitem__(key)
        return RunList(got, self.dsr, self.repeats) if isinstance(key, slice) else got

    def __repr__(self) -> str:
        if not self:
            return "RunList of no runs"
        shown = "\n".join(f"  {record!r}" for record in self[:10])
        more = f"\n  ... and {len(self) - 10} more" if len(self) > 10 else ""
        return f"RunList of {len(self)} runs:\n{shown}{more}"

    def _repr_html_(self) -> str:
        shown = self[:_SHOWN_ROWS].to_frame()
        shown = shown.drop(
            columns=[name for name in _HIDDEN if not any(value for value in shown[name] if isinstance(value, str))]
        )
        for name in [name for name in shown if _is_of_objects(shown[name])]:
            shown[name] = pd.Series(as_objects(list(map(as_cell, shown[name]))), index=shown.index, dtype=object)
        more = f"<p>{len(self)} runs, the first {_SHOWN_ROWS} shown</p>" if len(self) > _SHOWN_ROWS else ""
        return shown.to_html(escape=True, max_cols=None) + more


def to_frame(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return runs as a DataFrame.

    The index is `run_id`. The columns are `timestamp`, `strategy_name`, the headline metrics, every other metric that
    one of the runs has, `params.<name>` for every parameter that one of them has, `tags`, `notes` and `sweep_id`: the
    names that a `where` expression knows. A column is numeric where all of its values are numbers or missing."""
    with collection_paused():
        columns = _columns_of(records)
        index = pd.Index([record.run_id for record in records], name="run_id", dtype=None if records else object)
        series = {name: _as_series(values, index) for name, values in columns.items()}
        return pd.DataFrame(series, index=index)


def _as_series(values: tp.Any, index: pd.Index) -> tp.Series:
    # Objects stay objects: pandas would look for times among them again, and change or refuse those it cannot hold.
    return pd.Series(values, index=index, dtype=object if _is_of_objects(values) else None)


def _is_of_objects(values: tp.Any) -> bool:
    return isinstance(getattr(values, "dtype", None), np.dtype) and values.dtype.kind == "O"


def _columns_of(records: tp.Sequence[RunRecord]) -> tp.Dict[str, tp.Any]:
    excerpts = excerpts_of(records)
    columns: tp.Dict[str, tp.Any] = {"timestamp": as_timestamps([record.timestamp for record in records])}
    columns["strategy_name"] = [record.strategy_name for record in records]
    for name in HEADLINE:
        columns[name] = as_array([getattr(record, name) for record in records])
    columns.update(columns_below(excerpts, "stats", leave_out=_TAKEN))
    parameters = columns_below(excerpts, "parameters")
    columns.update((f"{PARAMETER_PREFIX}{name}", values) for name, values in parameters.items())
    columns["tags"] = as_objects(column_at(excerpts, "tags", list))
    columns["notes"] = column_at(excerpts, "notes", str)
    columns["sweep_id"] = as_objects([record.sweep_id for record in records])
    return columns
