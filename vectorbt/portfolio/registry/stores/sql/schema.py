"""The tables of a `vectorbt.portfolio.registry.stores.sql.store.SqlStore`, and how they came to be.

`runs` holds what is asked for and can be indexed, `records` what a run is: the JSON of its record, without what it
shares with the rest of its sweep. `parameters` and `tags` hold what is filtered by, a row per value. Both are narrowed
down to what a database compares as `vectorbt.portfolio.registry.query.comparing` does, see
`vectorbt.portfolio.registry.stores.sql.rows`.

A database counts the migrations that it has seen. They are never changed once released, only added to; `tables` says
what the last one leads to."""

from functools import lru_cache
from types import SimpleNamespace

from vectorbt import _typing as tp

MIGRATIONS: tp.Tuple[tp.Tuple[str, ...], ...] = (
    (
        # `version` is the number of migrations that were applied.
        "CREATE TABLE vectorbt_registry (version INTEGER NOT NULL)",
        "INSERT INTO vectorbt_registry (version) VALUES (0)",
        # What runs are found by. `timestamp` is in microseconds since 1970, UTC.
        """
        CREATE TABLE runs (
            id {integer} PRIMARY KEY,
            run_id {text} NOT NULL UNIQUE,
            deleted SMALLINT NOT NULL,
            timestamp BIGINT NOT NULL,
            strategy_name {text} NOT NULL,
            sweep_id {text},
            position BIGINT,
            fingerprint {text},
            total_return DOUBLE PRECISION,
            sharpe_ratio DOUBLE PRECISION,
            max_drawdown DOUBLE PRECISION,
            total_trades DOUBLE PRECISION,
            win_rate DOUBLE PRECISION
        )
        """,
        "CREATE INDEX runs_timestamp ON runs (timestamp)",
        "CREATE INDEX runs_strategy_timestamp ON runs (strategy_name, timestamp)",
        "CREATE INDEX runs_sharpe_ratio ON runs (sharpe_ratio)",
        "CREATE INDEX runs_strategy_sharpe_ratio ON runs (strategy_name, sharpe_ratio)",
        "CREATE INDEX runs_sweep ON runs (sweep_id) WHERE sweep_id IS NOT NULL",
        # What runs are. `shared` names what a record has in common with the others of its sweep, by its digest.
        "CREATE TABLE shared (digest {text} PRIMARY KEY, content TEXT NOT NULL)",
        "CREATE TABLE records (id {integer} PRIMARY KEY REFERENCES runs, shared {text} REFERENCES shared, "
        "record TEXT NOT NULL)",
        """
        CREATE TABLE parameters (
            id {integer} NOT NULL REFERENCES runs,
            name {text} NOT NULL,
            kind SMALLINT NOT NULL,
            number DOUBLE PRECISION,
            text {text},
            PRIMARY KEY (id, name)
        ) {without_rowid}
        """,
        "CREATE INDEX parameters_value ON parameters (name, kind, number, text)",
        "CREATE TABLE tags (id {integer} NOT NULL REFERENCES runs, tag {text} NOT NULL, PRIMARY KEY (id, tag)) "
        "{without_rowid}",
        "CREATE INDEX tags_tag ON tags (tag)",
        # Every name that occurs in the `stats` of a record.
        "CREATE TABLE metric_names (name {text} PRIMARY KEY)",
    ),
)
"""Statements that lead from one version to the next. Each entry is applied in one transaction."""

VERSION_TABLE = "vectorbt_registry"

TYPES = {
    "sqlite": {"integer": "INTEGER", "text": "TEXT", "without_rowid": "WITHOUT ROWID"},
    # Text is compared by code point, as in Python, whatever the language of the database.
    "postgresql": {"integer": "BIGINT", "text": 'TEXT COLLATE "C"', "without_rowid": ""},
}
"""What the placeholders in `MIGRATIONS` stand for in each kind of database."""


@lru_cache(maxsize=1)
def tables() -> SimpleNamespace:
    """Return the tables as SQLAlchemy's expressions refer to them."""
    import sqlalchemy as sa

    def table(title: str, /, **types: tp.Any) -> tp.Any:
        return sa.table(title, *(sa.column(column, kind) for column, kind in types.items()))

    return SimpleNamespace(
        runs=table(
            "runs",
            id=sa.BigInteger,
            run_id=sa.Text,
            deleted=sa.SmallInteger,
            timestamp=sa.BigInteger,
            strategy_name=sa.Text,
            sweep_id=sa.Text,
            position=sa.BigInteger,
            fingerprint=sa.Text,
            total_return=sa.Double,
            sharpe_ratio=sa.Double,
            max_drawdown=sa.Double,
            total_trades=sa.Double,
            win_rate=sa.Double,
        ),
        shared=table("shared", digest=sa.Text, content=sa.Text),
        records=table("records", id=sa.BigInteger, shared=sa.Text, record=sa.Text),
        parameters=table(
            "parameters", id=sa.BigInteger, name=sa.Text, kind=sa.SmallInteger, number=sa.Double, text=sa.Text
        ),
        tags=table("tags", id=sa.BigInteger, tag=sa.Text),
        metric_names=table("metric_names", name=sa.Text),
    )
