"""What a registry in SQLite or PostgreSQL costs, beside what the database itself takes for the same."""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.measuring import milliseconds, seconds, table
from benchmarks.querying import in_a_process
from benchmarks.registries import make_records, make_template
from benchmarks.saving import make_portfolio
from vectorbt.portfolio.registry import RunRegistry, SqliteStore, SqlStore
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.capture.runs import sweep_of
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.stores.sql import schema
from vectorbt.portfolio.registry.stores.sql.query import Planner, narrow
from vectorbt.portfolio.registry.stores.sql.rows import rows_of

SIZES = {"sqlite": 1_000_000, "postgresql": 100_000}
SWEEP = 4_950
BATCH = 5_000
STRATEGY = "strategy_3"


def fill(store, n_runs):
    """Put runs of 28 metrics and 4 parameters into a store, of twenty strategies. `fees` has ten runs a value."""
    template, rng = make_template(), random.Random(0)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for written in range(0, n_runs, BATCH):
        size = min(BATCH, n_runs - written)
        records = make_records(template, rng, start, size, written)
        for number, record in enumerate(records, written):
            record["timestamp"] = (start + timedelta(seconds=number)).isoformat()
            record["strategy_name"] = f"strategy_{rng.randrange(20)}"
            record["parameters"]["fees"] = rng.randrange(n_runs // 10) / n_runs
        store.insert(RunBlock.of(records), new_ids=True)


def questions(registry, n_runs):
    """Return the calls that are timed, by name."""
    run_id = registry.list_runs(limit=1)[0].run_id
    fees = (n_runs // 20) / n_runs
    where = "sharpe_ratio > 0.3 and params.slow == 50"
    return {
        "get_best_runs(n=10, strategy_name=...)": lambda r: r.get_best_runs(n=10, strategy_name=STRATEGY),
        "get_best_runs('sortino_ratio', n=10, strategy_name=...)": lambda r: r.get_best_runs(
            "sortino_ratio", n=10, strategy_name=STRATEGY
        ),
        "get_run": lambda r: r.get_run(run_id),
        "list_runs(strategy_name=..., tags=..., limit=100)": lambda r: r.list_runs(STRATEGY, "daily", limit=100),
        f"list_runs(where='{where}', limit=100)": lambda r: r.list_runs(where=where, limit=100),
        "list_runs(where='sortino_ratio > 0.3', limit=100)": lambda r: r.list_runs(
            where="sortino_ratio > 0.3", limit=100
        ),
        "list_runs(parameters={'slow': 50}, limit=100)": lambda r: r.list_runs(parameters={"slow": 50}, limit=100),
        f"list_runs(parameters={{'fees': {fees}}})": lambda r: r.list_runs(parameters={"fees": fees}),
        "len(registry)": len,
    }


def ask_cold(path):
    """Return how long the first question takes in this process: opening included, importing not."""
    import sqlalchemy.dialects.sqlite  # noqa: F401

    start = time.perf_counter()
    RunRegistry(SqliteStore(path)).get_best_runs(n=10, strategy_name=STRATEGY)
    return time.perf_counter() - start


def measure_questions(store, n_runs):
    registry = RunRegistry(store)
    return [
        (name, milliseconds(seconds(lambda ask=ask: ask(registry))))
        for name, ask in questions(registry, n_runs).items()
    ]


# ############# Saving ############# #


def executemany(store, block):
    """Insert the rows of runs by SQLAlchemy alone."""
    rows = rows_of(block, 10**9 + random.randrange(10**9))
    start = time.perf_counter()
    with store.database.engine.begin() as connection:
        for table in (schema.shared, schema.runs, schema.records, schema.parameters, schema.tags):
            connection.execute(sa.insert(table), getattr(rows, table.name))
    return time.perf_counter() - start


def timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def measure_sweep(store):
    """Return rows on saving a whole sweep, which vectorbt has measured already."""
    portfolio = make_portfolio(bars=500, columns=SWEEP)

    def fresh_runs():
        return sweep_of(portfolio, "dual_sma", {"fees": 0.001, "symbol": "SPX"}, ["daily"], notes=uuid.uuid4().hex)

    # One of each in turn, so that whatever else the machine does hits both.
    pairs = []
    for _ in range(5):
        with collection_paused():
            bare = executemany(store, fresh_runs())
        pairs.append((bare, timed(store.save_block, fresh_runs(), None, None, True)))
    bare, saved = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(saved / bare for bare, saved in pairs)
    return [
        ("SQLAlchemy's executemany of the same rows", milliseconds(bare), ""),
        ("store.save_block of the runs of a sweep", milliseconds(saved), f"{ratio:.2f}x"),
    ]


def measure_single_saves(path):
    """Return rows on saving one run durably, in a registry and by itself."""
    bare = sqlite3.connect(path.with_name("bare.db"), isolation_level=None)
    bare.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE runs (id PRIMARY KEY, run)")

    def save_bare(record):
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO runs VALUES (?, ?)", (record.run_id, dumps(record.to_dict())))
        bare.execute("COMMIT")

    store, template = SqliteStore(path), make_template()
    # One of each in turn, so that whatever else the machine does hits both.
    pairs = []
    for _ in range(300):
        runs = [RunRecord.from_dict(make_records(template, random.Random(), datetime.now(UTC), 1, 0)[0]) for _ in "ab"]
        pairs.append((timed(save_bare, runs[0]), timed(store.save_run, runs[1], None, None, True)))
    store.close()
    bare, ours = (statistics.median(times) for times in zip(*pairs[1:], strict=True))  # the first one connects
    return [("sqlite3, one row", milliseconds(bare), ""), ("store.save_run", milliseconds(ours), f"{ours / bare:.2f}x")]


# ############# PostgreSQL ############# #


def measure_postgres(store, n_runs):
    """Return rows on questions, beside the same SQL given to the driver."""
    import psycopg
    from sqlalchemy.dialects import postgresql

    registry = RunRegistry(store)
    fees = (n_runs // 20) / n_runs
    run_id = registry.list_runs(limit=1)[0].run_id

    def typed(query, key, limit):
        ids = (
            sa.select(schema.runs.c.id)
            .where(narrow(query, Planner("postgresql")))
            .order_by(key)
            .limit(limit)
            .subquery()
        )
        statement = sa.select(schema.records.c.record).join_from(ids, schema.records, schema.records.c.id == ids.c.id)
        return str(
            statement.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs={"literal_binds": True})
        ).replace("%%", "%")

    runs = schema.runs.c
    cases = {
        "get_best_runs(n=10, strategy_name=...)": (
            lambda: registry.get_best_runs(n=10, strategy_name=STRATEGY),
            typed(Query.of(STRATEGY).best("sharpe_ratio", 10, False), runs.sharpe_ratio.desc(), 10),
        ),
        "get_run": (lambda: registry.get_run(run_id), typed(Query(prefix=run_id), runs.run_id, None)),
        "list_runs(strategy_name=..., tags=..., limit=100)": (
            lambda: registry.list_runs(STRATEGY, "daily", limit=100),
            typed(Query.of(STRATEGY, "daily"), runs.timestamp.desc(), 100),
        ),
        f"list_runs(parameters={{'fees': {fees}}})": (
            lambda: registry.list_runs(parameters={"fees": fees}),
            typed(Query.of(parameters={"fees": fees}), runs.timestamp.desc(), None),
        ),
    }
    url = store.database.url
    rows = []
    with psycopg.connect(
        host=url.query["host"], user=url.username, dbname=url.database, options=url.query.get("options", "")
    ) as bare:
        for name, (ask, statement) in cases.items():
            # One of each in turn, so that whatever else the machine does hits both.
            pairs = [(timed(lambda s=statement: bare.execute(s).fetchall()), timed(ask)) for _ in range(100)]
            theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
            rows.append(
                (name, milliseconds(theirs), milliseconds(ours), f"{max(0.0, ours - 0.003) / theirs:.2f}x + 3 ms")
            )
    return rows


def benchmark_sqlite(n_runs):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        store = SqliteStore(folder / "runs.db")
        took = timed(fill, store, n_runs)
        size = store.path.stat().st_size
        print(f"\nSQLite, {n_runs:,} runs, {size / n_runs:,.0f} bytes each, filled in {took:,.0f} s")
        cold = in_a_process(ask_cold, store.path)
        rows = [("get_best_runs(n=10, strategy_name=...), cold", milliseconds(cold)), *measure_questions(store, n_runs)]
        table("SQLite: questions", ("call", "time"), rows)
        table(f"SQLite: saving a sweep of {SWEEP:,} runs", ("", "time", "ratio"), measure_sweep(store))
        store.close()
        table("SQLite: saving one run, durably", ("", "time", "ratio"), in_a_process(measure_single_saves, store.path))


def benchmark_postgres(n_runs):
    from tests.servers.local import postgres

    with postgres() as socket, tempfile.TemporaryDirectory() as temporary:
        store = SqlStore(f"postgresql+psycopg://admin@/postgres?host={socket}", artifacts=temporary)
        took = timed(fill, store, n_runs)
        with store.database.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        print(f"\nPostgreSQL, {n_runs:,} runs, filled in {took:,.0f} s")
        rows = measure_postgres(store, n_runs)
        table("PostgreSQL: questions", ("call", "the same SQL by psycopg", "registry", "ratio"), rows)
        table("PostgreSQL: all questions", ("call", "time"), measure_questions(store, n_runs))
        store.close()


def main(full=True, kinds=("sqlite", "postgresql"), n_runs=None):
    """Run all of it. `full=False` keeps to small registries."""
    benchmarks = {"sqlite": benchmark_sqlite, "postgresql": benchmark_postgres}
    for kind in kinds:
        benchmarks[kind](n_runs or (SIZES[kind] if full else 5_000))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=SIZES)
    parser.add_argument("--runs", type=int, default=5_000, help="size of the registry")
    parser.add_argument("--full", action="store_true", help=f"{SIZES}")
    arguments = parser.parse_args()
    main(kinds=(arguments.kind,), n_runs=None if arguments.full else arguments.runs)
