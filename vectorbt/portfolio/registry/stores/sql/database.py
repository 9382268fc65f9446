"""A database with the tables of a registry: connections, transactions, locks. In SQLite and in PostgreSQL."""

import gc
import io
import os
import random
import sqlite3
import sys
import threading
import time
import traceback
import weakref
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import DurableFolder
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.errors import SchemaVersionError, StoreError
from vectorbt.portfolio.registry.locations import scheme_of
from vectorbt.portfolio.registry.stores.file_lock import TOLD_AFTER_SECONDS, WriterLock, still_held, warn_of_waiting
from vectorbt.portfolio.registry.stores.sql import schema
from vectorbt.portfolio.registry.warning import warn

_URLS = "sqlite:///<path> or postgresql+psycopg://<user>@<host>/<database>"
_SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")
_KEEPS_ESCAPES = sa.make_url("postgresql:///%25").database == "%25"
"""Whether SQLAlchemy leaves escapes in the name of a database as they are, as it did before 2.1."""
_ATTEMPTS = 8
"""How often a transaction is begun before a conflict with others is an error."""
_PAUSE_SECONDS = 0.01
"""Before the second attempt, at most twice as long; before each further one, twice as long again."""
_BUSY_SECONDS = 60
_FULL = 2
"""What SQLite calls it when a transaction is on the disk before it ends."""
_SEEN = "SELECT name FROM vectorbt_registry"
"""As text, because each transaction asks for it, and making an expression of it takes longer than the database does."""
_TOO_LATE = "55P03"
"""What PostgreSQL calls a lock that was not free in time."""
_CONFLICTS = ("40001", "40P01")
"""What PostgreSQL calls a failure to serialise, and a deadlock."""

Result = tp.TypeVar("Result")
Work = tp.Callable[[sa.Connection], Result]
"""What is done with a connection, within a transaction. May be called several times."""


# ############# Opening ############# #


def open_database(url_or_engine: tp.Union[str, sa.URL, sa.Engine]) -> "Database":
    """Return the database at a URL, or the one that an engine of SQLAlchemy is connected to.

    Raises:
        TypeError: If it is neither.
        ValueError: If the URL is malformed, or of a database that is not supported."""
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


def sqlite_url(path: tp.Union[str, os.PathLike]) -> sa.URL:
    """Return the URL of a SQLite file. Unlike text, it can hold any character."""
    return sa.URL.create("sqlite", database=os.fspath(path))


def _parse(url: tp.Union[str, sa.URL]) -> sa.URL:
    scheme = (scheme_of(url) or "") if isinstance(url, str) else url.drivername
    if isinstance(url, str) and scheme in _SQLITE_SCHEMES:
        return _parse_sqlite(url)
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(f"'{scheme}...' is no URL of a database; expected {_URLS}") from None
    kind, _, driver = parsed.drivername.lower().partition("+")
    expected = _DATABASES[kind].driver if kind in _DATABASES else driver
    if driver not in ("", expected):
        raise ValueError(f"no store for the driver {driver} of {kind}; expected {_URLS}")
    if _KEEPS_ESCAPES and isinstance(url, str) and parsed.database is not None:
        parsed = parsed.set(database=unquote(parsed.database))
    return parsed.set(drivername=kind if kind == "sqlite" else f"{kind}+{expected}")


def _parse_sqlite(url: str) -> sa.URL:
    """Return the parts of `sqlite:///<path>`. The path is taken as it is written, percent signs included.

    SQLAlchemy reads them as escapes since 2.1, and did not before: the same URL would be another file."""
    host, _, place = url.partition("://")[2].partition("/")
    if host:
        raise ValueError("a SQLite registry is a file of this machine, but its URL names a host: sqlite:///<path>")
    path, has_options, options = place.partition("?")
    query = {option.partition("=")[0]: "" for option in options.split("&")} if has_options else {}
    return sqlite_url(path).set(query=query)


# ############# Any database ############# #


class Database:
    """A database with the tables of a registry. A process that was forked leaves the connections of its parent alone.

    Args:
        url (URL): Where it is.
        engine (Engine): How it is reached. Made of `url` by default."""

    kind: str
    driver: str
    """What its driver is called in a URL."""
    extra: str
    """Extra that installs the driver."""
    insert: tp.Callable
    """Makes an INSERT that knows `on_conflict_do_nothing`."""
    as_written: tp.Callable[[sa.ColumnElement], sa.ColumnElement]
    """Makes of a column with text what reads it even where the text is damaged."""
    reading: tp.Dict[str, tp.Any] = {}
    """Options of a connection that a single statement is read by."""
    snapshot: tp.Dict[str, tp.Any] = {}
    """Options of a connection by which several statements see the database in the same state."""
    writing: tp.Dict[str, tp.Any] = {}
    """Options of a connection that is written by."""

    lock_timeout: tp.Optional[float] = None
    """Seconds that a change waits for somebody else. None means for ever."""

    def __init__(self, url: sa.URL, engine: tp.Optional[sa.Engine] = None) -> None:
        self.url = url
        self._engine = engine
        self._inherited: tp.List[sa.Pool] = []
        self.known_names: tp.Set[str] = set()
        self.settings: tp.Dict[str, str] = {}
        """What a database remembers that is made by the first save."""
        """Names of metrics that are known to be in it."""
        self._forget_connections()
        _databases.add(self)

    def __repr__(self) -> str:
        shown = {name: "***" if _is_secret(name) else value for name, value in self.url.query.items()}
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
            query={name: value for name, value in url.query.items() if not _is_secret(name)},
        )

    # ############# Connections ############# #

    @property
    def engine(self) -> sa.Engine:
        """Engine of this process."""
        if self._engine is None:
            try:
                self._engine = self._make_engine()
            except ImportError as e:
                raise ImportError(
                    f'the driver {self.driver} is not installed; pip install "vectorbt-registry[{self.extra}]"'
                ) from e
            except (sa.exc.ArgumentError, TypeError) as e:
                raise ValueError(f"{self} cannot be opened: {e}") from None
        return self._engine

    def _make_engine(self) -> sa.Engine:
        raise NotImplementedError

    def _is_another(self) -> bool:
        """Return whether another database has taken the place of the one that connections lead to."""
        return False

    def _connected(self) -> None:
        """Remember what `_is_another` needs, of a connection that was just made."""

    def _leave_parent(self) -> None:
        """Forget the connections and locks of the process that this one was just forked from."""
        if self._engine is not None:
            # Closing a connection that the parent still uses would end it there as well, so none is ever collected.
            self._inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
        self._forget_connections()

    def _forget_connections(self) -> None:
        self._session = threading.local()
        self._turn = threading.RLock()
        self._is_current = self._is_prepared = False

    @property
    def _held(self) -> tp.Optional[sa.Connection]:
        """Connection that this thread holds a lock by."""
        return getattr(self._session, "connection", None)

    def _transact(self, work: "Work[Result]", options: tp.Mapping[str, tp.Any]) -> Result:
        """Do something in a transaction on a connection: the one that this thread holds, else one of the pool."""
        held = self._held
        handled = sys.exc_info()[1]
        if held is None:
            self._session.pooled = None
        elif held.invalidated:
            raise StoreError(f"the connection to {self} was lost, and the lock with it")
        try:
            if held is not None:
                with held.begin():
                    return work(held)
            with self.engine.connect() as connection:
                self._connected()
                self._session.pooled = connection.connection
                with connection.execution_options(**options).begin():
                    return work(connection)
        except BaseException as e:
            interrupt = self._interrupt_behind(e, handled)
            if interrupt is None:
                raise
            try:
                raise interrupt from None
            finally:
                del interrupt  # it refers to this frame, which would refer to it

    def _interrupt_behind(self, error: BaseException, handled: tp.Optional[BaseException]) -> tp.Any:
        """Return the `KeyboardInterrupt`, or whatever else is no `Exception`, that an error is or came of, if any.

        Where Ctrl-C comes while SQLAlchemy is ending a transaction, an assertion may fail in its place.

        It may have come while the pool was between two states as well. So nothing of what it has interrupted is kept:
        the connection is closed, which ends its transaction, and the pool is replaced. A connection that was on its way
        into the pool or out of it is known to nobody but the frames of the traceback, which a notebook keeps. And one
        of `sqlite3` refers to itself: without the collector it stays open, and SQLite keeps the file of each that was
        closed open beside it.

        Args:
            error (BaseException): Error.
            handled (BaseException): What was being handled already when it was begun, which it did not come of."""
        chain = list(_contexts(error, handled))
        interrupt = next((each for each in chain if not isinstance(each, Exception)), None)
        if interrupt is None:
            return None
        pooled, self._session.pooled = self._session.pooled, None
        if pooled is not None and pooled.dbapi_connection is not None:
            pooled.invalidate()
        self.engine.dispose()
        for each in chain:
            traceback.clear_frames(each.__traceback__)
        del pooled
        gc.collect()
        return interrupt

    @contextmanager
    def _translated(self) -> tp.Iterator[None]:
        """Turn the errors of drivers into one that names the database."""
        try:
            yield
        except sa.exc.DBAPIError as e:
            _forget_frames(e)
            if "file is not a database" in str(e.orig):
                raise SchemaVersionError(f"{self} is not a SQLite database; choose another path") from e
            raise StoreError(f"{self}: {escaped(' '.join(str(e.orig).split()))}") from e
        except sa.exc.SQLAlchemyError as e:
            raise StoreError(f"{self}: {e}") from e

    def close(self) -> None:
        """Close all connections. They are opened again when they are needed."""
        if self._engine is not None:
            self._engine.dispose()
        self._is_current = self._is_prepared = False
        self.known_names = set()

    # ############# Transactions ############# #

    def read(self, work: "Work[Result]", otherwise: tp.Any = None, one_state: bool = False) -> Result:
        """Return what `work` finds, or `otherwise` if nothing was ever saved to the database.

        Args:
            work (callable): Takes a connection. May be called several times.
            otherwise (any): What to return instead.
            one_state (bool): Whether all statements see the database in the same state."""
        with self._translated():
            if not self._exists() or not self._has_tables():
                return otherwise
            return self._repeat(work, self.snapshot if one_state else self.reading)

    def write(self, work: "Work[Result]") -> Result:
        """Return what `work` returns. What it writes is written as a whole and durably, or not at all.

        Args:
            work (callable): Takes a connection. May be called several times."""
        with self.exclusive(), self._translated():
            self._make()
            has_tables = self._has_tables()
            if not self._is_prepared:
                self._prepare()
                self._is_prepared = True
            if not has_tables:
                self._repeat(lambda connection: schema.create(connection, self.settings), self.writing)
                self._is_current = True
            return self._repeat(lambda connection: self._work_on_known(connection, work), self.writing)

    def _work_on_known(self, connection: sa.Connection, work: "Work[Result]") -> Result:
        """Do something in a transaction, unless a newer version has changed the tables since they were looked at."""
        seen = {name for name in connection.exec_driver_sql(_SEEN).scalars() if "=" not in name}
        if seen != set(schema.known()):
            self._missing_migrations(connection)
        return work(connection)

    def _repeat(self, work: "Work[Result]", options: tp.Mapping[str, tp.Any]) -> Result:
        """Do something in a transaction, if need be in several attempts: others may conflict with it."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._transact(work, options)
            except sa.exc.DBAPIError as e:
                if not self._is_conflict(e.orig):
                    raise
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))
        return self._transact(work, options)

    def _is_conflict(self, error: tp.Optional[BaseException]) -> bool:
        """Return whether a transaction was undone because of another one, and is to be repeated."""
        return False

    def exclusive(self) -> tp.ContextManager:
        """Keep every other process from writing. Can be entered again inside itself, by the same thread."""
        raise NotImplementedError

    def check_writable(self) -> None:
        """Check that the database can be reached and is ours, or can be made, before anything else is written.

        Raises:
            SchemaVersionError: If it is of a newer version, or that of somebody else.
            StoreError: If it cannot be reached, or is known to be read-only."""
        if not self._is_current:
            self.holds_registry()

    def holds_registry(self) -> bool:
        """Return whether something was ever saved to the database."""
        with self._translated():
            return self._exists() and self._has_tables()

    # ############# Versions ############# #

    def _exists(self) -> bool:
        return True

    def _make(self) -> None:
        """Make the database if there is none, as far as that takes more than to connect to it."""

    def _prepare(self) -> None:
        """Do what has to be done outside of a transaction, before anything is written for the first time."""

    def _has_tables(self) -> bool:
        """Return whether the tables are there. Bring them up to date if they are older.

        Raises:
            SchemaVersionError: If they are of a newer version, or those of somebody else."""
        if self._is_another():
            self.close()
        if not self._is_current:
            missing = self._transact(self._missing_migrations, self.reading)
            if missing is None:
                return False
            if missing:
                self._migrate()
            self._is_current = True
        return True

    def _table_names(self, connection: sa.Connection) -> tp.Set[str]:
        """Return the names of the tables and views that are there, whoever has made them."""
        raise NotImplementedError

    def _missing_migrations(self, connection: sa.Connection) -> tp.Optional[tp.List[schema.Migration]]:
        """Return the changes that the tables have not seen yet, or None if there are no tables.

        Raises:
            SchemaVersionError: If they are of a newer version, or those of somebody else."""
        found = self._table_names(connection)
        if not found:
            return None
        if schema.migrations.name not in found:
            raise SchemaVersionError(
                f"{self} has tables ({_first_of(found)}, ...) but is no registry; it is left alone. "
                f"Choose another database or schema"
            )
        seen = schema.seen(connection)
        unknown = seen - set(schema.known())
        if unknown:
            raise SchemaVersionError(
                f"{self} has a newer schema ({_first_of(unknown)}) than this version of vectorbt-registry "
                f"knows; upgrade it: pip install --upgrade vectorbt-registry"
            )
        if schema.VERSION_1 not in seen:
            raise SchemaVersionError(f"{self} does not say which schema it has; restore it from a copy")
        return [migration for migration in schema.MIGRATIONS if migration.__name__ not in seen]

    def _migrate(self) -> None:
        """Apply the migrations that are missing, each in a transaction."""

        def migrate_next(connection: sa.Connection) -> bool:
            missing = self._missing_migrations(connection) or []
            for migration in missing[:1]:
                schema.migrate(connection, migration)
            return len(missing) > 1

        with self.exclusive():
            while self._repeat(migrate_next, self.writing):
                pass


def _first_of(names: tp.Iterable[str]) -> str:
    """Return the first three of some names, as they are shown in a message."""
    return ", ".join(map(escaped, sorted(names)[:3]))


def _contexts(error: tp.Optional[BaseException], handled: tp.Optional[BaseException]) -> tp.Iterator[BaseException]:
    """Return an error and what it came of, each after what came of it, up to what was being handled before."""
    while error is not None and error is not handled:
        yield error
        error = error.__context__


def _forget_frames(error: tp.Optional[BaseException]) -> None:
    """Forget where in a driver an error was raised: the variables there hold the password, and are shown by some."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _is_secret(option: str) -> bool:
    """Return whether an option of a URL may hold a password or say where one is, such as `sslpassword`, `passfile`."""
    return "pass" in option.lower()


# ############# SQLite ############# #


class SqliteDatabase(Database):
    """A file. Writers take turns by a lock on `<file>.lock`, and readers wait for nobody."""

    kind = "sqlite"
    driver = "pysqlite"
    extra = "sql"
    insert = staticmethod(sqlite.insert)
    as_written = staticmethod(lambda column: sa.cast(column, sa.LargeBinary))
    writing = {"begin": "BEGIN IMMEDIATE"}

    _lock: tp.Optional[WriterLock]
    _identity: tp.Optional[tp.Tuple[int, int]]
    """Device and inode of the file that connections lead to."""

    def __init__(self, url: sa.URL, engine: tp.Optional[sa.Engine] = None) -> None:
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
        if engine is not None:
            engine = _beginning_itself(engine.execution_options(isolation_level="AUTOCOMMIT"))
        self._folder = DurableFolder(self.path.parent)
        super().__init__(url.set(database=str(self.path)), engine)

    def __repr__(self) -> str:
        return f"sqlite:///{self.path}"

    def _exists(self) -> bool:
        return self.path.exists()

    def _make(self) -> None:
        # SQLite would keep the group from writing, whatever the umask says. Its log has the permissions of the file.
        with suppress(FileExistsError), open(self.path, "xb"):
            pass

    def _prepare(self) -> None:
        with self.engine.connect() as connection, closing(connection.connection.cursor()) as cursor:
            # A copy that VACUUM INTO has made is out of it. It stays so where somebody is reading just then.
            with suppress(sqlite3.OperationalError):
                cursor.execute("PRAGMA journal_mode = WAL")
            if cursor.execute("PRAGMA synchronous").fetchone()[0] < _FULL:
                warn(
                    f"the engine for {self} has set PRAGMA synchronous to less than FULL: a power cut can take runs "
                    f"that were saved, and with OFF the whole file; leave it at FULL"
                )

    def _make_engine(self) -> sa.Engine:
        # How a file is opened that cannot be written depends on what others are doing with it at that moment.
        pool = sa.QueuePool if self._is_writable() else sa.NullPool
        # Without its path, which may be one that SQLAlchemy cannot write down as a URL.
        return _beginning_itself(
            sa.create_engine("sqlite://", creator=self._connect, poolclass=pool, hide_parameters=True)
        )

    def _is_another(self) -> bool:
        # Whoever removes the file leaves connections to one that nobody can find any more.
        return self._identity is not None and self._identity != _identity_of(self.path)

    def _connected(self) -> None:
        if self._identity is None:
            self._identity = _identity_of(self.path)

    def close(self) -> None:
        super().close()
        self._identity = None

    def _connect(self) -> sqlite3.Connection:
        options: tp.Dict[str, tp.Any] = dict(timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        if not self._is_writable():
            return self._connect_read_only(options)
        connection = sqlite3.connect(self.path, **options)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _connect_read_only(self, options: tp.Dict[str, tp.Any]) -> sqlite3.Connection:
        """Open a file beside which nothing can be written, not even the index of its write-ahead log."""
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

    def _table_names(self, connection: sa.Connection) -> tp.Set[str]:
        listed = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_'"
        return set(connection.exec_driver_sql(listed).scalars())

    def _forget_connections(self) -> None:
        super()._forget_connections()
        self._lock = None
        self._identity = None

    def exclusive(self) -> tp.ContextManager:
        try:
            self._folder.make()
        except OSError as e:
            raise StoreError(f"{self}: there is no folder to put it in: {e}") from e
        with self._turn:  # all threads share one lock object: it is what knows who may enter it again
            if self._lock is None:
                self._check_permissions()
                self._lock = WriterLock(Path(f"{self.path}.lock"))
        return self._lock.hold(self.lock_timeout)


def _beginning_itself(engine: sa.Engine) -> sa.Engine:
    """Let an engine begin transactions itself, as the documentation of SQLAlchemy advises. Python's module begins none
    before it reads, and none that waits for its turn to write."""

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    # A connection that is closed within a statement stays open, and so does its transaction, for as long as anything
    # refers to the statement.

    @sa.event.listens_for(engine, "before_cursor_execute")
    def remember(connection: sa.Connection, cursor: sqlite3.Cursor, *_: tp.Any) -> None:
        connection.info["cursor"] = cursor

    @sa.event.listens_for(engine, "close")
    def undo(connection: sqlite3.Connection, record: tp.Any) -> None:
        if "cursor" in record.info:
            record.info["cursor"].close()
        connection.rollback()

    return engine


def _identity_of(path: Path) -> tp.Optional[tp.Tuple[int, int]]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


# ############# PostgreSQL ############# #


class PostgresDatabase(Database):
    """A schema of a PostgreSQL database. Writers take turns by an advisory lock, which ends with their connection."""

    kind = "postgresql"
    driver = "psycopg"
    extra = "postgres"
    insert = staticmethod(postgresql.insert)
    as_written = staticmethod(lambda column: column)
    reading = {"isolation_level": "AUTOCOMMIT"}
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    # Whoever holds the lock sees what the one before has written.
    writing = {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}

    _KEY = "hashtext('vectorbt_registry'), hashtext(current_schema())"

    def _make_engine(self) -> sa.Engine:
        # In a database of no encoding, text would be bytes.
        options = {"pool_pre_ping": True, "connect_args": {"client_encoding": "utf8"}}
        return sa.create_engine(self.url, hide_parameters=True, **options)

    def _is_conflict(self, error: tp.Optional[BaseException]) -> bool:
        return _state_of(error) in _CONFLICTS

    def _table_names(self, connection: sa.Connection) -> tp.Set[str]:
        self._check_schema(connection)
        listed = """
            SELECT relname FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
        """
        return set(connection.exec_driver_sql(listed).scalars())

    def _check_schema(self, connection: sa.Connection) -> None:
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

    def exclusive(self) -> tp.ContextManager:
        return nullcontext() if self._held is not None else _Exclusive(self._hold())

    def _hold(self) -> tp.Generator[None, None, None]:
        """Take the lock, and let go of it when the generator is closed."""
        with self._turn:
            self._session.pooled = None
            handled = sys.exc_info()[1]
            try:
                with self._translated(), self.engine.connect() as connection:
                    self._session.pooled = connection.connection
                    self._wait_for_lock(connection)
                    self._session.connection = connection
                    with suppress(GeneratorExit):
                        yield
                    self._session.connection = None
                    self._unlock(connection)
            except BaseException as e:
                self._session.connection = None
                interrupt = self._interrupt_behind(e, handled)
                if interrupt is None:
                    raise
                try:
                    raise interrupt from None
                finally:
                    del interrupt  # it refers to this frame, which would refer to it

    def _wait_for_lock(self, connection: sa.Connection) -> None:
        """Lock the registry. Say after a second for whom it is waited.

        Raises:
            StoreError: If `lock_timeout` is over. Says for whom it was waited."""
        timeout = self.lock_timeout
        first = TOLD_AFTER_SECONDS if timeout is None else min(timeout, TOLD_AFTER_SECONDS)
        if self._lock(connection, first):
            return
        if timeout is None or timeout > first:
            warn_of_waiting(self, timeout, self._holder(connection))
            if self._lock(connection, None if timeout is None else timeout - first):
                return
        raise still_held(self, tp.cast(float, timeout), self._holder(connection))

    def _lock(self, connection: sa.Connection, seconds: tp.Optional[float]) -> bool:
        """Lock the registry. Return whether it was free within some seconds."""
        try:
            with connection.execution_options(**self.writing).begin():
                if connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({self._KEY})").scalar():
                    return True
                milliseconds = 0 if seconds is None else max(1, round(1000 * seconds))  # 0 means for ever
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                connection.exec_driver_sql(f"SELECT pg_advisory_lock({self._KEY})")
                return True
        except sa.exc.DBAPIError as e:
            if _state_of(e.orig) != _TOO_LATE:
                raise
            return False

    def _holder(self, connection: sa.Connection) -> str:
        """Return who has locked the registry, as far as the server tells."""
        asked = f"""
            SELECT pid, usename, coalesce(host(client_addr), 'the machine of the server')
            FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'advisory' AND granted AND objsubid = 2
                AND (classid, objid) = (SELECT a::int::oid, b::int::oid FROM (SELECT {self._KEY}) AS keys (a, b))
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """
        with connection.begin():
            found = connection.exec_driver_sql(asked).first()
        if found is None:
            return "somebody who has just let go of it"
        pid, user, host = found
        return f"process {pid} of the server, for {escaped(str(user))} from {escaped(str(host))}"

    def _unlock(self, connection: sa.Connection) -> None:
        if connection.invalidated:
            return
        try:
            with connection.begin():
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({self._KEY})")
        except sa.exc.SQLAlchemyError:  # the lock ends with the connection
            connection.invalidate()


def _state_of(error: tp.Optional[BaseException]) -> tp.Optional[str]:
    """Return what PostgreSQL calls an error. psycopg2 names it otherwise."""
    return getattr(error, "sqlstate", getattr(error, "pgcode", None))


class _Exclusive(io.IOBase):
    """What a generator holds, until the context is left.

    Before its first line, an `__exit__` in Python can be interrupted. That of `io.IOBase` is C, which no signal enters,
    and calls `close`, which is that of the generator and C as well.

    Args:
        holding (generator): Takes something, yields once, and lets go when it is closed."""

    closed = True  # for the finalizer, which would close it once more

    def __init__(self, holding: tp.Generator[None, None, None]) -> None:
        self._holding = holding
        self.close: tp.Callable = holding.close

    def __enter__(self) -> "_Exclusive":
        try:
            next(self._holding)
            return self
        except BaseException:
            self.close()
            raise


def _identifier(written: str) -> str:
    """Return a name as PostgreSQL reads it: in lower case, unless it is quoted."""
    written = written.strip()
    return written[1:-1].replace('""', '"') if written.startswith('"') else written.lower()


_DATABASES: tp.Dict[str, tp.Type[Database]] = {each.kind: each for each in (SqliteDatabase, PostgresDatabase)}


# ############# Forked processes ############# #

_databases: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _leave_parent() -> None:
    """Let the databases of a forked process make connections and locks of their own."""
    for database in list(_databases):
        database._leave_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_parent)
