"""The return series of a pool of trials as one matrix, as far as they are still there.

Of every run saved with its portfolio or its returns, the registry knows the return series: of a deleted run as long as
its portfolio is in the trash, or belongs to a sweep of which other runs still need it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.errors import ArtifactError
from vectorbt.portfolio.registry.portfolios.alignment import are_same, in_common
from vectorbt.portfolio.registry.portfolios.stored import position_of, sharing
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias.pool import TrialPool
from vectorbt.portfolio.registry.selection_bias.trials import Trial
from vectorbt.portfolio.registry.store import RunStore

_MAX_CELLS = 80_000_000
"""Returns that are held in memory at once, at 8 bytes each."""


@dataclass(frozen=True)
class TrialReturns:
    """Returns of one trial, and of those that it competed against.

    Args:
        run_ids (list of str): Trials whose returns are there, one per column. Empty if its own are not there.
        position (int): Which of them is the trial itself.
        matrix (array): Their returns in the periods of the trial.
        holding (array): Returns of holding the prices that each was made on, one column each, or one for all if they
            are the same. None where the prices of one of them were not saved.
        periods (pd.Index): Labels of the rows.
        caveats (list of str): What is missing, and why."""

    run_ids: tp.List[str]
    position: int
    matrix: tp.Array2d
    holding: tp.Optional[tp.Array2d]
    periods: pd.Index
    caveats: tp.List[str]

    @property
    def own(self) -> tp.Array1d:
        """Returns of the trial itself."""
        return self.matrix[:, self.position]


def no_returns(reason: str) -> TrialReturns:
    """Return what there is where the returns of the trial itself are missing."""
    caveat = f"no p-value, no PBO and no comparison with holding: {reason}"
    return TrialReturns([], 0, np.empty((0, 0)), None, pd.RangeIndex(0), [caveat])


def returns_of_trials(store: RunStore, trial: Trial, pool: TrialPool) -> TrialReturns:
    """Read the returns of a trial and of its pool. Each stored portfolio is read once."""
    stored = _stored(store, pool)
    own = stored.get(pool.own_identity)
    if own is None:
        return no_returns("its returns were not saved; save_portfolio='returns' does")
    caveats = []
    if len(stored) * trial.n_obs > _MAX_CELLS:
        caveats.append(_beyond_limit(len(stored), int(trial.n_obs)))
        stored = {pool.own_identity: own}
    groups, failures = _read(store, list(stored.values()))
    if own.record.run_id in failures:
        return no_returns(failures[own.record.run_id])
    group, column = next(
        (group, group.run_ids.index(own.record.run_id)) for group in groups if own.record.run_id in group.run_ids
    )
    periods = group.returns.iloc[:, column].dropna().index
    run_ids = [run_id for group in groups for run_id in group.run_ids]
    matrix, holding = _put_together(groups, periods)
    complete = np.isfinite(matrix).all(axis=0)
    n_incomplete = len(complete) - int(complete.sum())
    if n_incomplete:
        run_ids = [run_id for run_id, is_complete in zip(run_ids, complete) if is_complete]
        matrix = matrix[:, complete]
        holding = holding if holding is None or holding.shape[1] == 1 else holding[:, complete]
    if holding is not None and not np.isfinite(holding).all():
        holding = None
    if not caveats:
        caveats = list(_about_missing(pool.n_trials - len(stored), failures, n_incomplete))
    return TrialReturns(run_ids, run_ids.index(own.record.run_id), matrix, holding, periods, caveats)


def returns_in(store: RunStore, run_id: str, periods: pd.Index) -> tp.Array1d:
    """Return the returns of a run in some periods.

    Raises:
        ValueError: If there are none in one of them, or they were not saved."""
    return series_in(store.load_returns([run_id]).iloc[:, 0], periods, f"run {run_id}")


def series_in(series: tp.Series, periods: pd.Index, name: str) -> tp.Array1d:
    """Return the values of a series in some periods.

    Raises:
        ValueError: If there is none in one of them."""
    values = _in_periods(series.to_frame(), periods)[:, 0]
    missing = ~np.isfinite(values)
    if missing.any():
        raise ValueError(
            f"the benchmark, {name}, has no return in {missing.sum():,} of the {len(periods):,} periods of the run, "
            f"the first of them {periods[int(np.argmax(missing))]}; give a series of returns that has one in each"
        )
    return values


@dataclass(frozen=True)
class _Group:
    """Runs whose returns are stored together."""

    run_ids: tp.List[str]
    returns: tp.Frame
    holding: tp.Optional[tp.Array2d]


def _read(store: RunStore, trials: tp.Sequence[Trial]) -> tp.Tuple[tp.List[_Group], tp.Dict[str, str]]:
    """Return the return series of trials by what they are stored in, and by run_id why others cannot be read."""
    for trial in trials:
        artifact = tp.cast(Artifact, trial.artifact)  # `_stored` returns no trial without one
        trial.record.artifact = artifact.to_dict()
    groups, failures = [], {}
    for records in sharing(trial.record for trial in trials):
        try:
            groups.append(_read_together(store, records))
        except ArtifactError as e:
            # One damaged portfolio among thousands must not take the verdict with it.
            failures.update({record.run_id: str(e) for record in records})
    return groups, failures


def _read_together(store: RunStore, records: tp.Sequence[RunRecord]) -> _Group:
    returns, holding = store.stored(records[0]).load_with_holding()
    positions = [position_of(returns.shape[1], record) for record in records]
    if holding is not None and holding.shape[1] > 1:
        holding = holding[:, positions]
    if positions != list(range(returns.shape[1])):
        returns = returns.iloc[:, positions]
    return _Group([record.run_id for record in records], returns, holding)


def _put_together(groups: tp.List[_Group], periods: pd.Index) -> tp.Tuple[tp.Array2d, tp.Optional[tp.Array2d]]:
    """Return the returns of groups in some periods, and those of holding if all of them have these."""
    if len(groups) == 1:
        matrix = _in_periods(groups[0].returns, periods)
    else:
        matrix = np.empty((len(periods), sum(len(group.run_ids) for group in groups)))
        done = 0
        for group in groups:
            matrix[:, done : done + len(group.run_ids)] = _in_periods(group.returns, periods)
            done += len(group.run_ids)
    holdings = []
    for group in groups:
        if group.holding is None:
            return matrix, None
        holdings.append(_in_periods(pd.DataFrame(group.holding, index=group.returns.index), periods))
    if all(holding.shape[1] == 1 and np.array_equal(holding, holdings[0]) for holding in holdings):
        return matrix, holdings[0]
    widths = [(holding.shape[1], len(group.run_ids)) for holding, group in zip(holdings, groups)]
    return matrix, np.column_stack(
        [holding if own == wide else np.repeat(holding, wide, axis=1) for holding, (own, wide) in zip(holdings, widths)]
    )


def _stored(store: RunStore, pool: TrialPool) -> tp.Dict[tp.Tuple, Trial]:
    """Return the trials of a pool whose returns are stored, by identity, in the order of their run_ids."""
    orphaned = {_save_of(trial.record) for trial in pool.trials.values() if trial.is_deleted}
    artifacts = _artifacts_of_saves(store, orphaned) if orphaned else {}
    stored = {}
    # The order must not depend on which trials are deleted: of equal ones in sample, the first is selected.
    for identity, trial in sorted(pool.trials.items(), key=lambda item: item[1].record.run_id):
        artifact = trial.artifact or artifacts.get(_save_of(trial.record))
        if artifact is not None:
            stored[identity] = trial._replace(artifact=artifact)
    return stored


_Save = tp.Tuple[tp.Optional[str], datetime]
"""The sweep of a run, and when it was saved: what the runs have in common that share a portfolio."""


def _save_of(record: RunRecord) -> _Save:
    return record.sweep_id, record.timestamp


def _artifacts_of_saves(store: RunStore, saves: tp.Collection[_Save]) -> tp.Dict[_Save, tp.Optional[Artifact]]:
    """Return what the runs of sweeps share, to which those no longer refer that were deleted for good."""
    artifacts: tp.Dict[_Save, tp.Optional[Artifact]] = {}
    for record in store.select(Query(deleted=None)):
        save = _save_of(record)
        if record.sweep_id is not None and save in saves and artifacts.get(save) is None:
            artifacts[save] = Artifact.of(record)
    return artifacts


def _in_periods(frame: tp.Frame, periods: pd.Index) -> tp.Array2d:
    """Return the rows of these periods, with NaN where there is none."""
    if are_same(frame.index, periods):
        return frame.to_numpy(dtype=float)
    indexes = in_common([frame.index, periods])
    if indexes is None or indexes[0].has_duplicates:
        return np.full((len(periods), frame.shape[1]), np.nan)
    own, wanted = indexes
    return frame.set_axis(own).reindex(wanted).to_numpy(dtype=float)


# ############# Caveats ############# #


def _beyond_limit(n_trials: int, n_obs: int) -> str:
    return (
        f"the p-value rests on the returns of this run alone, and there is no PBO: {n_trials:,} trials of {n_obs:,} "
        f"returns are more than the {_MAX_CELLS:,} that fit into memory; pass pool='filters' and filters that leave "
        "fewer"
    )


def _about_missing(n_gone: int, failures: tp.Dict[str, str], n_incomplete: int) -> tp.Iterator[str]:
    """Say which trials are not part of the matrix."""
    if n_gone:
        yield (
            "p-value and PBO are computed from the survivors only; each of the trials whose returns are gone with "
            f"their deletion, or were not saved, adds to the p-value as if it was independent: {n_gone:,}"
        )
    if failures:
        yield (
            f"p-value and PBO are computed without trials whose returns cannot be read: {len(failures):,}, the first "
            f"because {next(iter(failures.values()))}"
        )
    if n_incomplete:
        yield (
            "p-value and PBO are computed without trials that have no returns in some of the periods of this run: "
            f"{n_incomplete:,}"
        )
