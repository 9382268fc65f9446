"""What is to be said about one run as the pick of many trials."""

import html
import math
from dataclasses import dataclass, field, fields

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.overfitting import PBOResult
from vectorbt.portfolio.registry.selection_bias.sharpe import expected_max_sharpe

__all__ = ["SelectionBias"]

CONVENTION = (
    "Sharpe ratios per period as vectorbt computes them (standard deviation with ddof 1), annualised with the square "
    "root of the periods per year; skewness and raw kurtosis (Normal = 3) from population moments; variance across "
    "trials with ddof 1"
)


@dataclass(frozen=True, eq=False)
class SelectionBias:
    """How much of a run's Sharpe ratio is luck. `vectorbt.portfolio.registry.registry.RunRegistry.selection_bias` makes
    it.

    Trials are neither independent nor the same, so the truth lies in a range: `dsr` takes every trial for independent,
    `dsr_clusters` takes correlated ones for one."""

    run_id: str
    """Run that is judged."""

    pool: str
    """Which trials it is judged against: `"strategy"`, `"data"`, `"all"` or `"filters"`."""

    n_trials: int
    """Number of distinct trials that have traded, N, the deleted ones included."""

    n_deleted: int
    """Number of these of which all runs are deleted."""

    n_repeats: int
    """Number of runs that repeat one of them, on the same data with the same result, and are not counted again."""

    n_untraded: int
    """Number of runs left out of N and V because they never traded."""

    n_aggregated: int
    """Number of runs left out of N and V because they have no return series of their own."""

    n_clusters: tp.Optional[int]
    """Number of clusters of correlated trials. None without their returns."""

    n_clustered: tp.Optional[int]
    """Number of trials whose returns are there to be put into clusters. None without clusters."""

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

    dsr_clusters: tp.Optional[float]
    """The same after as many trials as there are clusters. None without the returns of the trials."""

    min_track_record_length: float
    """Number of returns from which on `psr` reaches 95 %. Infinite for a Sharpe ratio that is not above zero."""

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
        return 1.0 if math.isnan(self.periods_per_year) else math.sqrt(self.periods_per_year)

    @property
    def unit(self) -> str:
        """What Sharpe ratios are told in: annualised ones where there is a frequency."""
        return "per period" if math.isnan(self.periods_per_year) else "a year"

    @property
    def expected_max_per_period(self) -> float:
        """`SelectionBias.expected_max_sharpe`, per period."""
        return float(expected_max_sharpe(self.n_trials, self.sharpe_variance))

    def summary(self) -> str:
        """Return the verdict in words."""
        lines = [f"{name}: {text}" for name, text in self._findings().items()]
        return "\n".join([*lines, *(f"Warning: {warning}" for warning in self.warnings)])

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the fields as a dict of plain Python values, arrays as lists."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **values,
            "pbo": None if self.pbo is None else self.pbo.to_dict(),
            "warnings": list(self.warnings),
            "trial_sharpes": self.trial_sharpes.tolist(),
        }

    def plot_trials(self, fig: tp.Optional[tp.BaseFigure] = None, **layout_kwargs: tp.Any) -> tp.BaseFigure:
        """Plot the Sharpe ratios of all trials, with the expected maximum of worthless ones and the run that is judged.

        Annualised, or per period without a frequency.

        Args:
            fig (Figure): Figure to add traces to.
            **layout_kwargs: Layout of the figure."""
        import plotly.graph_objects as go

        from vectorbt.portfolio.registry.selection_bias._plotting import color, figure_with

        layout = dict(
            title=f"{self.n_trials:,} trials: DSR {self.dsr:.1%}",
            xaxis_title=f"Sharpe ratio {self.unit}",
            yaxis_title="Trials",
            # The lines reach from bottom to top, however high the histogram.
            yaxis2=dict(overlaying="y", range=[0, 1], visible=False),
        )
        fig = figure_with(fig, {**layout, **layout_kwargs})
        sharpes = self.trial_sharpes * self.scale
        fig.add_trace(go.Histogram(x=sharpes, name="Trials", marker_color=color("blue")))
        for name, sharpe, color_name in (
            ("Expected maximum", self.expected_max_per_period, "red"),
            ("This run", self.sharpe_per_period, "green"),
        ):
            x, line = [sharpe * self.scale] * 2, dict(color=color(color_name), dash="dash")
            fig.add_trace(go.Scatter(x=x, y=[0, 1], yaxis="y2", mode="lines", name=name, line=line))
        return fig

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
            for name, text in self._findings().items()
        )
        warnings = "".join(f"<li>{html.escape(warning)}</li>" for warning in self.warnings)
        return f"<table>{rows}</table>" + (f"<p>Warnings:</p><ul>{warnings}</ul>" if warnings else "")

    def _findings(self) -> tp.Dict[str, str]:
        """Return what was found as text by name."""
        findings = {
            "Run": self.run_id,
            "Trials": (
                f"{self.n_trials:,} in the pool {self.pool!r}, {self.n_deleted:,} of them deleted; not counted: "
                f"{self.n_repeats:,} repeats, {self.n_untraded:,} untraded, {self.n_aggregated:,} aggregated"
            ),
            "Sharpe ratio": f"{self.sharpe_per_period * self.scale:.3f} {self.unit}, from {self.n_obs:,} returns",
            "Best of so many worthless trials": f"{self.expected_max_per_period * self.scale:.3f} {self.unit} expected",
            "PSR, were it the only trial": f"{self.psr:.1%}",
            f"DSR, after {_count(self.n_trials, 'trial')}": f"{self.dsr:.1%}",
        }
        if self.n_clusters is not None:
            known = "" if self.n_clustered == self.n_trials else f" ({self.n_clustered:,} of them have returns)"
            findings[f"DSR, after {_count(self.n_clusters, 'cluster')} of trials{known}"] = f"{self.dsr_clusters:.1%}"
        if self.pbo is not None:
            findings["Probability of backtest overfitting"] = f"{self.pbo.pbo:.1%}"
        findings["Minimum track record"] = f"{self.min_track_record_length:,.0f} returns"
        if not math.isnan(self.periods_per_year):
            years = self.n_obs / self.periods_per_year
            findings["Minimum backtest"] = f"{self.min_backtest_length_years:.1f} years; this one has {years:.1f}"
        return findings


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
