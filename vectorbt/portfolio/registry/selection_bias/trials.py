"""Which trials a run competed against.

Every run that was ever saved is a trial, and a deleted one stays one. Not every run is a trial of its own, though:

* Runs on the same data, of the same strategy and with the same moments of their returns are one trial: a script that
    was run twice, or parameters that lead to the same trades.
* A run that never traded has no Sharpe ratio, and cannot be the best.
* A run without a return series of its own, such as the aggregate of several columns, has no Sharpe ratio either.

The latter two are left out and counted."""

import math
from dataclasses import dataclass, replace

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.encoding import decode
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias.sharpe import lowest_kurtosis
from vectorbt.portfolio.registry.store import RunStore

POOLS = {
    "strategy": "trials of its strategy at its frequency",
    "data": "trials of any strategy on its prices",
    "all": "trials of any strategy on any prices",
    "filters": "trials that the filters leave",
}
"""Names of the pools of trials that a run can be judged against, and what they hold."""

_SAME_DIGITS = 10
"""Significant digits in which moments agree that were computed from the same returns, be it on two machines."""


class Trial(tp.NamedTuple):
    """A run as one of many attempts: its record, and the moments of its returns per period."""

    record: RunRecord
    is_deleted: bool
    fingerprint: tp.Optional[str]
    frequency: tp.Optional[str]
    has_own_returns: bool
    artifact: tp.Optional[Artifact]
    sharpe: float
    n_obs: float
    skew: float
    kurtosis: float
    periods_per_year: float
    bars_in_market: float
    benchmark_sharpe: float

    @classmethod
    def of(cls, record: RunRecord, is_deleted: bool = False) -> "Trial":
        """Read from a record what makes it a trial."""
        # A hundred thousand records fit into memory because they stay as they are on disk: the twin is decoded.
        details = record.shallow_copy()
        moments, data = details.json_of("returns_stats"), details.json_of("data")
        trial = cls(
            record,
            is_deleted,
            _as_text(data.get("fingerprint")),
            _as_text(data.get("frequency")),
            bool(moments),
            Artifact.of(details),
            *(_as_float(moments.get(name)) for name in cls._fields[6:]),
        )
        can_be = 0 < trial.periods_per_year < float("inf")
        return trial if can_be else trial._replace(periods_per_year=float("nan"))

    @property
    def has_traded(self) -> bool:
        """Whether it has a Sharpe ratio, and moments that some series of returns has: an altered record may say
        anything, and must not keep all others from being judged."""
        moments = (self.sharpe, self.n_obs, self.skew, self.kurtosis)
        if not all(map(math.isfinite, moments)) or self.bars_in_market == 0:
            return False
        return self.n_obs >= 2 and self.kurtosis >= lowest_kurtosis(self.skew)

    @property
    def holding_sharpe_ratio(self) -> float:
        """Annualised Sharpe ratio of holding the same prices. NaN where it was not recorded."""
        return self.benchmark_sharpe * math.sqrt(self.periods_per_year)

    @property
    def traces(self) -> tp.Tuple[bool, bool]:
        """What its returns can be found by: its own artifact, or that of its sweep."""
        return self.artifact is not None, self.record.sweep_id is not None

    @property
    def is_judgeable(self) -> bool:
        """Whether it has returns of its own, and a Sharpe ratio."""
        return self.has_own_returns and self.has_traded

    @property
    def identity(self) -> tp.Tuple:
        """What two runs have in common that are the same trial."""
        moments = (self.sharpe, self.n_obs, self.skew, self.kurtosis)
        return self.fingerprint, self.record.strategy_name, *(f"{value:.{_SAME_DIGITS}g}" for value in moments)


@dataclass(frozen=True)
class TrialPool:
    """The trials that a run competed against, itself among them.

    Args:
        trials (dict): Distinct trials that have traded, by `Trial.identity`.
        n_repeats (int): Number of runs that repeat one of them.
        untraded (list of str): run_ids of the runs that never traded.
        aggregated (list of str): run_ids of the runs that have no return series of their own.
        other_frequencies (list of str): run_ids of the trials that were left out because of their frequency."""

    trials: tp.Dict[tp.Tuple, Trial]
    n_repeats: int
    untraded: tp.List[str]
    aggregated: tp.List[str]
    other_frequencies: tp.List[str]

    @property
    def n_trials(self) -> int:
        """Number of trials, N."""
        return len(self.trials)

    @property
    def n_deleted(self) -> int:
        """Number of trials of which all runs are deleted."""
        return sum(trial.is_deleted for trial in self.trials.values())

    @property
    def sharpes(self) -> tp.Array1d:
        """Sharpe ratio per period of each trial, ascending."""
        # Sorted, so that no sum depends on which of the trials are deleted, not even in its last digit.
        return np.sort([trial.sharpe for trial in self.trials.values()])

    @property
    def sharpe_variance(self) -> float:
        """Variance of the Sharpe ratios per period across the trials, V."""
        return variance_across(self.sharpes)


def variance_across(sharpes: tp.Array1d) -> float:
    """Return the variance across Sharpe ratios, with ddof 1. NaN for a single one."""
    return float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else float("nan")


def pool_of(store: RunStore, trial: Trial, pool: str, query: Query = Query()) -> TrialPool:  # noqa: B008
    """Return the trials that one of them competed against.

    Args:
        store (RunStore): Store.
        trial (Trial): Trial to judge.
        pool (str): One of `POOLS`.
        query (Query): The filters of the pool `"filters"`.

    Raises:
        ValueError: If the pool has trials of several frequencies, or the trial is not one of them."""
    if pool == "data" and trial.fingerprint is None:
        raise ValueError(f"run {trial.record.run_id} does not say which prices it was made on; choose another pool")
    queries = {
        "strategy": Query(strategy_name=trial.record.strategy_name),
        # Not Query(data=...), which decodes all that it looks at: a trial knows its fingerprint anyway.
        "data": Query(),
        "all": Query(),
        "filters": query,
    }
    with collection_paused():
        found = _sort_out(
            _trials(store, queries[pool]),
            fingerprint=trial.fingerprint if pool == "data" else _ANY,
            frequency=trial.frequency if pool == "strategy" else _ANY,
        )
    _check_one_frequency(found, pool)
    if trial.identity not in found.trials:
        raise ValueError(f"run {trial.record.run_id} is not among the runs that the filters leave")
    return found


def best_trial(store: RunStore, query: Query) -> Trial:
    """Return the trial with the best Sharpe ratio among the runs that a query asks for.

    Raises:
        ValueError: If none of them has a Sharpe ratio."""
    # One of the first is nearly always a trial of its own; aggregates of several columns are not.
    for limit in (10, None):
        runs = store.list_runs(query.best("sharpe_ratio", limit, ascending=False))
        for trial in map(Trial.of, runs):
            if trial.is_judgeable:
                return trial
        if limit is not None and len(runs) < limit:
            break
    raise ValueError(
        "no run that the filters leave has an annualised Sharpe ratio of its own to be the best by; "
        "name a run_id, or see list_runs() with the same filters"
    )


def distinct_trials(records: tp.Iterable[RunRecord]) -> tp.Tuple[tp.List[RunRecord], tp.Dict[str, int]]:
    """Return the first record of each trial, and how many of the records are that trial, by run_id.

    A run of which nobody knows what trial it is, such as an aggregate of several columns, is one of its own."""
    first: tp.Dict[tp.Any, RunRecord] = {}
    counts: tp.Dict[str, int] = {}
    for trial in map(Trial.of, records):
        kept = first.setdefault(trial.identity if trial.is_judgeable else trial.record.run_id, trial.record)
        counts[kept.run_id] = counts.get(kept.run_id, 0) + 1
    return list(first.values()), counts


_ANY = object()


def _trials(store: RunStore, query: Query) -> tp.Iterator[Trial]:
    """Yield the runs that a query is about as trials, the deleted ones included."""
    seen = set()
    # The deleted ones come last: a run that is deleted meanwhile is met twice rather than never.
    for is_deleted in (False, True):
        for record in store.select(store.checked(replace(query, deleted=is_deleted))):
            if record.run_id not in seen:
                seen.add(record.run_id)
                yield Trial.of(record, is_deleted)


def _sort_out(candidates: tp.Iterable[Trial], fingerprint: tp.Any, frequency: tp.Any) -> TrialPool:
    """Put together which of the candidates count, and which do not."""
    distinct: tp.Dict[tp.Tuple, Trial] = {}
    n_repeats = 0
    untraded, aggregated, other_frequencies = [], [], []
    for trial in candidates:
        if fingerprint is not _ANY and trial.fingerprint != fingerprint:
            continue
        if not trial.has_own_returns:
            aggregated.append(trial.record.run_id)
        elif frequency is not _ANY and trial.frequency != frequency:
            other_frequencies.append(trial.record.run_id)
        elif not trial.has_traded:
            untraded.append(trial.record.run_id)
        else:
            kept = distinct.setdefault(trial.identity, trial)
            n_repeats += kept is not trial
            if trial.traces > kept.traces:
                # The returns are looked for with this one. Live runs come first, so the other says what is deleted.
                distinct[trial.identity] = trial._replace(is_deleted=kept.is_deleted)
    return TrialPool(distinct, n_repeats, untraded, aggregated, other_frequencies)


def _check_one_frequency(pool: TrialPool, name: str) -> None:
    """Raise unless all trials have the same frequency: Sharpe ratios per day and per hour have no common variance."""
    frequencies = sorted({str(trial.frequency) for trial in pool.trials.values()})
    if len(frequencies) > 1:
        raise ValueError(
            f"the pool {name!r} has trials of several frequencies ({', '.join(frequencies)}), whose Sharpe ratios per "
            "period cannot be pooled; use pool='strategy', or pool='filters' with filters that leave one frequency"
        )


def _as_text(value: tp.Any) -> tp.Optional[str]:
    """Return a text, None where there is none."""
    return value if type(value) is str else None


def _as_float(value: tp.Any) -> float:
    """Return a number that may be encoded, NaN where there is none: a record that was altered may hold anything."""
    if type(value) is float:
        return value
    value = decode(value)
    try:
        return float(value) if isinstance(value, (int, float)) else float("nan")
    except OverflowError:
        return float("nan")
