"""One trial and its competitors, put to the tests that need their returns."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.bootstrap import Draws
from vectorbt.portfolio.registry.selection_bias.residuals import residual_returns
from vectorbt.portfolio.registry.selection_bias.return_matrix import has_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.sharpe import deflated_sharpe_ratio, probabilistic_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.standard_error import robust_probabilistic_sharpe_ratio
from vectorbt.portfolio.registry.selection_bias.step_down import step_down_pvalues

__all__ = ["BenchmarkComparison", "compare_with_benchmark", "pvalues_after_all_trials"]


@dataclass(frozen=True)
class BenchmarkComparison:
    """What remains of a run once its benchmark is taken out: y - beta x, with y its returns and x the benchmark's."""

    name: str
    """What the benchmark is: `"holding"`, `"run ..."` or `"the series"`."""

    sharpe_ratio: float
    """Sharpe ratio of the benchmark in the periods of the run, annualised. Per period without a frequency."""

    beta: float
    """Units of the benchmark that the run holds on average."""

    residual_sharpe_ratio: float
    """Sharpe ratio of what remains, annualised. Per period without a frequency."""

    psr: float
    """Probability that the true Sharpe ratio of what remains is above zero, were this the only trial."""

    dsr: float
    """The same after N trials: the deflated Sharpe ratio of what remains. NaN where the variance across the trials is
    unknown."""

    p_value: float
    """P-value of the run for being better than the benchmark, after all trials."""

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the fields as a dict, with None for what is unknown."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


def compare_with_benchmark(
    name: str,
    matrix: tp.Array2d,
    position: int,
    benchmark: tp.Array2d,
    *,
    n_trials: int,
    draws: Draws,
    scale: float,
    progress: tp.Optional[bool],
) -> BenchmarkComparison:
    """Compare one trial with a benchmark.

    Args:
        name (str): What the benchmark is.
        matrix (array): Per-period returns, one column per trial.
        position (int): Which of them is the one.
        benchmark (array): Returns of the benchmark, one column for all trials or one for each.
        n_trials (int): Number of all trials, those without returns included.
        draws (Draws): Bootstraps.
        scale (float): What makes a Sharpe ratio per period an annual one.
        progress (bool): Whether to show a progress bar."""
    residuals, betas = residual_returns(matrix, benchmark)
    x = benchmark[:, position if benchmark.shape[1] > 1 else 0]
    own = residuals[:, position]
    usable = has_sharpe_ratio(residuals)
    if usable[position]:
        sharpes = sharpe_ratios(residuals[:, usable])
        moments = _moments(own)
        variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else math.nan
        psr = float(probabilistic_sharpe_ratio(*moments))
        dsr = float(deflated_sharpe_ratio(*moments, n_trials=n_trials, sharpe_variance=variance))
        p_value = float(pvalues_after_all_trials(residuals, n_trials, draws, progress, only=position)[position])
        residual_sharpe = moments[0]
    else:  # the run is the benchmark, in some multiple
        psr, dsr, p_value, residual_sharpe = 0.5, 0.5, 1.0, 0.0
    return BenchmarkComparison(
        name=name,
        sharpe_ratio=float(sharpe_ratios(x[:, None])[0]) * scale if has_sharpe_ratio(x[:, None])[0] else 0.0,
        beta=float(betas[position]),
        residual_sharpe_ratio=residual_sharpe * scale,
        psr=psr,
        dsr=dsr,
        p_value=p_value,
    )


def pvalues_after_all_trials(
    matrix: tp.Array2d,
    n_trials: int,
    draws: Draws,
    progress: tp.Optional[bool],
    only: tp.Optional[int] = None,
) -> tp.Array1d:
    """Return the p-values of `step_down_pvalues`, to which every trial without returns adds that of a single test.

    A trial whose returns are gone might have shown anything. By the inequality of Bonferroni the chance that one of
    them does as well as the trial in question is no larger than their number times the chance of each.

    Args:
        matrix (array): Per-period returns of the trials that have them.
        n_trials (int): Number of all trials.
        draws (Draws): Bootstraps.
        progress (bool): Whether to show a progress bar.
        only (int): Column to add to, if the others are not asked for."""
    pvalues = step_down_pvalues(matrix, draws.rows(len(matrix)), progress=progress)
    n_missing = n_trials - matrix.shape[1]
    if n_missing > 0:
        for column in range(matrix.shape[1]) if only is None else [only]:
            if math.isfinite(pvalues[column]):
                alone = 1 - robust_probabilistic_sharpe_ratio(matrix[:, column])
                pvalues[column] = min(1.0, pvalues[column] + n_missing * alone)
    return pvalues


def sharpe_ratios(matrix: tp.Array2d) -> tp.Array1d:
    """Return the Sharpe ratio per period of each column, with ddof 1."""
    return matrix.mean(axis=0) / matrix.std(axis=0, ddof=1)


def _moments(series: tp.Array1d) -> tp.Tuple[float, int, float, float]:
    """Return Sharpe ratio per period, number, skewness and raw kurtosis of returns."""
    scores = (series - series.mean()) / series.std()
    return float(series.mean() / series.std(ddof=1)), len(series), float((scores**3).mean()), float((scores**4).mean())
