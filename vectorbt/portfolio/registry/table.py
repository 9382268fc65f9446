"""Runs as tables: a DataFrame to work with, and HTML for a notebook to show."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.bulk import collection_paused
from vectorbt.portfolio.registry.encoding import decode
from vectorbt.portfolio.registry.metrics import HEADLINE
from vectorbt.portfolio.registry.query import FIELDS
from vectorbt.portfolio.registry.run import RunRecord

_SHOWN_ROWS = 20
_HIDDEN = ("notes", "sweep_id")
_TAKEN = frozenset({*FIELDS, *HEADLINE})
"""Names of columns that a custom metric of the same name does not replace, as in a `where` expression."""
_PLAIN = frozenset({int, float, bool, str, type(None)})


class RunList(list):
    """A list of `vectorbt.portfolio.registry.run.RunRecord`, that is also a table.

    Usage:
        ```pycon
        >>> runs = registry.list_runs(strategy_name="dual_sma")
        >>> runs[0].sharpe_ratio
        0.4215
        >>> runs.to_frame()["params.fast"].value_counts()
        ```"""

    def __init__(self, records: tp.Iterable[RunRecord] = (), dsr: tp.Optional[tp.Dict[str, float]] = None) -> None:
        super().__init__(records)
        self.dsr = dsr
        """Deflated Sharpe ratios by run_id, if they were asked for."""

    def to_frame(self) -> tp.Frame:
        """Return the runs as a DataFrame. See `to_frame`.

        With a column `dsr` beside the Sharpe ratio if `RunRegistry.get_best_runs` was called with `deflate`."""
        frame = to_frame(self)
        if self.dsr is not None:
            frame = frame.drop(columns="dsr", errors="ignore")
            frame.insert(frame.columns.get_loc("sharpe_ratio") + 1, "dsr", frame.index.map(self.dsr).astype(float))
        return frame

    def __getitem__(self, key: tp.Any) -> tp.Any:
        got = super().__getitem__(key)
        return RunList(got, self.dsr) if isinstance(key, slice) else got

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
        return pd.DataFrame({name: pd.Series(values, index=index) for name, values in columns.items()}, index=index)


def _columns_of(records: tp.Sequence[RunRecord]) -> tp.Dict[str, tp.Any]:
    stats, parameters = _Rows(), _Rows()
    tags, notes = [], []
    for record in records:  # one after the other: all of them parsed at once take many times the memory
        dct = record.peek()
        stats.add(dct.get("stats", {}))
        parameters.add(dct.get("parameters", {}))
        tags.append(list(dct.get("tags", ())))
        notes.append(dct.get("notes", ""))
    # Through NumPy, which knows all years: pandas 2 would go through nanoseconds, and refuse those after 2262.
    timestamps = np.array([record.timestamp.replace(tzinfo=None) for record in records], dtype="datetime64[us]")
    columns = {"timestamp": pd.DatetimeIndex(timestamps).tz_localize("UTC")}
    columns["strategy_name"] = [record.strategy_name for record in records]
    for name in HEADLINE:
        columns[name] = _as_array([getattr(record, name) for record in records])
    columns.update((name, _decoded(values)) for name, values in stats.columns().items() if name not in _TAKEN)
    columns.update((f"params.{name}", _decoded(values)) for name, values in parameters.columns().items())
    columns["tags"] = _as_objects(tags)
    columns["notes"] = notes
    columns["sweep_id"] = _as_objects([record.sweep_id for record in records])
    return columns


class _Rows:
    """Encoded dicts, to be turned into columns. Nearly all of them have the same keys in the same order."""

    def __init__(self) -> None:
        self._layouts: tp.Dict[tp.Tuple[str, ...], tp.Tuple[tp.List[int], tp.List[tuple]]] = {}
        self._n_rows = 0

    def add(self, dct: tp.Mapping[str, tp.Any]) -> None:
        keys = tuple(dct)
        if keys not in self._layouts:
            self._layouts[keys] = [], []
        positions, rows = self._layouts[keys]
        positions.append(self._n_rows)
        rows.append(tuple(dct.values()))
        self._n_rows += 1

    def columns(self) -> tp.Dict[str, tp.Sequence[tp.Any]]:
        """Return the values by key, in the order in which the keys are first met. None where a dict lacks the key."""
        if len(self._layouts) == 1:
            ((keys, (_, rows)),) = self._layouts.items()
            return dict(zip(keys, zip(*rows)))
        columns: tp.Dict[str, tp.List[tp.Any]] = {}
        for keys, (positions, rows) in self._layouts.items():
            for key, values in zip(keys, zip(*rows)):
                column = columns.setdefault(key, [None] * self._n_rows)
                for position, value in zip(positions, values):
                    column[position] = value
        return columns


def _decoded(values: tp.Sequence[tp.Any]) -> tp.Any:
    """Return encoded values as a column. Most columns are numbers, which need no decoding."""
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        return _as_array(values)
    if kinds == {dict} and sum(map(len, values)) == len(values):
        (tag,) = values[0]
        texts = [value.get(tag) for value in values]
        if set(map(type, texts)) == {str}:
            return _decoded_texts(tag, texts)
    return _as_array([decode(value) for value in values])


def _decoded_texts(tag: str, texts: tp.Sequence[str]) -> tp.Any:
    """Return values that one tag stands before, decoding each different one once: dates and durations repeat."""
    codes, distinct = pd.factorize(np.array(texts, dtype=object))
    return _as_array([decode({tag: text}) for text in distinct]).take(codes)


def _as_array(values: tp.Sequence[tp.Any]) -> tp.Any:
    """Return values in the narrowest type that holds all of them."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return np.fromiter(values, float, len(values))
    if kinds <= {int, float}:
        return _as_numbers(values)
    if kinds <= {int, float, type(None)}:
        return _as_numbers([np.nan if value is None else value for value in values])
    return pd.Series(_as_objects(values)).infer_objects()._values


def _as_numbers(values: tp.Sequence[tp.Union[int, float]]) -> tp.Any:
    try:
        array = np.array(values)
    except OverflowError:
        return _as_objects(values)
    return array if array.dtype != object else _as_objects(values)


def _as_objects(values: tp.Sequence[tp.Any]) -> tp.Array1d:
    """Return values as they are, one in each place: a list among them is a value, not a dimension."""
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array
