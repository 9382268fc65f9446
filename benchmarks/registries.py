"""Registries of any size, made of one real record: what is measured is reading them, not making them."""

import random
from datetime import UTC, datetime, timedelta

from tests.support.factories import make_portfolio
from vectorbt.portfolio.registry import RunRecord
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.checks import new_run_ids
from vectorbt.portfolio.registry.stores.journal import header, line_of

LONE, SWEEP = 50, 4_950


def make_registry(folder, n_runs):
    """Write a FileStore with `n_runs` runs: fifty lone ones and a sweep of 4,950 in turn.

    The lone ones belong to twenty strategies. Each has 28 metrics and 4 parameters."""
    folder.mkdir(parents=True)
    template = make_template()
    rng = random.Random(0)
    timestamp = datetime(2024, 1, 1, tzinfo=UTC)
    with open(folder / "runs_metadata.jsonl", "wb") as file:
        file.write(header())
        written = 0
        while written < n_runs:
            in_sweep = written % (LONE + SWEEP) >= LONE
            size = min(SWEEP, n_runs - written) if in_sweep else 1
            timestamp += timedelta(seconds=1)
            file.write(line_of("run", RunBlock.of(make_records(template, rng, timestamp, size, written))))
            written += size


def make_template():
    parameters = {"fast": 10, "slow": 50, "fees": 0.001, "symbol": "SPX"}
    return RunRecord.from_portfolio(make_portfolio(), "dual_sma", parameters, ["daily"]).to_dict()


def make_records(template, rng, timestamp, size, written):
    """Return records with metrics and parameters of their own; more than one of them are a sweep."""
    sweep_id = new_run_ids(1)[0] if size > 1 else None
    records = []
    for column, run_id in enumerate(new_run_ids(size)):
        stats = {
            name: value * rng.random() if type(value) is float else value for name, value in template["stats"].items()
        }
        records.append(
            {
                **template,
                "run_id": run_id,
                "timestamp": timestamp.isoformat().replace("+00:00", "Z"),
                "strategy_name": f"sweep_{written // SWEEP}" if sweep_id else f"strategy_{rng.randrange(20)}",
                "parameters": {"fast": rng.randrange(100), "slow": rng.randrange(200), "fees": 0.001, "symbol": "SPX"},
                "stats": stats,
                "returns_stats": {**template["returns_stats"], "sharpe": rng.gauss(0, 0.03)},
                "sweep_id": sweep_id,
                "column": column if sweep_id else None,
                "artifact": dict(format="pickle", size=12345, sha256="ab" * 32, names=[f"{sweep_id or run_id}.pkl"]),
            }
        )
    return records
