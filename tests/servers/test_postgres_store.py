"""PostgreSQL, with portfolios in a folder: what every store promises, and what only a server can."""

import gc
import multiprocessing
import pickle
import random
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import given

from tests.stores.test_store_equivalence import check_equivalence
from tests.support.equivalence import cases
from tests.support.examples import expensive
from tests.support.factories import make_record
from tests.support.interrupts import Interrupter, changes
from vectorbt.portfolio.registry import (
    FileStore,
    MemoryStore,
    RunRegistry,
    SchemaVersionError,
    StoreError,
)
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.errors import LockHeldWarning
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.testing import StoreSuite

pytestmark = pytest.mark.servers

sa = pytest.importorskip("sqlalchemy", reason="needs the extra sql")

from tests.support.sql_damage import DamageSuite  # noqa: E402
from vectorbt.portfolio.registry import SqliteStore, SqlStore  # noqa: E402
from vectorbt.portfolio.registry.stores.sql import database  # noqa: E402

SWEEP = "00000000-0000-4000-8000-00000000abcd"


class TestPostgresWithFolder(StoreSuite):
    @pytest.fixture
    def open_store(self, postgres_url, tmp_path):
        return lambda: SqlStore(postgres_url, artifacts=tmp_path / "portfolios")


class TestDamage(DamageSuite):
    @pytest.fixture
    def open_store(self, postgres_url, tmp_path):
        with ExitStack() as stack:

            def open_store():
                store = SqlStore(postgres_url, artifacts=tmp_path / "portfolios")
                stack.callback(store.close)
                return store

            yield open_store


@pytest.fixture
def store(postgres_url, tmp_path):
    store = SqlStore(postgres_url, artifacts=tmp_path / "portfolios")
    yield store
    store.close()


@expensive(50)
@given(case=cases())
def test_answers_are_those_of_the_reference(case, postgres_socket, tmp_path_factory):
    import psycopg

    with psycopg.connect(host=str(postgres_socket), user="admin", dbname="postgres", autocommit=True) as admin:
        admin.execute("DROP SCHEMA IF EXISTS equivalence CASCADE")
        admin.execute("CREATE SCHEMA equivalence")
    url = f"postgresql+psycopg://admin@/postgres?host={postgres_socket}&options=-csearch_path%3Dequivalence"
    store = SqlStore(url, artifacts=tmp_path_factory.mktemp("artifacts"))
    check_equivalence(store, *case)
    store.close()


# ############# Between stores ############# #


def test_a_notebooks_folder_moves_to_the_teams_database(store, tmp_path, sweep):
    notebook = RunRegistry(FileStore(tmp_path / "notebook"))
    run_ids = notebook.save_sweep(sweep, "dual_sma")
    team = RunRegistry(store)
    team.merge(notebook)
    assert team.list_runs() == notebook.list_runs()
    assert team.load_portfolio(run_ids[1]).stats().equals(sweep.iloc[1].stats())


# ############# Credentials ############# #


def test_the_password_is_nowhere(store):
    store.save_run(make_record())
    assert b"open-sesame" not in pickle.dumps(store)
    assert "open-sesame" not in repr(store) and "***" in repr(store)
    assert pickle.loads(pickle.dumps(store)).count() == 1


@pytest.mark.parametrize("option", ["", "?sslpassword=open-sesame"])
def test_the_password_is_in_no_error(tmp_path, caplog, option):
    caplog.set_level("DEBUG")
    store = SqlStore(f"postgresql+psycopg://quant:open-sesame@127.0.0.1:1/db{option}", artifacts=tmp_path)
    with pytest.raises(StoreError, match=r"quant:\*\*\*@127\.0\.0\.1:1/db") as raised:
        store.list_runs()
    error = raised.value
    while error is not None:
        assert "open-sesame" not in str(error)
        error = error.__cause__ or error.__context__
    assert "open-sesame" not in caplog.text + repr(store) + repr(pickle.dumps(store))


# ############# Bad input ############# #


def test_the_password_is_in_no_frame_of_an_error(tmp_path):
    store = SqlStore("postgresql+psycopg://quant:open-sesame@/db?host=/nowhere", artifacts=tmp_path)
    with pytest.raises(StoreError) as raised:
        store.list_runs()
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True).format()
    assert "open-sesame" not in "".join(line for line in shown if __file__ not in line)


def test_a_database_that_is_not_there(postgres_socket, tmp_path):
    store = SqlStore(f"postgresql+psycopg://admin@/nowhere?host={postgres_socket}", artifacts=tmp_path)
    with pytest.raises(StoreError, match='"nowhere" does not exist'):
        store.list_runs()


def test_the_tables_of_somebody_else_are_left_alone(store, admin):
    role = store.database.url.username
    admin.execute(f"CREATE TABLE {role}.invoices (amount int)")
    admin.execute(f"ALTER TABLE {role}.invoices OWNER TO {role}")
    for use in (store.list_runs, lambda: store.save_run(make_record())):
        with pytest.raises(SchemaVersionError, match=r"invoices.*is no registry"):
            use()
    assert admin.execute(f"SELECT count(*) FROM pg_tables WHERE schemaname = '{role}'").fetchone() == (1,)


def test_who_may_only_read_reads(store, admin, postgres_socket, portfolio):
    store.save_run(make_record(), portfolio)
    role = store.database.url.username
    admin.execute(f"CREATE ROLE guest_of_{role} LOGIN")
    admin.execute(f"GRANT USAGE ON SCHEMA {role} TO guest_of_{role}")
    admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {role} TO guest_of_{role}")
    url = f"postgresql+psycopg://guest_of_{role}@/postgres?host={postgres_socket}&options=-csearch_path%3D{role}"
    guest = SqlStore(url, artifacts=store.artifacts)
    assert guest.get_run(make_record().run_id) == store.get_run(make_record().run_id)
    with pytest.raises(StoreError, match="permission denied"):
        guest.save_run(make_record(1), portfolio)
    assert len(store.artifacts.list()) == 1
    guest.close()
    admin.execute(f"DROP OWNED BY guest_of_{role}; DROP ROLE guest_of_{role}")


@pytest.mark.parametrize("path", ["{role}", "%22$user%22,{role},public", "Typo,public"])
def test_who_may_not_even_look_takes_nothing_for_garbage(store, admin, postgres_socket, portfolio, path):
    store.save_run(make_record(), portfolio)
    role = store.database.url.username
    path = path.format(role=role)
    admin.execute(f"CREATE ROLE stranger_to_{role} LOGIN")
    url = f"postgresql+psycopg://stranger_to_{role}@/postgres?host={postgres_socket}&options=-csearch_path%3D{path}"
    stranger = SqlStore(url, artifacts=store.artifacts)
    registry = RunRegistry(stranger)
    for use in (
        registry.list_runs,
        registry.check,
        lambda: registry.gc(min_age=0),
        lambda: stranger.save_run(make_record(1), portfolio),
    ):
        with pytest.raises(StoreError, match=f"no schema ({role}|typo)"):
            use()
    assert len(store.artifacts.list()) == 1
    stranger.close()
    admin.execute(f"DROP ROLE stranger_to_{role}")


def test_a_database_without_an_encoding(admin, postgres_socket, tmp_path):
    admin.execute("CREATE DATABASE plain ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    store = SqlStore(f"postgresql+psycopg://admin@/plain?host={postgres_socket}", artifacts=tmp_path)
    record = make_record(strategy_name="Größe", parameters={"x": "μ"})
    store.save_run(record)
    assert store.list_runs(Query.of("Größe", parameters={"x": "μ"}, limit=1)) == [record]
    store.close()
    admin.execute("DROP DATABASE plain")


@pytest.fixture
def latin1_url(admin, postgres_socket):
    """URL of a database whose encoding lacks most characters."""
    admin.execute("CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    yield f"postgresql+psycopg://admin@/latin1?host={postgres_socket}"
    admin.execute("DROP DATABASE latin1")


TEXTS = ["plain", "Größe", "\u2605", "日本", "\U0001f600", "back\\slash", "\\u2605", "\\", "nul\0", "\ufffd"]


def test_the_encoding_of_a_database_changes_no_answer(latin1_url, tmp_path):
    reference = RunRegistry(MemoryStore())
    for number, text in enumerate(TEXTS):
        reference.store.save_run(
            make_record(
                number,
                strategy_name=text,
                tags=[text],
                notes=text,
                parameters={"k": text, text: 1},
                stats={text: float(number), "sortino_ratio": number % 3},
            )
        )
    store = SqlStore(latin1_url, artifacts=tmp_path)
    registry = RunRegistry(store)
    registry.store.save_run(make_record(99, strategy_name="was there"))
    assert len(registry.merge(reference).merged) == len(TEXTS)
    registry.delete_run(make_record(99).run_id)
    for text in [*TEXTS, "\u2606", "\\u2606"]:
        written = text.replace("\\", "\\\\")
        for filters in (
            dict(strategy_name=text),
            dict(tags=text),
            dict(parameters={"k": text}),
            dict(parameters={text: 1}),
            dict(where=f"strategy_name == '{written}' or '{written}' in tags"),
            dict(where=f"not (params.k in ['{written}']) and params['{written}'] != none"),
            dict(where=f"notes == '{written}'"),
            dict(sort_by=text if text in TEXTS else "sortino_ratio", limit=3),
            dict(sort_by="sortino_ratio", strategy_name=text, limit=3),
            dict(sweep_id=text),
        ):
            assert registry.list_runs(**filters) == reference.list_runs(**filters), filters
    assert set(TEXTS) <= store.metric_names()
    registry.update_run(make_record(2).run_id, add_tags="\u2606")
    assert [run.run_id for run in registry.list_runs(tags="\u2606")] == [make_record(2).run_id]
    registry.delete_run(make_record(2).run_id)
    assert [run.strategy_name for run in registry.list_runs(deleted=True, tags="\u2606")] == ["\u2605"]
    store.close()


def test_a_sweep_shares_any_character(latin1_url, tmp_path):
    runs = [make_record(i, sweep_id=SWEEP, environment={"name": "\u2605"}) for i in range(2)]
    store = SqlStore(latin1_url, artifacts=tmp_path)
    store.save_runs(runs)
    store.close()
    reopened = SqlStore(latin1_url, artifacts=tmp_path)
    assert reopened.list_runs() == runs[::-1]
    reopened.close()


# ############# Lost connections ############# #


def end_connections(admin, store):
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [store.database.url.username]
    )


def test_a_connection_that_was_lost_is_made_again(store, admin):
    store.save_run(make_record())
    end_connections(admin, store)
    assert store.list_runs() == [make_record()]


# Whoever brings an id holds the lock from the beginning. With the lock is lost what it would take to tidy up.
@pytest.mark.parametrize(("new_ids", "orphans"), [(True, 0), (False, 1)])
def test_a_save_that_loses_its_connection_saves_nothing(store, admin, monkeypatch, portfolio, new_ids, orphans):
    store.save_run(make_record())
    insert_rows = store._insert_rows

    def lose(*arguments):
        insert_rows(*arguments)
        end_connections(admin, store)
        return set()

    monkeypatch.setattr(store, "_insert_rows", lose)
    with pytest.raises(StoreError, match=r"quant_.*:\*\*\*@"):
        store.save_run(make_record(1), portfolio, new_ids=new_ids)
    monkeypatch.undo()
    assert store.list_runs() == [make_record()]
    assert len(store.artifacts.list()) == orphans
    store.save_run(make_record(1), portfolio)
    assert store.count() == 2


def test_a_lost_lock_is_not_taken_for_held(store, admin):
    store.save_run(make_record())
    with pytest.raises(StoreError, match="the lock with it"), store.exclusive():
        end_connections(admin, store)
        with pytest.raises(StoreError):
            store.save_run(make_record(1))
        store.save_run(make_record(2))
    assert store.count() == 1


def test_whoever_waits_is_told_for_whom_and_not_longer_than_allowed(postgres_url, store, tmp_path):
    store.save_run(make_record())
    other = SqlStore(postgres_url, artifacts=tmp_path / "portfolios", lock_timeout=1.1)
    waits = pytest.warns(LockHeldWarning, match=r"held by process \d+ of the server, for .*: 1\.1 seconds at most")
    with store.exclusive(), ThreadPoolExecutor(1) as thread, waits:
        waiting = thread.submit(other.save_run, make_record(1))
        with pytest.raises(StoreError, match=r"still held after 1\.1 seconds by process \d+ of the server"):
            waiting.result()
    other.save_run(make_record(1))
    other.close()


# ############# Conflicts ############# #


@pytest.fixture
def conflicts(store, admin, monkeypatch):
    """Function that has every session of the store fail as often as is said, whenever it reads or changes a run."""
    monkeypatch.setattr(database, "_PAUSE_SECONDS", 0.0001)
    schema = store.database.url.username

    def arrange(code, times):
        # A lock of a session outlives the transactions that are undone, and counts them.
        admin.execute(f"""
            CREATE FUNCTION {schema}.fail() RETURNS boolean LANGUAGE plpgsql AS $$
            DECLARE failed integer;
            BEGIN
                SELECT count(*) INTO failed FROM pg_locks WHERE locktype = 'advisory' AND classid = 7
                    AND pid = pg_backend_pid();
                IF failed < {times} THEN
                    PERFORM pg_advisory_lock(7, failed);
                    RAISE EXCEPTION 'attempt % is undone', failed USING ERRCODE = '{code}';
                END IF;
                RETURN true;
            END $$;
            ALTER TABLE {schema}.runs ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {schema}.runs FORCE ROW LEVEL SECURITY;
            CREATE POLICY conflict ON {schema}.runs USING ({schema}.fail()) WITH CHECK ({schema}.fail());
        """)

    store.save_runs([make_record(i) for i in range(3)])
    yield arrange
    admin.execute(f"ALTER TABLE {schema}.runs DISABLE ROW LEVEL SECURITY")


ASKED = {
    "save_runs": lambda store: store.save_runs([make_record(10), make_record(11)], new_ids=True),
    "update_run": lambda store: store.update_run(make_record().run_id, add_tags="again"),
    "delete_runs": lambda store: store.delete_runs([make_record(i).run_id for i in range(3)]),
    "get_run": lambda store: store.get_run(make_record().run_id),
    "list_runs": lambda store: store.list_runs(Query.of("dual_sma", limit=2)),
}


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("call", ASKED)
def test_what_conflicts_is_done_again(store, conflicts, call, code, tmp_path):
    reference = SqliteStore(tmp_path / "reference.db")
    reference.save_runs([make_record(i) for i in range(3)])
    conflicts(code, database._ATTEMPTS - 1)
    assert ASKED[call](store) == ASKED[call](reference)
    assert store.list_runs() == reference.list_runs()


@pytest.mark.parametrize("call", ASKED)
def test_a_conflict_that_does_not_end_is_an_error(store, admin, conflicts, call):
    conflicts("40001", database._ATTEMPTS)
    with pytest.raises(StoreError, match=rf":\*\*\*@.*attempt {database._ATTEMPTS - 1} is undone"):
        ASKED[call](store)
    assert store.list_runs() == [make_record(i) for i in (2, 1, 0)]


@pytest.mark.parametrize("call", ASKED)
def test_other_errors_come_at_once(store, conflicts, call):
    conflicts("P0001", 1)
    with pytest.raises(StoreError, match="attempt 0 is undone"):
        ASKED[call](store)


def test_a_deadlock_is_resolved(store, admin, postgres_socket):
    import psycopg

    schema = store.database.url.username
    runs = [make_record(i) for i in range(2)]
    store.save_runs(runs)
    touch = f"UPDATE {schema}.runs SET position = NULL WHERE run_id = %s"
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
    # The server ends the session that notices first.
    with psycopg.connect(host=str(postgres_socket), user="admin", dbname="postgres") as other:
        other.execute("SET deadlock_timeout = '1h'")
        other.execute(touch, [runs[1].run_id])
        removal = ThreadPoolExecutor(1).submit(store.remove, [run.run_id for run in runs], Deletion.now())
        while admin.execute(waiting, [schema]).fetchone() == (0,):
            assert not removal.done()
        other.execute(touch, [runs[0].run_id])
    assert removal.result() == runs
    assert store.count() == 0


# ############# At the same time ############# #

WRITERS, SAVES = 8, 5


def save_some(store, writer):
    for i in range(SAVES):
        store.save_run(make_record(1000 * (writer + 1) + i))
        store.update_run(make_record().run_id, add_tags=f"{writer}-{i}")


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_processes_lose_nothing(store, admin, isolation):
    role = store.database.url.username
    admin.execute(f"ALTER ROLE {role} SET default_transaction_isolation = '{isolation}'")
    store.save_run(make_record())
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=save_some, args=(store, writer)) for writer in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS
    assert store.count() == WRITERS * SAVES + 1
    assert len(store.get_run(make_record().run_id).tags) == WRITERS * SAVES + 1


def test_exclusive_keeps_others_out(store):
    store.save_run(make_record())
    other = SqlStore(store.database.url, artifacts=store.artifacts)
    saved = threading.Thread(target=other.save_run, args=(make_record(1),))
    with store.exclusive(), store.exclusive():
        saved.start()
        saved.join(0.2)
        assert store.count() == 1
        store.save_run(make_record(2))
    saved.join()
    assert store.count() == 3
    other.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_lets_go_of_the_lock(store, admin):
    chance = random.Random(0)
    store.save_run(make_record())
    role = store.database.url.username
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    gc.collect()
    gc.freeze()  # what vectorbt has loaded, which would be looked through after each interrupt

    def enter_and_leave():
        while True:  # until it is interrupted
            with store.exclusive():
                pass

    def check():
        for _ in range(50):  # the server notices a little later
            if admin.execute(count, [role]).fetchone()[0] <= 1 and not held_locks(admin):
                return
            admin.execute("SELECT pg_sleep(0.02)")
        pytest.fail("the lock is held, or a connection is open that nobody knows of")

    works = [prepare() for prepare in changes(store) for _ in range(10)] + [enter_and_leave] * 60
    with Interrupter() as interrupt:
        for work in works:
            interrupt(chance.uniform(1e-6, 5e-3), work, check)
            check()
    gc.unfreeze()
    assert store.get_run(make_record().run_id) is not None


def held_locks(admin):
    return admin.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()[0]


def test_no_connection_is_left_open(store, admin):
    store.save_run(make_record())
    store.close()
    role = store.database.url.username
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    for _ in range(50):  # the server notices a little later
        if admin.execute(count, [role]).fetchone() == (0,):
            break
        admin.execute("SELECT pg_sleep(0.1)")
    else:
        pytest.fail("a connection is still open")
