"""The verdict on the best run: which numbers, from which trials, and with which warnings."""

import html
import json
import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.selection_bias.test_trials import HOURLY, make_trial
from tests.support.factories import make_portfolio, make_price, make_record, make_sweep
from vectorbt.portfolio.registry import FileStore, MemoryStore, RunNotFoundError, RunRegistry, SelectionBias
from vectorbt.portfolio.registry.selection_bias import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    min_backtest_length,
    min_track_record_length,
    probabilistic_sharpe_ratio,
)
from vectorbt.portfolio.registry.selection_bias.pool import pool_of
from vectorbt.portfolio.registry.selection_bias.returns import returns_of_trials
from vectorbt.portfolio.registry.selection_bias.trials import Trial

WINDOWS = tuple(combinations((2, 3, 5, 8, 13), 2))
"""Ten strategies."""


@pytest.fixture(scope="module")
def price():
    steps = np.random.default_rng(5).normal(0.001, 0.01, size=300)
    index = pd.date_range("2020-01-01", periods=300, freq="D", name="Date")
    return pd.Series(100 * np.exp(np.cumsum(steps)), index=index, name="SPX")


@pytest.fixture(scope="module")
def sweep(price):
    return make_sweep(price, WINDOWS)


@pytest.fixture
def registry():
    return RunRegistry(MemoryStore())


@pytest.fixture
def swept(registry, sweep):
    registry.save_sweep(sweep, "dual_sma")
    return registry


def registry_of(*records):
    registry = RunRegistry(MemoryStore())
    registry.store.save_runs(records)
    return registry


def untraded(price):
    return vbt.Portfolio.from_signals(price, False, False, freq="1D")


def said(verdict, *words):
    """Return the warnings in which all the words occur."""
    return [warning for warning in verdict.warnings if all(word in warning for word in words)]


# ############# The numbers ############# #


def test_the_best_run_is_judged_with_the_numbers_of_the_published_functions(swept, sweep):
    verdict = swept.selection_bias(n_blocks=6)
    best = swept.get_best_runs(n=1)[0]
    returns = sweep.returns().to_numpy()
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    moments = (sharpes.max(), 300, verdict.skew, verdict.kurtosis)
    variance = np.var(sharpes, ddof=1)
    assert isinstance(verdict, SelectionBias) and verdict.run_id == best.run_id
    assert (verdict.pool, verdict.n_trials, verdict.n_obs, verdict.periods_per_year) == ("tried", 10, 300, 365)
    assert verdict.sharpe_ratio == best.sharpe_ratio
    assert verdict.sharpe_per_period == pytest.approx(sharpes.max())
    assert verdict.sharpe_variance == pytest.approx(variance)
    assert verdict.expected_max_sharpe == pytest.approx(expected_max_sharpe(10, variance) * 365**0.5)
    assert verdict.psr == pytest.approx(probabilistic_sharpe_ratio(*moments))
    assert verdict.dsr == pytest.approx(deflated_sharpe_ratio(*moments, n_trials=10, sharpe_variance=variance))
    assert verdict.min_track_record_length == pytest.approx(min_track_record_length(moments[0], *moments[2:]))
    assert verdict.min_backtest_length_years == pytest.approx(min_backtest_length(10, best.sharpe_ratio))
    np.testing.assert_allclose(verdict.trial_sharpes, np.sort(sharpes))
    assert verdict.dsr < verdict.psr


def test_the_deflated_sharpe_ratio_is_that_of_skfolio(swept, sweep):
    measures = pytest.importorskip(
        "skfolio.measures", reason="skfolio is not installed; it needs plotly 6, vectorbt 0.28.5 an older one"
    )
    returns = sweep.returns().to_numpy()
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    expected = measures.deflated_sharpe_ratio(returns, sharpes)
    assert swept.selection_bias().dsr == pytest.approx(np.max(expected), rel=1e-9)


def test_a_named_run_is_judged_by_a_prefix_of_its_id(swept):
    worst = swept.get_best_runs(ascending=True, n=1)[0]
    verdict = swept.selection_bias(worst.run_id[:13])
    assert verdict.run_id == worst.run_id
    assert said(verdict, "not the best of its pool", "9")


def test_filters_choose_the_run_that_is_the_best(swept):
    verdict = swept.selection_bias(where="params.fast_window == 5")
    assert swept.get_run(verdict.run_id).parameters["fast_window"] == 5
    assert verdict.n_trials == 10


# ############# The promise ############# #


def test_deleting_the_losers_does_not_change_the_verdict(swept):
    before = swept.selection_bias()
    swept.delete_runs([run.run_id for run in swept.list_runs() if run.run_id != before.run_id])
    assert len(swept) == 1
    after = swept.selection_bias()
    assert (before.n_deleted, after.n_deleted) == (0, 9)
    unchanged = (
        "run_id",
        "n_trials",
        "sharpe_variance",
        "expected_max_sharpe",
        "psr",
        "dsr",
        "p_value",
        "psr_robust",
        "dsr_robust",
        "intervals",
        "benchmark",
    )
    assert [getattr(after, name) for name in unchanged] == [getattr(before, name) for name in unchanged]
    # The sweep's portfolio is still there, with the returns of the deleted columns.
    np.testing.assert_array_equal(after.pbo.logits, before.pbo.logits)
    assert not said(after, "survivors")


def test_the_order_of_the_trials_does_not_depend_on_which_are_deleted(swept):
    def matrix(run_id):
        trial = Trial.of(swept.get_run(run_id))
        return returns_of_trials(swept.store, trial, pool_of(swept.store, trial, "strategy")).matrix

    best = swept.get_best_runs(n=1)[0].run_id
    before = matrix(best)
    swept.delete_runs([run.run_id for run in swept.list_runs() if run.run_id != best])
    np.testing.assert_array_equal(matrix(best), before)


def test_where_returns_are_gone_pbo_is_that_of_the_survivors(registry, price):
    for fast, slow in WINDOWS:
        registry.save_run(make_portfolio(price, fast, slow), "dual_sma")
    before = registry.selection_bias()
    registry.delete_runs([run.run_id for run in registry.get_best_runs(ascending=True, n=4)], permanent=True)
    after = registry.selection_bias()
    assert after.dsr == before.dsr and after.n_trials == 10
    assert (before.pbo.n_columns, after.pbo.n_columns) == (10, 6)
    assert said(after, "survivors only", ": 4") and not said(before, "survivors only")


def test_growth_without_risk_is_no_trial(registry, price):
    registry.save_run(vbt.Portfolio.from_holding(price, freq="1D"), "x")
    growth = pd.Series(100 * 1.01 ** np.arange(250), pd.date_range("2020", periods=250, freq="D"))
    first = np.where(np.arange(250) == 0, np.inf, np.nan)
    registry.save_run(vbt.Portfolio.from_orders(growth, first, price=growth / 1.01, freq="1D"), "x")
    verdict = registry.selection_bias(registry.list_runs(sort_by="sharpe_ratio", limit=1)[0].run_id)
    assert verdict.n_trials == 1 and verdict.n_untraded == 1


def test_a_script_run_twice_made_the_same_trials(registry, sweep):
    registry.save_sweep(sweep, "dual_sma")
    once = registry.selection_bias()
    registry.save_sweep(sweep, "dual_sma")
    twice = registry.selection_bias()
    assert (once.n_repeats, twice.n_repeats) == (0, 10)
    assert (twice.dsr, twice.n_trials, twice.pbo.pbo) == (once.dsr, 10, once.pbo.pbo)


def test_repeats_give_their_returns_when_the_first_run_is_gone(registry, price, sweep):
    registry.save_sweep(sweep, "dual_sma")
    registry.save_run(make_portfolio(price, *WINDOWS[0]), "dual_sma", save_portfolio=False)
    assert registry.selection_bias().pbo.n_columns == 10


def test_another_process_sees_the_deleted_trials(tmp_path, sweep):
    registry = RunRegistry(tmp_path)
    registry.save_sweep(sweep, "dual_sma")
    before = registry.selection_bias()
    registry.delete_runs([run.run_id for run in registry.list_runs() if run.run_id != before.run_id])
    after = RunRegistry(FileStore(tmp_path)).selection_bias()
    assert (after.dsr, after.n_deleted) == (before.dsr, 9)


# ############# What is left out ############# #


def test_untraded_runs_and_means_of_columns_are_counted_and_named(swept, sweep, price):
    before = swept.selection_bias()
    idle = swept.save_run(untraded(price), "dual_sma")
    aggregate = swept.save_run(sweep, "dual_sma")
    after = swept.selection_bias()
    assert (after.n_untraded, after.n_averaged) == (1, 10)
    assert after.n_trials == before.n_trials + 10 and after.sharpe_variance == before.sharpe_variance
    assert said(after, "never traded", idle[:8]) and said(after, "the columns that they are the mean of", aggregate[:8])
    assert not said(before, "left out")


def test_a_single_trial_reports_the_psr_and_says_so(registry, price):
    registry.save_run(make_portfolio(price), "dual_sma")
    verdict = registry.selection_bias()
    assert verdict.n_trials == 1 and verdict.dsr == verdict.psr
    assert verdict.expected_max_sharpe == 0 and math.isnan(verdict.sharpe_variance)
    assert said(verdict, "only trial", "DSR is the PSR")
    assert verdict.pbo is None and said(verdict, "no PBO", "at least 2 columns")


def test_trials_on_bars_of_another_length_count_without_a_part_in_the_variance():
    daily, hourly = make_trial(1), make_trial(2, frequency=HOURLY)
    registry = registry_of(daily, hourly)
    for pool in ("tried", "all"):
        verdict = registry.selection_bias(daily.run_id, pool=pool)
        assert (verdict.n_trials, verdict.n_other_bars) == (2, 1)
        assert said(verdict, "bars are of another length", hourly.run_id[:8])
        assert verdict.sharpe_variance > 0  # that of the estimate, for want of a second trial on such bars


# ############# Returns ############# #


def test_runs_saved_without_returns_have_no_pbo_and_say_why(registry, sweep):
    registry.save_sweep(sweep, "dual_sma", save_portfolio=False)
    verdict = registry.selection_bias()
    assert (verdict.pbo, verdict.p_value, verdict.benchmark, verdict.n_compared) == (None, None, None, 0)
    assert verdict.n_trials == 10 and 0 < verdict.dsr < 1
    assert said(verdict, "no PBO", "save_portfolio='returns'")


def test_returns_alone_are_as_good_as_portfolios(swept, sweep):
    registry = RunRegistry(MemoryStore())
    registry.save_sweep(sweep, "dual_sma", save_portfolio="returns")
    alone, whole = registry.selection_bias(), swept.selection_bias()
    assert (alone.dsr, alone.p_value) == (whole.dsr, whole.p_value)
    np.testing.assert_array_equal(alone.pbo.logits, whole.pbo.logits)


def test_trials_in_other_periods_are_no_part_of_pbo(swept, price):
    swept.save_sweep(make_sweep(price.iloc[:200], WINDOWS[:3]), "dual_sma")
    best = swept.get_best_runs(n=1, data=price)[0]
    verdict = swept.selection_bias(best.run_id)
    assert (verdict.n_trials, verdict.pbo.n_columns) == (13, 10)
    assert said(verdict, "no returns in some of the periods", ": 3")


def test_trials_on_other_prices_in_the_same_periods_are_part_of_pbo(swept, price):
    swept.save_sweep(make_sweep(price[::-1].set_axis(price.index), WINDOWS[:3]), "dual_sma")
    assert swept.selection_bias().pbo.n_columns == 13


def test_a_damaged_portfolio_does_not_take_the_verdict_with_it(tmp_path, price):
    registry = RunRegistry(tmp_path)
    for fast, slow in WINDOWS[:4]:
        registry.save_run(make_portfolio(price, fast, slow), "dual_sma")
    best, second = registry.get_best_runs(n=2)
    (registry.store.portfolios_dir / f"{second.run_id}.pkl").write_bytes(b"damaged")
    verdict = registry.selection_bias()
    assert verdict.pbo.n_columns == 3 and said(verdict, "cannot be read: 1", second.run_id)
    (registry.store.portfolios_dir / f"{best.run_id}.pkl").unlink()
    verdict = registry.selection_bias()
    assert verdict.pbo is None and said(verdict, "no PBO", "is missing")


def test_a_sample_shorter_than_the_blocks_has_no_pbo_and_says_why(registry, price):
    registry.save_sweep(make_sweep(price.iloc[:40], WINDOWS[:3]), "dual_sma")
    verdict = registry.selection_bias(n_blocks=64)
    assert verdict.pbo is None and verdict.p_value is not None and said(verdict, "no PBO", "40 rows")


def test_more_returns_than_fit_into_memory_are_not_read(swept, monkeypatch):
    before = swept.selection_bias()
    monkeypatch.setattr("vectorbt.portfolio.registry.selection_bias.returns._MAX_CELLS", 2999)
    after = swept.selection_bias()
    assert after.pbo is None and said(after, "10 trials of 300 returns", "2,999")
    # The others count as independent.
    assert (after.n_compared, after.dsr) == (1, before.dsr) and after.p_value > before.p_value


# ############# Warnings ############# #


def test_few_trials_are_a_rough_estimate():
    assert said(registry_of(*(make_trial(i) for i in range(1, 10))).selection_bias(), "only 9 trials")
    assert not said(registry_of(*(make_trial(i) for i in range(1, 11))).selection_bias(), "only")


def test_a_short_sample_is_called_so():
    verdict = registry_of(*(make_trial(i) for i in range(1, 5))).selection_bias()
    assert said(verdict, "short sample", "500 returns") and said(verdict, "short sample", "2.0 years")
    long = registry_of(*(make_trial(i, moments={"n_obs": 50_000}) for i in range(1, 7))).selection_bias()
    assert not said(long, "short sample")


def test_a_position_held_in_few_periods_is_called_so():
    rare = registry_of(make_trial(1, moments={"bars_in_market": 49})).selection_bias()
    assert said(rare, "only 49 of 500 periods")
    assert not said(registry_of(make_trial(1, moments={"bars_in_market": 50})).selection_bias(), "periods")


def test_a_losing_run_is_called_so():
    assert said(registry_of(make_trial(1, moments={"sharpe": -0.01})).selection_bias(), "not above zero")


def test_serial_correlation_makes_the_robust_error_larger_and_nothing_better(registry):
    shocks = np.random.default_rng(1).normal(0.001, 0.01, size=501)
    verdicts = {}
    for name, returns in dict(smooth=shocks[1:] + 0.8 * shocks[:-1], rough=shocks[1:]).items():
        price = pd.Series(100 * np.cumprod(1 + returns), pd.date_range("2020", periods=500, freq="D"))
        registry.save_run(vbt.Portfolio.from_holding(price, freq="1D"), name)
        verdicts[name] = registry.selection_bias(strategy_name=name)
    assert verdicts["smooth"].psr_robust < verdicts["smooth"].psr - 0.005
    assert verdicts["rough"].psr_robust == pytest.approx(verdicts["rough"].psr, abs=0.03)


def test_a_pool_that_rode_the_market_is_called_so(registry, price):
    rising = price * np.exp(0.003 * np.arange(len(price)))
    registry.save_sweep(make_sweep(rising, WINDOWS), "dual_sma")
    assert said(registry.selection_bias(), "ridden the same market")
    scattered = [make_trial(i, moments={"sharpe": 0.01 * (i - 10)}) for i in range(1, 20)]
    assert not said(registry_of(*scattered).selection_bias(), "ridden")


# ############# The benchmark ############# #


def test_the_run_is_compared_with_holding_its_prices(swept, sweep, price):
    verdict = swept.selection_bias()
    x, y = price.pct_change().fillna(0).to_numpy(), sweep.returns().to_numpy()
    rest = y - x[:, None] * (np.cov(y.T, x)[-1, :-1] / x.var(ddof=1))
    sharpes = rest.mean(axis=0) / rest.std(axis=0, ddof=1)
    best = int(np.argmax(y.mean(axis=0) / y.std(axis=0)))
    found = verdict.benchmark
    assert found.name == "holding"
    assert found.sharpe_ratio == verdict.holding_sharpe_ratio == pytest.approx(x.mean() / x.std(ddof=1) * 365**0.5)
    assert found.residual_sharpe_ratio == pytest.approx(sharpes[best] * 365**0.5)
    scores = (rest[:, best] - rest[:, best].mean()) / rest[:, best].std()
    moments = (sharpes[best], 300, (scores**3).mean(), (scores**4).mean())
    assert found.psr == pytest.approx(probabilistic_sharpe_ratio(*moments))
    assert found.dsr == pytest.approx(
        deflated_sharpe_ratio(*moments, n_trials=10, sharpe_variance=np.var(sharpes, ddof=1))
    )
    assert found.p_value == swept.survivors(benchmark="hold").to_frame().loc[verdict.run_id, "p_value"]


def test_the_benchmark_may_be_a_run_a_series_or_nothing(swept, sweep, price):
    holding = price.pct_change().fillna(0)
    as_series = swept.selection_bias(benchmark=holding).benchmark
    as_default = swept.selection_bias().benchmark
    assert as_series.name == "the series"
    assert as_series.p_value == as_default.p_value and as_series.beta == pytest.approx(as_default.beta)
    assert swept.selection_bias(benchmark=None).benchmark is None
    run_id = swept.save_run(vbt.Portfolio.from_holding(price, freq="1D"), "holding")
    as_run = swept.selection_bias(strategy_name="dual_sma", benchmark=run_id[:13]).benchmark
    assert as_run.name == f"run {run_id[:8]}" and as_run.beta == pytest.approx(as_default.beta, rel=0.05)


def test_a_benchmark_that_does_not_cover_the_run_is_refused(swept, price):
    with pytest.raises(ValueError, match=r"no return in 100 of the 300 periods.*2020-01-01"):
        swept.selection_bias(benchmark=price.pct_change().iloc[100:])
    with pytest.raises(TypeError, match="benchmark must be"):
        swept.selection_bias(benchmark=1.0)
    with pytest.raises(RunNotFoundError):
        swept.selection_bias(benchmark="00000000-0000-4000-8000-00000000ffff")


def test_holding_is_no_better_than_holding(registry, price):
    registry.save_run(vbt.Portfolio.from_holding(price, freq="1D", size=1, init_cash=price.iloc[0]), "holding")
    found = registry.selection_bias().benchmark
    assert (found.p_value, found.residual_sharpe_ratio) == (1.0, 0.0) and found.beta == pytest.approx(1)


def test_prices_that_were_not_saved_cannot_be_held_and_the_verdict_says_so(registry, sweep):
    registry.save_sweep(sweep, "dual_sma", save_portfolio="returns")
    verdict = registry.selection_bias()
    assert verdict.benchmark is None and said(verdict, "no comparison with holding")
    assert not said(registry.selection_bias(benchmark=None), "no comparison")


def test_each_trial_is_compared_with_its_own_prices(registry, price):
    other = price[::-1].set_axis(price.index)
    for name, prices in {"a": price, "b": other}.items():
        held = make_portfolio(prices, 3, 9)
        registry.save_run(held, name)
    pooled = registry.survivors("all", benchmark="hold").to_frame()["sharpe_ratio"]
    alone = [registry.selection_bias(run_id).benchmark.residual_sharpe_ratio for run_id in pooled.index]
    np.testing.assert_allclose(pooled, alone)


# ############# Without returns ############# #


def test_a_quick_verdict_reads_no_returns(swept, monkeypatch):
    whole = swept.selection_bias()
    monkeypatch.setattr(swept.store, "stored", None)
    quick = swept.selection_bias(dependence=False)
    assert (quick.dsr, quick.psr, quick.n_trials) == (whole.dsr, whole.psr, whole.n_trials)
    assert (quick.p_value, quick.pbo, quick.benchmark, quick.n_compared) == (None, None, None, 0)
    assert "rests on the DSR alone" in quick.summary()


def test_losers_whose_returns_are_gone_weigh_on_the_p_value(registry, price):
    for fast, slow in WINDOWS:
        registry.save_run(make_portfolio(price, fast, slow), "dual_sma")
    before = registry.selection_bias()
    registry.delete_runs([run.run_id for run in registry.list_runs() if run.run_id != before.run_id], permanent=True)
    after = registry.selection_bias()
    assert (after.n_compared, after.n_trials, after.dsr) == (1, 10, before.dsr)
    assert after.p_value >= before.p_value and after.benchmark.p_value >= before.benchmark.p_value
    assert not after.has_evidence


def test_copies_of_the_winner_do_not_move_the_p_value(registry, sweep, price):
    registry.save_sweep(sweep, "dual_sma")
    before = registry.selection_bias()
    fast, slow = registry.get_run(before.run_id).parameters.values()
    for i in range(5):
        registry.save_run(make_portfolio(price, fast, slow, init_cash=100 + i, fees=0.001 + 1e-9 * i), "dual_sma")
    after = registry.selection_bias()
    assert after.n_trials > before.n_trials
    assert after.p_value == pytest.approx(before.p_value, abs=0.002)


# ############# The audit ############# #


def test_the_audit_counts_what_was_deleted_and_what_was_saved_twice(registry):
    """Values that were computed apart from this code: 91 trials, DSR 0.288."""
    before = vbt.settings.returns["year_freq"]
    vbt.settings.returns["year_freq"] = "252 days"
    try:
        steps = np.random.default_rng(11).normal(0, 0.01, 1500)
        price = pd.Series(100 * np.exp(np.cumsum(steps)), index=pd.bdate_range("2015-01-01", periods=1500), name="P")
        fast, slow = vbt.MA.run_combs(price, np.arange(2, 42, 3), r=2, short_names=["fast", "slow"])
        pf = vbt.Portfolio.from_signals(price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D")
        for _ in range(2):
            registry.save_sweep(pf, "dual_sma", save_portfolio=False)
        twice = registry.selection_bias()
        best = registry.get_best_runs(n=1)[0].run_id
        registry.delete_runs([run.run_id for run in registry.list_runs() if run.run_id != best])
        deleted = registry.selection_bias()
    finally:
        vbt.settings.returns["year_freq"] = before
    for verdict in (twice, deleted):
        assert verdict.n_trials == 91 and verdict.dsr == pytest.approx(0.288, abs=0.0005)
    assert twice.n_repeats == deleted.n_repeats == 91


# ############# Without a frequency ############# #


def test_a_run_without_a_frequency_is_judged_per_period(registry, price):
    price = price.reset_index(drop=True)
    runs = [registry.save_run(make_portfolio(price, *windows, freq=None), "x") for windows in WINDOWS[:3]]
    verdict = registry.selection_bias(runs[0])
    assert 0 < verdict.dsr < 1 and verdict.n_trials == 3
    assert math.isnan(verdict.sharpe_ratio) and math.isnan(verdict.expected_max_sharpe)
    assert "per period" in verdict.summary() and "a year" not in verdict.summary()
    with pytest.raises(ValueError, match="name a run_id"):
        registry.selection_bias()


# ############# The best runs with their honest number ############# #


def test_the_best_runs_have_their_deflated_sharpe_ratio_beside_them(swept, sweep, price):
    swept.save_run(make_portfolio(price, 4, 20), "single")
    swept.save_run(sweep, "dual_sma", tags="aggregate")
    runs = swept.get_best_runs(n=20, deflate=True)
    frame = runs.to_frame()
    assert list(frame)[list(frame).index("sharpe_ratio") + 1] == "dsr"
    for run in runs:
        expected = float("nan") if "aggregate" in run.tags else swept.selection_bias(run.run_id).dsr
        assert frame.loc[run.run_id, "dsr"] == pytest.approx(expected, nan_ok=True)
    assert frame["dsr"].isna().sum() == 1
    assert runs[:2].to_frame()["dsr"].equals(frame["dsr"][:2]) and "dsr" in runs._repr_html_()


def test_the_best_runs_are_not_deflated_unless_asked(swept):
    assert "dsr" not in swept.get_best_runs().to_frame()
    assert swept.get_best_runs(deflate=True, where="sharpe_ratio > 1e9").to_frame()["dsr"].empty


def test_the_deflated_sharpe_ratios_go_through_all_trials_once(swept, price, monkeypatch):
    swept.save_run(make_portfolio(price, 4, 20), "single")
    asked = []
    select = swept.store.select
    monkeypatch.setattr(swept.store, "select", lambda query: asked.append(query.strategy_name) or select(query))
    swept.get_best_runs(n=20, deflate=True)
    assert sorted(map(str, asked)) == ["None", "None", "None"]  # the best ones, and all that is there or deleted


# ############# The result ############# #


def test_the_result_is_told_in_words(swept):
    verdict = swept.selection_bias()
    summary = verdict.summary()
    sentence, basis = summary.splitlines()[:2]
    assert sentence == verdict.sentence and sentence.startswith("The best of 10 tries. Luck alone would show ")
    assert sentence.endswith(": no evidence of skill.") and not verdict.has_evidence
    assert basis.startswith("It rests on the returns of 10 of 10 trials: 1,000 bootstraps")
    assert str(verdict) == summary and sentence in repr(verdict)
    assert verdict.run_id in summary and "10 in the pool 'tried'" in summary
    assert f"DSR, after 10 trials: {verdict.dsr:.1%} (about 50% is what the best of noise shows" in summary
    assert f"P-value, after all trials: {verdict.p_value:.1%}" in summary
    assert f"Probability of backtest overfitting: {verdict.pbo.pbo:.1%} (50% is what noise shows" in summary
    assert all(f"Warning: {warning}" in summary for warning in verdict.warnings)


def test_the_result_is_shown_in_a_notebook_with_everything_escaped(registry, price):
    evil = "<script>alert(1)</script>"
    registry.save_run(make_portfolio(price), evil)
    verdict = registry.selection_bias()
    shown = verdict._repr_html_()
    assert html.escape("pool 'tried'") in shown and f"{verdict.dsr:.1%}" in shown and evil not in shown
    assert html.escape(verdict.sentence) in shown
    assert all(html.escape(warning) in shown for warning in verdict.warnings)


def test_the_result_is_a_dict_of_plain_values(swept):
    verdict = swept.selection_bias()
    values = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert values["dsr"] == verdict.dsr and values["pbo"]["pbo"] == verdict.pbo.pbo
    assert values["sentence"] == verdict.sentence and values["p_value"] == verdict.p_value
    assert values["benchmark"]["beta"] == verdict.benchmark.beta and values["draws"]["n_bootstraps"] == 1000
    assert values["warnings"] == list(verdict.warnings) and values["trial_sharpes"] == verdict.trial_sharpes.tolist()


def test_the_result_cannot_be_changed(swept):
    verdict = swept.selection_bias()
    with pytest.raises(AttributeError):
        verdict.dsr = 1.0
    assert "ddof 1" in verdict.convention and "raw kurtosis" in verdict.convention


# ############# Bad input ############# #


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(pool="everything"), ValueError, "'strategy', 'data', 'all', 'filters'"),
        (dict(n_blocks=7), ValueError, "even number"),
        (dict(n_blocks=8.0), TypeError, "float"),
        (dict(seed=-1), ValueError, "seed must not be negative"),
        (dict(limit=5), TypeError, "limit"),
        (dict(sort_by="timestamp"), TypeError, "sort_by"),
        (dict(where="sharp_ratio > 1"), ValueError, "sharpe_ratio"),
        (dict(strategy="x"), TypeError, "strategy"),
        (dict(strategy_name="unknown"), ValueError, "no run that the filters leave"),
        (dict(run_id="00000000-0000-4000-8000-00000000ffff"), RunNotFoundError, "no run"),
        (dict(run_id=5), TypeError, "run_id must be a string"),
    ],
)
def test_a_question_that_means_nothing_is_an_error(arguments, error, message):
    with pytest.raises(error, match=message):
        registry_of(make_trial(1), make_trial(2)).selection_bias(**arguments)


def test_filters_beside_a_run_are_for_the_pool():
    records = [make_trial(i) for i in range(1, 6)]
    registry = registry_of(*records)
    with pytest.raises(TypeError, match=r"where.*pool='filters'"):
        registry.selection_bias(records[4].run_id, where="params.fast > 2")
    verdict = registry.selection_bias(records[4].run_id, pool="filters", where="params.fast > 2")
    assert (verdict.n_trials, verdict.pool) == (3, "filters")


def test_what_has_no_sharpe_ratio_cannot_be_judged():
    aggregate, idle = make_record(1), make_trial(2, moments={"sharpe": math.inf})
    registry = registry_of(aggregate, idle)
    with pytest.raises(ValueError, match=f"{aggregate.run_id} has no return series of its own"):
        registry.selection_bias(aggregate.run_id)
    with pytest.raises(ValueError, match=f"{idle.run_id} never traded"):
        registry.selection_bias(idle.run_id)


def test_an_index_without_dates_is_judged_as_well(registry):
    price = make_price(200).reset_index(drop=True)
    registry.save_sweep(make_sweep(price, WINDOWS[:4]), "dual_sma")
    assert registry.selection_bias().pbo.n_columns == 4
