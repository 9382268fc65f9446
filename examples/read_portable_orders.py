"""Reads the orders of a run that was saved with `portfolio_format="portable"`, with pandas alone.

Usage:

    pip install pandas pyarrow
    python examples/read_portable_orders.py backtest_runs/portfolios/<run_id or sweep_id>.parquet

Neither vectorbt nor the registry is needed. DuckDB reads the same file:

    duckdb -c "SELECT col, count(*), sum(fees) FROM 'backtest_runs/portfolios/<run_id>.parquet' GROUP BY col"
    duckdb -c "SELECT decode(value) FROM parquet_kv_metadata('backtest_runs/portfolios/<run_id>.parquet')"

`docs/portable-format.md` describes all of it."""

import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq


def read_header(path):
    """Return the JSON in the metadata of the file: all that a portfolio is made of beside its orders."""
    return json.loads(pq.read_metadata(path).metadata[b"vectorbt-registry"])


def read_orders(path):
    """Return the orders, with the label of their bar and the side in words."""
    orders = pd.read_parquet(path)
    prices = pd.read_parquet(path.parent / read_header(path)["close"]["prices"])
    if "index" in prices:  # text as labels is in the header of the prices
        orders.insert(0, "time", prices["index"].to_numpy()[orders["idx"]])
    return orders.assign(side=orders["side"].map({0: "Buy", 1: "Sell"}))


def main():
    """Print the orders of one run or sweep."""
    path = Path(sys.argv[1])
    orders = read_orders(path)
    print(orders.to_string(max_rows=20))
    print(f"{len(orders)} orders, fees of {orders['fees'].sum():,.2f}")


if __name__ == "__main__":
    main()
