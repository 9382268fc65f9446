"""Writes the golden folders: run once under vectorbt 0.28.5 for each version of the format, and never again.

A pickle made under pandas 2 opens under pandas 3 as well, the reverse does not hold.

    python tests/golden/make_golden.py FOLDER
"""

import json
import sys
from pathlib import Path

from tests.support.factories import make_portfolio, make_price, make_record, make_sweep
from vectorbt.portfolio.registry import FileStore, RunRegistry


def make_version_1(folder):
    """Write a folder of this version: a lone run, a sweep, an update, a deletion, and one run of every odd type."""
    registry = RunRegistry(FileStore(folder))
    lone = registry.save_run(make_portfolio(), "dual_sma", parameters={"fast": 3, "slow": 9}, tags=["golden"])
    swept = registry.save_sweep(make_sweep(), "dual_sma", parameters={"fees": 0.001}, notes="a sweep")
    registry.save_run(make_portfolio(fast=4), "returns", save_portfolio="returns")
    registry.update_run(lone, add_tags="updated", notes="changed once")
    registry.delete_run(swept[1])
    registry.store.save_run(
        make_record(7, parameters={"big": 2**80, "nan": float("nan"), "nested": {"pair": (1, {"a"})}, "text": "\u2028"})
    )


def make_older_layout(folder):
    """Write a folder as the registry of before did: one JSON file, absolute and relative paths, bare NaN tokens."""
    (folder / "portfolios").mkdir(parents=True)
    runs = {}
    paths = ["/home/someone/backtest_runs/portfolios/{}.pkl", "./backtest_runs/portfolios/{}.pkl", None]
    for number, path in enumerate(paths):
        record = make_record(number)
        if path is not None:
            make_portfolio(make_price(), fast=3 + number).save(folder / "portfolios" / f"{record.run_id}.pkl")
        runs[record.run_id] = {
            "run_id": record.run_id,
            "timestamp": f"2023-05-0{number + 1}T10:20:30.123456",
            "strategy_name": "older",
            "parameters": {"fast": 3 + number, "symbols": ["BTC", "ETH"], "stop": None},
            "stats": {
                "total_return": 12.5,
                "sharpe_ratio": [1.25, float("nan"), float("inf")][number],
                "max_drawdown": 7.5,
                "total_trades": 3,
                "win_rate": 50.0,
            },
            "portfolio_path": path and path.format(record.run_id),
            "tags": ["old"],
            "notes": "kept",
        }
    (folder / "runs_metadata.json").write_text(json.dumps(runs, indent=2))


if __name__ == "__main__":
    make_version_1(Path(sys.argv[1]) / "version_1")
    make_older_layout(Path(sys.argv[1]) / "older_layout")
