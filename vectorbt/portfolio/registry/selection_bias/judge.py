"""One run against its pool of trials: puts the numbers together, and says what is to be held against them."""

import math
from dataclasses import dataclass, replace

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.checks import id_of_run
from vectorbt.portfolio.registry.figures.luck import Luck
from vectorbt.portfolio.registry.figures.trials import Step
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias import caveats
from vectorbt.portfolio.registry.selection_bias.audit import TrialAudit, audit_of
from vectorbt.portfolio.registry.selection_bias.benchmark import (
    HOLDING,
    Benchmark,
    benchmark_returns,
    check_benchmark,
)
from vectorbt.portfolio.registry.selection_bias.bootstrap import Draws, Intervals, bootstrap_intervals, check_draws
from vectorbt.portfolio.registry.selection_bias.comparison import (
    BenchmarkComparison,
    compare_with_benchmark,
    pvalues_after_all_trials,
)
from vectorbt.portfolio.registry.selection_bias.overfitting import (
    PBOResult,
    check_n_blocks,
    probability_of_backtest_overfitting,
)
from vectorbt.portfolio.registry.selection_bias.pool import POOLS, TrialPool, all_trials, pool_of
from vectorbt.portfolio.registry.selection_bias.return_matrix import has_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.returns import TrialReturns, returns_of_trials
from vectorbt.portfolio.registry.selection_bias.sharpe import (
    annual_scale,
    deflated_sharpe_ratio,
    expected_max_sharpe,
    min_backtest_length,
    min_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio_variance,
)
from vectorbt.portfolio.registry.selection_bias.standard_error import robust_probabilistic_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.timeline import luck_of, timeline_of
from vectorbt.portfolio.registry.selection_bias.trials import Trial, best_trial
from vectorbt.portfolio.registry.selection_bias.verdict import CONVENTION, SelectionBias
from vectorbt.portfolio.registry.store import RunStore

_N_BOOTSTRAPS = 1000


def judge(
    store: RunStore,
    run_id: tp.Union[None, str, RunRecord] = None,
    pool: str = "tried",
    n_blocks: int = 16,
    filters: tp.Mapping[str, tp.Any] = {},  # noqa: B006
    *,
    benchmark: Benchmark = "hold",
    dependence: bool = True,
    seed: int = 0,
    progress: tp.Optional[bool] = None,
) -> SelectionBias:
    """Judge a run against its pool of trials. See `vectorbt.portfolio.registry.registry.RunRegistry.selection_bias`."""
    check_question(run_id, pool, filters)
    check_n_blocks(n_blocks)
    check_benchmark(benchmark)
    check_draws(_N_BOOTSTRAPS, "auto", seed)
    query = Query.of(**filters)
    trial = best_trial(store, query) if run_id is None else _trial_to_judge(store, run_id)
    is_named = run_id is not None or query.strategy_name is not None
    competitors = pool_of(store, trial, pool, query, is_named)
    returns = returns_of_trials(store, trial, competitors) if dependence else None
    tested = _test(store, trial, competitors, returns, benchmark, n_blocks, seed, progress)
    if benchmark is not None and tested.holding is None:
        tested.holding = _known(trial.holding_sharpe_ratio)
    if pool == "filters":
        tested = replace(tested, warnings=(*caveats.about_filters(store, query, competitors), *tested.warnings))
    return _put_together(trial, competitors, pool, tested)


def audit(store: RunStore, run_id: tp.Union[str, RunRecord], pool: str = "tried") -> TrialAudit:
    """Return which trials a run competed against. See `RunRegistry.audit_trials`."""
    check_question(run_id, pool, {})
    trial = _trial_to_judge(store, run_id)
    return audit_of(trial, pool_of(store, trial, pool))


def luck(store: RunStore, run_id: tp.Union[str, RunRecord], pool: str = "tried") -> Luck:
    """Return what luck and holding would have shown beside a run. See `RunRegistry.luck`."""
    check_question(run_id, pool, {})
    trial = _trial_to_judge(store, run_id)
    competitors = pool_of(store, trial, pool)
    return luck_of(trial, competitors, variance_for(trial, competitors))


def timeline(store: RunStore, filters: tp.Mapping[str, tp.Any]) -> tp.List[Step]:
    """Return how the best trial and luck have grown. See `RunRegistry.plot_timeline`."""
    query = Query.of(**filters)
    trial = best_trial(store, query)
    return timeline_of(trial, pool_of(store, trial, "filters", query))


def check_question(run_id: tp.Union[None, str, RunRecord], pool: str, filters: tp.Mapping[str, tp.Any]) -> None:
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


def _trial_to_judge(store: RunStore, run_id: tp.Union[str, RunRecord]) -> Trial:
    record = store.get_run(run_id)
    if record is None:
        raise store.not_found([id_of_run(run_id)])
    trial = Trial.of(record)
    if not trial.has_own_returns:
        raise ValueError(
            f"run {record.run_id} has no return series of its own: it is an aggregate, or of an older layout"
        )
    if not trial.has_traded:
        raise ValueError(f"run {record.run_id} never traded: it has no Sharpe ratio to judge")
    return trial


@dataclass
class _Tested:
    """What the returns of the trials have to say. All of it is None without them."""

    n_compared: int = 0
    robust: tp.Tuple[tp.Optional[float], tp.Optional[float]] = (None, None)
    p_value: tp.Optional[float] = None
    draws: tp.Optional[Draws] = None
    intervals: tp.Optional[Intervals] = None
    benchmark: tp.Optional[BenchmarkComparison] = None
    holding: tp.Optional[float] = None
    pbo: tp.Optional[PBOResult] = None
    warnings: tp.Tuple[str, ...] = ()


def _test(
    store: RunStore,
    trial: Trial,
    pool: TrialPool,
    returns: tp.Optional[TrialReturns],
    benchmark: Benchmark,
    n_blocks: int,
    seed: int,
    progress: tp.Optional[bool],
) -> _Tested:
    """Put the returns of a trial and of its pool to the tests that need them."""
    if returns is None:
        return _Tested()
    if not returns.run_ids:
        return _Tested(warnings=tuple(returns.caveats))
    matrix, position, own, n_trials = returns.matrix, returns.position, returns.own, pool.n_trials
    if not has_sharpe_ratio(own[:, None])[0]:
        return _Tested(warnings=(*returns.caveats, "no p-value and no PBO: its returns never vary"))
    warnings = list(returns.caveats)
    pbo = None
    try:
        pbo = replace(
            probability_of_backtest_overfitting(matrix, n_blocks, progress=progress),
            periods_per_year=trial.periods_per_year,
        )
    except ValueError as e:
        warnings.append(f"no PBO: {e}")
    draws = Draws.of(matrix, _N_BOOTSTRAPS, "auto", seed)
    compared = None
    found = benchmark_returns(store, benchmark, returns)
    if found is not None:
        compared = compare_with_benchmark(
            *(found[0], matrix, position, found[1]),
            n_trials=n_trials,
            draws=draws,
            scale=annual_scale(trial.periods_per_year),
            progress=progress,
        )
    elif benchmark is not None:
        warnings.append(
            "no comparison with holding: the prices of the trials were not saved; save_portfolio=True keeps them, and "
            "benchmark= takes a series of returns"
        )
    return _Tested(
        n_compared=matrix.shape[1],
        robust=(
            robust_probabilistic_sharpe_ratio(own),
            robust_probabilistic_sharpe_ratio(own, float(expected_max_sharpe(n_trials, variance_for(trial, pool)))),
        ),
        p_value=float(pvalues_after_all_trials(matrix, n_trials, draws, progress, only=position)[position]),
        draws=draws,
        intervals=bootstrap_intervals(own, draws.rows(len(own))),
        benchmark=compared,
        holding=None if compared is None or compared.name != HOLDING else compared.sharpe_ratio,
        pbo=pbo,
        warnings=tuple(warnings),
    )


def _put_together(trial: Trial, pool: TrialPool, name: str, tested: _Tested) -> SelectionBias:
    n_trials, variance = pool.n_trials, variance_for(trial, pool)
    expected_max = float(expected_max_sharpe(n_trials, variance))
    share_above_luck = float(np.mean(pool.sharpes > expected_max))
    moments = (trial.sharpe, trial.skew, trial.kurtosis)
    return SelectionBias(
        run_id=trial.record.run_id,
        pool=name,
        n_trials=n_trials,
        n_deleted=pool.n_deleted,
        n_repeats=pool.n_repeats,
        n_untraded=len(pool.untraded),
        n_aggregated=len(pool.aggregated),
        n_averaged=pool.n_averaged,
        n_other_bars=len(pool.other_bars),
        n_elsewhere=pool.n_elsewhere,
        n_compared=tested.n_compared,
        sharpe_ratio=trial.record.sharpe_ratio,
        sharpe_per_period=trial.sharpe,
        n_obs=int(trial.n_obs),
        skew=trial.skew,
        kurtosis=trial.kurtosis,
        periods_per_year=trial.periods_per_year,
        sharpe_variance=variance,
        expected_max_sharpe=expected_max * math.sqrt(trial.periods_per_year),
        psr=float(probabilistic_sharpe_ratio(trial.sharpe, trial.n_obs, trial.skew, trial.kurtosis)),
        dsr=_deflated(trial, n_trials, variance),
        psr_robust=tested.robust[0],
        dsr_robust=tested.robust[1],
        p_value=tested.p_value,
        draws=tested.draws,
        intervals=tested.intervals,
        benchmark=tested.benchmark,
        holding_sharpe_ratio=tested.holding,
        share_above_luck=share_above_luck,
        min_track_record_length=float(min_track_record_length(*moments)),
        min_track_record_length_after_trials=float(min_track_record_length(*moments, expected_max)),
        min_backtest_length_years=float(min_backtest_length(n_trials, trial.record.sharpe_ratio)),
        pbo=tested.pbo,
        convention=CONVENTION,
        warnings=(
            *caveats.about_pool(trial, pool),
            *caveats.about_market(share_above_luck, pool),
            *caveats.about_sample(trial, pool),
            *tested.warnings,
        ),
        trial_sharpes=pool.sharpes,
    )


def deflated_sharpe_ratios(store: RunStore, records: tp.Sequence[RunRecord]) -> tp.Dict[str, float]:
    """Return the deflated Sharpe ratio of each record by run_id, after all trials that it competed against.

    NaN for a run that never traded or has no return series of its own. Runs of one strategy on the same prices have
    one pool."""
    pools: tp.Dict[tp.Tuple, tp.Tuple[int, float]] = {}
    deflated = {}
    every = all_trials(store) if records else []
    for trial in map(Trial.of, records):
        deflated[trial.record.run_id] = float("nan")
        if trial.is_judgeable:
            key = trial.record.strategy_name, trial.fingerprint, trial.frequency
            if key not in pools:
                pool = pool_of(store, trial, every=every)
                pools[key] = pool.n_trials, variance_for(trial, pool)
            deflated[trial.record.run_id] = _deflated(trial, *pools[key])
    return deflated


def variance_for(trial: Trial, pool: TrialPool) -> float:
    """Return the variance of the Sharpe ratios per period across a pool.

    Where the others are on bars of another length, or only their number is known, it is that with which the Sharpe
    ratio of the trial itself is estimated (Lo 2002; Mertens 2002): what independent trials of no worth would have."""
    variance = pool.sharpe_variance
    if pool.n_trials == 1 or not math.isnan(variance):
        return variance
    return float(sharpe_ratio_variance(trial.sharpe, trial.n_obs, trial.skew, trial.kurtosis))


def _deflated(trial: Trial, n_trials: int, variance: float) -> float:
    moments = (trial.sharpe, trial.n_obs, trial.skew, trial.kurtosis)
    return float(deflated_sharpe_ratio(*moments, n_trials=n_trials, sharpe_variance=variance))


def _known(value: float) -> tp.Optional[float]:
    return value if math.isfinite(value) else None
