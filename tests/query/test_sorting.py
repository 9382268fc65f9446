"""The order of an answer, and the best of each."""

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore, RunRegistry

INF, NAN = float("inf"), float("nan")
RUNS = [
    ("b", 1.0, "BTC"),
    ("a", 2.0, "ETH"),
    ("a", INF, "BTC"),
    ("b", 3.0, None),
    ("a", 1.0, "BTC"),
    ("b", NAN, "ETH"),
    ("b", 1.0, None),
]


@pytest.fixture(params=[lambda path: MemoryStore(), FileStore], ids=["memory", "folder"])
def registry(request, tmp_path):
    registry = RunRegistry(request.param(tmp_path))
    for i, (strategy, sharpe, symbol) in enumerate(RUNS):
        registry.store.save_run(
            make_record(i, strategy_name=strategy, sharpe_ratio=sharpe, parameters={"symbol": symbol})
        )
    return registry


def numbers(runs):
    return [run.total_trades for run in runs]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (dict(sort_by=["strategy_name", "-sharpe_ratio"]), [1, 4, 2, 3, 0, 6, 5]),
        (dict(sort_by=["strategy_name", "sharpe_ratio"], ascending=[False, True]), [0, 6, 3, 5, 4, 1, 2]),
        (dict(sort_by=("sharpe_ratio", "strategy_name"), ascending=False), [3, 1, 0, 6, 4, 5, 2]),
        (dict(sort_by=["params.symbol", "-Sharpe Ratio"]), [0, 4, 2, 1, 5, 3, 6]),
        (dict(sort_by=["strategy_name", "timestamp"]), [4, 2, 1, 6, 5, 3, 0]),
        (dict(sort_by="-sharpe_ratio"), [3, 1, 0, 4, 6, 2, 5]),
        (dict(sort_by=["sharpe_ratio"]), [0, 4, 6, 1, 3, 2, 5]),
        (dict(sort_by="-timestamp"), [6, 5, 4, 3, 2, 1, 0]),
    ],
)
def test_the_order(registry, order, expected):
    for limit in (None, 3, 0):
        assert numbers(registry.list_runs(**order, limit=limit)) == expected[:limit]


def test_the_best_of_each(registry):
    assert numbers(registry.get_best_runs(n=1, per="params.symbol")) == [3, 1, 0]
    assert numbers(registry.get_best_runs(n=2, per="strategy_name")) == [3, 1, 0, 4]
    assert numbers(registry.get_best_runs(n=1, per="params.symbol", strategy_name="b")) == [3, 0]


def moments(sharpe):
    return dict(sharpe=sharpe, n_obs=60, skew=0.0, kurtosis=3.0, periods_per_year=365.0, bars_in_market=30)


def test_a_trial_that_was_repeated_is_there_once(tmp_path):
    registry = RunRegistry(MemoryStore())
    for i, sharpe in enumerate((0.1, 0.2, 0.1, 0.2, 0.2)):
        fields = dict(sharpe_ratio=10 * sharpe, returns_stats=moments(sharpe), data={"fingerprint": "ab" * 32})
        registry.store.save_run(make_record(i, parameters={"symbol": "BTC" if i else "ETH"}, **fields))
    registry.store.save_run(make_record(5, sharpe_ratio=1.5, returns_stats={}))
    registry.store.save_run(make_record(6, sharpe_ratio=1.5, returns_stats={}))
    best = registry.get_best_runs(distinct=True)
    assert numbers(best) == [1, 5, 6, 0]
    assert best.to_frame()["repeats"].tolist() == [3, 1, 1, 2] and best[:1].to_frame()["repeats"].tolist() == [3]
    assert numbers(registry.get_best_runs(n=2, distinct=True)) == [1, 5]
    assert numbers(registry.get_best_runs(n=1, per="params.symbol", distinct=True)) == [1, 5, 0]
    assert "repeats" not in registry.get_best_runs().to_frame()
