"""How a database is reached, locked, and kept up to date."""

import os
import re
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts import make_folder
from vectorbt.portfolio.registry.errors import SchemaVersionError, StoreError
from vectorbt.portfolio.registry.stores.sql_schema import MIGRATIONS, TYPES, VERSION_TABLE

_BUSY_SECONDS = 60
_LOCK_POLL_SECONDS = 0.002
_DRIVERS = {"sqlite": "sqlite3", "postgresql": "psycopg"}
_EXTRAS = {"sqlite": "sql", "postgresql": "postgres"}
_SECRET_OPTIONS = ("password", "sslpassword", "passfile")


def open_database(url_or_engine: tp.Any) -> "Database":
    """Return the database at a URL, or the one that an engine of SQLAlchemy is connected to.

    Raises:
        ImportError: If SQLAlchemy or the driver is missing. Names the extra that installs it.
        TypeError: If it is neither.
        ValueError: If the URL is malformed, or of a database that is not supported."""
    try:
        import sqlalchemy as sa
    except ImportError as e:
        raise _missing("SQLAlchemy", "sql") from e

    if isinstance(url_or_engine, sa.Engine):
        url, engine = url_or_engine.url, url_or_engine
    elif isinstance(url_or_engine, (str, sa.URL)):
        url, engine = _parse(url_or_engine), None
    else:
        raise TypeError(f"expected a URL or an Engine of SQLAlchemy, not {type(url_or_engine).__name__}")
    kinds = {"sqlite": SqliteDatabase, "postgresql": PostgresDatabase}
    kind = url.get_backend_name()
    if kind not in kinds:
        raise ValueError(f"no store for {kind} databases; expected sqlite:///<path> or postgresql+psycopg://...")
    return kinds[kind](url, engine)


def sqlite_url(path: tp.Union[str, os.PathLike]) -> tp.Any:
    """Return the URL of a SQLite file. See `url_at`."""
    return url_at(drivername="sqlite", database=os.fspath(path))


def url_at(**address: tp.Any) -> tp.Any:
    """Return the URL of an address. Unlike text, parts can hold any character.

    Raises:
        ImportError: If SQLAlchemy is missing. Names the extra that installs it."""
    try:
        from sqlalchemy import URL
    except ImportError as e:
        raise _missing("SQLAlchemy", "sql") from e

    return URL.create(**address)


def _parse(url: tp.Any) -> tp.Any:
    import sqlalchemy as sa

    try:
        url = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        shown = re.sub(r"(://[^:/@]*:).*@", r"\1***@", str(url))
        raise ValueError(
            f"{shown!r} is no URL of a database; expected sqlite:///<path> or postgresql+psycopg://<user>@<host>/<database>"
        ) from None
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _missing(package: str, extra: str) -> ImportError:
    return ImportError(f'{package} is not installed; pip install "vectorbt-registry[{extra}]"')


class Database:
    """A database with the tables of a registry.

    Connections are in autocommit mode, and transactions are begun and ended here, so that each begins as it must. A
    process that was forked leaves the connections of its parent alone.

    Args:
        url (URL): Where it is.
        engine (Engine): How it is reached. Made of `url` by default."""

    kind: str
    begin_reading: str
    begin_writing: str

    def __init__(self, url: tp.Any, engine: tp.Any = None) -> None:
        self.url = url
        self._engine = engine
        self._forget_connections()
        self._inherited: tp.List[tp.Any] = []

    def __repr__(self) -> str:
        shown = {name: "***" if name in _SECRET_OPTIONS else value for name, value in self.url.query.items()}
        return self.url.set(query=shown).render_as_string(hide_password=True)

    @property
    def address(self) -> tp.Dict[str, tp.Any]:
        """Parts of the URL by which another process can reach the database, if it has the password from elsewhere."""
        url = self.url
        return dict(
            drivername=url.drivername,
            username=url.username,
            host=url.host,
            port=url.port,
            database=url.database,
            query={name: value for name, value in url.query.items() if name not in _SECRET_OPTIONS},
        )

    # ############# Connections ############# #

    @property
    def engine(self) -> tp.Any:
        """Engine of this process."""
        self._leave_parent()
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _leave_parent(self) -> None:
        """Forget the connections and locks of the process that this one was forked from."""
        if self._pid == os.getpid():
            return
        if self._engine is not None:
            # Closing a connection that the parent still uses would end it there as well.
            self._inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
        self._forget_connections()

    def _forget_connections(self) -> None:
        self._pid = os.getpid()
        self._session = threading.local()
        self._turn = threading.RLock()
        self._is_current = False

    def _make_engine(self) -> tp.Any:
        import sqlalchemy as sa

        try:
            return sa.create_engine(self.url, hide_parameters=True, **self._engine_options())
        except ImportError as e:
            raise _missing(f"the driver {_DRIVERS[self.kind]}", _EXTRAS[self.kind]) from e
        except (sa.exc.ArgumentError, TypeError) as e:
            raise ValueError(f"{self} cannot be opened: {e}") from None

    def _engine_options(self) -> tp.Dict[str, tp.Any]:
        return {}

    @contextmanager
    def connection(self) -> tp.Iterator[tp.Any]:
        """Enter a connection: the one of this thread within `exclusive`, else one of the pool."""
        engine = self.engine
        held = getattr(self._session, "connection", None)
        with self._translated():
            if held is not None:
                if held.invalidated:
                    raise StoreError(f"the connection to {self} was lost, and the lock with it")
                yield held
            else:
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    yield connection

    @contextmanager
    def _translated(self) -> tp.Iterator[None]:
        """Turn the errors of drivers into one that names the database."""
        import sqlalchemy as sa

        try:
            yield
        except sa.exc.DBAPIError as e:
            if "file is not a database" in str(e.orig):
                raise SchemaVersionError(f"{self} is not a SQLite database; choose another path") from e
            raise StoreError(f"{self}: {' '.join(str(e.orig).split())}") from e
        except sa.exc.SQLAlchemyError as e:
            raise StoreError(f"{self}: {e}") from e

    def close(self) -> None:
        """Close all connections. They are opened again when they are needed."""
        if self._engine is not None:
            self.engine.dispose()
        self._is_current = False

    # ############# Transactions ############# #

    @contextmanager
    def reading(self, one_state: bool = False) -> tp.Iterator[tp.Any]:
        """Enter a connection. None if nothing was ever saved to the database.

        Args:
            one_state (bool): Whether all statements see the database in the same state."""
        if not self._exists():
            yield None
            return
        with self.connection() as connection:
            if not self._is_up_to_date(connection):
                yield None
                return
            with self._transaction(connection, self.begin_reading) if one_state else nullcontext():
                yield connection

    @contextmanager
    def writing(self) -> tp.Iterator[tp.Any]:
        """Enter a connection on which everything is written, durably, or nothing."""
        with self.exclusive(), self.connection() as connection:
            if not self._is_up_to_date(connection):
                self._migrate(connection)
            with self._transaction(connection, self.begin_writing):
                yield connection

    @contextmanager
    def _transaction(self, connection: tp.Any, begin: str) -> tp.Iterator[None]:
        connection.exec_driver_sql(begin)
        try:
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def _roll_back(self, connection: tp.Any) -> None:
        import sqlalchemy as sa

        if connection.invalidated:
            return
        try:
            connection.exec_driver_sql("ROLLBACK")
        except sa.exc.DBAPIError:  # the first error is the one to report
            connection.invalidate()

    def insert(self, table: tp.Any) -> tp.Any:
        """Return an INSERT that knows `on_conflict_do_nothing`."""
        import importlib

        return importlib.import_module(f"sqlalchemy.dialects.{self.kind}").insert(table)

    @contextmanager
    def exclusive(self) -> tp.Iterator[None]:
        """Keep every other process from writing. Can be entered again inside itself, by the same thread."""
        raise NotImplementedError

    # ############# Versions ############# #

    def _exists(self) -> bool:
        return True

    def _is_up_to_date(self, connection: tp.Any) -> bool:
        """Return whether the tables are there. Bring them up to date if they are older.

        Raises:
            SchemaVersionError: If they are of a newer version, or those of somebody else."""
        if self._is_current:
            return True
        found = set(connection.exec_driver_sql(self._list_tables()).scalars())
        if not found:
            return False
        if VERSION_TABLE not in found:
            raise SchemaVersionError(
                f"{self} has tables ({', '.join(sorted(found)[:3])}, ...) but is no registry; it is left alone. "
                f"Choose another database or schema"
            )
        if self._version(connection) < len(MIGRATIONS):
            with self.exclusive(), self.connection() as writer:
                self._migrate(writer)
        self._is_current = True
        return True

    def _list_tables(self) -> str:
        raise NotImplementedError

    def _version(self, connection: tp.Any) -> int:
        version = connection.exec_driver_sql(f"SELECT version FROM {VERSION_TABLE}").scalar_one()
        if version > len(MIGRATIONS):
            raise SchemaVersionError(
                f"{self} has schema version {version}, this version of vectorbt-registry knows up to "
                f"{len(MIGRATIONS)}; upgrade it: pip install --upgrade vectorbt-registry"
            )
        return version

    def _migrate(self, connection: tp.Any) -> None:
        """Apply the migrations that are missing. Whoever calls holds the lock."""
        self._prepare(connection)
        has_version = VERSION_TABLE in set(connection.exec_driver_sql(self._list_tables()).scalars())
        version = self._version(connection) if has_version else 0
        for number, statements in enumerate(MIGRATIONS[version:], version + 1):
            with self._transaction(connection, self.begin_writing):
                for statement in statements:
                    connection.exec_driver_sql(statement.format(**TYPES[self.kind]))
                connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version = {number}")
        self._is_current = True

    def _prepare(self, connection: tp.Any) -> None:
        """Do what has to be done once, outside of a transaction, before there are tables."""


class SqliteDatabase(Database):
    """A file. Writers take turns by a lock on `<file>.lock`, and readers wait for nobody."""

    kind = "sqlite"
    begin_reading = "BEGIN"
    begin_writing = "BEGIN IMMEDIATE"

    def __init__(self, url: tp.Any, engine: tp.Any = None) -> None:
        if url.database in (None, "", ":memory:") or url.database.startswith("file:"):
            raise ValueError("a SQLite registry is a file: sqlite:///<path>; in memory there is MemoryStore")
        self.path = Path(url.database).expanduser().resolve()
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder; expected the path of a SQLite file")
        super().__init__(url.set(database=str(self.path)), engine)

    def _exists(self) -> bool:
        return self.path.exists()

    def _engine_options(self) -> tp.Dict[str, tp.Any]:
        return {"creator": self._connect}

    def _connect(self) -> tp.Any:
        import sqlite3

        options = dict(timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        if self._is_writable():
            connection = sqlite3.connect(self.path, **options)
        else:
            # Reading a database in WAL mode writes beside it, unless it is declared unchangeable.
            mode = "ro" if Path(f"{self.path}-wal").exists() else "ro&immutable=1"
            connection = sqlite3.connect(f"{self.path.as_uri()}?mode={mode}", uri=True, **options)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _is_writable(self) -> bool:
        return os.access(self.path.parent, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    def _prepare(self, connection: tp.Any) -> None:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")

    def _list_tables(self) -> str:
        return "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"

    def _forget_connections(self) -> None:
        super()._forget_connections()
        self._lock: tp.Any = None

    @contextmanager
    def exclusive(self) -> tp.Iterator[None]:
        self._leave_parent()
        make_folder(self.path.parent)
        with self._file_lock().acquire(poll_interval=_LOCK_POLL_SECONDS):
            yield

    def _file_lock(self) -> tp.Any:
        from filelock import FileLock

        if self._lock is None:
            if not self._is_writable():
                raise StoreError(f"{self} is read-only: runs can be read from it, but not saved, changed or deleted")
            self._lock = FileLock(f"{self.path}.lock")
        return self._lock


class PostgresDatabase(Database):
    """A schema of a PostgreSQL database. Writers take turns by an advisory lock, which ends with their connection."""

    kind = "postgresql"
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    # Whoever holds the lock sees what the one before has written, so there is nothing to conflict with.
    begin_writing = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

    _KEY = "hashtext('vectorbt_registry'), hashtext(current_schema())"

    def _engine_options(self) -> tp.Dict[str, tp.Any]:
        return {"pool_pre_ping": True}

    def _list_tables(self) -> str:
        return "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"

    @contextmanager
    def exclusive(self) -> tp.Iterator[None]:
        engine = self.engine
        with self._turn:
            if getattr(self._session, "connection", None) is not None:
                yield
                return
            with self._translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(f"SELECT pg_advisory_lock({self._KEY})")
                self._session.connection = connection
                try:
                    yield
                finally:
                    self._session.connection = None
                    self._unlock(connection)

    def _unlock(self, connection: tp.Any) -> None:
        import sqlalchemy as sa

        if connection.invalidated:
            return
        try:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({self._KEY})")
        except sa.exc.DBAPIError:  # the lock ends with the connection
            connection.invalidate()
