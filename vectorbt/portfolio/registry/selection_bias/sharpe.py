"""A Sharpe ratio and luck: its probability alone and after many trials, and the lengths of record that they need.

Functions of numbers and arrays, after Bailey, Lopez de Prado and others. None of them needs a registry.

Unless said otherwise, a Sharpe ratio is **per period** (not annualised), kurtosis is **raw** (3 for a Normal
distribution), and the number of observations counts the returns that the Sharpe ratio was estimated from. Arguments
are scalars or arrays that broadcast against each other; scalars give a Python float. NaN and infinite Sharpe ratios, as
those of strategies that never traded, give NaN and leave the rest alone.

Usage:
    The best of 100 trials has a Sharpe ratio of 2.5 a year over five years of daily returns:

    ```pycon
    >>> from vectorbt.portfolio.registry.selection_bias import deflated_sharpe_ratio

    >>> deflated_sharpe_ratio(
    ...     2.5 / 250**0.5, 1250, skew=-3, kurtosis=10, n_trials=100, sharpe_variance=0.5 / 250
    ... )
    0.9003968344...
    ```"""

import numpy as np

from vectorbt import _typing as tp

__all__ = [
    "probabilistic_sharpe_ratio",
    "min_track_record_length",
    "expected_max_sharpe",
    "deflated_sharpe_ratio",
    "min_backtest_length",
]


def probabilistic_sharpe_ratio(
    sharpe: tp.ArrayLike,
    n_obs: tp.ArrayLike,
    skew: tp.ArrayLike,
    kurtosis: tp.ArrayLike,
    benchmark_sharpe: tp.ArrayLike = 0.0,
) -> tp.MaybeArray[float]:
    """Probability that the true Sharpe ratio exceeds a benchmark.

    PSR = Z[(SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)], with Z the distribution function of the
    standard Normal, g3 the skewness and g4 the raw kurtosis of the returns (Bailey and Lopez de Prado, "The Sharpe
    Ratio Efficient Frontier", 2012).

    Args:
        sharpe (float or array_like): Estimated Sharpe ratio per period, SR.
        n_obs (int or array_like): Number of returns, T.
        skew (float or array_like): Skewness of the returns.
        kurtosis (float or array_like): Raw kurtosis of the returns, 3 for a Normal distribution.
        benchmark_sharpe (float or array_like): Sharpe ratio per period to exceed, SR*.

    Raises:
        ValueError: If `kurtosis` is below `1 + skew**2`, which no distribution has and an excess kurtosis often is, or
            if there are fewer than two observations."""
    from scipy.stats import norm

    sharpe, n_obs, skew, kurtosis, benchmark = _broadcast(sharpe, n_obs, skew, kurtosis, benchmark_sharpe)
    sharpe = _finite_or_nan(sharpe)
    _check_moments(skew, kurtosis)
    _check_observations(n_obs, sharpe)
    excess = (sharpe - benchmark) * np.sqrt(np.maximum(n_obs, 1) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = excess / np.sqrt(_sharpe_error_factor(sharpe, skew, kurtosis))
    return _scalar_or_array(norm.cdf(np.where(excess == 0, 0.0, score)))


def min_track_record_length(
    sharpe: tp.ArrayLike,
    skew: tp.ArrayLike,
    kurtosis: tp.ArrayLike,
    benchmark_sharpe: tp.ArrayLike = 0.0,
    confidence: float = 0.95,
) -> tp.MaybeArray[float]:
    """Number of observations from which on `probabilistic_sharpe_ratio` reaches a confidence.

    MinTRL = 1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (Z^-1(confidence) / (SR - SR*))^2 (Bailey and Lopez de Prado, 2012).
    The result is in observations, not rounded up, and infinite if the Sharpe ratio is not above its benchmark.

    Args:
        sharpe (float or array_like): Estimated Sharpe ratio per period, SR.
        skew (float or array_like): Skewness of the returns, g3.
        kurtosis (float or array_like): Raw kurtosis of the returns, g4.
        benchmark_sharpe (float or array_like): Sharpe ratio per period to exceed, SR*.
        confidence (float): Probability to reach, from 0.5 to below 1.

    Raises:
        ValueError: If `kurtosis` is below `1 + skew**2`, or `confidence` is out of range."""
    from scipy.stats import norm

    if not 0.5 <= confidence < 1:
        raise ValueError(f"confidence must be at least 0.5 and below 1, got {confidence!r}")
    sharpe, skew, kurtosis, benchmark = _broadcast(sharpe, skew, kurtosis, benchmark_sharpe)
    sharpe = _finite_or_nan(sharpe)
    _check_moments(skew, kurtosis)
    with np.errstate(divide="ignore", invalid="ignore"):
        shortfall = norm.ppf(confidence) / (sharpe - benchmark)
        n_obs = 1 + _sharpe_error_factor(sharpe, skew, kurtosis) * shortfall**2
    return _scalar_or_array(np.where(sharpe <= benchmark, np.inf, n_obs))


def expected_max_sharpe(n_trials: tp.ArrayLike, sharpe_variance: tp.ArrayLike) -> tp.MaybeArray[float]:
    """Sharpe ratio that the best of several worthless, independent trials is expected to show.

    E[max] = sqrt(V) [(1 - g) Z^-1(1 - 1 / N) + g Z^-1(1 - 1 / (N e))], with g the Euler-Mascheroni constant (Bailey
    and Lopez de Prado, "The Deflated Sharpe Ratio", 2014). It is 0 for one trial and never below, although the
    approximation falls below 0 for a number of trials between 1 and 1.25.

    Args:
        n_trials (float or array_like): Number of trials, N. May be fractional, as an effective number of trials is.
        sharpe_variance (float or array_like): Variance of the Sharpe ratios across the trials, V. The result is in
            the unit of its square root.

    Raises:
        ValueError: If there is less than one trial, or the variance is negative."""
    from scipy.stats import norm

    n_trials, variance = _broadcast(n_trials, sharpe_variance)
    _check_trials(n_trials)
    if np.any(variance < 0):
        raise ValueError(f"sharpe_variance must not be negative, got {np.nanmin(variance):g}")
    weight = np.euler_gamma
    quantile = (1 - weight) * norm.isf(1 / n_trials) + weight * norm.isf(1 / (n_trials * np.e))
    with np.errstate(invalid="ignore"):
        maximum = np.sqrt(variance) * np.maximum(quantile, 0.0)
    # The variance across a single trial is unknown, and does not matter.
    return _scalar_or_array(np.where(n_trials == 1, 0.0, maximum))


def deflated_sharpe_ratio(
    sharpe: tp.ArrayLike,
    n_obs: tp.ArrayLike,
    skew: tp.ArrayLike,
    kurtosis: tp.ArrayLike,
    *,
    n_trials: tp.ArrayLike,
    sharpe_variance: tp.ArrayLike,
) -> tp.MaybeArray[float]:
    """Probability that the true Sharpe ratio of the best of several trials is above zero.

    The `probabilistic_sharpe_ratio` against `expected_max_sharpe` as its benchmark (Bailey and Lopez de Prado, "The
    Deflated Sharpe Ratio", 2014).

    Args:
        sharpe (float or array_like): Estimated Sharpe ratio per period of the selected trial.
        n_obs (int or array_like): Number of its returns.
        skew (float or array_like): Skewness of its returns.
        kurtosis (float or array_like): Raw kurtosis of its returns, 3 for a Normal distribution.
        n_trials (float or array_like): Number of trials that it was selected from, itself included.
        sharpe_variance (float or array_like): Variance of the Sharpe ratios **per period** across these trials. That
            of annualised Sharpe ratios has to be divided by the number of periods per year.

    Raises:
        ValueError: As `probabilistic_sharpe_ratio` and `expected_max_sharpe` do."""
    benchmark = expected_max_sharpe(n_trials, sharpe_variance)
    return probabilistic_sharpe_ratio(sharpe, n_obs, skew, kurtosis, benchmark_sharpe=benchmark)


def min_backtest_length(n_trials: tp.ArrayLike, sharpe_annual: tp.ArrayLike) -> tp.MaybeArray[float]:
    """Years of data below which the best of several worthless trials is expected to show a given Sharpe ratio.

    MinBTL = (E[max] / SR)^2, with E[max] the `expected_max_sharpe` of trials of unit variance (Bailey, Borwein, Lopez
    de Prado and Zhu, "Pseudo-Mathematics and Financial Charlatanism", 2014). Infinite if the Sharpe ratio is not above
    zero.

    Args:
        n_trials (float or array_like): Number of trials. May be fractional.
        sharpe_annual (float or array_like): Annualised Sharpe ratio, SR.

    Raises:
        ValueError: If there is less than one trial."""
    n_trials, sharpe = _broadcast(n_trials, sharpe_annual)
    sharpe = _finite_or_nan(sharpe)
    with np.errstate(divide="ignore", invalid="ignore"):
        years = (expected_max_sharpe(n_trials, 1.0) / sharpe) ** 2
    return _scalar_or_array(np.where(sharpe <= 0, np.inf, years))


def annual_scale(periods_per_year: float) -> float:
    """Return what makes a Sharpe ratio per period an annual one. One without a frequency, whose periods are unknown."""
    return float(np.sqrt(periods_per_year)) if periods_per_year > 0 else 1.0


def sharpe_ratio_variance(
    sharpe: tp.ArrayLike, n_obs: tp.ArrayLike, skew: tp.ArrayLike, kurtosis: tp.ArrayLike
) -> tp.MaybeArray[float]:
    """Return the variance of the estimate of a Sharpe ratio per period.

    (1 - skew SR + (kurtosis - 1) / 4 SR^2) / (T - 1), as in the PSR (Mertens 2002, "Comments on variance of the IID
    estimator in Lo").

    Args:
        sharpe (float or array_like): Sharpe ratio per period.
        n_obs (int or array_like): Number of returns, T.
        skew (float or array_like): Skewness of the returns.
        kurtosis (float or array_like): Raw kurtosis of the returns, 3 for a Normal distribution."""
    sharpe, n_obs, skew, kurtosis = _broadcast(sharpe, n_obs, skew, kurtosis)
    return _scalar_or_array(_sharpe_error_factor(sharpe, skew, kurtosis) / (n_obs - 1))


def _sharpe_error_factor(sharpe: tp.Array, skew: tp.Array, kurtosis: tp.Array) -> tp.Array:
    """Variance of an estimated Sharpe ratio times the number of observations less one."""
    # Not negative for the moments of any distribution; rounding can put it just below zero.
    return np.maximum(1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2, 0.0)


def lowest_kurtosis(skew: tp.Any) -> tp.Any:
    """Return the lowest raw kurtosis that goes with a skewness, less what rounding may take from it."""
    return (1 + skew * skew) * (1 - 1e-9)


def _check_moments(skew: tp.Array, kurtosis: tp.Array) -> None:
    """Raise unless some distribution has these moments."""
    impossible = kurtosis < lowest_kurtosis(skew)
    if np.any(impossible):
        raise ValueError(
            f"kurtosis {kurtosis[impossible][0]:g} is below 1 + skew**2 = {1 + skew[impossible][0] ** 2:g}, which is "
            "impossible for a raw kurtosis (Normal = 3); if it is an excess kurtosis, add 3"
        )


def _check_observations(n_obs: tp.Array, sharpe: tp.Array) -> None:
    """Raise unless each Sharpe ratio rests on at least two observations."""
    too_few = np.isfinite(sharpe) & (n_obs < 2)
    if np.any(too_few):
        raise ValueError(f"n_obs must be at least 2 observations, got {n_obs[too_few][0]:g}")


def _check_trials(n_trials: tp.Array) -> None:
    """Raise unless there is at least one trial."""
    if np.any(n_trials < 1):
        raise ValueError(f"n_trials must be at least 1, got {np.nanmin(n_trials):g}")


def _broadcast(*values: tp.ArrayLike) -> tp.Tuple[tp.Array, ...]:
    return np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in values))


def _finite_or_nan(values: tp.Array) -> tp.Array:
    return np.where(np.isfinite(values), values, np.nan)


def _scalar_or_array(values: tp.Array) -> tp.MaybeArray[float]:
    return float(values) if np.ndim(values) == 0 else values
