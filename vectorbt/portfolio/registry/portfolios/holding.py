"""What holding the prices of a portfolio would have returned."""

import numpy as np

from vectorbt import _typing as tp

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio


def holding_returns(portfolio: "Portfolio") -> tp.Array2d:
    """Return the returns of holding the prices of a portfolio, without fees.

    The first one is zero, and so are those before a price is known. Assets of a group are held in equal parts, as in
    vectorbt's `Portfolio.benchmark_returns`.

    Args:
        portfolio (Portfolio): Portfolio of any number of columns or groups.

    Returns:
        array: One row per bar. One column if all columns have the same prices, else one per column or group."""
    from vectorbt.base.reshape_fns import to_2d_array

    if portfolio.wrapper.grouper.is_grouped():
        return np.nan_to_num(to_2d_array(portfolio.benchmark_returns()), nan=0.0, posinf=0.0, neginf=0.0)
    close = to_2d_array(portfolio.close)
    if np.array_equal(close, np.broadcast_to(close[:, :1], close.shape), equal_nan=True):
        close = close[:, :1]
    return _changes(_last_known(close.astype(float)))


def _last_known(prices: tp.Array2d) -> tp.Array2d:
    """Fill the gaps with the price before."""
    missing = np.isnan(prices)
    if not missing.any():
        return prices
    rows = np.maximum.accumulate(np.where(missing, 0, np.arange(len(prices))[:, None]), axis=0)
    return np.take_along_axis(prices, rows, axis=0)


def _changes(prices: tp.Array2d) -> tp.Array2d:
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = prices[1:] / prices[:-1] - 1
    return np.concatenate([np.zeros((1, prices.shape[1])), np.nan_to_num(changes, nan=0.0, posinf=0.0, neginf=0.0)])
