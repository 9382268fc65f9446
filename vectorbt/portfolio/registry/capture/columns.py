"""The columns of a portfolio as runs: a whole parameter sweep from one portfolio.

One column is one run; one group where the portfolio is grouped. What distinguishes the columns, the levels of the
column index, becomes parameters."""

from collections import Counter

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.capture.git import start_git
from vectorbt.portfolio.registry.capture.metrics import measure_columns
from vectorbt.portfolio.registry.capture.provenance import describe_columns, environment
from vectorbt.portfolio.registry.checks import (
    check_notes,
    check_parameters,
    check_portfolio,
    check_strategy_name,
    check_tags,
    new_run_ids,
    now,
)
from vectorbt.portfolio.registry.query.comparing import ORDERED_KINDS, Kind, classify, is_missing, sort_key
from vectorbt.portfolio.registry.run import RunRecord

_WITH_RANGE = ORDERED_KINDS - {Kind.STRING, Kind.BOOLEAN}
"""Kinds of parameters of which the lowest and the highest value say more than a list."""


def split(
    portfolio: tp.Any,
    strategy_name: str,
    parameters: tp.Optional[dict] = None,
    tags: tp.Union[None, str, tp.Sequence[str]] = None,
    notes: str = "",
) -> tp.List[RunRecord]:
    """Return one record per column, or per group where the portfolio is grouped, in their order.

    All share a `sweep_id` and a timestamp. The metrics of all are computed in one pass.

    Raises:
        TypeError: If an argument has the wrong type, or a parameter or column label cannot be encoded.
        ValueError: If a constant parameter has the name of a level of the columns, or a column could not be selected
            again."""
    check_portfolio(portfolio)
    described = dict(
        strategy_name=check_strategy_name(strategy_name),
        tags=check_tags(tags),
        notes=check_notes(notes),
    )
    varying = column_parameters(portfolio, check_parameters(parameters))
    start_git()
    measured = measure_columns(portfolio)
    data = describe_columns(portfolio)
    run_ids = new_run_ids(len(varying))
    shared = dict(
        described,
        timestamp=now(),
        sweep_id=new_run_ids(1)[0],
        environment=environment(portfolio),
    )
    with collection_paused():
        return [
            RunRecord(
                run_id=run_ids[column],
                column=column,
                parameters=varying[column],
                data=data[column],
                **measured[column].fields(),
                **shared,
            )
            for column in range(len(varying))
        ]


def column_parameters(portfolio: tp.Any, constant: tp.Dict[str, tp.Any]) -> tp.List[tp.Dict[str, tp.Any]]:
    """Return the parameters of each column or group: its labels by level, merged over the constant ones.

    A portfolio that is a Series has no levels, and the constant parameters alone. So has one whose columns are all in
    one group, unless the group has a name: what vectorbt calls it says nothing about the run."""
    wrapper = portfolio.wrapper
    columns = wrapper.get_columns()
    if wrapper.ndim == 1 or (wrapper.get_ndim() == 1 and set(columns.names) == {None}):
        return [constant]
    names = level_names(columns)
    taken = sorted(set(constant) & {*names, *(str(name) for name in columns.names if name is not None)})
    if taken:
        raise ValueError(
            f"parameters[{taken[0]!r}] has the name of a level of the columns ({', '.join(names)}); "
            f"leave it out or rename it"
        )
    levels = [columns.get_level_values(i).tolist() for i in range(columns.nlevels)]
    if any(label is pd.NA for labels in levels for label in labels):
        raise ValueError(
            "a level of the columns holds pd.NA, by which vectorbt cannot select a column; write None or NaN instead"
        )
    return [{**constant, **dict(zip(names, labels, strict=True))} for labels in zip(*levels, strict=True)]


def level_names(columns: pd.Index) -> tp.List[str]:
    """Return what the levels of a column index are called as parameters.

    A level has its own name. Without one it is `column` if it is the only one, else `level_<i>` with its position.
    Names that repeat are numbered: `ma_window_0`, `ma_window_1`."""
    if columns.nlevels == 1 and columns.names[0] is None:
        return ["column"]
    names = [f"level_{i}" if name is None else str(name) for i, name in enumerate(columns.names)]
    repeated = {name for name, count in Counter(names).items() if count > 1}
    seen: tp.Counter = Counter()
    numbered = []
    for name in names:
        numbered.append(f"{name}_{seen[name]}" if name in repeated else name)
        seen[name] += 1
    if len(set(numbered)) < len(numbered):
        raise ValueError(f"the levels of the columns have ambiguous names: {', '.join(names)}; rename them")
    return numbered


def summarise(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return one row per sweep, newest first.

    The index is `sweep_id`. The columns are `timestamp`, `strategy_name`, `runs`, `best_sharpe_ratio` and
    `parameters`: the varying ones, with their lowest and highest value or the number of different ones."""
    sweeps: tp.Dict[str, tp.List[RunRecord]] = {}
    for record in records:
        if record.sweep_id is not None:
            sweeps.setdefault(record.sweep_id, []).append(record)
    rows = [_summary_row(sweep_id, runs) for sweep_id, runs in sweeps.items()]
    columns = ["sweep_id", "timestamp", "strategy_name", "runs", "best_sharpe_ratio", "parameters"]
    frame = pd.DataFrame(rows, columns=columns).sort_values(["timestamp", "sweep_id"], ascending=[False, True])
    return frame.set_index("sweep_id")


def _summary_row(sweep_id: str, runs: tp.Sequence[RunRecord]) -> tp.Tuple:
    sharpe = pd.Series([run.sharpe_ratio for run in runs], dtype=float)
    best = sharpe[sharpe.abs() < float("inf")].max()
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    ranges = {name: _range([run.parameters.get(name) for run in runs]) for name in names}
    varying = ", ".join(f"{name}: {text}" for name, text in ranges.items() if text is not None)
    return sweep_id, runs[0].timestamp, runs[0].strategy_name, len(runs), best, varying


def _range(values: tp.List[tp.Any]) -> tp.Optional[str]:
    """Return the range of values as text, None if they are all the same."""
    present = sorted((value for value in values if not is_missing(value)), key=sort_key)
    kinds = {classify(value)[0] for value in present}
    distinct = list(dict.fromkeys(map(str if len(kinds) == 1 else repr, present)))
    missing = ["missing"] if len(present) < len(values) else []
    if len(distinct) + len(missing) < 2:
        return None
    if len(distinct) > 1 and kinds <= _WITH_RANGE and len(kinds) == 1:
        distinct = [f"{present[0]} to {present[-1]}"]
    shown = [*distinct, *missing]
    return ", ".join(shown) if len(shown) <= 3 else f"{len(shown)} values"
