"""How values compare, sort, and are read from strings."""

import decimal
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorbt.portfolio.registry.query import comparing as values
from vectorbt.portfolio.registry.query.comparing import Kind

NAN = float("nan")


class Side(Enum):
    LONG = "long"
    SHORT = "short"
    NONE = None


class Level(IntEnum):
    HIGH = 3


class Rude:
    def __eq__(self, other):
        raise RuntimeError("compare me not")

    __hash__ = None


LOOP = [1]
LOOP.append(LOOP)
EASTERN = timezone(timedelta(hours=-5))

ASSORTED = [
    None, NAN, pd.NaT, pd.NA, Decimal("sNaN"), True, np.False_, 0, 10**400, -math.inf, 1.5, np.float32(2), np.int8(3),
    Decimal("1.5"), 1j, "", "10", "2024-01-01", "30 days", b"x", datetime(2024, 1, 1), datetime.max, datetime.min,
    datetime(2024, 1, 1, tzinfo=EASTERN), pd.Timestamp("2024-01-01", tz="UTC"), np.datetime64("20000-01-01"),
    date(2024, 1, 1), timedelta(1), timedelta.max, pd.Timedelta(1), np.timedelta64(1, "Y"), np.timedelta64(1, "D"),
    [], [1, None], (1, "a"), {1, "a"}, frozenset(), {}, {"a": [1]}, np.arange(3), np.array(3),
    np.array(["NaT"], "M8[ns]"),
    pd.Series([1, 2]), Path("a/b"), Side.LONG, Side.NONE, Level.HIGH, object, LOOP,
]  # fmt: skip


@pytest.mark.parametrize("value", [None, NAN, np.float32("nan"), pd.NaT, pd.NA, Decimal("sNaN"), Side.NONE])
def test_missing(value):
    assert values.is_missing(value)


@pytest.mark.parametrize("value", [0, "", False, [], [None], math.inf, Side.LONG, "nan", np.array(["NaT"], "M8[ns]")])
def test_not_missing(value):
    assert not values.is_missing(value)


def test_no_comparison_raises():
    for a in [*ASSORTED, Rude()]:
        assert values.is_missing(a) in (True, False)
        for b in [*ASSORTED, Rude()]:
            assert values.equal(a, b) is values.equal(b, a)
            assert not (values.less(a, b) and values.less(b, a))
            assert values.contains(a, b) in (True, False, None)
            assert values.members([a])(b) is values.contains([a], b)


@pytest.mark.parametrize(
    "a, b",
    [
        (10, 10.0),
        (np.int64(10), 10),
        (Decimal("10"), 10),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (2**80, float(2**80)),
        (math.inf, np.float64("inf")),
        (Level.HIGH, 3),
        (Side.LONG, "long"),
        (Path("a"), "a"),
        ((1, 2), [1, 2.0]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ({0, 8}, frozenset([8, 0])),
        ({"a": 1, "b": None}, {"b": None, "a": 1.0}),
        (datetime(2024, 1, 1, 12), pd.Timestamp("2024-01-01 12:00", tz="UTC")),
        (datetime(2024, 1, 1, 7, tzinfo=EASTERN), np.datetime64("2024-01-01T12:00")),
        (datetime(2024, 1, 1, 7, tzinfo=EASTERN), "2024-01-01T12:00:00.000+00:00"),
        (pd.Timestamp("2024-01-01 00:00:00.123456789"), "2024-01-01 00:00:00.123456789"),
        (date(2024, 1, 1), "2024-01-01"),
        (date(2024, 1, 1), datetime(2024, 1, 1, 23, 59)),
        (date(2024, 1, 1), date(2024, 1, 1)),
        (timedelta(days=30), np.timedelta64(30, "D")),
        (pd.Timedelta(days=30), "30 days 00:00:00"),
        (pd.Timestamp(np.datetime64("9999-12-31", "s")), datetime(9999, 12, 31)),
        (pd.Timestamp(np.datetime64("9999-12-31", "s")), "9999-12-31"),
        (b"x", b"x"),
    ],
)
def test_equal(a, b):
    assert values.equal(a, b) and values.equal(b, a)
    assert not values.less(a, b) and not values.less(b, a)


@pytest.mark.parametrize(
    "a, b",
    [
        (True, 1),
        (np.True_, 1.0),
        ([True], [1]),
        ({True}, {1}),
        ({"a": True}, {"a": 1}),
        ("10", 10),
        ([1, 2], [2, 1]),
        ([1], [1, 2]),
        ([1], 1),
        ([1], {1}),
        (0.1, Decimal("0.1")),
        (2**53 + 1, float(2**53)),
        (None, None),
        (NAN, NAN),
        ("2024-01-01", "2024-01-01T00:00"),
        (pd.Timestamp("2024-01-01 00:00:00.000000001"), datetime(2024, 1, 1)),
        (timedelta(seconds=10), 10),
        (Side.LONG, Side.SHORT),
        (b"x", "x"),
    ],
)
def test_not_equal(a, b):
    assert not values.equal(a, b) and not values.equal(b, a)


def test_less():
    assert values.less(1, 2.5) and values.less(2**53, 2**53 + 1) and values.less(-math.inf, Decimal(-(10**400)))
    assert values.less("B", "a") and values.less(False, True)
    assert values.less(datetime.min, datetime(2024, 1, 1, tzinfo=EASTERN)) and values.less(
        "2023-12-31", date(2024, 1, 1)
    )
    assert values.less(timedelta(hours=1), "2h") and values.less("-1 days +02:00:00", timedelta(0))
    for a, b in [(1, "2"), (0, True), ([1], [2]), ({}, {1: 2}), (None, 1), (1, NAN), ("1", timedelta(2)), (1j, 2j)]:
        assert not values.less(a, b) and values.compare(a, b) is None


@given(st.datetimes(), st.sampled_from(["T", " "]), st.sampled_from(["", "Z", "+00:00", "+0530", "-05"]))
def test_a_moment_equals_its_own_iso_text(moment, separator, zone):
    text = moment.isoformat(separator, "microseconds") + zone
    aware = datetime.fromisoformat(text)
    assert values.equal(aware, text)
    assert not values.equal(aware + timedelta(microseconds=1), text)


@given(st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000)))
def test_a_duration_equals_its_own_text(duration):
    duration = pd.Timedelta(duration)
    assert values.equal(duration, str(duration))
    assert values.equal(abs(duration), abs(duration).isoformat())
    assert values.equal(-abs(duration), "-" + abs(duration).isoformat())


@pytest.mark.parametrize(
    "text", ["30 days", "4h", "4H", "2h30m", "1.5 hours", "1W", "1 day 02:30:00.5", "-02:00:00", "-1d 2h"]
)
def test_durations_are_read_as_pandas_reads_them(text):
    nanoseconds = pd.Timedelta(text.replace("H", "h").replace("d ", "D ")).value
    assert values.read_duration(text) == nanoseconds * values.NANOSECOND


@pytest.mark.parametrize(
    "text",
    ["", "10", "-", "P", "PT", "P1M", "1M", "1T", "1 fortnight", "1:30", "days", "nan", "1e3 days", f"{10**99} days"],
)
def test_what_is_no_duration(text):
    assert values.read_duration(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-1-5",
        "2024/01/05",
        "202401",
        "2024-13",
        "2024-02-30",
        "2024-01-01T25:00",
        "0000-01-01",
        "24-01-01",
    ],
)
def test_what_is_no_instant(text):
    assert values.read_instant(text) is None


def test_spans_of_dates():
    day = 24 * 3600 * 10**18
    assert values.read_instant("1970-01-01") == (0, day - 1)
    assert values.read_instant("1970") == (0, 365 * day - 1)
    assert values.read_instant("1972-02") == (761 * day, 790 * day - 1)
    assert values.read_instant("1970-W02") == (4 * day, 11 * day - 1)
    assert values.read_instant("1970W023") == (6 * day, 7 * day - 1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20240105", "2024-01-05"),
        ("2024-01-05T09", "2024-01-05T09:00"),
        ("20240105T093000", "2024-01-05T09:30"),
        ("20240105T093000.25Z", "2024-01-05T09:30:00.250"),
        ("2024-01-05 09:30:00,123456789", "2024-01-05T09:30:00.123456789"),
        ("2024-01-05T09:30:00.1234567+0530", "2024-01-05T04:00:00.1234567"),
        ("2024-01-05T09:30:00+05:30:15.500000", "2024-01-05T03:59:44.5"),
        ("2024-W01-5", "2024-01-05"),
    ],
)
def test_every_form_that_python_reads_is_an_instant(text, moment):
    assert values.read_instant(text)[0] == values.read_instant(moment)[0]
    assert values.equal(text, np.datetime64(moment))


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%S"]))
def test_what_python_reads_is_the_same_instant(moment, form):
    text = moment.strftime(form).rjust(len(datetime(2000, 1, 1).strftime(form)), "0")
    expected = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert values.read_instant(text) == (expected // timedelta(microseconds=1) * 10**12,) * 2


# ############# Contexts of decimal ############# #

TRAPS = [decimal.FloatOperation, decimal.Inexact, decimal.Rounded, decimal.InvalidOperation]


@pytest.mark.parametrize("context", [decimal.Context(prec=3, traps=TRAPS), decimal.Context(prec=1, Emax=1, traps=[])])
def test_the_context_of_the_caller_changes_no_answer(context):
    with decimal.localcontext(context):
        assert values.equal(timedelta(seconds=1_234_567), "1234567 s")
        assert values.equal(pd.Timedelta(6_123_456_789, "ns"), "0 days 00:00:06.123456789")
        assert values.equal(timedelta(seconds=1_234_567), "PT1234567S")
        assert values.less(1.05, Decimal("1.10")) and values.less(Decimal("1.10"), 1.5)
        assert values.equal(Decimal("1.5"), 1.5) and not values.equal(Decimal("1.10"), 1.10)
        assert values.equal(Decimal("123456789.5"), 123456789.5) and values.less(Decimal("1e400"), 10**401)
        assert not values.equal(Decimal("1234567890.00001"), 1234567890)
        assert values.contains([Decimal("123456789.5")], 123456789.5)
        mixed = [Decimal("1.10"), 0.5, 10**30, Decimal("-Infinity"), math.inf, Decimal("123456789.25")]
        assert sorted(mixed, key=values.sort_key) == [mixed[i] for i in (3, 1, 0, 5, 2, 4)]
        assert not context.flags[decimal.FloatOperation]


# ############# Times of NumPy ############# #


def test_times_of_numpy_are_exact_however_far():
    far = 2**62
    for unit, size in {"W": 7 * 86_400, "D": 86_400, "h": 3600, "m": 60, "s": 1}.items():
        assert values.classify(np.timedelta64(far, unit)) == (Kind.DURATION, far * size * 10**18)
        assert values.classify(np.timedelta64(-far, f"3{unit}")) == (Kind.DURATION, -3 * far * size * 10**18)
        assert values.less("1 day", np.timedelta64(far, unit)) and values.less(np.timedelta64(-far, unit), "1 day")
        assert values.less("9999", np.datetime64(far, unit)) and values.less(np.datetime64(-far, unit), "0001")
    for unit in ("Y", "M"):
        assert values.less("9999", np.datetime64(far, unit)) and values.less(np.datetime64(-far, unit), "0001")
    assert values.less("9999", np.datetime64("20000-01-01")) and values.less(np.datetime64("-20000"), "0001")


def test_times_of_numpy_are_exact_however_short():
    assert values.less(0 * timedelta(1), np.timedelta64(5, "as")) and values.less(np.timedelta64(5, "as"), "1 ns")
    assert values.equal(np.timedelta64(5000, "ps"), "5 ns") and values.equal(
        np.timedelta64(5, "fs"), np.timedelta64(5000, "as")
    )
    assert values.less(np.datetime64(4, "as"), np.datetime64(5, "as"))
    assert values.equal(np.datetime64(5, "as"), date(1970, 1, 1)) and values.equal(
        np.datetime64(-1, "as"), date(1969, 12, 31)
    )
    assert values.equal("1970-01-01T00:00:00.000000000000000005", np.datetime64(5, "as"))


@given(st.dates(), st.sampled_from("YMWD"))
def test_dates_of_numpy_are_those_of_python(day, unit):
    found = np.datetime64(day, unit)
    assert values.equal(found, found.astype("M8[D]").astype(object))


def test_a_duration_of_months_has_no_length():
    quarter = np.timedelta64(3, "M")
    assert values.equal(quarter, np.timedelta64(3, "M")) and not values.equal(quarter, np.timedelta64(91, "D"))
    assert values.equal(np.timedelta64(2**61, "Y"), np.timedelta64(2**61, "12M"))
    assert values.compare(quarter, np.timedelta64(4, "M")) is None and values.compare(quarter, "90 days") is None
    assert values.equal(np.timedelta64(5), np.timedelta64(5)) and not values.equal(
        np.timedelta64(5), timedelta(seconds=5)
    )


# ############# Sorting ############# #


def test_sorting_puts_numbers_before_booleans_before_strings_before_the_rest():
    order = [
        -math.inf, Decimal(-(10**400)), -1, 0.5, np.int8(1), 2**80, 2**80 + 1, math.inf, False, True, "", "10", "B",
        "a", datetime.min, datetime(2024, 1, 1), pd.Timestamp("2024-01-01", tz=EASTERN), date(2024, 1, 2), datetime.max,
        timedelta(-1), pd.Timedelta(1), [], [1], [1, "a"], [2], {1, 2}, {"a": 1}, 1j, object,
    ]  # fmt: skip
    assert sorted(order[::-1], key=values.sort_key) == order
    assert sorted(order[::2] + order[1::2], key=values.sort_key) == order


@given(st.permutations([value for value in ASSORTED if value is not LOOP]))
def test_sorting_is_one_total_order(several):
    keys = [values.sort_key(value) for value in several]
    assert sorted(keys) == sorted(keys[::-1])
    for a, b in pairwise(several):
        if values.less(a, b) and values.classify(a)[0] is values.classify(b)[0]:
            assert values.sort_key(a) < values.sort_key(b)
