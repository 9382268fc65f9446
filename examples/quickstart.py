"""Twenty years of the S&P 500, a loop over two moving averages, and what the registry makes of it.

Run it with `make demo`, or with `python examples/quickstart.py`. Runs are kept in `./backtest_runs`: run it twice,
and the second run finds the history of the first."""

import itertools
import warnings

import pandas as pd
from arch.data import sp500

import vectorbt as vbt
from vectorbt.portfolio.registry import RunRegistry

FAST_WINDOWS = (10, 20, 50)
SLOW_WINDOWS = (100, 150, 200)
FEES = 0.001


def load_price():
    """Return the daily closes of the S&P 500 from 1999 to 2018, which the package `arch` brings along."""
    return sp500.load()["Adj Close"].rename("SPX")


def backtest(price, fast_window, slow_window):
    """Be in the market while the fast average is above the slow one."""
    fast = vbt.MA.run(price, fast_window)
    slow = vbt.MA.run(price, slow_window)
    return vbt.Portfolio.from_signals(
        price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D", fees=FEES
    )


def show(title, frame):
    """Print a table under a title."""
    print(f"\n{title}\n{'-' * len(title)}")
    print(frame.to_string())


def main():
    """Save ten backtests, then ask for the best of all that were ever saved here."""
    pd.set_option("display.width", 160, "display.precision", 2)
    registry = RunRegistry()
    print(f"{registry!r}")
    if len(registry):
        newest = registry.list_runs(limit=1)[0]
        print(
            f"The history of {len(registry)} earlier runs is here, the last of {newest.timestamp:%Y-%m-%d %H:%M} UTC."
        )

    price = load_price()
    print(f"{len(price):,} daily closes of {price.name} from {price.index[0]:%Y-%m-%d} to {price.index[-1]:%Y-%m-%d}")

    holding = vbt.Portfolio.from_holding(price, freq="1D", fees=FEES)
    holding_id = registry.save_run(holding, "buy_and_hold", parameters={"symbol": "SPX"}, tags=["index"])
    for fast_window, slow_window in itertools.product(FAST_WINDOWS, SLOW_WINDOWS):
        pf = backtest(price, fast_window, slow_window)
        pf.save_to_registry(
            strategy_name="dual_sma",
            parameters={"fast_window": fast_window, "slow_window": slow_window, "fees": FEES},
            tags=["index", "long-only"],
        )
    print(f"{1 + len(FAST_WINDOWS) * len(SLOW_WINDOWS)} runs saved, {len(registry)} in the registry now")

    best = registry.get_best_runs(metric="sharpe_ratio", n=5, strategy_name="dual_sma")
    columns = [
        "params.fast_window",
        "params.slow_window",
        "total_return",
        "sharpe_ratio",
        "max_drawdown",
        "total_trades",
    ]
    show("The best five by Sharpe ratio", best.to_frame()[columns])

    compared = registry.compare_runs([best[0].run_id, best[1].run_id, holding_id])
    show("Side by side with holding the index", compared.drop(columns="timestamp").set_index("run_id"))

    reloaded = registry.load_portfolio(best[0].run_id)
    again = backtest(price, best[0].parameters["fast_window"], best[0].parameters["slow_window"])
    assert reloaded.stats().equals(again.stats())
    show(f"Run {best[0].run_id[:8]}, reloaded: stats() is identical", reloaded.stats().iloc[:10].to_frame("").T)


if __name__ == "__main__":
    warnings.simplefilter("error")  # a save shows none of vectorbt's or pandas's warnings
    main()
