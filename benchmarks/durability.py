"""What durability costs: saves per second from several processes, fsyncs per save, and recovery from a dead writer.

`python -m benchmarks.durability --rivals PYTHON` measures Optuna's journal and MLflow with SQLite beside the registry,
with an interpreter of an environment in which the two are installed."""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measuring import milliseconds, table
from benchmarks.writers import METRICS, PARAMETERS, WRITERS, measure
from tests.support.factories import make_portfolio, make_record, make_sweep
from vectorbt.portfolio.registry import FileStore
from vectorbt.portfolio.registry.checks import new_run_ids
from vectorbt.portfolio.registry.run import RunRecord


def make_run():
    """Return a record of 28 metrics and 4 parameters, as the rivals get them."""
    return make_record(
        run_id=new_run_ids(1)[0],
        parameters=PARAMETERS,
        stats=METRICS,
    )


class Registry:
    """The registry, as what the benchmark asks of each of them."""

    name = "run registry"

    def __init__(self, folder):
        self.store = FileStore(folder)

    def save(self):
        self.store.save_run(make_run(), new_ids=True)

    def hold_lock(self):
        self.store.exclusive().__enter__()


def fsyncs_of(save):
    """Return how often a call syncs."""
    calls, fsync = [], os.fsync
    os.fsync = lambda fd: (calls.append(fd), fsync(fd))
    try:
        save()
    finally:
        os.fsync = fsync
    return len(calls)


def fsyncs_per_call(folder):
    """Return the fsyncs of a save and of a sweep: those of the metadata, and those that keep a portfolio."""
    store, portfolio, sweep = FileStore(folder), make_portfolio(), make_sweep()
    store.save_run(make_run(), portfolio, new_ids=True)  # makes the folders
    sweeps = [RunRecord.from_columns(sweep, "sweep") for _ in range(2)]
    return [
        ("save_run", fsyncs_of(lambda: store.save_run(make_run(), portfolio, new_ids=True))),
        ("save_run without a portfolio", fsyncs_of(lambda: store.save_run(make_run(), new_ids=True))),
        ("save_sweep", fsyncs_of(lambda: store.save_runs(sweeps[0], sweep, new_ids=True))),
        ("save_sweep without a portfolio", fsyncs_of(lambda: store.save_runs(sweeps[1], new_ids=True))),
    ]


def measure_rivals(python, folder, saves, kills):
    """Measure the rivals with an interpreter of their own."""
    command = [python, "-m", "benchmarks.durability_rivals", str(folder), str(saves), str(kills)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ).stdout
    return json.loads(output.splitlines()[-1])


def main(full=True, rivals=None):
    saves, kills = (800, 20) if full else (80, 3)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        measured = [measure(Registry, folder / "registry", saves, kills)]
        if rivals:
            measured += measure_rivals(rivals, folder, saves // 4, 1)
        syncs = fsyncs_per_call(folder / "syncs")
    table("fsync calls", ["call", "fsyncs"], syncs)
    header = ["", *(f"{n} writers, saves/s" for n in WRITERS), "8 writers : 1", "from SIGKILL to the next save"]
    table("Durable saves of records", header, [row_of(result) for result in measured])


def row_of(result):
    rates = [result["per_second"][str(n)] for n in WRITERS]
    ratio = f"{rates[-1] / rates[0]:.0%}"
    return [result["name"], *(f"{rate:,.0f}" for rate in rates), ratio, milliseconds(result["recovery"])]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--rivals", help="interpreter that has optuna and mlflow")
    arguments = parser.parse_args()
    main(not arguments.quick, arguments.rivals)
