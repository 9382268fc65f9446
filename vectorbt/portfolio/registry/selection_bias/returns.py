"""The return series of a pool of trials as one matrix, as far as they are still there.

Of every run saved with its portfolio or its returns, the registry knows the return series. Those of a deleted run are
gone with its portfolio, unless it belongs to a sweep whose portfolio other runs still need."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.errors import ArtifactError
from vectorbt.portfolio.registry.portfolios.alignment import are_same, in_common
from vectorbt.portfolio.registry.portfolios.stored import sharing
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.selection_bias.dependence import MAX_COLUMNS
from vectorbt.portfolio.registry.selection_bias.trials import Trial, TrialPool
from vectorbt.portfolio.registry.store import RunStore


@dataclass(frozen=True)
class TrialReturns:
    """Returns of one trial, and of those that it competed against.

    Args:
        own (array): Returns of the trial itself. None if they are not there.
        matrix (array): Returns in the same periods, one column per trial, its own among them. None if they are not
            there, those of no other trial are, or they are too many.
        caveats (list of str): What is missing, and why."""

    own: tp.Optional[tp.Array1d]
    matrix: tp.Optional[tp.Array2d]
    caveats: tp.List[str]


def returns_of_trials(store: RunStore, trial: Trial, pool: TrialPool) -> TrialReturns:
    """Read the returns of a trial and of its pool. Each stored portfolio is read once."""
    stored = _stored(store, pool)
    if trial.identity not in stored:
        return TrialReturns(None, None, [_without_own("its returns were not saved; save_portfolio='returns' does")])
    own = stored[trial.identity]
    too_many = len(stored) > MAX_COLUMNS
    frames, failures = _read(store, [own] if too_many else list(stored.values()))
    if own.record.run_id in failures:
        return TrialReturns(None, None, [_without_own(failures[own.record.run_id])])
    series = next(frame[own.record.run_id] for frame in frames if own.record.run_id in frame).dropna()
    if too_many:
        return TrialReturns(series.to_numpy(), None, [_beyond_limit(len(stored))])
    matrix = np.column_stack([_in_periods(frame, series.index) for frame in frames])
    complete = np.isfinite(matrix).all(axis=0)
    caveats = list(_about_missing(pool.n_trials - len(stored), failures, int((~complete).sum())))
    if complete.sum() == 1 < pool.n_trials:
        return TrialReturns(series.to_numpy(), None, [*caveats, _alone(pool.n_trials)])
    return TrialReturns(series.to_numpy(), matrix[:, complete], caveats)


def _stored(store: RunStore, pool: TrialPool) -> tp.Dict[tp.Tuple, Trial]:
    """Return the trials of a pool whose returns are stored, by identity, in the order of their run_ids."""
    orphaned = {trial.record.sweep_id for trial in pool.trials.values() if trial.is_deleted} - {None}
    artifacts = _artifacts_of_sweeps(store, orphaned) if orphaned else {}
    stored = {}
    # The order must not depend on which trials are deleted: of equal ones in sample, the first is selected.
    for identity, trial in sorted(pool.trials.items(), key=lambda item: item[1].record.run_id):
        artifact = trial.artifact or artifacts.get(trial.record.sweep_id)
        if artifact is not None:
            stored[identity] = trial._replace(artifact=artifact)
    return stored


def _artifacts_of_sweeps(
    store: RunStore, sweep_ids: tp.Collection[tp.Optional[str]]
) -> tp.Dict[tp.Optional[str], tp.Optional[Artifact]]:
    """Return what the runs of sweeps share, to which deleted ones of them no longer refer."""
    artifacts: tp.Dict[tp.Optional[str], tp.Optional[Artifact]] = {}
    for record in store.select(Query()):
        if record.sweep_id in sweep_ids and record.sweep_id not in artifacts:
            artifacts[record.sweep_id] = Artifact.of(record)
    return artifacts


def _read(store: RunStore, trials: tp.Sequence[Trial]) -> tp.Tuple[tp.List[tp.Frame], tp.Dict[str, str]]:
    """Return the return series of trials, one frame per stored portfolio, and by run_id why others cannot be read."""
    for trial in trials:
        artifact = tp.cast(Artifact, trial.artifact)  # `_stored` returns no trial without one
        trial.record.artifact = artifact.to_dict()
    frames, failures = [], {}
    for records in sharing(trial.record for trial in trials):
        try:
            frames.append(store.returns_of(records))
        except ArtifactError as e:
            # One damaged portfolio among thousands must not take the verdict with it.
            failures.update({record.run_id: str(e) for record in records})
    return frames, failures


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


def _without_own(reason: str) -> str:
    return f"no PBO, no clusters and no test for serial correlation: {reason}"


def _beyond_limit(n_trials: int) -> str:
    return (
        f"no PBO and no clusters: {n_trials:,} trials have returns, more than {MAX_COLUMNS:,}; "
        "pass pool='filters' and filters that leave fewer"
    )


def _alone(n_trials: int) -> str:
    return f"no PBO and no clusters: of {n_trials:,} trials this one alone has its returns"


def _about_missing(n_gone: int, failures: tp.Dict[str, str], n_incomplete: int) -> tp.Iterator[str]:
    """Say which trials are not part of the matrix."""
    if n_gone:
        yield (
            "PBO and clusters are computed on the survivors only, without trials whose returns are gone with their "
            f"deletion, or were not saved: {n_gone:,}"
        )
    if failures:
        yield (
            f"PBO and clusters are computed without trials whose returns cannot be read: {len(failures):,}, the first "
            f"because {next(iter(failures.values()))}"
        )
    if n_incomplete:
        yield (
            "PBO and clusters are computed without trials that have no returns in some of the periods of this run: "
            f"{n_incomplete:,}"
        )
