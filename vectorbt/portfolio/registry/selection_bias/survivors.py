"""Which trials of a pool are better than a benchmark."""

import html
import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.selection_bias.benchmark import Benchmark, benchmark_returns, check_benchmark
from vectorbt.portfolio.registry.selection_bias.bootstrap import (
    BlockSize,
    Draws,
    Intervals,
    bootstrap_intervals,
    check_draws,
)
from vectorbt.portfolio.registry.selection_bias.comparison import pvalues_after_all_trials, sharpe_ratios
from vectorbt.portfolio.registry.selection_bias.judge import check_question
from vectorbt.portfolio.registry.selection_bias.pool import pool_of
from vectorbt.portfolio.registry.selection_bias.residuals import residual_returns
from vectorbt.portfolio.registry.selection_bias.return_matrix import has_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.returns import returns_of_trials
from vectorbt.portfolio.registry.selection_bias.sharpe import annual_scale
from vectorbt.portfolio.registry.selection_bias.trials import best_trial
from vectorbt.portfolio.registry.selection_bias.words import SIGNIFICANCE, count, percent
from vectorbt.portfolio.registry.store import RunStore

__all__ = ["Survivors", "survivors"]

_WITH_INTERVALS = 10
_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False)
class Survivors:
    """Which trials are better than a benchmark.

    `vectorbt.portfolio.registry.registry.RunRegistry.survivors` makes it."""

    pool: str
    """Which trials were looked at."""

    n_trials: int
    """Number of trials, those without returns included."""

    benchmark: tp.Optional[str]
    """What they were compared with: `"holding"`, `"run ..."`, `"the series"`. None for zero."""

    run_ids: tp.Tuple[str, ...] = field(repr=False)
    """Trials whose returns are there, the best one first."""

    sharpe_ratios: tp.Array1d = field(repr=False)
    """Sharpe ratio of each, of what remains once the benchmark is taken out. Annualised where there is a frequency."""

    p_values: tp.Array1d = field(repr=False)
    """P-value of each after all trials. NaN where the returns never vary."""

    draws: Draws = field(repr=False)
    """Bootstraps."""

    intervals: tp.Dict[str, Intervals] = field(repr=False)
    """Intervals of the ten best by run_id, per period, from the same bootstraps. Each as if it was the only trial."""

    periods_per_year: float
    """Periods per year. NaN without a frequency."""

    warnings: tp.Tuple[str, ...]
    """What to know before believing the p-values."""

    @property
    def survivors(self) -> tp.List[str]:
        """run_ids of the trials that are better than the benchmark, the best one first."""
        return [run_id for run_id, p_value in zip(self.run_ids, self.p_values) if p_value <= SIGNIFICANCE]

    @property
    def sentence(self) -> str:
        """The finding in one sentence."""
        than = "zero" if self.benchmark is None else self.benchmark
        n_found = len(self.survivors)
        found = "None" if n_found == 0 else f"{n_found:,}"
        best = "" if not len(self.p_values) else f"; the best has a p-value of {percent(float(self.p_values[0]))}"
        return (
            f"{found} of {count(self.n_trials, 'trial')} {'is' if n_found < 2 else 'are'} better than {than}, with a "
            f"chance of {SIGNIFICANCE:.0%} of even one false claim{best}."
        )

    def summary(self) -> str:
        """Return the finding in words, and the best trials."""
        basis = (
            f"It rests on the returns of {len(self.run_ids):,} of {count(self.n_trials, 'trial')}: "
            f"{self.draws.n_bootstraps:,} bootstraps in blocks of {self.draws.block_size:g} returns, seed "
            f"{self.draws.seed}."
        )
        table = self.to_frame().head(_SHOWN)[["sharpe_ratio", "p_value", "survives"]].round(3).to_string()
        return "\n".join([self.sentence, basis, "", table, *(f"Warning: {warning}" for warning in self.warnings)])

    def to_frame(self) -> tp.Frame:
        """Return one row per trial whose returns are there, the best one first.

        The index is `run_id`. The columns are `sharpe_ratio`, `p_value`, `survives`, and the ends of the intervals of
        the ten best: `sharpe_low` and so on, Sharpe ratio and growth annualised where there is a frequency."""
        frame = pd.DataFrame(
            {
                "sharpe_ratio": self.sharpe_ratios,
                "p_value": self.p_values,
                "survives": self.p_values <= SIGNIFICANCE,
            },
            index=pd.Index(self.run_ids, name="run_id", dtype=object),
        )
        scale = annual_scale(self.periods_per_year)
        periods = 1.0 if math.isnan(self.periods_per_year) else self.periods_per_year
        annual: tp.Dict[str, tp.Callable[[float], float]] = {
            "sharpe": lambda value: value * scale,
            "growth": lambda value: math.expm1(periods * math.log1p(value)) if value > -1 else -1.0,
            "max_drawdown": lambda value: value,
        }
        for name, convert in annual.items():
            for end in ("low", "high"):
                ends = {key: convert(getattr(getattr(found, name), end)) for key, found in self.intervals.items()}
                frame[f"{name}_{end}"] = [ends.get(run_id, np.nan) for run_id in self.run_ids]
        return frame

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the finding as a dict of plain Python values."""
        return {
            "sentence": self.sentence,
            "pool": self.pool,
            "n_trials": self.n_trials,
            "benchmark": self.benchmark,
            "survivors": self.survivors,
            "run_ids": list(self.run_ids),
            "sharpe_ratios": self.sharpe_ratios.tolist(),
            "p_values": [None if math.isnan(value) else value for value in self.p_values.tolist()],
            "draws": self.draws._asdict(),
            "intervals": {
                run_id: {name: found._asdict() for name, found in intervals._asdict().items()}
                for run_id, intervals in self.intervals.items()
            },
            "periods_per_year": None if math.isnan(self.periods_per_year) else self.periods_per_year,
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"Survivors: {self.sentence}"

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(self.sentence)}</b></p>{self.to_frame().head(_SHOWN).to_html(escape=True)}"


def survivors(
    store: RunStore,
    pool: str,
    filters: tp.Mapping[str, tp.Any],
    *,
    benchmark: Benchmark,
    n_bootstraps: int,
    block_size: BlockSize,
    seed: int,
    progress: tp.Optional[bool],
) -> Survivors:
    """Test a pool of trials. See `vectorbt.portfolio.registry.registry.RunRegistry.survivors`."""
    check_question(None, pool, filters)
    check_benchmark(benchmark)
    check_draws(n_bootstraps, block_size, seed)
    query = Query.of(**filters)
    best = best_trial(store, query)
    competitors = pool_of(store, best, pool, query, is_named=query.strategy_name is not None)
    returns = returns_of_trials(store, best, competitors)
    if not returns.run_ids:
        raise ValueError(f"the trials cannot be compared: {returns.caveats[0]}")
    matrix, name = returns.matrix, None
    if benchmark is not None:
        found = benchmark_returns(store, benchmark, returns)
        if found is None:
            raise ValueError(
                "the prices of the trials were not saved, so nobody knows what holding them returns: give a series of "
                "returns as benchmark, or save with save_portfolio=True"
            )
        name = found[0]
        matrix, _ = residual_returns(matrix, found[1])
    draws = Draws.of(returns.matrix, n_bootstraps, block_size, seed)
    pvalues = pvalues_after_all_trials(matrix, competitors.n_trials, draws, progress)
    sharpes = np.full(len(pvalues), np.nan)
    usable = has_sharpe_ratio(matrix)
    sharpes[usable] = sharpe_ratios(matrix[:, usable])
    order = np.argsort(-np.where(usable, sharpes, -np.inf), kind="stable")
    return Survivors(
        pool=pool,
        n_trials=competitors.n_trials,
        benchmark=name,
        run_ids=tuple(returns.run_ids[column] for column in order),
        sharpe_ratios=sharpes[order] * annual_scale(best.periods_per_year),
        p_values=pvalues[order],
        draws=draws,
        intervals={
            returns.run_ids[column]: bootstrap_intervals(matrix[:, column], draws.rows(len(matrix)))
            for column in order[:_WITH_INTERVALS]
            if usable[column]
        },
        periods_per_year=best.periods_per_year,
        warnings=tuple(returns.caveats),
    )
