"""An index comes back exactly as it was, whatever its type."""

import datetime

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import make_portfolio
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.capture.labels import levels_of
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.portfolios.index import (
    decode_index,
    describe_index,
    encodable_index,
    encode_index,
    restore_index,
)

DAYS = pd.date_range("2020-01-01", periods=3, freq="D")

INDEXES = [
    pd.RangeIndex(5),
    pd.RangeIndex(10, -5, -3, name="bar"),
    pd.Index([], dtype="int64"),
    pd.Index([1, 2, 2, -7], name=("a", 1)),
    pd.Index([1, 2], dtype="uint8"),
    pd.Index([0.5, np.nan, -0.0, np.inf], dtype="float32"),
    pd.Index([True, False, True]),
    pd.Index(["a", "b", "a", "ä"], name="symbol"),
    pd.Index(["a", "b"], dtype="object"),
    pd.Index(
        ["a", None, 1, 2.5, np.nan, pd.NaT, (1, "x"), datetime.date(2020, 1, 1)], dtype="object", tupleize_cols=False
    ),
    pd.Index([], dtype="object"),
    pd.Index(["a", None], dtype="string"),
    pd.Index([1, None], dtype="Int16"),
    pd.Index([0.5, None], dtype="Float64"),
    pd.Index([True, None], dtype="boolean"),
    pd.CategoricalIndex(["a", "b", None, "a"], categories=["b", "a", "unused"], ordered=True, name="c"),
    pd.CategoricalIndex(DAYS),
    DAYS,
    DAYS.rename("Date"),
    pd.DatetimeIndex(DAYS.to_numpy()),
    pd.DatetimeIndex(["2020-01-01", "NaT", "2020-01-01 00:00:00.123456"]),
    pd.DatetimeIndex(np.array(["1000-01-01", "9000-01-01"], "M8[s]")),
    *(DAYS.as_unit(unit) for unit in ("s", "ms", "us", "ns")),
    pd.date_range("2020-01-01", periods=3, freq="15min", tz="UTC"),
    pd.date_range("2020-03-28", periods=5, freq="12h", tz="Europe/Berlin"),
    pd.date_range("2020-01-01", periods=3, tz=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
    pd.date_range("2020-03-28", periods=5, freq="D", tz="UTC").tz_convert("Europe/Berlin"),
    pd.bdate_range("2020-01-01", periods=8),
    pd.date_range("2020-01-01", periods=3, freq="W-WED"),
    pd.timedelta_range("1h", periods=3, freq="30min", name="since"),
    pd.period_range("2020-01", periods=3, freq="M"),
    pd.period_range("2020-01-01", periods=3, freq="2h", name="p"),
    pd.MultiIndex.from_tuples([(1, "a", 0.5), (2, "b", np.nan), (1, "a", 0.5)], names=["w", "w", None]),
    pd.MultiIndex.from_arrays([DAYS.tz_localize("Europe/Berlin"), [True, False, True]], names=["day", ("x", 2)]),
    pd.MultiIndex.from_product([[10, 20], ["x", "y"]])[:1],
    pd.MultiIndex.from_arrays([pd.CategoricalIndex(["a", "b"]), pd.period_range("2020", periods=2, freq="Y")]),
]


def round_trip(index):
    return decode_index(loads(dumps(encode_index(index))))


def check_same(found, expected):
    pd.testing.assert_index_equal(found, expected, exact=True)
    assert type(found) is type(expected) and found.dtype == expected.dtype
    assert list(found.names) == list(expected.names)
    assert getattr(found, "freq", None) == getattr(expected, "freq", None)
    if isinstance(expected, pd.MultiIndex):
        for level, other in zip(found.levels, expected.levels):
            check_same(level, other)
    if isinstance(expected, pd.DatetimeIndex):
        assert type(found.tz) is type(expected.tz) and found.unit == expected.unit
    if found.dtype == object:
        assert [type(label) for label in found] == [type(label) for label in expected]


@pytest.mark.parametrize("index", INDEXES, ids=[f"{i}-{type(index).__name__}" for i, index in enumerate(INDEXES)])
def test_every_type_comes_back(index):
    check_same(round_trip(index), index)


@given(
    start=st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1)),
    freq=st.sampled_from(["D", "h", "15min", "B", "W-FRI", "MS", "7s"]),
    zone=st.sampled_from([None, "UTC", "America/New_York", "Asia/Kolkata"]),
    unit=st.sampled_from(["us", "ns"]),
    regular=st.booleans(),
)
def test_any_calendar_comes_back(start, freq, zone, unit, regular):
    index = pd.date_range(start, periods=4, freq=freq).as_unit(unit)
    if zone is not None:
        index = index.tz_localize("UTC").tz_convert(zone)
    check_same(round_trip(index if regular else index[[0, 2, 1]]), index if regular else index[[0, 2, 1]])


@given(
    columns=st.lists(
        st.lists(st.one_of(st.integers(-(2**40), 2**40), st.just(np.nan)), min_size=3, max_size=3)
        | st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), min_size=3, max_size=3)
        | st.lists(st.booleans(), min_size=3, max_size=3),
        min_size=1,
        max_size=3,
    ),
    names=st.lists(st.none() | st.sampled_from(["ma_window", "x"]) | st.integers(), min_size=3, max_size=3),
)
def test_any_levels_come_back(columns, names):
    index = pd.MultiIndex.from_arrays(columns, names=names[: len(columns)])
    check_same(round_trip(index), index)


def test_ticks_can_be_kept_apart():
    description, ticks = describe_index(DAYS)
    assert "ticks" not in description and ticks.dtype == "int64"
    check_same(restore_index(description, ticks), DAYS)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (pd.Index([object()]), "label 0 of the index"),
        (pd.Index([1], name=(object(),)), "the name of the index"),
        (pd.interval_range(0, 2), "interval"),
        (pd.date_range("2020", periods=2, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-02"])), "frequency"),
        (pd.date_range("2020", periods=2, freq=pd.DateOffset(months=1)), "frequency"),
    ],
)
def test_what_cannot_be_encoded_is_named(index, message):
    with pytest.raises(TypeError, match=message):
        encode_index(index)


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_an_index_that_can_be_encoded_gives_nothing_up(index):
    check_same(encodable_index(index), index)


@pytest.mark.parametrize(
    "freq",
    [
        pd.offsets.CustomBusinessDay(holidays=["2020-02-03"]),
        pd.offsets.CustomBusinessDay(weekmask="Sun Mon Tue Wed Thu"),
        pd.offsets.CustomBusinessHour(start="10:00", holidays=["2020-02-03"]),
        pd.offsets.CustomBusinessMonthEnd(holidays=["2020-02-28"]),
        pd.DateOffset(months=1),
        pd.DateOffset(days=1, hours=2),
        pd.offsets.FY5253(weekday=4, startingMonth=1, variation="last"),
        pd.offsets.Easter(),
    ],
    ids=str,
)
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_return_series_are_kept_whatever_their_frequency(freq, zone):
    index = pd.date_range("2020-01-31 16:00", periods=30, freq=freq, tz=zone)
    registry = RunRegistry(MemoryStore())
    pf = make_portfolio(pd.Series(np.linspace(100, 120, 30), index=index))
    for run_id in (
        registry.save_run(pf, "x", save_portfolio="returns"),
        *registry.save_sweep(pf, "x", save_portfolio="returns"),
    ):
        returns = registry.load_returns([run_id])
        assert returns.index.equals(index) and returns.index.dtype == index.dtype
        np.testing.assert_array_equal(returns[run_id], pf.returns())


def test_only_what_has_no_encoding_is_given_up():
    zone = dateutil.tz.gettz("Europe/Berlin")
    levels = pd.MultiIndex.from_arrays(
        [DAYS.tz_localize(zone), pd.interval_range(0, 3), [1, 2, 3]], names=["t", "i", 1]
    )
    found = encodable_index(levels)
    moments, intervals, numbers = levels_of(found)
    assert (moments == DAYS.tz_localize(zone)).all() and numbers.tolist() == [1, 2, 3]
    assert intervals.tolist() == ["(0, 1]", "(1, 2]", "(2, 3]"] and found.names == levels.names
    check_same(round_trip(found), found)


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: [],
        lambda d: {},
        lambda d: {**d, "kind": "os.system"},
        lambda d: {**d, "kind": "range"},
        lambda d: {**d, "kind": "range", "start": 0, "stop": 10**30, "step": 1},
        lambda d: {**d, "kind": "labels", "labels": 5, "dtype": "object"},
        lambda d: {**d, "kind": "labels", "labels": ["a"], "dtype": "category"},
        lambda d: {**d, "ticks": 5},
        lambda d: {**d, "ticks": {"$ndarray": ["<i8", [10**13], ""]}},
        lambda d: {**d, "unit": "Y"},
        lambda d: {**d, "freq": "no frequency"},
        lambda d: {**d, "freq": 5},
        lambda d: {**d, "freq": "7D"},
        lambda d: {**d, "zone": {"name": "../../etc/passwd", "library": "zoneinfo"}},
        lambda d: {**d, "zone": {"name": "Nowhere/Land", "library": "pytz"}},
        lambda d: {**d, "kind": "period", "freq": 5},
        lambda d: {"kind": "multi", "levels": [d], "codes": [{"$ndarray": ["|i1", [1], "CQ=="]}], "names": [None]},
    ],
)
def test_a_malformed_index_is_a_value_error(damage):
    with pytest.raises(ValueError):
        decode_index(damage(encode_index(DAYS)))


def test_a_label_of_a_newer_version_is_named():
    encoded = encode_index(pd.Index(["a", "b"], dtype="object"))
    with pytest.raises(ValueError, match=r"value of an index cannot be read: .*\$future"):
        decode_index({**encoded, "labels": ["a", {"$future": 1}]})
