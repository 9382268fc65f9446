"""What a verdict costs: on a sweep of 4,950 columns with its returns, and on 100,000 trials from records alone."""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import vectorbt as vbt
from benchmarks.measuring import table
from benchmarks.registries import make_registry
from vectorbt.portfolio.registry import RunRegistry


def timed(function):
    """Return how long one call takes, and what it returns."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def peak_megabytes():
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def make_sweep(n_rows, n_windows):
    """Return a sweep over all pairs of windows of two moving averages."""
    steps = np.random.default_rng(0).normal(0.0003, 0.01, n_rows)
    price = pd.Series(100 * np.exp(np.cumsum(steps)), pd.bdate_range("2010-01-01", periods=n_rows))
    fast, slow = vbt.MA.run_combs(price, np.arange(2, 2 + n_windows), r=2, short_names=["fast", "slow"])
    return vbt.Portfolio.from_signals(price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D")


def save(folder, n_rows, n_windows):
    """Save a sweep twice: whole, and as its returns. Return how many columns it has."""
    pf = make_sweep(n_rows, n_windows)
    for kind in (True, "returns"):
        RunRegistry(folder / str(kind)).save_sweep(pf, "dual_sma", save_portfolio=kind)
    return len(pf.wrapper.columns)


def returns_alone(folder):
    """Return how long vectorbt takes to load the sweep and to compute its returns, once it has compiled."""
    registry = RunRegistry(folder / "True")
    sweep_id = registry.list_runs(limit=1)[0].sweep_id
    loading, pf = timed(lambda: registry.load_sweep(sweep_id))
    pf.iloc[0].returns()
    return loading, timed(pf.returns)[0], peak_megabytes()


def verdict(folder, kind, what):
    """Return how long a verdict takes in a process that has compiled what the returns of one column need, no more."""
    registry = RunRegistry(folder / kind)
    if kind == "True":
        registry.load_portfolio(registry.list_runs(limit=1)[0].run_id).returns()
    call = {
        "selection_bias()": registry.selection_bias,
        "selection_bias(dependence=False)": lambda: registry.selection_bias(dependence=False),
        "survivors(n_bootstraps=500)": lambda: registry.survivors(n_bootstraps=500),
    }[what]
    return timed(call)[0], peak_megabytes()


def from_records(folder):
    """Return how long a verdict on many records takes, cold and warm."""
    registry = RunRegistry(folder)
    cold, _ = timed(lambda: registry.selection_bias(pool="all", dependence=False))
    warm, found = timed(lambda: registry.selection_bias(pool="all", dependence=False))
    return cold, warm, found.n_trials, peak_megabytes()


def in_a_process(function, *arguments):
    """Return what a function returns in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(full=True):
    """Run all of it. `full=False` keeps to small sizes."""
    n_rows, n_windows, n_records = (2000, 100, 100_000) if full else (300, 12, 2_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        n_columns = in_a_process(save, folder, n_rows, n_windows)
        loading, returns, memory = in_a_process(returns_alone, folder)
        rows = [["load the sweep, then pf.returns()", f"{loading:.2f} + {returns:.2f} s", f"{memory:,.0f} MB"]]
        for kind, what in (
            ("True", "selection_bias()"),
            ("returns", "selection_bias()"),
            ("returns", "survivors(n_bootstraps=500)"),
            ("True", "selection_bias(dependence=False)"),
        ):
            seconds, memory = in_a_process(verdict, folder, kind, what)
            saved = "whole portfolio" if kind == "True" else "returns"
            rows.append([f"{what}, saved with its {saved}", f"{seconds:.2f} s", f"{memory:,.0f} MB"])
        table(f"{n_columns:,} columns x {n_rows:,} bars", ["what", "time", "peak of the process"], rows)
        make_registry(folder / "many", n_records)
        cold, warm, n_trials, memory = in_a_process(from_records, folder / "many")
        table(
            f"{n_records:,} runs, from their records alone",
            ["trials", "cold", "warm", "peak of the process"],
            [[f"{n_trials:,}", f"{cold:.2f} s", f"{warm:.2f} s", f"{memory:,.0f} MB"]],
        )


if __name__ == "__main__":
    main("--quick" not in sys.argv)
