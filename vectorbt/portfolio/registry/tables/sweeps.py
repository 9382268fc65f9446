"""Sweeps as a table: one row each."""

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import as_printable, text_of
from vectorbt.portfolio.registry.query.comparing import ORDERED_KINDS, Kind, classify, is_missing, sort_key
from vectorbt.portfolio.registry.query.query import is_rankable
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.columns import as_column

_WITH_RANGE = ORDERED_KINDS - {Kind.STRING, Kind.BOOLEAN}
"""Kinds of parameters of which the lowest and the highest value say more than a list."""


def summarise(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return one row per sweep, newest first.

    The index is `sweep_id`. The columns are `timestamp`, `strategy_name`, `runs`, `best_sharpe_ratio` and
    `parameters`: the varying ones, with their lowest and highest value or the number of different ones."""
    sweeps: tp.Dict[str, tp.List[RunRecord]] = {}
    for record in records:
        if record.sweep_id is not None:
            sweeps.setdefault(record.sweep_id, []).append(record)
    rows = [_summary_row(sweep_id, runs) for sweep_id, runs in sweeps.items()]
    names = ["sweep_id", "timestamp", "strategy_name", "runs", "best_sharpe_ratio", "parameters"]
    columns: tp.Dict[str, tp.Any] = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    # Numbers that pandas cannot hold are no reason to show nothing.
    columns["best_sharpe_ratio"] = as_column(columns["best_sharpe_ratio"])
    frame = pd.DataFrame(columns).sort_values(["timestamp", "sweep_id"], ascending=[False, True])
    return frame.set_index("sweep_id")


def _summary_row(sweep_id: str, runs: tp.Sequence[RunRecord]) -> tp.Tuple:
    best = max((run.sharpe_ratio for run in runs if is_rankable(run.sharpe_ratio)), default=float("nan"))
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    ranges = {name: range_of([run.parameters.get(name) for run in runs]) for name in names}
    varying = ", ".join(f"{name}: {text}" for name, (distinct, text) in ranges.items() if distinct > 1)
    return sweep_id, runs[0].timestamp, runs[0].strategy_name, len(runs), as_printable(best), varying


def range_of(values: tp.Sequence[tp.Any]) -> tp.Tuple[int, str]:
    """Return how many different values there are, and their range as text. A missing one is a value as well."""
    present = sorted((value for value in values if not is_missing(value)), key=sort_key)
    kinds = {classify(value)[0] for value in present}
    write = str if len(kinds) == 1 else repr
    distinct = list(dict.fromkeys(text_of(value, write) for value in present))
    missing = ["missing"] if len(present) < len(values) else []
    n_distinct = len(distinct) + len(missing)
    if len(distinct) > 1 and kinds <= _WITH_RANGE and len(kinds) == 1:
        distinct = [f"{text_of(present[0], str)} to {text_of(present[-1], str)}"]
    shown = [*distinct, *missing]
    return n_distinct, ", ".join(shown) if len(shown) <= 3 else f"{len(shown)} values"
