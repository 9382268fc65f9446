"""Runs as a DataFrame: every value in its place, whatever the others are, in columns that every program opens."""

import dataclasses
import datetime
import decimal
import enum
import io
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry import RunRecord
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.checks import as_utc
from vectorbt.portfolio.registry.display import text_of
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.query.comparing import equal, sort_key
from vectorbt.portfolio.registry.query.comparing import is_missing as is_nat
from vectorbt.portfolio.registry.readable import MISSING
from vectorbt.portfolio.registry.run import records_of
from vectorbt.portfolio.registry.tables.compare import compare
from vectorbt.portfolio.registry.tables.frame import to_frame
from vectorbt.portfolio.registry.tables.run_list import RunList
from vectorbt.portfolio.registry.tables.sweeps import summarise

VALUES = (
    *(0, 1, -7, 2**53 + 1, 2**63 - 1, 2**80, 0.5, -0.0, 1e300, float("inf"), float("nan"), None, True, False),
    *("BTC", "", "2024-01-01", decimal.Decimal("0.1"), (1, 2), [1, [2]], {"a": 1}, {"$tag": "b"}, {}, {"a": 1, "b": 2}),
    *(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01 12:00", tz="UTC"), pd.Timedelta(days=1), pd.NaT),
    *(datetime.date(2024, 1, 1), datetime.datetime(2500, 1, 1), np.datetime64("2024-01"), np.arange(3)),
)
NAMES = ("a", "b", "c")
ALIKE = (
    st.just(0.25) | st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5),
    st.sampled_from([pd.Timedelta(days=1), pd.Timedelta(hours=5)]),
    st.sampled_from([pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]),
    st.sampled_from(VALUES),
)
"""What the values of one column are drawn from: nearly always the same kind, as in a registry."""


@st.composite
def lists_of_values(draw):
    """Return for each of a few runs its values by name."""
    kinds = {name: draw(st.sampled_from(ALIKE)) for name in NAMES}
    any_value = st.sampled_from(VALUES)
    rows = []
    for _ in range(draw(st.integers(1, 9))):
        names = draw(st.permutations(NAMES)) if draw(st.integers(0, 3)) == 0 else NAMES
        names = names[: draw(st.integers(0, 3))] if draw(st.integers(0, 3)) == 0 else names
        rows.append({name: draw(any_value if draw(st.integers(0, 9)) == 0 else kinds[name]) for name in names})
    return rows


def same(got, given):
    """Return whether a value of a table is one of a record: a missing one is NaN, a number may be NumPy's."""
    if is_missing(got) or is_missing(given):
        return is_missing(got) and is_missing(given)
    if isinstance(got, np.ndarray) or isinstance(given, np.ndarray):
        return type(got) is type(given) and np.array_equal(got, given)
    if isinstance(got, datetime.datetime) and isinstance(given, datetime.datetime) and got.tzinfo is not None:
        return got == as_utc(given)
    return got == given  # an integer among floats becomes one, unless that is another number


def same_text(got, given):
    return is_missing(got) if is_missing(given) else got == text_of(given, str)


def is_missing(value):
    return pd.api.types.is_scalar(value) and pd.isna(value)


def as_rows(records, size):
    """Return records as rows of blocks of some size, the last one apart from any block."""
    held = []
    for start in range(0, len(records) - 1, size):
        block = RunBlock.of([record.to_dict() for record in records[start : min(start + size, len(records) - 1)]])
        held += records_of(RunBlock.from_json(loads(dumps(block.to_json()))), np.arange(len(block)))
    return [*held, *records[-1:]]


@settings(max_examples=200)
@given(rows=lists_of_values(), size=st.integers(1, 4))
def test_every_value_is_in_its_place_or_its_text_is(rows, size):
    records = [make_record(i, stats=row, parameters=row) for i, row in enumerate(rows)]
    frame = to_frame(as_rows(records, size))
    pd.testing.assert_frame_equal(frame, to_frame(records))
    for name in {name for row in rows for name in row}:
        given = [row.get(name) for row in rows]
        got = frame[f"params.{name}"].tolist()
        assert all(map(same, got, given)) or all(map(same_text, got, given)), (name, got)
        if any(isinstance(value, (datetime.datetime, pd.Timedelta)) and value is not pd.NaT for value in given):
            given = [None if type(value) in (int, float) else value for value in given]  # a number counts bars then
        got = frame[name].tolist()
        assert all(map(same, got, given)) or all(map(same_text, got, given)), (name, got)


@settings(max_examples=200)
@given(rows=lists_of_values(), size=st.integers(1, 4))
def test_parquet_takes_every_table(rows, size):
    frame = to_frame(as_rows([make_record(i, stats=row, parameters=row) for i, row in enumerate(rows)], size), tz=None)
    file = io.BytesIO()
    frame.to_parquet(file)
    again = pd.read_parquet(file)
    assert list(again) == list(frame) and again.index.equals(frame.index)


def test_excel_and_csv_take_a_table():
    pytest.importorskip("openpyxl", reason="needs openpyxl, as pandas' to_excel does")
    values = [10, "auto", pd.Timedelta(days=2), None, [1, 2], {"a": 1}, pd.Timestamp("2024-01-01", tz="Europe/Berlin")]
    records = [make_record(i, parameters={"x": value, "at": values[-1]}) for i, value in enumerate(values)]
    frame = to_frame(records, tz=None)
    file = io.BytesIO()
    frame.to_excel(file)
    again = pd.read_excel(file, index_col=0)
    assert again["timestamp"].tolist() == [record.timestamp.replace(tzinfo=None) for record in records]
    assert again["params.x"].tolist()[:3] == ["10", "auto", "2 days 00:00:00"]
    assert again["params.at"].iloc[0] == pd.Timestamp("2023-12-31 23:00")
    assert pd.read_csv(io.StringIO(frame.to_csv()), index_col=0)["sharpe_ratio"].equals(frame["sharpe_ratio"])


def test_the_zone_of_a_table():
    records = [make_record(i) for i in range(2)]
    assert str(to_frame(records, tz="Asia/Tokyo")["timestamp"].dt.tz) == "Asia/Tokyo"
    assert to_frame(records, tz="Asia/Tokyo")["timestamp"].tolist() == to_frame(records)["timestamp"].tolist()
    assert to_frame(records, tz=None)["timestamp"].dt.tz is None


@pytest.mark.parametrize("missing", [{}, {"x": None}, {"x": float("nan")}, {"x": pd.NaT}, {"x": 22.0}], ids=str)
def test_durations_stay_durations_where_some_are_missing(missing):
    """A run without a frequency has a number of bars instead."""
    column = to_frame([make_record(0, stats={"x": pd.Timedelta(days=3)}), make_record(1, stats=missing)])["x"]
    assert column.dtype.kind == "m" and column.isna().tolist() == [False, True]


def test_integers_of_which_some_are_missing_are_floats():
    column = to_frame([make_record(0, parameters={"x": 3}), make_record(1, parameters={})])["params.x"]
    assert column.dtype == float and column.astype("Int64").tolist() == [3, pd.NA]


def test_times_in_several_zones_are_in_utc():
    zones = ["UTC", "Asia/Tokyo", None]
    values = [pd.Timestamp("2024-01-01", tz=zone) for zone in zones]
    column = to_frame([make_record(i, stats={"start": value}) for i, value in enumerate(values)])["start"]
    assert [moment.hour for moment in column] == [0, 15, 0] and str(column.dt.tz) == "UTC"


def test_where_a_result_comes_from():
    data = [dict(symbols=["BTC", "ETH"], bars=60, frequency="1 days"), dict(symbols=["A"] * 10, n_symbols=500), {}]
    environment = dict(git=dict(commit="0123abcd", dirty=False), vectorbt="1.2.0")
    records = [make_record(i, data=described, environment=environment) for i, described in enumerate(data)]
    for frame in (to_frame(records), to_frame(as_rows(records, 2))):
        assert frame["symbols"].tolist()[:2] == ["BTC, ETH", f"{', '.join('A' * 10)}, and 490 more"]
        assert frame["frequency"].iloc[0] == pd.Timedelta(days=1) and is_missing(frame["symbols"].iloc[2])
        assert frame["bars"].iloc[0] == 60 and frame["bars"].isna().tolist() == [False, True, True]
        assert set(frame["git_commit"]) == {"0123abcd"} and set(frame["vectorbt"]) == {"1.2.0"}


@settings(max_examples=100)
@given(kind=st.sampled_from(ALIKE[:4]), n=st.integers(1, 9), size=st.integers(1, 4), data=st.data())
def test_a_column_of_one_kind_has_its_type(kind, n, size, data):
    values = [data.draw(kind) for _ in range(n)]
    records = [make_record(i, parameters={"x": value}) for i, value in enumerate(values)]
    column = to_frame(as_rows(records, size))["params.x"]
    expected = {float: "f", int: "i", pd.Timedelta: "m", pd.Timestamp: "M"}[type(values[0])]
    assert column.dtype.kind == expected and column.tolist() == values


@pytest.mark.parametrize("change", [dict(tags=["new"]), dict(notes="new"), dict(parameters={"new": 1})], ids=str)
def test_what_was_set_on_a_record_that_nobody_has_read_shows(change):
    record = RunRecord.from_dict(make_record().to_dict())
    ((name, value),) = change.items()
    setattr(record, name, value)
    assert getattr(record, name) == value
    frame = to_frame([record])
    assert frame["params.new"].tolist() == [1] if name == "parameters" else frame[name].tolist() == [value]
    assert record == make_record(**change)


def test_the_lists_of_a_table_are_not_those_of_the_records():
    record = RunRecord.from_dict(make_record().to_dict())
    to_frame([record])["tags"].iloc[0].append("another")
    assert record.tags == ["daily"] == to_frame([record])["tags"].iloc[0]


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, np.array([1, 2])], ids=lambda value: type(value).__name__)
def test_the_values_of_a_table_belong_to_its_cell(value):
    """Equal values are one in the columns of a sweep."""
    rows = as_rows([make_record(i, parameters={"x": value}) for i in range(4)], 3)
    cells = to_frame(rows)["params.x"]
    change = dict(list=lambda v: v.append(3), dict=lambda v: v.clear(), ndarray=lambda v: v.fill(0))
    change[type(value).__name__](cells.iloc[0])
    for other in (*cells.iloc[1:], *to_frame(rows)["params.x"], *(row.parameters["x"] for row in rows)):
        assert same(other, value)


def test_a_record_as_a_dict_is_no_copy_of_its_sweep():
    record = as_rows([make_record(i) for i in range(4)], 3)[0]
    block = record.source.block
    assert dataclasses.asdict(record)["_source"][0] is block


def test_years_that_nanoseconds_cannot_hold():
    far = datetime.datetime(2500, 1, 1, tzinfo=datetime.UTC)
    frame = to_frame([make_record(0), make_record(1, timestamp=far)])
    assert frame["timestamp"].tolist() == [make_record(0).timestamp, far]
    assert str(frame["timestamp"].dtype) == str(to_frame([make_record(0)])["timestamp"].dtype)


# ############# Values that are hard to hold or to show ############# #

FAR = [
    *(np.timedelta64(3, unit) for unit in ("Y", "M", "ps", "fs", "as", "7m", "generic")),
    *(np.datetime64(5, unit) for unit in ("ps", "fs", "as")),
    *(np.timedelta64(2**62, "D"), np.timedelta64(2**62, "W"), np.datetime64(2**62, "D"), np.datetime64(2**62, "Y")),
    *(np.timedelta64("NaT", "M"), np.datetime64("NaT", "as")),
]


def same_time(a, b):
    return type(a) is type(b) and np.datetime_data(a) == np.datetime_data(b) and a.view("i8") == b.view("i8")


@pytest.mark.parametrize("value", FAR, ids=repr)
@pytest.mark.parametrize("others", [[], [None], ["text"], [1.5], [np.timedelta64(1, "D")], [pd.Timedelta(1)]], ids=str)
def test_a_time_that_pandas_cannot_hold_is_shown_and_compared_as_given(value, others):
    rows = [value, *others]
    records = [make_record(i, parameters={"x": x, "in": [x], "of": {"a": (x,)}}) for i, x in enumerate(rows)]
    shown = MISSING if is_nat(value) else str(value)
    assert to_frame(records)["params.x"].iloc[0] == str(value)
    assert shown in RunList(records[:1])._repr_html_() and shown in records[0]._repr_html_()
    assert repr(value) in repr(records[0])
    assert same_time(compare(records)["params.x"].iloc[0], value)
    compared = compare(records, only_differing=True)
    assert ("params.x" in compared) is (
        len(rows) > 1 and not all(equal(x, value) or (is_nat(x) and is_nat(value)) for x in rows)
    )
    assert len(repr(compared)) > 0 and len(compared.to_html()) > 0


class Rude(enum.Enum):
    A = 1

    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


LONG = 10**5000
SWEEP_ID = "00000000-0000-4000-8000-000000000009"
LONGEST = [LONG, -LONG, [LONG], (LONG,), {LONG}, frozenset({LONG}), {"a": [{LONG: (1, LONG)}]}]


@pytest.mark.parametrize("value", [*LONGEST, Rude.A, [Rude.A], {"a": Rude.A}], ids=range(10))
def test_a_value_that_cannot_be_written_hides_nothing(value, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    records = [
        make_record(0, parameters={"x": value, "y": 7}),
        make_record(1, parameters={"x": 1.5}, strategy_name="plain"),
    ]
    runs = RunList(records)
    for shown in (repr(runs), runs._repr_html_()):
        assert "plain" in shown and ("e+5000" in shown or "<Rude>" in shown or "&lt;Rude&gt;" in shown)
    assert "y=7" in repr(records[0]) and ">y</span>" in records[0]._repr_html_()
    assert compare(runs)["params.x"].tolist() == [value, 1.5]
    assert runs.to_frame()["params.x"].tolist() == [text_of(value), "1.5"]
    assert sorted([value, 1.5], key=sort_key) is not None


@pytest.mark.parametrize("value", LONGEST, ids=range(7))
def test_a_table_with_integers_that_are_too_long_prints(value):
    records = [make_record(0, parameters={"x": value}), make_record(1, parameters={"x": None})]
    frame, compared = to_frame(records), compare(records)
    for shown in (repr(frame["params.x"]), frame.to_html(), compared.to_html(), compared.to_string()):
        assert "e+5000" in shown
    assert compared["params.x"].iloc[0] == value


def test_shorter_integers_are_written_in_full():
    value = 10**700
    records = [make_record(parameters={"x": value})]
    assert to_frame(records)["params.x"].iloc[0] == str(value) and compare(records)["params.x"].iloc[0] == value
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert "e+700" in to_frame(records).to_string() and "e+700" in repr(make_record(parameters={"x": value}))
    finally:
        sys.set_int_max_str_digits(limit)


def test_a_headline_metric_that_is_too_large_to_format_is_shown():
    assert "total_return=" in repr(make_record(total_return=10**400, total_trades=LONG))
    runs = [make_record(0, sharpe_ratio=LONG, sweep_id=SWEEP_ID), make_record(1, sweep_id=SWEEP_ID)]
    for shown in (to_frame(runs), compare(runs), summarise(runs)):
        assert "e+5000" in shown.to_string()
