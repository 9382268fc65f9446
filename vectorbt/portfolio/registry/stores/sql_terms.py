"""What a database knows of the values under a name: a column of the table of runs, a parameter, or a metric.

A `Term` makes conditions of the values that the database compares as
`vectorbt.portfolio.registry.values` does. The others are its opaque ones."""

import re

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.metrics import HEADLINE
from vectorbt.portfolio.registry.stores import sql_rows
from vectorbt.portfolio.registry.stores.sql_schema import tables
from vectorbt.portfolio.registry.where import PARAMETER_PREFIX

Sql = tp.Any
"""An expression of SQLAlchemy."""
Test = tp.Callable[[Sql], Sql]
"""Makes a condition of a column."""

PARSING_ERROR = 1e-12
"""How far a number may be from what its JSON says, relatively: SQLite does not always find the nearest one."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]{1,100}")
"""Names of metrics that mean the same in every language of JSON paths."""


def term_of(name: str, dialect: str) -> "Term":
    """Return what a database knows of the values under a name of `RunRegistry.to_frame`."""
    runs = tables().runs
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
        return ParameterTerm(parameter) if sql_rows.is_plain_text(parameter) else Term()
    if name in ("tags", "notes") or not _PLAIN_NAME.fullmatch(name):
        return Term()
    return MetricTerm(name, dialect)


class Term:
    """Values of which the database knows nothing: all of them may be opaque."""

    margin: float = 0.0
    """How far a number may be from what the database takes it for, relatively."""

    def numbers(self, test: Test) -> Sql:
        """Condition: the value is a number, and a test of it holds."""
        return _false()

    def texts(self, test: Test) -> Sql:
        """Condition: the value is a text, and a test of its `vectorbt.portfolio.registry.stores.sql_rows.key_text`
        holds."""
        return _false()

    def boolean(self, value: bool) -> Sql:
        """Condition: the value is this boolean."""
        return _false()

    def opaque(self) -> Sql:
        """Condition: there may be a value that the database knows nothing of."""
        import sqlalchemy as sa

        return sa.true()

    def known(self) -> Sql:
        """Condition: there is a value that the database can compare."""
        import sqlalchemy as sa

        return sa.or_(self.numbers(_anything), self.texts(_anything), self.boolean(True), self.boolean(False))


class NumberTerm(Term):
    """A column of numbers."""

    def __init__(self, column: Sql) -> None:
        self.column = column

    def numbers(self, test: Test) -> Sql:
        import sqlalchemy as sa

        return sa.and_(self.column.is_not(None), test(self.column))

    def opaque(self) -> Sql:
        return _false()


class TextTerm(Term):
    """A column of texts."""

    def __init__(self, column: Sql) -> None:
        self.column = column

    def texts(self, test: Test) -> Sql:
        import sqlalchemy as sa

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
        import sqlalchemy as sa

        return sa.true()


class ParameterTerm(Term):
    """A parameter, in a table of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def numbers(self, test: Test) -> Sql:
        return self._among(sql_rows.NUMBER, test(tables().parameters.c.number))

    def texts(self, test: Test) -> Sql:
        return self._among(sql_rows.TEXT, test(tables().parameters.c.text))

    def boolean(self, value: bool) -> Sql:
        return self._among(sql_rows.BOOLEAN, tables().parameters.c.number == float(value))

    def opaque(self) -> Sql:
        import sqlalchemy as sa

        return self._among(sql_rows.OPAQUE, sa.true())

    def known(self) -> Sql:
        kind = tables().parameters.c.kind
        return self.rows_with(kind != sql_rows.OPAQUE)

    def _among(self, kind: int, condition: Sql) -> Sql:
        import sqlalchemy as sa

        return self.rows_with(sa.and_(tables().parameters.c.kind == kind, condition))

    def rows_with(self, condition: Sql) -> Sql:
        """Condition: the run is one of those with a row of the parameter that fulfils a condition."""
        import sqlalchemy as sa

        parameters = tables().parameters
        return tables().runs.c.id.in_(sa.select(parameters.c.id).where(parameters.c.name == self.name, condition))


class MetricTerm(NumberTerm):
    """A metric in the JSON of a record. What is no plain number is opaque."""

    margin = PARSING_ERROR

    def __init__(self, name: str, dialect: str) -> None:
        number, kind, plain = {"sqlite": _sqlite_json, "postgresql": _postgres_json}[dialect](name)
        self.number = number
        super().__init__(_of_record(number))
        self._opaque = _of_record(kind.not_in(plain))

    def opaque(self) -> Sql:
        import sqlalchemy as sa

        return sa.func.coalesce(self._opaque, sa.false())


def _of_record(expression: Sql) -> Sql:
    """Return an expression over the record of a run."""
    import sqlalchemy as sa

    runs, records = tables().runs, tables().records
    return sa.select(expression).where(records.c.id == runs.c.id).correlate(runs).scalar_subquery()


def _sqlite_json(name: str) -> tp.Tuple[Sql, Sql, tp.Tuple[str, ...]]:
    """Return a metric as a number, the kind that it has in JSON, and the kinds that are not opaque."""
    import sqlalchemy as sa

    place = tables().records.c.record, f'$.stats."{name}"'
    kind = sa.func.json_type(*place, type_=sa.Text)
    number = sa.case((kind.in_(("integer", "real")), sa.func.json_extract(*place, type_=sa.Double)))
    return number, kind, ("integer", "real", "null")


def _postgres_json(name: str) -> tp.Tuple[Sql, Sql, tp.Tuple[str, ...]]:
    """Return the same as `_sqlite_json`. PostgreSQL cannot look into JSON that has a zero character in it."""
    import sqlalchemy as sa

    record = tables().records.c.record
    value = sa.cast(record, sa.JSON)["stats"][name]
    kind = sa.case((record.contains("\\u0000", autoescape=True), "object"), else_=sa.func.json_typeof(value))
    number = sa.case((kind == "number", sa.cast(value.as_string(), sa.Double)))
    return number, kind, ("number", "null")


def _anything(column: Sql) -> Sql:
    import sqlalchemy as sa

    return sa.true()


def _false() -> Sql:
    import sqlalchemy as sa

    return sa.false()
