"""One run against its pool of trials: puts the numbers together, and says what is to be held against them."""

import math

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.errors import RunNotFoundError
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias import caveats
from vectorbt.portfolio.registry.selection_bias.dependence import cluster_sharpe_ratios, effective_number_of_trials
from vectorbt.portfolio.registry.selection_bias.overfitting import check_n_blocks, probability_of_backtest_overfitting
from vectorbt.portfolio.registry.selection_bias.returns import returns_of_trials
from vectorbt.portfolio.registry.selection_bias.sharpe import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    min_backtest_length,
    min_track_record_length,
    probabilistic_sharpe_ratio,
)
from vectorbt.portfolio.registry.selection_bias.trials import POOLS, Trial, best_trial, pool_of, variance_across
from vectorbt.portfolio.registry.selection_bias.verdict import CONVENTION, SelectionBias
from vectorbt.portfolio.registry.store import RunStore


def judge(
    store: RunStore,
    run_id: tp.Optional[str] = None,
    pool: str = "strategy",
    n_blocks: int = 16,
    filters: tp.Mapping[str, tp.Any] = {},  # noqa: B006
) -> SelectionBias:
    """Judge a run against its pool of trials. See `vectorbt.portfolio.registry.registry.RunRegistry.selection_bias`."""
    _check_question(run_id, pool, filters)
    check_n_blocks(n_blocks)
    query = Query.of(**filters)
    trial = best_trial(store, query) if run_id is None else _trial_to_judge(store, run_id)
    return _judge_in_pool(store, trial, pool, query, n_blocks)


def _check_question(run_id: tp.Optional[str], pool: str, filters: tp.Mapping[str, tp.Any]) -> None:
    """Raise if a part of the question means nothing."""
    if pool not in POOLS:
        raise ValueError(f"pool must be one of {', '.join(map(repr, POOLS))}, not {pool!r}")
    ordering = sorted({"sort_by", "ascending", "limit"} & set(filters))
    if ordering:
        raise TypeError(f"{', '.join(ordering)}: no conditions on runs; every trial that fits counts, in no order")
    if run_id is not None and filters and pool != "filters":
        raise TypeError(
            f"{', '.join(filters)}: filters choose the best run, or the pool with pool='filters'; "
            f"with a run_id and pool={pool!r} they do neither"
        )


def _trial_to_judge(store: RunStore, run_id: str) -> Trial:
    record = store.get_run(run_id)
    if record is None:
        raise RunNotFoundError(f"no run {run_id!r} in {store}")
    trial = Trial.of(record)
    if not trial.has_own_returns:
        raise ValueError(
            f"run {record.run_id} has no return series of its own: it is an aggregate, or of an older layout"
        )
    if not trial.has_traded:
        raise ValueError(f"run {record.run_id} never traded: it has no Sharpe ratio to judge")
    return trial


def _judge_in_pool(store: RunStore, trial: Trial, pool: str, query: Query, n_blocks: int) -> SelectionBias:
    competitors = pool_of(store, trial, pool, query)
    returns = returns_of_trials(store, trial, competitors)
    refused: tp.List[str] = []
    clusters = _if_possible("no clusters", refused, _cluster, returns.matrix)
    pbo = _if_possible("no PBO", refused, probability_of_backtest_overfitting, returns.matrix, n_blocks)
    n_trials, variance = competitors.n_trials, competitors.sharpe_variance
    return SelectionBias(
        run_id=trial.record.run_id,
        pool=pool,
        n_trials=n_trials,
        n_deleted=competitors.n_deleted,
        n_repeats=competitors.n_repeats,
        n_untraded=len(competitors.untraded),
        n_aggregated=len(competitors.aggregated),
        n_clusters=None if clusters is None else len(clusters),
        n_clustered=None if clusters is None or returns.matrix is None else returns.matrix.shape[1],
        sharpe_ratio=trial.record.sharpe_ratio,
        sharpe_per_period=trial.sharpe,
        n_obs=int(trial.n_obs),
        skew=trial.skew,
        kurtosis=trial.kurtosis,
        periods_per_year=trial.periods_per_year,
        sharpe_variance=variance,
        expected_max_sharpe=float(expected_max_sharpe(n_trials, variance)) * math.sqrt(trial.periods_per_year),
        psr=float(probabilistic_sharpe_ratio(trial.sharpe, trial.n_obs, trial.skew, trial.kurtosis)),
        dsr=_deflated(trial, n_trials, variance),
        dsr_clusters=None if clusters is None else _deflated(trial, len(clusters), variance_across(clusters)),
        min_track_record_length=float(min_track_record_length(trial.sharpe, trial.skew, trial.kurtosis)),
        min_backtest_length_years=float(min_backtest_length(n_trials, trial.record.sharpe_ratio)),
        pbo=pbo,
        convention=CONVENTION,
        warnings=(
            *caveats.about_pool(trial, competitors),
            *caveats.about_sample(trial, competitors),
            *caveats.about_serial_correlation(trial, returns.own),
            *caveats.about_dependence(returns.matrix, clusters),
            *returns.caveats,
            *refused,
        ),
        trial_sharpes=competitors.sharpes,
    )


def deflated_sharpe_ratios(store: RunStore, records: tp.Sequence[RunRecord]) -> tp.Dict[str, float]:
    """Return the deflated Sharpe ratio of each record by run_id, after all trials of its strategy.

    NaN for a run that never traded or has no return series of its own. The trials of each strategy are gone through
    once."""
    pools: tp.Dict[tp.Tuple, tp.Tuple[int, float]] = {}
    deflated = {}
    for trial in map(Trial.of, records):
        deflated[trial.record.run_id] = float("nan")
        if trial.is_judgeable:
            key = trial.record.strategy_name, trial.frequency
            if key not in pools:
                pool = pool_of(store, trial, "strategy")
                pools[key] = pool.n_trials, pool.sharpe_variance
            deflated[trial.record.run_id] = _deflated(trial, *pools[key])
    return deflated


def _deflated(trial: Trial, n_trials: int, variance: float) -> float:
    moments = (trial.sharpe, trial.n_obs, trial.skew, trial.kurtosis)
    return float(deflated_sharpe_ratio(*moments, n_trials=n_trials, sharpe_variance=variance))


def _cluster(returns: tp.Array2d) -> tp.Array1d:
    """Return the Sharpe ratio per period of each cluster of correlated trials."""
    _, labels = effective_number_of_trials(returns, return_labels=True)
    return cluster_sharpe_ratios(returns, labels)


def _if_possible(otherwise: str, refused: tp.List[str], function: tp.Callable, matrix: tp.Any, *args: tp.Any) -> tp.Any:
    """Return what a function makes of a matrix of returns. None without one, and where it refuses, which is noted."""
    if matrix is None:
        return None
    try:
        return function(matrix, *args)
    except ValueError as e:
        refused.append(f"{otherwise}: {e}")
        return None
