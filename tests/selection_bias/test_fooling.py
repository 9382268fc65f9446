"""Ways to make a winner look better than it is: none of them lowers N or raises a verdict.

The figures are those of an independent implementation, for the same inputs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.selection_bias.trials import Trial

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

N_TRIALS, DSR = 91, 0.288


@pytest.fixture(scope="module", autouse=True)
def year_of_252_days():
    before = vbt.settings.returns["year_freq"]
    vbt.settings.returns["year_freq"] = "252 days"
    yield
    vbt.settings.returns["year_freq"] = before


def make_price(seed=11, n=1500):
    returns = np.random.default_rng(seed).normal(0.0, 0.01, n)
    return pd.Series(100 * np.exp(np.cumsum(returns)), index=pd.bdate_range("2015-01-01", periods=n), name="P")


def cross(price, windows=range(2, 42, 3), fees=0.0, freq="1D"):
    fast, slow = vbt.MA.run_combs(price, np.array(list(windows)), r=2, short_names=["fast", "slow"])
    entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
    return vbt.Portfolio.from_signals(price, entries, exits, freq=freq, fees=fees)


@pytest.fixture(scope="module")
def price():
    return make_price()


@pytest.fixture(scope="module")
def swept(price):
    return cross(price)


@pytest.fixture(scope="module")
def winner(swept):
    """The best column, as a portfolio of its own."""
    return swept.iloc[int(np.nanargmax(swept.sharpe_ratio().replace(np.inf, np.nan).to_numpy()))]


@pytest.fixture
def registry():
    return RunRegistry(MemoryStore())


def verdict_of(registry, run_id=None, **kwargs):
    return registry.selection_bias(run_id, dependence=False, **kwargs)


def test_the_honest_way(registry, swept):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    verdict = verdict_of(registry)
    assert (verdict.n_trials, round(verdict.dsr, 3)) == (N_TRIALS, DSR)


def test_losers_deleted(registry, swept):
    ids = registry.save_sweep(swept, "sma", save_portfolio=False)
    best = verdict_of(registry).run_id
    registry.delete_runs([run_id for run_id in ids if run_id != best])
    verdict = verdict_of(registry)
    assert (verdict.n_trials, round(verdict.dsr, 3)) == (N_TRIALS, DSR)


def test_sweep_saved_twice(registry, swept):
    for _ in range(2):
        registry.save_sweep(swept, "sma", save_portfolio=False)
    verdict = verdict_of(registry)
    assert (verdict.n_trials, verdict.n_repeats, round(verdict.dsr, 3)) == (N_TRIALS, N_TRIALS, DSR)


def test_a_strategy_name_each(registry, swept):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    named = RunRegistry(MemoryStore())
    for i, run in enumerate(registry.list_runs(sort_by="column", ascending=True)):
        run.strategy_name, run.sweep_id, run.column = f"strategy_{i}", None, None
        named.store.save_run(run)
    for run_id in (None, verdict_of(registry).run_id):
        verdict = verdict_of(named, run_id)
        assert (verdict.n_trials, round(verdict.dsr, 3)) == (N_TRIALS, DSR)


def test_sweep_deleted_and_winner_renamed(registry, swept, winner):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    registry.delete_runs(strategy_name="sma", permanent=True)
    run_id = registry.save_run(winner, "final_strategy", save_portfolio=False)
    for verdict in (verdict_of(registry, run_id), verdict_of(registry, strategy_name="final_strategy")):
        assert (verdict.n_trials, round(verdict.dsr, 3)) == (N_TRIALS, DSR)
    audit = registry.audit_trials(run_id)
    assert set(audit.table["strategy_name"]) == {"sma", "final_strategy"} and audit.table["deleted"].sum() == N_TRIALS
    assert "one of 91 trials under 2 names, 91 of the runs deleted" in audit.sentence


def test_four_sweeps_under_four_names(registry, price):
    for start in range(2, 6):
        registry.save_sweep(cross(price, range(start, start + 40, 3)), f"sma_{start}", save_portfolio=False)
    pairs = {pair for start in range(2, 6) for pair in combinations(range(start, start + 40, 3), 2)}
    best = verdict_of(registry)
    assert best.n_trials == len(pairs) == 286 and best.dsr < DSR
    assert verdict_of(registry, strategy_name="sma_2").n_trials == 286


def test_another_label_of_frequency(registry, price, swept, winner):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    relabelled = winner.replace(wrapper=winner.wrapper.replace(freq="25h"))
    run_id = registry.save_run(relabelled, "sma", save_portfolio=False)
    assert verdict_of(registry, run_id).n_trials == N_TRIALS


@pytest.mark.parametrize("factor", [1.0000001, 100.0])
def test_scaled_prices(registry, price, swept, factor):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    scaled = cross(price * factor, [2, 14])
    run_id = registry.save_run(scaled, "scaled", save_portfolio=False)
    assert verdict_of(registry, run_id).n_trials == N_TRIALS


def test_shifted_window(registry, price, swept):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    run_id = registry.save_run(cross(price.iloc[1:], [2, 14]), "shifted", save_portfolio=False)
    assert verdict_of(registry, run_id).n_trials >= N_TRIALS


def test_winner_exported(registry, swept, tmp_path):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    best = verdict_of(registry)
    registry.export(tmp_path / "elsewhere", [best.run_id])
    elsewhere = RunRegistry(tmp_path / "elsewhere")
    verdict = verdict_of(elsewhere)
    assert (verdict.n_trials, verdict.n_elsewhere) == (N_TRIALS, N_TRIALS - 1)
    assert verdict.dsr == pytest.approx(best.dsr, abs=1e-9)
    assert "another registry" in repr(elsewhere.audit_trials(best.run_id))
    # By whatever ways they come together again, they are the same trials.
    elsewhere.export(tmp_path / "third", [best.run_id])
    third = RunRegistry(tmp_path / "third")
    third.merge(registry)
    assert verdict_of(third).n_trials == N_TRIALS
    registry.merge(elsewhere)
    assert verdict_of(registry).n_trials == N_TRIALS


def test_only_an_aggregate_saved(registry, swept, winner):
    registry.save_run(swept, "sma", save_portfolio=False)
    run_id = registry.save_run(winner, "sma", save_portfolio=False)
    verdict = verdict_of(registry, run_id)
    assert (verdict.n_trials, verdict.n_averaged) == (N_TRIALS + 1, N_TRIALS)
    assert verdict.dsr < verdict.psr


def test_near_copies_of_the_winner(registry, swept, winner):
    """They make the variance across trials small, and must not make a verdict of luck one of skill."""
    registry.save_sweep(swept, "sma", save_portfolio=False)
    honest = verdict_of(registry)
    for i in range(300):
        run = registry.get_run(honest.run_id)
        run.run_id = f"{i:08x}-0000-4000-8000-000000000000"
        run.returns_stats = {**run.returns_stats, "sharpe": run.returns_stats["sharpe"] * (1 - 1e-6 * (i + 1))}
        run.sweep_id = run.column = None
        registry.store.save_run(run)
    verdict = verdict_of(registry)
    assert verdict.n_trials == N_TRIALS + 300
    assert "no evidence of skill" in honest.sentence and "no evidence of skill" in verdict.sentence


def test_a_pool_chosen_by_its_result(registry, swept):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    verdict = verdict_of(registry, pool="filters", where="sharpe_ratio > 0.2")
    left_out = N_TRIALS - len(registry.list_runs(where="sharpe_ratio > 0.2"))
    (warning,) = [text for text in verdict.warnings if "chosen by its results" in text]
    assert f"(sharpe_ratio), which makes any of them look better: {left_out} runs" in warning


def test_lines_cut(registry, swept, tmp_path):
    folder = RunRegistry(tmp_path / "runs")
    for strategy in ("losers", "winners"):
        folder.save_sweep(swept, strategy, save_portfolio=False)
    lines = folder.store.metadata_file.read_bytes().splitlines(keepends=True)
    folder.store.metadata_file.write_bytes(b"".join([lines[0], *lines[2:]]))
    assert [problem.kind for problem in RunRegistry(tmp_path / "runs").check()] == ["broken_chain"]


def test_the_only_trial_on_record_is_the_only_one(registry, winner):
    verdict = verdict_of(registry, registry.save_run(winner, "sma", save_portfolio=False))
    assert verdict.n_trials == 1 and any("the only trial on record" in text for text in verdict.warnings)


def test_bars_of_another_length_count(registry, swept, winner, price):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    best = verdict_of(registry)
    weekly = price.resample("7D").last()
    registry.save_run(cross(weekly, [2, 5], freq="7D"), "weekly", save_portfolio=False)
    verdict = verdict_of(registry, best.run_id, pool="all")
    assert (verdict.n_trials, verdict.n_other_bars) == (N_TRIALS + 1, 1)
    assert verdict.sharpe_variance == pytest.approx(best.sharpe_variance)


def test_unrelated_strategies_on_other_prices_do_not_count(registry, swept):
    registry.save_sweep(swept, "sma", save_portfolio=False)
    best = verdict_of(registry).run_id
    registry.save_sweep(cross(make_price(99), [2, 5, 9]), "other", save_portfolio=False)
    assert verdict_of(registry, best).n_trials == N_TRIALS
    assert verdict_of(registry).n_trials == N_TRIALS + 3  # nobody named one: the best of everything was picked


def test_identities_do_not_depend_on_names(registry, winner):
    first, second = (
        registry.get_run(registry.save_run(winner, name, save_portfolio=False)) for name in ("one", "another")
    )
    assert Trial.of(first).identity == Trial.of(second).identity
    assert len(registry.store.select(Query())) == 2
