"""How the best of all trials and what luck would have shown have grown, save by save."""

import math

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.figures.luck import Luck
from vectorbt.portfolio.registry.figures.trials import Step
from vectorbt.portfolio.registry.selection_bias.pool import TrialPool
from vectorbt.portfolio.registry.selection_bias.sharpe import annual_scale, expected_max_sharpe
from vectorbt.portfolio.registry.selection_bias.trials import Trial


def luck_of(trial: Trial, pool: TrialPool, variance: float) -> Luck:
    """Return what luck and what holding would have shown beside a trial, a year.

    Args:
        trial (Trial): Trial.
        pool (TrialPool): Its competitors.
        variance (float): Variance of the Sharpe ratios per period across them."""
    scale = annual_scale(trial.periods_per_year)
    worthless = float(expected_max_sharpe(pool.n_trials, variance)) * scale
    mean = float(np.mean(pool.sharpes)) * scale
    return Luck(pool.n_trials, worthless, mean + worthless, trial.holding_sharpe_ratio)


def timeline_of(trial: Trial, pool: TrialPool) -> tp.List[Step]:
    """Return the saves of a pool in the order of time, each with the trials up to it.

    The runs of a sweep that were saved together are one step. Only trials on bars as long as those of the one that is
    judged have a place."""
    scale = annual_scale(trial.periods_per_year)
    saves: tp.Dict[tp.Any, tp.List[Trial]] = {}
    for run in sorted(pool.runs, key=lambda run: (run.record.timestamp, run.record.run_id)):
        if run.is_judgeable and run.has_bars_of(trial):
            save = (run.record.sweep_id, run.record.timestamp) if run.record.sweep_id else run.record.run_id
            saves.setdefault(save, []).append(run)
    seen: tp.Set[tp.Tuple] = set()
    n, mean, squares, best = 0, 0.0, 0.0, -math.inf
    steps = []
    for runs in saves.values():
        for run in runs:
            best = max(best, run.sharpe)
            if run.identity in seen:
                continue
            seen.add(run.identity)
            n += 1
            distance = run.sharpe - mean
            mean += distance / n
            squares += distance * (run.sharpe - mean)
        luck = float(expected_max_sharpe(n, squares / (n - 1))) * scale if n > 1 else 0.0
        low, high = np.quantile([run.sharpe for run in runs], [0.1, 0.9]) * scale
        steps.append(
            Step(
                n_trials=n,
                moment=pd.Timestamp(runs[0].record.timestamp),
                low=float(low),
                high=float(high),
                best=best * scale,
                luck=Luck(n, luck, mean * scale + luck),
                n_runs=len(runs),
                n_deleted=sum(run.is_deleted for run in runs),
            )
        )
    return steps
