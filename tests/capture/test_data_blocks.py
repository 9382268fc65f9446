"""Prices that overlap are recognised, whatever was done to hide it, and others are not taken for the same."""

import numpy as np
import pandas as pd
import pytest

from vectorbt.portfolio.registry.capture.data_blocks import MOST_BLOCKS, UNITS, _parse, describe_blocks, overlap

DAYS = pd.bdate_range("2000", "2019-12-31")
MINUTES = pd.date_range("2024-03-05 09:00", periods=60 * 24 * 21, freq="min")


def walk(index, seed=0, volatility=0.01):
    return np.round(100 * np.exp(np.random.default_rng(seed).normal(0, volatility, len(index)).cumsum()), 4)


def data(prices, index):
    """Describe prices, a column in each row, as those of one run."""
    prices = np.atleast_2d(np.asarray(prices, dtype=np.float64))
    return dict(blocks=describe_blocks(prices, index, [range(len(prices))])[0])


CHANGES = {
    "a tiny factor": lambda prices: prices * 1.0000001,
    "a hundred": lambda prices: prices * 100,
    "a third": lambda prices: prices / 3,
    "single precision": lambda prices: prices.astype(np.float32),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("index", "volatility"), [(DAYS, 0.01), (MINUTES, 0.0005), (MINUTES, 0.0001)])
def test_every_block_of_scaled_prices_is_the_same(change, index, volatility):
    prices = walk(index, volatility=volatility)
    original, changed = data(prices, index), data(change(prices), index)
    assert overlap(original, changed) and overlap(changed, original)
    for unit, blocks in original["blocks"].items():
        hashes, others = _parse(unit, blocks)[1], _parse(unit, changed["blocks"][unit])[1]
        assert (hashes == others).any(axis=1).all()


@pytest.mark.parametrize(("index", "volatility"), [(DAYS, 0.01), (MINUTES, 0.0005)])
def test_a_part_of_the_prices_overlaps_wherever_it_begins(index, volatility):
    prices = walk(index, volatility=volatility)
    whole = data(prices, index)
    for start, end in [(1, None), (0, -1), (len(index) // 3, len(index) // 2), (len(index) // 2 + 7, None)]:
        part = data(prices[start:end], index[start:end])
        assert overlap(whole, part) and overlap(part, whole)


def test_half_of_the_shorter_one_is_enough_and_less_is_not():
    prices, others = walk(DAYS), walk(DAYS, seed=1)
    years = DAYS.year.to_numpy()
    for years_in_common, expected in [(10, True), (9, False), (0, False)]:
        mixed = np.where(years < 2000 + years_in_common, prices, others)
        assert overlap(data(prices, DAYS), data(mixed, DAYS)) is expected
    elsewhere = data(prices, DAYS + pd.Timedelta("20000D"))
    assert not overlap(data(prices, DAYS), elsewhere)


def test_other_prices_do_not_overlap():
    markets = [data(walk(MINUTES, seed), MINUTES) for seed in range(20)]
    assert not any(overlap(a, b) for i, a in enumerate(markets) for b in markets[:i])


def test_zones_and_resolutions_do_not_count():
    prices = walk(DAYS)
    expected = data(prices, DAYS)
    for index in (DAYS.tz_localize("UTC"), DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo"), DAYS.as_unit("s")):
        assert data(prices, index) == expected


def test_several_columns_overlap_as_a_whole():
    a, b, c = (walk(DAYS, seed) for seed in range(3))
    missing = np.where(np.arange(len(DAYS)) < 900, np.nan, b)
    basket = data([a, missing], DAYS)
    assert overlap(basket, data([missing * 3, a], DAYS)) and not overlap(basket, data([a, c], DAYS))
    columns = describe_blocks(np.array([a, b]), DAYS, [[0], [1], [0, 1]])
    assert columns[:2] == [data(a, DAYS)["blocks"], data(b, DAYS)["blocks"]]


def test_what_is_kept():
    kept = data(walk(DAYS), DAYS)["blocks"]
    assert set(kept) == {"month", "year"}
    assert kept["month"].startswith("2000-01-01 ") and len(kept["month"]) == len("2000-01-01 ") + 8 * 240
    assert set(data(walk(MINUTES), MINUTES)["blocks"]) == set(UNITS)
    long_ago = pd.bdate_range("1900", "2020")
    assert set(data(walk(long_ago), long_ago)["blocks"]) == {"year"}, f"more than {MOST_BLOCKS} months"
    assert data(walk(MINUTES), MINUTES)["blocks"]["week"].startswith("2024-03-04 "), "a Monday"


def test_nothing_is_said_of_what_has_no_calendar_or_never_moves():
    for index in (pd.RangeIndex(900), DAYS[::-1], DAYS[:0], DAYS[:3], pd.timedelta_range("1h", periods=900, freq="h")):
        assert data(walk(index), index) == dict(blocks={})
    flat = data(np.full(len(DAYS), 1.0), DAYS)
    assert set(flat["blocks"]["year"][11:]) == {"0"} and not overlap(flat, flat)
    for prices in (np.full(len(DAYS), np.nan), np.zeros(len(DAYS))):
        assert not overlap(data(prices, DAYS), data(prices, DAYS))


@pytest.mark.parametrize("blocks", [None, 1, {}, {"month": None}, {"month": "2000-13-01 00000001"}, {"month": "x"}])
def test_what_cannot_be_read_does_not_overlap(blocks):
    prices = data(walk(DAYS), DAYS)
    assert not overlap(dict(blocks=blocks), prices) and not overlap({}, prices)
    assert overlap(dict(blocks=blocks, fingerprint="f" * 64), dict(prices, fingerprint="f" * 64))
