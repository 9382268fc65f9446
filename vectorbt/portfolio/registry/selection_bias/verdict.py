"""What is to be said about one run as the pick of many trials."""

import html
import math
from dataclasses import dataclass, field, fields

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.bootstrap import Draws, Intervals
from vectorbt.portfolio.registry.selection_bias.comparison import BenchmarkComparison
from vectorbt.portfolio.registry.selection_bias.overfitting import PBOResult
from vectorbt.portfolio.registry.selection_bias.sharpe import annual_scale, expected_max_sharpe
from vectorbt.portfolio.registry.selection_bias.words import (
    SIGNIFICANCE,
    basis_of,
    conclusion_of,
    findings_of,
    sentence_of,
    sharpe,
)

__all__ = ["SelectionBias"]

CONVENTION = (
    "Sharpe ratios per period as vectorbt computes them (standard deviation with ddof 1), annualised with the square "
    "root of the periods per year; skewness and raw kurtosis (Normal = 3) from population moments; variance across "
    "trials with ddof 1"
)


@dataclass(frozen=True, eq=False, repr=False)
class SelectionBias:
    """How much of a run's Sharpe ratio is luck. `vectorbt.portfolio.registry.registry.RunRegistry.selection_bias` makes
    it.

    Printed, it says so in words: first in one sentence, then what that rests on, then the numbers."""

    run_id: str
    """Run that is judged."""

    pool: str
    """Which trials it is judged against: `"tried"`, `"strategy"`, `"data"`, `"all"` or `"filters"`."""

    n_trials: int
    """Number of distinct trials that have traded, N, the deleted ones and those of other registries included."""

    n_deleted: int
    """Number of these of which all runs are deleted."""

    n_repeats: int
    """Number of runs that repeat one of them, on the same data with the same result, and are not counted again."""

    n_untraded: int
    """Number of runs left out of N and V because they never traded."""

    n_aggregated: int
    """Number of runs left out of N and V because they have no return series of their own."""

    n_averaged: int
    """Number of trials of which only the mean of several was saved."""

    n_other_bars: int
    """Number of trials on bars of another length, which have no part in V."""

    n_elsewhere: int
    """Number of trials that were made in other registries."""

    n_compared: int
    """Number of trials whose returns `p_value` and `pbo` rest on. Zero without returns."""

    sharpe_ratio: float
    """Annualised Sharpe ratio of the run. NaN without a frequency."""

    sharpe_per_period: float
    """Sharpe ratio of the run per period."""

    n_obs: int
    """Number of its returns, T."""

    skew: float
    """Skewness of its returns."""

    kurtosis: float
    """Raw kurtosis of its returns, 3 for a Normal distribution."""

    periods_per_year: float
    """Periods per year. NaN without a frequency."""

    sharpe_variance: float
    """Variance of the Sharpe ratios per period across the trials, V. NaN for a single trial."""

    expected_max_sharpe: float
    """Sharpe ratio that the best of N worthless trials is expected to show, annualised. NaN without a frequency."""

    psr: float
    """Probability that the true Sharpe ratio is above zero, were this the only trial."""

    dsr: float
    """The same after N trials: the deflated Sharpe ratio."""

    psr_robust: tp.Optional[float]
    """`psr` with a standard error that allows for serial correlation of the returns. None without these."""

    dsr_robust: tp.Optional[float]
    """`dsr` with that standard error. None without the returns of the run."""

    p_value: tp.Optional[float]
    """P-value of the run after all trials, from their returns: the chance that luck shows this Sharpe ratio at its rank
    or behind. See `vectorbt.portfolio.registry.selection_bias.step_down_pvalues`. Trials without returns add to it as
    if each was independent. None without the returns of the run."""

    draws: tp.Optional[Draws]
    """Bootstraps that `p_value` and `intervals` rest on. None without returns."""

    intervals: tp.Optional[Intervals]
    """Where Sharpe ratio, growth and deepest drawdown of the run lie in 95 % of the bootstraps, per period. None
    without returns."""

    benchmark: tp.Optional[BenchmarkComparison]
    """What remains of the run once its benchmark is taken out. None without a benchmark, or without its returns."""

    holding_sharpe_ratio: tp.Optional[float]
    """Annualised Sharpe ratio of holding the same prices. None where that is unknown, or no benchmark was asked for."""

    share_above_luck: float
    """Share of the trials above `expected_max_sharpe`. Of many worthless ones, hardly any is."""

    min_track_record_length: float
    """Number of returns from which on `psr` reaches 95 %. Infinite for a Sharpe ratio that is not above zero."""

    min_track_record_length_after_trials: float
    """Number of returns from which on `dsr` reaches 95 %, with this Sharpe ratio and this variance across the trials.
    Infinite for a Sharpe ratio that is not above `expected_max_sharpe`."""

    min_backtest_length_years: float
    """Years below which the best of N worthless trials is expected to show this Sharpe ratio. NaN without a
    frequency."""

    pbo: tp.Optional[PBOResult]
    """Probability that picking the best trial is overfitting. None with the reason among the warnings."""

    convention: str = field(repr=False)
    """How the numbers are computed."""

    warnings: tp.Tuple[str, ...]
    """What to know before believing the numbers."""

    trial_sharpes: tp.Array1d = field(repr=False)
    """Sharpe ratio per period of each of the N trials, ascending."""

    @property
    def scale(self) -> float:
        """What makes a Sharpe ratio per period one per `SelectionBias.unit`."""
        return annual_scale(self.periods_per_year)

    @property
    def unit(self) -> str:
        """What Sharpe ratios are told in: annualised ones where there is a frequency."""
        return "per period" if math.isnan(self.periods_per_year) else "a year"

    @property
    def expected_max_per_period(self) -> float:
        """`SelectionBias.expected_max_sharpe`, per period."""
        return float(expected_max_sharpe(self.n_trials, self.sharpe_variance))

    @property
    def is_best(self) -> bool:
        """Whether no trial of the pool has a higher Sharpe ratio."""
        return not (self.trial_sharpes > self.sharpe_per_period).any()

    @property
    def exceeds_benchmark(self) -> bool:
        """Whether the run is better than its benchmark. Where they cannot be compared, whether its Sharpe ratio is
        higher than that of holding, and true where nobody knows."""
        if self.benchmark is not None:
            return self.benchmark.p_value <= SIGNIFICANCE
        return self.holding_sharpe_ratio is None or self.sharpe_ratio > self.holding_sharpe_ratio

    @property
    def has_evidence(self) -> bool:
        """Whether luck, its benchmark and picking by the backtest fail to explain what the run shows."""
        return conclusion_of(self) == "skill"

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        return sentence_of(self)

    def summary(self) -> str:
        """Return the verdict in words: in one sentence, then what it rests on, then the numbers and the warnings."""
        lines = [f"{name}: {text}" for name, text in findings_of(self).items()]
        warnings = [f"Warning: {warning}" for warning in self.warnings]
        return "\n".join([self.sentence, f"{basis_of(self)}.", "", *lines, *warnings])

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"SelectionBias of run {self.run_id}: {self.sentence}"

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the verdict as a dict of plain Python values, arrays as lists: `sentence`, `has_evidence`, and the
        fields. A number that is unknown or infinite is None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values = {name: None if _is_not_finite(value) else value for name, value in values.items()}
        return {
            "sentence": self.sentence,
            "has_evidence": self.has_evidence,
            **values,
            "pbo": None if self.pbo is None else self.pbo.to_dict(),
            "draws": None if self.draws is None else self.draws._asdict(),
            "intervals": None
            if self.intervals is None
            else {k: v._asdict() for k, v in self.intervals._asdict().items()},
            "benchmark": None if self.benchmark is None else self.benchmark.to_dict(),
            "warnings": list(self.warnings),
            "trial_sharpes": self.trial_sharpes.tolist(),
        }

    def plot_trials(self, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any) -> tp.BaseFigure:
        """Plot the Sharpe ratios of all trials, with what luck shows, the run that is judged, and holding its prices.

        Annualised, or per period without a frequency.

        Args:
            fig (Figure): Figure to add traces to.
            **layout_kwargs: Layout of the figure."""
        from vectorbt.portfolio.registry.selection_bias._plotting import bars, bin_edges, figure_with, mark

        layout = dict(
            title=self.sentence,
            title_font_size=14,
            xaxis_title=f"Sharpe ratio {self.unit}",
            yaxis_title="Trials",
            bargap=0,
        )
        fig = figure_with(fig, {**layout, **layout_kwargs})
        sharpes = self.trial_sharpes * self.scale
        fig.add_trace(bars(sharpes, bin_edges(sharpes), "Trials", "blue"))
        luck, own = (sharpe(self, value) for value in (self.expected_max_per_period, self.sharpe_per_period))
        text = f"luck: the best of {self.n_trials:,} worthless trials shows {luck}"
        mark(fig, self.expected_max_per_period * self.scale, text, "red")
        mark(fig, self.sharpe_per_period * self.scale, f"this run: {own}", "green", 1)
        holding = self.holding_sharpe_ratio
        if holding is not None:
            mark(fig, holding, f"holding: {holding:.2f}", "gray", 2)
        return fig

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
            for name, text in findings_of(self).items()
        )
        warnings = "".join(f"<li>{html.escape(warning)}</li>" for warning in self.warnings)
        return (
            f"<p><b>{html.escape(self.sentence)}</b></p><p>{html.escape(basis_of(self))}.</p><table>{rows}</table>"
            + (f"<p>Warnings:</p><ul>{warnings}</ul>" if warnings else "")
        )


def _is_not_finite(value: tp.Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
