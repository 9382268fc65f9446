"""Values and their encoding: round trips, the exact format, refusals, and what cannot be read."""

import collections
import dataclasses
import datetime as dt
import enum
import json
import math
import pathlib
import re
import sys
import types
import typing
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import pytz
from dateutil import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorbt.portfolio.registry import encoding
from vectorbt.portfolio.registry.checks import check_parameters
from vectorbt.portfolio.registry.encoding import (
    DECODERS,
    MAX_DEPTH,
    UnknownValue,
    decode,
    decode_mapping,
    dumps,
    encode,
    encode_mapping,
    loads,
    loads_lenient,
)

# No deadlines: the first use of a time zone reads its file.
thorough = settings(max_examples=200, deadline=None)
very_thorough = settings(max_examples=1500, deadline=None)


class Side(enum.Enum):
    LONG = "long"
    SHORT = ("short", 1)


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Prices(dict):
    """A subclass that adds nothing to the data."""


def same(a, b):
    """Whether two values are of one type and equal, where NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items(), strict=True))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, (set, frozenset)):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (np.datetime64, np.timedelta64)):
        return a.dtype == b.dtype and a.view("i8") == b.view("i8")
    if a is pd.NaT or a is pd.NA:
        return a is b
    if isinstance(a, pd.Timestamp):
        return (a.asm8, a.unit, str(a.tz)) == (b.asm8, b.unit, str(b.tz))
    if isinstance(a, pd.Timedelta):
        return (a.asm8, a.unit) == (b.asm8, b.unit)
    if isinstance(a, dt.datetime):
        return (a.replace(tzinfo=None), a.utcoffset(), str(a.tzinfo)) == (
            b.replace(tzinfo=None),
            b.utcoffset(),
            str(b.tzinfo),
        )
    if isinstance(a, (float, Decimal)):
        return str(a) == str(b)
    return a == b


def through_json(value):
    return decode(loads(dumps(encode(value))))


def reject_constant(token):
    raise AssertionError(f"not strict JSON: {token}")


# ############# Strategies ############# #

UNITS = ["s", "ms", "us", "ns"]
DTYPES = ["|b1", "<i8", ">i2", "|u1", "<f4", ">f8", "<f2", "<c16", "<U3", "|S2", "|V4", "<M8[ns]", "<m8[25s]", ">M8[D]"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]).map(
    ZoneInfo
)
OFFSETS = st.integers(-86399, 86399).map(lambda seconds: dt.timezone(dt.timedelta(seconds=seconds)))


@st.composite
def timestamps(draw):
    unit = draw(st.sampled_from(UNITS))
    years = (1700, 2200) if unit == "ns" else (2, 9998)
    first, last = (int(np.datetime64(str(year).zfill(4), unit).view("i8")) for year in years)
    stamp = pd.Timestamp(np.datetime64(draw(st.integers(first, last)), unit))
    tz = draw(st.none() | ZONES | OFFSETS)
    return stamp if tz is None else stamp.tz_localize("UTC").tz_convert(tz)


@st.composite
def timedeltas(draw):
    count = draw(st.integers(1 - 2**63, 2**63 - 1) | st.integers(-100, 100))
    factor = draw(st.sampled_from([1, 60, 3_600, 86_400, 86_400 * 10**6]))
    ticks = count * factor if abs(count * factor) < 2**63 else count
    return pd.Timedelta(np.timedelta64(ticks, draw(st.sampled_from(UNITS))))


@st.composite
def numpy_times(draw):
    kind = draw(st.sampled_from([np.datetime64, np.timedelta64]))
    unit = draw(st.sampled_from(["Y", "M", "W", "D", "h", "m", "s", "25s", "ms", "us", "ns", "ps", "fs", "as"]))
    return kind(draw(st.just("NaT") | st.integers(-(2**63) + 1, 2**63 - 1)), unit)


@st.composite
def arrays(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind in "bU":
        raw = np.ones(size // dtype.alignment, dtype.str[0] + f"u{dtype.alignment}").tobytes()
    else:
        raw = draw(st.binary(min_size=size, max_size=size))
    return np.ndarray(shape, dtype, buffer=raw, order=draw(st.sampled_from("CF")))


OFFSETS_OF_PANDAS = [
    *(pd.offsets.Day(3), pd.offsets.Hour(4), pd.offsets.MonthEnd(), pd.offsets.BDay(2), pd.offsets.Week(weekday=2)),
    *(pd.offsets.QuarterBegin(startingMonth=2), pd.DateOffset(months=3), pd.DateOffset(2, years=1, days=5)),
]
periods = st.builds(
    lambda ordinal, freq: pd.Period(ordinal=ordinal, freq=freq),
    st.integers(-(10**5), 10**5),
    st.sampled_from(["Y", "Q-NOV", "M", "W-WED", "D", "h", "5min", "ns"]),
)
CLOSED = st.sampled_from(["left", "right", "both", "neither"])
intervals = st.one_of(
    st.builds(
        lambda a, b, closed: pd.Interval(min(a, b), max(a, b), closed), st.integers(-9, 9), st.floats(0, 1), CLOSED
    ),
    st.builds(
        lambda a, days, closed: pd.Interval(a, a + days, closed),
        st.sampled_from([pd.Timestamp("2020"), pd.Timestamp("2020-03-28", tz="Europe/Berlin"), pd.Timedelta("1h")]),
        timedeltas().map(lambda value: pd.Timedelta(abs(value.days) % 9, "D")),
        CLOSED,
    ),
)

hashable_scalars = st.one_of(
    periods,
    intervals,
    st.sampled_from(OFFSETS_OF_PANDAS),
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT,
    TEXT.map(lambda text: "$" + text),
    timestamps(),
    timedeltas(),
    numpy_times(),
    st.datetimes(timezones=st.none() | ZONES | OFFSETS),
    st.dates(),
    st.times(timezones=st.none() | OFFSETS),
    st.timedeltas(),
    st.decimals(),
    st.sampled_from([pd.NaT, pd.NA, Side.LONG, Side.SHORT, Size.LARGE, Access.READ, Access.READ | Access.WRITE]),
    st.sampled_from([pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.Path]).flatmap(
        lambda kind: st.sampled_from(["", "a/b.csv", "/x", "ü"]).map(kind)
    ),
)


def can_be_hashed(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


hashables = st.recursive(
    hashable_scalars.filter(can_be_hashed),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
values = st.recursive(
    hashable_scalars | arrays(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.sets(hashables, max_size=3),
        st.dictionaries(TEXT, inner, max_size=3),
        st.dictionaries(hashables, inner, max_size=3),
    ),
    max_leaves=8,
)

# ############# Round trips ############# #


@thorough
@given(values)
def test_any_value_comes_back_as_it_was(value):
    assert same(through_json(value), value)


@thorough
@given(values)
def test_encoding_again_changes_nothing(value):
    encoded = encode(value)
    assert encode(decode(encoded)) == encoded


@thorough
@given(values)
def test_written_text_is_strict_json(value):
    encoded = encode(value)
    text = dumps(encoded).decode("utf-8")
    assert "\n" not in text
    assert json.loads(text, parse_constant=reject_constant) == encoded


@thorough
@given(st.dictionaries(TEXT | TEXT.map(lambda text: "$" + text), values, max_size=4))
def test_a_mapping_keeps_its_keys(mapping):
    encoded = encode_mapping(mapping, "parameters")
    assert list(encoded) == list(mapping)
    assert same(decode_mapping(loads(dumps(encoded))), mapping)


@thorough
@given(values)
def test_the_cache_does_not_change_what_is_decoded(value):
    encoded = encode(value)
    assert same(decode(encoded), decode(encoded))


@pytest.mark.parametrize(
    "value",
    [
        np.array([("a", 1.5, [1, 2])], dtype=[("x", "U3"), ("y", ">f8"), ("z", "i2", (2,))]),
        np.zeros(2, np.dtype([("a", "u1"), ("b", "f8")], align=True)),
        np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["<i4", "<i2"], "offsets": [0, 2], "itemsize": 8})),
        np.zeros(1, [("outer", [("inner", "<i4")])]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10)[::-3],
        np.broadcast_to(np.float32(1), (2, 2)),
    ],
    ids=["fields", "aligned", "overlapping", "nested", "fortran", "strided", "broadcast"],
)
def test_arrays_of_every_layout_come_back(value):
    decoded = through_json(value)
    assert same(decoded, value)
    assert decoded.flags.writeable


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.float64("inf"), math.inf),
        (np.int64(10), 10),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (Prices(a=1), {"a": 1}),
        ({np.str_("a"): 1}, {"a": 1}),
    ],
)
def test_numpy_scalars_and_subclasses_come_back_as_the_base_type(value, expected):
    assert same(through_json(value), expected)


@pytest.mark.parametrize("is_dst", [True, False])
def test_pytz_zones_come_back_equal_in_instant_and_name(is_dst):
    value = pytz.timezone("America/New_York").localize(dt.datetime(2020, 11, 1, 1, 30), is_dst=is_dst)
    decoded = through_json(value)
    assert decoded.timestamp() == value.timestamp()
    assert decoded.replace(tzinfo=None) == value.replace(tzinfo=None)
    assert decoded.tzinfo == ZoneInfo("America/New_York")
    assert same(through_json(pd.Timestamp(value)), pd.Timestamp(value).tz_convert(ZoneInfo("America/New_York")))


def test_pytz_offsets_come_back_as_offsets():
    stamp = pd.Timestamp("2020-01-01 12:00", tz=pytz.FixedOffset(-90))
    assert same(through_json(stamp), stamp.tz_convert(dt.timezone(dt.timedelta(minutes=-90))))


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("wall", [dt.datetime(2020, 10, 25, 2, 30), dt.datetime(2020, 3, 29, 2, 30)])
def test_hours_that_occur_twice_or_never_keep_their_fold(wall, fold):
    value = wall.replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    decoded = through_json(value)
    assert same(decoded, value)
    assert decoded.fold == fold


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp.min,
        pd.Timestamp.max,
        pd.Timestamp.max.tz_localize("UTC"),
        pd.Timestamp("0001-01-01").as_unit("s"),
        pd.Timestamp("9999-12-31 23:59:59.999999").as_unit("us"),
        pd.Timedelta.min,
        pd.Timedelta.max,
        pd.Timedelta(np.timedelta64(2**63 - 1, "s")),
        pd.Timedelta(np.timedelta64(1 - 2**63, "us")),
        dt.datetime.min,
        dt.datetime.max.replace(tzinfo=ZoneInfo("Asia/Tokyo")),
        dt.datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo")),
        dt.timedelta.max,
        dt.timedelta.min,
        2**63 - 1,
        -(2**63),
        10**5000,
        "\u2028",
    ],
    ids=lambda value: type(value).__name__,
)
def test_extremes_come_back(value):
    assert same(through_json(value), value)


@pytest.mark.parametrize("value", [Access.READ | Access.WRITE, Access(0)])
def test_combined_flags_come_back(value):
    assert through_json(value) is value


def test_decoded_values_share_nothing_with_the_encoded_ones():
    value = {"a": [1], "b": {"c": [2]}}
    encoded = encode(value)
    value["a"].append(0)
    decode(encoded)["b"]["c"].append(0)
    assert encoded == {"a": [1], "b": {"c": [2]}}


# ############# The format ############# #

GOLDEN = [
    (None, b"null"),
    (True, b"true"),
    (1, b"1"),
    (-0.0, b"-0.0"),
    (0.1, b"0.1"),
    ("\u2028", '"\u2028"'.encode()),
    (math.nan, b'{"$float":"nan"}'),
    (-math.inf, b'{"$float":"-inf"}'),
    (2**80, b'{"$int":"0x100000000000000000000"}'),
    (2**63, b'{"$int":"0x8000000000000000"}'),
    (-(2**63) - 1, b'{"$int":"-0x8000000000000001"}'),
    (Decimal("0.10"), b'{"$decimal":"0.10"}'),
    ([1, [2]], b"[1,[2]]"),
    ((1, (2,)), b'{"$tuple":[1,{"$tuple":[2]}]}'),
    ({"b", "a"}, b'{"$set":["a","b"]}'),
    (frozenset({1}), b'{"$frozenset":[1]}'),
    ({"b": 1, "a": 2}, b'{"b":1,"a":2}'),
    ({"$a": 1, "b": 2}, b'{"$dict":["$a",1,"b",2]}'),
    ({1: "a", (2,): "b"}, b'{"$dict":[1,"a",{"$tuple":[2]},"b"]}'),
    (pd.Timestamp("2020-01-31").as_unit("ns"), b'{"$timestamp":"2020-01-31"}'),
    (pd.Timestamp("2020-01-31").as_unit("us"), b'{"$timestamp":"2020-01-31 us"}'),
    (pd.Timestamp("2020-01-31T14:30").as_unit("ns"), b'{"$timestamp":"2020-01-31T14:30"}'),
    (pd.Timestamp("2020-01-31T00:00:05.000000007"), b'{"$timestamp":"2020-01-31T00:00:05.000000007"}'),
    (pd.Timestamp("2020-01-31").as_unit("ns").tz_localize("UTC"), b'{"$timestamp":"2020-01-31T00:00Z"}'),
    (
        pd.Timestamp("2020-01-31").as_unit("s").tz_localize(ZoneInfo("Europe/Berlin")),
        b'{"$timestamp":"2020-01-30T23:00Z[Europe/Berlin] s"}',
    ),
    (
        pd.Timestamp("2020-01-31").as_unit("ns").tz_localize(dt.timezone(dt.timedelta(hours=-5))),
        b'{"$timestamp":"2020-01-31T05:00Z[-05:00]"}',
    ),
    (pd.Timedelta("60D").as_unit("ns"), b'{"$timedelta":"60D"}'),
    (pd.Timedelta("60D").as_unit("us"), b'{"$timedelta":"60D us"}'),
    (pd.Timedelta("1D 12h").as_unit("ns"), b'{"$timedelta":"36h"}'),
    (pd.Timedelta("90m").as_unit("s"), b'{"$timedelta":"90m s"}'),
    (pd.Timedelta("-1D").as_unit("s"), b'{"$timedelta":"-1D s"}'),
    (pd.Timedelta("-1s").as_unit("ms"), b'{"$timedelta":"-1s ms"}'),
    (pd.Timedelta("1500us").as_unit("us"), b'{"$timedelta":"1500us us"}'),
    (pd.Timedelta("5ms").as_unit("ns"), b'{"$timedelta":"5ms"}'),
    (pd.Timedelta("1ns"), b'{"$timedelta":"1ns"}'),
    (pd.Timedelta(0).as_unit("ns"), b'{"$timedelta":"0D"}'),
    (pd.Timedelta(0).as_unit("ms"), b'{"$timedelta":"0D ms"}'),
    (dt.datetime(2020, 1, 31, 15, 30), b'{"$datetime":"2020-01-31T15:30:00"}'),
    (dt.datetime(2020, 1, 31, tzinfo=dt.UTC), b'{"$datetime":"2020-01-31T00:00:00+00:00"}'),
    (
        dt.datetime(2020, 1, 31, tzinfo=ZoneInfo("Europe/Berlin")),
        b'{"$datetime":"2020-01-31T00:00:00+01:00[Europe/Berlin]"}',
    ),
    (dt.date(2020, 1, 31), b'{"$date":"2020-01-31"}'),
    (dt.time(15, 30), b'{"$time":"15:30:00"}'),
    (dt.timedelta(days=1), b'{"$pytimedelta":"86400000000"}'),
    (np.datetime64("2020-01-31"), b'{"$datetime64":"18292D"}'),
    (np.timedelta64(2, "15m"), b'{"$timedelta64":"2*15m"}'),
    (np.timedelta64("NaT", "ns"), b'{"$timedelta64":"NaTns"}'),
    (pd.NaT, b'{"$pandas":"NaT"}'),
    (pd.NA, b'{"$pandas":"NA"}'),
    (Side.LONG, f'{{"$enum":["{__name__}:Side","LONG","long"]}}'.encode()),
    (pathlib.PurePosixPath("a/b"), b'{"$path":["PurePosixPath","a/b"]}'),
    (pathlib.PureWindowsPath("a/b"), b'{"$path":["PureWindowsPath","a\\\\b"]}'),
    (pd.Period("2020-01", "M"), b'{"$period":["M",600]}'),
    (pd.Interval(0, 1.5, "left"), b'{"$interval":[0,1.5,"left"]}'),
    (pd.offsets.MonthBegin(3), b'{"$offset":["3MS"]}'),
    (pd.DateOffset(2, months=3), b'{"$offset":[2,{"months":3}]}'),
    (np.array([1.0]), b'{"$ndarray":["<f8",[1],"AAAAAAAA8D8="]}'),
    (
        np.array([(1,)], [("a", "<i2")]),
        b'{"$ndarray":[{"names":["a"],"formats":["<i2"],"offsets":[0],"itemsize":2},[1],"AQA="]}',
    ),
]


@pytest.mark.parametrize(("value", "text"), GOLDEN, ids=[text.decode()[:40] for _, text in GOLDEN])
def test_the_format_stays_as_it_is(value, text):
    assert dumps(encode(value)) == text
    assert same(decode(loads(text)), value)


def test_every_tag_stands_among_the_golden_ones():
    written = {tag for _, text in GOLDEN for tag in DECODERS if f'"{tag}"'.encode() in text}
    assert written == set(DECODERS)


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b"[Infinity]", b'"\\ud800"', b'"\xff"', b"[" * 5000])
def test_invalid_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        loads(text)


def nested(levels):
    return b"[" * levels + b"0" + b"]" * levels


def test_json_is_read_as_deep_as_it_is_written():
    assert dumps(loads(nested(254))) == nested(254)
    with pytest.raises(ValueError, match="deeper than 254 levels"):
        loads(nested(255))
    assert loads(dumps([[0]] * 1000)) == [[0]] * 1000


def test_the_older_format_may_hold_bare_tokens():
    assert same(loads_lenient(b'[NaN, -Infinity, Infinity, {"a": 1}]'), [math.nan, -math.inf, math.inf, {"a": 1}])


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b'"\xff"', b"[" * 100_000])
def test_invalid_json_of_the_older_format_is_a_value_error(text):
    with pytest.raises(ValueError):
        loads_lenient(text)


# ############# Values with fields ############# #


@dataclasses.dataclass
class Risk:
    stop: float
    side: Side = Side.LONG


@dataclasses.dataclass(frozen=True)
class Settings:
    window: tuple
    risk: Risk


class Pair(typing.NamedTuple):
    fast: int
    slow: int


class Costs:
    """As a class of attrs shows itself."""

    __attrs_attrs__ = (types.SimpleNamespace(name="fees"),)

    def __init__(self, fees):
        self.fees = fees


class ListConfig(collections.UserList):
    """As a list of OmegaConf shows itself."""

    __module__ = "omegaconf.listconfig"


class Model:
    """As a model of pydantic shows itself."""

    def model_dump(self):
        return {"fast": 1, "costs": Costs(0.1)}


class OldModel:
    """As a model of the first pydantic shows itself."""

    __fields__ = ("fast",)

    def dict(self):
        return {"fast": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Settings((1, 2), Risk(0.5)), {"window": (1, 2), "risk": {"stop": 0.5, "side": Side.LONG}}),
        (Pair(1, 2), {"fast": 1, "slow": 2}),
        (types.MappingProxyType({"a": Pair(1, 2)}), {"a": {"fast": 1, "slow": 2}}),
        (collections.ChainMap({"a": 1}, {"a": 2, "b": 3}), {"a": 1, "b": 3}),
        (Costs(0.1), {"fees": 0.1}),
        (Model(), {"fast": 1, "costs": {"fees": 0.1}}),
        (OldModel(), {"fast": 1}),
        (collections.UserDict(windows=ListConfig([1, Pair(1, 2)])), {"windows": [1, {"fast": 1, "slow": 2}]}),
        ([{Pair(1, 2)}, {Pair(1, 2): 3}], [{(1, 2)}, {(1, 2): 3}]),
    ],
)
def test_what_has_fields_is_a_dict_of_them(value, expected):
    assert same(through_json(value), expected)
    assert check_parameters({"x": value}) == {"x": expected}
    if type(expected) is dict:
        assert check_parameters(value) == expected


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Risk(len), "parameters['stop']"),
        (Settings((1, object()), Risk(1)), "parameters['window'][1]"),
        ({"window": range(3)}, "parameters['window']"),
        ({"kind": Risk}, "parameters['kind']"),
        ({"weekday": pd.DateOffset(weekday=relativedelta.MO)}, "parameters['weekday'].kwds['weekday']"),
        ({"hours": pd.offsets.CustomBusinessDay(weekmask="Mon Tue")}, "parameters['hours']"),
    ],
)
def test_a_field_that_cannot_be_stored_is_refused_by_its_path(value, path):
    with pytest.raises(TypeError, match=re.escape(path) + " is of type"):
        check_parameters(value)


# ############# Refusals ############# #


@pytest.mark.parametrize(
    ("value", "path", "advice"),
    [
        ({"ma": {"func": len}}, "parameters['ma']['func']", "name"),
        ({"ma": Side}, "parameters['ma']", "name"),
        ({"windows": [1, 2, object()]}, "parameters['windows'][2]", "pass"),
        ({"window": (1, {"a": object()})}, "parameters['window'][1]['a']", "pass"),
        ({"kinds": {len}}, "parameters['kinds']{...}", "name"),
        ({"kinds": {len: 1}}, "parameters['kinds'].keys()", "name"),
        ({"prices": pd.DataFrame()}, "parameters['prices']", "save it with the portfolio"),
        ({"prices": pd.Series([1])}, "parameters['prices']", "save it with the portfolio"),
        ({"prices": pd.Index([1])}, "parameters['prices']", "save it with the portfolio"),
        ({"objects": np.array([None])}, "parameters['objects']", "value.tolist()"),
        ({"objects": np.zeros(1, [("a", object)])}, "parameters['objects']", "value.tolist()"),
        ({"empty": np.zeros(1, {"names": [], "formats": [], "itemsize": 8})}, "parameters['empty']", "value.tolist()"),
        ({"masked": np.ma.masked_array([1], [True])}, "parameters['masked']", "value.tolist()"),
        ({"long": np.zeros(1, np.longdouble)}, "parameters['long']", "value.tolist()"),
        ({"long": np.longdouble(1)}, "parameters['long']", "pass"),
        ({"c": 1j}, "parameters['c']", "pass"),
        ({"c": np.complex64(1)}, "parameters['c']", "pass"),
        ({"b": b"bytes"}, "parameters['b']", "pass"),
        ({"text": "a\ud800"}, "parameters['text']", "lone surrogate"),
        ({"text": {"a\ud800": 1}}, "parameters['text'].keys()", "lone surrogate"),
        ({"a\ud800": 1}, "parameters.keys()", "lone surrogate"),
        ({"path": pathlib.PurePosixPath("\udcff")}, "parameters['path']", "lone surrogate"),
        ({"time": dt.time(1, tzinfo=ZoneInfo("Europe/Berlin"))}, "parameters['time']", "pass a datetime"),
        ({"far": pd.Timestamp(np.datetime64("20000-01-01", "s"))}, "parameters['far']", "1 to 9999"),
        ({"zone": ZoneInfo("UTC")}, "parameters['zone']", "name"),
    ],
)
def test_what_has_no_faithful_encoding_is_refused_by_its_path(value, path, advice):
    with pytest.raises(TypeError) as error:
        encode_mapping(value, "parameters")
    assert str(error.value).startswith(path + " ")
    assert advice in str(error.value)


def test_a_refusal_names_the_type_and_what_to_do():
    with pytest.raises(TypeError) as error:
        encode({"prices": pd.Series([1])})
    assert str(error.value) == (
        f"value['prices'] is of type {pd.Series.__module__}.Series, which cannot be stored; "
        "save it with the portfolio, or pass value.tolist()"
    )


class OwnZone(dt.tzinfo):
    def utcoffset(self, when):
        return dt.timedelta(0)


@pytest.mark.parametrize("value", [dt.datetime(2020, 1, 1, tzinfo=OwnZone()), pd.Timestamp("2020", tz=OwnZone())])
def test_time_zones_without_a_name_are_refused(value):
    with pytest.raises(TypeError, match=r"^value has a time zone .*zoneinfo"):
        encode(value)


@pytest.mark.parametrize("key", [None, "Nowhere/Here", "../etc/passwd"])
def test_time_zones_that_could_not_be_read_are_refused(key, monkeypatch):
    class Renamed(ZoneInfo):
        pass

    zone = Renamed("Europe/Berlin")
    monkeypatch.setattr(Renamed, "key", key, raising=False)
    with pytest.raises(TypeError, match="zoneinfo does not find"):
        encode(dt.datetime(2020, 1, 1, tzinfo=zone))


@pytest.mark.parametrize("mapping", [None, [("a", 1)], "a", 5])
def test_a_mapping_must_be_a_dict(mapping):
    with pytest.raises(TypeError, match="parameters must be a dict with str keys, not"):
        encode_mapping(mapping, "parameters")


@pytest.mark.parametrize("key", [1, None, ("a",)])
def test_a_mapping_must_have_str_keys(key):
    with pytest.raises(TypeError, match="parameters must have str keys, not"):
        encode_mapping({key: 1}, "parameters")


WRAPPERS = {
    "list": lambda inner: [inner],
    "tuple": lambda inner: (inner,),
    "dict": lambda inner: {"a": inner},
    "tagged dict": lambda inner: {"$a": inner},
    "frozenset": lambda inner: frozenset([inner]),
    "key": lambda inner: (frozenset([inner]),),
}


def nest(wrap, levels, inner=0):
    for _ in range(levels):
        inner = wrap(inner)
    return inner


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_the_deepest_value_can_be_written_and_read(wrap):
    levels_each = 2 if wrap is WRAPPERS["key"] else 1
    deepest = nest(wrap, MAX_DEPTH // levels_each, pd.Timestamp("2020"))
    assert same(through_json(deepest), deepest)
    with pytest.raises(ValueError, match=f"^value.*deeper than {MAX_DEPTH} levels"):
        encode(wrap(deepest))
    with pytest.raises(ValueError):
        encode(nest(wrap, 400))


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_one_level_too_many_is_kept_as_it_is(wrap):
    levels_each = 2 if wrap is WRAPPERS["key"] else 1
    deepest = encode(nest(wrap, MAX_DEPTH // levels_each))
    innermost = decode([deepest])
    while type(innermost) is not UnknownValue:
        (innermost,) = innermost.values() if isinstance(innermost, dict) else innermost
    assert innermost.encoded == encode(wrap(0) if levels_each == 1 else frozenset([0]))
    assert encode(decode([deepest])) == [deepest]
    assert encode_mapping(decode_mapping({"a": deepest}), "parameters") == {"a": deepest}


def test_values_that_contain_themselves_are_refused():
    endless_list, endless_dict = [], {}
    endless_list.append(endless_list)
    endless_dict["a"] = endless_dict
    with pytest.raises(ValueError, match=r"^parameters\['x'\]\[0\]\[0\]"):
        encode_mapping({"x": endless_list}, "parameters")
    with pytest.raises(ValueError, match=r"^value\['a'\]\['a'\]"):
        encode(endless_dict)


# ############# What cannot be read ############# #

# The forms of what stands under a tag, a little wider than what is ever written.
DAY = r"\d{4}-\d\d-\d\d"
TEXT_FORMS = [
    DAY + r"(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?(Z(\[[^\[\]]+\])?)?( (s|ms|us))?",
    r"-?\d{1,19}(D|h|m|s|ms|us|ns)( (s|ms|us))?",
    r"[^\[\]]+(\[[^\[\]]+\])?",
    r"(NaT|-?\d{1,19})(\*\d{1,10})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as|generic)",
    r"\|b1|[<>|]([iu][1248]|f[248]|c8|c16|[SUV]\d{1,9}|[mM]8(\[\d{0,10}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)",
]

plausible_texts = st.one_of(
    st.sampled_from([text for _, golden in GOLDEN for text in golden.decode().split('"')[1::2]]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(TEXT_FORMS).flatmap(lambda form: st.from_regex(re.compile(form, re.ASCII), fullmatch=True)),
    st.sampled_from(["now", "today", "O", "|O8", "<f16", "i4,(3,)f8", "os:path", "2020-01-01T00:00Z[../x]", "1e9999"]),
)
json_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    plausible_texts,
)
hostile = st.recursive(
    json_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(plausible_texts, inner, max_size=3),
        st.builds(
            lambda tag, payload: {tag: payload},
            st.sampled_from([*DECODERS, "$future"]),
            inner | st.lists(inner, min_size=2, max_size=3),
        ),
    ),
    max_leaves=10,
)


@very_thorough
@given(hostile)
def test_any_json_can_be_read_and_written_again(encoded):
    value = decode(encoded)
    repr(value)
    again = encode(value)
    assert loads(dumps(again)) == again
    assert encode(decode(again)) == again


@very_thorough
@given(st.sampled_from([tag for tag, (kind, _) in DECODERS.items() if kind is str]), plausible_texts)
def test_any_text_under_a_tag_is_a_value_or_kept_as_it_is(tag, text):
    encoded = {tag: text}
    value = decode(encoded)
    if type(value) is UnknownValue:
        assert encode(value) == encoded
    else:
        assert encode(decode(encode(value))) == encode(value)


@very_thorough
@given(plausible_texts | hostile, st.lists(st.integers(-1, 2**64 - 1), max_size=3) | hostile, TEXT | st.just("AAAA"))
def test_hostile_arrays_are_no_larger_than_their_data(dtype, shape, data):
    encoded = {"$ndarray": [dtype, shape, data]}
    value = decode(encoded)
    if type(value) is UnknownValue:
        assert encode(value) == encoded
    else:
        assert value.nbytes <= len(data)


@thorough
@given(st.sampled_from([*DECODERS, "$future"]), hostile, st.sampled_from(["list", "tuple", "dict", "tagged dict"]))
def test_what_a_newer_version_may_write_is_kept_as_it_is(tag, payload, wrapper):
    widened = {tag: {"version": 2, "payload": payload}}
    two_keys = {tag: payload, "version": 2}
    encoded = [encode(nest(WRAPPERS[wrapper], 2, UnknownValue(part))) for part in (widened, two_keys)]
    assert encode(decode(encoded)) == encoded
    assert decode([widened, two_keys]) == [UnknownValue(widened), UnknownValue(two_keys)]


@pytest.mark.parametrize(
    "encoded",
    [
        {"$timestamp": 5},
        {"$timestamp": "now"},
        {"$timestamp": "2020-01-01T00:00:00.5 s"},
        {"$timestamp": "9999-01-01"},
        {"$timestamp": "2020-01-01T00:00Z[../../etc/passwd]"},
        {"$timestamp": "2020-01-01T00:00Z[dateutil//etc/passwd]"},
        {"$timestamp": "2020-01-01T00:00Z[Europe]"},
        {"$timedelta": 5},
        {"$timedelta": "1"},
        {"$timedelta": "99999999999999999999ns"},
        {"$timedelta": "9223372036854775807D"},
        {"$timedelta": "-9223372036854775808ns"},
        {"$timedelta": "1ns us"},
        {"$timedelta": "1D 1h"},
        {"$datetime": "2020-01-01T00:00:00[Europe/Berlin]"},
        {"$datetime": "2020-01-01T00:00:00.123456789"},
        {"$time": "15:30:00.123456789"},
        {"$pytimedelta": "9" * 30},
        {"$datetime64": "5generic"},
        {"$float": "one"},
        {"$int": 5},
        {"$decimal": 5},
        {"$decimal": "ten"},
        {"$pandas": "x"},
        {"$tuple": 5},
        {"$tuple": {"a": 1}},
        {"$set": [[1]]},
        {"$set": [1, 1]},
        {"$frozenset": [1, True]},
        {"$set": [{"$future": 1}, {"$future": 1}]},
        {"$dict": [1]},
        {"$dict": [[1], 2]},
        {"$dict": [1, "a", 1, "b"]},
        {"$enum": [5, "A", 1]},
        {"$enum": ["a:B", "A"]},
        {"$path": ["Path", "a"]},
        {"$path": ["PosixPath", 5]},
        {"$ndarray": "nonsense"},
        {"$ndarray": ["<f8", [2], "AAAAAAAA8D8="]},
        {"$ndarray": ["<f8", [1], "AAAAAAAA8D8=\n"]},
        {"$ndarray": ["<f8", [-1], "AAAAAAAA8D8="]},
        {"$ndarray": ["<f8", [True], "AAAAAAAA8D8="]},
        {"$ndarray": ["<f8", [10**18], ""]},
        {"$ndarray": ["<U0", [10**18], ""]},
        {"$ndarray": ["|V0", [10**18], ""]},
        {"$ndarray": ["<f8", [1] * 100_000, "AAAAAAAA8D8="]},
        {"$ndarray": ["|O8", [1], "AAAAAAAA8D8="]},
        {"$ndarray": ["<U1", [1], "////fw=="]},
        {"$ndarray": [{"names": ["a"], "formats": ["|O8"], "offsets": [0], "itemsize": 8}, [1], "AAAAAAAA8D8="]},
        {"$ndarray": [{"names": ["a"], "formats": ["<U1"], "offsets": [0], "itemsize": 4}, [1], "////fw=="]},
        {"$ndarray": [{"names": ["a"], "formats": ["<i4"], "offsets": [9], "itemsize": 4}, [1], "AAAAAA=="]},
        {"$ndarray": [{"names": ["a"]}, [1], "AAAAAA=="]},
        {
            "$ndarray": [
                {"names": ["a"], "formats": ["<i4"], "offsets": [0], "itemsize": 4, "titles": ["b"]},
                [1],
                "AAAAAA==",
            ]
        },
    ],
    ids=lambda encoded: json.dumps(encoded)[:60],
)
def test_malformed_tags_are_kept_as_they_are(encoded):
    value = decode(encoded)
    assert type(value) is UnknownValue
    assert encode(value) == encoded
    assert decode({"a": [1, encoded]}) == {"a": [1, UnknownValue(encoded)]}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: [inner],
        lambda inner: {"a": inner},
        lambda inner: {"$tuple": [inner]},
        lambda inner: {"$set": [{"$tuple": [inner]}]},
        lambda inner: {"$dict": [inner, 0]},
        lambda inner: {"$enum": ["a:B", "C", inner]},
        lambda inner: {"$future": inner},
        lambda inner: {"$ndarray": [inner]},
        lambda inner: {"$a": inner, "$b": 0},
    ],
    ids=["list", "dict", "tuple", "set", "keys", "enum", "future", "array", "two keys"],
)
def test_deeply_nested_input_can_be_read_and_written_again(wrap):
    levels_each = sum(map(dumps(wrap(0)).count, (b"[", b"{")))
    encoded = loads(dumps(nest(wrap, 254 // levels_each)))
    again = encode(decode(encoded))
    assert loads(dumps(again)) == again
    # More than can be written.
    repr(decode(nest(wrap, 900 // levels_each)))


@pytest.mark.parametrize("zone", ["a.b/c", "../x", "/etc/localtime", "", " ", "a\u00e9"])
def test_zoneinfo_is_asked_for_names_of_zones_only(zone, monkeypatch):
    # It looks for the parts of a name among the modules of the tzdata package.
    monkeypatch.setattr(encoding, "ZoneInfo", lambda name: pytest.fail(f"asked for {name}"))
    for text in (f"2020-01-01T00:00Z[{zone}]", f"2020-01-01T00:00Z[{zone}] us"):
        assert type(decode({"$timestamp": text})) is UnknownValue
    assert type(decode({"$datetime": f"2020-01-01T00:00:00+00:00[{zone}]"})) is UnknownValue


@pytest.mark.parametrize("encoded", [[1], None, "a", UnknownValue({"$future": 1})])
def test_a_mapping_is_read_from_an_object_only(encoded):
    with pytest.raises(ValueError, match="expected an object"):
        decode_mapping(encoded)


# ############# Newer versions and absent modules ############# #


@pytest.mark.parametrize(
    "encoded",
    [
        {"$future": {"a": [1, {"$timestamp": "2020-01-01"}]}},
        [{"$set": [{"$future": 1}]}],
        {"$dict": [{"$future": 1}, 2]},
        {"a": {"$future": {"$future": None}}},
    ],
)
def test_tags_of_a_newer_version_survive_a_rewrite(encoded):
    assert encode(decode(encoded)) == encoded
    assert type(decode({"$future": 1})) is UnknownValue


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 253])
def test_an_unknown_value_may_nest_as_deep_as_json(levels):
    encoded = {"$future": nest(WRAPPERS["list"], levels)}
    assert decode(encoded) == UnknownValue(encoded)
    assert decode(loads(dumps(encode(decode(encoded))))) == UnknownValue(encoded)


def test_an_unknown_value_shares_nothing_with_its_encoding():
    encoded = {"$future": [{"a": [1]}]}
    value = decode(encoded)
    encoded["$future"][0]["a"].append(2)
    assert value.encoded == {"$future": [{"a": [1]}]}
    encode(value)["$future"][0]["a"].append(2)
    assert value.encoded == {"$future": [{"a": [1]}]}


def test_unknown_values_are_equal_when_their_encodings_are():
    assert decode({"$future": 1}) == decode({"$future": 1})
    assert hash(decode({"$future": 1})) == hash(decode({"$future": 1}))
    assert decode({"$future": 1}) != decode({"$future": 2})
    assert decode({"$future": 1}) != {"$future": 1}
    assert repr(decode({"$future": 1})) == "UnknownValue({'$future': 1})"


@pytest.fixture
def strategies(monkeypatch):
    """A module with an Enum, which notes the names that it is asked for and lacks: it might import something."""
    module = types.ModuleType("strategies")
    exec("import enum\nclass Mode(enum.Enum):\n    FAST = 'fast'\n", module.__dict__)

    def look_up(name):
        looked_up.append(name)
        raise AttributeError(name)

    looked_up = module.__dict__["looked_up"] = []
    module.__getattr__ = look_up
    monkeypatch.setitem(sys.modules, "strategies", module)
    return module


def test_an_enum_comes_back_as_its_member_where_its_module_is_imported(strategies):
    assert through_json(strategies.Mode.FAST) is strategies.Mode.FAST


def test_an_enum_of_an_absent_module_comes_back_as_its_value(strategies, monkeypatch):
    encoded = encode(strategies.Mode.FAST)
    monkeypatch.delitem(sys.modules, "strategies")
    assert decode(encoded) == "fast"
    assert "strategies" not in sys.modules


@pytest.mark.parametrize(
    "class_name",
    ["strategies:Gone", "strategies:Mode.Gone", "strategies:enum", "strategies:", "strategies", "json:dumps"],
)
def test_an_enum_that_no_longer_exists_comes_back_as_its_value(strategies, class_name):
    assert decode({"$enum": [class_name, "FAST", {"$tuple": [1]}]}) == (1,)
    assert "Gone" not in strategies.looked_up


def test_an_enum_that_lost_its_member_comes_back_as_its_value(strategies):
    assert decode({"$enum": ["strategies:Mode", "SLOW", "slow"]}) == "slow"


def test_decoding_imports_nothing():
    name = "xml.dom.pulldom"
    assert name not in sys.modules
    assert decode({"$enum": [f"{name}:DOMEventStream", "X", 1]}) == 1
    assert name not in sys.modules
