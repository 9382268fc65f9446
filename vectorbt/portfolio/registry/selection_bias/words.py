"""A verdict in words, for somebody who never read a paper about it."""

import math
from typing import Literal

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.sharpe import probabilistic_sharpe_ratio

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.selection_bias.verdict import SelectionBias

Conclusion = Literal["luck", "benchmark", "unstable", "skill"]
"""What a verdict comes to: no more than luck shows; no more than the benchmark explains; picked by a backtest whose
ranking does not last; or more than all that."""

SIGNIFICANCE = 0.05
"""Chance of a false claim that is taken."""

_BAR = 1 - SIGNIFICANCE


def conclusion_of(verdict: "SelectionBias") -> Conclusion:
    """Return what a verdict comes to.

    The p-value decides, where the returns of the trials are there. Else the DSR does, and the p-value that each trial
    adds to as if it was independent: near-copies of a trial make the variance across trials small, and with it what
    the DSR deducts."""
    if verdict.p_value is not None:
        is_luck = not verdict.p_value <= SIGNIFICANCE
    else:
        is_luck = not (verdict.dsr >= _BAR and verdict.n_trials * (1 - verdict.psr) <= SIGNIFICANCE)
    if is_luck:
        return "luck"
    if not verdict.exceeds_benchmark:
        return "benchmark"
    return "unstable" if verdict.pbo is not None and verdict.pbo.pbo >= 0.5 else "skill"


def sentence_of(verdict: "SelectionBias") -> str:
    """Return a verdict in one sentence, or two."""
    return f"{_tries(verdict)} {_comparison(verdict)}{_ending(verdict)}."


def _tries(verdict: "SelectionBias") -> str:
    if verdict.n_trials == 1:
        return "The only try on record."
    rank = "The best of" if verdict.is_best else "One of the"
    return f"{rank} {verdict.n_trials:,} tries{'' if verdict.is_best else ', and not the best'}."


def _comparison(verdict: "SelectionBias") -> str:
    shown = f"this one shows {sharpe(verdict, verdict.sharpe_per_period)}"
    if verdict.n_trials == 1:
        return shown.capitalize()
    luck = sharpe(verdict, verdict.expected_max_per_period)
    # A record without a frequency has no year to tell the Sharpe ratio of.
    unit = "" if verdict.scale != 1 else " per period"
    return f"Luck alone would show {luck}{unit}; {shown}{unit}"


def _ending(verdict: "SelectionBias") -> str:
    found = conclusion_of(verdict)
    if found == "luck":
        return f"{_near_luck(verdict)}: no evidence of skill"
    if found == "benchmark":
        return f"{_more_than_luck(verdict)}, but {_no_more_than_benchmark(verdict)}: no evidence of skill"
    if found == "unstable":
        pbo = tp.cast(tp.Any, verdict.pbo).pbo
        return (
            f"{_more_than_luck(verdict)}, but what was best in one half of the time was in the worse half of the "
            f"trials in the other in {percent(pbo)} of cases: weak evidence of skill"
        )
    explained = "" if verdict.benchmark is None else f", and {_benchmark(verdict)} does not explain it"
    return f"{_more_than_luck(verdict)}{explained}: evidence of skill"


def _near_luck(verdict: "SelectionBias") -> str:
    exceeds = verdict.sharpe_per_period > verdict.expected_max_per_period
    if not exceeds:
        return ""
    if verdict.p_value is not None:
        return f", but luck shows as much in {_cases(verdict.p_value)}"
    return ", but that is too close to tell it from luck"


def _more_than_luck(verdict: "SelectionBias") -> str:
    but = "" if verdict.sharpe_per_period > verdict.expected_max_per_period else "; yet by the returns of the trials"
    if verdict.p_value is None:
        return ", which is more than luck shows"
    return f"{but or ', which'} luck shows{' as much' if but else ''} in {_cases(verdict.p_value)}"


def _no_more_than_benchmark(verdict: "SelectionBias") -> str:
    if verdict.benchmark is None:  # known from the records alone
        return f"holding the same prices showed {verdict.holding_sharpe_ratio:.2f}"
    return f"{_benchmark(verdict)} explains as much"


def _benchmark(verdict: "SelectionBias") -> str:
    benchmark = tp.cast(tp.Any, verdict.benchmark)
    name = "holding the same prices" if benchmark.name == "holding" else benchmark.name
    return f"{name} (Sharpe ratio {benchmark.sharpe_ratio:.2f})"


def _cases(p_value: float) -> str:
    """Return a probability as a number of cases."""
    if p_value < 0.01:
        return "less than 1 of 100 cases"
    return f"{p_value * 100:.0f} of 100 cases"


def basis_of(verdict: "SelectionBias") -> str:
    """Return what a verdict rests on."""
    if verdict.p_value is None:
        return (
            "It rests on the DSR alone, from the moments that were recorded: the returns of the trials were not read, "
            "or are not there"
        )
    draws = tp.cast(tp.Any, verdict.draws)
    rows = "1 return" if draws.block_size == 1 else f"{draws.block_size:g} returns"
    return (
        f"It rests on the returns of {verdict.n_compared:,} of {count(verdict.n_trials, 'trial')}: "
        f"{draws.n_bootstraps:,} bootstraps in blocks of {rows}, seed {draws.seed}"
    )


def findings_of(verdict: "SelectionBias") -> tp.Dict[str, str]:
    """Return the numbers of a verdict as text by name, each with what noise shows."""
    findings = {
        "Run": verdict.run_id,
        "Trials": (
            f"{verdict.n_trials:,} in the pool {verdict.pool!r}, {verdict.n_deleted:,} of them deleted; not counted: "
            f"{verdict.n_repeats:,} repeats, {verdict.n_untraded:,} untraded, {verdict.n_aggregated:,} aggregated"
        ),
        "Sharpe ratio": f"{sharpe(verdict, verdict.sharpe_per_period, 3)} {verdict.unit}, from {_sample(verdict)}",
        "Best of so many worthless trials": f"{sharpe(verdict, verdict.expected_max_per_period, 3)} {verdict.unit} "
        "expected",
    }
    if verdict.p_value is not None:
        findings["P-value, after all trials"] = (
            f"{percent(verdict.p_value)} (in noise every value is as likely; {SIGNIFICANCE:.0%} or less is the bar)"
        )
    findings[f"DSR, after {count(verdict.n_trials, 'trial')}"] = (
        f"{percent(verdict.dsr)} (about 50% is what the best of noise shows; {_BAR:.0%} is the bar)"
    )
    of_noise = probabilistic_sharpe_ratio(
        verdict.expected_max_per_period, verdict.n_obs, verdict.skew, verdict.kurtosis
    )
    findings["PSR, were it the only trial"] = (
        f"{percent(verdict.psr)} ({percent(float(of_noise))} is what the best of noise shows)"
    )
    if verdict.psr_robust is not None:
        findings["PSR and DSR, allowing for serial correlation"] = (
            f"{percent(verdict.psr_robust)} and {percent(verdict.dsr_robust)}"
        )
    if verdict.pbo is not None:
        findings["Probability of backtest overfitting"] = (
            f"{percent(verdict.pbo.pbo)} (50% is what noise shows; near 0% is good)"
        )
    findings.update(_benchmark_findings(verdict))
    findings.update(_interval_findings(verdict))
    findings["Minimum track record"] = (
        f"{_returns(verdict.min_track_record_length)}, were it the only trial; after "
        f"{count(verdict.n_trials, 'trial')} {_returns(verdict.min_track_record_length_after_trials)}"
    )
    if not math.isnan(verdict.periods_per_year):
        own_years = verdict.n_obs / verdict.periods_per_year
        findings["Minimum backtest"] = f"{years(verdict.min_backtest_length_years)}; this one has {years(own_years)}"
    return findings


def _benchmark_findings(verdict: "SelectionBias") -> tp.Iterator[tp.Tuple[str, str]]:
    found = verdict.benchmark
    if found is None:
        if verdict.holding_sharpe_ratio is not None:
            yield "Holding", f"Sharpe ratio {verdict.holding_sharpe_ratio:.3f} {verdict.unit}"
        return
    yield (
        found.name[0].upper() + found.name[1:],
        f"Sharpe ratio {found.sharpe_ratio:.3f} {verdict.unit}, beta {found.beta:.2f}",
    )
    yield (
        f"Without {found.name}",
        f"Sharpe ratio {found.residual_sharpe_ratio:.3f} {verdict.unit}, p-value {percent(found.p_value)}, "
        f"DSR {percent(found.dsr)}, PSR {percent(found.psr)}",
    )


def _interval_findings(verdict: "SelectionBias") -> tp.Iterator[tp.Tuple[str, str]]:
    if verdict.intervals is None:
        return
    ratio, growth, drawdown = verdict.intervals
    periods = 1 if math.isnan(verdict.periods_per_year) else verdict.periods_per_year
    yearly = [math.expm1(periods * math.log1p(value)) if value > -1 else -1.0 for value in growth]
    yield (
        "In 95% of bootstraps, were it the only trial",
        f"Sharpe ratio {sharpe(verdict, ratio.low)} to {sharpe(verdict, ratio.high)}, growth {yearly[0]:.1%} to "
        f"{yearly[1]:.1%} {verdict.unit}, deepest drawdown {drawdown.low:.0%} to {drawdown.high:.0%}",
    )


def sharpe(verdict: "SelectionBias", per_period: float, digits: int = 2) -> str:
    """Return a Sharpe ratio as text: annualised where there is a frequency."""
    if verdict.scale == 1:
        digits += 1  # they are that much smaller
    return f"{per_period * verdict.scale:.{digits}f}"


def percent(value: tp.Optional[float]) -> str:
    """Return a probability as text, with no digit beyond what means something."""
    if value is None or math.isnan(value):
        return "unknown"
    if value > 0.999:
        return ">99.9%"
    return "<0.1%" if value < 0.001 else f"{value:.1%}"


def years(value: float) -> str:
    """Return a number of years as text."""
    return "more than 100 years" if value > 100 else f"{value:.1f} years"


def count(number: int, noun: str) -> str:
    """Return a number of things as text."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _returns(number: float) -> str:
    return "no number of returns is enough" if math.isinf(number) else f"{math.ceil(number):,} returns"


def _sample(verdict: "SelectionBias") -> str:
    return f"{verdict.n_obs:,} returns"
