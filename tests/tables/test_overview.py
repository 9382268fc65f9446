"""A list of runs at a glance: what tells the runs apart comes first, and what is not shown is named."""

import datetime
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.readable import cut, duration_text, metric_text, parameter_text, width_of
from vectorbt.portfolio.registry.tables.overview import Overview
from vectorbt.portfolio.registry.tables.run_list import RunList


def make_runs(n=3, **fields):
    """Return runs that differ in two parameters of four."""
    return RunList(
        make_record(
            i,
            run_id=f"{i:08x}-0000-4000-8000-000000000000",
            parameters={"fees": 0.001, "stop": 0.05 * (i % 2), "fast_window": 10 + i, "universe": "S&P 500"},
            stats={"sortino_ratio": 1.5, "max_dd_duration": pd.Timedelta(days=120 + i)},
            **fields,
        )
        for i in range(n)
    )


def test_a_terminal_shows_what_tells_runs_apart():
    runs = make_runs()
    runs.dsr, runs.ranked_by = {runs[0].run_id: 0.42}, "max_dd_duration"
    assert Overview(runs, runs.ranked_by, runs.dsr).as_text(120).splitlines() == [
        "                             fast_         max_dd_          sharpe_  total_      max_  total_    win_",
        "run       saved (UTC)       window  stop  duration     dsr    ratio  return  drawdown  trades    rate",
        "00000000  2024-01-01 00:00      10     0     120 d  42.0 %     0.50  10.0 %    20.0 %       0  50.0 %",
        "00000001  2024-01-01 01:00      11  0.05     121 d       –     0.60  11.0 %    19.0 %       1  50.0 %",
        "00000002  2024-01-01 02:00      12     0     122 d       –     0.70  12.0 %    18.0 %       2  50.0 %",
        "3 runs by max_dd_duration · the same in all: strategy=dual_sma, fees=0.001, universe=S&P 500, tags=daily · "
        "everything:",
        ".to_frame()",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_a_narrow_terminal_loses_columns_and_names_them(width):
    runs = make_runs(strategy_name="a strategy with a name that is rather long")
    text = Overview(runs, "sharpe_ratio", {}).as_text(width)
    assert all(width_of(line) <= width for line in text.splitlines())
    flat = " ".join(text.split())
    for name in ("win_rate", "saved (UTC)", "fast_window"):
        assert name.split("_")[0].split(" ")[0] in flat  # as a column, or as one that is not shown
    assert "00000002" in text and "0.70" in text and ("not shown: " in flat) is (width < 100)


def test_a_long_list_shows_its_beginning_and_counts_the_rest():
    runs = make_runs(50)
    for shown in (repr(runs), runs._repr_html_()):
        assert "20 of 50 runs" in shown and "00000013" in shown and "00000014" not in shown
        assert ".to_frame()" in shown and len(shown) < 30_000
    with pd.option_context("display.max_rows", 5):
        assert "5 of 50 runs" in repr(runs)


def test_parameters_beyond_eight_are_named():
    runs = RunList(make_record(i, parameters={f"p{k}": i % (k + 2) for k in range(12)}) for i in range(15))
    html = runs._repr_html_()
    assert "not shown: p3, p2, p1, p0" in html and html.index(">p11<") < html.index(">p4<")


def test_an_empty_list_says_what_to_do():
    registry = RunRegistry(MemoryStore())
    for shown in (repr(registry), repr(registry.list_runs()), registry.list_runs()._repr_html_()):
        assert "registry.save_run(portfolio" in shown
    assert "registry.save_run(portfolio" in registry._repr_html_()
    registry.store.save_run(make_record())
    assert repr(registry.list_runs(strategy_name="x")) == "No runs: none of the 1 in the registry meets the conditions."
    assert repr(RunList()) == "No runs."


def test_a_registry_says_what_it_holds():
    registry = RunRegistry(MemoryStore())
    for i in range(5):
        registry.store.save_run(make_record(i, strategy_name=f"s{max(i - 1, 0)}"))
    assert repr(registry).endswith("5 runs of s0, s3, s2 and 1 more strategies, last saved 2024-01-01 04:00 UTC)")
    assert "10 runs" not in registry._repr_html_() and "<table" in registry._repr_html_()


def test_a_record_says_where_it_comes_from():
    record = make_record(
        data=dict(
            symbols=["SPX"], start=pd.Timestamp("2020-01-01"), end=pd.Timestamp("2020-02-29"), bars=60, columns=20
        ),
        environment=dict(git=dict(commit="0123456789abcdef", dirty=True), vectorbt="1.2.0", pandas="3.1.1"),
    )
    text = re.sub("<[^>]*>", "", record._repr_html_())
    for shown in (
        "SPX · 2020-01-01 to 2020-02-29 · 60 bars, no frequency",
        "git 0123456789, changed since · vectorbt 1.2.0 · pandas 3.1.1",
        "2024-01-01 00:00 UTC",
        record.run_id,
        "total_return 10.0 %",
        "mean of 20 columns",
    ):
        assert shown in text, text


EVIL = "<script>alert(1)</script>\x1b[2J\u202e"


def test_nothing_is_shown_raw():
    fields = dict(strategy_name=EVIL, tags=[EVIL], notes=EVIL, stats={EVIL: EVIL}, data=dict(symbols=[EVIL], bars=1))
    runs = [make_record(i, parameters={EVIL: f"{i}{EVIL}", "same": EVIL}, **fields) for i in range(2)]
    for shown in (RunList(runs, ranked_by=EVIL), RunList(runs[:1]), *runs):
        assert repr(shown).replace("\n", "").isprintable()
        assert "<script" not in shown._repr_html_() and shown._repr_html_().isprintable()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("total_return", 161.123, "161 %"),
        ("total_return", 1234.5, "1,234 %"),
        ("max_drawdown", 9.8765, "9.9 %"),
        ("win_rate", 0.5, "0.50 %"),
        ("total_return", float("inf"), "∞"),
        ("total_return", float("nan"), "–"),
        ("sharpe_ratio", 0.5321, "0.53"),
        ("sharpe_ratio", -12.345, "-12.3"),
        ("sharpe_ratio", float("-inf"), "-∞"),
        ("sharpe_ratio", 0.0512, "0.051"),
        ("sharpe_ratio", 3e-7, "3.0e-07"),
        ("total_trades", 4950, "4,950"),
        ("total_trades", 12.5, "12.5"),
        ("max_dd_duration", pd.Timedelta(days=1710, hours=3), "1,710 d"),
        ("max_dd_duration", pd.Timedelta(days=12.5), "12.5 d"),
        ("max_dd_duration", pd.Timedelta(hours=3), "3 h"),
        ("max_dd_duration", pd.NaT, "–"),
        ("max_dd_duration", 22.0, "22.0"),
        ("end", pd.Timestamp("2024-01-01"), "2024-01-01"),
        ("custom", None, "–"),
        ("custom", True, "True"),
    ],
)
def test_a_metric_as_people_read_it(name, value, text):
    assert metric_text(name, value) == text


def test_a_number_that_is_too_long_to_write():
    assert metric_text("custom", 10**5000) == metric_text("total_return", 10**5000) == "1.000e+5000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10, "10"),
        (1_000_000, "1000000"),
        (0.1 + 0.2, "0.3"),
        (float("inf"), "∞"),
        (None, "–"),
        (pd.Timedelta(days=1), "1 days"),
        (pd.Timestamp("2024-01-01"), "2024-01-01"),
        ("a\nb", "a\\nb"),
    ],
)
def test_a_parameter_as_people_read_it(value, text):
    assert parameter_text(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_metric_has_two_or_three_digits_and_is_right(value):
    text = metric_text("sharpe_ratio", value)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.05)
    assert len(text) <= 11


DAYS = {"d": 1, "h": 1 / 24, "min": 1 / 1440, "s": 1 / 86_400}


@given(st.timedeltas(datetime.timedelta(-90_000), datetime.timedelta(90_000)))
def test_a_duration_is_right(value):
    number, unit = duration_text(pd.Timedelta(value)).split(" ")
    days = value / datetime.timedelta(days=1)
    assert float(number.replace(",", "")) * DAYS[unit] == pytest.approx(days, rel=0.006, abs=1e-12)


@given(st.text(), st.integers(2, 30))
def test_a_text_is_cut_to_a_width(text, width):
    assert width_of(cut(text, width)) <= width and (cut(text, width) == text) is (width_of(text) <= width)
