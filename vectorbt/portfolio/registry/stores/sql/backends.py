"""SQLite and PostgreSQL: how each of them is reached and locked."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import make_folder
from vectorbt.portfolio.registry.errors import StoreError
from vectorbt.portfolio.registry.locations import scheme_of
from vectorbt.portfolio.registry.stores.file_lock import file_lock
from vectorbt.portfolio.registry.stores.sql.database import Database, missing_package

_BUSY_SECONDS = 60
_LOCK_POLL_SECONDS = 0.002
_URLS = "sqlite:///<path> or postgresql+psycopg://<user>@<host>/<database>"
_SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")
_CONFLICTS = ("40001", "40P01")
"""What PostgreSQL calls a failure to serialise, and a deadlock."""


def open_database(url_or_engine: tp.Any) -> Database:
    """Return the database at a URL, or the one that an engine of SQLAlchemy is connected to.

    Raises:
        ImportError: If SQLAlchemy or the driver is missing. Names the extra that installs it.
        TypeError: If it is neither.
        ValueError: If the URL is malformed, or of a database that is not supported."""
    try:
        import sqlalchemy as sa
    except ImportError as e:
        raise missing_package("SQLAlchemy", "sql") from e

    if isinstance(url_or_engine, sa.Engine):
        url, engine = url_or_engine.url, url_or_engine
    elif isinstance(url_or_engine, (str, sa.URL)):
        url, engine = _parse(url_or_engine), None
    else:
        raise TypeError(f"expected a URL or an Engine of SQLAlchemy, not {type(url_or_engine).__name__}")
    kind = url.get_backend_name()
    if kind not in _DATABASES:
        raise ValueError(f"no store for {kind} databases; expected {_URLS}")
    return _DATABASES[kind](url, engine)


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
        raise missing_package("SQLAlchemy", "sql") from e

    return URL.create(**address)


def _parse(url: tp.Any) -> tp.Any:
    import sqlalchemy as sa

    scheme = scheme_of(str(url)) or ""
    if isinstance(url, str) and scheme in _SQLITE_SCHEMES:
        url = _parse_sqlite(url)
    try:
        url = _make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(f"'{scheme}...' is no URL of a database; expected {_URLS}") from None
    kind, _, driver = url.drivername.lower().partition("+")
    expected = _DATABASES[kind].driver if kind in _DATABASES else driver
    if driver not in ("", expected):
        raise ValueError(f"no store for the driver {driver} of {kind}; expected {_URLS}")
    return url.set(drivername=kind if kind == "sqlite" else f"{kind}+{expected}")


def _parse_sqlite(url: str) -> tp.Any:
    """Return the parts of `sqlite:///<path>`. The path is taken as it is written, percent signs included.

    SQLAlchemy reads them as escapes since 2.1, and did not before: the same URL would be another file."""
    host, _, place = url.partition("://")[2].partition("/")
    if host:
        raise ValueError("a SQLite registry is a file of this machine, but its URL names a host: sqlite:///<path>")
    path, has_options, options = place.partition("?")
    query = {option.partition("=")[0]: "" for option in options.split("&")} if has_options else {}
    return url_at(drivername="sqlite", database=path, query=query)


def _make_url(url: tp.Any) -> tp.Any:
    """Return the parts of a URL. The name of the database may have escapes, as PostgreSQL says and SQLAlchemy from
    2.1 on."""
    import sqlalchemy as sa

    parsed = sa.make_url(url)
    keeps_escapes = sa.make_url("postgresql:///%25").database == "%25"
    if isinstance(url, str) and parsed.database is not None and keeps_escapes:
        return parsed.set(database=unquote(parsed.database))
    return parsed


class SqliteDatabase(Database):
    """A file. Writers take turns by a lock on `<file>.lock`, and readers wait for nobody."""

    kind = "sqlite"
    driver = "pysqlite"
    extra = "sql"
    begin_reading = "BEGIN"
    begin_writing = "BEGIN IMMEDIATE"

    def __init__(self, url: tp.Any, engine: tp.Any = None) -> None:
        if url.database in (None, "", ":memory:") or url.database.startswith("file:"):
            raise ValueError("a SQLite registry is a file: sqlite:///<path>; in memory there is MemoryStore")
        self.path = Path(url.database).expanduser().resolve()
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder; expected the path of a SQLite file")
        if engine is None and url.query:
            raise ValueError(
                f"the URL of a SQLite registry takes no options, but has {', '.join(url.query) or 'a question mark'}; "
                f"SqliteStore(path) opens a file that has one in its name"
            )
        super().__init__(url.set(database=str(self.path)), engine)

    def __repr__(self) -> str:
        return f"sqlite:///{self.path}"

    def _exists(self) -> bool:
        return self.path.exists()

    def _make(self) -> None:
        # SQLite would keep the group from writing, whatever the umask says. Its log has the permissions of the file.
        with suppress(FileExistsError), open(self.path, "xb"):
            pass

    def _engine_options(self) -> tp.Dict[str, tp.Any]:
        import sqlalchemy as sa

        if self._is_writable():
            return {"creator": self._connect}
        # How it is opened depends on what others are doing with it, so it is opened for each call.
        return {"creator": self._connect, "poolclass": sa.NullPool}

    def _is_another(self) -> bool:
        # Whoever removes the file leaves connections to one that nobody can find any more.
        return self._identity is not None and self._identity != _identity_of(self.path)

    def _connected(self) -> None:
        if self._identity is None:
            self._identity = _identity_of(self.path)

    def close(self) -> None:
        super().close()
        self._identity = None

    def _connect(self) -> tp.Any:
        import sqlite3

        options = dict(timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        if not self._is_writable():
            return self._connect_read_only(options)
        connection = sqlite3.connect(self.path, **options)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _connect_read_only(self, options: tp.Dict[str, tp.Any]) -> tp.Any:
        """Open a file beside which nothing can be written, not even the index of its write-ahead log."""
        import sqlite3

        url = f"{self.path.as_uri()}?mode=ro"
        if not Path(f"{self.path}-wal").exists():
            return sqlite3.connect(f"{url}&immutable=1", uri=True, **options)
        if Path(f"{self.path}-shm").exists():
            return sqlite3.connect(url, uri=True, **options)
        # The log holds runs, and nobody is using it. Without locks, its index is made in memory.
        connection = sqlite3.connect(f"{url}&vfs=unix-none", uri=True, **options)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        return connection

    def check_writable(self) -> None:
        self._check_permissions()
        super().check_writable()

    def _check_permissions(self) -> None:
        if not self._is_writable():
            raise StoreError(f"{self} is read-only: runs can be read from it, but not saved, changed or deleted")

    def _is_writable(self) -> bool:
        if self.path.exists():
            return os.access(self.path.parent, os.W_OK) and os.access(self.path, os.W_OK)
        return os.access(next(folder for folder in self.path.parents if folder.exists()), os.W_OK)

    def _prepare(self, connection: tp.Any) -> None:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")

    def _tables(self, connection: tp.Any) -> tp.Set[str]:
        listed = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_'"
        return set(connection.exec_driver_sql(listed).scalars())

    def _forget_connections(self) -> None:
        super()._forget_connections()
        self._lock: tp.Any = None
        self._identity: tp.Optional[tp.Tuple[int, int]] = None
        """Device and inode of the file that connections lead to."""

    @contextmanager
    def exclusive(self) -> tp.Iterator[None]:
        self._leave_parent()
        try:
            make_folder(self.path.parent)
        except OSError as e:
            raise StoreError(f"{self}: there is no folder to put it in: {e}") from e
        with self._file_lock().acquire(poll_interval=_LOCK_POLL_SECONDS):
            yield

    def _file_lock(self) -> tp.Any:
        if self._lock is None:
            self._check_permissions()
            self._lock = file_lock(Path(f"{self.path}.lock"))
        return self._lock


def _identifier(written: str) -> str:
    """Return a name as PostgreSQL reads it: in lower case, unless it is quoted."""
    written = written.strip()
    return written[1:-1].replace('""', '"') if written.startswith('"') else written.lower()


def _identity_of(path: Path) -> tp.Optional[tp.Tuple[int, int]]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


class PostgresDatabase(Database):
    """A schema of a PostgreSQL database. Writers take turns by an advisory lock, which ends with their connection."""

    kind = "postgresql"
    driver = "psycopg"
    extra = "postgres"
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    # Whoever holds the lock sees what the one before has written.
    begin_writing = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

    _KEY = "hashtext('vectorbt_registry'), hashtext(current_schema())"

    def _engine_options(self) -> tp.Dict[str, tp.Any]:
        # In a database of no encoding, names would be bytes.
        return {"pool_pre_ping": True, "connect_args": {"client_encoding": "utf8"}}

    def _is_conflict(self, error: BaseException) -> bool:
        # psycopg2 calls it pgcode.
        return getattr(error, "sqlstate", getattr(error, "pgcode", None)) in _CONFLICTS

    def _tables(self, connection: tp.Any) -> tp.Set[str]:
        self._check_schema(connection)
        listed = """
            SELECT relname FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
        """
        return set(connection.exec_driver_sql(listed).scalars())

    def _check_schema(self, connection: tp.Any) -> None:
        """Check that the schema that is meant can be used.

        PostgreSQL goes on to the next one of the `search_path` without a word, where a registry of somebody else may
        be, or none: then all portfolios would look like orphans."""
        asked = "SELECT current_schema(), current_user, current_setting('search_path')"
        current, user, search_path = connection.exec_driver_sql(asked).one()
        for name in map(_identifier, search_path.split(",")):
            if current == (user if name == "$user" else name):
                return
            if name not in ("$user", ""):
                raise StoreError(
                    f"{self}: there is no schema {name}, or the role may not use it; CREATE SCHEMA {name}, or "
                    f"GRANT USAGE ON SCHEMA {name} TO the role"
                )
        if current is None:
            raise StoreError(f"{self}: the role has no schema to use; CREATE SCHEMA ..., and name it in search_path")

    @contextmanager
    def exclusive(self) -> tp.Iterator[None]:
        engine = self.engine
        with self._turn:
            if getattr(self._session, "connection", None) is not None:
                yield
                return
            with self._translated(), engine.connect() as connection:
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


_DATABASES: tp.Dict[str, tp.Type[Database]] = {each.kind: each for each in (SqliteDatabase, PostgresDatabase)}
