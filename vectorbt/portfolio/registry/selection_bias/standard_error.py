"""How uncertain a Sharpe ratio is if the returns depend on those before."""

import operator

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.return_matrix import has_sharpe_ratio

__all__ = ["robust_probabilistic_sharpe_ratio", "sharpe_standard_error"]


def sharpe_standard_error(returns: tp.ArrayLike, n_lags: tp.Optional[int] = None) -> float:
    """Standard error of an estimated Sharpe ratio per period, whatever the distribution of the returns and whether or
    not they are serially correlated.

    The Sharpe ratio reacts to a return by z - SR / 2 (z^2 - 1), with z the return in standard deviations from its mean;
    the long-run variance of that, estimated with the weights of Newey and West (1987), over T is the squared error
    (Lo, "The Statistics of Sharpe Ratios", 2002).

    Args:
        returns (array_like): Per-period returns, one dimension, T values.
        n_lags (int): Lags that count. By default 4 (T / 100)^(2/9), rounded down. With 0 the returns count as
            independent.

    Raises:
        ValueError: If `returns` does not have one dimension or has no Sharpe ratio, or `n_lags` is out of range."""
    series = np.asarray(returns, dtype=float)
    if series.ndim != 1 or not has_sharpe_ratio(series[:, None]).all():
        raise ValueError("returns must be one series of finite returns that vary")
    n_obs = len(series)
    if n_lags is None:
        n_lags = min(int(4 * (n_obs / 100) ** (2 / 9)), n_obs - 1)
    if not 0 <= operator.index(n_lags) < n_obs:
        raise ValueError(f"n_lags must be from 0 to {n_obs - 1}, less than the number of returns; got {n_lags}")
    scores = (series - series.mean()) / series.std()
    reaction = scores - series.mean() / series.std() / 2 * (scores**2 - 1)
    products = np.array([reaction[lag:] @ reaction[: n_obs - lag] for lag in range(n_lags + 1)])
    weights = 2 * (1 - np.arange(n_lags + 1) / (n_lags + 1))
    weights[0] = 1
    return float(np.sqrt(max(weights @ products, 0.0)) / n_obs)


def robust_probabilistic_sharpe_ratio(
    returns: tp.ArrayLike, benchmark_sharpe: float = 0.0, n_lags: tp.Optional[int] = None
) -> float:
    """Probability that the true Sharpe ratio exceeds a benchmark, with `sharpe_standard_error` in place of the error
    that assumes independent returns.

    Args:
        returns (array_like): Per-period returns, one dimension.
        benchmark_sharpe (float): Sharpe ratio per period to exceed.
        n_lags (int): Lags that count, as in `sharpe_standard_error`.

    Raises:
        ValueError: As `sharpe_standard_error` does."""
    from scipy.stats import norm

    error = sharpe_standard_error(returns, n_lags)
    series = np.asarray(returns, dtype=float)
    excess = series.mean() / series.std(ddof=1) - benchmark_sharpe
    return float(norm.cdf(excess / error)) if error > 0 else float(np.heaviside(excess, 0.5))
