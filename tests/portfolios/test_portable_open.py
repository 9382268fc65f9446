"""The files of the portable format are Parquet to everybody else."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.portfolios.test_portable import STEM, bits, dump
from tests.support.factories import make_portfolio, make_price, make_sweep
from vectorbt.portfolio.registry import RunRegistry
from vectorbt.portfolio.registry.portfolios.portable.table import DIGEST, HEADER, TableFile, as_type, write_table

DTYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?"]


@given(
    dtype=st.sampled_from(DTYPES),
    n_rows=st.integers(0, 300),
    data=st.data(),
)
def test_every_reader_sees_the_values(dtype, n_rows, data):
    elements = hnp.from_dtype(np.dtype(dtype))
    values = data.draw(hnp.arrays(dtype, n_rows, elements=elements, fill=elements))
    split = data.draw(st.integers(0, n_rows))
    bounds = sorted({0, split, n_rows})
    content = write_table({}, {"x": values}, bounds)
    assert bits(TableFile.of(content).columns()["x"]) == bits(values)
    read = pq.read_table(io.BytesIO(content))["x"].to_numpy() if n_rows else values
    assert bits(read.astype(values.dtype, copy=False)) == bits(values)


@pytest.mark.parametrize("dtype", ["S3", "U2", "c16", ">f8", ">i4", "<M8[s]", "f2", "V5"])
def test_other_types_are_bytes(dtype):
    values = np.array(["ab", "ü"], "U2") if dtype == "U2" else np.frombuffer(bytes(range(240)), dtype)
    content = write_table({}, {"x": values}, [0, len(values)])
    assert bits(as_type(TableFile.of(content).columns()["x"], values.dtype)) == bits(values)
    read = pq.read_table(io.BytesIO(content))["x"].to_pylist()
    assert b"".join(read) == values.tobytes()


@given(bounds=st.sets(st.integers(1, 99)), data=st.data())
def test_row_groups_and_columns_are_read_alone(bounds, data):
    bounds = [0, *sorted(bounds), 100]
    columns = dict(x=np.arange(100), y=np.arange(100) / 7, z=np.arange(100).astype(">i4"))
    table = TableFile.of(write_table({}, columns, bounds))
    groups = data.draw(st.lists(st.integers(0, table.n_groups - 1), unique=True).map(sorted))
    names = data.draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, unique=True))
    rows = np.concatenate([np.arange(0), *(np.arange(bounds[i], bounds[i + 1]) for i in groups)])
    for name, values in table.columns(names, groups).items():
        assert bits(as_type(values, columns[name].dtype)) == bits(columns[name][rows])


def test_floats_are_encoded_in_the_smaller_way():
    rng = np.random.default_rng(0)
    walk = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 40_000)))
    columns = dict(walk=walk, rounded=np.round(walk, 2), noughts=np.zeros(40_000))
    group = pq.read_metadata(io.BytesIO(write_table({}, columns, [0, 40_000]))).row_group(0)
    used = {name: group.column(i).encodings for i, name in enumerate(columns)}
    assert "BYTE_STREAM_SPLIT" in used["walk"] and "PLAIN" in used["rounded"] and "PLAIN" in used["noughts"]


def test_the_header_is_plain_json_in_the_metadata():
    for content in dump(make_sweep(log=True, attach_call_seq=True)).values():
        found = pq.read_metadata(io.BytesIO(content)).metadata
        assert json.loads(found[HEADER.encode()]) == TableFile.of(content).header
        assert set(found) == {HEADER.encode(), DIGEST.encode()}


def test_pandas_reads_the_orders_and_the_logs():
    pf = make_sweep(log=True)
    blobs = dump(pf)
    orders = pd.read_parquet(io.BytesIO(blobs[f"{STEM}.parquet"]))
    assert list(orders) == list(pf.order_records.dtype.names)
    logs = pd.read_parquet(io.BytesIO(blobs[f"{STEM}.logs.parquet"]))
    for frame, records in ((orders, pf.order_records), (logs, pf.log_records)):
        for name in records.dtype.names:
            assert bits(frame[name].to_numpy()) == bits(records[name])


def test_pandas_reads_the_prices():
    (content,) = [content for name, content in dump(make_portfolio()).items() if name.startswith("prices-")]
    prices = pd.read_parquet(io.BytesIO(content))
    assert np.array_equal(prices["0"], make_price()) and list(prices) == ["index", "0"]
    assert (prices["index"].dt.tz_localize(None).to_numpy() == make_price().index.to_numpy()).all()


def test_the_example_reads_the_orders_without_our_code(tmp_path):
    registry = RunRegistry(tmp_path / "runs", portfolio_format="portable")
    run_id = registry.save_run(make_portfolio(), "dual_sma")
    example = Path(__file__).parents[2] / "examples" / "read_portable_orders.py"
    done = subprocess.run(
        [sys.executable, example, registry.store.portfolios_dir / f"{run_id}.parquet"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    last = make_portfolio().orders.records_readable.iloc[-1]
    assert (
        str(last["Timestamp"].date()) in done.stdout and f"{len(make_portfolio().order_records)} orders" in done.stdout
    )
    assert "vectorbt" not in example.read_text().split('"""')[2]
