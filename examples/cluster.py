"""A sweep on a cluster: every worker saves its part into one registry that all of them share.

Run it with a database and a place for the portfolios that all workers reach:

    python examples/cluster.py postgresql+psycopg://quant@db/research s3://research/portfolios

The password, if there is one, is where PostgreSQL's own tools look for it: in `PGPASSWORD` or `~/.pgpass`. It is not
sent to the workers. Here the cluster is two processes on this machine; `Client("tcp://scheduler:8786")` makes it
another one."""

import sys

import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster
from joblib import Parallel, delayed, parallel_config

import vectorbt as vbt
from vectorbt.portfolio.registry import RunRegistry

FAST_WINDOWS = np.arange(5, 45, 5)
SLOW_WINDOWS = np.arange(60, 220, 20)


def load_price():
    """Return a thousand days of a random walk."""
    steps = np.random.default_rng(0).normal(0.0005, 0.01, 1000)
    index = pd.date_range("2020-01-01", periods=1000, freq="D", name="Date")
    return pd.Series(100 * np.exp(np.cumsum(steps)), index=index, name="walk")


def backtest(price, fast_window):
    """Try one fast window with every slow one, as one portfolio."""
    fast = vbt.MA.run(price, [fast_window] * len(SLOW_WINDOWS), short_name="fast")
    slow = vbt.MA.run(price, SLOW_WINDOWS, short_name="slow")
    return vbt.Portfolio.from_signals(
        price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D", fees=0.001
    )


def save_part(registry, price, fast_window):
    """Make a part of the sweep and save it, on whatever worker this is. Return its run_ids."""
    with registry:
        return registry.save_sweep(backtest(price, fast_window), "dual_sma", tags=["cluster"])


def with_dask(registry, price, windows):
    """Save a part per task of dask."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        tasks = [client.submit(save_part, registry, price, int(window), pure=False) for window in windows]
        return [run_id for part in client.gather(tasks) for run_id in part]


def with_joblib(registry, price, windows):
    """Save a part per job of joblib."""
    with parallel_config(n_jobs=2):
        parts = Parallel()(delayed(save_part)(registry, price, int(window)) for window in windows)
    return [run_id for part in parts for run_id in part]


def main(url, artifacts):
    registry = RunRegistry(url, artifacts=artifacts)
    price = load_price()
    half = len(FAST_WINDOWS) // 2
    run_ids = with_dask(registry, price, FAST_WINDOWS[:half]) + with_joblib(registry, price, FAST_WINDOWS[half:])
    print(f"{len(run_ids)} runs were saved by the workers, {len(registry)} are in {registry.store}")
    best = registry.get_best_runs(n=5, strategy_name="dual_sma")
    print(best.to_frame()[["params.fast_window", "params.slow_window", "sharpe_ratio", "total_return"]].to_string())
    print(f"The best one again, from {artifacts}: {registry.load_portfolio(best[0].run_id).total_return():.2%}")
    return run_ids


if __name__ == "__main__":
    main(*sys.argv[1:])
