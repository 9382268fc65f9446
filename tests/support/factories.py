"""Records and portfolios that the tests of several modules share. The records are those of the shipped suite."""

import numpy as np
import pandas as pd

import vectorbt as vbt
from vectorbt.portfolio.registry.testing import START, make_record

__all__ = ["START", "make_portfolio", "make_price", "make_record", "make_sweep"]


def make_price(bars=60):
    """Return prices with a trend and waves, so that moving averages cross."""
    index = pd.date_range("2020-01-01", periods=bars, freq="D", name="Date")
    steps = np.arange(bars)
    return pd.Series(100 + 0.2 * steps + 8 * np.sin(steps / 5), index=index, name="SPX")


def make_portfolio(price=None, fast=3, slow=9, **kwargs):
    """Return a backtest of two moving averages."""
    price = make_price() if price is None else price
    fast_ma, slow_ma = price.rolling(fast).mean(), price.rolling(slow).mean()
    return vbt.Portfolio.from_signals(
        price, fast_ma > slow_ma, fast_ma < slow_ma, **{"freq": "1D", "fees": 0.001, **kwargs}
    )


def make_sweep(price=None, windows=((3, 9), (4, 9), (3, 12)), **kwargs):
    """Return one portfolio with a column per pair of windows."""
    price = make_price() if price is None else price
    columns = pd.MultiIndex.from_tuples(windows, names=["fast_window", "slow_window"])
    fast = pd.concat([price.rolling(fast).mean() for fast, _ in windows], axis=1, keys=columns)
    slow = pd.concat([price.rolling(slow).mean() for _, slow in windows], axis=1, keys=columns)
    fast.columns = slow.columns = columns
    return vbt.Portfolio.from_signals(price, fast > slow, fast < slow, **{"freq": "1D", "fees": 0.001, **kwargs})
