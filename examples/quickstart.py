"""Twenty years of the S&P 500, ten backtests and a sweep, and what the registry makes of them.

Run it with `make demo`, or with `python examples/quickstart.py`. Runs are kept in `./backtest_runs`: run it twice,
and the second run finds the history of the first."""

import itertools
import textwrap
import time
import warnings

import numpy as np
from arch.data import sp500
from numba.core.errors import NumbaPendingDeprecationWarning

import vectorbt as vbt
from vectorbt.portfolio.registry import RunRegistry

FAST_WINDOWS = (10, 20, 50)
SLOW_WINDOWS = (100, 150, 200)
SWEPT_WINDOWS = np.arange(15, 215, 10)
FEES = 0.001
METRICS = {"sharpe_ratio": "sharpe", "total_return": "return %", "max_drawdown": "max dd %", "total_trades": "trades"}


def load_price():
    """Return the daily closes of the S&P 500 from 1999 to 2018, which the package `arch` brings along."""
    return sp500.load()["Adj Close"].rename("SPX")


def cross_averages(price, fast, slow):
    """Be in the market while the fast average is above the slow one."""
    return vbt.Portfolio.from_signals(
        price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D", fees=FEES
    )


def save_ten_backtests(registry, price):
    """Save holding and nine pairs of moving averages, each as a run. Return the id of holding."""
    holding = vbt.Portfolio.from_holding(price, freq="1D", fees=FEES)
    holding_id = registry.save_run(holding, "buy_and_hold", tags=["index"])
    for fast_window, slow_window in itertools.product(FAST_WINDOWS, SLOW_WINDOWS):
        pf = cross_averages(price, vbt.MA.run(price, fast_window), vbt.MA.run(price, slow_window))
        pf.save_to_registry(
            strategy_name="dual_sma",
            parameters={"fast_window": fast_window, "slow_window": slow_window, "fees": FEES},
            tags=["index"],
        )
    return holding_id


def save_sweep(registry, price):
    """Save every pair of twenty windows with one call, which makes each column a run. Return the number of runs."""
    fast, slow = vbt.MA.run_combs(price, SWEPT_WINDOWS, r=2, short_names=["fast", "slow"])
    return len(registry.save_sweep(cross_averages(price, fast, slow), "dual_sma", {"fees": FEES}, tags=["sweep"]))


def show(title, frame):
    """Print a table of runs under a title: short ids, and numbers as a person reads them."""
    digits = {"sharpe": "{:.2f}", "return %": "{:.1f}", "max dd %": "{:.1f}", "trades": "{:.0f}"}
    formatters = {name: form.format for name, form in digits.items()}
    formatters["run"] = lambda run_id: run_id[:8]
    print(f"\n{title}")
    print(frame.rename(columns={"run_id": "run", **METRICS}).to_string(index=False, formatters=formatters))


def size_in_mb(folder):
    """Return the size of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main():
    """Save ten backtests and a sweep, then ask for the best of all that was ever saved here."""
    # A ratio is annualised with the length of a year, and stocks trade on 252 days of it.
    vbt.settings.returns["year_freq"] = "252 days"
    price = load_price()
    print(f"{len(price):,} daily closes of the S&P 500, {price.index[0]:%Y-%m-%d} to {price.index[-1]:%Y-%m-%d}")
    registry = RunRegistry()
    if len(registry):
        newest = registry.list_runs(limit=1)[0]
        print(f"{len(registry):,} earlier runs are here, the last one of {newest.timestamp:%Y-%m-%d %H:%M} UTC")

    print(
        "Backtesting. vectorbt compiles its functions: about a minute once, some seconds from then on ...", flush=True
    )
    started = time.perf_counter()
    holding_id = save_ten_backtests(registry, price)
    n_swept = save_sweep(registry, price)
    seconds = time.perf_counter() - started
    print(f"10 runs and a sweep of {n_swept} backtested and saved in {seconds:.0f} s, {len(registry):,} runs in all")

    windows = ["params.fast_window", "params.slow_window"]
    best = registry.get_best_runs("sharpe_ratio", n=len(registry), strategy_name="dual_sma")
    # An earlier run of this script has saved the same backtests.
    frame = best.to_frame().drop_duplicates(windows).head(5).reset_index()[["run_id", *windows, *METRICS]]
    show("The best five of all", frame.rename(columns=lambda name: name.removeprefix("params.")))

    compared = registry.compare_runs([best[0].run_id, holding_id])
    show("The best one beside holding", compared[["run_id", "strategy", *METRICS]])

    bias = registry.selection_bias(best[0].run_id)
    print(f"\nIs it luck?\n{textwrap.fill(bias.sentence, 100)}")

    folder = registry.store.base_dir
    print(f"\nAll of it is in {folder.name}/, {size_in_mb(folder):.1f} MB. Next, in Python:")
    print("  from vectorbt.portfolio.registry import RunRegistry; registry = RunRegistry()")
    print(f'  registry.load_portfolio("{best[0].run_id[:8]}").plot().show()')
    print('  registry.list_runs(where="max_drawdown < 25 and params.fast_window > 20")')
    print("  print(registry.selection_bias())")


if __name__ == "__main__":
    # Numba says while it compiles vectorbt's indicators that a future release of numba will refuse them.
    warnings.filterwarnings("ignore", category=NumbaPendingDeprecationWarning)
    main()
