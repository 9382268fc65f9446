"""What a registry holds, by name: its strategies, tags, parameters and metrics, each with the number of its runs."""

from collections import Counter

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.metric_names import HEADLINE, lower_is_better
from vectorbt.portfolio.registry.query.comparing import is_missing
from vectorbt.portfolio.registry.readable import cut, moment_text
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.columns import as_column, as_timestamps
from vectorbt.portfolio.registry.tables.sweeps import range_of

__all__ = ["in_words", "metric_names", "parameter_names", "strategies", "tags"]

_MAX_NAMED = 3
_MAX_NAME = 24


def strategies(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return one row per strategy, the one with the most runs first.

    The index is `strategy_name`. The columns are `runs`, `best_sharpe_ratio`, and the timestamps `first` and `last`."""
    frame = _used(((record.strategy_name, record) for record in records), "strategy_name")
    best: tp.Dict[str, float] = {}
    for record in records:
        if abs(record.sharpe_ratio) < float("inf"):  # neither NaN nor of a run that never traded
            best[record.strategy_name] = max(record.sharpe_ratio, best.get(record.strategy_name, record.sharpe_ratio))
    frame.insert(1, "best_sharpe_ratio", pd.Series(frame.index.map(best), index=frame.index, dtype=float))
    return frame


def tags(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return one row per tag, the one with the most runs first.

    The index is `tag`. The columns are `runs` and the timestamps `first` and `last`."""
    return _used(((tag, record) for record in records for tag in record.tags), "tag")


def parameter_names(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return one row per parameter, the one with the most runs first.

    The index is `parameter`. The columns are `runs`, `strategies`, which is their number, `distinct`, which is the
    number of different values, and `values`: the lowest and the highest, or all of a few."""
    held: tp.Dict[str, tp.List[tp.Any]] = {}
    used_by: tp.Dict[str, tp.Set[str]] = {}
    for record in records:
        for name, value in record.parameters.items():
            held.setdefault(name, []).append(value)
            used_by.setdefault(name, set()).add(record.strategy_name)
    rows = [(name, len(values), len(used_by[name]), *range_of(values)) for name, values in held.items()]
    return _most_first(rows, ["parameter", "runs", "strategies", "distinct", "values"])


def metric_names(records: tp.Sequence[RunRecord]) -> tp.Frame:
    """Return one row per metric, the headline metrics first and then the one with the most runs.

    The index is `metric`: what `get_best_runs` ranks by. The columns are `runs`, those in which it is not missing, and
    `best`, which is `"low"` for drawdowns, durations and fees, and otherwise `"high"`."""
    counts = Counter({name: 0 for name in HEADLINE})
    for record in records:
        counts.update(name for name in HEADLINE if not is_missing(getattr(record, name)))
        counts.update(name for name, value in record.stats.items() if not is_missing(value))
    rows = [(name, runs, "low" if lower_is_better(name) else "high") for name, runs in counts.items()]
    columns = ["metric", "runs", "best"]
    headline = pd.DataFrame(rows[: len(HEADLINE)], columns=columns).set_index("metric")
    return pd.concat([headline, _most_first(rows[len(HEADLINE) :], columns)])


def in_words(n_runs: int, newest: tp.Optional[RunRecord], names: tp.Iterable[str]) -> str:
    """Return in one line how many runs a registry holds, of which strategies, and when the last one was saved.

    Args:
        n_runs (int): Number of runs.
        newest (RunRecord): The run that was saved last.
        names (iterable of str): Names of strategies, once for each run; none if there are too many runs to look at."""
    counts = Counter(names).most_common()
    named = ", ".join(cut(escaped(name), _MAX_NAME) for name, _ in counts[:_MAX_NAMED])
    more = f" and {len(counts) - _MAX_NAMED:,} more strategies" if len(counts) > _MAX_NAMED else ""
    of_which = f" of {named}{more}" if counts else ""
    saved = f", last saved {moment_text(newest.timestamp)} UTC" if newest is not None else ""
    return f"{n_runs:,} run{'' if n_runs == 1 else 's'}{of_which}{saved}"


def _used(pairs: tp.Iterable[tp.Tuple[str, RunRecord]], name: str) -> tp.Frame:
    """Return how often, when first and when last runs have used each name."""
    found: tp.Dict[str, tp.List[RunRecord]] = {}
    for key, record in pairs:
        found.setdefault(key, []).append(record)
    rows = [(key, len(records)) for key, records in found.items()]
    frame = pd.DataFrame(rows, columns=[name, "runs"]).set_index(name)
    for column, choose in (("first", min), ("last", max)):
        frame[column] = as_timestamps([choose(record.timestamp for record in records) for records in found.values()])
    return frame.sort_values("runs", ascending=False, kind="stable")


def _most_first(rows: tp.Sequence[tp.Tuple], columns: tp.Sequence[str]) -> tp.Frame:
    frame = pd.DataFrame({name: as_column([row[i] for row in rows]) for i, name in enumerate(columns)})
    return frame.set_index(columns[0]).sort_values("runs", ascending=False, kind="stable")
