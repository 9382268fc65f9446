"""A portfolio to the files of the portable format.

Nothing is dropped in silence: what the format cannot represent is refused, by its name."""

import hashlib
from contextlib import contextmanager

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import encode
from vectorbt.portfolio.registry.errors import UnportablePortfolioError
from vectorbt.portfolio.registry.portfolios.columns import found_init_cash
from vectorbt.portfolio.registry.portfolios.portable.config import describe_array, encode_value, encode_wrapper
from vectorbt.portfolio.registry.portfolios.portable.format import (
    CALL_SEQ,
    ENTRIES,
    FORMAT,
    LOGS,
    MAIN,
    TABLES,
    VERSION,
)
from vectorbt.portfolio.registry.portfolios.portable.prices import WrittenPrices, own_description, write_prices
from vectorbt.portfolio.registry.portfolios.portable.records import (
    check_call_seq,
    check_records,
    write_call_seq,
    write_records,
)

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper
    from vectorbt.portfolio.base import Portfolio


def dump(portfolio: "Portfolio", stem: str) -> tp.Dict[str, bytes]:
    """Return a portfolio as files by name, the main one first.

    Raises:
        UnportablePortfolioError: If it holds something that the format cannot represent. The message names it."""
    try:
        check_portable(portfolio)
        return _dump(portfolio, stem)
    except (TypeError, ValueError) as e:
        raise UnportablePortfolioError(
            f"this portfolio cannot be written in the portable format: {e}; portfolio_format='pickle' takes it"
        ) from e


def _dump(portfolio: "Portfolio", stem: str) -> tp.Dict[str, bytes]:
    from vectorbt.portfolio.enums import log_dt, order_dt

    config, wrapper = portfolio.config, portfolio.config["wrapper"]
    encoded_wrapper = dict(encode_wrapper(wrapper), index=own_description(wrapper.index))
    header: tp.Dict[str, tp.Any] = dict(format=FORMAT, version=VERSION, wrapper=encoded_wrapper)
    for name, expected in (("order_records", order_dt), ("log_records", log_dt)):
        with _naming(name):
            check_records(config[name], expected, *wrapper.shape_2d)
    header["entries"] = {name: encode_value(config[name], name) for name in ENTRIES if name in config}
    header["found_init_cash"] = _found_init_cash(portfolio)
    header["close"], prices = _dump_close(config["close"], wrapper)
    further = {**_dump_logs(config["log_records"], stem, header), **_dump_call_seq(portfolio, stem, header)}
    header["digests"] = {
        name.removeprefix(stem): hashlib.sha256(content).hexdigest() for name, content in further.items()
    }
    memory = max(len(prices.positions), len(wrapper.columns)) * len(wrapper.index) * 8
    with _naming("order_records"):
        main = write_records(config["order_records"], header, memory)
    return {stem + MAIN: main, prices.name: prices.content, **further}


def check_portable(portfolio: "Portfolio") -> None:
    """Check that a portfolio consists of nothing but what the format knows.

    Raises:
        TypeError: If it does not. The message names what else there is."""
    from vectorbt.portfolio.base import Portfolio

    if type(portfolio) is not Portfolio:
        raise TypeError(f"it is a {type(portfolio).__name__}, a subclass of Portfolio")
    unknown = sorted(set(portfolio.config) - {*ENTRIES, *TABLES})
    if unknown:
        raise TypeError(f"its config has an entry {unknown[0]!r}, which is not known")
    for name in ("metrics", "subplots"):
        changed = _first_difference(getattr(portfolio, name), getattr(Portfolio, f"_{name}"))
        if changed is not None:
            raise TypeError(f"{name}[{changed!r}] is not that of Portfolio, and functions cannot be stored")


def _first_difference(found: tp.Mapping[str, tp.Any], expected: tp.Mapping[str, tp.Any]) -> tp.Optional[str]:
    """Return the first key under which two nested dicts differ, or None."""
    for key in dict.fromkeys([*expected, *found]):
        if key not in found or key not in expected or not _are_alike(found[key], expected[key]):
            return key
    return None


def _are_alike(found: tp.Any, expected: tp.Any) -> bool:
    """Return whether two values are equal. A function that was unpickled is not the one that was pickled."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_are_alike(found[key], expected[key]) for key in found)
    if isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(_are_alike, found, expected))
    if callable(found) and hasattr(expected, "__code__"):
        return getattr(found, "__code__", None) == expected.__code__
    if type(found) is not type(expected):
        return False
    if hasattr(expected, "__dict__"):
        return _are_alike(vars(found), vars(expected))
    return bool(found == expected)


@contextmanager
def _naming(name: str) -> tp.Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as e:
        raise type(e)(f"{name}: {e}") from e


def _found_init_cash(portfolio: "Portfolio") -> tp.Optional[tp.Dict[str, tp.Any]]:
    """Return the initial cash that a mode has found by looking at all columns, since one column cannot tell."""
    if portfolio.wrapper.get_ndim() == 1:
        return None
    return encode(found_init_cash(portfolio), "the initial cash")


def _dump_close(close: tp.ArrayLike, wrapper: "ArrayWrapper") -> tp.Tuple[tp.Dict[str, tp.Any], WrittenPrices]:
    n_bars = len(wrapper.index)
    if not _has_row_per_bar(close, n_bars):
        prices = write_prices(np.empty((n_bars, 0)), wrapper.index, VERSION)
        return dict(value=encode_value(close, "close"), prices=prices.name), prices
    described, values = _describe_matrix(close, wrapper, "close")
    prices = write_prices(values, wrapper.index, VERSION)
    positions = encode(prices.positions) if prices.positions.any() else len(prices.positions)
    return dict(described, positions=positions, prices=prices.name), prices


def _has_row_per_bar(value: tp.Any, n_bars: int) -> bool:
    return isinstance(value, (np.ndarray, pd.Series, pd.DataFrame)) and value.ndim in (1, 2) and len(value) == n_bars


def _describe_matrix(
    value: tp.ArrayLike, wrapper: "ArrayWrapper", name: str
) -> tp.Tuple[tp.Dict[str, tp.Any], tp.Array2d]:
    """Return how an array with a row per bar is wrapped and stored in memory, and its values as bars by columns."""
    described = describe_array(value, name, wrapper)
    values = np.asarray(value)
    if values.dtype.kind not in "iufb":
        raise TypeError(f"{name} has the type {values.dtype}; expected numbers")
    is_fortran = values.ndim == 2 and values.flags.f_contiguous and not values.flags.c_contiguous
    return dict(described, dtype=values.dtype.str, fortran=is_fortran), values.reshape(len(values), -1)


def _dump_logs(records: tp.RecordArray, stem: str, header: tp.Dict[str, tp.Any]) -> tp.Dict[str, bytes]:
    with _naming("log_records"):
        content = write_records(records, {})
    if len(records):
        return {stem + LOGS: content}
    header["no_logs"] = encode(records)
    return {}


def _dump_call_seq(portfolio: "Portfolio", stem: str, header: tp.Dict[str, tp.Any]) -> tp.Dict[str, bytes]:
    call_seq, wrapper = portfolio.config.get("call_seq"), portfolio.config["wrapper"]
    if call_seq is None:
        return {}
    if (
        not _has_row_per_bar(call_seq, len(wrapper.index))
        or call_seq.size != np.prod(wrapper.shape_2d)
        or not call_seq.size
    ):
        raise TypeError("call_seq has another shape than the portfolio")
    header["call_seq"], values = _describe_matrix(call_seq, wrapper, "call_seq")
    check_call_seq(values, wrapper, portfolio.cash_sharing)
    return {stem + CALL_SEQ: write_call_seq(values)}
