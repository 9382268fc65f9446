"""A SQLite file: what every store promises, and what only a database can."""

import json
import multiprocessing
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import CorruptedRecordWarning, RunRegistry, SchemaVersionError, StoreError
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.testing import StoreSuite

sa = pytest.importorskip("sqlalchemy", reason="needs the extra sql")

from tests.support.sql_damage import DamageSuite  # noqa: E402
from vectorbt.portfolio.registry import SqliteStore, SqlStore  # noqa: E402
from vectorbt.portfolio.registry.stores.sql import schema  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "golden" / "sqlite_version_1"


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: SqliteStore(tmp_path / "runs.db")


class TestDamage(DamageSuite):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: SqliteStore(tmp_path / "runs.db")

    @pytest.mark.parametrize("written", ["CAST(x'7bff7d' AS TEXT)", "x'00'", "5", "CAST(x'00' AS TEXT)"])
    def test_what_is_no_text(self, open_store, written):
        run_ids = [open_store().save_run(make_record(i)) for i in range(3)]
        with sqlite3.connect(open_store().path) as connection:
            connection.execute(f"UPDATE records SET record = {written} WHERE id = 2")
        registry = RunRegistry(open_store())
        with pytest.warns(CorruptedRecordWarning):
            assert [run.run_id for run in registry.list_runs(ascending=True)] == run_ids[::2]
        assert [problem.run_id for problem in registry.check()] == [run_ids[1]]
        self.check_its_deletion(registry, run_ids)


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    yield store
    store.close()


# ############# Opening ############# #


def test_a_url_opens_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    registry = RunRegistry("sqlite:///runs.db", allow_pickle=False)
    monkeypatch.chdir("/")
    registry.store.save_run(make_record())
    assert isinstance(registry.store, SqlStore) and not registry.store.allow_pickle
    assert (tmp_path / "runs.db").exists()
    assert len(RunRegistry(f"sqlite:///{tmp_path}/runs.db")) == 1


def test_the_environment_variable_may_be_a_url(tmp_path, monkeypatch):
    monkeypatch.setenv("VBT_REGISTRY", f"sqlite:///{tmp_path}/runs.db")
    assert repr(RunRegistry().store) == f"SqlStore('sqlite:///{tmp_path}/runs.db')"


def test_an_engine_opens_it(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/runs.db")
    SqlStore(engine).save_run(make_record())
    assert SqlStore(engine).get_run(make_record().run_id) == make_record()


def test_a_path_may_hold_any_character(tmp_path):
    path = tmp_path / "50% of #1? é 'q'.db"
    SqliteStore(path).save_run(make_record())
    assert path.exists() and pickle.loads(pickle.dumps(SqliteStore(path))).count() == 1


def test_opening_and_reading_write_nothing(tmp_path):
    store = SqliteStore(tmp_path / "deep" / "runs.db")
    assert (store.count(), store.list_runs(), store.metric_names()) == (0, [], set())
    assert store.get_run(make_record().run_id) is None
    assert os.listdir(tmp_path) == []


def test_the_portfolios_lie_beside_the_file(store, portfolio):
    store.save_run(make_record(), portfolio)
    assert os.listdir(f"{store.path}.portfolios") == [f"{make_record().run_id}.pkl"]
    assert store.get_run(make_record().run_id).portfolio_path == f"{store.path}.portfolios/{make_record().run_id}.pkl"


def test_a_store_goes_to_another_process(store):
    store.save_run(make_record())
    assert pickle.loads(pickle.dumps(store)).list_runs() == [make_record()]


def test_no_connection_is_left_open(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    store.save_run(make_record())
    store.list_runs()
    store.close()
    left = [os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path)]
    assert not [path for path in left if path.startswith(str(tmp_path))]
    assert store.count() == 1


# ############# Asking ############# #


@pytest.mark.parametrize(
    "filters",
    [
        dict(strategy_name="a"),
        dict(tags=["t1", "t2"]),
        dict(parameters={"fast": [3, 4], "slow": 50}),
        dict(parameters={"even": True}),
        dict(parameters={"other": None, "fast": 7}),
        dict(since="2024-01-01T05:00", until="2024-01-01T09:00"),
        dict(data="ab" * 32, sweep_id="00000000-0000-4000-8000-000000000001"),
        dict(where="sharpe_ratio > 1.5 and (params.fast in [15, 16] or strategy_name == 'b')"),
        dict(where="total_return <= 15.5 and 't1' in tags and timestamp < '2024-01-02'"),
        dict(where="params.other == none and params.even"),
        dict(where="params.symbol == 'BTC' and params.symbol != none and win_rate == 50"),
        dict(limit=3),
        dict(sort_by="sharpe_ratio", ascending=False, limit=3),
        dict(sort_by="params.fast", ascending=False, limit=3),
        dict(deleted=True),
    ],
    ids=str,
)
def test_the_database_does_the_filtering(store, monkeypatch, filters):
    records = [
        make_record(
            i,
            strategy_name="ab"[i % 2],
            tags=[f"t{i % 5}"],
            parameters={"fast": i, "slow": 50, "even": i % 2 == 0, "symbol": ("BTC", "10")[i % 2]},
            sweep_id=f"00000000-0000-4000-8000-00000000000{i % 3}",
        )
        for i in range(20)
    ]
    for record in records:
        store.save_run(record)
    store.delete_runs([records[0].run_id, records[5].run_id])
    read = []
    monkeypatch.setattr(store, "_record", lambda *row, make=store._record: read.append(row) or make(*row))
    found = store.list_runs(Query.of(**filters))
    assert 0 < len(found) < 18
    assert len(read) <= len(found) + 1


@pytest.mark.parametrize(
    "filters",
    [
        dict(where=" or ".join(f"win_rate=={i}" for i in range(500))),
        dict(where=f"params.fast in {list(range(1500))}"),
        dict(where="not " * 98 + "(params.fast == 1)"),
        dict(parameters={"fast": list(range(50_000))}),
        dict(parameters={"fast": 1, **{f"p{i}": None for i in range(2000)}}),
        dict(tags=["daily", *map(str, range(50_000))]),
    ],
    ids=["or", "list", "not", "values", "parameters", "tags"],
)
def test_questions_may_be_long(store, filters):
    store.save_runs([make_record(i) for i in (1, 2)])
    expected = [record for record in (make_record(2), make_record(1)) if Query.of(**filters).matches(record)]
    assert store.list_runs(Query.of(**filters, limit=5)) == expected != []


# ############# Bad input ############# #


@pytest.mark.parametrize(
    ("location", "error", "message"),
    [
        ("mysql://root:sesame@host/db", ValueError, "no store for mysql"),
        ("sqlite://", ValueError, "MemoryStore"),
        ("sqlite:///:memory:", ValueError, "MemoryStore"),
        ("sqlite:////", IsADirectoryError, "is a folder"),
        ("postgresql://quant:sesame@host:port/db", ValueError, "'postgresql...' is no URL of a database"),
        ("postgresql://host:port/db?password=sesame", ValueError, "is no URL of a database"),
        ("postgresql://quant@x:sesame@host:port/db", ValueError, "is no URL of a database"),
        (" postgresql://quant:sesame@host/db", ValueError, "is no URL of a database"),
        ("postgresql:/quant:sesame@host/db", ValueError, "begins with 'postgresql://'"),
        ("postgresql+psycopg2-x://quant:sesame@host/db", ValueError, "is no URL of a database"),
        ("postgresql+asyncpg://quant:sesame@host/db", ValueError, "no store for the driver asyncpg"),
        ("sqlite+pysqlcipher://:sesame@/x.db", ValueError, "no store for the driver pysqlcipher"),
        ("sqlite:runs.db", ValueError, "begins with 'sqlite://'"),
        ("runs.db", ValueError, "is no URL of a database"),
        ("sqlite:///runs.db?mode=ro", ValueError, "takes no options, but has mode"),
        ("postgresql+psycopg://quant:sesame@host/db", ValueError, "pass artifacts="),
        (5, TypeError, "not int"),
    ],
)
def test_a_wrong_url(location, error, message):
    with pytest.raises(error, match=message) as raised:
        SqlStore(location)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    "location", ["sqlite:runs.db", "sqlite:/runs.db", "postgresql:/q:sesame@h/db", "x_y://bucket", "s3:bucket"]
)
def test_a_malformed_url_is_not_taken_for_a_folder(tmp_path, monkeypatch, location):
    monkeypatch.chdir(tmp_path)
    for use in (RunRegistry, lambda place: SqliteStore("runs.db", artifacts=place)):
        with pytest.raises(ValueError, match=r"URL|no file system") as raised:
            use(location).store.save_run(make_record())
        assert "sesame" not in str(raised.value)
    assert os.listdir(tmp_path) == []
    RunRegistry("./a:b").store.save_run(make_record())
    assert os.listdir(tmp_path) == ["a:b"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://key:sesame@bucket/prefix", "contains a password"),
        ("s3://key:abc/sesame@bucket/prefix", "contains a password"),
        ("s3://key:123/sesame@bucket", "contains a password"),
        ("s3://key:ses@ame/sesame", "contains a password"),
        ("simplecache::s3://key:sesame@bucket", "is no URL"),
        ("s3://sesame@bucket/prefix", "contains a password"),
        ("abfs://container@account/prefix?sas=sesame", "contains a password"),
        ("s3://", "names no bucket"),
        ("nowhere://bucket", "no file system"),
    ],
)
def test_a_wrong_place_for_portfolios(tmp_path, url, message):
    with pytest.raises(ValueError, match=message) as raised:
        SqliteStore(tmp_path / "runs.db", artifacts=url)
    assert "sesame" not in str(raised.value)


def test_scheme_and_driver_may_be_written_otherwise(tmp_path):
    RunRegistry(f"SQLite+pysqlite:///{tmp_path}/runs.db").store.save_run(make_record())
    assert "runs.db'), 1 run of " in repr(RunRegistry(f"sqlite:///{tmp_path}/runs.db"))
    assert SqliteStore(tmp_path / "runs.db", artifacts="MEMORY://portfolios").artifacts.root == "memory://portfolios"


def test_what_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"dear diary " * 100)
    for use in (lambda s: s.list_runs(), lambda s: s.save_run(make_record())):
        with pytest.raises(SchemaVersionError, match=r"notes\.txt is not a SQLite database"):
            use(SqliteStore(path))
    assert path.read_bytes() == b"dear diary " * 100


def test_the_database_of_somebody_else_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "theirs.db") as connection:
        connection.execute("CREATE TABLE runs (distance)")
    before = (tmp_path / "theirs.db").read_bytes()
    for use in (lambda s: s.list_runs(), lambda s: s.save_run(make_record())):
        with pytest.raises(SchemaVersionError, match=r"has tables \(runs.* is no registry"):
            use(SqliteStore(tmp_path / "theirs.db"))
    assert (tmp_path / "theirs.db").read_bytes() == before


def test_a_registry_that_cannot_be_read_is_shown(tmp_path):
    (tmp_path / "runs.db").write_bytes(b"dear <diary> " * 100)
    registry = RunRegistry(f"sqlite:///{tmp_path}/runs.db")
    assert "runs.db'), cannot be read: " in repr(registry) and "is not a SQLite database" in registry._repr_html_()


@pytest.mark.parametrize("made", ["TABLE runs (distance)", "VIEW runs AS SELECT 1"])
def test_nothing_is_put_beside_the_database_of_somebody_else(tmp_path, portfolio, made):
    with sqlite3.connect(tmp_path / "theirs.db") as connection:
        connection.execute(f"CREATE {made}")
    with pytest.raises(SchemaVersionError, match=r"has tables \(runs.* is no registry"):
        SqliteStore(tmp_path / "theirs.db").save_run(make_record(), portfolio)
    assert os.listdir(tmp_path) == ["theirs.db"]


def test_a_database_that_does_not_say_which_schema_it_has_is_refused(store):
    store.save_run(make_record())
    with sqlite3.connect(store.path) as connection:
        connection.execute("DELETE FROM vectorbt_registry")
    for use in (lambda s: s.list_runs(), lambda s: s.save_run(make_record(1))):
        with pytest.raises(SchemaVersionError, match=r"does not say which schema.*restore"):
            use(SqliteStore(store.path))


@pytest.mark.parametrize("by_engine", [False, True])
def test_a_file_that_was_removed_is_not_written_to_any_more(tmp_path, by_engine):
    path = tmp_path / "runs.db"
    store = SqlStore(sa.create_engine(f"sqlite:///{path}")) if by_engine else SqliteStore(path)
    registry = RunRegistry(store)
    store.save_run(make_record(stats={"custom": 1.0}))
    for file in tmp_path.glob("runs.db*"):
        file.unlink()
    store.save_run(make_record(1, stats={"custom": 2.0}))
    assert RunRegistry(SqliteStore(path)).list_runs(where="custom == 2") == [make_record(1, stats={"custom": 2.0})]
    os.replace(path, f"{path}.old")
    assert len(registry) == 0
    SqliteStore(path).save_run(make_record(2))
    assert [run.run_id for run in registry.list_runs()] == [make_record(2).run_id]


def test_a_place_that_no_folder_can_be_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    store = SqliteStore(tmp_path / "notes.txt" / "runs.db")
    with pytest.raises(StoreError, match=r"notes\.txt/runs\.db"):
        store.save_run(make_record())


def test_what_no_database_can_hold_is_not_there(store):
    registry = RunRegistry(store)
    store.save_run(make_record())
    half = "\ud800"
    assert registry.list_runs(half) == registry.list_runs(sweep_id=half) == []
    assert registry.list_runs(where=f"params.fast == '{half}' or params['{half}'] == 1 or '{half}' in tags") == []
    assert registry.load_sweep(half) is None and half not in registry and "\0" not in registry
    assert len(registry.list_runs(where=f"strategy_name != '{half}'")) == 1


@pytest.mark.parametrize("name", ["m" * 250, "a\0b", "\ufffd", '"quoted"', "größer"])
def test_a_metric_may_have_any_name(store, name):
    record = make_record(stats={name: 1.0})
    store.save_run(record)
    assert store.list_runs(Query.of(sort_by=name)) == [record] and name in store.metric_names()


def test_taking_over_what_is_not_there_is_an_error(tmp_path, store):
    with pytest.raises(FileNotFoundError, match=r"no registry in .*typo\.db"):
        RunRegistry(store).merge(f"sqlite:///{tmp_path}/typo.db")


def test_a_newer_version_is_refused(store):
    store.save_run(make_record())
    with sqlite3.connect(store.path) as connection:
        connection.execute("INSERT INTO vectorbt_registry VALUES ('add_what_is_not_known_yet')")
    for use in (lambda s: s.list_runs(), lambda s: s.save_run(make_record(1))):
        with pytest.raises(SchemaVersionError, match=r"add_what_is_not_known_yet.*upgrade"):
            use(SqliteStore(store.path))


def make_newer(path):
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO vectorbt_registry VALUES ('add_what_is_not_known_yet')")


def test_a_store_that_is_open_does_not_write_to_a_newer_version(store, portfolio):
    store.save_run(make_record())
    store.save_run(make_record(1))
    make_newer(store.path)
    for change in (
        lambda: store.save_run(make_record(2), portfolio),
        lambda: store.save_runs([make_record(i, sweep_id=make_record(9).run_id) for i in (3, 4)]),
        lambda: store.update_run(make_record().run_id, notes="changed"),
        lambda: store.delete_runs([make_record(1).run_id]),
    ):
        with pytest.raises(SchemaVersionError, match=r"add_what_is_not_known_yet.*upgrade"):
            change()
    with sqlite3.connect(store.path) as connection:
        connection.execute("DELETE FROM vectorbt_registry WHERE name <> 'version_1'")
    assert store.list_runs(deleted=None) == [make_record(1), make_record()]
    assert store.artifacts.list() == []


def test_a_copy_is_put_into_wal_by_the_first_save(store, tmp_path):
    store.save_run(make_record())
    copy = SqliteStore(tmp_path / "copy.db")
    with sqlite3.connect(store.path) as connection:
        connection.execute("VACUUM INTO ?", [str(copy.path)])
    assert copy.list_runs() == [make_record()]
    assert journal_mode(copy.path) == "delete"  # reading has written nothing
    copy.save_run(make_record(1))
    assert journal_mode(copy.path) == "wal"
    with sqlite3.connect(copy.path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM runs").fetchone() == (2,)
        copy.save_run(make_record(2))


def journal_mode(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


@pytest.mark.parametrize(
    ("level", "is_warned_of"), [("OFF", True), ("NORMAL", True), ("FULL", False), ("EXTRA", False)]
)
def test_an_engine_that_does_not_wait_for_the_disk_is_warned_of(tmp_path, recwarn, level, is_warned_of):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/runs.db")
    sa.event.listen(engine, "connect", lambda driver, _: driver.execute(f"PRAGMA synchronous = {level}"))
    store = SqlStore(engine)
    for i in range(2):
        store.save_run(make_record(i))
    assert ["less than FULL" in str(warning.message) for warning in recwarn] == [True] * is_warned_of


def test_the_folders_are_made_by_the_first_save(tmp_path, portfolio):
    registry = RunRegistry(f"sqlite:///{tmp_path}/a/b/runs.db")
    assert len(registry) == 0
    assert not (tmp_path / "a").exists()
    run_id = registry.save_run(portfolio, "dual_sma")
    assert registry.load_portfolio(run_id) is not None
    registry.close()


def test_missing_packages_are_named(tmp_path):
    script = f"""
import sys
sys.modules["sqlalchemy"] = None
from vectorbt.portfolio.registry import RunRegistry
for location in ("sqlite:///{tmp_path}/runs.db",):
    try:
        RunRegistry(location)
    except ImportError as e:
        print(e)
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert 'pip install "vectorbt-registry[sql]"' in shown


def test_a_failing_write_changes_nothing(store, portfolio):
    store.save_run(make_record())
    with sqlite3.connect(store.path) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON tags BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(StoreError, match=r"runs\.db.*disk full"):
        store.save_run(make_record(1), portfolio)
    assert store.list_runs(Query.of(deleted=None)) == [make_record()]
    assert store.artifacts.list() == []
    with pytest.raises(StoreError, match="disk full"):
        store.update_run(make_record().run_id, tags=["another"])
    assert store.get_run(make_record().run_id).tags == ["daily"]


# ############# Versions ############# #


def test_version_1_opens_forever(tmp_path):
    shutil.copy(GOLDEN / "runs.db", tmp_path)
    store = SqliteStore(tmp_path / "runs.db")
    expected = json.loads((GOLDEN / "expected.json").read_bytes())
    assert [record.to_dict() for record in store.select(Query())] == expected["runs"]
    assert [record.to_dict() for record in store.select(Query(deleted=True))] == expected["deleted"]
    assert [r.run_id for r in store.list_runs(Query.of(parameters={"on": True}))] == [make_record(1).run_id]
    store.save_run(make_record(9))
    assert store.count() == 5
    store.close()


def add_verdict(connection):
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN verdict TEXT")


def fill_verdict(connection):
    connection.exec_driver_sql("UPDATE runs SET verdict = 'kept'")


def stop_halfway(connection):
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN half TEXT")
    connection.exec_driver_sql("no SQL")


def columns_of(path):
    with sqlite3.connect(path) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(runs)")]


@pytest.mark.parametrize("begins", ["with reading", "with writing"])
def test_migrations_are_applied_in_order_and_whole(store, monkeypatch, begins):
    store.save_run(make_record())
    monkeypatch.setattr(schema, "MIGRATIONS", (add_verdict, fill_verdict, stop_halfway))
    use = (lambda s: s.list_runs()) if begins == "with reading" else (lambda s: s.save_run(make_record(1)))
    for _ in range(2):
        with pytest.raises(StoreError, match="syntax error"):
            use(SqliteStore(store.path))
    with sqlite3.connect(store.path) as connection:
        seen = [name for (name,) in connection.execute("SELECT name FROM vectorbt_registry ORDER BY rowid")]
        assert seen == ["version_1", "add_verdict", "fill_verdict"]
        assert connection.execute("SELECT verdict FROM runs").fetchall() == [("kept",)]
    assert "half" not in columns_of(store.path)
    monkeypatch.setattr(schema, "MIGRATIONS", (add_verdict, fill_verdict))
    assert SqliteStore(store.path).list_runs() == [make_record()]


def test_a_new_database_has_seen_all_migrations(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", (add_verdict,))
    for _ in range(2):  # the tables are made as they are now, so there is nothing to change about them
        store = SqliteStore(tmp_path / "runs.db")
        store.save_run(make_record(store.count()))
    assert store.count() == 2 and "verdict" not in columns_of(store.path)


def test_what_another_process_has_migrated_is_not_migrated_again(store, monkeypatch):
    store.save_run(make_record())
    monkeypatch.setattr(schema, "MIGRATIONS", (add_verdict,))
    late = SqliteStore(store.path)
    exclusive = late.database.exclusive

    def overtaken():
        monkeypatch.setattr(late.database, "exclusive", exclusive)
        SqliteStore(store.path).list_runs()
        return exclusive()

    monkeypatch.setattr(late.database, "exclusive", overtaken)
    assert late.list_runs() == [make_record()]


# ############# At the same time ############# #

WRITERS, SAVES = 8, 10


def save_some(store, writer):
    """Save runs and change one that all writers share."""
    for i in range(SAVES):
        store.save_run(make_record(1000 * (writer + 1) + i))
        store.update_run(make_record().run_id, add_tags=f"{writer}-{i}")


def check_saved(store, writers=WRITERS):
    assert store.count() == writers * SAVES + 1
    assert len(store.get_run(make_record().run_id).tags) == writers * SAVES + 1


@pytest.mark.parametrize(("method", "writers"), [("fork", WRITERS), ("spawn", 2)])
def test_processes_lose_nothing(store, method, writers):
    store.save_run(make_record())
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=save_some, args=(store, writer)) for writer in range(writers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * writers
    check_saved(store, writers)


def test_processes_make_the_tables_together(tmp_path):
    context = multiprocessing.get_context("fork")
    stores = [SqliteStore(tmp_path / "runs.db") for _ in range(WRITERS)]
    processes = [context.Process(target=s.save_run, args=(make_record(i),)) for i, s in enumerate(stores)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert stores[0].count() == WRITERS


def test_threads_lose_nothing(store):
    store.save_run(make_record())
    threads = [threading.Thread(target=save_some, args=(store, writer)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_saved(store)


def test_readers_do_not_wait_for_a_writer(store):
    store.save_run(make_record())
    seen = store.database.write(lambda connection: SqliteStore(store.path).count())
    assert seen == 1


def test_exclusive_keeps_others_out(store):
    store.save_run(make_record())
    other = SqliteStore(store.path)
    saved = threading.Thread(target=other.save_run, args=(make_record(1),))
    with store.exclusive(), store.exclusive():
        saved.start()
        saved.join(0.2)
        assert store.count() == 1
        store.save_run(make_record(2))
    saved.join()
    assert store.count() == 3
