"""Significance of Sharpe ratios when many were tested."""

from dataclasses import dataclass

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.return_matrix import as_return_matrix, excess_returns, has_sharpe_ratio

__all__ = ["DataSnoopingTest", "adjust_pvalues", "haircut_sharpe", "reality_check", "spa_test"]


def adjust_pvalues(p: tp.ArrayLike, method: str) -> tp.MaybeArray[float]:
    """Adjust p-values for the number of tests.

    With M p-values in ascending order, p(1) to p(M):

    * `"bonferroni"`: M p(i).
    * `"holm"`: the largest of (M - j + 1) p(j) over j <= i (Holm, 1979).
    * `"bhy"`: p(M) for the largest, which stays as it is; for the others the smaller of the next larger one's
        adjusted p-value and M c(M) / i p(i), with c(M) = 1 + 1/2 + ... + 1/M. The rule of Benjamini, Hochberg and
        Yekutieli as Harvey and Liu state it ("Backtesting", 2015).

    All are at most 1. A NaN stays NaN and is not counted as a test.

    Args:
        p (float or array_like): P-values, of all tests that were made, in any order.
        method (str): `"bonferroni"`, `"holm"` or `"bhy"`.

    Returns:
        float or array: Adjusted p-values, in the order of `p`.

    Raises:
        ValueError: If the method is unknown, a p-value is below 0 or above 1, or `p` has more than one dimension."""
    if method not in _ADJUSTMENTS:
        raise ValueError(f"method must be one of {', '.join(map(repr, _ADJUSTMENTS))}, got {method!r}")
    pvalues = np.asarray(p, dtype=float)
    if pvalues.ndim > 1:
        raise ValueError(f"p must be a number or have one dimension, got {pvalues.ndim}")
    if np.any((pvalues < 0) | (pvalues > 1)):
        raise ValueError("p must hold probabilities, from 0 to 1")
    adjusted = np.atleast_1d(pvalues).copy()
    tests = np.flatnonzero(~np.isnan(adjusted))
    tests = tests[np.argsort(adjusted[tests], kind="stable")]
    if len(tests):
        adjusted[tests] = np.minimum(_ADJUSTMENTS[method](adjusted[tests]), 1.0)
    return float(adjusted[0]) if pvalues.ndim == 0 else adjusted


def haircut_sharpe(
    sharpe: tp.ArrayLike,
    n_obs: tp.ArrayLike,
    method: str = "bonferroni",
    *,
    n_trials: tp.Optional[int] = None,
) -> tp.MaybeArray[float]:
    """Sharpe ratio that would, alone, be as significant as this one is among many.

    The Sharpe ratio's t-statistic SR sqrt(T) has a two-sided p-value under Student's distribution with T - 1 degrees
    of freedom; the p-value is adjusted by `adjust_pvalues` and translated back (Harvey and Liu, "Backtesting", 2015,
    without their simulation of the trials that nobody reported). The haircut is one less the ratio of the two.

    Args:
        sharpe (float or array_like): Sharpe ratios per period, of all trials that were made. A NaN or infinite one
            gives NaN and is not counted as a trial.
        n_obs (int or array_like): Number of returns of each, T.
        method (str): `"bonferroni"`, `"holm"` or `"bhy"`.
        n_trials (int): Number of all trials, if `sharpe` does not hold all of them. Only `"bonferroni"` can do without
            the others' Sharpe ratios.

    Returns:
        float or array: Haircut Sharpe ratios per period, in the order of `sharpe` and with its signs.

    Raises:
        ValueError: If the method is unknown, there are fewer than two observations, `n_trials` is smaller than the
            number of Sharpe ratios, or is given to another method than `"bonferroni"`.

    Usage:
        A Sharpe ratio of 0.75 a year, from 20 years of monthly returns, that was the best of 200:

        ```pycon
        >>> from vectorbt.portfolio.registry.selection_bias import haircut_sharpe

        >>> haircut_sharpe(0.75 / 12**0.5, 240, n_trials=200) * 12**0.5
        0.30...
        ```"""
    from scipy.stats import t as student

    sharpe, n_obs = np.broadcast_arrays(np.asarray(sharpe, dtype=float), np.asarray(n_obs, dtype=float))
    known = np.isfinite(sharpe)
    if np.any(known & (n_obs < 2)):
        raise ValueError(f"n_obs must be at least 2 observations, got {n_obs[known].min():g}")
    size = np.where(known, np.abs(sharpe), np.nan)
    freedom = np.where(known, n_obs - 1, np.nan)
    pvalues = 2 * student.sf(size * np.sqrt(np.maximum(n_obs, 0)), freedom)
    if n_trials is None:
        adjusted = adjust_pvalues(pvalues, method)
    else:
        _check_total_trials(n_trials, int(known.sum()), method)
        adjusted = np.minimum(n_trials * pvalues, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        haircut = student.isf(np.asarray(adjusted) / 2, freedom) / np.sqrt(n_obs)
    # The p-value of a huge Sharpe ratio underflows, and would come back as an infinite one.
    haircut = np.copysign(np.minimum(haircut, size), sharpe)
    return float(haircut) if haircut.ndim == 0 else haircut


@dataclass(frozen=True)
class DataSnoopingTest:
    """Result of `reality_check` or `spa_test`: can the best of many trials be told from the benchmark?

    The null hypothesis is that no trial is better than the benchmark."""

    p_value: float
    """P-value of the test."""

    p_lower: float
    """Lower bound: no trial that did worse than the benchmark can count for the null distribution."""

    p_consistent: float
    """Hansen's consistent estimate: trials that did much worse do not count."""

    p_upper: float
    """Upper bound: all trials count as if each were as good as the benchmark."""

    n_columns: int
    """Number of trials compared."""

    n_dropped_columns: int
    """Number of trials left out: NaN or infinite returns, or no variance against the benchmark."""


def reality_check(
    returns: tp.ArrayLike,
    benchmark: tp.ArrayLike = 0.0,
    *,
    block_size: int,
    seed: int,
    n_bootstraps: int = 1000,
) -> DataSnoopingTest:
    """White's reality check: is the best of many trials better than the benchmark?

    The statistic is the best mean excess return over the benchmark, each trial's divided by its volatility, and so the
    best Sharpe ratio, the one that a search selects. Its null distribution comes from the stationary bootstrap, with
    every trial recentred (White, "A Reality Check for Data Snooping", 2000).

    Args:
        returns (array_like): Per-period returns, one row per period and one column per trial.
        benchmark (float or array_like): Per-period returns of the benchmark, one per row, or one for all rows.
        block_size (int): Mean length of a bootstrapped block in rows. Longer than serial correlation lasts.
        seed (int): Seed of the bootstrap. The same seed gives the same p-value.
        n_bootstraps (int): Number of bootstrapped samples.

    Returns:
        DataSnoopingTest: `p_value` is `p_upper`.

    Raises:
        ImportError: If the package `arch` is not installed.
        ValueError: If no column has a Sharpe ratio against the benchmark, `block_size` is not between 1 and the
            number of rows, or there are fewer than 100 samples."""
    return _bootstrap_test("upper", returns, benchmark, block_size=block_size, seed=seed, n_bootstraps=n_bootstraps)


def spa_test(
    returns: tp.ArrayLike,
    benchmark: tp.ArrayLike = 0.0,
    *,
    block_size: int,
    seed: int,
    n_bootstraps: int = 1000,
) -> DataSnoopingTest:
    """Hansen's test of superior predictive ability: `reality_check` that bad trials cannot dilute.

    The statistic is that of `reality_check`. Trials that did much worse than the benchmark are not recentred, so that
    adding them does not hide a good one (Hansen, "A Test for Superior Predictive Ability", 2005).

    Takes the arguments of `reality_check` and raises its errors.

    Returns:
        DataSnoopingTest: `p_value` is `p_consistent`."""
    return _bootstrap_test(
        "consistent", returns, benchmark, block_size=block_size, seed=seed, n_bootstraps=n_bootstraps
    )


def _bootstrap_test(
    kind: str,
    returns: tp.ArrayLike,
    benchmark: tp.ArrayLike,
    *,
    block_size: int,
    seed: int,
    n_bootstraps: int,
) -> DataSnoopingTest:
    """Run the test and take `kind` as its p-value."""
    SPA = _import_spa()
    excess = excess_returns(as_return_matrix(returns), benchmark)
    if not 1 <= block_size <= excess.shape[0]:
        raise ValueError(f"block_size must be between 1 and the number of rows, {excess.shape[0]}; got {block_size!r}")
    if not isinstance(n_bootstraps, (int, np.integer)) or n_bootstraps < 100:
        raise ValueError(f"n_bootstraps must be an integer of 100 or more, got {n_bootstraps!r}")
    usable = has_sharpe_ratio(excess)
    if not usable.any():
        raise ValueError(f"none of the {len(usable)} columns of returns has a Sharpe ratio against the benchmark")
    # arch's own studentize leaves the statistic as it is, and it compares losses.
    losses = -excess[:, usable] / excess[:, usable].std(axis=0)
    test = SPA(np.zeros(len(losses)), losses, block_size=block_size, reps=n_bootstraps, studentize=False, seed=seed)
    test.compute()
    pvalues = {name: float(value) for name, value in test.pvalues.items()}
    return DataSnoopingTest(
        p_value=pvalues[kind],
        p_lower=pvalues["lower"],
        p_consistent=pvalues["consistent"],
        p_upper=pvalues["upper"],
        n_columns=int(usable.sum()),
        n_dropped_columns=int((~usable).sum()),
    )


def _import_spa() -> tp.Any:
    try:
        from arch.bootstrap import SPA
    except ImportError as error:
        raise ImportError(
            "White's reality check and Hansen's SPA test need the package arch; "
            'install it with pip install "vectorbt-registry[stats]"'
        ) from error
    return SPA


def _check_total_trials(n_trials: int, n_known: int, method: str) -> None:
    """Raise unless the number of trials alone is enough for the method, and is possible."""
    if method != "bonferroni":
        raise ValueError(
            f'n_trials is for method="bonferroni"; {method!r} needs the Sharpe ratios of all trials, '
            "pass them as sharpe"
        )
    if n_trials < n_known:
        raise ValueError(f"n_trials must be at least the number of Sharpe ratios, {n_known}; got {n_trials!r}")


def _bonferroni(ascending: tp.Array1d) -> tp.Array1d:
    return len(ascending) * ascending


def _holm(ascending: tp.Array1d) -> tp.Array1d:
    return np.maximum.accumulate(np.arange(len(ascending), 0, -1) * ascending)


def _bhy(ascending: tp.Array1d) -> tp.Array1d:
    ranks = np.arange(1, len(ascending) + 1)
    candidates = len(ascending) * np.sum(1 / ranks) / ranks * ascending
    candidates[-1] = ascending[-1]
    return np.minimum.accumulate(candidates[::-1])[::-1]


_ADJUSTMENTS = {"bonferroni": _bonferroni, "holm": _holm, "bhy": _bhy}
