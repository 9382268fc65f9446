"""A database with the tables of a registry: its connections, its transactions, its version.

What SQLite and PostgreSQL do each in their own way is in `vectorbt.portfolio.registry.stores.sql.backends`."""

import os
import random
import threading
import time
from contextlib import contextmanager, nullcontext
from functools import partial

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.errors import SchemaVersionError, StoreError
from vectorbt.portfolio.registry.stores.sql.schema import MIGRATIONS, TYPES, VERSION_TABLE

_ATTEMPTS = 8
"""How often a transaction is begun before a conflict with others is an error."""
_PAUSE_SECONDS = 0.01
"""Before the second attempt, at most twice as long; before each further one, twice as long again."""

Work = tp.Callable[[tp.Any], tp.Any]
"""What is done with a connection."""


def missing_package(package: str, extra: str) -> ImportError:
    """Return the error that a package is not installed, which names the extra that installs it."""
    return ImportError(f'{package} is not installed; pip install "vectorbt-registry[{extra}]"')


def _forget_frames(error: tp.Optional[BaseException]) -> None:
    """Forget where in a driver an error was raised: the variables there hold the password, and are shown by some."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _is_secret(option: str) -> bool:
    """Return whether an option of a URL may hold a password or say where one is, such as `sslpassword`, `passfile`."""
    return "pass" in option.lower()


class Database:
    """A database with the tables of a registry.

    Connections are in autocommit mode, and transactions are begun and ended here, so that each begins as it must. A
    process that was forked leaves the connections of its parent alone.

    Args:
        url (URL): Where it is.
        engine (Engine): How it is reached. Made of `url` by default."""

    kind: str
    driver: str
    """What its driver is called in a URL."""
    extra: str
    """Extra that installs the driver."""
    begin_reading: str
    begin_writing: str

    def __init__(self, url: tp.Any, engine: tp.Any = None) -> None:
        self.url = url
        self._engine = None if engine is None else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._forget_connections()
        self._inherited: tp.List[tp.Any] = []
        self.known_names: tp.Set[str] = set()
        """Names of metrics that are known to be in it."""

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
    def engine(self) -> tp.Any:
        """Engine of this process."""
        self._leave_parent()
        if self._engine is not None and self._is_another():
            self.close()
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _is_another(self) -> bool:
        """Return whether another database has taken the place of the one that connections lead to."""
        return False

    def _connected(self) -> None:
        """Remember what `_is_another` needs, of a connection that was just made."""

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
            return sa.create_engine(
                self.url, hide_parameters=True, isolation_level="AUTOCOMMIT", **self._engine_options()
            )
        except ImportError as e:
            raise missing_package(f"the driver {self.driver}", self.extra) from e
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
                with engine.connect() as connection:
                    self._connected()
                    yield connection

    @contextmanager
    def _translated(self) -> tp.Iterator[None]:
        """Turn the errors of drivers into one that names the database."""
        import sqlalchemy as sa

        try:
            yield
        except sa.exc.DBAPIError as e:
            _forget_frames(e)
            if "file is not a database" in str(e.orig):
                raise SchemaVersionError(f"{self} is not a SQLite database; choose another path") from e
            raise StoreError(f"{self}: {' '.join(str(e.orig).split())}") from e
        except sa.exc.SQLAlchemyError as e:
            raise StoreError(f"{self}: {e}") from e

    def close(self) -> None:
        """Close all connections. They are opened again when they are needed."""
        self._leave_parent()
        if self._engine is not None:
            self._engine.dispose()
        self._is_current = False
        self.known_names = set()

    # ############# Transactions ############# #

    def read(self, work: Work, otherwise: tp.Any = None, one_state: bool = False) -> tp.Any:
        """Return what `work` finds, or `otherwise` if nothing was ever saved to the database.

        Args:
            work (callable): Takes a connection. May be called several times.
            otherwise (any): What to return instead.
            one_state (bool): Whether all statements see the database in the same state."""
        if not self._exists():
            return otherwise
        with self.connection() as connection:
            if not self._is_up_to_date(connection):
                return otherwise
            return self._repeat(connection, self.begin_reading if one_state else None, work)

    def write(self, work: Work) -> tp.Any:
        """Return what `work` returns. What it writes is written as a whole and durably, or not at all.

        Args:
            work (callable): Takes a connection. May be called several times."""
        with self.exclusive():
            self._make()
            with self.connection() as connection:
                if not self._is_up_to_date(connection):
                    self._migrate(connection)
                return self._repeat(connection, self.begin_writing, work)

    def _repeat(self, connection: tp.Any, begin: tp.Optional[str], work: Work) -> tp.Any:
        """Do something in a transaction, if need be in several attempts: others may conflict with it."""
        import sqlalchemy as sa

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with nullcontext() if begin is None else self._transaction(connection, begin):
                    return work(connection)
            except sa.exc.DBAPIError as e:
                if attempt == _ATTEMPTS or not self._is_conflict(e.orig):
                    raise
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))

    def _is_conflict(self, error: BaseException) -> bool:
        """Return whether a transaction was undone because of another one, and is to be repeated."""
        return False

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

    def check_writable(self) -> None:
        """Check that the database can be reached and is ours, or can be made, before anything else is written.

        Raises:
            SchemaVersionError: If it is of a newer version, or that of somebody else.
            StoreError: If it cannot be reached, or is known to be read-only."""
        if not self._is_current:
            self.holds_registry()

    def holds_registry(self) -> bool:
        """Return whether something was ever saved to the database."""
        return self.read(lambda connection: True, otherwise=False)

    # ############# Versions ############# #

    def _exists(self) -> bool:
        return True

    def _make(self) -> None:
        """Make the database if there is none, as far as that takes more than to connect to it."""

    def _is_up_to_date(self, connection: tp.Any) -> bool:
        """Return whether the tables are there. Bring them up to date if they are older.

        Raises:
            SchemaVersionError: If they are of a newer version, or those of somebody else."""
        if self._is_current:
            return True
        found = self._tables(connection)
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

    def _tables(self, connection: tp.Any) -> tp.Set[str]:
        """Return the names of the tables and views that are there, whoever has made them."""
        raise NotImplementedError

    def _version(self, connection: tp.Any) -> int:
        version = connection.exec_driver_sql(f"SELECT version FROM {VERSION_TABLE}").scalar_one()
        if not isinstance(version, int) or version < 0:
            raise SchemaVersionError(f"{self} has schema version {version!r}, which is none; restore it from a copy")
        if version > len(MIGRATIONS):
            raise SchemaVersionError(
                f"{self} has schema version {version}, this version of vectorbt-registry knows up to "
                f"{len(MIGRATIONS)}; upgrade it: pip install --upgrade vectorbt-registry"
            )
        return version

    def _migrate(self, connection: tp.Any) -> None:
        """Apply the migrations that are missing. Whoever calls holds the lock."""
        self._prepare(connection)
        has_version = VERSION_TABLE in self._tables(connection)
        version = self._version(connection) if has_version else 0
        for number, statements in enumerate(MIGRATIONS[version:], version + 1):
            self._repeat(connection, self.begin_writing, partial(self._apply, number, statements))
        self._is_current = True

    def _apply(self, number: int, statements: tp.Sequence[str], connection: tp.Any) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement.format(**TYPES[self.kind]))
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version = {number}")

    def _prepare(self, connection: tp.Any) -> None:
        """Do what has to be done once, outside of a transaction, before there are tables."""
