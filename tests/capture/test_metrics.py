"""What `measure` and `measure_columns` say is what vectorbt says, without its warnings."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import vectorbt as vbt
from vectorbt.portfolio.registry.capture import metrics
from vectorbt.portfolio.registry.capture.metrics import _moments, returns_accessor
from vectorbt.portfolio.registry.capture.quiet import quiet
from vectorbt.portfolio.registry.encoding import decode_mapping
from vectorbt.portfolio.registry.metric_names import HEADLINE, lower_is_better, vectorbt_metrics

N_BARS = 60
LABELS = ["a", "b", "c", "never"]
NOT_ANNUALISED = dict.fromkeys(["sharpe_ratio", "calmar_ratio", "omega_ratio", "sortino_ratio"], np.nan)
"""What vectorbt leaves out without a frequency."""
TITLES = {settings["title"]: name for name, settings in vbt.Portfolio.metrics.items()}


def make_portfolio(columns=LABELS, index=None, n_bars=N_BARS, missing=False, **kwargs):
    """Portfolio of random trades; the last column of `LABELS` never trades. A str in `columns` makes a Series."""
    rng = np.random.default_rng(4)
    index = pd.date_range("2020-01-01", periods=N_BARS) if index is None else index
    shape = (N_BARS, len(LABELS))
    close = pd.DataFrame(100 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0)), index=index, columns=LABELS)
    entries, exits = (pd.DataFrame(rng.random(shape) < 0.2, index=index, columns=LABELS) for _ in range(2))
    entries["never"] = False
    if missing:
        close.iloc[10:15] = np.nan
    frames = (frame[columns].iloc[:n_bars] for frame in (close, entries, exits))
    return vbt.Portfolio.from_signals(*frames, fees=0.001, **kwargs)


def integer_index():
    return pd.RangeIndex(N_BARS)


PORTFOLIOS = {
    "series": dict(columns="a", freq="1D"),
    "series with the frequency of its index": dict(columns="a"),
    "series without frequency": dict(columns="a", index=integer_index()),
    "series that never trades": dict(columns="never", freq="1D"),
    "short series": dict(columns="a", direction="shortonly", freq="1D"),
    "single bar": dict(columns="a", n_bars=1, freq="1D"),
    "frame of one column": dict(columns=["a"], freq="1D"),
    "columns": dict(freq="1D"),
    "columns without frequency": dict(index=integer_index()),
    "columns with missing prices": dict(missing=True, freq="1D"),
    "columns with missing prices left alone": dict(missing=True, freq="1D", fillna_close=False),
    "duplicate columns": dict(columns=["a", "a", "b"], freq="1D"),
    "groups": dict(group_by=[0, 0, 1, 1], freq="1D"),
    "groups that share cash": dict(group_by=[0, 0, 1, 1], cash_sharing=True, freq="1D"),
    "one group": dict(group_by=True, cash_sharing=True, freq="1D"),
}


class Run(NamedTuple):
    """What was measured of one run, decoded."""

    stats: dict
    returns_stats: dict


def measure(portfolio):
    (run,) = runs_of(metrics.measure(portfolio), 1)
    return run


def measure_columns(portfolio):
    return runs_of(metrics.measure_columns(portfolio), len(portfolio.wrapper.get_columns()))


def runs_of(measured, n_runs):
    return [
        Run(*(decode_mapping({name: column.at(i) for name, column in columns.items()}) for columns in measured))
        for i in range(n_runs)
    ]


@pytest.fixture(scope="module")
def portfolios():
    """Portfolios by the keys of `PORTFOLIOS`."""
    return {name: make_portfolio(**kwargs) for name, kwargs in PORTFOLIOS.items()}


@pytest.fixture(autouse=True)
def _errors_for_warnings():
    """A warning fails the test, and vectorbt's settings are as they were after it."""
    stats_settings = dict(vbt.settings.portfolio["stats"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    vbt.settings.portfolio["stats"].clear()
    vbt.settings.portfolio["stats"].update(stats_settings)


def vectorbt_stats(portfolio, **kwargs):
    """Rows of `Portfolio.stats` by the names of the registry, as vectorbt has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = portfolio.stats(**kwargs)
    return stats.rename(**{"columns" if stats.ndim == 2 else "index": registry_name})


def registry_name(title):
    return {"max_dd": "max_drawdown"}.get(TITLES[title], TITLES[title])


def assert_same(stats, expected):
    """Equal to the last bit, with NaN for the headline metrics that vectorbt leaves out."""
    assert set(stats) == set(expected) | set(HEADLINE)
    for name, value in stats.items():
        reference = expected.get(name, np.nan)
        assert value == reference or (pd.isna(value) and pd.isna(reference)), name


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_measure_equals_vectorbts_stats(portfolios, name):
    assert_same(measure(portfolios[name]).stats, {**NOT_ANNUALISED, **vectorbt_stats(portfolios[name])})


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_measure_columns_equals_the_rows_of_vectorbts_stats(portfolios, name):
    expected = vectorbt_stats(portfolios[name], agg_func=None)
    measured = measure_columns(portfolios[name])
    rows = [expected.to_dict()] if expected.ndim == 1 else expected.to_dict("records")
    assert len(measured) == len(rows)
    for run, row in zip(measured, rows, strict=True):
        assert_same(run.stats, {**NOT_ANNUALISED, **row})


@pytest.mark.parametrize("name", ["columns", "groups", "groups that share cash"])
def test_a_column_measures_the_same_alone_and_among_others(portfolios, name):
    portfolio = portfolios[name]
    together = measure_columns(portfolio)
    for position, label in enumerate(portfolio.wrapper.get_columns()):
        alone = measure(portfolio[label])
        assert_same(together[position].stats, alone.stats)
        assert together[position].returns_stats == pytest.approx(alone.returns_stats, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_values_are_plain(portfolios, name):
    plain = {int, float, pd.Timestamp, pd.Timedelta, type(pd.NaT)}
    for run in [measure(portfolios[name]), *measure_columns(portfolios[name])]:
        assert {type(value) for value in [*run.stats.values(), *run.returns_stats.values()]} <= plain


def test_total_trades_is_fractional_only_for_an_aggregate(portfolios):
    totals = [run.stats["total_trades"] for run in measure_columns(portfolios["columns"])]
    assert all(type(total) is int for total in totals)
    mean = sum(totals) / len(totals)
    assert not mean.is_integer(), "choose other signals: the aggregate must be fractional"
    assert measure(portfolios["columns"]).stats["total_trades"] == mean
    assert type(measure(portfolios["frame of one column"]).stats["total_trades"]) is int


def test_the_sharpe_ratio_without_a_frequency_is_nan(portfolios):
    run = measure(portfolios["series without frequency"])
    assert np.isnan(run.stats["sharpe_ratio"])
    assert np.isnan(run.returns_stats["periods_per_year"])
    assert np.isfinite(run.returns_stats["sharpe"])


def test_a_period_index_stands_as_text():
    days = pd.period_range("2020-01-01", periods=N_BARS, freq="D")
    portfolio = make_portfolio(["a", "b"], index=days)
    for run in [measure(portfolio), *measure_columns(portfolio)]:
        assert (run.stats["start"], run.stats["end"]) == ("2020-01-01", "2020-02-29")


# ############# Returns ############# #


@pytest.mark.parametrize("name", ["series", "groups", "columns with missing prices left alone"])
def test_moments_equal_scipys(portfolios, name):
    returns = portfolios[name].returns()
    series = [returns] if returns.ndim == 1 else [returns.iloc[:, i] for i in range(returns.shape[1])]
    for values, run in zip(series, measure_columns(portfolios[name]), strict=True):
        observed = values.dropna().to_numpy()
        assert run.returns_stats["n_obs"] == len(observed)
        if np.ptp(observed) > 0:
            assert run.returns_stats["skew"] == pytest.approx(scipy.stats.skew(observed), rel=1e-10)
            kurtosis = scipy.stats.kurtosis(observed, fisher=False)
            assert run.returns_stats["kurtosis"] == pytest.approx(kurtosis, rel=1e-10)


@pytest.mark.parametrize("name", ["series", "columns", "groups that share cash", "columns with missing prices"])
def test_the_sharpe_ratio_per_period_annualises_to_vectorbts(portfolios, name):
    for run in measure_columns(portfolios[name]):
        annual = run.returns_stats["sharpe"] * np.sqrt(run.returns_stats["periods_per_year"])
        assert annual == pytest.approx(run.stats["sharpe_ratio"], rel=1e-12)


@pytest.mark.parametrize("changed", [dict(risk_free=0.001), dict(ddof=0)])
def test_the_sharpe_ratio_per_period_follows_vectorbts_settings(portfolios, changed):
    before = measure(portfolios["series"]).returns_stats["sharpe"]
    vbt.settings.portfolio["stats"]["settings"] = {**vbt.settings.portfolio["stats"]["settings"], **changed}
    run = measure(portfolios["series"])
    assert run.returns_stats["sharpe"] != before
    annual = run.returns_stats["sharpe"] * np.sqrt(run.returns_stats["periods_per_year"])
    assert annual == pytest.approx(run.stats["sharpe_ratio"], rel=1e-12)


def test_the_moments_are_those_of_the_asset_returns_if_vectorbts_sharpe_ratio_is(portfolios):
    assert returns_accessor(portfolios["series"]).obj.equals(portfolios["series"].returns())
    vbt.settings.portfolio["stats"]["settings"] = dict(use_asset_returns=True, incl_open=False)
    assert returns_accessor(portfolios["series"]).obj.equals(portfolios["series"].asset_returns())


@pytest.mark.parametrize("name", ["columns", "groups that share cash", "columns with missing prices"])
def test_the_sharpe_ratio_of_holding_is_that_of_vectorbts_benchmark(portfolios, name):
    portfolio = portfolios[name]
    expected = portfolio.benchmark_returns().vbt.returns(freq=portfolio.wrapper.freq).sharpe_ratio()
    found = [run.returns_stats["benchmark_sharpe"] * np.sqrt(365) for run in measure_columns(portfolio)]
    assert found == pytest.approx(expected.tolist(), rel=1e-12)
    assert len(set(found)) == len(found)


def test_holding_what_never_changes_has_no_sharpe_ratio():
    flat = vbt.Portfolio.from_holding(pd.Series(5.0, index=pd.date_range("2020", periods=N_BARS)))
    assert np.isnan(measure(flat).returns_stats["benchmark_sharpe"])


def test_a_column_that_never_trades_has_no_moments(portfolios):
    run = measure(portfolios["series that never trades"])
    assert run.stats["sharpe_ratio"] == run.returns_stats["sharpe"] == np.inf
    assert np.isnan([run.returns_stats["skew"], run.returns_stats["kurtosis"]]).all()
    assert run.returns_stats["bars_in_market"] == 0
    assert run.stats["total_trades"] == 0


def test_returns_that_are_constant_but_for_rounding_have_no_skewness_or_kurtosis():
    returns = np.full((50, 1), 0.001)
    returns[::7] = np.nextafter(0.001, 1)
    moments = _moments(returns, risk_free=0.0, ddof=1)
    assert np.isnan([moments["skew"], moments["kurtosis"]]).all()


@pytest.mark.parametrize("name", ["series", "short series", "columns", "groups", "one group"])
def test_bars_in_market_are_those_of_the_position_mask(portfolios, name):
    in_market = portfolios[name].position_mask().sum()
    counted = [run.returns_stats["bars_in_market"] for run in measure_columns(portfolios[name])]
    assert counted == np.atleast_1d(in_market).tolist()


@pytest.mark.parametrize("name", ["columns", "groups"])
def test_an_aggregate_has_no_returns_of_its_own(portfolios, name):
    assert measure(portfolios[name]).returns_stats == {}
    assert measure(portfolios["one group"]).returns_stats


def test_moments_do_not_depend_on_how_many_columns_are_computed_together(portfolios, monkeypatch):
    together = measure_columns(portfolios["columns"])
    monkeypatch.setattr("vectorbt.portfolio.registry.capture.metrics._COLUMNS_AT_ONCE", 3)
    assert repr(measure_columns(portfolios["columns"])) == repr(together)


def test_stats_and_moments_share_vectorbts_cache(portfolios):
    portfolio = portfolios["columns"].copy()
    measure_columns(portfolio)
    for method in ("returns", "get_returns_acc", "assets"):
        assert vars(portfolio)[f"__cached_{method}"].cache_info().misses == 1, method


# ############# Custom metrics ############# #

LATE = dict(calc_func=lambda self: 7)
"""A metric that is asked for after all others."""


def custom(portfolio, **metrics):
    portfolio = portfolio.copy()
    portfolio.metrics.update(metrics)
    return portfolio


def test_custom_metrics_are_called_by_their_names(portfolios):
    portfolio = custom(
        portfolios["series"],
        streak=dict(title="Longest Streak", calc_func=lambda trades: trades.winning_streak.max(), resolve_trades=True),
        holding=dict(title="Holding", calc_func=lambda self: np.timedelta64(36, "h")),
        first=dict(title="First", calc_func=lambda self: np.datetime64("2020-01-01")),
        silent=dict(title="Silent", calc_func=lambda self, silence_warnings: silence_warnings),
        mood=dict(title="Mood", calc_func=lambda self: "calm"),
        fine=dict(title="Fine", calc_func=lambda self: np.bool_(True)),
        nested=dict(title=None, calc_func=lambda self: {"low": np.float64(1.5), "high": np.int64(2)}),
    )
    stats = measure(portfolio).stats
    assert stats["holding"] == pd.Timedelta(hours=36)
    assert stats["first"] == pd.Timestamp("2020-01-01")
    assert stats["silent"] is True
    assert stats["mood"] == "calm"
    assert stats["fine"] is True
    assert (stats["nested: low"], stats["nested: high"]) == (1.5, 2)
    assert stats["streak"] == portfolio.stats(metrics="streak").iloc[0]
    assert {type(stats[name]) for name in ("streak", "nested: low", "nested: high")} <= {int, float}


def test_custom_metrics_of_columns_keep_their_types(portfolios):
    portfolio = custom(
        portfolios["columns"],
        mixed=dict(calc_func=lambda self: pd.Series([np.int64(1), "x", None, 2.5], index=LABELS, dtype=object)),
        constant=dict(calc_func=lambda self: "calm"),
        without_aggregate=dict(calc_func=lambda self: self.total_return(), agg_func=None),
    )
    runs = measure_columns(portfolio)
    assert [run.stats["mixed"] for run in runs[:2]] == [1, "x"]
    assert type(runs[0].stats["mixed"]) is int
    assert [run.stats["constant"] for run in runs] == ["calm"] * 4
    assert runs[0].stats["without_aggregate"] == portfolio.total_return().iloc[0]
    del portfolio.metrics["mixed"]
    assert "without_aggregate" not in measure(portfolio).stats


def test_the_metrics_chosen_in_vectorbts_settings_are_the_ones_measured(portfolios):
    year_of_252 = ("sharpe_ratio", {**vbt.Portfolio.metrics["sharpe_ratio"], "year_freq": "252 days"})
    vbt.settings.portfolio["stats"]["metrics"] = ["total_return", "sharpe_ratio", year_of_252, "max_dd"]
    stats = measure(portfolios["series"]).stats
    assert set(stats) == {*HEADLINE, "sharpe_ratio_0", "sharpe_ratio_1"}
    assert stats["sharpe_ratio_0"] == portfolios["series"].sharpe_ratio()
    assert stats["sharpe_ratio_1"] == portfolios["series"].sharpe_ratio(year_freq="252 days")
    assert stats["max_drawdown"] == vectorbt_stats(portfolios["series"])["max_drawdown"]
    assert np.isnan([stats["total_trades"], stats["win_rate"]]).all()


def test_one_metric_by_name_and_no_metric_at_all(portfolios):
    vbt.settings.portfolio["stats"]["metrics"] = "win_rate"
    expected = vectorbt_stats(portfolios["series"])
    assert list(expected.index) == ["win_rate"]
    assert_same(measure(portfolios["series"]).stats, expected.to_dict())
    vbt.settings.portfolio["stats"]["tags"] = "no_such_tag"
    for run in [measure(portfolios["series"]), *measure_columns(portfolios["columns"])]:
        assert set(run.stats) == set(HEADLINE) and np.isnan(list(run.stats.values())).all()
    assert len(measure_columns(portfolios["columns"])) == len(LABELS)


def test_a_metric_that_raises_is_nan_and_all_others_are_measured(portfolios):
    def broken(self):
        raise ZeroDivisionError("mine")

    portfolio = custom(
        portfolios["columns"], broken=dict(calc_func=broken), matrix=dict(calc_func=lambda self: np.ones(3)), late=LATE
    )
    expected = measure_columns(custom(portfolios["columns"], late=LATE))
    for runs, means in ((measure_columns, None), (lambda one: [measure(one)], measure(portfolios["columns"]))):
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            measured = runs(portfolio)
        first, second = sorted(str(warning.message) for warning in shown)
        assert first == "the metric broken is NaN, because it raised ZeroDivisionError: mine"
        assert second.startswith("the metric matrix is NaN, because it raised TypeError: calc_func must return")
        for run, reference in zip(measured, expected if means is None else [means]):
            assert np.isnan([run.stats["broken"], run.stats["matrix"]]).all()
            assert run.stats["late"] == 7
            assert_same({name: run.stats[name] for name in reference.stats}, reference.stats)


def test_the_only_metric_may_raise_but_not_what_is_around_it(portfolios):
    portfolio = custom(portfolios["series"], broken=dict(calc_func=lambda self: 1 / 0))
    vbt.settings.portfolio["stats"]["metrics"] = "broken"
    with pytest.warns(UserWarning, match="broken is NaN, because it raised ZeroDivisionError"):
        assert np.isnan(measure(portfolio).stats["broken"])
    vbt.settings.portfolio["stats"]["metrics"] = [("odd", dict(calc_func=len, check_no_such_filter=True))]
    with pytest.raises(ValueError, match="requires filter 'no_such_filter'"):
        measure(portfolio)


def test_measuring_leaves_other_peoples_warnings_alone(portfolios):
    def talkative(self):
        warnings.warn("mine", stacklevel=1)
        return 1.0

    with pytest.warns(UserWarning, match="mine"):
        measure(custom(portfolios["series"], talkative=dict(calc_func=talkative)))


def warn_like_pandas():
    warnings.warn_explicit("from pandas", FutureWarning, "core.py", 1, module="pandas.core", registry={})


def test_quiet_ends_and_changes_the_filters_once():
    with quiet(), quiet():
        warn_like_pandas()
    filters = list(warnings.filters)
    with pytest.raises(FutureWarning):
        warn_like_pandas()
    with pytest.raises(KeyError), quiet():
        warn_like_pandas()
        raise KeyError
    with pytest.raises(FutureWarning):
        warn_like_pandas()
    assert warnings.filters == filters


def test_quiet_does_not_make_python_repeat_what_it_shows_once():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        for _ in range(3):
            with quiet():
                pass
            warnings.warn("mine", stacklevel=1)
    assert len(shown) == 1


def test_quiet_holds_for_the_calling_thread_only():
    with ThreadPoolExecutor(1) as elsewhere, quiet():
        with pytest.raises(FutureWarning):
            elsewhere.submit(warn_like_pandas).result()
        warn_like_pandas()


def test_quiet_silences_libraries_only():
    with quiet(), pytest.raises(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)


# ############# Names ############# #


def test_ranking_direction():
    low = ["max_drawdown", "max_dd", "max_dd_duration", "total_fees_paid", "avg_losing_trade_duration", "Fee", "x: DD"]
    high = [*{"total_return", "worst_trade", "avg_losing_trade", "coffee", "feedback", "added", "sharpe_ratio"}]
    assert all(map(lower_is_better, low))
    assert not any(map(lower_is_better, high))


def test_vectorbts_metrics_are_known_before_anything_is_measured(portfolios):
    assert set(measure(portfolios["series"]).stats) == set(vectorbt_metrics())
    assert set(HEADLINE) <= set(vectorbt_metrics())
    assert "max_dd" not in vectorbt_metrics()
