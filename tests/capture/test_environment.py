"""What a record says about the circumstances of its run is true, and never fails a save."""

import json

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from vectorbt.portfolio.registry.capture.environment import differences, environment, metric_settings

pytestmark = pytest.mark.filterwarnings("error")

hold = vbt.Portfolio.from_holding


@pytest.fixture
def changed_settings():
    """vectorbt's settings, to be changed at will: they are put back."""
    returns, stats = vbt.settings.returns, vbt.settings.portfolio["stats"]
    year_freq, defaults, before = returns["year_freq"], dict(returns["defaults"]), dict(stats)
    yield vbt.settings
    returns["year_freq"] = year_freq
    returns["defaults"].update(defaults)
    vbt.settings.array_wrapper["freq"] = None
    vbt.settings.portfolio["fillna_close"] = True
    stats.clear()
    stats.update(before)


@pytest.fixture(scope="module")
def portfolio():
    return hold(pd.Series([1.0, 2.0, 3.0], index=pd.RangeIndex(3)))


def test_environment(portfolio):
    found = environment(portfolio)
    assert list(found) == ["python", "vectorbt", "numpy", "pandas", "platform", "git", "settings"]
    assert found["vectorbt"] == vbt.__version__ and found["pandas"] == pd.__version__
    assert found["settings"] == dict(year_freq="365 days", trades_type="ExitTrades")
    assert environment()["settings"] == found["settings"]
    json.dumps(found, allow_nan=False)
    commit = dict(commit="a" * 40, dirty=False)
    assert len(json.dumps({**found, "git": commit}, separators=(",", ":"))) <= 300


def test_settings_that_are_not_vectorbts_defaults_are_recorded(portfolio, changed_settings):
    changed_settings.returns["year_freq"] = pd.Timedelta(days=252)
    changed_settings.returns["defaults"].update(risk_free=np.float64(0.001), ddof=0)
    changed_settings.array_wrapper["freq"] = "1h"
    changed_settings.portfolio["stats"]["settings"] = dict(incl_open=True, use_asset_returns=False, benchmark=np.mean)
    changed_settings.portfolio["stats"]["metric_settings"] = dict(win_rate=dict(trades_type="positions"))
    found = environment(portfolio)["settings"]
    assert found == {
        "year_freq": "252 days",
        "risk_free": 0.001,
        "ddof": 0,
        "freq": "0 days 01:00:00",
        "trades_type": "ExitTrades",
        "incl_open": True,
        "benchmark": "mean",
        "win_rate.trades_type": "Positions",
    }
    json.dumps(found, allow_nan=False)


def test_a_portfolios_own_settings_count_more_than_vectorbts(portfolio, changed_settings):
    changed_settings.portfolio["fillna_close"] = False
    own = portfolio.replace(trades_type="positions", fillna_close=True)
    found = environment(own)["settings"]
    assert found["trades_type"] == "Positions"
    assert "fillna_close" not in found
    assert environment()["settings"]["fillna_close"] is False
    changed_settings.portfolio["stats"]["settings"] = dict(trades_type="entrytrades")
    assert environment(own)["settings"]["trades_type"] == "EntryTrades"


def test_differences(portfolio, changed_settings):
    recorded = environment(portfolio)
    assert differences(recorded, metric_settings(portfolio)) == {}
    changed_settings.returns["year_freq"] = "252 days"
    changed_settings.returns["defaults"]["ddof"] = 0
    current = metric_settings(portfolio)
    assert differences(recorded, current) == {
        "year_freq": ("365 days", "252 days"),
        "ddof": (1, 0),
    }
    assert differences(environment(portfolio), recorded["settings"])["ddof"] == (0, 1)
    assert differences({}, current) == {}


def test_differences_are_about_settings_only(portfolio):
    assert differences({**environment(portfolio), "vectorbt": "0.1", "git": None}, metric_settings(portfolio)) == {}
