"""A backtest on bars of any frequency is saved, and whoever saves it learns what is missing and what to write."""

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.support.factories import make_price
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.capture.frequency import bar_length, length_text, measurable

ANNUALISED = ("sharpe_ratio", "calmar_ratio", "omega_ratio", "sortino_ratio")


def on(index, columns=("a",), **kwargs):
    """Return a portfolio that holds the same prices in each column."""
    price = make_price(len(index)).set_axis(index)
    close = pd.concat([price] * len(columns), axis=1, keys=list(columns))
    return vbt.Portfolio.from_holding(close.iloc[:, 0] if len(columns) == 1 else close, **kwargs)


def without_freq(index):
    return pd.DatetimeIndex(index.to_numpy())


INDEXES = {
    "weeks": (pd.date_range("2020", periods=60, freq="W"), "W-SUN", "7D"),
    "business days": (pd.bdate_range("2020", periods=60), "B", "1D"),
    "month ends": (pd.date_range("2020", periods=60, freq="ME"), "ME", "31D"),
    "inferred months": (without_freq(pd.date_range("2020", periods=60, freq="MS")), "MS", "31D"),
    "inferred quarters": (without_freq(pd.date_range("2000", periods=60, freq="QE")), "QE-DEC", "92D"),
    "two weeks": (without_freq(pd.date_range("2020", periods=60, freq="2W")), "2W-SUN", "14D"),
    "monthly periods": (pd.period_range("2020", periods=60, freq="M"), "M", "31D"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_bars_of_a_frequency_that_is_no_fixed_length(name):
    index, called, advised = INDEXES[name]
    registry = RunRegistry(MemoryStore())
    with pytest.warns(UserWarning, match=called) as shown:
        run = registry.get_run(registry.save_run(on(index), "hold"))
    assert [str(warning.message) for warning in shown] == [
        f"the frequency {called} is no fixed length of time, so sharpe_ratio, calmar_ratio, omega_ratio and "
        f'sortino_ratio are NaN and durations count bars; pass freq="{advised}" where the portfolio is made'
    ]
    assert np.isnan([run.sharpe_ratio, *(run.stats[metric] for metric in ANNUALISED[1:])]).all()
    assert np.isnan(run.returns_stats["periods_per_year"])
    # Everything else is what vectorbt says of the same bars without dates.
    expected = on(pd.RangeIndex(60)).stats(metrics=["total_return", "max_dd", "max_dd_duration"], silence_warnings=True)
    assert [run.total_return, run.max_drawdown, run.stats["max_dd_duration"]] == expected.tolist()
    assert (run.data["bars"], run.data["frequency"]) == (60, None)
    assert str(run.stats["start"]) == str(run.data["start"])


@pytest.mark.parametrize("grouped", [False, True])
def test_columns_and_groups_and_what_they_returned(grouped, tmp_path):
    index = INDEXES["weeks"][0]
    portfolio = on(index, ("a", "b", "c"), group_by=[0, 0, 1] if grouped else None)
    portfolio.metrics.update(mine=dict(calc_func=lambda self: 7))
    registry = RunRegistry(tmp_path)
    with pytest.warns(UserWarning, match="W-SUN") as shown:
        run_ids = registry.save_sweep(portfolio, "hold")
    assert (len(shown), len(run_ids)) == (1, 2 if grouped else 3)
    assert [registry.get_run(run_id).stats["mine"] for run_id in run_ids] == [7] * len(run_ids)
    pd.testing.assert_index_equal(registry.load_returns(run_ids).index, index, check_names=False)
    assert registry.load_portfolio(run_ids[0]).wrapper.index.equals(index)


def test_a_save_without_a_frequency_names_what_is_missing():
    registry = RunRegistry(MemoryStore())
    with pytest.warns(UserWarning, match='no frequency, so sharpe_ratio, .* are NaN.*freq="1D"') as shown:
        registry.save_run(on(pd.RangeIndex(60)), "hold")
    assert (len(shown), shown[0].filename) == (1, __file__)
    irregular = pd.date_range("2020", periods=61, freq="15min").delete(7)
    with pytest.warns(UserWarning, match='no frequency.*freq="15min"'):
        registry.save_run(on(irregular), "hold")
    with pytest.warns(UserWarning, match="the frequency ME is no fixed length"):
        registry.save_run(on(pd.RangeIndex(60), freq="ME"), "hold")


@pytest.mark.filterwarnings("error")
def test_a_frequency_that_vectorbt_can_read_changes_nothing():
    for index, kwargs in [
        (pd.date_range("2020", periods=60), {}),
        (without_freq(pd.date_range("2020", periods=60, freq="h")), {}),
        (pd.date_range("2020-03-20", periods=60, tz="Europe/Berlin"), {}),
        (INDEXES["weeks"][0], dict(freq="7D")),
        (pd.RangeIndex(60), {}),
    ]:
        portfolio = on(index, **kwargs)
        assert measurable(portfolio) is portfolio


def test_lengths():
    assert bar_length(pd.RangeIndex(5)) is None
    assert bar_length(pd.DatetimeIndex(["2020"])) is None
    assert length_text(bar_length(pd.timedelta_range("0h", periods=5, freq="4h"))) == "4h"
    assert length_text(pd.Timedelta("90s")) == "90s"
    for text in ("1D", "4h", "15min", "90s"):
        assert length_text(pd.Timedelta(text)) == text
