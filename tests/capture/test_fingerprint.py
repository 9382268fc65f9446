"""Equal data has equal fingerprints, and other data has others."""

import hashlib
import io
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vectorbt as vbt
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.capture import fingerprint as fingerprint_module
from vectorbt.portfolio.registry.capture.data import describe_columns, fingerprints_of
from vectorbt.portfolio.registry.capture.fingerprint import column_fingerprints, fingerprint

pytestmark = pytest.mark.filterwarnings("error")

CLOSE = np.array([100.0, 101.5, np.nan, 99.25])
DAYS = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"])

hold = vbt.Portfolio.from_holding


INDEXES = {
    "days": DAYS,
    "integers": pd.Index([0, 1, 2, 3]),
    "durations": pd.to_timedelta([0, 1, 2, 3], unit="h"),
    "text": pd.Index(["a", "b", "ü", "\udc80"], dtype=object),
    "dates": pd.Index([day.date() for day in DAYS]),
    "months": pd.period_range("2020-01", periods=4, freq="M"),
    "mixed": pd.Index([1, "1", 2.5, None], dtype=object),
    "pairs": pd.MultiIndex.from_product([["x", "y"], [1, 2]]),
    "far future": pd.Index(np.array(["3000-01-01", "3000-01-02", "3000-01-03", "3000-01-04"], dtype="datetime64[s]")),
}
GOLDEN = {
    "days": "410522b29e9cd49633315dbf735a1e3bdd841a3b716a8f182853f06c5a1ef31a",
    "integers": "cdbff40a32ea1cd89eabc4809cd893fd3feeaeaea70ed4956d734589ddba8070",
    "durations": "421b017fdb578853ae4d6a681d4cf19cd996ca2c8284d51688c2c5b0424fed9a",
    "text": "616b094859751057686a626f3dc0c731fd044037d68cf8274e01aa764c3e5ee5",
    "dates": "8e9eabf1bfec10850363b8b586a78f23c4731908fc6dd778132ee15e04f89eb0",
    "months": "25615d7334588ba419d3cd145dd5445b645a78bc507220f63645f4e6bcd85a02",
    "mixed": "2b693ace8633161d5a394a2b694d9c3b295dfe8e866567e660aef8433d18221c",
    "pairs": "6efd809186a295d2803dcc960df9e280a5bfcb551a070e47e1f9847ec5d92194",
    "far future": "ff3416a41faaf8fd7c6f1b878ac3c7cb2c60e67d0388020f93812b204a2454d2",
}


@pytest.mark.parametrize("name", INDEXES)
def test_fingerprints_are_the_same_forever(name):
    assert fingerprint(CLOSE, INDEXES[name]) == GOLDEN[name]


def test_kinds_of_index_do_not_collide():
    assert len(set(GOLDEN.values())) == len(GOLDEN) == len(INDEXES)


def test_the_definition():
    nan = struct.unpack("<d", bytes.fromhex("000000000000f87f"))[0]
    nanoseconds = [int(day.timestamp()) * 10**9 for day in DAYS]
    hashed = b"t" + struct.pack("<Q4q4d", 4, *nanoseconds, 100.0, 101.5, nan, 99.25)
    assert fingerprint(CLOSE, DAYS) == hashlib.sha256(hashed).hexdigest()
    hashed = b"s" + struct.pack("<Q", 2) + b"1:a2:\xc3\xbc" + struct.pack("<2d", 1, 2)
    assert fingerprint([1, 2], pd.Index(["a", "ü"])) == hashlib.sha256(hashed).hexdigest()


def in_arrow(index, dtype):
    return pd.Index(pd.Series(index).astype(f"{dtype}[pyarrow]"))


EQUAL_DATA = {
    "Series": (pd.Series(CLOSE, index=DAYS, name="BTC"), DAYS),
    "frame of one column": (pd.DataFrame({"BTC": CLOSE}, index=DAYS), DAYS),
    "columns that repeat": (pd.DataFrame({"BTC": CLOSE, "copy": CLOSE}, index=DAYS), DAYS),
    "list": (CLOSE.tolist(), DAYS),
    "objects": (CLOSE.astype(object), DAYS),
    "float32": (CLOSE.astype(np.float32), DAYS),
    "read-only": (np.broadcast_to(CLOSE[:, np.newaxis], (4, 3)), DAYS),
    "seconds": (CLOSE, DAYS.as_unit("s")),
    "milliseconds": (CLOSE, DAYS.as_unit("ms")),
    "microseconds": (CLOSE, DAYS.as_unit("us")),
    "nanoseconds": (CLOSE, DAYS.as_unit("ns")),
    "UTC": (CLOSE, DAYS.tz_localize("UTC")),
    "another zone": (CLOSE, DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo")),
    "name of the index": (CLOSE, DAYS.rename("date")),
    "index of objects": (CLOSE, DAYS.astype(object)),
    "index of categories": (CLOSE, pd.CategoricalIndex(DAYS)),
    **{f"index in Arrow, {unit}": (CLOSE, in_arrow(DAYS, f"timestamp[{unit}]")) for unit in ("s", "ms", "us", "ns")},
    "index in Arrow, in a zone": (CLOSE, in_arrow(DAYS.tz_localize("UTC"), "timestamp[us, tz=Asia/Tokyo]")),
    "categories in Arrow": (CLOSE, pd.CategoricalIndex(in_arrow(DAYS, "timestamp[ns]"))),
    "nullable prices": (pd.Series(CLOSE, index=DAYS, dtype="Float64"), DAYS),
    "missing nullable prices": (pd.Series([100, 101.5, pd.NA, 99.25], index=DAYS, dtype="Float64"), DAYS),
    "prices in Arrow": (pd.Series([100, 101.5, pd.NA, 99.25], index=DAYS, dtype="double[pyarrow]"), DAYS),
    "columns of different types": (
        pd.DataFrame({"a": CLOSE, "b": pd.array([100, 101.5, pd.NA, 99.25], dtype="Float64")}, index=DAYS),
        DAYS,
    ),
}


@pytest.mark.parametrize("name", EQUAL_DATA)
def test_equal_data_has_the_same_fingerprint(name):
    assert fingerprint(*EQUAL_DATA[name]) == GOLDEN["days"]


def test_durations_dates_and_levels_in_arrow_have_the_fingerprints_of_numpys_and_pythons():
    assert fingerprint(CLOSE, in_arrow(INDEXES["durations"], "duration[ms]")) == GOLDEN["durations"]
    assert fingerprint(CLOSE, in_arrow(INDEXES["dates"], "date32[day]")) == GOLDEN["dates"]
    levels = [pd.MultiIndex.from_arrays([days, list("abcd")]) for days in (DAYS, in_arrow(DAYS, "timestamp[us]"))]
    assert fingerprint(CLOSE, levels[0]) == fingerprint(CLOSE, levels[1])


def test_runs_are_found_by_prices_that_were_read_into_arrow():
    index = pd.date_range("2020-01-01", periods=60, freq="D", name="Date")
    prices = pd.DataFrame({"a": np.linspace(100, 120, 60), "b": np.linspace(50, 40, 60)}, index=index)
    registry = RunRegistry(MemoryStore())
    with pytest.warns(UserWarning, match="2 columns are saved as one run"):
        whole = registry.save_run(hold(prices, freq="1D"), "x")
    run_ids = {whole, *registry.save_sweep(hold(prices, freq="1D"), "x")}
    file = io.BytesIO()
    prices.to_parquet(file)
    for backend in ("pyarrow", "numpy_nullable"):
        read = pd.read_parquet(io.BytesIO(file.getvalue()), dtype_backend=backend)
        assert {run.run_id for run in registry.list_runs(data=read)} == run_ids


def test_integer_indexes_are_equal_whatever_their_type():
    for index in (pd.RangeIndex(4), pd.Index([0, 1, 2, 3], dtype="uint8"), pd.Index([0, 1, 2, 3], dtype="Int64")):
        assert fingerprint(CLOSE, index) == GOLDEN["integers"]
    assert fingerprint([1, 2, 3, 4], DAYS) == fingerprint([1.0, 2.0, 3.0, 4.0], DAYS)


def test_zeros_and_nans_are_equal_whatever_their_bits():
    payload = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]
    assert fingerprint([payload, -0.0], DAYS[:2]) == fingerprint([np.nan, 0.0], DAYS[:2])


@pytest.mark.parametrize("position", range(4))
def test_one_changed_value_changes_the_fingerprint(position):
    close = CLOSE.copy()
    close[position] = np.nextafter(np.nan_to_num(close[position]), np.inf)
    assert fingerprint(close, DAYS) != GOLDEN["days"]
    moved = DAYS.to_list()
    moved[position] += pd.Timedelta("1ns")
    assert fingerprint(CLOSE, pd.DatetimeIndex(moved)) != GOLDEN["days"]


def test_naive_times_are_utc_and_not_local():
    assert fingerprint(CLOSE, DAYS.tz_localize("Asia/Tokyo")) != GOLDEN["days"]


def test_labels_cannot_run_into_each_other():
    pairs = [["ab", "c"], ["a", "bc"], ["a1:b", "c"], ["a", "1:bc"]]
    assert len({fingerprint([1.0, 2.0], pd.Index(pair)) for pair in pairs}) == len(pairs)


def test_several_columns():
    btc, eth = [1.0, 2.0], [3.0, 4.0]
    both = fingerprint(np.array([btc, eth]).T, DAYS[:2])
    alone = [fingerprint(column, DAYS[:2]) for column in (btc, eth)]
    assert both == hashlib.sha256("\n".join(alone).encode()).hexdigest()
    assert both == fingerprint(np.array([btc, eth, btc, eth, eth]).T, DAYS[:2])
    assert both != fingerprint(np.array([eth, btc]).T, DAYS[:2])


@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 20), st.integers(1, 12)),
        elements=st.sampled_from([0.0, -0.0, 1.0, 2.0, float("nan")]),
    )
)
def test_columns_have_the_same_fingerprints_together_as_alone(close):
    index = pd.RangeIndex(len(close))
    assert column_fingerprints(close, index) == [fingerprint(column, index) for column in close.T]


def test_columns_that_differ_in_one_unsampled_bar_only_are_told_apart():
    close = np.ones((1000, 200))
    close[503, 70:] = 2.0
    found = [run["fingerprint"] for run in describe_columns(hold(pd.DataFrame(close)))]
    assert found[:70] == [found[0]] * 70 and found[70:] == [found[70]] * 130 and found[0] != found[70]


def test_equal_columns_are_hashed_once(monkeypatch):
    hashed = []
    price_bytes = fingerprint_module._price_bytes
    monkeypatch.setattr(fingerprint_module, "_price_bytes", lambda prices: hashed.append(1) or price_bytes(prices))
    describe_columns(hold(pd.DataFrame(np.tile(np.random.default_rng(0).random((30, 2)) + 1, 100))))
    assert len(hashed) == 2


def test_prices_that_are_none():
    with pytest.raises(TypeError, match="Prices must be numbers"):
        fingerprints_of(pd.Series(["x", "y"]))
    with pytest.raises(ValueError, match="same length, got 4 and 3"):
        fingerprint(CLOSE, DAYS[:3])
