"""The best of 4,950 moving-average crossings on the S&P 500, and how much of its Sharpe ratio is luck.

Run it with `python examples/selection_bias.py`. It keeps its runs in a temporary folder."""

import tempfile

import numpy as np
from arch.data import sp500

import vectorbt as vbt
from vectorbt.portfolio.registry import RunRegistry

FEES = 0.001


def load_price():
    """Return the daily closes of the S&P 500 from 1999 to 2018, which the package `arch` brings along."""
    return sp500.load()["Adj Close"].rename("SPX")


def sweep(price):
    """Be in the market while the fast average is above the slow one, for each pair of 100 windows."""
    fast, slow = vbt.MA.run_combs(price, np.arange(2, 102), r=2, short_names=["fast", "slow"])
    return vbt.Portfolio.from_signals(
        price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D", fees=FEES
    )


def main():
    """Save the sweep, judge its best column, delete the losers, and judge it again."""
    vbt.settings.returns["year_freq"] = "252 days"
    price = load_price()
    with tempfile.TemporaryDirectory() as folder:
        registry = RunRegistry(folder)
        registry.save_sweep(sweep(price), "dual_sma", parameters={"fees": FEES}, save_portfolio="returns")

        best = registry.get_best_runs(n=5, deflate=True).to_frame()
        print(best[["params.fast_window", "params.slow_window", "sharpe_ratio", "dsr"]].round(3).to_string(index=False))

        verdict = registry.selection_bias()
        print(f"\n{verdict}\n\n{verdict.pbo.summary()}\n\n{registry.survivors(n_bootstraps=500).sentence}")

        losers = [run.run_id for run in registry.list_runs() if run.run_id != verdict.run_id]
        registry.delete_runs(losers)
        again = registry.selection_bias()
        print(f"\n{again.n_deleted:,} losers deleted, {len(registry)} left: DSR {verdict.dsr:.1%} -> {again.dsr:.1%}")


if __name__ == "__main__":
    main()
