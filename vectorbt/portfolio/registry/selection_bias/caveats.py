"""Warnings that accompany a verdict: why its numbers may mislead."""

import math

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.dependence import autocorrelations, ljung_box_test, lo_adjusted_sharpe
from vectorbt.portfolio.registry.selection_bias.return_matrix import has_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.sharpe import min_backtest_length, min_track_record_length
from vectorbt.portfolio.registry.selection_bias.trials import Trial, TrialPool

_FEW_TRIALS = 10
_SMALL_SHARE_IN_MARKET = 0.1
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
    if pool.other_frequencies:
        yield (
            f"mixed frequencies: left out because their frequency is not {trial.frequency}: "
            f"{_listed(pool.other_frequencies)}"
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
        yield f"short sample: {trial.n_obs:,.0f} returns; it takes {needed:,.0f} for the PSR to reach 95 %"
    years = trial.n_obs / trial.periods_per_year
    needed = min_backtest_length(pool.n_trials, trial.record.sharpe_ratio)
    if years < needed:
        yield (
            f"short sample: {years:.1f} years; within {needed:.1f} years the best of {pool.n_trials:,} worthless and "
            "independent trials is expected to show this Sharpe ratio"
        )


def about_serial_correlation(trial: Trial, returns: tp.Optional[tp.Array1d]) -> tp.Iterator[str]:
    """Say whether the returns of the trial depend on those before."""
    if returns is None or not has_sharpe_ratio(returns[:, None]).all():
        return
    test = ljung_box_test(returns)
    if not test.is_autocorrelated:
        return
    warning = f"serial correlation of the returns (Ljung-Box, {test.n_lags} lags, p = {test.p_value:.2g})"
    if math.isnan(trial.periods_per_year):
        yield warning
        return
    adjusted = lo_adjusted_sharpe(trial.sharpe, autocorrelations(returns, test.n_lags), trial.periods_per_year)
    yield (
        f"{warning}: adjusted for it, the annualised Sharpe ratio is {adjusted:.3f} instead of "
        f"{trial.record.sharpe_ratio:.3f} (Lo, 2002)"
    )


def about_dependence(returns: tp.Optional[tp.Array2d], clusters: tp.Optional[tp.Array1d]) -> tp.Iterator[str]:
    """Say whether many trials are nearly the same."""
    if returns is not None and clusters is not None and 2 * len(clusters) <= returns.shape[1]:
        yield (
            f"near-duplicates: clusters of correlated trials: {len(clusters):,}, of {returns.shape[1]:,} trials; "
            "the truth lies between the DSR after all trials and that after the clusters"
        )
        if len(clusters) == 1:
            yield (
                "the DSR after a single cluster is the PSR: nothing was deducted. A market that all trials are exposed "
                "to makes them one cluster, however different they are"
            )


def _listed(run_ids: tp.Sequence[str]) -> str:
    """Return the number of runs, and the first ones by the beginning of their ids."""
    more = ", ..." if len(run_ids) > _NAMED_RUNS else ""
    return f"{len(run_ids):,} ({', '.join(run_id[:8] for run_id in run_ids[:_NAMED_RUNS])}{more})"
