"""What a save costs beyond what vectorbt itself does, in small and large registries; and what importing costs."""

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import vectorbt as vbt
from benchmarks.measuring import milliseconds, seconds, table
from benchmarks.registries import make_registry
from vectorbt.portfolio import registry as registry_package
from vectorbt.portfolio.registry import FileStore, RunRecord, RunRegistry
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.checks import new_run_ids

PARAMETERS = {"fast": 10, "slow": 50, "fees": 0.001, "symbol": "SPX"}


def make_portfolio(bars=2_000, columns=1):
    """Return a backtest of moving averages over a random walk; with several columns, a sweep over their windows."""
    steps = np.random.default_rng(0).normal(0.0003, 0.01, bars)
    price = pd.Series(100 * np.exp(np.cumsum(steps)), index=pd.date_range("2015-01-01", periods=bars), name="SPX")
    if columns == 1:
        fast, slow = vbt.MA.run(price, 10), vbt.MA.run(price, 50)
    else:
        windows = np.arange(2, 2 + int((1 + (1 + 8 * columns) ** 0.5) / 2))
        fast, slow = vbt.MA.run_combs(price, windows, r=2, short_names=["fast", "slow"])
    return vbt.Portfolio.from_signals(price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D")


def write_durably(folder, content):
    """Write a file with fsync, as the baseline does."""
    with open(Path(folder) / "baseline.pkl", "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def vectorbts_part(portfolio, folder):
    """Do what any registry would have to do."""
    portfolio.stats(silence_warnings=True)
    portfolio.returns()
    write_durably(folder, portfolio.dumps())


def save_overhead(sizes):
    """Compare `save_run` with vectorbt's part of it, in registries of several sizes."""
    portfolio = make_portfolio()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in sizes:
            folder = Path(temporary) / str(size)
            make_registry(folder, size)
            vectorbts_part(portfolio.replace(), temporary)  # compiles
            for state in ("just opened", "read before"):
                # One of each in turn, so that whatever else the machine does hits both.
                pairs = []
                for _ in range(25):
                    registry = RunRegistry(folder)
                    if state == "read before":
                        registry.list_runs(limit=1)
                    base = seconds(lambda: vectorbts_part(portfolio.replace(), temporary), repeat=1)
                    save = seconds(lambda: registry.save_run(portfolio.replace(), "dual_sma", PARAMETERS), repeat=1)  # noqa: B023
                    pairs.append((base, save))
                base, save = (statistics.median(times) for times in zip(*pairs, strict=True))
                beyond = statistics.median(save - base for base, save in pairs)
                rows.append([f"{size:,}", state, milliseconds(base), milliseconds(save), milliseconds(beyond)])
    table(
        "save_run beyond stats(), returns(), dumps() and a durable write",
        ["runs", "process has", "vectorbt", "save_run", "beyond"],
        rows,
    )


def one_record():
    """Compare a save of one run without its portfolio with writing and syncing the same bytes."""
    record = RunRecord.from_portfolio(make_portfolio(), "dual_sma", PARAMETERS)
    with tempfile.TemporaryDirectory() as temporary:
        store = FileStore(Path(temporary) / "runs")
        store.save_run(record)
        content = store.metadata_file.read_bytes().splitlines(keepends=True)[-1]
        pairs = []
        with open(Path(temporary) / "baseline", "ab", buffering=0) as file:
            for _ in range(300):
                record.run_id = new_run_ids(1)[0]
                base = seconds(lambda: (file.write(content), os.fsync(file.fileno())), repeat=1)
                save = seconds(lambda: store.save_run(record, new_ids=True), repeat=1)
                pairs.append((base, save))
    base, save = (statistics.median(times) for times in zip(*pairs, strict=True))
    beyond = statistics.median(save - base for base, save in pairs)
    table(
        "Saving one run, durably, without its portfolio",
        ["the same bytes, written and synced", "store.save_run", "beyond"],
        [[milliseconds(base), milliseconds(save), milliseconds(beyond)]],
    )


def naive_store(sizes):
    """Compare with the obvious design: one JSON file that is read and rewritten on every save."""
    record = RunRecord.from_portfolio(make_portfolio(), "dual_sma", PARAMETERS).to_dict()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in sizes:
            path = Path(temporary) / "runs.json"
            path.write_text(json.dumps({str(i): record for i in range(size)}))

            def rewrite(path=path):
                runs = json.loads(path.read_text())
                runs[str(len(runs))] = record
                path.write_text(json.dumps(runs))

            folder = Path(temporary) / str(size)
            make_registry(folder, size)
            store = FileStore(folder)

            def append(store=store):
                store.insert(RunBlock.of([{**record, "run_id": new_run_ids(1)[0]}]), new_ids=True)

            append()
            naive, ours = seconds(rewrite, repeat=3), seconds(append, repeat=9)
            rows.append([f"{size:,}", milliseconds(naive), milliseconds(ours), f"{naive / ours:,.0f}"])
    table(
        "The metadata of one save: a JSON file that is rewritten, beside a line that is appended",
        ["runs", "rewritten, not even synced", "appended and synced", "ratio"],
        rows,
    )


def import_cost():
    """Measure what the registry's modules add to `import vectorbt`, compiled as an installation leaves them."""
    compileall.compile_dir(Path(registry_package.__file__).parent, quiet=1)
    # vectorbt imports all modules below it; here ours are hidden from it, and imported afterwards.
    code = """
import pkgutil, sys, time
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("vectorbt.portfolio.registry"):
            raise ImportError(name)
hide, walk = Hide(), pkgutil.walk_packages
sys.meta_path.insert(0, hide)
pkgutil.walk_packages = lambda *args: (m for m in walk(*args) if not m.name.endswith(".registry"))
start = time.perf_counter()
import vectorbt
without = time.perf_counter() - start
sys.meta_path.remove(hide)
start = time.perf_counter()
import vectorbt.portfolio.registry
from vectorbt.portfolio.registry.block import RunBlock
print(without, time.perf_counter() - start)
"""
    times = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(7)
    ]
    without, longer = (statistics.median(map(float, column)) for column in zip(*times, strict=True))
    table("import vectorbt", ["without the registry", "longer by"], [[milliseconds(without), milliseconds(longer)]])


def sweep(columns):
    """Compare `save_sweep` with vectorbt's part of it."""
    portfolio = make_portfolio(columns=columns)

    def vectorbts(pf):
        pf.stats(agg_func=None, silence_warnings=True)
        pf.returns()
        write_durably(temporary, pf.dumps())

    with tempfile.TemporaryDirectory() as temporary:
        registry = RunRegistry(Path(temporary) / "runs")
        vectorbts(portfolio.replace())
        registry.save_sweep(portfolio.replace(), "dual_sma")
        pairs = [
            (
                seconds(vectorbts, 1, before=portfolio.replace),
                seconds(lambda pf: registry.save_sweep(pf, "dual_sma"), 1, before=portfolio.replace),
            )
            for _ in range(3)
        ]
        base, save = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(save / base for base, save in pairs)
        metadata = registry.store.metadata_file.stat().st_size / len(registry)
    n_columns, bars = portfolio.wrapper.shape_2d[1], portfolio.wrapper.shape_2d[0]
    table(
        f"save_sweep of {n_columns:,} columns x {bars:,} bars, warm",
        ["stats(agg_func=None) + returns() + dumps() + durable write", "save_sweep", "ratio", "metadata per run"],
        [[milliseconds(base), milliseconds(save), f"{ratio:.2f}", f"{metadata:,.0f} bytes"]],
    )


def main(full=True):
    """Run all of it. `full=False` keeps to small registries."""
    save_overhead([100, 100_000] if full else [100, 1_000])
    one_record()
    naive_store([100, 1_000, 10_000] if full else [100, 1_000])
    sweep(4_950 if full else 190)
    import_cost()


if __name__ == "__main__":
    main("--quick" not in sys.argv)
