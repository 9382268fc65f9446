"""What metrics and parameters are called, and which metrics are best when low."""

import re

from vectorbt import _typing as tp

HEADLINE = ("total_return", "sharpe_ratio", "max_drawdown", "total_trades", "win_rate")
"""Metrics that are fields of a record, under the names that these fields have."""

FIELD_NAMES = {"max_dd": "max_drawdown"}
"""Metrics of vectorbt whose field in a record has another name."""

PARAMETER_PREFIX = "params."
"""What stands before the name of a parameter where metrics, fields and parameters are named alike."""

_LOW_IS_BETTER = re.compile(r"drawdown|duration|(?<![a-z])(dd|fees?)(?![a-z])", re.IGNORECASE)


def lower_is_better(name: str) -> bool:
    """Return whether the best value of a metric is the lowest, which is so for drawdowns, durations and fees.

    Judged by the words in the name, so that it holds for custom metrics as well. `worst_trade` and
    `avg_losing_trade` are returns: the highest is the best.

    Args:
        name (str): Name of the metric.

    Usage:
        ```pycon
        >>> lower_is_better("max_drawdown"), lower_is_better("worst_trade")
        (True, False)
        ```"""
    return _LOW_IS_BETTER.search(name) is not None


def vectorbt_metrics() -> tp.Tuple[str, ...]:
    """Return the names of the metrics in `Portfolio.metrics`, as they are called in a record."""
    from vectorbt.portfolio.base import Portfolio

    return tuple(FIELD_NAMES.get(name, name) for name in Portfolio.metrics)


def metric_called(name: str) -> str:
    """Return the name of a metric by the title under which `Portfolio.stats` shows it, any other name as it is.

    Upper and lower case are the same, and the unit may be left out.

    Usage:
        ```pycon
        >>> metric_called("Max Drawdown [%]"), metric_called("win rate"), metric_called("sharpe_ratio")
        ('max_drawdown', 'win_rate', 'sharpe_ratio')
        ```"""
    from vectorbt.portfolio.base import Portfolio

    if name in Portfolio.metrics or (name.islower() and " " not in name) or name.startswith(PARAMETER_PREFIX):
        return FIELD_NAMES.get(name, name)
    called = name.casefold()
    for metric, settings in Portfolio.metrics.items():
        title = str(settings.get("title", "")).casefold()
        if called in (title, title.removesuffix(" [%]")):
            return FIELD_NAMES.get(metric, metric)
    return name


def needs_frequency(name: str) -> bool:
    """Return whether vectorbt computes a metric only where the bars have a frequency."""
    from vectorbt.portfolio.base import Portfolio

    return bool(Portfolio.metrics.get(name, {}).get("check_has_freq"))


def duration_metrics() -> tp.Tuple[str, ...]:
    """Return the names of the metrics in `Portfolio.metrics` that are durations wherever the bars have a frequency."""
    from vectorbt.portfolio.base import Portfolio

    return tuple(
        name
        for name, metric in Portfolio.metrics.items()
        # Some are converted where they are calculated.
        if metric.get("apply_to_timedelta") or name.endswith("_duration")
    )


def percent_metrics() -> tp.Tuple[str, ...]:
    """Return the names of the metrics in `Portfolio.metrics` that are percentages, as they are called in a record."""
    from vectorbt.portfolio.base import Portfolio

    return tuple(
        FIELD_NAMES.get(name, name)
        for name, metric in Portfolio.metrics.items()
        if str(metric.get("title", "")).endswith("[%]")
    )
