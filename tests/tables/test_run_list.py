"""The list of runs: what it chooses, hands on and keeps, and what it says when it is asked for what it has not."""

import copy
import gc
import pickle

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, QueryError, RegistryError, RunRegistry
from vectorbt.portfolio.registry.tables.run_list import RunList


@pytest.fixture(scope="module")
def registry():
    registry = RunRegistry(MemoryStore())
    for i in range(6):
        stats = {"sortino_ratio": 6.0 - i}
        registry.store.save_run(make_record(i, parameters={"fast": i}, tags=["odd"] if i % 2 else [], stats=stats))
    return registry


@pytest.fixture
def runs(registry):
    return registry.get_best_runs("total_trades", n=6)


def fast(runs):
    return [run.parameters["fast"] for run in runs]


def test_ids(runs):
    assert runs.run_ids == [run.run_id for run in runs]


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        (lambda runs: runs[1:3], [4, 3]),
        (lambda runs: runs.copy(), [5, 4, 3, 2, 1, 0]),
        (lambda runs: copy.copy(runs), [5, 4, 3, 2, 1, 0]),
        (lambda runs: runs[:1] + runs[4:], [5, 1, 0]),
        (lambda runs: runs[:1] + list(runs[4:]), [5, 1, 0]),
        (lambda runs: list(runs[:1]) + runs[4:], [5, 1, 0]),
        (lambda runs: sum([runs[:1], runs[4:]], RunList()), [5, 1, 0]),
        (lambda runs: runs.filter("params.fast > 3"), [5, 4]),
        (lambda runs: runs.filter(lambda run: run.sortino_ratio > 4), [1, 0]),
        (lambda runs: runs.filter(lambda run: run.total_trades > 1, tags="odd"), [5, 3]),
        (lambda runs: runs.filter(parameters={"fast": [0, 2]}, strategy_name="dual_sma"), [2, 0]),
        (lambda runs: runs.best("sortino_ratio", 2), [0, 1]),
        (lambda runs: runs.best("max_drawdown", 2), [5, 4]),
        (lambda runs: runs.best("max_drawdown", 2, ascending=False), [0, 1]),
    ],
    ids=range(14),
)
def test_what_is_chosen_of_a_list_is_such_a_list(registry, runs, choose, expected):
    chosen = choose(runs)
    assert type(chosen) is RunList and fast(chosen) == expected and chosen.registry is registry


def test_a_list_keeps_its_deflated_sharpe_ratios(runs):
    first, second = RunList(runs[:2], {runs[0].run_id: 0.5}), RunList(runs[2:3], {runs[2].run_id: 0.25})
    assert (first + second).to_frame()["dsr"].tolist()[::2] == [0.5, 0.25]
    assert first.filter("params.fast == 5").dsr == first.dsr


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda runs: runs.filter("sortino > 1"), QueryError, "sortino_ratio"),
        (lambda runs: runs.filter("params.fast >"), QueryError, "where"),
        (lambda runs: runs.filter("params.fast > 1", where="params.fast > 2"), TypeError, "one expression"),
        (lambda runs: runs.filter(5), TypeError, "an expression or a function"),
        (lambda runs: runs.filter(deleted=True), TypeError, "cannot be filtered by deleted"),
        (lambda runs: runs.filter(limit=3), TypeError, "cannot be filtered by limit"),
        (lambda runs: runs.best("sortino"), QueryError, "sortino_ratio"),
        (lambda runs: runs.best(5), TypeError, "metric must be a string"),
        (lambda runs: runs.compare(metrics="sortino"), QueryError, "sortino_ratio"),
        (lambda runs: RunList(list(runs)).load_returns(), RegistryError, "this list came from no registry"),
    ],
    ids=range(10),
)
def test_a_mistake_is_named(runs, ask, error, message):
    with pytest.raises(error, match=message):
        ask(runs)


def test_a_name_that_no_run_of_a_list_has_is_warned_of(runs):
    with pytest.warns(UserWarning, match="did you mean odd"):
        assert runs.filter(tags="oddd") == []
    with pytest.raises(QueryError, match="did you mean odd"):
        runs.filter(tags="oddd", strict=True)


def test_a_pickled_list_has_no_registry(runs):
    for again in (pickle.loads(pickle.dumps(runs)), copy.deepcopy(runs)):
        assert again == runs and again.registry is None and again.ranked_by == "total_trades"


def test_a_list_does_not_keep_its_registry():
    registry = RunRegistry(MemoryStore())
    registry.store.save_run(make_record())
    runs = registry.list_runs()
    del registry
    gc.collect()
    assert runs.registry is None
    with pytest.raises(RegistryError, match="is gone; keep it in a variable"):
        runs.load_returns()


def test_returns_of_a_list(tmp_path, sweep):
    registry = RunRegistry(tmp_path)
    run_ids = registry.save_sweep(sweep, "dual_sma", save_portfolio="returns")
    best = registry.get_best_runs(n=2)
    assert list(best.load_returns()) == best.run_ids and set(best.run_ids) < set(run_ids)


def test_a_list_is_compared_as_its_runs_are(registry, runs):
    compared = runs[:2].compare(metrics=["sortino_ratio"])
    assert compared.equals(registry.compare_runs(runs[:2].run_ids, metrics="sortino_ratio"))
    assert list(compared) == ["run_id", "strategy", "timestamp", "sortino_ratio", "params.fast"]


# ############# What there is ############# #


def test_what_a_registry_holds(registry):
    strategies = registry.strategies()
    assert strategies.index.tolist() == ["dual_sma"] and strategies["runs"].tolist() == [6]
    assert strategies["last"].iloc[0] == registry.list_runs(limit=1)[0].timestamp
    assert strategies["best_sharpe_ratio"].iloc[0] == max(run.sharpe_ratio for run in registry)
    assert registry.tags()["runs"].to_dict() == {"odd": 3}
    assert registry.parameter_names("dual_sma").loc["fast"].tolist() == [6, 1, 6, "0 to 5"]
    metrics = registry.metric_names()
    assert metrics.loc["sortino_ratio"].tolist() == [6, "high"] and metrics.loc["max_drawdown", "best"] == "low"


def test_an_empty_registry_holds_nothing():
    registry = RunRegistry(MemoryStore())
    assert len(registry.strategies()) == len(registry.tags()) == len(registry.parameter_names()) == 0
    assert registry.metric_names()["runs"].tolist() == [0] * 5
