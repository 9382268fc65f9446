"""Warnings that accompany a verdict: why its numbers may mislead."""

import math

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.query.query import FIELDS, Query
from vectorbt.portfolio.registry.selection_bias.pool import TrialPool
from vectorbt.portfolio.registry.selection_bias.sharpe import min_backtest_length, min_track_record_length
from vectorbt.portfolio.registry.selection_bias.trials import Trial
from vectorbt.portfolio.registry.store import RunStore

_FEW_TRIALS = 10
_SMALL_SHARE_IN_MARKET = 0.1
_LARGE_SHARE = 0.1
_NAMED_RUNS = 3


def about_pool(trial: Trial, pool: TrialPool) -> tp.Iterator[str]:
    """Say what is to be known about the trials that were counted, and about those that were not."""
    if pool.n_trials == 1:
        yield "the only trial on record, so the DSR is the PSR; true only if nothing else was ever tried"
    elif pool.n_trials < _FEW_TRIALS:
        yield f"only {pool.n_trials} trials: the variance across them is a rough estimate, and so is the DSR"
    n_better = int((pool.sharpes > trial.sharpe).sum())
    if n_better:
        yield f"not the best of its pool, for which the DSR is meant: trials with a higher Sharpe ratio: {n_better:,}"
    if pool.untraded:
        yield f"left out because they never traded: {_listed(pool.untraded)}"
    if pool.aggregated:
        yield (
            "left out because they have no return series of their own, as aggregates of several columns or as records "
            f"of an older layout: {_listed(pool.aggregated)}"
        )
    if pool.other_bars:
        run_ids = [other.record.run_id for other in pool.other_bars.values()]
        yield (
            "counted, but without a part in the variance across trials, since their bars are of another length: "
            f"{_listed(run_ids)}"
        )
    if pool.averaged:
        yield (
            f"counted as {pool.n_averaged:,} trials, the columns that they are the mean of: {_listed(pool.averaged)}; "
            "save_sweep keeps what each of them showed"
        )
    if pool.n_elsewhere:
        yield f"{pool.n_elsewhere:,} of the trials were made in another registry, from which runs were exported"


def about_filters(store: RunStore, query: Query, pool: TrialPool) -> tp.Iterator[str]:
    """Say whether a pool was chosen by the results of its trials."""
    if query.where is None:
        return
    results = sorted({name.name for name in query.where.names if name.parameter is None and name.name not in FIELDS})
    if results:
        n_left_out = len(store.list_runs(Query(deleted=None))) - len(pool.runs)
        yield (
            f"the pool was chosen by its results ({', '.join(results)}), which makes any of them look better: "
            f"{n_left_out:,} runs that were tried as well are left out; the pool 'tried' has them"
        )


def about_sample(trial: Trial, pool: TrialPool) -> tp.Iterator[str]:
    """Say what is to be known about the returns that the Sharpe ratio is estimated from."""
    if trial.sharpe <= 0:
        yield "the Sharpe ratio is not above zero, and no sample would be long enough to show that it is"
    else:
        yield from _about_length(trial, pool)
    if trial.bars_in_market < _SMALL_SHARE_IN_MARKET * trial.n_obs:
        yield (
            f"a position is held in only {trial.bars_in_market:,.0f} of {trial.n_obs:,.0f} periods: everything here "
            "rests on the returns of these"
        )


def _about_length(trial: Trial, pool: TrialPool) -> tp.Iterator[str]:
    """Say whether there are too few returns for a Sharpe ratio above zero to mean something."""
    needed = min_track_record_length(trial.sharpe, trial.skew, trial.kurtosis)
    if trial.n_obs < needed:
        yield f"short sample: {trial.n_obs:,.0f} returns; it takes {math.ceil(needed):,} for the PSR to reach 95 %"
    years = trial.n_obs / trial.periods_per_year
    needed = min_backtest_length(pool.n_trials, trial.record.sharpe_ratio)
    if years < needed:
        yield (
            f"short sample: {years:.1f} years; within {needed:.1f} years the best of {pool.n_trials:,} worthless and "
            "independent trials is expected to show this Sharpe ratio"
        )


def about_market(share_above_luck: float, pool: TrialPool) -> tp.Iterator[str]:
    """Say whether so many trials lie above what luck shows that they must have something in common."""
    n_above = round(share_above_luck * pool.n_trials)
    if share_above_luck >= _LARGE_SHARE and n_above > 1:
        yield (
            f"{n_above:,} of {pool.n_trials:,} trials lie above what the best of worthless ones is expected to show: "
            "they have ridden the same market, or share something else that the DSR takes for skill; the comparison "
            "with holding does not"
        )


def _listed(run_ids: tp.Sequence[str]) -> str:
    """Return the number of runs, and the first ones by the beginning of their ids."""
    more = ", ..." if len(run_ids) > _NAMED_RUNS else ""
    return f"{len(run_ids):,} ({', '.join(run_id[:8] for run_id in run_ids[:_NAMED_RUNS])}{more})"
