"""What every store promises, as tests for whoever writes another one. It needs pytest.

`StoreSuite` holds a store to the contract of `vectorbt.portfolio.registry.store.RunStore`. `make_record` makes what
most of its tests save, and may serve further tests of the same store."""

import decimal
import enum
import threading
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.base import Portfolio
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.errors import (
    AmbiguousRunIdError,
    ArtifactCorruptedError,
    ArtifactMissingError,
    QueryError,
    RunExistsError,
    RunNotFoundError,
    UntrustedArtifactError,
)
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.registry import RunRegistry
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.stores import MemoryStore

try:
    import pytest
except ImportError as e:
    raise ImportError("vectorbt.portfolio.registry.testing needs pytest: pip install 'pytest>=8'") from e

START = datetime(2024, 1, 1, tzinfo=UTC)
"""When the record with the number 0 was saved."""


def make_record(number: int = 0, **fields: tp.Any) -> RunRecord:
    """Return a record without a portfolio. Its id, timestamp and metrics follow from `number`.

    Args:
        number (int): Number of the record, which is its `total_trades` as well.
        **fields: Fields that are to be different."""
    defaults = dict(
        run_id=str(uuid.UUID(int=number + 1, version=4)),
        timestamp=START + timedelta(hours=number),
        strategy_name="dual_sma",
        parameters={"fast": number, "slow": 50},
        total_return=10.0 + number,
        sharpe_ratio=0.5 + number / 10,
        max_drawdown=20.0 - number,
        total_trades=number,
        win_rate=50.0,
        tags=["daily"],
        stats={"sortino_ratio": 1.0 + number, "max_dd_duration": pd.Timedelta(days=number)},
        data={"fingerprint": "ab" * 32, "bars": 100},
    )
    return RunRecord(**{**defaults, **fields})


@cache  # vectorbt compiles its functions when they are first called, which takes longer than all tests
def _backtest() -> Portfolio:
    """Return a backtest of three columns: a position is held for some days, and as many days later opened again."""
    bars = np.arange(60)
    index = pd.date_range("2020-01-01", periods=len(bars), freq="D", name="Date")
    price = pd.Series(100 + 0.2 * bars + 8 * np.sin(bars / 5), index=index, name="SPX")
    entries = pd.DataFrame({days: bars % (2 * days) == 0 for days in (3, 5, 8)}, index=index)
    exits = pd.DataFrame({days: bars % (2 * days) == days for days in (3, 5, 8)}, index=index)
    entries.columns.name = exits.columns.name = "days"
    return Portfolio.from_signals(price, entries, exits, freq="1D", fees=0.001)


class TextOfAnEnum(enum.StrEnum):
    NAME = "dual_sma"
    NOTE = "a note"
    TAG = "crypto"
    SORT = "sharpe_ratio"


class TextWithAnEnum(str, enum.Enum):  # noqa: UP042
    NAME = "dual_sma"
    NOTE = "a note"
    TAG = "crypto"
    SORT = "sharpe_ratio"


class StoreSuite:
    """Tests of a `vectorbt.portfolio.registry.store.RunStore`.

    Subclass it, and give the class one fixture: `open_store`, whose value is a function that opens the store. The first
    call finds no runs, and every further one opens another view of the same runs, as another process would.

    Every test ends with `RunRegistry.check`, which must find the store sound. A test that damages it on purpose puts
    the kinds of `Problem` that it leaves behind into the list `expected_problems`.

    Usage:
        The file `test_own_store.py`:

        ```python
        import pytest

        from own_store import OwnStore
        from vectorbt.portfolio.registry.testing import StoreSuite


        class TestOwnStore(StoreSuite):
            @pytest.fixture
            def open_store(self, tmp_path):
                return lambda: OwnStore(tmp_path / "runs")
        ```

        pytest shows what is on both sides of an assertion that fails if a `conftest.py` beside it says so:

        ```python
        import pytest

        pytest.register_assert_rewrite("vectorbt.portfolio.registry.testing")
        ```"""

    @pytest.fixture
    def open_store(self) -> tp.Callable[[], RunStore]:
        """Return a function that opens the store. The subclass gives it."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a fixture open_store that returns a function which opens the store"
        )

    @pytest.fixture
    def expected_problems(self) -> tp.List[str]:
        """Return the list of the kinds of `Problem` that a test leaves behind on purpose."""
        return []

    @pytest.fixture(autouse=True)
    def store(self, open_store, expected_problems):
        """Open the store. Check it when the test is over, as the test has left it and as another process finds it."""
        store = open_store()
        yield store
        for view in (store, open_store()):
            problems = RunRegistry(view).check(deep=True)
            assert [problem.kind for problem in problems] == expected_problems, problems
            view.close()

    @pytest.fixture
    def registry(self, store):
        return RunRegistry(store)

    @pytest.fixture
    def portfolio(self):
        return _backtest().iloc[0]

    @pytest.fixture
    def sweep(self):
        return _backtest()

    # ############# Keeping ############# #

    def test_what_was_saved_comes_back(self, store, open_store):
        record = make_record(
            parameters={
                "fast": np.int64(10),
                "start": pd.Timestamp("2020-01-01 00:00:00.000000001", tz="Europe/Berlin"),
                "windows": (1, [2, {"a": {3, 4}}]),
                "big": 2**80,
                "nan": float("nan"),
                "text": "\u2028 'quoted' \"twice\" \\ 日本",
            },
            sharpe_ratio=float("nan"),
            notes="line\nbreak",
        )
        store.save_run(record)
        for view in (store, open_store()):
            found = view.get_run(record.run_id)
            assert found == record
            assert type(found.parameters["fast"]) is int
            assert found.parameters["start"] == record.parameters["start"]
            assert found.parameters["windows"] == (1, [2, {"a": {3, 4}}])
            assert found.timestamp == record.timestamp

    def test_unknown_keys_of_a_newer_record_survive_a_rewrite(self, store, open_store):
        newer = make_record().to_dict()
        newer["verdict"] = {"by": "someone", "$odd": [1]}
        store.insert(RunBlock.of([newer]))
        store.update_run(newer["run_id"], notes="rewritten")
        assert open_store().get_run(newer["run_id"]).to_dict()["verdict"] == newer["verdict"]

    def test_a_record_that_the_caller_changes_does_not_change_the_store(self, store):
        record = make_record(parameters={"windows": [1, 2]})
        store.save_run(record)
        record.parameters["windows"].append(3)
        for found in (store.get_run(record.run_id), *store.list_runs()):
            assert found.parameters == {"windows": [1, 2]}
            found.parameters["windows"].append(4)
            found.tags.append("mine")
        assert store.get_run(record.run_id).parameters == {"windows": [1, 2]}
        assert store.get_run(record.run_id).tags == ["daily"]

    def test_runs_that_share_an_object_keep_what_is_their_own(self, store, open_store):
        shared = {"fast": np.int64(10), "days": pd.Timedelta(days=3)}
        runs = [make_record(i, parameters=shared, returns_stats=shared, tags=["daily", f"run_{i}"]) for i in range(3)]
        runs.append(make_record(3, parameters=dict(shared, fast=True), tags=runs[0].tags))
        store.save_runs(runs)
        for run in runs:
            found = open_store().get_run(run.run_id)
            assert found == run
            found.parameters["fast"] = 0
            found.returns_stats["fast"] = 0
            assert store.get_run(run.run_id) == run

    def test_what_cannot_be_encoded_is_refused_and_nothing_is_written(self, store, open_store):
        good, bad = make_record(0), make_record(1)
        bad.stats["custom"] = [1, lambda: None]
        with pytest.raises(TypeError, match=r"stats\['custom'\]\[1\]"):
            store.save_runs([good, bad])
        assert store.count() == 0 and open_store().list_runs() == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("strategy_name", 3),
            ("strategy_name", ""),
            ("column", "a"),
            ("sweep_id", "x"),
            ("run_id", "X"),
            ("sharpe_ratio", "abc"),
            ("timestamp", "2024-01-01"),
        ],
    )
    def test_what_was_set_on_a_record_is_checked(self, store, name, value):
        record = make_record()
        setattr(record, name, value)
        with pytest.raises((TypeError, ValueError), match=name):
            store.save_run(record)
        assert store.count() == 0

    def test_saving_returns_the_ids(self, registry, store, portfolio):
        runs = [RunRecord(strategy_name="a"), RunRecord.from_portfolio(portfolio, "b")]
        assert [store.save_run(run, portfolio) for run in runs] == [run.run_id for run in runs]
        more = [make_record(1), make_record(0)]
        assert store.save_runs(more) == [run.run_id for run in more]
        assert store.save_runs([]) == []
        assert store.count() == 4

    def test_a_run_without_a_strategy_is_refused_everywhere(self, registry, store, portfolio):
        run = RunRecord.from_portfolio(portfolio)
        nameless = {**make_record(1).to_dict(), "strategy_name": ""}  # as another program may have written it
        away = MemoryStore()
        away.insert(RunBlock.of([nameless]))
        for save in (
            lambda: store.save_run(run),
            lambda: store.save_run(run, portfolio),
            lambda: store.save_runs([make_record(), run], portfolio),
            lambda: registry.save_run(portfolio, ""),
            lambda: registry.save_sweep(portfolio, ""),
        ):
            with pytest.raises(ValueError, match="strategy_name must not be empty"):
                save()
        with pytest.warns(UserWarning, match="strategy_name is empty"):
            assert [conflict.run_id for conflict in registry.merge(away).conflicts] == [nameless["run_id"]]
        assert store.list_runs(deleted=None) == [] and store.artifacts.list() == []
        store.insert(RunBlock.of([nameless]))
        with pytest.raises(ValueError, match="strategy_name must not be empty"):
            store.update_run(nameless["run_id"], notes="x")
        assert store.get_run(nameless["run_id"]).to_dict() == nameless

    def test_a_run_is_saved_once(self, store, portfolio):
        record = make_record()
        store.save_run(record, portfolio)
        with pytest.raises(RunExistsError, match=record.run_id):
            store.save_run(make_record(notes="another"), portfolio)
        with pytest.raises(RunExistsError, match=record.run_id):
            store.save_runs([make_record(1), make_record(notes="another")])
        assert [run.notes for run in store.list_runs()] == [""]
        assert store.load_portfolio(record.run_id).stats().equals(portfolio.stats())

    def test_the_id_of_a_deleted_run_is_taken(self, store):
        record = make_record()
        store.save_run(record)
        store.delete_run(record.run_id)
        with pytest.raises(RunExistsError):
            store.save_run(record)

    @pytest.mark.parametrize("run_id", ["", "..", "../../etc/passwd", "A/B", "x\0y", "CON", "a" * 10_000, "%", "____"])
    def test_an_id_that_is_none_is_unknown(self, store, run_id):
        store.save_run(make_record())
        assert store.get_run(run_id) is None
        assert store.load_portfolio(run_id) is None
        assert store.delete_run(run_id) is False
        with pytest.raises(RunNotFoundError):
            store.update_run(run_id, notes="x")
        with pytest.raises(ValueError, match="run_id"):
            make_record(run_id=run_id)

    # ############# Finding ############# #

    def test_a_unique_prefix_finds_a_run(self, store):
        ids = [f"{head}-0000-4000-8000-000000000000" for head in ("abcd0000", "abcd1111", "beef0000")]
        store.save_runs([make_record(i, run_id=run_id) for i, run_id in enumerate(ids)])
        assert store.get_run("beef").run_id == ids[2]
        assert store.get_run("abcd1").run_id == ids[1]
        assert store.get_run("bee") is None
        assert store.get_run("dead") is None
        with pytest.raises(AmbiguousRunIdError, match=f"{ids[0]}, {ids[1]}"):
            store.get_run("abcd")

    def test_the_newest_run_comes_first_and_ties_are_ordered_by_id(self, store, open_store):
        records = [make_record(i, timestamp=START) for i in (3, 1, 2)] + [make_record(0), make_record(9)]
        for record in records:
            store.save_run(record)
        order = [record.run_id for record in store.list_runs()]
        assert order == [make_record(9).run_id, *sorted(make_record(i).run_id for i in (0, 1, 2, 3))]
        assert order == [record.run_id for record in open_store().list_runs()]

    def test_filters(self, store):
        store.save_runs([make_record(i, strategy_name="ab"[i % 2], tags=[f"t{i % 3}"]) for i in range(6)])
        assert _numbers(store, strategy_name="a") == [4, 2, 0]
        assert (
            store.list_runs("a", "t1") == store.list_runs(Query.of("a", "t1")) == [store.get_run(make_record(4).run_id)]
        )
        assert store.list_runs(tags=["t0"], limit=1) == [store.get_run(make_record(3).run_id)]
        with pytest.raises(TypeError, match="a Query holds all conditions"):
            store.list_runs(Query.of("a"), tags="t1")
        assert _numbers(store, tags=["t0", "t1"]) == [4, 3, 1, 0]
        assert _numbers(store, tags="t2") == [5, 2]
        assert _numbers(store, parameters={"fast": [1, 4.0], "slow": 50}) == [4, 1]
        assert _numbers(store, parameters={"fast": "1"}) == []
        assert _numbers(store, parameters={"fast": True}) == []
        assert _numbers(store, parameters={"other": None}, limit=2) == [5, 4]
        assert _numbers(store, since="2024-01-01T02:00", until="2024-01-01T03:00") == [3, 2]
        assert _numbers(store, until="2024-01-01", limit=1) == [5]
        assert _numbers(store, where="sharpe_ratio > 0.7 and params.fast < 5") == [4, 3]
        assert _numbers(store, data="ab" * 32, sort_by="params.fast", limit=2) == [0, 1]
        assert _numbers(store, data="cd" * 32) == []
        assert _numbers(store, sort_by="sortino_ratio", ascending=False, limit=3) == [5, 4, 3]
        with pytest.raises(QueryError, match="sortino_ratio"):
            store.list_runs(Query.of(where="sortino_ration > 1"))
        with pytest.raises(QueryError, match="sortino_ratio"):
            store.list_runs(Query.of(sort_by="sortino_ration"))

    def test_a_text_that_is_no_time_is_an_error_where_times_are_asked_for(self, registry, store):
        store.save_run(
            make_record(parameters={"at": pd.Timestamp("2024-01-05"), "hold": pd.Timedelta("5D"), "mixed": 1})
        )
        store.save_run(make_record(1, parameters={"mixed": pd.Timestamp("2024-01-05")}))
        store.save_run(make_record(2, parameters={"mixed": "weekly", "symbol": "BTC"}))
        for expression in (
            *("timestamp >= '2024-1-5'", "timestamp == 'now'", "timestamp != 'now'", "'2024/01/05' < timestamp"),
            *("timestamp in ['2024-01-05', 'later']", "timestamp not in ['later']", "not timestamp < 'now'"),
            *("max_dd_duration < '90 dayz'", "sharpe_ratio > 5 and max_dd_duration == '90'", "period > '2024'"),
            *("params.at >= '2024/01/05'", "params.hold < '5 dayz'", "'5 dayz' > params.hold"),
            "sharpe_ratio > 100 and params.at < 'now'",
        ):
            with pytest.raises(QueryError, match=r"is no (date|duration)"):
                registry.list_runs(where=expression)
        for expression, n in {
            "params.mixed >= 'monthly'": 1,
            "params.mixed >= '2024/01/05'": 1,
            "params.symbol < 'M'": 1,
            "params.symbol == 'BTC' or params.at == 'BTC'": 1,
            "params.nothing > 'x'": 0,
            "params.at >= '20240105' and params.at <= '2024-W01'": 1,
            "params.hold < '6 days'": 1,
        }.items():
            assert len(registry.list_runs(where=expression)) == n, expression

    def test_since_and_where_read_the_same_texts(self, registry, store):
        for i in range(3):
            store.save_run(make_record(i))
        moment = make_record(1).timestamp
        for form in ("%Y%m%dT%H%M%S.%f", "%Y-%m-%dT%H:%M:%S.%f", "%G-W%V-%uT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S,%fZ"):
            text = moment.strftime(form)
            assert len(registry.list_runs(since=text)) == len(registry.list_runs(where=f"timestamp >= '{text}'")) == 2
            assert len(registry.list_runs(until=text)) == len(registry.list_runs(where=f"timestamp <= '{text}'")) == 2
        for text in ("%Y", "%Y-%m", "%G-W%V", "%Y%m%d"):
            text = moment.strftime(text)
            assert len(registry.list_runs(since=text, until=text)) == 3
            assert len(registry.list_runs(where=f"timestamp == '{text}'")) == 3

    def test_the_decimal_context_of_the_caller_changes_no_answer(self, registry, store):
        store.save_run(make_record(0, parameters={"x": decimal.Decimal("1.10"), "hold": pd.Timedelta(1_234_567, "s")}))
        store.save_run(make_record(1, parameters={"x": 0.5}))
        traps = [decimal.FloatOperation, decimal.Inexact, decimal.Rounded]
        with decimal.localcontext(decimal.Context(prec=2, traps=traps, capitals=0)):
            assert [run.parameters["x"] for run in registry.list_runs(sort_by="params.x")] == [
                0.5,
                decimal.Decimal("1.10"),
            ]
            for expression in (
                "params.x > 1.05",
                "params.hold == '1234567 s'",
                "params.x != 1.1 and params.x < 1.11 and params.x > 1",
            ):
                assert len(registry.list_runs(where=expression)) == 1
            for wanted in (decimal.Decimal("1.10"), [decimal.Decimal("1.1000"), 7.5]):
                assert len(registry.list_runs(parameters={"x": wanted})) == 1
            store.save_run(make_record(2, parameters={"x": decimal.Decimal("1.23456E+30")}))
            assert registry.get_run(make_record(2).run_id) == make_record(
                2, parameters={"x": decimal.Decimal("1.23456E+30")}
            )

    def test_times_of_numpy_far_away_are_found(self, registry, store):
        for i, value in enumerate([np.timedelta64(2**62, "W"), np.timedelta64(5, "as"), pd.Timedelta("5D")]):
            store.save_run(make_record(i, parameters={"x": value}))
        assert len(registry.list_runs(where="params.x > '1 day'")) == 2
        shown = [run.parameters["x"] for run in registry.list_runs(sort_by="params.x")]
        assert shown == [np.timedelta64(5, "as"), pd.Timedelta("5D"), np.timedelta64(2**62, "W")]

    @pytest.mark.parametrize("kind", [TextOfAnEnum, TextWithAnEnum])
    def test_a_member_of_an_enum_that_is_a_text_is_its_text(self, registry, store, open_store, kind):
        record = make_record(strategy_name=kind.NAME, notes=kind.NOTE, tags=[kind.TAG, "crypto"])
        assert type(record.strategy_name) is str and record.tags == ["crypto"]
        store.save_run(record)
        later = make_record(1)
        later.strategy_name, later.notes, later.tags = kind.NAME, kind.NOTE, (kind.TAG, "crypto")
        store.save_run(later)
        for view in (store, open_store()):
            for run_id in (record.run_id, later.run_id):
                found = view.get_run(run_id)
                assert (found.strategy_name, found.notes, found.tags) == ("dual_sma", "a note", ["crypto"])
                assert {type(found.strategy_name), type(found.notes), *map(type, found.tags)} == {str}
        for filters in (
            dict(strategy_name=kind.NAME),
            dict(tags=kind.TAG),
            dict(tags={kind.TAG}),
            dict(sort_by=kind.SORT),
        ):
            assert len(registry.list_runs(**filters)) == 2
        assert len(registry.get_best_runs(kind.SORT)) == 2
        changed = registry.update_run(record.run_id, add_tags=kind.NAME, remove_tags=[kind.TAG], notes=kind.NAME)
        assert changed.tags == ["dual_sma"] and changed.notes == "dual_sma" and type(changed.notes) is str
        assert open_store().get_run(record.run_id).tags == ["dual_sma"]
        other = RunRegistry(MemoryStore())
        other.merge(registry)
        assert {run.strategy_name for run in other.list_runs(tags=["dual_sma", kind.TAG])} == {"dual_sma"}

    def test_missing_and_infinite_values_come_last_in_both_directions(self, store):
        values = [1.5, float("nan"), -float("inf"), float("inf"), 0.0]
        store.save_runs([make_record(i, sharpe_ratio=value) for i, value in enumerate(values)])
        for limit in (None, 2, 4):
            assert _numbers(store, sort_by="sharpe_ratio", limit=limit) == [4, 0, 1, 2, 3][:limit]
            assert _numbers(store, sort_by="-sharpe_ratio", limit=limit) == [0, 4, 1, 2, 3][:limit]

    def test_mixed_types_have_one_order(self, store):
        values = ["b", 2, True, None, 10.5, "a", False, 2**80]
        store.save_runs([make_record(i, parameters={"x": value}) for i, value in enumerate(values)])
        assert [values[i] for i in _numbers(store, sort_by="params.x")] == [2, 10.5, 2**80, False, True, "a", "b", None]
        downwards = [2**80, 10.5, 2, True, False, "b", "a", None]
        for limit in (None, 2, 4, 8):
            found = _numbers(store, sort_by="params.x", ascending=False, limit=limit)
            assert [values[i] for i in found] == downwards[:limit]

    def test_best_runs_have_a_finite_metric(self, registry, store):
        values = [1.0, float("nan"), float("inf"), 3.0, 2.0]
        store.save_runs([make_record(i, sharpe_ratio=value, max_drawdown=value) for i, value in enumerate(values)])
        assert [run.total_trades for run in registry.get_best_runs(n=10)] == [3, 4, 0]
        assert [run.total_trades for run in registry.get_best_runs("max_drawdown", n=2)] == [0, 4]
        assert [run.total_trades for run in registry.get_best_runs("max_dd_duration", n=1, ascending=False)] == [4]
        with pytest.raises(ValueError, match="sharpe_ratio"):
            registry.get_best_runs("sharpe")

    # ############# Changing ############# #

    def test_update(self, store, open_store):
        store.save_run(make_record(tags=["a", "b"], notes="old"))
        run_id = make_record().run_id
        assert store.update_run(run_id, add_tags="c", remove_tags=["a"]).tags == ["b", "c"]
        assert store.update_run(run_id, tags=["z"], notes="new").tags == ["z"]
        found = open_store().get_run(run_id)
        assert (found.tags, found.notes) == (["z"], "new")
        assert found.parameters == make_record().parameters
        assert store.count() == 1

    def test_an_update_that_cannot_be_changes_nothing(self, store):
        record = make_record()
        store.save_run(record)
        twin = f"{record.run_id[:-1]}f"
        store.save_run(make_record(run_id=twin))
        with pytest.raises(AmbiguousRunIdError, match=f"{record.run_id}, {twin}"):
            store.update_run(record.run_id[:8], notes="x")
        with pytest.raises(RunNotFoundError):
            store.update_run(str(uuid.uuid4()), notes="x")
        with pytest.raises(TypeError, match="nothing to change"):
            store.update_run(record.run_id)
        with pytest.raises(TypeError, match=r"tags\[1\]"):
            store.update_run(record.run_id, tags=["a", 1])
        with pytest.raises(TypeError, match="notes"):
            store.update_run(record.run_id, notes=5)

        def fail(found):
            found.notes = "half done"
            raise OSError("interrupted")

        with pytest.raises(OSError, match="interrupted"):
            store.update(record.run_id, fail)
        assert store.get_run(record.run_id) == record

    def test_what_was_recorded_can_be_added_to_and_renamed_but_not_changed(self, registry, store, open_store):
        store.save_runs([make_record(i) for i in range(3)])
        run_id = make_record(1).run_id
        changed = registry.update_run(
            run_id,
            strategy_name="ridge",
            rename_parameters={"fast": "slow", "slow": "fast"},
            metrics={"oos_sharpe": 1.5},
            parameters={"stop": pd.Timedelta("5D")},
        )
        for view in (store, open_store()):
            found = view.get_run(run_id)
            assert found == changed and found.strategy_name == "ridge"
            assert found.parameters == {"slow": 1, "fast": 50, "stop": pd.Timedelta("5D")}
            assert _numbers(view, where="oos_sharpe > 1") == _numbers(view, parameters={"slow": 1}) == [1]
            assert [run.run_id for run in RunRegistry(view).get_best_runs("oos_sharpe")] == [run_id]
        for name, change in (
            ("oos_sharpe", dict(metrics={"oos_sharpe": 2.0})),
            ("sharpe_ratio", dict(metrics={"sharpe_ratio": 2.0})),
            ("sortino_ratio", dict(metrics={"sortino_ratio": 2.0}, notes="x")),
            ("run_id", dict(metrics={"run_id": 2.0})),
            ("stop", dict(parameters={"stop": 1}, tags="x")),
            ("nothing", dict(rename_parameters={"nothing": "x"})),
            ("fast", dict(rename_parameters={"slow": "fast"})),
        ):
            with pytest.raises(ValueError, match=name):
                registry.update_run(run_id, **change)
        assert open_store().get_run(run_id) == changed

    def test_many_runs_are_changed_at_once_or_none(self, registry, store, open_store):
        store.save_runs([make_record(i, strategy_name="ab"[i % 2]) for i in range(6)])
        rename = dict(rename_parameters={"fast": "window"})
        would_be = registry.update_runs(strategy_name="a", dry_run=True, **rename)
        assert [run.parameters for run in would_be] == [{"window": i, "slow": 50} for i in (4, 2, 0)]
        assert _numbers(open_store(), where="params.fast >= 0") == [5, 4, 3, 2, 1, 0]
        assert registry.update_runs(strategy_name="a", add_tags="renamed", **rename) == store.list_runs("a")
        assert _numbers(open_store(), tags="renamed", parameters={"window": [0, 2, 4]}) == [4, 2, 0]
        with pytest.raises(ValueError, match="no parameter 'fast' to be renamed"):
            registry.update_runs(where="run_id != none", **rename)
        assert _numbers(open_store(), where="params.fast >= 0") == [5, 3, 1]
        run_ids = [make_record(i).run_id for i in (1, 2)]
        assert len(registry.update_runs(run_ids, new_strategy_name="c", new_tags=["x"], notes="moved")) == 2
        assert _numbers(open_store(), strategy_name="c", tags="x") == [2, 1]
        with pytest.raises(RunNotFoundError):
            registry.update_runs([run_ids[0], str(uuid.uuid4())], notes="x")
        for wrong in (dict(notes="x"), dict(run_ids=run_ids, tags="x", notes="x"), dict(tags="x")):
            with pytest.raises(TypeError, match=r"conditions|nothing to change"):
                registry.update_runs(**wrong)
        assert {run.notes for run in open_store().list_runs("c")} == {"moved"}

    def test_threads_that_update_the_same_run_lose_nothing(self, store, open_store):
        record = make_record(tags=[])
        store.save_run(record)
        tags = [f"t{i}" for i in range(8)]
        views = [store, open_store()]
        threads = [
            threading.Thread(target=views[i % 2].update_run, args=(record.run_id, None, tag))
            for i, tag in enumerate(tags)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(store.get_run(record.run_id).tags) == tags

    @pytest.mark.parametrize("permanent", [False, True])
    def test_a_deleted_run_stays_a_trial(self, store, open_store, permanent):
        record = make_record(notes="private")
        store.save_runs([record, make_record(1)])
        started = datetime.now(UTC)
        assert store.delete_run(record.run_id, permanent) is True
        assert store.delete_run(record.run_id, permanent) is False
        for view in (store, open_store()):
            assert view.get_run(record.run_id) is None
            assert view.count() == 1
            assert [run.run_id for run in view.list_runs()] == [make_record(1).run_id]
            (deleted,) = view.list_runs(Query.of(deleted=True))
            assert deleted.run_id == record.run_id
            assert (deleted.notes, deleted.restorable) == (("", False) if permanent else ("private", True))
            assert started <= deleted.deleted_at <= datetime.now(UTC)
            assert deleted.sharpe_ratio == record.sharpe_ratio and deleted.parameters == record.parameters
            assert len(view.list_runs(Query.of(deleted=None))) == 2

    def test_many_runs_are_deleted_at_once(self, registry, store, open_store):
        store.save_runs([make_record(i) for i in range(6)])
        would_go = registry.delete_runs(where="params.fast >= 4", dry_run=True)
        assert [run.total_trades for run in would_go] == [5, 4] and store.count() == 6
        assert registry.delete_runs(where="params.fast >= 4") == 2
        assert registry.delete_runs([make_record(i).run_id for i in (0, 1, 5)]) == 2
        assert sorted(run.total_trades for run in open_store().list_runs()) == [2, 3]
        with pytest.raises(TypeError, match="conditions"):
            registry.delete_runs()

    # ############# Restoring ############# #

    def test_a_deleted_run_comes_back_as_it_was(self, registry, store, open_store, portfolio):
        store.save_runs([make_record(i, notes="mine") for i in (1, 2)])
        store.save_run(make_record(notes="private"), portfolio)
        before = [run.to_dict() for run in store.list_runs()]
        registry.delete_run(make_record().run_id)
        registry.delete_runs(where="notes == 'mine'")
        assert [info.name for info in store.artifacts.list()] == [f"trash-{make_record().run_id}.pkl"]
        assert registry.check(deep=True) == [] and registry.gc(min_age=0) == []
        assert store.compact().lines_after <= 4
        with pytest.raises(RunNotFoundError, match="no deleted run"):
            open_store().restore_runs([make_record().run_id, str(uuid.uuid4())])
        assert open_store().list_runs() == []
        restored = registry.restore_run(make_record().run_id)
        assert (restored.notes, restored.deleted_at, restored.restorable) == ("private", None, None)
        assert [run.total_trades for run in registry.restore_runs(strategy_name="dual_sma")] == [2, 1]
        for view in (store, open_store()):
            assert [run.to_dict() for run in view.list_runs()] == before and view.list_runs(deleted=True) == []
            assert view.load_portfolio(make_record().run_id).stats().equals(portfolio.stats())
        with pytest.raises(RunNotFoundError, match=f"{make_record().run_id} was not deleted"):
            registry.restore_run(make_record().run_id)
        registry.update_run(make_record().run_id, notes="again")
        registry.delete_run(make_record().run_id)
        (deleted,) = open_store().list_runs(deleted=True)
        assert (deleted.notes, deleted.restorable) == ("again", True)

    def test_the_trash_is_emptied_of_what_is_old(self, registry, store, open_store, portfolio):
        store.save_run(make_record(notes="private"), portfolio)
        store.save_run(make_record(1, notes="mine"))
        registry.delete_runs([make_record().run_id, make_record(1).run_id])
        assert registry.gc() == registry.gc(trash_age="1 hour") == []
        would_go = registry.gc(trash_age=0, dry_run=True)
        assert len(store.artifacts.list()) == 1
        emptied = registry.gc(trash_age=0)
        assert [(one.kind, one.place) for one in emptied] == [(one.kind, one.place) for one in would_go]
        name, size = f"trash-{make_record().run_id}.pkl", len(portfolio.dumps())
        assert [(one.place, one.size) for one in emptied] == [
            (store.artifacts.locate(name), size),
            (f"run {make_record(1).run_id}", 0),
        ]
        assert store.artifacts.list() == [] and registry.gc(trash_age=0) == []
        for view in (store, open_store()):
            deleted = view.list_runs(deleted=True, ascending=True)
            assert [(run.notes, run.artifact, run.restorable) for run in deleted] == 2 * [("", None, False)]
            assert all(run.deleted_at is not None for run in deleted)
        with pytest.warns(UserWarning, match="1 runs come back without their notes and portfolios"):
            assert registry.restore_run(make_record().run_id).artifact is None
        assert open_store().load_portfolio(make_record().run_id) is None

    def test_a_shared_portfolio_is_in_the_trash_when_no_run_needs_it(self, registry, store, open_store, sweep):
        run_ids = registry.save_sweep(sweep, "dual_sma")
        name = f"{registry.get_run(run_ids[0]).sweep_id}.pkl"
        registry.delete_runs(run_ids[:2])
        assert [info.name for info in store.artifacts.list()] == [name]
        registry.delete_run(run_ids[2], permanent=True)  # two of the deleted runs can be restored
        assert [info.name for info in store.artifacts.list()] == [f"trash-{name}"]
        registry.restore_run(run_ids[1])
        assert [info.name for info in store.artifacts.list()] == [name]
        assert open_store().load_portfolio(run_ids[1]).stats().equals(sweep.iloc[1].stats())
        assert [garbage.place for garbage in registry.gc(trash_age=0)] == [f"run {run_ids[0]}"]
        assert [info.name for info in store.artifacts.list()] == [name]
        registry.delete_run(run_ids[1], permanent=True)
        assert store.artifacts.list() == []

    def test_the_returns_of_a_run_in_the_trash_count(self, registry, store, sweep):
        run_ids = registry.save_sweep(sweep, "dual_sma", save_portfolio="returns")
        others = [registry.save_run(sweep.iloc[i], f"days_{i}") for i in (0, 1)]
        before = registry.selection_bias(run_ids[2]), registry.selection_bias(others[0], pool="data")
        registry.delete_runs([*run_ids[:2], others[1]])
        registry.delete_runs([run_ids[2], others[0]])
        registry.restore_runs([run_ids[2], others[0]])
        after = registry.selection_bias(run_ids[2]), registry.selection_bias(others[0], pool="data")
        for one, other in zip(before, after):
            assert other.n_deleted > 0 and other.dsr == one.dsr and list(other.pbo.logits) == list(one.pbo.logits)

    def test_deleted_runs_come_back_from_another_registry(self, registry, store, open_store, portfolio, sweep):
        run_ids = [registry.save_run(portfolio, "a", notes="private"), *registry.save_sweep(sweep, "b")]
        away = RunRegistry(MemoryStore())
        away.merge(registry)
        registry.delete_runs(run_ids[:2])
        registry.delete_run(run_ids[2], permanent=True)
        with pytest.warns(UserWarning, match="restore=True"):
            assert [conflict.run_id for conflict in registry.merge(away).conflicts] == sorted(
                run_ids[:3], key=run_ids.index
            )
        assert sorted(registry.merge(away, restore=True).merged) == sorted(run_ids[:3])
        for view in (store, open_store()):
            assert view.list_runs() == away.store.list_runs() and view.list_runs(deleted=True) == []
            assert view.load_portfolio(run_ids[0]).stats().equals(portfolio.stats())
        registry.delete_run(run_ids[0])
        other = RunRegistry(MemoryStore())
        other.merge(registry)  # with what is in the trash
        assert other.restore_run(run_ids[0]).notes == "private" and other.check(deep=True) == []

    # ############# Portfolios ############# #

    def test_a_portfolio_comes_back(self, store, open_store, portfolio):
        store.save_run(make_record(), portfolio)
        store.save_run(make_record(1))
        for view in (store, open_store()):
            assert view.load_portfolio(make_record().run_id).stats().equals(portfolio.stats())
            assert view.load_portfolio(make_record(1).run_id) is None
            assert view.load_portfolio(str(uuid.uuid4())) is None

    def test_deleting_a_run_for_good_deletes_its_portfolio(self, store, portfolio):
        store.save_run(make_record(), portfolio)
        store.save_run(make_record(1), portfolio)
        assert len(store.artifacts.list()) == 2
        store.delete_run(make_record().run_id, permanent=True)
        assert [info.name for info in store.artifacts.list()] == [f"{make_record(1).run_id}.pkl"]

    def test_a_missing_portfolio_is_an_error(self, store, portfolio, expected_problems):
        store.save_run(make_record(), portfolio)
        store.artifacts.delete(f"{make_record().run_id}.pkl")
        expected_problems.append("missing_artifact")
        with pytest.raises(ArtifactMissingError, match=make_record().run_id):
            store.load_portfolio(make_record().run_id)

    def test_an_altered_portfolio_is_an_error_with_both_digests(self, store, portfolio, expected_problems):
        store.save_run(make_record(), portfolio)
        name = f"{make_record().run_id}.pkl"
        content = bytearray(store.artifacts.read(name))
        content[len(content) // 2] ^= 1
        store.artifacts.write(name, bytes(content))
        expected_problems.append("altered_artifact")
        digest = store.get_run(make_record().run_id).artifact["sha256"]
        with pytest.raises(ArtifactCorruptedError, match=digest) as error:
            store.load_portfolio(make_record().run_id)
        assert make_record().run_id in str(error.value) and str(error.value).count("SHA-256") == 2

    def test_nothing_is_unpickled_without_leave(self, store, portfolio):
        store.save_run(make_record(), portfolio)
        store.allow_pickle = False
        assert store.list_runs()[0].portfolio_path is not None
        with pytest.raises(UntrustedArtifactError, match="allow_pickle"):
            store.load_portfolio(make_record().run_id)

    def test_a_sweep_shares_one_portfolio(self, registry, store, sweep):
        run_ids = registry.save_sweep(sweep, "dual_sma", parameters={"fees": 0.001})
        assert len(store.artifacts.list()) == 1
        whole = sweep.stats(agg_func=None)
        for column, run_id in enumerate(run_ids):
            run = registry.get_run(run_id)
            loaded = registry.load_portfolio(run_id)
            assert run.parameters == {
                "fees": 0.001,
                "days": sweep.wrapper.columns[column],
            }
            assert run.sharpe_ratio == whole["Sharpe Ratio"].iloc[column] == loaded.stats()["Sharpe Ratio"]
            assert (run.sweep_id, run.column) == (registry.get_run(run_ids[0]).sweep_id, column)
        registry.delete_runs(run_ids[:2])
        assert registry.load_portfolio(run_ids[2]).stats().equals(sweep.iloc[2].stats())
        assert registry.load_sweep(run.sweep_id).stats(agg_func=None).equals(whole)
        registry.delete_run(run_ids[2])
        assert len(registry.list_runs(deleted=True, sweep_id=run.sweep_id)) == 3

    # ############# Additions ############# #

    def test_files_belong_to_a_run(self, registry, store, open_store, portfolio, sweep, tmp_path):
        path = tmp_path / "report.html"
        path.write_bytes(b"<p>a report</p>")
        files = {"model.json": b"{}", "report.html": path}
        run_id = registry.save_run(portfolio, "a", metrics={"oos_sharpe": 1.2}, attachments=files)
        alone = registry.save_run(portfolio, "a", save_portfolio=False, attachments={"model.json": b"{}"})
        run_ids = registry.save_sweep(sweep, "b", metrics={"fold": 3, "oos": [1, 2, 3]}, attachments={"m": str(path)})
        registry.update_run(run_ids[1], attachments={"extra": b"more"})
        for view in (RunRegistry(store), RunRegistry(open_store())):
            assert list(view.get_run(run_id).attachments) == ["model.json", "report.html"]
            assert (
                view.load_attachment(run_id, "report.html")
                == view.load_attachment(run_ids[2], "m")
                == path.read_bytes()
            )
            assert view.load_attachment(alone, "model.json") == b"{}"
            assert set(view.get_run(run_ids[1]).attachments) == {"m", "extra"}
            assert [run.stats["oos"] for run in view.get_best_runs("oos")] == [3, 2, 1]
            assert view.get_best_runs("oos_sharpe")[0].run_id == run_id
            with pytest.raises(ValueError, match=r"no attachment 'x'; it has 'model\.json', 'report\.html'"):
                view.load_attachment(run_id, "x")
        with pytest.raises(ValueError, match="'extra' already"):
            registry.update_run(run_ids[1], attachments={"extra": b"other"})
        away = RunRegistry(MemoryStore())
        away.merge(registry)
        assert away.load_attachment(run_ids[1], "extra") == b"more" and away.check(deep=True) == []
        assert registry.gc(min_age=0) == []
        registry.delete_runs([run_id, alone, *run_ids])
        assert registry.gc(min_age=0) == []
        registry.restore_runs([run_id])
        assert registry.load_attachment(run_id, "model.json") == b"{}"
        registry.gc(min_age=0, trash_age=0)
        assert len(store.artifacts.list()) == 3  # the portfolio of the run, and its two files
        registry.delete_run(run_id, permanent=True)
        registry.gc(min_age=0)
        assert store.artifacts.list() == []

    def test_an_altered_attachment_is_found(self, registry, store, portfolio, expected_problems):
        run_id = registry.save_run(portfolio, "a", save_portfolio=False, attachments={"model.json": b"{}"})
        (info,) = store.artifacts.list()
        store.artifacts.write(info.name, b"[]")
        expected_problems.append("altered_artifact")
        with pytest.raises(ArtifactCorruptedError, match=f"'model.json' of run {run_id}"):
            registry.load_attachment(run_id, "model.json")
        assert registry.check() == []
        assert [(problem.kind, problem.run_id) for problem in registry.check(deep=True)] == [
            ("altered_artifact", run_id)
        ]
        store.artifacts.delete(info.name)
        assert [problem.kind for problem in registry.check()] == ["missing_artifact"]
        store.artifacts.write(info.name, b"[]")

    @pytest.mark.parametrize(
        ("given", "error", "said"),
        [
            (dict(metrics={"sharpe_ratio": 1.0}), ValueError, "sharpe_ratio"),
            (dict(metrics={"sortino_ratio": 1.0}), ValueError, "sortino_ratio"),
            (dict(metrics={"params.x": 1.0}), ValueError, r"params\.x"),
            (dict(metrics=["x"]), TypeError, "metrics must be a dict"),
            (dict(metrics={"x": object()}), TypeError, r"metrics\['x'\]"),
            (dict(attachments={"x": 5}), TypeError, r"attachments\['x'\] must be bytes or the path"),
            (dict(attachments={"": b""}), ValueError, "must not be empty"),
            (dict(attachments={"x": "/nowhere/x"}), FileNotFoundError, "nowhere"),
        ],
    )
    def test_what_cannot_be_added_is_refused_and_nothing_is_written(
        self, registry, store, portfolio, given, error, said
    ):
        with pytest.raises(error, match=said):
            registry.save_run(portfolio, "a", **given)
        assert store.count() == 0 and store.artifacts.list() == []

    def test_a_sweep_is_continued(self, registry, store, open_store, sweep):
        first = registry.save_sweep(sweep, "b")
        sweep_id = registry.get_run(first[0]).sweep_id
        assert registry.load_sweep(sweep_id).wrapper.shape[1] == 3
        second = registry.save_sweep(sweep.iloc[1:], "b", sweep_id=sweep_id, metrics={"oos": [1.0, 2.0]})
        view = RunRegistry(open_store())
        assert {run.run_id for run in view.list_runs(sweep_id=sweep_id)} == {*first, *second}
        assert list(view.list_sweeps()["runs"]) == [5]
        assert view.load_portfolio(second[0]).stats().equals(sweep.iloc[1].stats())
        assert view.load_portfolio(first[0]).stats().equals(sweep.iloc[0].stats())
        assert [view.load_sweep(sweep_id, part=part).wrapper.shape[1] for part in (0, 1)] == [3, 2]
        for part in (None, 2, -1):
            with pytest.raises(
                ValueError, match=r"saved in 2 parts: give part=, which is one of 0 \(3 runs, .*1 \(2 runs"
            ):
                view.load_sweep(sweep_id, part)
        registry.delete_runs(second)
        assert len(store.artifacts.list()) == 2 and registry.check(deep=True) == []
        registry.restore_runs(second)
        for wrong, error in (
            (dict(strategy_name="c"), ValueError),
            (dict(sweep_id=str(uuid.uuid4())), RunNotFoundError),
        ):
            with pytest.raises(error, match="sweep"):
                registry.save_sweep(sweep, **{"strategy_name": "b", "sweep_id": sweep_id, **wrong})
        with pytest.raises(ValueError, match="'oos' has 2 values for 3 columns"):
            registry.save_sweep(sweep, "b", metrics={"oos": [1, 2]})
        assert store.count() == 5

    # ############# Upkeep ############# #

    def test_a_run_that_was_deleted_elsewhere_comes_in_as_a_trial(self, store, open_store):
        records = [{**make_record(i, notes="").to_dict(), "verdict": i} for i in range(3)]
        store.insert(RunBlock.of(records[:1]), deleted=True)
        store.insert(RunBlock.of(records[1:]), deleted=True)
        for view in (store, open_store()):
            assert view.list_runs() == [] and view.get(records[0]["run_id"]) is None
            found = view.list_runs(Query.of(deleted=True, ascending=True))
            assert [run.to_dict() for run in found] == records
        for deleted in (False, True):
            with pytest.raises(RunExistsError, match=records[1]["run_id"]):
                store.insert(RunBlock.of([make_record(9).to_dict(), records[1]]), deleted=deleted)
        assert store.count() == 0 and len(store.list_runs(Query.of(deleted=None))) == 3
        with pytest.raises(RunNotFoundError):
            store.update_run(records[0]["run_id"], notes="x")

    def test_upkeep_of_a_sound_store_finds_and_changes_nothing(self, registry, store, open_store, portfolio, sweep):
        run_id = registry.save_run(portfolio, "a")
        run_ids = registry.save_sweep(sweep, "b")
        registry.update_run(run_ids[0], notes="x")
        registry.delete_run(run_ids[1])
        before = [run.to_dict() for run in registry.list_runs(deleted=None)]
        registry.close()
        assert registry.check() == registry.check(deep=True) == []
        assert registry.gc(min_age=0) == []
        registry.compact(dry_run=True)
        registry.compact()
        for view in (store, open_store()):
            assert [run.to_dict() for run in view.list_runs(Query.of(deleted=None))] == before
        assert registry.load_portfolio(run_id).stats().equals(portfolio.stats())

    def test_upkeep_finds_what_is_missing_and_removes_what_nobody_needs(
        self, registry, store, portfolio, expected_problems
    ):
        run_id, orphan = registry.save_run(portfolio, "a"), f"{uuid.uuid4()}.pkl"
        store.artifacts.write(orphan, b"left behind")
        assert [(problem.kind, problem.run_id) for problem in registry.check()] == [("orphan_artifact", None)]
        assert registry.gc() == []
        assert [garbage.size for garbage in registry.gc(min_age=0, dry_run=True)] == [11]
        assert [garbage.size for garbage in registry.gc(min_age=0)] == [11]
        assert registry.check() == []
        store.artifacts.delete(f"{run_id}.pkl")
        expected_problems.append("missing_artifact")
        assert [(problem.kind, problem.run_id) for problem in registry.check()] == [("missing_artifact", run_id)]

    def test_a_blob_that_is_removed_while_its_run_is_being_saved_is_written_again(
        self, registry, store, open_store, portfolio
    ):
        write = store.artifacts.write

        def removed_at_once(name, content):
            write(name, content)
            store.artifacts.write = write
            assert len(registry.gc(min_age=0)) == 1

        store.save_run(make_record())
        store.artifacts.write = removed_at_once
        run_id = registry.save_run(portfolio, "a")
        assert open_store().load_portfolio(run_id).stats().equals(portfolio.stats())

    def test_portfolios_without_any_run_are_kept(self, registry, store):
        name = f"{make_record().run_id}.pkl"
        store.artifacts.write(name, b"not garbage")
        with pytest.warns(UserWarning, match="holds 1 portfolios that no run"):
            assert registry.gc(min_age=0) == []
        assert store.artifacts.read(name) == b"not garbage"
        store.save_run(make_record(1))
        assert [garbage.size for garbage in registry.gc(min_age=0)] == [11]

    def test_runs_go_to_another_store_and_come_back(self, registry, store, open_store, portfolio, sweep):
        run_ids = [registry.save_run(portfolio, "a", {"x": (1, np.nan)}), *registry.save_sweep(sweep, "b")]
        registry.delete_run(run_ids[1])
        away = RunRegistry(MemoryStore())
        assert sorted(registry.export(away).merged) == sorted(run_ids)
        assert sorted(registry.merge(away).skipped) == sorted(run_ids)
        for deleted in (False, True):
            assert list(registry.list_runs(deleted=deleted)) == list(away.list_runs(deleted=deleted))
        assert away.load_portfolio(run_ids[2]).stats().equals(sweep.iloc[1].stats())
        away.store.save_run(make_record(), portfolio)
        away.store.save_run(make_record(1))
        away.delete_run(make_record(1).run_id)
        assert sorted(registry.merge(away).merged) == [make_record().run_id, make_record(1).run_id]
        view = open_store()
        assert view.load_portfolio(make_record().run_id).stats().equals(portfolio.stats())
        assert view.get_run(make_record(1).run_id) is None
        assert registry.check(deep=True) == []


def _numbers(store, **filters):
    """Return the numbers of the records that a query finds, in their order."""
    return [run.total_trades for run in store.list_runs(Query.of(**filters))]
