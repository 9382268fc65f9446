"""Records and portfolios that the tests of several modules share."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

import vectorbt as vbt
from vectorbt.portfolio.registry import RunRecord

START = datetime(2024, 1, 1, tzinfo=UTC)


def make_record(number=0, **fields):
    """Return a record without a portfolio. Its id, timestamp and metrics follow from `number`."""
    defaults = dict(
        run_id=str(uuid.UUID(int=number + 1, version=4)),
        timestamp=START + timedelta(hours=number),
        strategy_name="dual_sma",
        parameters={"fast": number, "slow": 50},
        total_return=10.0 + number,
        sharpe_ratio=0.5 + number / 10,
        max_drawdown=20.0 - number,
        total_trades=number,
        win_rate=50.0,
        tags=["daily"],
        stats={"sortino_ratio": 1.0 + number, "max_dd_duration": pd.Timedelta(days=number)},
        data={"fingerprint": "ab" * 32, "bars": 100},
    )
    return RunRecord(**{**defaults, **fields})


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
