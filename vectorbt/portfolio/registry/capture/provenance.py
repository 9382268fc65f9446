"""Where a run comes from: its prices, the versions and settings that measured it, and the state of the code.

**Fingerprint.** The fingerprint of one column of prices is the SHA-256, in hexadecimal, of these bytes:

1. one byte for the kind of index: `t` points in time, `d` durations, `i` integers, `s` anything else;
2. the number of bars, 8 bytes;
3. the index. For `t` nanoseconds since 1970 in UTC (naive times are read as UTC), for `d` nanoseconds, for `i` the
   integers, 8 bytes each. For `s` the ISO form of each label (or its `str`, if it has none) in UTF-8, preceded by its
   length in bytes as decimal digits and a colon. Times too far away to be counted in nanoseconds are of kind `s`;
4. the prices as float64, 8 bytes each, with one bit pattern for NaN and one for zero.

All numbers are little-endian. The unit, the zone and the name of the index, and the name of the prices, do not count.

The fingerprint of several columns is the SHA-256 of the fingerprints of the columns, in their order, joined by
newlines. A column that repeats an earlier one is left out, and a single fingerprint that remains stands for itself. So
the fingerprint of thousands of columns of parameters over one series of prices is that of the series."""

import hashlib
import platform
import re
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt._settings import settings
from vectorbt.portfolio.registry.capture.git import git_state
from vectorbt.portfolio.registry.capture.labels import as_numpy, levels_of, recordable
from vectorbt.portfolio.registry.capture.quiet import quiet

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper
    from vectorbt.portfolio.base import Portfolio

__all__ = [
    "MAX_SYMBOLS",
    "describe_columns",
    "describe_data",
    "differences",
    "environment",
    "fingerprint",
    "fingerprints_of",
    "metric_settings",
]

MAX_SYMBOLS = 10
"""Number of symbols that a description of data lists."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")

_SYMBOL_LEVELS = ("symbol", "ticker", "asset")
"""Names, in lower case, of a column level that holds symbols."""

_SAMPLED_BARS = 8
"""Bars by which columns that may be equal are found before they are compared in full."""

_COLUMNS_AT_ONCE = 64
"""Columns that are compared in full together, which bounds the memory it takes."""

_ALWAYS_RECORDED = ("year_freq", "trades_type")
"""Settings that an environment has even if they are vectorbt's defaults."""


# ############# Fingerprint ############# #


def fingerprint(close: tp.ArrayLike, index: tp.Index) -> str:
    """Fingerprint of prices, as the module's documentation defines it.

    Args:
        close (array_like): Prices, one column or several.
        index (pd.Index): Index of the prices.

    Raises:
        TypeError: If the prices are not numbers.
        ValueError: If prices and index differ in length.
    """
    return _joined(_column_fingerprints(close, index))


def fingerprints_of(data: tp.Union[str, tp.SeriesFrame, "Portfolio"]) -> tp.Tuple[str, ...]:
    """Fingerprints of the runs that were made on some data: on all of it, on one column, or on one group.

    Args:
        data (str, pd.Series, pd.DataFrame, or Portfolio): A fingerprint, prices, or a portfolio, whose close prices
            are meant.

    Raises:
        TypeError: If `data` is none of these, or the prices are not numbers.
        ValueError: If `data` is a string but no fingerprint.
    """
    from vectorbt.portfolio.base import Portfolio

    if isinstance(data, str):
        if _FINGERPRINT.fullmatch(data) is None:
            raise ValueError(f"A data fingerprint has 64 digits out of 0-9 and a-f, got {data!r}")
        return (data,)
    if isinstance(data, Portfolio):
        described = [describe_data(data), *describe_columns(data)]
        return tuple(dict.fromkeys(description["fingerprint"] for description in described))
    if isinstance(data, (pd.Series, pd.DataFrame)):
        columns = _column_fingerprints(data, data.index)
        return tuple(dict.fromkeys([_joined(columns), *columns]))
    raise TypeError(
        "Data must be given as a fingerprint, prices (a pandas Series or DataFrame), or a Portfolio, "
        f"not {type(data).__name__}"
    )


def _joined(fingerprints: tp.Iterable[str]) -> str:
    distinct = list(dict.fromkeys(fingerprints))
    return distinct[0] if len(distinct) == 1 else hashlib.sha256("\n".join(distinct).encode()).hexdigest()


def _column_fingerprints(close: tp.ArrayLike, index: tp.Index) -> tp.List[str]:
    """Fingerprint of each column; equal columns are hashed once."""
    columns = _price_columns(close, index)
    indexed = hashlib.sha256(_index_bytes(index))
    fingerprints = [""] * len(columns)
    for positions in _equal_columns(columns):
        hashed = indexed.copy()
        hashed.update(_price_bytes(columns[positions[0]]))
        for position in positions:
            fingerprints[position] = hashed.hexdigest()
    return fingerprints


def _price_columns(close: tp.ArrayLike, index: tp.Index) -> tp.Array2d:
    """Prices as float64, one column in each row of the array."""
    try:
        if isinstance(close, (pd.Series, pd.DataFrame)) and not _is_numpys(close):
            close = close.astype(np.float64)  # which makes NaN of what is missing
        columns = np.atleast_2d(np.asarray(close, dtype=np.float64).T)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Prices must be numbers: {error}") from error
    if columns.shape[1] != len(index):
        raise ValueError(f"Prices and index must have the same length, got {columns.shape[1]} and {len(index)}")
    return columns


def _is_numpys(prices: tp.SeriesFrame) -> bool:
    """Whether all columns are of types that NumPy knows, rather than nullable ones or those of Arrow."""
    return all(isinstance(dtype, np.dtype) for dtype in pd.DataFrame(prices).dtypes.unique())


def _equal_columns(columns: tp.Array2d) -> tp.List[tp.List[int]]:
    """Positions of the columns, those together that are the same bit by bit.

    A sweep repeats the same prices thousands of times, which is faster to see than to hash. Columns that agree in
    the sampled bars but not with the first of their kind stand alone, even if they equal each other."""
    bits = columns.view(np.int64)
    sampled_bars = np.linspace(0, columns.shape[1] - 1, _SAMPLED_BARS).astype(int) if columns.shape[1] else []
    alike = defaultdict(list)
    for position, sample in enumerate(np.ascontiguousarray(bits[:, sampled_bars])):
        alike[sample.tobytes()].append(position)
    equal_columns = []
    for positions in alike.values():
        first, others = positions[0], positions[1:]
        equal, unequal = [first], []
        for start in range(0, len(others), _COLUMNS_AT_ONCE):
            chunk = others[start : start + _COLUMNS_AT_ONCE]
            for position, is_equal in zip(chunk, (bits[chunk] == bits[first]).all(axis=1)):
                (equal if is_equal else unequal).append(position)
        equal_columns += [equal, *([position] for position in unequal)]
    return equal_columns


def _price_bytes(prices: tp.Array1d) -> bytes:
    canonical = prices + 0.0  # -0.0 becomes 0.0
    canonical[np.isnan(canonical)] = np.nan
    return canonical.astype("<f8", copy=False).tobytes()


def _index_bytes(index: tp.Index) -> bytes:
    kind, encoded = _encoded_index(index)
    return kind + len(index).to_bytes(8, "little") + encoded


def _encoded_index(index: tp.Index) -> tp.Tuple[bytes, bytes]:
    """Kind and bytes of an index."""
    index = as_numpy(index)
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert(None)
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        with suppress(pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
            kind = b"t" if isinstance(index, pd.DatetimeIndex) else b"d"
            return kind, index.as_unit("ns").asi8.astype("<i8", copy=False).tobytes()
    if pd.api.types.is_integer_dtype(index.dtype) and not index.hasnans:
        return b"i", index.to_numpy().astype("<i8", copy=False).tobytes()
    return b"s", b"".join(_label_bytes(label) for label in index.tolist())


def _label_bytes(label: tp.Any) -> bytes:
    if isinstance(label, tuple):
        encoded = b"".join(_label_bytes(part) for part in label)
    else:
        text = label.isoformat() if hasattr(label, "isoformat") else str(label)
        encoded = text.encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(encoded), encoded)


# ############# Data ############# #


def describe_data(portfolio: "Portfolio") -> tp.Dict[str, tp.Any]:
    """Describe the data of a portfolio as one run.

    Args:
        portfolio (Portfolio): Portfolio whose data to describe.

    Returns:
        A dict of:

        * `fingerprint`: fingerprint of the close prices, see the module's documentation.
        * `start` and `end`: first and last label of the index, as
            `vectorbt.portfolio.registry.capture.labels.recordable` returns them: what has no faithful encoding
            stands as text.
        * `bars`: length of the index.
        * `frequency`: the `pd.Timedelta` that is one period as text, such as `1 days`, or None.
        * `symbols`: what the columns say about it. They are the labels of a column level called `symbol`, `ticker`
            or `asset`, or else those of an only level without a name if they are strings. Other labels are
            parameters, and the key is not there. At most `MAX_SYMBOLS`.
        * `n_symbols`: number of symbols, if it is more than `MAX_SYMBOLS`.
    """
    return _describe(portfolio, [range(portfolio.wrapper.shape_2d[1])])[0]


def describe_columns(portfolio: "Portfolio") -> tp.List[tp.Dict[str, tp.Any]]:
    """Describe the data of each column of a portfolio, or of each group if it is grouped.

    Args:
        portfolio (Portfolio): Portfolio whose data to describe.

    Returns:
        One dict, as `describe_data` returns it, per column or group, in their order.
    """
    wrapper = portfolio.wrapper
    positions = range(wrapper.shape_2d[1])
    if not wrapper.grouper.is_grouped():
        return _describe(portfolio, [[position] for position in positions])
    starts = wrapper.grouper.get_group_start_idxs().tolist()
    return _describe(portfolio, [positions[start:end] for start, end in zip(starts, [*starts[1:], None])])


def _describe(portfolio: "Portfolio", runs: tp.Iterable[tp.Sequence[int]]) -> tp.List[tp.Dict[str, tp.Any]]:
    """Describe the data of runs, each given by the positions of its columns."""
    wrapper = portfolio.wrapper
    fingerprints = _column_fingerprints(portfolio.close, wrapper.index)
    symbols = _column_symbols(wrapper.columns)
    period = dict(
        start=recordable(wrapper.index[0]),
        end=recordable(wrapper.index[-1]),
        bars=len(wrapper.index),
        frequency=_frequency(wrapper),
    )
    # The same data are described by the same dict, which is then encoded and compared once.
    descriptions: tp.Dict[tp.Any, tp.Dict[str, tp.Any]] = {}
    described = []
    for positions in runs:
        fingerprint = _joined(fingerprints[position] for position in positions)
        distinct = tuple(dict.fromkeys(symbols[position] for position in positions)) if symbols else ()
        key = (fingerprint, distinct, *map(type, distinct))  # 1 equals 1.0
        if key not in descriptions:
            descriptions[key] = dict(fingerprint=fingerprint, **period, **_named(distinct))
        described.append(descriptions[key])
    return described


def _named(symbols: tp.Sequence[str]) -> tp.Dict[str, tp.Any]:
    """Return what is kept of the names of symbols."""
    if not symbols:
        return {}
    named: tp.Dict[str, tp.Any] = {"symbols": list(symbols[:MAX_SYMBOLS])}
    if len(symbols) > MAX_SYMBOLS:
        named["n_symbols"] = len(symbols)
    return named


def _frequency(wrapper: "ArrayWrapper") -> tp.Optional[str]:
    with quiet():
        return None if wrapper.freq is None else _duration_text(wrapper.freq)


def _duration_text(duration: pd.Timedelta) -> str:
    """Return a duration as pandas writes it, in whole days if it is some: a record has few bytes to spare."""
    return str(duration).removesuffix(" 00:00:00")


def _column_symbols(columns: tp.Index) -> tp.List[tp.Any]:
    """Symbol of each column, or an empty list if the labels do not tell."""
    for labels, name in zip(levels_of(columns), columns.names):
        if isinstance(name, str) and name.lower() in _SYMBOL_LEVELS:
            return [recordable(label) for label in labels]
    labels = columns.tolist()
    if columns.names == [None] and all(isinstance(label, str) for label in labels):
        return labels
    return []


# ############# Environment ############# #


def environment(portfolio: tp.Optional["Portfolio"] = None) -> tp.Dict[str, tp.Any]:
    """Describe what the metrics of a run depend on besides its portfolio.

    Args:
        portfolio (Portfolio): Portfolio that is measured, whose own settings precede vectorbt's global ones.

    Returns:
        A dict of strings `python`, `vectorbt`, `numpy`, `pandas` (versions) and `platform`, and:

        * `git`: dict of `commit` (None before the first one) and `dirty`, whether tracked files differ from it. None
            if the working folder is in no repository, or git does not answer.
        * `settings`: what `metric_settings` returns.
    """
    return dict(**_versions(), git=git_state(), settings=metric_settings(portfolio))


def metric_settings(portfolio: tp.Optional["Portfolio"] = None) -> tp.Dict[str, tp.Any]:
    """Return the settings that `Portfolio.stats` depends on.

    Args:
        portfolio (Portfolio): Portfolio that is measured, whose own settings precede vectorbt's global ones.

    Returns:
        Values by name. `year_freq` and `trades_type` are always there, others if they differ from the defaults that
        vectorbt ships."""
    return {
        name: value
        for name, value in _all_metric_settings(settings, portfolio).items()
        if name in _ALWAYS_RECORDED or name not in _SHIPPED_SETTINGS or value != _SHIPPED_SETTINGS[name]
    }


def differences(
    recorded: tp.Mapping[str, tp.Any], current: tp.Mapping[str, tp.Any]
) -> tp.Dict[str, tp.Tuple[tp.Any, tp.Any]]:
    """Return the settings that metrics depend on and that are not now what they were when a run was saved.

    Args:
        recorded (mapping): What `environment` returned when the run was saved. If it tells no settings, as in a
            record of the older layout, nothing is known to differ.
        current (mapping): What `metric_settings` returns now.

    Returns:
        The recorded and the current value by the name of the setting.
    """
    if "settings" not in recorded:
        return {}
    then, now = ({**_SHIPPED_SETTINGS, **values} for values in (recorded["settings"], current))
    names = dict.fromkeys([*then, *now])
    return {name: (then.get(name), now.get(name)) for name in names if then.get(name) != now.get(name)}


@lru_cache(maxsize=1)
def _versions() -> tp.Dict[str, str]:
    import vectorbt

    return dict(
        python=platform.python_version(),
        vectorbt=vectorbt.__version__,
        numpy=np.__version__,
        pandas=pd.__version__,
        platform=f"{platform.system()}-{platform.machine()}",
    )


def _all_metric_settings(config: tp.Mapping, portfolio: tp.Optional["Portfolio"] = None) -> tp.Dict[str, tp.Any]:
    """All settings in `config` that `Portfolio.stats` depends on, in the order in which vectorbt merges them."""
    stats_settings = config["portfolio"]["stats"]
    values = dict(
        config["returns"]["defaults"],
        year_freq=config["returns"]["year_freq"],
        freq=config["array_wrapper"]["freq"],
        engine=config.get("engine"),
        fillna_close=config["portfolio"]["fillna_close"],
        trades_type=config["portfolio"]["trades_type"],
    )
    if portfolio is not None:
        values.update(fillna_close=portfolio.fillna_close, trades_type=portfolio.trades_type)
        values["engine"] = getattr(portfolio, "engine", None) or values["engine"]
        if portfolio.wrapper.config["freq"] is not None:  # which precedes vectorbt's
            values["freq"] = None
    values.update(config["stats_builder"]["settings"])
    values.update(stats_settings["settings"])
    for metric_settings in (config["stats_builder"]["metric_settings"], stats_settings.get("metric_settings", {})):
        for metric, overrides in metric_settings.items():
            values.update({f"{metric}.{name}": value for name, value in overrides.items()})
    return {name: _setting(name, value) for name, value in values.items()}


def _setting(name: str, value: tp.Any) -> tp.Any:
    """Value of a setting, the same for equal settings however they are written."""
    from vectorbt.portfolio.enums import TradesType
    from vectorbt.utils.datetime_ import freq_to_timedelta
    from vectorbt.utils.enum_ import map_enum_fields

    name = name.rpartition(".")[2]
    if value is None or isinstance(value, bool):
        return value
    if name in ("freq", "year_freq"):
        with quiet():
            return _duration_text(freq_to_timedelta(value))
    if name == "trades_type":
        return TradesType._fields[map_enum_fields(value, TradesType)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, int, float)):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__)


# Taken when the module is imported: a later `settings.make_checkpoint()` replaces what vectorbt shipped.
_SHIPPED_SETTINGS = _all_metric_settings(settings.reset_dct_)
