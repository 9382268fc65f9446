"""A question that finds nothing says why, in every store, and one that finds something says nothing."""

import warnings
from unittest import mock

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore, QueryError, RunRegistry
from vectorbt.portfolio.registry.query.query import Query

SWEEP = "00000000-0000-4000-8000-000000000001"


def open_memory(path):
    return MemoryStore()


def open_sqlite(path):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    from vectorbt.portfolio.registry import SqliteStore

    return SqliteStore(path / "runs.db")


STORES = [open_memory, FileStore, open_sqlite]


@pytest.fixture(params=STORES, ids=["memory", "folder", "sqlite"])
def registry(request, tmp_path):
    with RunRegistry(request.param(tmp_path / "runs" if request.param is FileStore else tmp_path)) as registry:
        yield registry


def save(registry):
    records = [
        make_record(i, strategy_name=name, parameters={"fast_window": i, "slow_window": None}, tags=["crypto"])
        for i, name in enumerate(("dual_sma", "dual_ema", "breakout"))
    ]
    registry.store.save_runs(records)
    registry.store.save_run(make_record(3, tags=[], parameters={}, sweep_id=SWEEP))
    registry.delete_run(records[2].run_id)


UNKNOWN = [
    (dict(strategy_name="dual_sam"), "no run has the strategy 'dual_sam'; did you mean dual_sma or dual_ema?"),
    (
        dict(where="strategy_name == 'dual_sam'"),
        "no run has the strategy 'dual_sam'; did you mean dual_sma or dual_ema?",
    ),
    (dict(tags="crypt"), "no run has a tag 'crypt'; did you mean crypto?"),
    (dict(parameters={"fast": 1}), "no run has a parameter 'fast'; did you mean fast_window?"),
    (dict(where="params.fast > 1"), "no run has a parameter 'fast'; did you mean fast_window?"),
    (dict(where="params.slow_window > 1"), "no run has a parameter 'slow_window'; did you mean fast_window?"),
    (dict(sweep_id=SWEEP[:-1]), f"no run belongs to a sweep '{SWEEP[:-1]}'; did you mean {SWEEP}?"),
    (dict(data="cd" * 32), "no run was made on these prices"),
    (dict(tags="x", strategy_name="y"), "no run has a tag 'x'; there is crypto"),
    (dict(strategy_name="\x1b[2J"), r"the strategy '\x1b[2J'; there are breakout, dual_ema, dual_sma"),
]


def test_a_name_that_no_run_has_is_warned_of_once(registry):
    save(registry)
    for filters, text in UNKNOWN:
        with pytest.warns(UserWarning) as caught:
            assert registry.list_runs(**filters) == []
        assert [warning.filename for warning in caught] == [__file__]
        assert text in str(caught[0].message)


def test_strict_makes_it_an_error(registry):
    save(registry)
    for ask in (registry.list_runs, registry.to_frame, registry.count, registry.get_best_runs, registry.delete_runs):
        for filters, text in UNKNOWN:
            with pytest.raises(QueryError) as error:
                ask(**filters, strict=True)
            assert text in str(error.value)


def test_strict_is_about_names_in_questions_that_find_something_as_well(registry):
    save(registry)
    filters = dict(where="params.fast > 1 or sharpe_ratio > 0")
    assert registry.count(**filters) == len(registry.list_runs(**filters)) > 0
    with pytest.raises(QueryError, match="did you mean fast_window"):
        registry.list_runs(**filters, strict=True)
    assert len(registry.list_runs("dual_sma", tags="crypto", where="params.fast_window == 0", strict=True)) == 1
    with pytest.raises(TypeError, match="strict must be True or False, not 'yes'"):
        registry.list_runs(strict="yes")


def test_sorting_by_a_parameter_that_no_run_has_is_warned_of(registry):
    save(registry)
    with pytest.warns(UserWarning, match="no run has a parameter 'fast'; did you mean fast_window"):
        assert len(registry.list_runs(sort_by="params.fast")) == 3


def test_an_answer_that_is_empty_by_right_needs_no_words(registry):
    save(registry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert registry.list_runs("dual_sma", parameters={"fast_window": 7}) == []
        assert registry.list_runs("breakout") == registry.list_runs("nobody", limit=0) == []
        assert registry.list_runs(tags=[]) == registry.list_runs(where="sharpe_ratio > 1e9") == []


def test_a_question_that_finds_something_costs_nothing_more(registry):
    save(registry)
    with mock.patch.object(registry.store, "select", wraps=registry.store.select) as asked:
        assert registry.list_runs(
            "dual_sma", tags="crypto", parameters={"fast_window": 0}, sort_by="params.fast_window"
        )
    assert asked.call_count == 1


def test_a_registry_in_which_nothing_was_ever_saved_says_so(registry):
    for ask in (registry.list_runs, registry.to_frame, registry.get_best_runs, registry.count):
        with pytest.warns(UserWarning, match="nothing was ever saved in ") as caught:
            assert len(ask()) == 0 if ask != registry.count else ask() == 0
        assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "no runs yet" in repr(registry) and registry._repr_html_() and len(registry) == 0


def test_an_empty_ranking_says_why(registry):
    nan, with_days, without = float("nan"), {"frequency": "1 days", "bars": 9}, {"frequency": None, "bars": 9}

    def told(*fields, metric="sharpe_ratio", **filters):
        registry.delete_runs(where="run_id != none")
        for own in fields:
            registry.store.save_run(make_record(len(registry.list_runs(deleted=None)), strategy_name="dual_sma", **own))
        with pytest.warns(UserWarning) as caught:
            assert registry.get_best_runs(metric, **filters) == []
        assert [warning.filename for warning in caught] == [__file__]
        return str(caught[0].message)

    registry.store.save_run(make_record(0))
    no_frequency = dict(sharpe_ratio=nan, data=without)
    untraded = dict(sharpe_ratio=float("inf"), total_trades=0, data=with_days)
    remedy = "; build portfolios with freq=, such as freq='1D'"
    assert told(*[no_frequency] * 3) == f"3 runs of dual_sma have no sharpe_ratio: no frequency{remedy}"
    assert told(*[no_frequency] * 2, untraded) == (
        f"3 runs of dual_sma have no sharpe_ratio: no frequency (2), never traded (1){remedy}"
    )
    assert told(untraded) == "1 run of dual_sma has no sharpe_ratio: never traded"
    assert (
        told(no_frequency, untraded, where="total_trades == 0") == "1 run of dual_sma has no sharpe_ratio: never traded"
    )
    assert told(dict(sharpe_ratio=nan, data=with_days)) == "1 run of dual_sma has no sharpe_ratio: NaN"
    assert told(dict(stats={"own": float("inf")}), metric="own") == "1 run of dual_sma has no own: infinite"
    assert told(dict(stats={"own": "high"}), metric="own") == "1 run of dual_sma has no own: not a number"
    assert told(dict(stats={}), metric="own") == "1 run of dual_sma has no own: not recorded"


def test_what_people_type_is_understood(registry):
    data = [{"symbols": ["BTC", "ETH"], "bars": 100, "frequency": "1 days"}, {"symbols": ["SPX"], "frequency": "W-SUN"}]
    commits = ["abcd" * 10, "ef01" * 10]
    for i, (described, commit) in enumerate(zip(data, commits, strict=True)):
        environment = {"git": {"commit": commit}, "vectorbt": "1.2.0"}
        record = make_record(i, data=described, environment=environment, sharpe_ratio=i, max_drawdown=10 - i)
        registry.store.save_run(record)

    def found(**filters):
        return [run.total_trades for run in registry.list_runs(**{"sort_by": "run_id", **filters})]

    assert found(symbols="ETH") == found(symbols=["BTC", "XRP"]) == found(where="'BTC' in symbols") == [0]
    assert found(commit="EF01E") == found(where=f"git_commit == '{commits[1]}'") == [1]
    assert found(where="bars == 100") == found(where="frequency == '24h'") == found(where="frequency < '2 days'") == [0]
    assert found(where="vectorbt == '1.2.0'") == [0, 1] and found(where="frequency == 'W-SUN'") == [1]
    assert found(sort_by="git_commit", ascending=False) == [1, 0] and found(sort_by="bars") == [0, 1]
    for title in ("Sharpe Ratio", "sharpe ratio", "sharpe_ratio"):
        assert (
            [run.total_trades for run in registry.get_best_runs(title)]
            == found(sort_by=title, ascending=False)
            == [1, 0]
        )
    for title in ("Max Drawdown [%]", "Max Drawdown", "max_dd"):
        assert [run.total_trades for run in registry.get_best_runs(title)] == [1, 0]
        assert found(where=f"`{title}` < 9.5") == [1]
    assert registry.delete_runs(symbols="SPX") == 1 and registry.count(commit="abcd", strict=True) == 1


def test_every_store_knows_the_same_names(registry):
    save(registry)
    assert registry.store.names("strategy_name") == {"dual_sma", "dual_ema", "breakout"}
    assert registry.store.names("tags") == {"crypto"}
    assert registry.store.names("sweep_id") == {SWEEP}
    assert registry.store.names("parameters") == {"fast_window"}
    assert registry.store.select(Query(limit=1))
