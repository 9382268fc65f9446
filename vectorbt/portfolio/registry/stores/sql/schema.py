"""The tables of a `vectorbt.portfolio.registry.stores.sql.store.SqlStore`, and what has changed about them.

`runs` holds what is asked for and can be indexed, `records` what a run is: the JSON of its record, without what it
shares with the rest of its sweep. `parameters` and `tags` hold what is filtered by, a row per value. Both are narrowed
down to what a database compares as `vectorbt.portfolio.registry.query.comparing` does, see
`vectorbt.portfolio.registry.stores.sql.rows`.

A new database gets the tables as they are here. An older one gets the `MIGRATIONS` that it has not seen."""

import sqlalchemy as sa

from vectorbt import _typing as tp

metadata = sa.MetaData()

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Text is compared by code point, as in Python, whatever the language of the database.
_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

migrations = sa.Table("vectorbt_registry", metadata, sa.Column("name", _Text, primary_key=True))
"""What a database has seen: `VERSION_1`, the name of each migration, and as `name=value` what it was made with."""

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=False),
    sa.Column("run_id", _Text, nullable=False, unique=True),
    sa.Column("deleted", sa.SmallInteger, nullable=False),
    sa.Column("timestamp", sa.BigInteger, nullable=False),  # microseconds since 1970, UTC
    sa.Column("strategy_name", _Text, nullable=False),
    sa.Column("sweep_id", _Text),
    sa.Column("position", sa.BigInteger),
    sa.Column("fingerprint", _Text),
    sa.Column("total_return", sa.Double),
    sa.Column("sharpe_ratio", sa.Double),
    sa.Column("max_drawdown", sa.Double),
    sa.Column("total_trades", sa.Double),
    sa.Column("win_rate", sa.Double),
)
"""What runs are found by."""
sa.Index("runs_timestamp", runs.c.timestamp)
sa.Index("runs_strategy_timestamp", runs.c.strategy_name, runs.c.timestamp)
sa.Index("runs_sharpe_ratio", runs.c.sharpe_ratio)
sa.Index("runs_strategy_sharpe_ratio", runs.c.strategy_name, runs.c.sharpe_ratio)
_is_of_sweep = runs.c.sweep_id.is_not(None)
sa.Index("runs_sweep", runs.c.sweep_id, sqlite_where=_is_of_sweep, postgresql_where=_is_of_sweep)

shared = sa.Table(
    "shared", metadata, sa.Column("digest", _Text, primary_key=True), sa.Column("content", sa.Text, nullable=False)
)
"""What the records of a sweep have in common, by its digest."""

records = sa.Table(
    "records",
    metadata,
    sa.Column("id", _Id, sa.ForeignKey(runs.c.id), primary_key=True, autoincrement=False),
    sa.Column("shared", _Text, sa.ForeignKey(shared.c.digest)),
    sa.Column("record", sa.Text, nullable=False),
)
"""What runs are."""

parameters = sa.Table(
    "parameters",
    metadata,
    sa.Column("id", _Id, sa.ForeignKey(runs.c.id), primary_key=True, autoincrement=False),
    sa.Column("name", _Text, primary_key=True),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("number", sa.Double),
    sa.Column("text", _Text),
    sqlite_with_rowid=False,
)
sa.Index("parameters_value", parameters.c.name, parameters.c.kind, parameters.c.number, parameters.c.text)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("id", _Id, sa.ForeignKey(runs.c.id), primary_key=True, autoincrement=False),
    sa.Column("tag", _Text, primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("tags_tag", tags.c.tag)

saves = sa.Table(
    "saves",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("n_runs", sa.BigInteger, nullable=False),
    sa.Column("digest", _Text, nullable=False),
)
"""What was ever saved, a row a save. See `vectorbt.portfolio.registry.stores.sql.digest`."""

metric_names = sa.Table("metric_names", metadata, sa.Column("name", _Text, primary_key=True))
"""Every name that occurs in the `stats` of a record."""


# ############# Migrations ############# #

Migration = tp.Callable[[sa.Connection], None]

VERSION_1 = "version_1"

MIGRATIONS: tp.Tuple[Migration, ...] = ()
"""What has changed since version 1, in order. A database remembers each by the name of its function. None is ever
changed once it was released."""


def known() -> tp.List[str]:
    """Return the names that a database has seen which is up to date."""
    return [VERSION_1, *(migration.__name__ for migration in MIGRATIONS)]


def seen(connection: sa.Connection) -> tp.Set[str]:
    """Return the names that a database has seen."""
    return {name for name in connection.scalars(sa.select(migrations.c.name)) if "=" not in name}


def setting(connection: sa.Connection, name: str) -> tp.Optional[str]:
    """Return what a database was made with."""
    start = f"{name}="
    rows = connection.scalars(sa.select(migrations.c.name))
    return next((row.removeprefix(start) for row in rows if row.startswith(start)), None)


def create(connection: sa.Connection, settings: tp.Mapping[str, str] = {}) -> None:  # noqa: B006
    """Make the tables in a database that has none, which remembers settings."""
    metadata.create_all(connection, checkfirst=False)
    names = [*known(), *(f"{name}={value}" for name, value in settings.items())]
    connection.execute(sa.insert(migrations), [{"name": name} for name in names])


def migrate(connection: sa.Connection, migration: Migration) -> None:
    """Apply a migration, and remember it."""
    migration(connection)
    connection.execute(sa.insert(migrations), {"name": migration.__name__})
