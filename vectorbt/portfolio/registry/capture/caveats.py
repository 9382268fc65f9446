"""What a person should know about the figures of a portfolio that is saved."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.frequency import bar_length, length_text, measurable
from vectorbt.portfolio.registry.capture.metrics import annualised_metrics
from vectorbt.portfolio.registry.capture.quiet import quiet
from vectorbt.portfolio.registry.capture.year import bars_per_year, excess_of_periods, periods_per_year

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

__all__ = ["caveats"]


def caveats(portfolio: "Portfolio", as_one_run: bool = False) -> tp.List[str]:
    """Return a sentence for each thing that makes the metrics of a portfolio mean less than they seem to.

    That vectorbt assumes a year of another length than the bars have is said once in a process, and again where
    another length of year or of bars is assumed.

    Args:
        portfolio (Portfolio): Portfolio.
        as_one_run (bool): Whether all of its columns are one run."""
    with quiet():
        found = []
        columns = len(portfolio.wrapper.get_columns())
        if as_one_run and columns > 1:
            found.append(f"{columns} columns are saved as one run, their mean; save_sweep makes each of them a run")
        plain = measurable(portfolio)
        periods = periods_per_year(plain)
        if periods != periods:
            found.append(_without_frequency(portfolio, plain))
        else:
            found += _another_year(plain, periods)
        return found


def _without_frequency(portfolio: "Portfolio", plain: "Portfolio") -> str:
    """Say which metrics are missing because nobody knows how long a bar or a year is, and what to write."""
    missing = annualised_metrics(plain)
    effect = f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} NaN" if missing else "nothing is annualised"
    if plain.stats_defaults["settings"]["freq"] is not None:
        return f'vectorbt.settings.returns["year_freq"] is None, so {effect}; set it, for example to "365 days"'
    cause = "the bars have no frequency"
    if plain is not portfolio:
        cause = f"the frequency {_frequency_text(portfolio)} is no fixed length of time"
    length = bar_length(portfolio.wrapper.index)
    example = "1D" if length is None else length_text(length)
    return f'{cause}, so {effect} and durations count bars; pass freq="{example}" where the portfolio is made'


_judged_years: tp.Set[float] = set()
"""Numbers of periods per year that were said to be wrong already."""


def _another_year(portfolio: "Portfolio", assumed: float) -> tp.List[str]:
    """Say by how much annualised ratios are off because a year has more or fewer bars than vectorbt assumes."""
    index = portfolio.wrapper.index
    counted, length = bars_per_year(index), bar_length(index)
    ratio = excess_of_periods(assumed, counted, len(index))
    if counted is None or length is None or ratio is None or assumed in _judged_years:
        return []
    _judged_years.add(assumed)
    off = ratio**0.5 - 1
    frequency = portfolio.wrapper.freq or length
    if 2 / 3 < frequency / length < 3 / 2:
        year = length_text(round(counted) * frequency, (" days", " hours", " minutes", " seconds"))
        advice = f'set vectorbt.settings.returns["year_freq"] = "{year}"'
    else:
        advice = f'pass freq="{length_text(length)}" where the portfolio is made'
    return [
        f"a year has {counted:,.0f} of these bars and vectorbt assumes {assumed:,.0f}, so annualised ratios such as "
        f"the Sharpe ratio are {abs(off):.0%} too {'high' if off > 0 else 'low'}; {advice}"
    ]


def _frequency_text(portfolio: "Portfolio") -> str:
    """Return what pandas calls the frequency of a portfolio that vectorbt cannot measure with it."""
    given, index = portfolio.wrapper.config["freq"], portfolio.wrapper.index
    frequency = given or getattr(index, "freqstr", None) or index.inferred_freq
    return getattr(frequency, "freqstr", None) or str(frequency)


def _listed(names: tp.Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
