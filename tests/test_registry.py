"""What a person calls: saving, asking, comparing, and what bad input gets."""

import json
import math
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.support.factories import make_portfolio, make_price, make_record, make_sweep
from vectorbt.portfolio.registry import FileStore, MemoryStore, QueryError, RunRecord, RunRegistry, SchemaVersionError
from vectorbt.portfolio.registry.capture import runs
from vectorbt.portfolio.registry.stores.journal import frame


@pytest.fixture(scope="module")
def pf():
    return make_portfolio()


@pytest.fixture
def registry(tmp_path):
    return RunRegistry(tmp_path / "runs")


def content_of(folder):
    """Return every file below a folder with its bytes."""
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


# ############# Saving ############# #


def test_the_headline_fields_are_those_of_stats_to_the_last_bit(registry, pf):
    run = registry.get_run(registry.save_run(pf, "dual_sma"))
    stats = pf.stats()
    assert run.total_return == stats["Total Return [%]"]
    assert run.sharpe_ratio == stats["Sharpe Ratio"]
    assert run.max_drawdown == stats["Max Drawdown [%]"]
    assert run.total_trades == stats["Total Trades"] and type(run.total_trades) is int
    assert run.win_rate == stats["Win Rate [%]"]
    assert run.stats["max_dd_duration"] == stats["Max Drawdown Duration"]
    assert len(run.stats) == len(stats) - 5 and "max_dd" not in run.stats


def test_saving_shows_no_warning(registry):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.save_run(make_portfolio(freq=None), "frequency_of_the_index")
        registry.save_sweep(make_sweep(), "sweep")


def test_without_a_frequency_the_sharpe_ratio_is_nan(registry):
    price = make_price().reset_index(drop=True)
    run = registry.get_run(registry.save_run(make_portfolio(price, freq=None), "no_frequency"))
    assert math.isnan(run.sharpe_ratio) and not math.isnan(run.total_return)
    assert registry.get_best_runs() == []


def test_several_columns_saved_as_one_run_are_vectorbts_aggregate(registry):
    sweep = make_sweep()
    with pytest.warns(UserWarning, match="^3 columns are saved as one run, their mean; save_sweep") as shown:
        run = registry.get_run(registry.save_run(sweep, "aggregate"))
    assert (len(shown), shown[0].filename) == (1, __file__)
    assert run.data["columns"] == 3 and repr(run).endswith(", mean of 3 columns)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = sweep.stats()
    assert run.sharpe_ratio == stats["Sharpe Ratio"] and run.total_trades == stats["Total Trades"]
    assert run.returns_stats == {} and run.sweep_id is None


def test_types_of_parameters_survive(registry, pf):
    parameters = {"fast": np.int64(10), "start": pd.Timestamp("2020"), "ratio": np.float32(0.5), "on": np.bool_(True)}
    run = registry.get_run(registry.save_run(pf, "x", parameters=parameters))
    assert run.parameters == {"fast": 10, "start": pd.Timestamp("2020"), "ratio": 0.5, "on": True}
    assert [type(value) for value in run.parameters.values()] == [int, pd.Timestamp, float, bool]


def test_a_record_says_where_it_comes_from(registry, pf):
    run = registry.get_run(registry.save_run(pf, "x"))
    assert run.data["start"] == make_price().index[0] and run.data["bars"] == len(make_price())
    assert run.environment["vectorbt"] == vbt.__version__ and run.environment["pandas"] == pd.__version__
    assert run.artifact["format"] == "pickle"
    assert Path(run.portfolio_path).read_bytes() == pf.dumps()
    assert vbt.Portfolio.load(run.portfolio_path).stats().equals(pf.stats())


def test_a_run_can_be_saved_without_its_portfolio(registry, pf):
    run_id = registry.save_run(pf, "x", save_portfolio=False)
    assert registry.get_run(run_id).portfolio_path is None
    assert registry.load_portfolio(run_id) is None
    assert not registry.store.portfolios_dir.exists()


def test_one_line_on_the_portfolio(tmp_path, monkeypatch, pf):
    monkeypatch.chdir(tmp_path)
    run_id = pf.save_to_registry(strategy_name="my_strategy")
    monkeypatch.setenv("VBT_REGISTRY", str(tmp_path / "named"))
    named_id = pf.save_to_registry("my_strategy", {"fast": 3}, "tag", "note")
    there = RunRegistry(tmp_path / "there")
    there_id = pf.save_to_registry("my_strategy", registry=there)
    sweep_ids = make_sweep().save_to_registry("my_strategy", registry=tmp_path / "there", sweep=True)
    assert [run.run_id for run in RunRegistry("backtest_runs")] == [run_id]
    assert [(run.run_id, run.tags, run.notes) for run in RunRegistry()] == [(named_id, ["tag"], "note")]
    assert {run.run_id for run in there} == {there_id, *sweep_ids}


def test_the_names_are_where_people_look():
    assert vbt.RunRegistry is vbt.portfolio.RunRegistry is RunRegistry
    assert vbt.RunRecord is vbt.portfolio.RunRecord is RunRecord


def test_metrics_that_the_user_added_are_kept(registry, pf):
    custom = pf.replace()
    custom.metrics["exposure"] = dict(title="My Exposure", calc_func=lambda self: float(self.gross_exposure().mean()))
    run = registry.get_run(registry.save_run(custom, "x"))
    assert run.stats["exposure"] == custom.stats()["My Exposure"]
    assert registry.get_best_runs("exposure")[0].run_id == run.run_id


# ############# Bad input ############# #


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(parameters={"ma": {"func": len}}), r"parameters\['ma'\]\['func'\]"),
        (dict(parameters={"frame": pd.DataFrame()}), r"parameters\['frame'\]"),
        (dict(parameters={"text": "\ud800"}), r"parameters\['text'\]"),
        (dict(parameters=[1, 2]), "parameters must be a dict"),
        (dict(parameters={1: 2}), "parameters must have str keys"),
        (dict(tags=[1]), r"tags\[0\] must be a string"),
        (dict(tags=5), "tags must be a string or a list"),
        (dict(notes=5), "notes must be a string"),
        (dict(strategy_name=5), "strategy_name must be a string"),
        (dict(portfolio="pf"), "portfolio must be a vectorbt Portfolio, not builtins.str"),
        (dict(portfolio_format=5), "portfolio_format must be a string"),
    ],
)
@pytest.mark.parametrize("save", ["save_run", "save_sweep"])
def test_a_wrong_type_is_named_and_nothing_is_written(registry, pf, save, arguments, message):
    registry.save_run(pf, "good")
    before = content_of(registry.store.base_dir)
    with pytest.raises(TypeError, match=message):
        getattr(registry, save)(**{"portfolio": pf, "strategy_name": "x", **arguments})
    assert content_of(registry.store.base_dir) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(dict(strategy_name=""), "must not be empty"), (dict(portfolio_format="zip"), "one of 'pickle'")],
)
def test_a_wrong_value_is_named_and_nothing_is_written(registry, pf, arguments, message):
    with pytest.raises(ValueError, match=message):
        registry.save_run(**{"portfolio": pf, "strategy_name": "x", **arguments})
    assert not registry.store.base_dir.exists()


def test_a_newer_version_is_left_alone(registry, pf):
    registry.store.base_dir.mkdir()
    registry.store.metadata_file.write_bytes(
        frame("header", b'{"format":"vectorbt-registry","version":2}') + frame("run", b'{"new":1}')
    )
    before = content_of(registry.store.base_dir)
    for ask in (registry.list_runs, lambda: registry.save_run(pf, "x"), lambda: registry.save_sweep(pf, "x")):
        with pytest.raises(SchemaVersionError, match=r"version 2.*upgrade"):
            ask()
    assert content_of(registry.store.base_dir) == before


def test_a_metric_that_raises_does_not_lose_the_run(registry, pf):
    broken = pf.replace()
    broken.metrics["broken"] = dict(title="Broken", calc_func=lambda self: 1 / 0)
    with pytest.warns(UserWarning, match="the metric broken is NaN, because it raised ZeroDivisionError") as shown:
        run = registry.get_run(registry.save_run(broken, "x"))
    assert (len(shown), shown[0].filename) == (1, __file__)
    assert math.isnan(run.stats["broken"]) and run.sharpe_ratio == pf.sharpe_ratio()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(portfolio_format="returns"), ValueError, "aggregate of several columns"),
        (dict(save_portfolio="returns", portfolio_format="nope"), ValueError, "nope"),
        (dict(portfolio_format=""), ValueError, "format"),
    ],
)
def test_a_format_that_cannot_hold_it_is_refused(registry, arguments, error, message):
    with pytest.raises(error, match=message):
        registry.save_run(make_sweep(), "x", **arguments)
    assert not registry.store.base_dir.exists()


def test_a_switch_that_is_no_switch_is_refused(tmp_path):
    with pytest.raises(TypeError, match="allow_pickle must be True or False, not 'False'"):
        RunRegistry(tmp_path, allow_pickle="False")
    with pytest.raises(ValueError, match="empty string"):
        RunRegistry("")


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        (dict(where=""), ValueError, "empty"),
        (dict(where=5), TypeError, "where"),
        (dict(since="soon"), QueryError, "since must be an ISO 8601"),
        (dict(until=5), TypeError, "until must be a datetime"),
        (dict(limit=-1), ValueError, "must not be negative"),
        (dict(limit=1.5), TypeError, "must be an integer"),
        (dict(deleted="yes"), TypeError, "deleted"),
        (dict(strategy_name=["a"]), TypeError, "strategy_name"),
        (dict(parameters=["fast"]), TypeError, "parameters must be a dict"),
        (dict(data="abc"), ValueError, "fingerprint"),
        (dict(sort_by="sharp_ratio"), ValueError, "sharpe_ratio"),
        (dict(strategy="x"), TypeError, "unknown filter 'strategy'; did you mean strategy_name"),
        (dict(colour="x"), TypeError, "expected strategy_name, tags, parameters, where"),
        (dict(sort_by=None), TypeError, "to sort by, not None"),
        (dict(ascending="desc"), TypeError, "ascending must be True, False or None"),
    ],
)
def test_a_filter_that_means_nothing_is_an_error(registry, filters, error, message):
    for ask in (registry.list_runs, registry.to_frame, registry.get_best_runs, registry.delete_runs):
        if "sort_by" in filters and ask in (registry.get_best_runs, registry.delete_runs):
            continue  # which have no use for an order
        if "limit" in filters and ask == registry.get_best_runs:
            continue
        with pytest.raises(error, match=message):
            ask(**filters)


def test_options_are_for_the_store_that_a_path_makes(tmp_path):
    with pytest.raises(TypeError, match="allow_pickle"):
        RunRegistry(MemoryStore(), allow_pickle=False)
    with pytest.raises(TypeError, match="must be a path, a URL or a RunStore"):
        RunRegistry(5)
    with pytest.raises(ValueError, match="mongodb://"):
        RunRegistry("mongodb://host/db")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        RunRegistry(tmp_path / "file")


def test_where_a_record_lies_is_no_part_of_it(registry, pf):
    run_id = registry.save_run(pf, "x")
    asked, unasked = registry.get_run(run_id), registry.get_run(run_id)
    path = asked.portfolio_path
    assert asked == unasked and "portfolio_path" not in asked.to_dict().get("artifact")
    assert asked.to_dict()["portfolio_path"] is None
    assert pickle.loads(pickle.dumps(unasked)).portfolio_path == unasked.copy().portfolio_path == path


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (dict(column="c"), TypeError),
        (dict(total_return="abc"), TypeError),
        (dict(artifact={"format": "pickle"}), ValueError),
        (dict(sweep_id="x"), ValueError),
        (dict(timestamp="2024"), TypeError),
    ],
)
def test_a_record_refuses_what_it_could_not_read_back(fields, error):
    with pytest.raises(error, match=next(iter(fields))):
        make_record(**fields)
    assert make_record(column=np.int64(3)).column == 3


# ############# Asking ############# #


@pytest.mark.parametrize(
    "conditions", [dict(tags=None), dict(parameters={}), dict(strategy_name=None), dict(sort_by="run_id")]
)
def test_conditions_that_say_nothing_delete_nothing(registry, conditions):
    registry.store.save_runs([make_record(i) for i in range(3)])
    with pytest.raises(TypeError, match="hold for every run"):
        registry.delete_runs(**conditions)
    assert registry.delete_runs(tags=[]) == 0 and registry.list_runs(tags=[]) == []
    assert len(registry) == 3
    assert registry.delete_runs(where="run_id != none") == 3


def test_deleting_what_is_not_there_touches_nothing(tmp_path):
    registry = RunRegistry(tmp_path / "nowhere")
    assert registry.delete_run(make_record().run_id) is False
    assert registry.delete_runs(strategy_name="x") == 0
    with pytest.raises(KeyError, match="no run"):
        registry.update_run(make_record().run_id, notes="x")
    assert registry.delete_runs([make_record()]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_frame_finds_the_runs_on_each_of_its_columns(registry):
    prices = pd.concat([make_price(), make_price() * 2], axis=1, keys=["a", "b"])
    hold = vbt.Portfolio.from_holding(prices, freq="1D")
    swept = registry.save_sweep(hold, "hold")
    whole = registry.save_run(hold, "hold")
    for data in (prices, hold):
        assert {run.run_id for run in registry.list_runs(data=data)} == {*swept, whole}
    assert [run.run_id for run in registry.list_runs(data=prices["b"])] == [swept[1]]


def test_a_custom_metric_does_not_take_the_place_of_a_field(registry, pf):
    custom = pf.replace()
    for name in ("timestamp", "run_id", "strategy", "column"):
        custom.metrics[name] = dict(title=f"My {name}", calc_func=lambda self: 5)
    run_id = registry.save_run(custom, "x")
    assert registry.get_run(run_id).stats["timestamp"] == 5
    assert registry.to_frame()["timestamp"].iloc[0] == registry.get_run(run_id).timestamp
    assert list(registry.compare_runs([run_id])["strategy"]) == ["x"]
    assert "column" not in registry.to_frame()
    with pytest.raises(QueryError, match="unknown name 'column'"):
        registry.list_runs(where="column == 5")


def test_the_best_runs_are_not_sorted_or_limited_otherwise(registry):
    for name in ("sort_by", "limit"):
        with pytest.raises(TypeError, match=name):
            registry.get_best_runs(**{name: 1})


def test_parameters_are_typed(registry):
    values = [10, 10.0, "10", True, 1, pd.Timestamp("2024-01-01"), "2024-01-01", pd.Timedelta("1D"), "24h"]
    registry.store.save_runs([make_record(i, parameters={"x": value}) for i, value in enumerate(values)])

    def found(value):
        return [values[run.total_trades] for run in registry.list_runs(parameters={"x": value}, sort_by="run_id")]

    assert found(10) == found(10.0) == [10, 10.0] and found(True) == [True] and found(1) == [1]
    assert [type(value) for value in found("2024-01-01")] == [str] and found("24h") == ["24h"]
    assert found(pd.Timestamp("2024-01-01")) == [values[5]] and found(pd.Timedelta("24h")) == [values[7]]


def test_have_i_run_this_here_before(registry, pf):
    run_id = registry.save_run(pf, "x")
    registry.save_run(make_portfolio(make_price() * 2), "x")
    for data in (pf, make_price(), make_price().to_frame(), registry.get_run(run_id).data["fingerprint"]):
        assert [run.run_id for run in registry.list_runs(data=data)] == [run_id]


def test_a_frequency_of_its_own_precedes_that_of_the_settings(registry, pf, monkeypatch):
    run_id = registry.save_run(pf, "x")
    monkeypatch.setitem(vbt.settings.array_wrapper, "freq", "2D")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert registry.load_portfolio(run_id).stats().equals(pf.stats())


def test_a_subclass_comes_with_a_warning(registry, pf):
    class Mine(vbt.Portfolio):
        pass

    mine = Mine.from_holding(make_price(), freq="1D")
    with pytest.warns(UserWarning, match="this is a Mine: it will be loaded as a Portfolio"):
        registry.save_run(mine, "x")


@pytest.mark.parametrize("metric", ["strategy_name", "run_id", "timestamp", "tags"])
def test_a_field_is_no_metric_to_be_the_best_by(registry, metric):
    with pytest.raises(QueryError, match=f"{metric} is no metric"):
        registry.get_best_runs(metric)


def test_only_what_can_be_ranked_is_among_the_best(registry):
    values = [1.0, "text", [1], pd.Timedelta("1D"), None, float("inf"), 2**80]
    registry.store.save_runs([make_record(i, stats={"custom": value}) for i, value in enumerate(values)])
    assert [run.total_trades for run in registry.get_best_runs("custom", ascending=False)] == [6, 0, 3]


def test_a_list_of_runs_is_a_table(registry):
    registry.store.save_runs([make_record(i) for i in range(3)])
    runs = registry.list_runs()
    assert isinstance(runs, list) and isinstance(runs[:2], type(runs))
    frame = runs.to_frame()
    assert frame.index.name == "run_id" and list(frame["params.fast"]) == [2, 1, 0]
    assert frame["params.fast"].dtype.kind == "i" and frame["sortino_ratio"].dtype.kind == "f"
    assert frame["timestamp"].dt.tz is not None and frame["max_dd_duration"].dtype.kind == "m"
    assert frame.equals(registry.to_frame()) and len(registry.to_frame(limit=1)) == 1


def test_the_table_of_no_runs_has_the_core_columns(registry):
    frame = registry.to_frame()
    assert len(frame) == 0 and frame.index.name == "run_id"
    assert list(frame) == [
        *("timestamp", "strategy_name", "total_return", "sharpe_ratio", "max_drawdown", "total_trades", "win_rate"),
        *("tags", "notes", "sweep_id", "symbols", "bars", "frequency", "git_commit", "vectorbt"),
    ]


def test_where_knows_exactly_the_columns_of_the_table(registry):
    registry.store.save_runs([make_record(0, parameters={"stop loss": 0.1, "fast": 5})])
    missing = ("sweep_id", "symbols", "frequency", "git_commit", "vectorbt")
    for name in registry.to_frame():
        quoted = f"params['{name[7:]}']" if name.startswith("params.") else name
        assert len(registry.list_runs(where=f"{quoted} != none")) == (name not in missing), name
    with pytest.raises(ValueError, match="unknown name 'column'"):
        registry.list_runs(where="column == 1")


def test_everything_shown_in_a_notebook_is_escaped(registry, pf):
    evil = "<script>alert(1)</script>"
    parameters = {evil: evil, "array": np.arange(3)}
    run_id = registry.save_run(pf, evil, parameters=parameters, tags=[evil], notes=evil)
    for shown in (registry.get_run(run_id), registry.list_runs(), registry):
        assert "&lt;script&gt;" in shown._repr_html_() and "<script>" not in shown._repr_html_()
        assert len(repr(shown)) < 700
    assert "RunRegistry(FileStore(" in repr(registry) and "1 run" in repr(registry)


# ############# Comparing ############# #


def test_comparison(registry, pf):
    a = registry.save_run(pf, "dual_sma", parameters={"fast": 3, "slow": 9})
    b = registry.save_run(make_portfolio(fast=4), "dual_sma", parameters={"fast": 4, "slow": 9, "stop": None})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = pd.DataFrame(registry.compare_runs([b, a[:8]]))
    assert list(frame) == [
        *("run_id", "strategy", "timestamp", "total_return", "sharpe_ratio", "max_drawdown", "total_trades"),
        *("win_rate", "params.fast", "params.slow", "params.stop"),
    ]
    assert list(frame["run_id"]) == [b, a] and list(frame["params.fast"]) == [4, 3]
    differing = registry.compare_runs([a, b], only_differing=True)
    assert "params.fast" in differing and "params.slow" not in differing and "strategy" not in differing


def test_a_frequency_and_none_are_no_fair_comparison(registry):
    price = make_price().drop(make_price().index[5])  # from which vectorbt infers no frequency
    run_ids = [registry.save_run(make_portfolio(price, freq=freq), "x") for freq in ("1D", None)]
    with pytest.warns(UserWarning, match=r"another frequency \(1 days, none\)"):
        registry.compare_runs(run_ids)


def test_unknown_runs_are_left_out_with_one_warning(registry, pf):
    run_id = registry.save_run(pf, "x")
    with pytest.warns(UserWarning, match="'nowhere', 'elsewhere'") as caught:
        frame = registry.compare_runs(["nowhere", run_id, "elsewhere"])
    assert list(frame["run_id"]) == [run_id] and len(caught) == 1
    assert list(registry.compare_runs(run_id)["run_id"]) == [run_id]


@pytest.mark.parametrize("held", [list, set, iter, pd.Index, np.array, pd.Series], ids=lambda held: held.__name__)
def test_run_ids_are_taken_from_whatever_holds_them(registry, held):
    records = [make_record(i) for i in range(4)]
    registry.store.save_runs(records)
    run_ids = [record.run_id for record in records[:3]]
    assert sorted(registry.compare_runs(held(run_ids))["run_id"]) == run_ids
    assert registry.delete_runs(held(run_ids)) == 3 and len(registry) == 1


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (lambda: make_portfolio(make_price() * 1.5), "other prices"),
        (lambda: make_portfolio(make_price(50)), "another last bar"),
        (lambda: make_portfolio(freq="2D"), "another frequency"),
        (lambda: make_portfolio(init_cash=1000), "another initial cash"),
        (lambda: make_portfolio(fees=0.01), "realised fees"),
    ],
)
def test_runs_that_cannot_fairly_be_compared_get_one_warning_in_words(registry, pf, other, reason):
    run_ids = [registry.save_run(pf, "x"), registry.save_run(other(), "x")]
    with pytest.warns(UserWarning, match=reason) as caught:
        registry.compare_runs(run_ids)
    assert len(caught) == 1


def test_another_year_length_is_no_fair_comparison(registry, pf, monkeypatch):
    run_ids = [registry.save_run(pf, "x")]
    monkeypatch.setitem(vbt.settings.returns, "year_freq", "252 days")
    run_ids.append(registry.save_run(make_portfolio(), "x"))
    with pytest.warns(UserWarning, match="year length"):
        registry.compare_runs(run_ids)
    with pytest.warns(UserWarning, match="year_freq was '365 days"):
        registry.load_portfolio(run_ids[0])


# ############# Sweeps ############# #


def test_levels_become_parameters(registry):
    pf = make_sweep()
    run_ids = registry.save_sweep(pf, "dual_sma", parameters={"fees": 0.001})
    assert [registry.get_run(run_id).parameters for run_id in run_ids] == [
        {"fees": 0.001, "fast_window": 3, "slow_window": 9},
        {"fees": 0.001, "fast_window": 4, "slow_window": 9},
        {"fees": 0.001, "fast_window": 3, "slow_window": 12},
    ]
    assert [run.run_id for run in registry.list_runs()] == run_ids  # the order of the columns
    with pytest.raises(ValueError, match="fast_window"):
        registry.save_sweep(pf, "dual_sma", parameters={"fast_window": 3})


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (pd.Index(["a", "b"]), ["column"]),
        (pd.Index(["a", "b"], name="symbol"), ["symbol"]),
        (pd.MultiIndex.from_tuples([(1, 2, "a"), (3, 4, "b")], names=["w", "w", None]), ["w_0", "w_1", "level_2"]),
        (pd.MultiIndex.from_tuples([(1, 2), (3, 4)]), ["level_0", "level_1"]),
        (pd.Index([1, 1], name="again"), ["again"]),
    ],
)
def test_names_of_levels(registry, columns, names):
    price = pd.concat([make_price(), make_price()], axis=1)
    price.columns = columns
    pf = vbt.Portfolio.from_holding(price, freq="1D")
    run_ids = registry.save_sweep(pf, "hold")
    assert [list(registry.get_run(run_id).parameters) for run_id in run_ids] == [names, names]
    for name in (*names, *(str(name) for name in columns.names if name)):
        with pytest.raises(ValueError, match=name):
            registry.save_sweep(pf, "hold", parameters={name: 1})


def test_a_column_that_could_not_be_selected_again_is_refused(registry):
    sweep = make_sweep()
    columns = pd.Index(pd.array([1, None, 3], dtype="Int64"), name="window")
    odd = sweep.replace(wrapper=sweep.wrapper.replace(columns=columns))
    with pytest.raises(ValueError, match=r"holds pd\.NA"):
        registry.save_sweep(odd, "x")
    assert not registry.store.base_dir.exists()


def test_a_series_is_a_sweep_of_one(registry, pf):
    (run_id,) = registry.save_sweep(pf, "dual_sma", parameters={"fast": 3})
    run = registry.get_run(run_id)
    assert run.parameters == {"fast": 3} and run.column == 0 and run.sweep_id is not None
    assert registry.load_portfolio(run_id).stats().equals(pf.stats())


@pytest.mark.parametrize(("group_by", "parameters"), [("w", {"w": 5, "fees": 0}), (True, {"fees": 0})])
def test_a_lone_group_has_the_parameter_that_names_it(registry, group_by, parameters):
    columns = pd.MultiIndex.from_tuples([(5, "a"), (5, "b")], names=["w", "symbol"])
    price = pd.concat([make_price(), make_price() * 2], axis=1, keys=columns)
    price.columns = columns
    pf = vbt.Portfolio.from_holding(price, freq="1D", group_by=group_by, cash_sharing=True)
    (run_id,) = registry.save_sweep(pf, "hold", parameters={"fees": 0})
    assert registry.get_run(run_id).parameters == parameters
    assert registry.load_portfolio(run_id).stats().equals(pf.stats())
    if group_by == "w":
        with pytest.raises(ValueError, match="name of a level"):
            registry.save_sweep(pf, "hold", parameters={"w": 5})


def test_groups_are_runs(registry):
    price = pd.concat([make_price(), make_price() * 2, make_price()[::-1].set_axis(make_price().index)], axis=1)
    price.columns = pd.Index(["a", "b", "c"], name="symbol")
    groups = pd.Index(["x", "x", "y"], name="basket")
    pf = vbt.Portfolio.from_holding(price, freq="1D", group_by=groups, cash_sharing=True)
    run_ids = registry.save_sweep(pf, "hold")
    runs = [registry.get_run(run_id) for run_id in run_ids]
    assert [run.parameters for run in runs] == [{"basket": "x"}, {"basket": "y"}]
    for column, run in enumerate(runs):
        assert registry.load_portfolio(run.run_id).stats().equals(pf.iloc[column].stats())
        assert run.total_return == pf.iloc[column].stats()["Total Return [%]"]


def test_slicing_keeps_the_initial_cash_that_all_columns_had(registry):
    price = pd.concat([make_price(), make_price() * 3], axis=1, keys=["a", "b"])
    pf = vbt.Portfolio.from_holding(price, size=1.0, init_cash="autoalign", freq="1D")
    run_ids = registry.save_sweep(pf, "hold")
    for run_id in run_ids:
        run, loaded = registry.get_run(run_id), registry.load_portfolio(run_id)
        assert run.total_return == loaded.stats()["Total Return [%]"]
        assert run.stats["start_value"] == loaded.stats()["Start Value"] == pf.init_cash.iloc[0]


@pytest.mark.parametrize("init_cash", ["auto", "autoalign"])
@pytest.mark.parametrize("cash_sharing", [False, True])
def test_slicing_keeps_the_initial_cash_of_groups(registry, init_cash, cash_sharing):
    price = pd.concat([make_price() * factor for factor in (1, 3, 0.5, 2)], axis=1, keys=list("abcd"))
    groups = pd.Index(["x", "x", "y", "y"], name="basket")
    pf = vbt.Portfolio.from_holding(
        price, size=1.0, init_cash=init_cash, freq="1D", group_by=groups, cash_sharing=cash_sharing
    )
    for run_id in registry.save_sweep(pf, "hold"):
        run, loaded = registry.get_run(run_id), registry.load_portfolio(run_id)
        assert run.total_return == loaded.stats()["Total Return [%]"]
        assert run.stats["start_value"] == loaded.stats()["Start Value"]


def test_settings_that_a_portfolio_brings_itself_are_no_reason_to_warn(registry, pf):
    run_id = registry.save_run(pf.replace(trades_type=0), "x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.load_portfolio(run_id)


def test_sweeps_are_listed(registry, pf):
    registry.save_run(pf, "single")
    run_ids = registry.save_sweep(make_sweep(), "dual_sma", parameters={"fees": 0.001})
    listed = registry.list_sweeps()
    (sweep_id,) = listed.index
    assert sweep_id == registry.get_run(run_ids[0]).sweep_id
    row = listed.loc[sweep_id]
    assert (row["strategy_name"], row["runs"]) == ("dual_sma", 3)
    assert row["best_sharpe_ratio"] == max(run.sharpe_ratio for run in registry.list_runs("dual_sma"))
    assert row["parameters"] == "fast_window: 3 to 4, slow_window: 9 to 12"
    assert registry.load_sweep(sweep_id).wrapper.shape == make_sweep().wrapper.shape
    assert registry.load_sweep("nowhere") is None
    with pytest.raises(TypeError, match="sweep_id must be a string, not NoneType"):
        registry.load_sweep(registry.list_runs("single")[0].sweep_id)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([3, 1.5, 2], "p: 1.5 to 3"),
        ([1, "1"], "p: 1, '1'"),
        (
            [pd.Timestamp("2024-01-01"), pd.Timestamp("2023-01-01", tz="UTC")],
            "p: 2023-01-01 00:00:00+00:00 to 2024-01-01 00:00:00",
        ),
        (["BTC", "ETH", None], "p: BTC, ETH, missing"),
        ([5, 5], ""),
        (list("abcd"), "p: 4 values"),
    ],
)
def test_a_list_of_sweeps_says_what_varies(registry, values, shown):
    sweep_id = make_record().run_id
    registry.store.save_runs([make_record(i, sweep_id=sweep_id, parameters={"p": p}) for i, p in enumerate(values)])
    assert registry.list_sweeps()["parameters"].tolist() == [shown]


def test_returns_can_be_kept_instead_of_the_portfolio(registry, pf):
    lone = registry.save_run(pf, "lone", save_portfolio="returns")
    swept = registry.save_sweep(make_sweep(), "swept", save_portfolio="returns")
    whole = registry.save_sweep(make_sweep(), "whole")
    for run_id in (lone, swept[1]):
        with pytest.raises(ValueError, match=f"returns only; load_returns\\('{run_id}'\\)"):
            registry.load_portfolio(run_id)
    with pytest.raises(ValueError, match="returns only"):
        registry.load_sweep(registry[swept[0]].sweep_id)
    returns = registry.load_returns([swept[2], lone, whole[2], swept[0][:8]])
    assert list(returns) == [swept[2], lone, whole[2], swept[0]]
    assert returns[lone].rename(None).equals(pf.returns().rename(None))
    expected = make_sweep().returns()
    assert returns[swept[2]].tolist() == expected.iloc[:, 2].tolist() == returns[whole[2]].tolist()
    assert returns.index.equals(expected.index) and returns.index.freq == expected.index.freq
    size = registry.get_run(lone).artifact["size"]
    assert size < registry.get_run(registry.save_run(pf, "lone")).artifact["size"] / 5


def test_a_record_takes_no_more_than_its_share_of_the_disk(tmp_path, monkeypatch):
    """With 28 metrics, 4 parameters, a git revision and a portfolio, on floats of full length.

    Beside the hashes by which overlapping prices are known again, eight digits for each month."""
    revision = dict(commit="0123456789abcdef" * 2 + "01234567", dirty=False)
    monkeypatch.setattr(runs, "asked_git", lambda: nullcontext(lambda: revision))
    price = make_price(300) * np.linspace(1, 1.1234567, 300) ** 0.5
    registry = RunRegistry(tmp_path)
    parameters = {"fast_window": 10, "slow_window": 50, "fees": 0.001, "symbol": "SPX"}
    registry.save_run(make_portfolio(price), "dual_sma", parameters=parameters, tags=["index"])
    lone = registry.store.metadata_file.read_bytes().splitlines()[-1]
    assert len(json.loads(lone)["run"]["stats"]) == 28
    hashes = json.dumps(json.loads(lone)["run"]["data"]["blocks"])
    assert len(lone) - len(hashes) < 2100
    before = registry.store.metadata_file.stat().st_size
    windows = [(3 + i % 5, 12 + i // 5) for i in range(20)]
    registry.save_sweep(make_sweep(price, windows), "dual_sma", {"fees": 0.001, "symbol": "SPX"}, tags=["index"])
    assert (registry.store.metadata_file.stat().st_size - before) / 20 < 1700


def test_walk_forward_windows_are_parameters_by_which_columns_are_found_again(registry):
    levels = {
        "month": list(pd.period_range("2020-01", periods=3, freq="M")),
        "window": list(pd.interval_range(pd.Timestamp("2020"), periods=3, freq="30D", closed="left")),
        "step": [pd.DateOffset(months=1), pd.offsets.MonthBegin(2), pd.offsets.BDay()],
    }
    pf = make_sweep()
    columns = pd.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
    pf = pf.replace(wrapper=pf.wrapper.replace(columns=columns), close=pf.close.set_axis(columns, axis=1))
    ids = registry.save_sweep(pf, "walk_forward")
    for position, (run_id, *expected) in enumerate(zip(ids, *levels.values(), strict=True)):
        parameters = registry.get_run(run_id).parameters
        assert parameters == dict(zip(levels, expected, strict=True))
        assert [type(value) for value in parameters.values()] == list(map(type, expected))
        assert [run.run_id for run in registry.list_runs(parameters=parameters)] == [run_id]
        assert registry.load_portfolio(run_id).total_return() == pf.total_return().iloc[position]


def test_levels_that_have_numbers_for_names_are_told_apart(registry):
    windows = [(3, 9), (4, 9), (3, 12)]
    pf = make_sweep(windows=windows)
    pf = pf.replace(wrapper=pf.wrapper.replace(columns=pf.wrapper.columns.set_names([1, 0])))
    ids = registry.save_sweep(pf, "x")
    assert [registry.get_run(i).parameters for i in ids] == [{"1": fast, "0": slow} for fast, slow in windows]


def test_returns_on_other_bars_are_aligned_or_refused(registry):
    aware = make_price(40).tz_localize("Europe/Berlin")
    numbered = make_price(40).reset_index(drop=True)
    ids = [registry.save_run(make_portfolio(price), "x") for price in (make_price(), aware, numbered)]
    both = registry.load_returns(ids[:2])
    assert str(both.index.tz) == "UTC" and both.notna().sum().tolist() == [60, 40]
    with pytest.raises(ValueError, match=f"{ids[0]} and {ids[2]} cannot be aligned"):
        registry.load_returns([ids[0], ids[2]])


def test_runs_without_returns_are_named(registry, pf):
    bare, aggregate = registry.save_run(pf, "x", save_portfolio=False), registry.save_run(make_sweep(), "x")
    with pytest.raises(ValueError, match=f"{bare} was saved without"):
        registry.load_returns([bare])
    with pytest.raises(ValueError, match=f"{aggregate} is the aggregate"):
        registry.load_returns([aggregate])
    with pytest.raises(KeyError, match="no run 'nowhere'"):
        registry.load_returns(["nowhere"])
    with pytest.raises(ValueError, match="save_sweep"):
        registry.save_run(make_sweep(), "x", save_portfolio="returns")
    with pytest.raises(TypeError, match="save_portfolio must be"):
        registry.save_run(pf, "x", save_portfolio="everything")


# ############# As a collection ############# #


def test_a_registry_is_a_collection(registry, pf):
    assert len(registry) == 0 and bool(registry) and list(registry) == []
    run_id = registry.save_run(pf, "x")
    assert len(registry) == 1 and run_id in registry and "nowhere" not in registry and 5 not in registry
    assert [run.run_id for run in registry] == [run_id]
    assert registry.delete_run(run_id) and run_id not in registry
    with registry as same:
        assert same is registry


def _save_elsewhere(registry):
    return registry.save_run(make_portfolio(), "worker")


def test_a_registry_works_in_another_process(registry):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        run_id = pool.submit(_save_elsewhere, registry).result()
    assert registry.get_run(run_id).strategy_name == "worker"
    assert pickle.loads(pickle.dumps(registry)).get_run(run_id) == registry.get_run(run_id)


def test_the_folder_is_resolved_once(tmp_path, monkeypatch, pf):
    monkeypatch.chdir(tmp_path)
    registry = RunRegistry("runs")
    monkeypatch.chdir("/")
    run_id = registry.save_run(pf, "x")
    assert FileStore(tmp_path / "runs").get_run(run_id) is not None


def test_the_folder_can_be_moved(tmp_path, registry, pf):
    run_id = registry.save_run(pf, "x")
    assert str(tmp_path) not in registry.store.metadata_file.read_text()
    registry.store.base_dir.rename(tmp_path / "moved")
    moved = RunRegistry(tmp_path / "moved")
    assert moved.load_portfolio(run_id).stats().equals(pf.stats())
    assert Path(moved.get_run(run_id).portfolio_path) == tmp_path / "moved" / "portfolios" / f"{run_id}.pkl"


def test_importing_vectorbt_alone_gives_portfolios_the_method(tmp_path):
    """Only an installed package is discovered; an editable one is imported by `conftest.py`."""
    code = "import vectorbt.portfolio.registry, vectorbt as vbt; print(vbt.Portfolio.save_to_registry.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "save_to_registry"
    assert list(tmp_path.iterdir()) == []
