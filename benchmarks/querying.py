"""What listing and asking cost in a large registry, beside reading and parsing its file with the same JSON library."""

import gc
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import orjson

from benchmarks.measuring import milliseconds, resident_bytes, seconds, table
from benchmarks.registries import make_registry
from vectorbt.portfolio.registry import RunRegistry


def read_and_parse(path):
    """Return what the JSON library makes of the file, line by line."""
    with open(path, "rb") as file:
        return [orjson.loads(line) for line in file]


def timed(function):
    """Return how long one call takes."""
    gc.collect()
    start = time.perf_counter()
    result = function()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def measure_times(folder):
    """Return times by name, each in this process, which has read nothing yet."""
    path = folder / "runs_metadata.jsonl"
    gc.disable()
    without_collector = min(timed(lambda: read_and_parse(path)) for _ in range(3))
    gc.enable()
    times = {
        "read and parse the file, collector off": without_collector,
        "read and parse the file": timed(lambda: read_and_parse(path)),
    }
    registry = RunRegistry(folder)
    times["get_best_runs(n=10), cold"] = min(timed(lambda: RunRegistry(folder).get_best_runs(n=10)) for _ in range(3))
    times["to_frame(), cold"] = min(timed(lambda: RunRegistry(folder).to_frame()) for _ in range(3))
    times["list_runs(), cold"] = min(timed(lambda: RunRegistry(folder).list_runs()) for _ in range(3))
    registry.list_runs(limit=1)
    times["list_runs(), warm"] = seconds(lambda: registry.list_runs(), 3)
    times["get_best_runs(n=10), warm"] = seconds(lambda: registry.get_best_runs(n=10))
    times["list_runs(strategy_name=...), warm"] = seconds(lambda: registry.list_runs(strategy_name="strategy_3"))
    times["list_runs(parameters={...}), warm"] = seconds(lambda: registry.list_runs(parameters={"fast": 3}), 3)
    where = "sharpe_ratio > 0.3 and params.fast in [3, 4]"
    times[f'list_runs(where="{where}"), warm'] = seconds(lambda: registry.list_runs(where=where), 3)
    times["to_frame(), warm"] = min(timed(lambda: registry.to_frame()) for _ in range(3))
    return times


def measure_memory(folder, what):
    """Return by how much this process has grown, relative to the file, after listing all runs."""
    size = (folder / "runs_metadata.jsonl").stat().st_size
    registry = RunRegistry(folder)
    gc.collect()
    before = resident_bytes()
    runs = registry.list_runs(limit=1) if what == "held" else registry.list_runs()
    if what == "details":
        for run in runs:
            run.stats, run.parameters, run.data, run.environment  # noqa: B018
    gc.collect()
    return (resident_bytes() - before) / size


def measure_million(folder):
    """Return the time of the first question and the memory in MB that it leaves behind, in this process."""
    before = resident_bytes()
    registry = RunRegistry(folder)
    elapsed = timed(lambda: registry.get_best_runs(n=10))
    gc.collect()
    return elapsed, (resident_bytes() - before) / 1e6


def in_a_process(function, *arguments):
    """Return what a function returns in a process of its own, that has imported vectorbt and nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(full=True):
    """Run all of it. `full=False` keeps to a small registry."""
    n_runs = 100_000 if full else 2_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "runs"
        make_registry(folder, n_runs)
        size = (folder / "runs_metadata.jsonl").stat().st_size
        times = in_a_process(measure_times, folder)
        base, lean = times["read and parse the file"], times["read and parse the file, collector off"]
        table(
            f"{n_runs:,} runs, {size / 1e6:,.0f} MB, {size / n_runs:,.0f} bytes a run",
            ["what", "time", "to read and parse", "to the same, collector off"],
            [[name, milliseconds(t), f"{t / base:.2f}", f"{t / lean:.2f}"] for name, t in times.items()],
        )
        table(
            "Memory, to the size of the file",
            ["held after a listing", "while all records are handed out", "and the details of each were asked for"],
            [[f"{in_a_process(measure_memory, folder, what):.2f}" for what in ("held", "records", "details")]],
        )
    n_runs = 1_000_000 if full else 10_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "runs"
        make_registry(folder, n_runs)
        elapsed, megabytes = in_a_process(measure_million, folder)
        table(
            f"{n_runs:,} runs",
            ["get_best_runs(n=10), cold", "memory held"],
            [[milliseconds(elapsed), f"{megabytes:,.0f} MB"]],
        )


if __name__ == "__main__":
    main("--quick" not in sys.argv)
