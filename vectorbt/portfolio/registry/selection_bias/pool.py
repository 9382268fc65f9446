"""Which trials a run competed against.

Every run that was ever saved is a trial, and a deleted one stays one. Not every run is a trial of its own, though:

* Runs with the same moments of their returns on prices that overlap are one trial, whatever their strategies are
    called, whatever their frequencies are labelled, and however the prices are scaled: a script that was run twice, or
    parameters that lead to the same trades.
* A run that never traded has no Sharpe ratio, and cannot be the best. It is left out.
* The mean of several columns counts as so many trials, whose Sharpe ratios nobody knows.
* A run on bars of another length counts, but its Sharpe ratio per period has no part in the variance.
* What was tried in another registry counts, as far as it is written down in the runs that came from there, see
    `vectorbt.portfolio.registry.selection_bias.ledger`."""

from dataclasses import dataclass, field, replace

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.capture.data_blocks import overlap
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias.ledger import Group, groups_in, hash_of, united, with_entry
from vectorbt.portfolio.registry.selection_bias.trials import Trial
from vectorbt.portfolio.registry.store import RunStore

POOLS = {
    "tried": "all trials that the pick was made from",
    "strategy": "trials of its strategy",
    "data": "trials of any strategy on its prices",
    "all": "trials of any strategy on any prices",
    "filters": "trials that the filters leave",
}
"""Names of the pools of trials that a run can be judged against, and what they hold."""


@dataclass(frozen=True)
class TrialPool:
    """The trials that a run competed against, itself among them.

    Args:
        trials (dict): Distinct trials on bars as long as its own, by their identities.
        own_identity (tuple): Which of them the run is.
        other_bars (dict): Distinct trials on bars of another length.
        n_repeats (int): Number of runs that repeat one of the trials.
        untraded (list of str): run_ids of the runs that never traded.
        averaged (list of str): run_ids of the runs that are the mean of several columns.
        n_averaged (int): Number of these columns.
        aggregated (list of str): run_ids of other runs without a return series of their own.
        elsewhere (list of Group): What was tried in other registries.
        runs (list of Trial): Every run that was looked at."""

    trials: tp.Dict[tp.Tuple, Trial]
    own_identity: tp.Tuple
    other_bars: tp.Dict[tp.Tuple, Trial] = field(default_factory=dict)
    n_repeats: int = 0
    untraded: tp.List[str] = field(default_factory=list)
    averaged: tp.List[str] = field(default_factory=list)
    n_averaged: int = 0
    aggregated: tp.List[str] = field(default_factory=list)
    elsewhere: tp.List[Group] = field(default_factory=list)
    runs: tp.List[Trial] = field(default_factory=list)

    @property
    def n_elsewhere(self) -> int:
        """Number of trials that were made in other registries, and are not here."""
        return united([self.here, *self.elsewhere]).n_trials - len(self.trials) if self.elsewhere else 0

    @property
    def n_trials(self) -> int:
        """Number of trials, N."""
        return len(self.trials) + len(self.other_bars) + self.n_averaged + self.n_elsewhere

    @property
    def n_deleted(self) -> int:
        """Number of trials of which all runs are deleted."""
        return sum(trial.is_deleted for trial in (*self.trials.values(), *self.other_bars.values()))

    @property
    def sharpes(self) -> tp.Array1d:
        """Sharpe ratio per period of each trial on bars as long as its own, ascending."""
        # Sorted, so that no sum depends on which of the trials are deleted, not even in its last digit.
        return np.sort([trial.sharpe for trial in self.trials.values()])

    @property
    def sharpe_variance(self) -> float:
        """Variance of the Sharpe ratios per period across the trials, V. NaN for a single one."""
        return united([self.here, *self.elsewhere]).variance if self.elsewhere else self.here.variance

    @property
    def here(self) -> Group:
        """The trials on bars as long as its own that are in this registry."""
        return Group.of(self.sharpes, map(hash_of, self.trials))


def pool_of(
    store: RunStore,
    trial: Trial,
    pool: str = "tried",
    query: Query = Query(),  # noqa: B008
    is_named: bool = True,
    every: tp.Optional[tp.Sequence[Trial]] = None,
) -> TrialPool:
    """Return the trials that one of them competed against.

    Args:
        store (RunStore): Store.
        trial (Trial): Trial to judge.
        pool (str): One of `POOLS`.
        query (Query): The filters of the pool `"filters"`.
        is_named (bool): Whether somebody named the run or its strategy. If not, the pool `"tried"` is everything, since
            the run was the best of everything.
        every (sequence of Trial): What `all_trials` returns, for whoever asks for several pools.

    Raises:
        ValueError: If the trial is not one of them, or its prices are not known for `"data"`."""
    if pool == "data" and trial.fingerprint is None:
        raise ValueError(f"run {trial.record.run_id} does not say which prices it was made on; choose another pool")
    prices = _Prices(trial)
    with collection_paused():
        if pool == "filters":
            candidates = list(_trials(store, query))
        else:
            every = all_trials(store) if every is None else every
            belongs = _condition(every, trial, pool if is_named or pool != "tried" else "all", prices)
            candidates = list(filter(belongs, every))
        found = _sort_out(candidates, trial)
    if found is None:
        raise ValueError(f"run {trial.record.run_id} is not among the runs that the filters leave")
    return found


class Competitors:
    """Writes down in runs that leave a store what they competed against there.

    Args:
        store (RunStore): Store that they leave."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._groups: tp.Dict[tp.Tuple, Group] = {}

    def described(self, record: RunRecord, dct: tp.Dict[str, tp.Any]) -> tp.Dict[str, tp.Any]:
        """Return the dict of a record with an entry for its pool.

        A run that never traded, or has no return series of its own, has none."""
        trial = Trial.of(record)
        if not trial.is_judgeable:
            return dct
        key = record.strategy_name, trial.fingerprint, trial.frequency
        if key not in self._groups:
            self._groups[key] = pool_of(self._store, trial).here
        return with_entry(dct, self._groups[key])


class _Prices:
    """Which data overlap with those of a trial. Each are compared once."""

    def __init__(self, trial: Trial) -> None:
        self._data = trial.data
        self._fingerprint = trial.fingerprint
        self._known: tp.Dict[tp.Optional[str], bool] = {None: False}

    def overlap(self, other: Trial) -> bool:
        """Return whether another trial was made on overlapping prices."""
        known = self._known.get(other.fingerprint)
        if known is None:
            known = self._known[tp.cast(str, other.fingerprint)] = overlap(self._data, other.data)
        return known


def _condition(every: tp.Sequence[Trial], trial: Trial, pool: str, prices: _Prices) -> tp.Callable[[Trial], bool]:
    """Return which trials belong to a pool."""
    if pool == "all":
        return lambda other: True
    if pool == "data":
        return prices.overlap
    names = {trial.record.strategy_name}
    if pool == "strategy":
        return lambda other: other.record.strategy_name in names
    # Under another name the same trial has competed with the others of that name.
    identity = trial.identity
    names |= {
        other.record.strategy_name
        for other in every
        if other.sharpe == trial.sharpe or (abs(other.sharpe - trial.sharpe) < 1e-9 and other.identity == identity)
    }
    return lambda other: other.record.strategy_name in names or prices.overlap(other)


def all_trials(store: RunStore) -> tp.List[Trial]:
    """Return every run of a store as a trial, the deleted ones included."""
    return list(_trials(store, Query()))


def _trials(store: RunStore, query: Query) -> tp.Iterator[Trial]:
    """Yield the runs that a query is about as trials, the deleted ones included."""
    seen = set()
    # The deleted ones come last: a run that is deleted meanwhile is met twice rather than never.
    for is_deleted in (False, True):
        for record in store.select(store.checked(replace(query, deleted=is_deleted))):
            if record.run_id not in seen:
                seen.add(record.run_id)
                yield Trial.of(record, is_deleted)


def _sort_out(candidates: tp.List[Trial], judged: Trial) -> tp.Optional[TrialPool]:
    """Put together which of the candidates count, and which do not. None if the trial to judge is not among them."""
    own_identity: tp.Optional[tp.Tuple] = None
    found = TrialPool({}, ())
    entries: tp.Dict[str, Group] = {}
    n_repeats = 0
    averages: tp.Dict[tp.Tuple, tp.List[Trial]] = {}
    for trial in candidates:
        entries.update(groups_in(trial.elsewhere))
        if not trial.has_own_returns:
            if trial.n_columns > 1:
                averages.setdefault((trial.fingerprint, trial.record.sharpe_ratio, trial.n_columns), []).append(trial)
            else:
                found.aggregated.append(trial.record.run_id)
            continue
        if not trial.has_traded:
            found.untraded.append(trial.record.run_id)
            continue
        held = found.trials if trial.has_bars_of(judged) else found.other_bars
        key = _key_of(trial, held)
        kept = held.setdefault(key, trial)
        n_repeats += kept is not trial
        if trial.traces > kept.traces:
            # The returns are looked for with this one. Live runs come first, so the other says what is deleted.
            held[key] = trial._replace(is_deleted=kept.is_deleted)
        if trial.record.run_id == judged.record.run_id:
            own_identity = key
    if own_identity is None:
        return None
    averaged = [trial.record.run_id for group in averages.values() for trial in group]
    return replace(
        found,
        own_identity=own_identity,
        n_repeats=n_repeats,
        averaged=averaged,
        n_averaged=sum(group[0].n_columns for group in averages.values()),
        elsewhere=list(entries.values()),
        runs=candidates,
    )


def _key_of(trial: Trial, held: tp.Mapping[tp.Tuple, Trial]) -> tp.Tuple:
    """Return the identity of a trial among those that are held already.

    Two trials with the same moments on prices that have nothing in common are two."""
    kept = held.get(trial.identity)
    if kept is None or kept.fingerprint == trial.fingerprint or overlap(kept.data, trial.data):
        return trial.identity
    return (*trial.identity, trial.fingerprint)
