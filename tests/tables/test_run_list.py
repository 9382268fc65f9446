"""Runs as a DataFrame: every value in its place, whatever the others are."""

import datetime
import decimal
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry import RunRecord
from vectorbt.portfolio.registry.tables import run_list as table

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


def same(a, b):
    """Return whether a value of a table is one of a record: a missing one is NaN, a number may be NumPy's."""
    if is_missing(a) or is_missing(b):
        return is_missing(a) and is_missing(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and np.array_equal(a, b)
    return a == b  # an integer among floats becomes one, unless that is another number


def is_missing(value):
    return pd.api.types.is_scalar(value) and pd.isna(value)


@settings(max_examples=200)
@given(rows=lists_of_values(), chunk=st.integers(1, 4))
def test_every_value_is_in_its_place(rows, chunk):
    records = [make_record(i, stats=row, parameters=row) for i, row in enumerate(rows)]
    read = [RunRecord.from_dict(record.to_dict()) for record in records]
    with mock.patch.object(table, "_CHUNK", chunk):
        frame = table.to_frame(read)
    pd.testing.assert_frame_equal(frame, table.to_frame(records))
    for name in {name for row in rows for name in row}:
        for column in (name, f"params.{name}"):
            got = frame[column].tolist()
            assert all(map(same, got, [row.get(name) for row in rows])), (column, got)


@settings(max_examples=100)
@given(kind=st.sampled_from(ALIKE[:4]), n=st.integers(1, 9), chunk=st.integers(1, 4), data=st.data())
def test_a_column_of_one_kind_has_its_type(kind, n, chunk, data):
    values = [data.draw(kind) for _ in range(n)]
    records = [make_record(i, parameters={"x": value}) for i, value in enumerate(values)]
    with mock.patch.object(table, "_CHUNK", chunk):
        column = table.to_frame(records)["params.x"]
    expected = {float: "f", int: "i", pd.Timedelta: "m", pd.Timestamp: "M"}[type(values[0])]
    assert column.dtype.kind == expected and column.tolist() == values


@pytest.mark.parametrize("change", [dict(tags=["new"]), dict(notes="new"), dict(parameters={"new": 1})], ids=str)
def test_what_was_set_on_a_record_that_nobody_has_read_shows(change):
    record = RunRecord.from_dict(make_record().to_dict())
    ((name, value),) = change.items()
    setattr(record, name, value)
    assert getattr(record, name) == value
    frame = table.to_frame([record])
    assert frame["params.new"].tolist() == [1] if name == "parameters" else frame[name].tolist() == [value]
    assert record == make_record(**change)


def test_the_lists_of_a_table_are_not_those_of_the_records():
    record = RunRecord.from_dict(make_record().to_dict())
    table.to_frame([record])["tags"].iloc[0].append("another")
    assert record.tags == ["daily"] == table.to_frame([record])["tags"].iloc[0]


def test_years_that_nanoseconds_cannot_hold():
    far = datetime.datetime(2500, 1, 1, tzinfo=datetime.UTC)
    frame = table.to_frame([make_record(0), make_record(1, timestamp=far)])
    assert frame["timestamp"].tolist() == [make_record(0).timestamp, far]
    assert str(frame["timestamp"].dtype) == str(table.to_frame([make_record(0)])["timestamp"].dtype)
