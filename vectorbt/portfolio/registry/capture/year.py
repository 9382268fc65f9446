"""How many bars a year has: as the calendar shows, and as vectorbt assumes where it annualises."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.frequency import times_of
from vectorbt.portfolio.registry.capture.quiet import quiet

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

__all__ = ["bars_per_year", "excess_of_periods", "periods_per_year"]

_DAY = pd.Timedelta("1D")
_DAYS_PER_YEAR = 365.2425
_FEWEST_DAYS = 28
"""Days below which bars are not extrapolated to a year."""
_TOLERANCE = 0.05
_DAYS_IN_DOUBT = 3
"""Days at the ends of the bars that are closed by chance: a weekend and a holiday. They matter where there are few."""


def bars_per_year(index: pd.Index) -> tp.Optional[float]:
    """Return how many bars a calendar year has, None for less than four weeks and for labels that are no times.

    Args:
        index (pd.Index): Index of the bars."""
    times = times_of(index)
    if times is None or len(times) < 2:
        return None
    first, last = times.asi8[[0, -1]].tolist()
    days = pd.Timedelta(np.timedelta64(last - first, times.unit)) / _DAY
    return (len(times) - 1) / days * _DAYS_PER_YEAR if days >= _FEWEST_DAYS else None


def periods_per_year(portfolio: "Portfolio") -> float:
    """Return vectorbt's annualisation factor: by how many bars a year it multiplies. NaN without a frequency.

    Args:
        portfolio (Portfolio): Portfolio that `vectorbt.portfolio.registry.capture.frequency.measurable` has
            returned."""
    from vectorbt.utils.datetime_ import freq_to_timedelta

    with quiet():
        settings = portfolio.stats_defaults["settings"]
        if settings["freq"] is None or settings["year_freq"] is None:
            return float("nan")
        return float(freq_to_timedelta(settings["year_freq"]) / freq_to_timedelta(settings["freq"]))


def excess_of_periods(assumed: float, counted: tp.Optional[float], bars: int) -> tp.Optional[float]:
    """Return the ratio of the bars per year that are assumed to those of the calendar, None if it is close to one.

    Annualised ratios such as the Sharpe ratio are too high by the square root of it.

    Args:
        assumed (float): What `periods_per_year` returns.
        counted (float): What `bars_per_year` returns.
        bars (int): Number of bars that were counted. With few of them, more than 5 % may be chance."""
    if counted is None or assumed != assumed:
        return None
    days = (bars - 1) / counted * _DAYS_PER_YEAR
    ratio = assumed / counted
    return ratio if abs(ratio - 1) > _TOLERANCE + _DAYS_IN_DOUBT / days else None
