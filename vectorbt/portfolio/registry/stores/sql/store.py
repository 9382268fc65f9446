"""Runs in a database: SQLite for one machine and a million runs, PostgreSQL for a team.

The tables are in `vectorbt.portfolio.registry.stores.sql.schema`, what of a query the database answers in
`vectorbt.portfolio.registry.stores.sql.query`, connections and transactions in
`vectorbt.portfolio.registry.stores.sql.database`."""

import os
from dataclasses import replace
from functools import lru_cache
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.artifacts import open_artifacts
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.errors import CorruptedRecordWarning, RunExistsError
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.comparing import Kind
from vectorbt.portfolio.registry.query.query import Query, sorts_last, value_of
from vectorbt.portfolio.registry.record_json import CONTAINERS
from vectorbt.portfolio.registry.reports import Problem
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.stores.file_lock import check_timeout
from vectorbt.portfolio.registry.stores.sql import schema
from vectorbt.portfolio.registry.stores.sql.damage import Damage, Row, read_json, read_record
from vectorbt.portfolio.registry.stores.sql.database import Database, SqliteDatabase, open_database
from vectorbt.portfolio.registry.stores.sql.digest import Head, Total, digest_problems, total_of
from vectorbt.portfolio.registry.stores.sql.query import Order, Planner, narrow, order_of, undecided
from vectorbt.portfolio.registry.stores.sql.rows import (
    BOOLEAN,
    MAX_EXACT,
    MAX_TEXT,
    NUMBER,
    OPAQUE,
    TEXT,
    is_plain_text,
    json_text,
    key_text,
    read_text,
    record_of_summary,
    rows_of,
)
from vectorbt.portfolio.registry.warning import warn

_CHUNK = 500
"""Values that one statement takes."""
_MAX_BATCH = 10_000
"""Rows that are read at once while the first runs of a query are looked for."""
_MAX_LIMIT = 2**31 - 2
"""What a database counts to, less the one run more that is looked at. No registry holds so many."""
_CACHED_SWEEPS = 256
_NAMES = {
    "strategy_name": schema.runs.c.strategy_name,
    "tags": schema.tags.c.tag,
    "sweep_id": schema.runs.c.sweep_id,
    "parameters": schema.parameters.c.name,
}
"""Where names stand, see `RunStore.names`."""
_KINDS = {NUMBER: Kind.NUMBER, BOOLEAN: Kind.BOOLEAN, TEXT: Kind.STRING}


class SqlStore(RunStore):
    """Runs in a SQLite or PostgreSQL database, portfolios in a folder or an object store.

    Nothing is connected to before the first call. The tables are made by the first save. A password is kept in memory
    only: it is neither shown nor pickled. A store that was sent to another process finds it where the driver looks for
    it, such as in `PGPASSWORD` or `~/.pgpass`.

    Args:
        url_or_engine (str, URL or Engine): URL as SQLAlchemy writes it: `sqlite:///runs.db`,
            `postgresql+psycopg://user@host/database`. Or an engine of SQLAlchemy.
        artifacts (path_like or ArtifactStore): Where the portfolios lie: a folder, a URL that fsspec knows, such as
            `s3://bucket/prefix`, or a store of artifacts. Defaults to the folder `<file>.portfolios` beside a SQLite
            file; with any other database it is needed.
        portfolio_format (str): Format in which portfolios are saved, unless a call says otherwise. Defaults to the one
            that the registry was made with, else `pickle`. A new registry remembers the one that is given.
        allow_pickle (bool): Whether portfolios may be unpickled, which executes whatever code the file contains.
        lock_timeout (float): Seconds that a change waits for somebody else who is changing the registry, before it
            ends with a `StoreError` that says who. None means for ever. Threads that share a store of PostgreSQL take
            turns before that, without a limit.

    Raises:
        ImportError: If SQLAlchemy or the driver is missing. Names the extra to install.
        TypeError: If an argument has the wrong type.
        ValueError: If the URL is malformed, or `artifacts` is missing.

    Usage:
        ```pycon
        >>> store = SqlStore("postgresql+psycopg://quant@db/research", artifacts="s3://research/portfolios")
        >>> registry = RunRegistry(store)
        ```"""

    def __init__(
        self,
        url_or_engine: tp.Union[str, sa.URL, sa.Engine],
        artifacts: tp.Union[None, str, os.PathLike, ArtifactStore] = None,
        portfolio_format: tp.Optional[str] = None,
        allow_pickle: bool = True,
        lock_timeout: tp.Optional[float] = None,
    ) -> None:
        self.database: Database = open_database(url_or_engine)
        self.database.lock_timeout = check_timeout(lock_timeout)
        super().__init__(self._open_artifacts(artifacts), portfolio_format, allow_pickle)
        if self.given_format is not None:
            self.database.settings["portfolio_format"] = self.given_format
        self._kept_format: tp.Optional[tp.Tuple[tp.Optional[str]]] = None
        self._sweeps: tp.Dict[tp.Optional[str], tp.Dict[str, tp.Any]] = {}
        self._warned: tp.Set[str] = set()

    def _open_artifacts(self, location: tp.Union[None, str, os.PathLike, ArtifactStore]) -> ArtifactStore:
        if location is not None:
            return open_artifacts(location)
        if isinstance(self.database, SqliteDatabase):
            return FolderArtifacts(f"{self.database.path}.portfolios")
        raise ValueError(
            f"{self.database} says where the records are, but not the portfolios: pass artifacts=, a folder that all "
            f"who use the registry can reach, or a URL, as in RunRegistry(url, artifacts='s3://bucket/prefix')"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.database)!r})"

    def __getstate__(self) -> tp.Dict[str, tp.Any]:
        return dict(
            address=self.database.address,
            artifacts=self.artifacts,
            portfolio_format=self.given_format,
            allow_pickle=self.allow_pickle,
            lock_timeout=self.database.lock_timeout,
        )

    def __setstate__(self, state: tp.Dict[str, tp.Any]) -> None:
        SqlStore.__init__(self, sa.URL.create(**state.pop("address")), **state)

    # ############# Backend ############# #

    def insert(self, block: RunBlock, new_ids: bool = False, deleted: bool = False) -> None:
        def work(connection: sa.Connection) -> tp.Set[str]:
            if not new_ids:
                self._check_new(connection, block.run_ids)
            return self._insert_rows(connection, block, deleted)

        self.database.known_names |= self.database.write(work)

    def replace(self, block: RunBlock, deleted: bool = False) -> None:
        def work(connection: sa.Connection) -> tp.Set[str]:
            names: tp.Set[str] = set()
            for chunk in _chunks(list(block.rows())):
                names |= self._replace_chunk(connection, {record["run_id"]: record for record in chunk}, deleted)
            return self._insert_metric_names(connection, names)

        self.database.known_names |= self.database.write(work)

    def remove(self, run_ids: tp.Collection[str], deletion: Deletion) -> tp.List[RunRecord]:
        def work(connection: sa.Connection) -> tp.List[RunRecord]:
            chunks = _chunks(sorted(run_ids))
            return [record for chunk in chunks for record in self._remove_chunk(connection, chunk, deletion)]

        return self.database.write(work)

    def get(self, run_id: str) -> tp.Optional[RunRecord]:
        def work(connection: sa.Connection) -> tp.Optional[RunRecord]:
            rows = self._rows(connection, runs.c.run_id == run_id, runs.c.deleted == 0)
            return next(filter(None, self._records(connection, rows)), None)

        runs = schema.runs
        return self.database.read(work)

    def select(self, query: Query) -> tp.List[RunRecord]:
        def work(connection: sa.Connection) -> tp.List[RunRecord]:
            planner = Planner(self.database.kind, None if query.limit is None else connection)
            condition = narrow(query, planner)
            rest = undecided(query)
            if query.limit is None or (order := order_of(query, planner)) is None:
                return rest.apply(filter(None, self._records(connection, self._rows(connection, condition))))
            return rest.arrange(self._first(connection, rest, query.limit, condition, order))

        if query.limit == 0:
            return []
        if query.limit is not None and query.limit > _MAX_LIMIT:
            query = replace(query, limit=None)
        with collection_paused():
            return self.database.read(work, otherwise=[], one_state=query.limit is not None)

    def has_run(self, run_id: str) -> bool:
        runs = schema.runs
        statement = sa.select(runs.c.id).where(runs.c.run_id == run_id, runs.c.deleted == 0)
        return self.database.read(lambda connection: connection.scalar(statement)) is not None

    def exclusive(self) -> tp.ContextManager:
        return self.database.exclusive()

    def check_writable(self) -> None:
        self.database.check_writable()

    def close(self) -> None:
        self._kept_format = None
        self.database.close()

    def kept_format(self) -> tp.Optional[str]:
        if self._kept_format is None:  # it is written down once, with the tables
            self._kept_format = self.database.read(lambda connection: (schema.setting(connection, "portfolio_format"),))
        return None if self._kept_format is None else self._kept_format[0]

    # ############# Counting ############# #

    def exists(self) -> bool:
        return self.database.holds_registry()

    def count(self) -> int:
        runs = schema.runs
        statement = sa.select(sa.func.count()).select_from(runs).where(runs.c.deleted == 0)
        return self.database.read(lambda connection: connection.scalars(statement).one(), otherwise=0)

    def metric_names(self) -> tp.Set[str]:
        statement = sa.select(schema.metric_names.c.name)
        return self.database.read(
            lambda connection: set(map(read_text, connection.scalars(statement))), otherwise=set()
        )

    def names(self, what: str) -> tp.Set[str]:
        if what not in _NAMES:
            return super().names(what)
        column = _NAMES[what]
        statement = sa.select(column).where(column.is_not(None)).distinct()
        written = self.database.read(lambda connection: list(connection.scalars(statement)), otherwise=[])
        return {read_text(name) for name in written if len(name) < MAX_TEXT}  # longer ones were cut

    def kinds(self, name: str) -> tp.Set[Kind]:
        parameter, parameters = name.removeprefix(PARAMETER_PREFIX), schema.parameters
        if parameter == name or not is_plain_text(parameter):
            return super().kinds(name)
        statement = sa.select(parameters.c.kind).where(parameters.c.name == key_text(parameter)).distinct()
        known = self.database.read(lambda connection: set(connection.scalars(statement)), otherwise=set())
        return super().kinds(name) if OPAQUE in known else {_KINDS[kind] for kind in known}

    # ############# Damage ############# #

    def problems(self) -> tp.List[Problem]:
        with collection_paused():
            damages = self.database.read(self._damages_in, otherwise=[])
        return [damage.problem(self.database) for damage in damages]

    def unreadable(self) -> bytes:
        def work(connection: sa.Connection) -> tp.List[bytes]:
            found = []
            runs, records, shared = schema.runs, schema.records, schema.shared
            # Portfolios are named after a run or a sweep, and the prices that several have in common after themselves.
            columns = (
                runs.c.run_id,
                runs.c.sweep_id,
                *map(self.database.as_written, (records.c.record, shared.c.content)),
            )
            joined = sa.select(*columns).join_from(runs, records).outerjoin(shared)
            for chunk in _chunks([damage.row.id for damage in self._damages_in(connection)]):
                for row in connection.execute(joined.where(runs.c.id.in_(chunk))):
                    found += [text if isinstance(text, bytes) else (text or "").encode() for text in row]
            return found

        with collection_paused():
            return b" ".join(self.database.read(work, otherwise=[]))

    def chain_problems(self, head: tp.Optional[str] = None) -> tp.List[Problem]:
        kept = None if head is None else Head.parse(head)

        def work(connection: sa.Connection) -> tp.List[Problem]:
            found, n_unreadable = self._found(connection)
            is_kept = head is None or (kept is not None and self._saved(connection, kept.last) == kept.total)
            saved = self._saved(connection)
            return digest_problems(self.database, saved, found, n_unreadable, None if is_kept else head)

        nothing = [] if head is None else digest_problems(self.database, Total(), Total(), 0, head)
        with collection_paused():
            return self.database.read(work, otherwise=nothing, one_state=True)

    def chain_head(self) -> tp.Optional[str]:
        if not self.exists():
            return None
        saves = schema.saves
        with self.exclusive():  # a save that is under way may have an earlier number
            last = self.database.read(lambda connection: connection.scalar(sa.select(sa.func.max(saves.c.id))))
            total = self.database.read(lambda connection: self._saved(connection, last or 0))
        return str(Head(last, total)) if last else None

    def _found(self, connection: sa.Connection) -> tp.Tuple[Total, int]:
        """Return the runs that are there and can be read, and the number of those that cannot."""
        damaged = {damage.row.id for damage in self._damages_in(connection)}
        rows = [row for row in self._rows(connection) if row.id not in damaged]
        return sum((total_of(loads(row.source)) for row in rows), Total()), len(damaged)

    def _acknowledge_loss(self, connection: sa.Connection) -> None:
        """Write down that a run was deleted which could not be read: what is left of it is not what was saved."""
        found, n_unreadable = self._found(connection)
        if n_unreadable == 0:
            lost = Total(0, found.digest) - self._saved(connection)
            connection.execute(sa.insert(schema.saves), dict(n_runs=0, digest=str(lost)))

    @staticmethod
    def _saved(connection: sa.Connection, last: tp.Optional[int] = None) -> Total:
        """Return all runs that were saved, up to a save."""
        saves = schema.saves
        statement = sa.select(saves.c.n_runs, saves.c.digest)
        rows = connection.execute(statement if last is None else statement.where(saves.c.id <= last))
        return sum((Total(n_runs, _as_number(digest)) for n_runs, digest in rows), Total())

    def _damages_in(self, connection: sa.Connection) -> tp.List[Damage]:
        """Return the records that cannot be read, those of deleted runs included."""
        self._sweeps = {}  # what was altered since it was read does not show otherwise
        rows = self._rows(connection)
        shared = self._shared(connection, {row.digest for row in rows})
        found = (read_record(row, shared[row.digest]) for row in rows)
        return [damage for damage in found if isinstance(damage, Damage)]

    # ############# Reading ############# #

    def _first(
        self, connection: sa.Connection, query: Query, limit: int, condition: sa.ColumnElement, order: Order
    ) -> tp.List[RunRecord]:
        """Return records among which are the first `limit` ones that a query asks for."""
        runs = schema.runs
        direction = order.key.asc() if query.ascending else order.key.desc()
        keys = sa.select(runs.c.id, runs.c.run_id, order.key.label("key")).select_from(order.source)
        ordered = keys.where(condition, order.present).order_by(direction, runs.c.run_id)
        found = self._first_in_order(connection, query, limit, ordered)
        if order.others is not None:
            others = self._rows(connection, condition, order.others)
            found += [record for record in filter(None, self._records(connection, others)) if query.matches(record)]
        if order.missing is not None and _count_ranked(found, query.sort_by) < limit:
            missing = sa.select(runs.c.id, runs.c.run_id, sa.null().label("key")).where(condition, order.missing)
            found += self._first_in_order(connection, query, limit, missing.order_by(runs.c.run_id))
        return found

    def _first_in_order(
        self, connection: sa.Connection, query: Query, limit: int, statement: sa.Select
    ) -> tp.List[RunRecord]:
        """Return matching records in the order of a statement, until there are enough of them.

        Those that the database may have put in the wrong order among themselves are all among them."""
        found: tp.List[tp.Tuple[tp.Any, RunRecord]] = []
        offset, size = 0, limit
        while True:
            rows = self._top(connection, statement.limit(size).offset(offset), not query.ascending)
            keys = [key for *_, key in rows]
            records = self._records(connection, [Row.of(*row) for *row, _ in rows])
            found += [(key, one) for key, one in zip(keys, records, strict=True) if one and query.matches(one)]
            is_last = len(rows) < size
            if is_last or _is_settled(found, limit, keys[-1]):
                return [record for _, record in found]
            offset, size = offset + size, min(4 * size, _MAX_BATCH)

    def _top(self, connection: sa.Connection, statement: sa.Select, reverse: bool) -> tp.List[tp.Tuple]:
        """Return the rows of the runs that a statement finds, each with its key behind it, in the order of the keys."""
        top = statement.subquery()
        joined = sa.select(*self._columns_of(top), top.c.key).join_from(
            top, schema.records, schema.records.c.id == top.c.id
        )
        return sorted(connection.execute(joined).all(), key=lambda row: row[-1] or 0, reverse=reverse)

    def _rows(self, connection: sa.Connection, *conditions: sa.ColumnElement) -> tp.List[Row]:
        """Return the rows of the runs that meet all conditions."""
        runs, records = schema.runs, schema.records
        statement = sa.select(*self._columns_of(runs)).join_from(runs, records, records.c.id == runs.c.id)
        return [Row.of(*row) for row in connection.execute(statement.where(*conditions))]

    def _columns_of(self, runs: sa.FromClause) -> tp.List[sa.ColumnElement]:
        """Return the columns that a `Row` is made of."""
        records = schema.records
        return [records.c.id, runs.c.run_id, records.c.shared, self.database.as_written(records.c.record)]

    def _records(self, connection: sa.Connection, rows: tp.Sequence[Row]) -> tp.List[tp.Optional[RunRecord]]:
        """Return the record of each row, None for one that cannot be read."""
        shared = self._shared(connection, {row.digest for row in rows})
        return [self._record(row, shared[row.digest]) for row in rows]

    def _record(self, row: Row, shared: tp.Any) -> tp.Optional[RunRecord]:
        found = read_record(row, shared)
        if isinstance(found, RunRecord):
            return found
        if row.run_id not in self._warned:
            self._warned.add(row.run_id)
            warn(
                f"{self.database}: run {row.run_id} was left out: {found.reason}; registry.check() lists what is wrong",
                CorruptedRecordWarning,
            )
        return None

    def _shared(
        self, connection: sa.Connection, digests: tp.Set[tp.Optional[str]]
    ) -> tp.Dict[tp.Optional[str], tp.Any]:
        """Return by its digest what records share with the others of their sweep. A lone record shares nothing.

        None stands for what is no JSON or not there. What was read once stays right: it is named by what is in it."""
        held = self._sweeps
        found = {digest: held[digest] for digest in digests if digest in held}
        found[None] = {}
        shared = schema.shared
        columns = shared.c.digest, self.database.as_written(shared.c.content)
        for chunk in _chunks(sorted(digests - found.keys())):
            for digest, content in connection.execute(sa.select(*columns).where(shared.c.digest.in_(chunk))):
                found[digest] = read_json(content)
        read = {digest: content for digest, content in found.items() if isinstance(content, dict)}
        self._sweeps = read if len(held) > _CACHED_SWEEPS else {**held, **read}
        return {**dict.fromkeys(digests), **found}

    # ############# Writing ############# #

    def _check_new(self, connection: sa.Connection, run_ids: tp.Sequence[str]) -> None:
        runs = schema.runs
        for chunk in _chunks(run_ids):
            found = connection.scalars(sa.select(runs.c.run_id).where(runs.c.run_id.in_(chunk))).first()
            if found is not None:
                raise RunExistsError(f"run {found} is in {self} already; a run is saved once")

    def _insert_rows(self, connection: sa.Connection, block: RunBlock, deleted: bool) -> tp.Set[str]:
        """Insert runs and return the names of their metrics."""
        # As text, because making an expression of it takes longer than the database does.
        last = connection.exec_driver_sql("SELECT max(id) FROM runs").scalar()
        rows = rows_of(block, (last or 0) + 1, deleted)
        self._insert_if_new(connection, schema.shared, rows.shared)
        _insert_all(connection, schema.runs, rows.runs)
        _insert_all(connection, schema.records, rows.records)
        saved = dict(n_runs=rows.total.n_runs, digest=str(rows.total))
        connection.execute(sa.insert(schema.saves), saved)
        self._insert_details(connection, rows.parameters, rows.tags)
        return self._insert_metric_names(connection, rows.metric_names)

    def _insert_metric_names(self, connection: sa.Connection, names: tp.Set[str]) -> tp.Set[str]:
        """Insert those names of metrics that are not known to be there, and return all of them."""
        new_names = names - self.database.known_names
        self._insert_if_new(connection, schema.metric_names, [{"name": name} for name in sorted(new_names)])
        return names

    def _insert_details(self, connection: sa.Connection, parameters: tp.List[dict], tags: tp.List[dict]) -> None:
        for table, rows in ((schema.parameters, parameters), (schema.tags, tags)):
            if rows:
                _insert_all(connection, table, rows)

    def _insert_if_new(self, connection: sa.Connection, table: sa.Table, rows: tp.List[dict]) -> None:
        if rows:
            connection.execute(self.database.insert(table).on_conflict_do_nothing(), rows)

    def _replace_chunk(
        self, connection: sa.Connection, records: tp.Mapping[str, tp.Dict[str, tp.Any]], deleted: bool
    ) -> tp.Set[str]:
        """Write records in the place of those that were there, and return the names of their metrics."""
        names: tp.Set[str] = set()
        held = self._rows(connection, schema.runs.c.run_id.in_(list(records)))
        shared = self._shared(connection, {row.digest for row in held})
        for id_, run_id, digest, _ in held:
            rows = rows_of(RunBlock.of([records[run_id]]), id_, deleted)
            missing = shared[digest].keys() - records[run_id].keys()
            absent = {key: CONTAINERS[key]() if key in CONTAINERS else None for key in missing}
            own = json_text(_own_part({**absent, **records[run_id]}, shared[digest]))
            connection.execute(sa.update(schema.runs).where(schema.runs.c.id == id_).values(**rows.runs[0]))
            connection.execute(sa.update(schema.records).where(schema.records.c.id == id_).values(record=own))
            for table in (schema.parameters, schema.tags):
                connection.execute(sa.delete(table).where(table.c.id == id_))
            self._insert_details(connection, rows.parameters, rows.tags)
            names |= rows.metric_names
        return names

    def _remove_chunk(
        self, connection: sa.Connection, run_ids: tp.Sequence[str], deletion: Deletion
    ) -> tp.List[RunRecord]:
        runs, records = schema.runs, schema.records
        rows = self._rows(connection, runs.c.run_id.in_(run_ids), runs.c.deleted == 0)
        shared = self._shared(connection, {row.digest for row in rows})
        removed = []
        left = []
        n_lost = 0
        lost = Deletion(deletion.at, restorable=False)  # what cannot be read cannot come back either
        for row in rows:
            record = read_record(row, shared[row.digest])
            if isinstance(record, RunRecord):
                left.append(
                    {"of": row.id, "left": json_text(deletion.tombstone(loads(row.source))), "digest": row.digest}
                )
            else:
                known = connection.execute(sa.select(runs).where(runs.c.id == row.id)).mappings().one()
                kept = record_of_summary(dict(known))
                record = RunRecord.from_dict(kept)
                left.append({"of": row.id, "left": json_text(lost.tombstone(kept)), "digest": None})
                n_lost += 1
            removed.append(record)
        if rows:
            connection.execute(
                sa.update(runs).where(runs.c.id == sa.bindparam("of")).values(deleted=1),
                [{"of": row.id} for row in rows],
            )
            connection.execute(
                sa.update(records)
                .where(records.c.id == sa.bindparam("of"))
                .values(record=sa.bindparam("left"), shared=sa.bindparam("digest")),
                left,
            )
        if n_lost:
            self._acknowledge_loss(connection)
        return removed


def _as_number(digest: str) -> int:
    """Return a digest as a number. One that was altered into something else is no number that a digest can be."""
    try:
        return int(digest, 16)
    except ValueError:
        return -1


def _is_settled(found: tp.Sequence[tp.Tuple[tp.Any, RunRecord]], limit: int, last: tp.Any) -> bool:
    """Return whether no run that comes after the key `last` can be among the first `limit`.

    Integers that double precision does not tell apart may be in the wrong order."""
    if len(found) < limit:
        return False
    key = found[limit - 1][0]
    if not isinstance(key, float) or abs(key) < MAX_EXACT:
        return True
    return abs(last - key) > 2 * abs(key) / MAX_EXACT


def _count_ranked(records: tp.Sequence[RunRecord], name: str) -> int:
    """Return how many records have a value under a name that does not come last in any case.

    Some values that a database knows nothing of do so as well, such as NaT. They share the last place with the
    runs that have none."""
    return sum(not sorts_last(value_of(record, name)) for record in records)


def _own_part(record: tp.Mapping[str, tp.Any], shared: tp.Mapping[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Return what of a record differs from what it shares with others. To Python 1, 1.0 and True are equal."""
    return {key: value for key, value in record.items() if key not in shared or dumps(value) != dumps(shared[key])}


def _insert_all(connection: sa.Connection, table: sa.Table, rows: tp.Sequence[tp.Dict[str, tp.Any]]) -> None:
    """Insert rows that have a value for every column.

    They go to the driver as they are. SQLAlchemy would look at each value of each row, which takes a sweep half as
    long as SQLite does."""
    statement = _insert_of(table, connection.dialect)
    order = statement.positiontup
    values = rows if order is None else list(map(itemgetter(*order), rows))
    connection.exec_driver_sql(str(statement), values)


@lru_cache(maxsize=64)
def _insert_of(table: sa.Table, dialect: sa.Dialect) -> SQLCompiler:
    return sa.insert(table).compile(dialect=dialect)


def _chunks(items: tp.Sequence[tp.Any]) -> tp.Iterator[tp.Sequence[tp.Any]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
