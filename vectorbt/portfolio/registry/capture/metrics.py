"""Portfolio to metrics: what `Portfolio.stats` says, and the moments of the returns.

`measure` describes a portfolio as one run, `measure_columns` every column (or group) of it as a run of its own.
Both ask vectorbt once, in one vectorised pass, and take its answer as it is.

Saving a portfolio must not show warnings of vectorbt, pandas and the like, see
`vectorbt.portfolio.registry.capture.quiet`."""

from collections import Counter
from contextlib import suppress
from functools import partial
from typing import overload

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.distinct_columns import distinct_columns
from vectorbt.portfolio.registry.capture.frequency import measurable
from vectorbt.portfolio.registry.capture.labels import AS_TEXT, as_column, recordable
from vectorbt.portfolio.registry.capture.quiet import quiet
from vectorbt.portfolio.registry.capture.year import periods_per_year
from vectorbt.portfolio.registry.column import Column, Numbers, column_of
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.encoding import encode
from vectorbt.portfolio.registry.metric_names import FIELD_NAMES, HEADLINE
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio
    from vectorbt.returns.accessors import ReturnsAccessor

__all__ = [
    "Measured",
    "annualised_metrics",
    "measure",
    "measure_columns",
    "return_series",
    "returns_accessor",
]

ROUNDING = 1e-12
"""A spread that is this small beside the values themselves is rounding, not risk."""

_COLUMNS_AT_ONCE = 64
"""Columns whose moments are computed together, few enough for the temporary arrays to stay in the CPU's cache."""


class Measured(tp.NamedTuple):
    """What was measured of one run or several: a column for each metric, whose values are encoded."""

    stats: tp.Dict[str, Column]
    """Metrics by name. Those of `HEADLINE` come first, and are all there."""

    returns_stats: tp.Dict[str, Column]
    """Moments of the return series by name, see `measure`. Empty if the run has no return series of its own."""


def measure(portfolio: "Portfolio") -> Measured:
    """Measure a portfolio as one run.

    Args:
        portfolio (Portfolio): Portfolio to measure. With several columns (or groups) the metrics are vectorbt's own
            aggregate of them, as in `portfolio.stats()`.

    Returns:
        `Measured.stats` has each row of `portfolio.stats()`, equal to the last bit, as a value that a record can hold:
        see `vectorbt.portfolio.registry.capture.labels.recordable`. Its name is that of the metric, or `metric: key`
        if the metric returns a dict. `max_dd` becomes `max_drawdown` and takes precedence over a custom metric of that
        name. A metric of `HEADLINE` that vectorbt does not calculate is NaN, and so is one that vectorbt leaves out
        because the portfolio has no frequency, or one that is no fixed length of time. A metric that raises is NaN as
        well, with a warning that names it and the error.

        `Measured.returns_stats` describes the series from which vectorbt calculates the Sharpe ratio. It is empty
        for an aggregate of several columns, and otherwise has:

        * `sharpe`: Sharpe ratio per period; times the square root of `periods_per_year` it is the annual one.
            Infinity for returns that never change, as in vectorbt.
        * `n_obs`: number of returns that are not NaN.
        * `skew` and `kurtosis`: population moments, the kurtosis raw (3 for a normal distribution). NaN for
            returns that never change.
        * `benchmark_sharpe`: Sharpe ratio per period of holding the same prices, which is vectorbt's benchmark. NaN if
            they never change or are unknown.
        * `periods_per_year`: vectorbt's annualisation factor. NaN without a frequency.
        * `bars_in_market`: number of bars that end with a position, in any asset of a group.
        * `fee_rate`: realised fees, the fees paid over the value traded, to six digits. NaN without orders.
    """
    with quiet():
        portfolio = measurable(portfolio)
        stats = _complete(_columns_of(_stats(portfolio), 1), 1, _left_out(portfolio))
        is_aggregate = len(portfolio.wrapper.get_columns()) > 1
        return Measured(stats, {} if is_aggregate else _returns_stats(portfolio))


def measure_columns(portfolio: "Portfolio") -> Measured:
    """Measure each column of a portfolio, or each group if it is grouped, as a run of its own.

    Calls `portfolio.stats(agg_func=None)` once, whatever the number of columns.

    Args:
        portfolio (Portfolio): Portfolio to measure. A single series is one column.

    Returns:
        What `measure` describes, of each column or group in their order.
    """
    with quiet():
        portfolio = measurable(portfolio)
        n_runs = len(portfolio.wrapper.get_columns())
        columns = _columns_of(_stats(portfolio, agg_func=None), n_runs)
        return Measured(_complete(columns, n_runs, _left_out(portfolio)), _returns_stats(portfolio))


def returns_accessor(portfolio: "Portfolio") -> "ReturnsAccessor":
    """Accessor that `Portfolio.stats` takes the Sharpe ratio from, out of the portfolio's cache where it is there.

    Its `obj` are the returns per column or group: those of the portfolio's value, or those of its assets if
    `use_asset_returns` is set in vectorbt's `portfolio.stats` settings.

    Args:
        portfolio (Portfolio): Portfolio whose returns to access.
    """
    portfolio = measurable(portfolio)
    # The arguments, their order included, are those that stats() makes: they are the key in vectorbt's cache.
    settings = dict(group_by=None, **portfolio.stats_defaults["settings"])
    if settings["freq"] != portfolio.wrapper.freq:
        portfolio = portfolio.resolve_self(cond_kwargs=settings, silence_warnings=True)
    return portfolio.resolve_attr("returns_acc", cond_kwargs=settings)


def return_series(portfolio: "Portfolio") -> tp.Frame:
    """Return the return series of a portfolio as a frame: those that its Sharpe ratios are made of.

    Args:
        portfolio (Portfolio): Portfolio of any number of columns or groups."""
    returns = returns_accessor(portfolio).obj.set_axis(portfolio.wrapper.index)
    return returns.to_frame() if returns.ndim == 1 else returns


def annualised_metrics(portfolio: "Portfolio") -> tp.List[str]:
    """Return the names of the metrics that `Portfolio.stats` leaves out of a portfolio without a frequency.

    Args:
        portfolio (Portfolio): Portfolio that `vectorbt.portfolio.registry.capture.frequency.measurable` has
            returned."""
    return [
        FIELD_NAMES.get(name, name)
        for name, settings in _chosen_metrics(portfolio).items()
        if settings.get("check_has_freq") or settings.get("check_has_year_freq")
    ]


# ############# Metrics ############# #


@overload
def _stats(portfolio: "Portfolio") -> tp.Optional[tp.Series]: ...


@overload
def _stats(portfolio: "Portfolio", *, agg_func: None) -> tp.Optional[tp.SeriesFrame]: ...


def _stats(portfolio: "Portfolio", **kwargs: tp.Any) -> tp.Optional[tp.SeriesFrame]:
    """Call `Portfolio.stats` with the names of the metrics in place of their titles, NaN for those that raise."""
    titles = {name: dict(title=name) for name in _chosen_metrics(portfolio)}
    ask = partial(portfolio.stats, silence_warnings=True, **kwargs)
    try:
        return ask(metric_settings=titles)
    except Exception:
        failing = _failing_metrics(ask, titles)
        stats = ask(
            metric_settings={name: {**title, **_OFF} if name in failing else title for name, title in titles.items()}
        )
        for name, reason in failing.items():
            warn(f"the metric {escaped(name)} is NaN, because it raised {_description(reason)}")
        return stats


_OFF: tp.Dict[str, tp.Any] = dict(
    calc_func=lambda portfolio, settings: float("nan"),
    resolve_calc_func=False,
    post_calc_func=None,
    apply_to_timedelta=False,
)
"""Settings by which a metric is NaN."""


def _failing_metrics(
    ask: tp.Callable[..., tp.Any], titles: tp.Dict[str, tp.Dict[str, tp.Any]]
) -> tp.Dict[str, Exception]:
    """Ask for one metric after the other, and return what those that raise have raised."""
    without = {name: {**title, **_OFF} for name, title in titles.items()}
    failing = {}
    for name, title in titles.items():
        try:
            ask(metric_settings={**without, name: title})
        except Exception as error:
            failing[name] = error
    return failing


def _description(error: Exception) -> str:
    return f"{type(error).__name__}: {escaped(text_of(error, str))}"


def _chosen_metrics(portfolio: "Portfolio") -> tp.Dict[str, tp.Dict[str, tp.Any]]:
    """Settings of the metrics that `Portfolio.stats` calculates, by their names.

    It numbers the names that occur more than once."""
    metrics = portfolio.stats_defaults["metrics"]
    if isinstance(metrics, str) and metrics == "all":
        metrics = portfolio.metrics
    if isinstance(metrics, dict):
        metrics = list(metrics.items())
    if isinstance(metrics, (str, tuple)):
        metrics = [metrics]
    pairs = [metric if isinstance(metric, tuple) else (metric, portfolio.metrics[metric]) for metric in metrics]
    occurrences = Counter(name for name, _ in pairs)
    numbers: tp.Counter[str] = Counter()
    chosen = {}
    for name, settings in pairs:
        chosen[name if occurrences[name] == 1 else f"{name}_{numbers[name]}"] = settings
        numbers[name] += 1
    return chosen


def _left_out(portfolio: "Portfolio") -> tp.List[str]:
    """Return the names of the metrics that vectorbt does not calculate for want of a frequency."""
    periods = periods_per_year(portfolio)
    return annualised_metrics(portfolio) if periods != periods else []


def _columns_of(stats: tp.Optional[tp.SeriesFrame], n_runs: int) -> tp.Dict[str, Column]:
    """Return what vectorbt has calculated as columns: None if there is no metric to calculate, a Series of one run, or
    a frame with a run in each row."""
    if stats is None:
        return {}
    if isinstance(stats, pd.Series):
        return {name: column_of([_recorded(value)] * n_runs) for name, value in zip(stats.index, stats.tolist())}
    return {tp.cast(str, name): as_column(stats[name], _recorded) for name in stats}


def _recorded(value: tp.Any) -> tp.Any:
    """Return what a metric says, encoded."""
    if isinstance(value, complex) and not value.imag:  # one complex number makes all of a row complex
        value = value.real
    if not isinstance(value, (np.generic, *AS_TEXT)):
        with suppress(TypeError, ValueError):  # nearly all values have an encoding
            return encode(value)
    return encode(recordable(value))


def _complete(columns: tp.Mapping[str, Column], n_runs: int, left_out: tp.Sequence[str]) -> tp.Dict[str, Column]:
    """Rename what is a field of a record, and fill in what is missing."""
    renamed = {FIELD_NAMES[name]: column for name, column in columns.items() if name in FIELD_NAMES}
    others = {name: column for name, column in columns.items() if name not in FIELD_NAMES}
    unknown = Numbers(np.full(n_runs, np.nan))
    stats = {**dict.fromkeys(HEADLINE, unknown), **dict.fromkeys(left_out, unknown), **others, **renamed}
    stats["total_trades"] = _whole(stats["total_trades"])
    return stats


def _whole(column: Column) -> Column:
    """Return numbers as integers where they are some."""
    if isinstance(column, Numbers) and column.values.dtype.kind == "f":
        return column_of([int(value) if value.is_integer() else encode(value) for value in column.values.tolist()])
    return column


# ############# Returns ############# #


def _returns_stats(portfolio: "Portfolio") -> tp.Dict[str, Column]:
    """Moments of each return series, see `measure`."""
    from vectorbt.base.reshape_fns import to_2d_array

    accessor = returns_accessor(portfolio)
    defaults = {**accessor.defaults, **portfolio.stats_defaults["settings"]}
    moments = _moments(accessor.to_2d_array(), defaults["risk_free"], defaults["ddof"])
    benchmark = to_2d_array(accessor.benchmark_rets)
    moments["benchmark_sharpe"] = _benchmark_sharpes(benchmark, defaults["risk_free"], defaults["ddof"])
    moments["periods_per_year"] = np.full(len(moments["n_obs"]), periods_per_year(portfolio))
    moments["bars_in_market"] = _bars_in_market(portfolio)
    moments["fee_rate"] = _fee_rates(portfolio)
    return {name: Numbers(values) for name, values in moments.items()}


def _moments(returns: tp.Array2d, risk_free: float, ddof: int) -> tp.Dict[str, tp.Array1d]:
    """Moments of each column of `returns`, a chunk of columns at a time."""
    chunks = []
    for start in range(0, returns.shape[1], _COLUMNS_AT_ONCE):
        series = np.ascontiguousarray(returns[:, start : start + _COLUMNS_AT_ONCE].T, dtype=np.float64)
        chunks.append(_series_moments(series, risk_free, ddof))
    return dict(zip(("sharpe", "n_obs", "skew", "kurtosis"), map(np.concatenate, zip(*chunks))))


def _benchmark_sharpes(returns: tp.Array2d, risk_free: float, ddof: int) -> tp.Array1d:
    """Sharpe ratio of each column of `returns`, those of equal columns computed once: a sweep repeats its prices."""
    first_ones, positions = distinct_columns(returns)
    sharpes = _moments(returns[:, first_ones], risk_free, ddof)["sharpe"]
    return np.where(np.isinf(sharpes), np.nan, sharpes)[positions]


def _series_moments(series: tp.Array2d, risk_free: float, ddof: int) -> tp.Tuple[tp.Array1d, ...]:
    """Sharpe ratio, number of observations, skewness and kurtosis of each row of `series`, NaN left out.

    Plain NumPy in two passes. SciPy checks its arguments for longer than it calculates, and warns."""
    missing = np.isnan(series)
    n_obs = series.shape[1] - np.count_nonzero(missing, axis=1)
    mean = np.sum(series, axis=1, where=~missing) / n_obs
    deviation = np.where(missing, 0.0, series - mean[:, np.newaxis])
    squared = deviation * deviation
    m2 = squared.sum(axis=1) / n_obs
    m3 = np.einsum("ij,ij->i", squared, deviation) / n_obs
    m4 = np.einsum("ij,ij->i", squared, squared) / n_obs

    std = np.sqrt(m2 * n_obs / np.where(n_obs > ddof, n_obs - ddof, np.nan))
    sharpe = np.where(std == 0, np.inf, (mean - risk_free) / std)
    if series.shape[1] < 2:
        sharpe[:] = np.nan
    m2 = np.where(m2 <= (ROUNDING * mean) ** 2, np.nan, m2)
    return sharpe, n_obs, m3 / m2**1.5, m4 / m2**2


def _bars_in_market(portfolio: "Portfolio") -> tp.Array1d:
    """Number of bars that end with a position, per column or group."""
    from vectorbt.base.reshape_fns import to_2d_array
    from vectorbt.portfolio.enums import Direction

    # With this argument stats() has computed them already.
    in_market = to_2d_array(portfolio.assets(direction=Direction.Both)) != 0
    grouper = portfolio.wrapper.grouper
    if grouper.is_grouped():
        in_market = np.logical_or.reduceat(in_market, grouper.get_group_start_idxs(), axis=1)
    return np.count_nonzero(in_market, axis=0)


def _fee_rates(portfolio: "Portfolio") -> tp.Array1d:
    """Fees paid over value traded, to six digits, per column or group. NaN where nothing was traded."""
    orders = portfolio.order_records
    n_columns = portfolio.wrapper.shape_2d[1]
    fees = np.bincount(orders["col"], orders["fees"], minlength=n_columns)
    traded = np.bincount(orders["col"], orders["size"] * orders["price"], minlength=n_columns)
    grouper = portfolio.wrapper.grouper
    if grouper.is_grouped():
        starts = grouper.get_group_start_idxs()
        fees, traded = np.add.reduceat(fees, starts), np.add.reduceat(traded, starts)
    rates = [float(f"{paid / value:.6g}") if value else float("nan") for paid, value in zip(fees, traded)]
    return np.array(rates, np.float64)
