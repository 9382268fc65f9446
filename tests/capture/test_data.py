"""What a record says about the data of its run is true, whatever prices and labels look like."""

import datetime

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from vectorbt.portfolio.registry.capture.data import MAX_SYMBOLS, describe_columns, describe_data, fingerprints_of
from vectorbt.portfolio.registry.capture.fingerprint import fingerprint

pytestmark = pytest.mark.filterwarnings("error")

CLOSE = np.array([100.0, 101.5, np.nan, 99.25])
DAYS = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"])

hold = vbt.Portfolio.from_holding


def test_what_stands_for_data():
    close = pd.Series(CLOSE[[0, 1, 3]], index=DAYS[[0, 1, 3]])
    expected = fingerprint(close, close.index)
    assert fingerprints_of(close) == fingerprints_of(close.to_frame()) == fingerprints_of(hold(close)) == (expected,)
    assert fingerprints_of(expected) == (expected,)


@pytest.mark.parametrize("data", ["", "abc", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
def test_a_string_that_is_no_fingerprint(data):
    with pytest.raises(ValueError, match="64 digits"):
        fingerprints_of(data)


@pytest.mark.parametrize("data", [None, 1, CLOSE, ["a" * 64], b"a" * 64])
def test_what_does_not_stand_for_data(data):
    with pytest.raises(TypeError, match=f"Series or DataFrame.*not {type(data).__name__}"):
        fingerprints_of(data)


def test_description_of_a_series():
    close = pd.Series([1.0, 2.0, 3.0], index=pd.date_range("2020", periods=3), name="SPX")
    data = describe_data(hold(close))
    assert data == dict(
        fingerprint=fingerprint(close, close.index),
        start=pd.Timestamp("2020-01-01"),
        end=pd.Timestamp("2020-01-03"),
        bars=3,
        frequency="1 days",
        symbols=["SPX"],
    )
    assert describe_columns(hold(close)) == [data]


def test_description_without_times_or_names():
    data = describe_data(hold(pd.Series([1.0, 2.0])))
    assert (data["start"], data["end"], data["frequency"], data.get("symbols")) == (0, 1, None, None)
    assert type(data["start"]) is int
    monthly = pd.Series([1.0, 2.0], index=pd.period_range("2020-01-31", periods=2, freq="D"))
    assert describe_data(hold(monthly))["end"] == "2020-02-01"
    dated = pd.Series([1.0, 2.0], index=pd.Index([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]))
    assert describe_data(hold(dated))["end"] == datetime.date(2020, 1, 2)


SYMBOLS = {
    "unnamed text": (pd.Index(["BTC", "ETH"]), ["BTC", "ETH"]),
    "named symbol": (pd.Index(["BTC", "ETH"], name="symbol"), ["BTC", "ETH"]),
    "symbol among parameters": (pd.MultiIndex.from_tuples([(2, "BTC"), (3, "BTC")], names=["fast", "Ticker"]), ["BTC"]),
    "parameter": (pd.Index(["simple", "ewm"], name="ma_type"), []),
    "parameters": (pd.MultiIndex.from_tuples([(2, 3), (2, 4)], names=["fast", "slow"]), []),
    "numbers": (pd.Index([10, 20]), []),
}


@pytest.mark.parametrize("name", SYMBOLS)
def test_symbols(name):
    columns, symbols = SYMBOLS[name]
    portfolio = hold(pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns))
    assert describe_data(portfolio).get("symbols", []) == symbols
    per_column = [run.get("symbols", []) for run in describe_columns(portfolio)]
    assert per_column == ([[symbol] for symbol in symbols * (2 // len(symbols))] if symbols else [[], []])


def test_many_symbols_are_counted_instead_of_listed():
    labels = [f"S{number}" for number in range(MAX_SYMBOLS + 1)]
    portfolio = hold(pd.DataFrame(np.ones((2, len(labels))), columns=labels))
    data = describe_data(portfolio)
    assert (data["symbols"], data["n_symbols"]) == (labels[:-1], len(labels))
    assert "n_symbols" not in describe_data(portfolio[labels[:-1]])


def test_description_of_groups():
    close = pd.DataFrame([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], columns=["BTC", "ETH", "SOL"])
    pair, single = describe_columns(hold(close, group_by=[0, 0, 1], cash_sharing=True))
    assert (pair["symbols"], single["symbols"]) == (["BTC", "ETH"], ["SOL"])
    assert pair["fingerprint"] == fingerprints_of(close[["BTC", "ETH"]])[0]
    assert single["fingerprint"] == fingerprints_of(close["SOL"])[0]
