"""Whoever saves a backtest learns when its annualised figures are off, by how much, and what to set."""

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.support.factories import make_price
from vectorbt.portfolio.registry.capture import caveats as module
from vectorbt.portfolio.registry.capture.caveats import caveats
from vectorbt.portfolio.registry.capture.year import bars_per_year, excess_of_periods

TRADING_DAYS = pd.bdate_range("2010", periods=2600)[np.arange(2600) % 29 > 0]  # 252 a year
TRADING_HOURS = pd.date_range("2020", periods=3 * 8766, freq="h")
TRADING_HOURS = TRADING_HOURS[(TRADING_HOURS.day_of_week < 5) & (TRADING_HOURS.hour >= 9) & (TRADING_HOURS.hour < 16)]


@pytest.fixture(autouse=True)
def _nothing_said_yet():
    module._judged_years.clear()


def on(index, **kwargs):
    return vbt.Portfolio.from_holding(pd.Series(make_price(len(index)).to_numpy(), index=index), **kwargs)


MISJUDGED = {
    "days of trading": (TRADING_DAYS, "1D", 'has 252 of these bars and vectorbt assumes 365, .* 20% too high; '
                        'set vectorbt.settings.returns\\["year_freq"\\] = "252 days"$'),
    "hours of trading": (TRADING_HOURS, "1h", 'has 1,82\\d of .* assumes 8,760, .* 119% too high; '
                         'set vectorbt.settings.returns\\["year_freq"\\] = "182\\d hours"$'),
    "weeks called days": (pd.date_range("2000", periods=600, freq="W"), "1D", 'has 52 .* 164% .* high; pass freq="7D"'),
    "hours called days": (pd.date_range("2020", periods=900, freq="h"), "1D", '365, .* 80% .* low; pass freq="1h"'),
}  # fmt: skip


@pytest.mark.parametrize("name", MISJUDGED)
def test_a_year_of_another_length_is_told_once(name):
    index, freq, text = MISJUDGED[name]
    portfolio = on(index, freq=freq)
    (caveat,) = caveats(portfolio)
    assert pd.Series([caveat]).str.contains(text).all(), caveat
    assert caveats(portfolio) == []


@pytest.mark.parametrize(
    ("index", "freq"),
    [
        (pd.date_range("2020", periods=2000), "1D"),
        (pd.date_range("2020", periods=2000, freq="min", tz="UTC"), "1min"),
        (pd.date_range("2000", periods=300, freq="W"), "7D"),
        (pd.bdate_range("2020", periods=5), "1D"),
        (pd.RangeIndex(500), "1D"),
    ],
)
def test_a_right_year_is_not_spoken_of(index, freq):
    assert caveats(on(index, freq=freq)) == []


def test_the_advice_is_right():
    portfolio = on(TRADING_DAYS, freq="1D")
    assert len(caveats(portfolio)) == 1
    before = vbt.settings.returns["year_freq"]
    try:
        vbt.settings.returns["year_freq"] = "252 days"
        assert caveats(portfolio) == []
    finally:
        vbt.settings.returns["year_freq"] = before


def test_bars_of_a_calendar_year():
    assert bars_per_year(pd.date_range("2000", "2020")) == pytest.approx(365.2425)
    assert bars_per_year(TRADING_DAYS) == pytest.approx(252, abs=0.5)
    assert bars_per_year(pd.period_range("2000", periods=240, freq="M")) == pytest.approx(12, rel=1e-3)
    assert bars_per_year(pd.timedelta_range("0h", periods=5000, freq="h")) == pytest.approx(24 * 365.2425)
    for unknown in (pd.date_range("2020", periods=28), pd.RangeIndex(900), pd.DatetimeIndex([]), pd.Index(["a", "b"])):
        assert bars_per_year(unknown) is None


def test_more_than_five_percent_and_more_than_chance():
    assert excess_of_periods(365, 252, 2520) == pytest.approx(365 / 252)
    assert excess_of_periods(252, 261, 2610) is None
    assert excess_of_periods(252, 235, 18) is None, "four weeks around Christmas"
    assert excess_of_periods(float("nan"), 252, 2520) is excess_of_periods(365, None, 2520) is None
