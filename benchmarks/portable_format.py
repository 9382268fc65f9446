"""The portable format beside pickle: what must hold, and other containers of the same orders."""

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

import vectorbt as vbt
from benchmarks.measuring import seconds, table
from benchmarks.saving import make_portfolio, write_durably
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.portfolios.formats import FORMATS
from vectorbt.portfolio.registry.portfolios.portable.prices import is_prices

STEM = "0b9d2c5e-0000-4000-8000-000000000000"


def main(full=True):
    """Print the tables. The full sizes take a minute and 2 GB of memory."""
    sizes(full)
    candidates(4_950 if full else 190)


def sizes(full):
    """Print what must hold."""
    rows = []
    sweep = make_portfolio(columns=4_950 if full else 190)
    pickled = len(sweep.dumps())
    blobs = FORMATS["portable"].dump(sweep, STEM)
    label = f"sweep of {sweep.wrapper.shape_2d[1]:,} columns x 2,000 bars"
    rows.append([f"{label}, size", _mb(pickled), _mb(_total(blobs)), f"{_total(blobs) / pickled:.2%}", "4 %"])
    rows += _times(sweep, label)
    single = make_portfolio()
    pickled, blobs = len(single.dumps()), FORMATS["portable"].dump(single, STEM)
    rows.append(["single run, 2,000 bars", _mb(pickled), _mb(_total(blobs)), f"{_total(blobs) / pickled:.1%}", "20 %"])
    rows.append(["... prices are there", _mb(pickled), _mb(_own(blobs)), f"{_own(blobs) / pickled:.1%}", "5 %"])
    minutes = _make_minutes(500_000 if full else 20_000)
    blobs = FORMATS["portable"].dump(minutes, STEM)
    orders = minutes.order_records.nbytes
    label = f"{len(minutes.wrapper.index):,} minute bars, 2nd run"
    beyond = f"{_own(blobs) - orders:+,} B beyond the orders"
    rows.append([label, _mb(len(minutes.dumps())), _mb(_own(blobs)), beyond, "+20,000 B"])
    table("The portable format beside pickle", ["", "pickle", "portable", "portable / pickle", "goal at most"], rows)


def _times(sweep, label):
    """Measure saving and loading through a store, which verifies digests in both formats."""
    from vectorbt.portfolio.registry.checks import new_run_ids

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        registry = RunRegistry(folder, portfolio_format="portable")
        run_ids = registry.save_sweep(sweep, "dual_sma")
        sweep_id = registry.get_run(run_ids[0]).sweep_id
        store = FileStore(Path(folder) / "written")

        def save():
            for name, content in FORMATS["portable"].dump(sweep, new_run_ids(1)[0]).items():
                store.artifacts.write(name, content)

        pickle_save = seconds(lambda: write_durably(folder, sweep.dumps()), repeat=3)
        rows.append(_compared(f"{label}, saving", pickle_save, seconds(save, repeat=3), "100 %"))
        content = sweep.dumps()
        pickle_load = seconds(lambda: vbt.Portfolio.loads(content), repeat=3)
        load = seconds(lambda: registry.load_sweep(sweep_id), repeat=3)
        rows.append(_compared(f"{label}, loading", pickle_load, load, "150 %"))
        registry.load_portfolio(run_ids[0])  # compiles
        column = seconds(lambda: registry.load_portfolio(run_ids[len(run_ids) // 2]), repeat=9)
        rows.append(_compared(f"{label}, loading one column", pickle_load, column, "5 %"))
    return rows


def _compared(label, pickle, portable, goal):
    return [label, f"{1000 * pickle:,.1f} ms", f"{1000 * portable:,.1f} ms", f"{portable / pickle:.1%}", goal]


def _make_minutes(bars):
    steps = np.random.default_rng(0).normal(0, 0.001, bars)
    index = pd.date_range("2020-01-01", periods=bars, freq="min", name="time")
    price = pd.Series(np.round(100 * np.exp(np.cumsum(steps)), 2), index=index, name="BTC")
    entries = pd.Series(np.arange(bars) % 1_000 == 10, index=index)
    return vbt.Portfolio.from_signals(price, entries, entries.shift(500, fill_value=False), freq="1min")


def _total(blobs):
    return sum(map(len, blobs.values()))


def _own(blobs):
    return sum(len(content) for name, content in blobs.items() if not is_prices(name))


def _mb(size):
    return f"{size / 1e6:,.3f} MB"


# ############# Candidates ############# #


def candidates(columns):
    """Compare containers for the orders of a sweep: size, writing, reading all, reading one column."""
    orders = make_portfolio(columns=columns).order_records
    single = make_portfolio().order_records
    contenders = {
        "the portable format": _portable,
        "NumPy .npz, deflate": _npz,
        "zarr-like chunks, zip": _chunks,
        "Arrow IPC, zstd": _arrow,
    }
    column = int(orders["col"][len(orders) // 2])
    rows = []
    for name, make in contenders.items():
        write, read, read_column = make()
        content = write(orders)
        assert all(np.array_equal(values, orders[field]) for field, values in read(content).items())
        expected = orders["idx"][orders["col"] == column]
        assert np.array_equal(np.asarray(read_column(content, column)), expected)
        times = [
            seconds(lambda: write(orders), repeat=3),  # noqa: B023
            seconds(lambda: read(content), repeat=3),  # noqa: B023
            seconds(lambda: read_column(content, column), repeat=5),  # noqa: B023
        ]
        rows.append([name, _mb(len(content)), f"{len(write(single)):,} B", *(f"{1000 * t:,.1f} ms" for t in times)])
    rows.append(["raw records", _mb(orders.nbytes), f"{single.nbytes:,} B", "", "", ""])
    title = f"{len(orders):,} orders of {columns:,} columns; and {len(single)} orders of a single run"
    table(title, ["container", "sweep", "single run", "write", "read all", "read one column"], rows)


def _portable():
    from vectorbt.portfolio.registry.portfolios.portable.records import read_records, write_records
    from vectorbt.portfolio.registry.portfolios.portable.table import TableFile

    def read(content):
        records = read_records(TableFile.of(content))
        return {name: records[name] for name in records.dtype.names}

    def read_column(content, column):
        return read_records(TableFile.of(content), range(column, column + 1))["idx"]

    return lambda orders: write_records(orders, {}), read, read_column


def _npz():
    def write(orders):
        file = io.BytesIO()
        np.savez_compressed(file, **{name: orders[name] for name in orders.dtype.names})
        return file.getvalue()

    def read(content):
        with np.load(io.BytesIO(content)) as arrays:
            return dict(arrays)

    def read_column(content, column):
        fields = read(content)
        return fields["idx"][fields["col"] == column]

    return write, read, read_column


def _chunks(rows=4096):
    """One member of a zip archive per field and 4,096 rows, each shuffled by byte."""
    import zlib

    dtypes = {}

    def write(orders):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in orders.dtype.names:
                dtypes[name] = orders.dtype[name]
                for i, start in enumerate(range(0, len(orders), rows)):
                    values = np.ascontiguousarray(orders[name][start : start + rows])
                    archive.writestr(f"{name}/{i}", zlib.compress(values.view("u1").reshape(-1, 8).T.tobytes()))
        return file.getvalue()

    def chunk(archive, name, i):
        planes = np.frombuffer(zlib.decompress(archive.read(f"{name}/{i}")), "u1").reshape(8, -1)
        return np.ascontiguousarray(planes.T).view(dtypes[name]).ravel()

    def read(content):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            count = len(archive.namelist()) // len(dtypes)
            return {name: np.concatenate([chunk(archive, name, i) for i in range(count)]) for name in dtypes}

    def read_column(content, column):
        # Without an index of its own, it has to look for the column in all chunks.
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            count = len(archive.namelist()) // len(dtypes)
            found = [(i, chunk(archive, "col", i) == column) for i in range(count)]
            return np.concatenate([chunk(archive, "idx", i)[where] for i, where in found if where.any()])

    return write, read, read_column


def _arrow():
    import pyarrow as pa
    import pyarrow.feather as feather

    def write(orders):
        file = io.BytesIO()
        arrays = pa.table({name: np.ascontiguousarray(orders[name]) for name in orders.dtype.names})
        feather.write_feather(arrays, file, compression="zstd", chunksize=4096)
        return file.getvalue()

    def read(content):
        return {name: column.to_numpy() for name, column in zip(*_columns(feather.read_table(io.BytesIO(content))))}

    def read_column(content, column):
        fields = read(content)
        return fields["idx"][fields["col"] == column]

    return write, read, read_column


def _columns(arrays):
    return arrays.column_names, arrays.columns


if __name__ == "__main__":
    import sys

    main("--quick" not in sys.argv)
