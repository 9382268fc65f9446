"""What labels equal bars is aligned, whatever type pandas keeps the labels in, and no label changes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vectorbt as vbt
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.portfolios.alignment import in_common

BIG = 1_700_000_000_000_000_001
"""Beyond what a float can count."""


def held(labels, values):
    return vbt.Portfolio.from_holding(pd.Series(values, index=labels, name="P", dtype=float), freq="1D")


def arrow(index, name):
    return pd.Index(pd.Series(index).astype(f"{name}[pyarrow]"))


DAYS = pd.date_range("2020-01-01", periods=4, freq="D")
HOURS = pd.timedelta_range("0h", periods=4, freq="h")
INTEGERS = np.array([0, 1, 2, 3])
LARGE = BIG + 3 * INTEGERS
DATES = pd.Index(DAYS.date, dtype=object)
# Four bars, and the first and third of them in another type.
PAIRS = {
    "range and integers": (pd.RangeIndex(4), pd.Index([0, 2])),
    "integers and a range": (pd.Index(INTEGERS), pd.RangeIndex(0, 3, 2)),
    "range and floats": (pd.RangeIndex(4), pd.Index([0.0, 2.0])),
    "small integers": (pd.RangeIndex(4), pd.Index([0, 2], dtype="uint8")),
    "large integers": (pd.Index(LARGE), pd.Index(LARGE[::2].astype("u8"))),
    "unsigned integers": (pd.Index(2**64 - 9 + INTEGERS.astype("u8")), pd.Index([2**64 - 9, 2**64 - 7], dtype=object)),
    "nullable integers": (pd.Index(LARGE), pd.Index(LARGE[::2], dtype="Int64")),
    "Arrow's integers": (pd.Index(LARGE), arrow(LARGE[::2], "int64")),
    "fractions": (pd.Index(INTEGERS / 2), pd.Index([0, 1])),
    "zones": (DAYS, DAYS[::2].tz_localize("UTC").tz_convert("Asia/Tokyo")),
    "resolutions": (DAYS.as_unit("ns"), DAYS[::2].as_unit("s")),
    "zones and resolutions": (DAYS.as_unit("s"), DAYS[::2].tz_localize("UTC").as_unit("us")),
    "Arrow's times": (DAYS, arrow(DAYS[::2], "timestamp[us]")),
    "Arrow's times in a zone": (DAYS, arrow(DAYS[::2].tz_localize("UTC"), "timestamp[ms, tz=UTC]")),
    "objects": (DAYS, DAYS[::2].astype(object)),
    "categories": (DAYS, pd.CategoricalIndex(DAYS[::2])),
    "durations": (HOURS, HOURS[::2].as_unit("s")),
    "Arrow's durations": (HOURS, arrow(HOURS[::2], "duration[ms]")),
    "Arrow's dates": (DATES, arrow(DATES[::2], "date32[day]")),
    "text": (pd.Index(list("abcd"), dtype=object), pd.Index(["a", "c"], dtype="string")),
    "Arrow's text": (pd.Index(list("abcd")), arrow(["a", "c"], "string")),
    "levels": (
        pd.MultiIndex.from_arrays([DAYS, LARGE]),
        pd.MultiIndex.from_arrays([DAYS[::2].tz_localize("UTC"), LARGE[::2].astype("u8")]),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("options", [{}, {"save_portfolio": "returns"}], ids=str)
def test_returns_are_aligned_by_what_labels_mean(pair, options):
    registry = RunRegistry(MemoryStore())
    first, second = PAIRS[pair]
    ids = [registry.save_run(held(first, [100, 110, 121, 133.1]), "x", **options)]
    ids += [registry.save_run(held(second, [100, 150]), "x", **options)]
    for asked in (ids, ids[::-1]):
        returns = registry.load_returns(asked)
        np.testing.assert_allclose(returns[ids[0]], [0, 0.1, 0.1, 0.1])
        np.testing.assert_allclose(returns[ids[1]], [0, np.nan, 0.5, np.nan])
        if not isinstance(first, pd.MultiIndex) and pair not in (
            "zones",
            "zones and resolutions",
            "Arrow's times in a zone",
        ):
            assert returns.index.tolist() == first.tolist()


def test_times_that_no_resolution_holds_are_aligned():
    far, fine = pd.Timestamp("9000-01-01").as_unit("s"), pd.Timestamp("2020-01-01") + pd.Timedelta("1ns")
    both = in_common([pd.DatetimeIndex(far.to_numpy()[np.newaxis]), pd.DatetimeIndex([fine])])
    assert [index.tolist() for index in both] == [[far], [fine]]
    coarse = in_common([pd.DatetimeIndex(far.to_numpy()[np.newaxis]), DAYS.as_unit("ns")])
    assert coarse[0].dtype == coarse[1].dtype and coarse[0][0] == far and (coarse[1] == DAYS).all()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_days_of_any_resolution_are_united(unit):
    """Those that have a frequency, which pandas 2 took for one in nanoseconds."""
    first, second = DAYS.as_unit(unit), DAYS.as_unit(unit).shift(2)
    registry = RunRegistry(MemoryStore())
    ids = [registry.save_run(held(index, [1, 2, 3, 4]), "x") for index in (first, second)]
    assert registry.load_returns(ids).index.tolist() == pd.date_range(DAYS[0], periods=6).tolist()


@pytest.mark.parametrize(
    "other",
    [
        pd.RangeIndex(4),
        pd.Index(list("abcd")),
        HOURS,
        DATES,
        pd.period_range("2020-01-01", periods=4, freq="D"),
        pd.MultiIndex.from_arrays([DAYS, INTEGERS]),
    ],
    ids=str,
)
def test_labels_of_different_kinds_are_refused(other):
    assert in_common([DAYS, other]) is None
    registry = RunRegistry(MemoryStore())
    ids = [registry.save_run(held(index, [1, 2, 3, 4]), "x") for index in (DAYS, DAYS[:4], other)]
    with pytest.raises(ValueError, match=f"{ids[0]} and {ids[2]} cannot be aligned"):
        registry.load_returns(ids)


def test_periods_of_other_lengths_are_refused():
    days, months = (pd.period_range("2020-01-01", periods=4, freq=freq) for freq in "DM")
    assert in_common([days, months]) is None
    assert in_common([days, days[::2]]) is not None


def test_a_label_that_comes_twice_is_refused_unless_all_are_the_same():
    registry = RunRegistry(MemoryStore())
    twice = pd.Index([0, 1, 1, 2])
    ids = [
        registry.save_run(held(index, [1, 2, 3, 4]), "x") for index in (twice, twice.astype(float), pd.RangeIndex(4))
    ]
    assert registry.load_returns(ids[:2]).notna().all(axis=None)
    with pytest.raises(ValueError, match="cannot be aligned"):
        registry.load_returns(ids[1:])


NUMBERS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1).map(lambda x: pd.Index(x, dtype="int64")),
    st.lists(st.integers(0, 2**64 - 1), min_size=1).map(lambda x: pd.Index(x, dtype="uint64")),
    st.lists(st.floats(allow_nan=False), min_size=1).map(lambda x: pd.Index(x, dtype="float64")),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1).map(lambda x: pd.Index(x, dtype="Int64")),
    st.lists(st.floats(allow_nan=False, width=32), min_size=1).map(lambda x: pd.Index(x, dtype="float32")),
)


@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_no_number_changes_its_value(indexes):
    found = in_common(indexes)
    assert [index.tolist() for index in found] == [index.tolist() for index in indexes]
    assert len({index.dtype for index in found}) == 1


def test_trials_are_aligned_like_returns():
    """A run is judged against trials on the same bars, however those are labelled."""
    rng = np.random.default_rng(1)
    registry = RunRegistry(MemoryStore())
    days = pd.date_range("2020-01-01", periods=120, freq="D")
    shocks = rng.normal(0.001, 0.02, size=(120, 4))
    indexes = [days, days.as_unit("s"), days.tz_localize("UTC"), arrow(days, "timestamp[us]")]
    for index, column in zip(indexes, shocks.T, strict=True):
        registry.save_run(held(index, 100 * np.exp(np.cumsum(column))), "x", {"n": len(registry)})
    assert registry.selection_bias(n_blocks=4).pbo.n_columns == 4
