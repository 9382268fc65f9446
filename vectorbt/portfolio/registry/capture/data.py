"""The data of a run: fingerprint, period, frequency and symbols of its prices."""

import re

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.data_blocks import describe_blocks
from vectorbt.portfolio.registry.capture.fingerprint import (
    column_fingerprints,
    distinct_prices,
    joined,
    price_fingerprints,
)
from vectorbt.portfolio.registry.capture.frequency import measurable
from vectorbt.portfolio.registry.capture.labels import duration_text, levels_of, recordable
from vectorbt.portfolio.registry.capture.quiet import quiet
from vectorbt.portfolio.registry.capture.year import bars_per_year

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

__all__ = ["MAX_SYMBOLS", "describe_columns", "describe_data", "fingerprints_of"]

MAX_SYMBOLS = 10
"""Number of symbols that a description of data lists."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")

_SYMBOL_LEVELS = ("symbol", "ticker", "asset")
"""Names, in lower case, of a column level that holds symbols."""


def describe_data(portfolio: "Portfolio") -> tp.Dict[str, tp.Any]:
    """Describe the data of a portfolio as one run.

    Args:
        portfolio (Portfolio): Portfolio whose data to describe.

    Returns:
        A dict of:

        * `fingerprint`: fingerprint of the close prices, see `vectorbt.portfolio.registry.capture.fingerprint`.
        * `blocks`: hashes by which overlapping prices are found, see
            `vectorbt.portfolio.registry.capture.data_blocks`. The key is not there if there are too few bars.
        * `start` and `end`: first and last label of the index, as
            `vectorbt.portfolio.registry.capture.labels.recordable` returns them: what has no faithful encoding
            stands as text.
        * `bars`: length of the index.
        * `frequency`: the `pd.Timedelta` that is one period as text, such as `1 days`. None if there is none, or it is
            no fixed length of time.
        * `bars_per_year`: number of bars in a calendar year. The key is not there if the labels are no times or span
            less than four weeks.
        * `symbols`: what the columns say about it. They are the labels of a column level called `symbol`, `ticker`
            or `asset`, or else those of an only level without a name if they are strings. Other labels are
            parameters, and the key is not there. At most `MAX_SYMBOLS`.
        * `n_symbols`: number of symbols, if it is more than `MAX_SYMBOLS`.
        * `columns`: number of columns, or groups, of which the metrics are the mean, if it is more than one."""
    description = _describe(portfolio, [range(portfolio.wrapper.shape_2d[1])])[0]
    columns = len(portfolio.wrapper.get_columns())
    return description if columns == 1 else {**description, "columns": columns}


def describe_columns(portfolio: "Portfolio") -> tp.List[tp.Dict[str, tp.Any]]:
    """Describe the data of each column of a portfolio, or of each group if it is grouped.

    Args:
        portfolio (Portfolio): Portfolio whose data to describe.

    Returns:
        One dict, as `describe_data` returns it without `columns`, per column or group, in their order."""
    wrapper = portfolio.wrapper
    positions = range(wrapper.shape_2d[1])
    if not wrapper.grouper.is_grouped():
        return _describe(portfolio, [[position] for position in positions])
    starts = wrapper.grouper.get_group_start_idxs().tolist()
    return _describe(portfolio, [positions[start:end] for start, end in zip(starts, [*starts[1:], None])])


def fingerprints_of(data: tp.Union[str, tp.SeriesFrame, "Portfolio"]) -> tp.Tuple[str, ...]:
    """Return the fingerprints of the runs that were made on some data: on all of it, on one column, or on one group.

    Args:
        data (str, pd.Series, pd.DataFrame, or Portfolio): A fingerprint, prices, or a portfolio, whose close prices
            are meant.

    Raises:
        TypeError: If `data` is none of these, or the prices are not numbers.
        ValueError: If `data` is a string but no fingerprint."""
    from vectorbt.portfolio.base import Portfolio

    if isinstance(data, str):
        if _FINGERPRINT.fullmatch(data) is None:
            raise ValueError(f"A data fingerprint has 64 digits out of 0-9 and a-f, got {data!r}")
        return (data,)
    if isinstance(data, Portfolio):
        described = [describe_data(data), *describe_columns(data)]
        return tuple(dict.fromkeys(description["fingerprint"] for description in described))
    if isinstance(data, (pd.Series, pd.DataFrame)):
        columns = column_fingerprints(data, data.index)
        return tuple(dict.fromkeys([joined(columns), *columns]))
    raise TypeError(
        "Data must be given as a fingerprint, prices (a pandas Series or DataFrame), or a Portfolio, "
        f"not {type(data).__name__}"
    )


def _describe(portfolio: "Portfolio", runs: tp.Iterable[tp.Sequence[int]]) -> tp.List[tp.Dict[str, tp.Any]]:
    """Describe the data of runs, each given by the positions of its columns."""
    wrapper = portfolio.wrapper
    prices, rows = distinct_prices(portfolio.close, wrapper.index)
    fingerprints = price_fingerprints(prices, wrapper.index)
    symbols = _column_symbols(wrapper.columns)
    period = dict(
        start=recordable(wrapper.index[0]),
        end=recordable(wrapper.index[-1]),
        bars=len(wrapper.index),
        frequency=_frequency(portfolio),
    )
    counted = bars_per_year(wrapper.index)
    if counted is not None:
        period["bars_per_year"] = counted
    # The same data are described by the same dict, which is then encoded and compared once.
    descriptions: tp.Dict[tp.Any, tp.Dict[str, tp.Any]] = {}
    priced: tp.List[tp.List[int]] = []
    described = []
    for positions in runs:
        distinct_rows = list(dict.fromkeys(rows[positions].tolist()))
        fingerprint = joined(fingerprints[row] for row in distinct_rows)
        distinct = tuple(dict.fromkeys(symbols[position] for position in positions)) if symbols else ()
        key = (fingerprint, distinct, *map(type, distinct))  # 1 equals 1.0
        if key not in descriptions:
            descriptions[key] = dict(fingerprint=fingerprint, **period, **_named(distinct))
            priced.append(distinct_rows)
        described.append(descriptions[key])
    for description, blocks in zip(descriptions.values(), describe_blocks(prices, wrapper.index, priced)):
        if blocks:
            description["blocks"] = blocks
    return described


def _named(symbols: tp.Sequence[str]) -> tp.Dict[str, tp.Any]:
    """Return what is kept of the names of symbols."""
    if not symbols:
        return {}
    named: tp.Dict[str, tp.Any] = {"symbols": list(symbols[:MAX_SYMBOLS])}
    if len(symbols) > MAX_SYMBOLS:
        named["n_symbols"] = len(symbols)
    return named


def _frequency(portfolio: "Portfolio") -> tp.Optional[str]:
    with quiet():
        frequency = measurable(portfolio).wrapper.freq
        return None if frequency is None else duration_text(frequency)


def _column_symbols(columns: tp.Index) -> tp.List[tp.Any]:
    """Return the symbol of each column, or an empty list if the labels do not tell."""
    for labels, name in zip(levels_of(columns), columns.names):
        if isinstance(name, str) and name.lower() in _SYMBOL_LEVELS:
            return [recordable(label) for label in labels]
    names = columns.tolist()
    if columns.names == [None] and all(isinstance(name, str) for name in names):
        return names
    return []
