"""What a database knows of the values under a name: a column of the table of runs, a parameter, or a metric.

A `Term` makes conditions of the values that the database compares as
`vectorbt.portfolio.registry.query.comparing` does. The others are its opaque ones. The conditions are those of the rows
that hold the values; `Term.runs` turns them into conditions of runs."""

import re

import sqlalchemy as sa
from sqlalchemy.sql.operators import or_

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.metric_names import HEADLINE
from vectorbt.portfolio.registry.query.where import PARAMETER_PREFIX
from vectorbt.portfolio.registry.stores.sql import rows, schema

Sql = tp.Any
"""An expression of SQLAlchemy."""
Test = tp.Callable[[Sql], Sql]
"""Makes a condition of a column."""

PARSING_ERROR = 1e-12
"""How far a number may be from what its JSON says, relatively: SQLite does not always find the nearest one."""

COMMON = 5_000
"""Rows from which on something is common."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]{1,100}")
"""Names of metrics that mean the same in every language of JSON paths."""


class Planner:
    """Writes conditions so that a database finds the best way to check them.

    Args:
        dialect (str): Kind of the database.
        connection (Connection): Where it is asked how common something is. Without one all is taken for rare."""

    def __init__(self, dialect: str, connection: tp.Any = None) -> None:
        self.dialect = dialect
        self.connection = connection

    def runs_with(self, table: Sql, *alternatives: Sql) -> Sql:
        """Condition: the run has a row in a table that meets one of several conditions."""
        found = self._rows(table, alternatives)
        if self._is_common(found):
            of_run = sa.select(table.c.id).where(table.c.id == schema.runs.c.id, sa.or_(*alternatives))
            return of_run.correlate(schema.runs).exists()
        return schema.runs.c.id.in_(found)

    def _rows(self, table: Sql, alternatives: tp.Sequence[Sql]) -> Sql:
        """Return the rows that meet one of several conditions.

        SQLite has no use for an index where there is an `OR` in a table without row numbers, so it is asked for one
        alternative after the other."""
        conditions = alternatives if self.dialect == "sqlite" else [sa.or_(*alternatives)]
        found = [sa.select(table.c.id).where(condition).correlate(None) for condition in conditions]
        return sa.union_all(*found) if len(found) > 1 else found[0]

    def _is_common(self, found: Sql) -> bool:
        """Return whether it is better to go through runs and look at each than to begin with the rows.

        PostgreSQL finds out by itself. SQLite begins with the rows of an `IN` however many there are."""
        if self.connection is None or self.dialect != "sqlite":
            return False
        some = found.limit(COMMON).subquery()
        return self.connection.scalar(sa.select(sa.func.count()).select_from(some)) == COMMON


def term_of(name: str, planner: Planner) -> "Term":
    """Return what a database knows of the values under a name of `RunRegistry.to_frame`."""
    runs = schema.runs
    if name in HEADLINE:
        return NumberTerm(runs.c[name])
    if name == "column":
        return NumberTerm(runs.c.position)
    if name == "timestamp":
        return InstantTerm(runs.c.timestamp)
    if name in ("run_id", "strategy_name", "sweep_id"):
        return TextTerm(runs.c[name])
    if name.startswith(PARAMETER_PREFIX):
        parameter = name[len(PARAMETER_PREFIX) :]
        return ParameterTerm(parameter, planner) if rows.is_plain_text(parameter) else Term()
    if name in ("tags", "notes") or not _PLAIN_NAME.fullmatch(name):
        return Term()
    return MetricTerm(name, planner.dialect)


class Term:
    """Values of which the database knows nothing: all of them may be opaque."""

    margin: float = 0.0
    """How far a number may be from what the database takes it for, relatively."""

    def numbers(self, test: Test) -> Sql:
        """Condition: the value is a number, and a test of it holds."""
        return _false()

    def texts(self, test: Test) -> Sql:
        """Condition: the value is a text, and a test of its `vectorbt.portfolio.registry.stores.sql.rows.key_text`
        holds."""
        return _false()

    def boolean(self, value: bool) -> Sql:
        """Condition: the value is this boolean."""
        return _false()

    def opaque(self) -> Sql:
        """Condition: there may be a value that the database knows nothing of."""
        return sa.true()

    def known(self) -> Sql:
        """Condition: there is a value that the database can compare."""
        return sa.or_(self.numbers(_anything), self.texts(_anything), self.boolean(True), self.boolean(False))

    def runs(self, condition: Sql) -> Sql:
        """Turn a condition of the rows that hold the values into one of the runs that they belong to."""
        return condition


class NumberTerm(Term):
    """A column of numbers."""

    def __init__(self, column: Sql) -> None:
        self.column = column

    def numbers(self, test: Test) -> Sql:
        return sa.and_(self.column.is_not(None), test(self.column))

    def opaque(self) -> Sql:
        return _false()


class TextTerm(Term):
    """A column of texts."""

    def __init__(self, column: Sql) -> None:
        self.column = column

    def texts(self, test: Test) -> Sql:
        return sa.and_(self.column.is_not(None), test(self.column))

    def opaque(self) -> Sql:
        return _false()


class InstantTerm(Term):
    """A column of points in time, in microseconds, which all runs have."""

    def __init__(self, column: Sql) -> None:
        self.column = column

    def opaque(self) -> Sql:
        return _false()

    def known(self) -> Sql:
        return sa.true()


class ParameterTerm(Term):
    """A parameter, in a table of its own."""

    def __init__(self, name: str, planner: Planner) -> None:
        self.name = rows.key_text(name)
        self.planner = planner
        # One object, so that it counts once among the alternatives of which each value brings its own.
        self._opaque = schema.parameters.c.kind == rows.OPAQUE

    def numbers(self, test: Test) -> Sql:
        return self._of_kind(rows.NUMBER, test(schema.parameters.c.number))

    def texts(self, test: Test) -> Sql:
        return self._of_kind(rows.TEXT, test(schema.parameters.c.text))

    def boolean(self, value: bool) -> Sql:
        return self._of_kind(rows.BOOLEAN, schema.parameters.c.number == float(value))

    def opaque(self) -> Sql:
        return self._opaque

    def known(self) -> Sql:
        return schema.parameters.c.kind != rows.OPAQUE

    def _of_kind(self, kind: int, condition: Sql) -> Sql:
        return sa.and_(schema.parameters.c.kind == kind, condition)

    def runs(self, condition: Sql) -> Sql:
        parameters = schema.parameters
        named = parameters.c.name == self.name
        return self.planner.runs_with(parameters, *(sa.and_(named, each) for each in _alternatives(condition)))


class MetricTerm(NumberTerm):
    """A metric in the JSON of a record. What is no plain number is opaque."""

    margin = PARSING_ERROR

    def __init__(self, name: str, dialect: str) -> None:
        number, kind, plain = {"sqlite": _sqlite_json, "postgresql": _postgres_json}[dialect](name)
        self.number = number
        super().__init__(_of_record(number))
        self._opaque = _of_record(kind.not_in(plain))

    def opaque(self) -> Sql:
        return sa.func.coalesce(self._opaque, sa.false())


def _of_record(expression: Sql) -> Sql:
    """Return an expression over the record of a run."""
    runs, records = schema.runs, schema.records
    return sa.select(expression).where(records.c.id == runs.c.id).correlate(runs).scalar_subquery()


def _sqlite_json(name: str) -> tp.Tuple[Sql, Sql, tp.Tuple[str, ...]]:
    """Return a metric as a number, the kind that it has in JSON, and the kinds that are not opaque."""
    place = schema.records.c.record, f'$.stats."{name}"'
    kind = sa.func.json_type(*place, type_=sa.Text)
    number = sa.case((kind.in_(("integer", "real")), sa.func.json_extract(*place, type_=sa.Double)))
    return number, kind, ("integer", "real", "null")


def _postgres_json(name: str) -> tp.Tuple[Sql, Sql, tp.Tuple[str, ...]]:
    """Return the same as `_sqlite_json`. PostgreSQL cannot look into JSON with a character that it cannot hold."""
    record = schema.records.c.record
    lacks_characters = sa.func.getdatabaseencoding() != "UTF8"
    is_beyond = sa.or_(
        record.contains("\\u0000", autoescape=True),
        sa.and_(lacks_characters, record.contains("\\u", autoescape=True)),
    )
    value = sa.cast(record, sa.JSON)["stats"][name]
    kind = sa.case((is_beyond, "object"), else_=sa.func.json_typeof(value))
    number = sa.case((kind == "number", sa.cast(value.as_string(), sa.Double)))
    return number, kind, ("number", "null")


def _alternatives(condition: Sql) -> tp.List[Sql]:
    """Return the conditions of which one must hold, each of them once."""
    if getattr(condition, "operator", None) is not or_:
        return [condition]
    return list({id(each): each for each in condition.get_children()}.values())


def _anything(column: Sql) -> Sql:
    return sa.true()


def _false() -> Sql:
    return sa.false()
