"""How long a bar of a portfolio is, which annualised metrics and durations need to know."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.labels import as_numpy
from vectorbt.portfolio.registry.capture.quiet import quiet

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper
    from vectorbt.portfolio.base import Portfolio

__all__ = ["bar_length", "length_text", "measurable", "times_of"]


def measurable(portfolio: "Portfolio") -> "Portfolio":
    """Return a portfolio that vectorbt can measure.

    vectorbt fails where the frequency of the bars, such as `W`, `B` or `ME`, is no fixed length of time. Such a
    portfolio is measured as one without a frequency. Every other portfolio is returned as it is.

    Args:
        portfolio (Portfolio): Portfolio."""
    if _has_readable_frequency(portfolio.wrapper):
        return portfolio
    # Labels that are objects have no frequency that vectorbt could infer.
    wrapper = portfolio.wrapper.replace(index=portfolio.wrapper.index.astype(object), freq=None)
    without_frequency = portfolio.replace(wrapper=wrapper)
    without_frequency._metrics = portfolio._metrics  # a copy has vectorbt's own again
    return without_frequency


def bar_length(index: pd.Index) -> tp.Optional[pd.Timedelta]:
    """Return the usual distance between two bars, None where the labels are no times.

    Args:
        index (pd.Index): Index of the bars."""
    times = times_of(index)
    if times is None or len(times) < 2:
        return None
    length = int(np.median(np.diff(times.asi8)))
    return pd.Timedelta(length, unit=times.unit) if length > 0 else None


def times_of(index: pd.Index) -> tp.Union[None, pd.DatetimeIndex, pd.TimedeltaIndex]:
    """Return the labels of bars as times or durations, those of periods as their beginning. None if they are neither.

    Args:
        index (pd.Index): Index of the bars."""
    times = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else as_numpy(index)
    return times if isinstance(times, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None


def length_text(length: pd.Timedelta, units: tp.Sequence[str] = ("D", "h", "min", "s")) -> str:
    """Return a length of time as `freq=` takes it, such as `1D`, in the largest unit that divides it.

    Args:
        length (pd.Timedelta): Length. What is shorter than a second is left out.
        units (sequence of str): What days, hours, minutes and seconds are called."""
    seconds = round(length.total_seconds())
    size, unit = next((size, unit) for size, unit in zip((86_400, 3_600, 60, 1), units) if seconds % size == 0)
    return f"{seconds // size}{unit}"


def _has_readable_frequency(wrapper: "ArrayWrapper") -> bool:
    """Return whether vectorbt finds a frequency that it can read, or none at all."""
    from vectorbt._settings import settings

    with quiet():
        try:
            frequency = wrapper.freq
        except ValueError:
            return False
    index = wrapper.index
    is_given = wrapper.config["freq"] is not None or settings["array_wrapper"]["freq"] is not None
    if frequency is None or is_given or len(index) < 2 or index.freq is not None:
        return True
    # vectorbt takes "MS", which pandas infers for months, for milliseconds.
    return not isinstance(index, pd.DatetimeIndex) or frequency > (index[1] - index[0]) / 2
