"""What of a `vectorbt.portfolio.registry.query.query.Query` a database decides.

A database compares only numbers, booleans and text as `vectorbt.portfolio.registry.query.comparing` does. So a
condition in SQL lets every run through that may match, and `Query.matches` has the last word. Values that SQL does not
compare in the same way are stored as `vectorbt.portfolio.registry.stores.sql.rows.OPAQUE`, and always let through; so
are metrics that have no column of their own."""

import operator
from dataclasses import replace

import sqlalchemy as sa

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.comparing import MICROSECOND, Kind, classify, is_missing, read_instant
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.query.where import (
    And,
    Compare,
    Condition,
    HasValue,
    In,
    Literal,
    Name,
    Not,
    Or,
)
from vectorbt.portfolio.registry.stores.sql import schema
from vectorbt.portfolio.registry.stores.sql.rows import (
    BOOLEAN,
    MAX_FLOAT,
    NUMBER,
    OPAQUE,
    TEXT,
    is_exact,
    is_plain_text,
    key_text,
    microseconds,
)

Sql = sa.ColumnElement[bool]

_COMPARISONS = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_CONDITIONS = 100
"""Conditions that a database is given. SQLite refuses more than a thousand, and thousands narrow no better."""
_MAX_DEPTH = 10
"""How deep they may be nested. SQLite's parser holds a hundred symbols, several for each level."""
COMMON = 5_000
"""Rows from which on something is common."""


# ############# Conditions of a query ############# #


def narrow(query: Query, planner: "Planner") -> Sql:
    """Return a condition on the table of runs that all runs meet that a query asks for, and few others."""
    runs = schema.runs
    conditions: tp.List[Sql] = [sa.true()]
    if query.deleted is not None:
        conditions.append(runs.c.deleted == int(query.deleted))
    if query.prefix is not None:
        conditions += [runs.c.run_id >= query.prefix, runs.c.run_id < f"{query.prefix}g"]
    if query.strategy_name is not None:
        conditions.append(runs.c.strategy_name == key_text(query.strategy_name))
    if query.sweep_id is not None:
        conditions.append(runs.c.sweep_id == key_text(query.sweep_id))
    if query.since is not None:
        conditions.append(runs.c.timestamp >= microseconds(query.since))
    if query.until is not None:
        conditions.append(runs.c.timestamp <= microseconds(query.until))
    if query.data is not None:
        conditions.append(runs.c.fingerprint.in_([key_text(fingerprint) for fingerprint in query.data]))
    if query.tags is not None and len(query.tags) <= _MAX_CONDITIONS:
        conditions.append(_has_tag(query.tags, planner))
    for name, wanted in list((query.parameters or {}).items())[:_MAX_CONDITIONS]:
        conditions.append(_has_parameter(_values_of(f"{PARAMETER_PREFIX}{name}", planner), wanted))
    if query.where is not None and _is_within_reason(query.where.condition):
        conditions.append(_may_hold(query.where.condition, planner))
    if query.finite in HEADLINE:
        conditions.append(runs.c[query.finite].between(-MAX_FLOAT, MAX_FLOAT))
    return sa.and_(*conditions)


def undecided(query: Query) -> Query:
    """Return what is left to decide about the runs that `narrow` finds. Their details are parsed only if need be."""
    if query.tags is None or len(query.tags) > _MAX_CONDITIONS or not all(map(is_plain_text, query.tags)):
        return query
    return replace(query, tags=None)


def _has_tag(wanted: tp.Iterable[str], planner: "Planner") -> Sql:
    tags = schema.tags
    return planner.runs_with(tags, tags.c.tag.in_([key_text(tag) for tag in wanted]))


def _has_parameter(values: "Values", wanted: tp.Any) -> Sql:
    choices = wanted if isinstance(wanted, list) else [wanted]
    present = [choice for choice in choices if not is_missing(choice)]
    absent = [values.absent()] if len(present) < len(choices) else []
    return sa.or_(values.equal_one(present), *absent)


# ############# Expressions ############# #


def _is_within_reason(condition: Condition) -> bool:
    """Return whether a tree of `vectorbt.portfolio.registry.query.where` is small enough for a database."""
    level, size = [condition], 0
    for _ in range(_MAX_DEPTH):
        size += len(level)
        level = [part for node in level for part in getattr(node, "conditions", ())]
    return not level and size <= _MAX_CONDITIONS


def _may_hold(condition: Condition, planner: "Planner") -> Sql:
    """Return a condition that every run meets of which an expression holds."""
    if isinstance(condition, And):
        return sa.and_(sa.true(), *(_may_hold(part, planner) for part in condition.conditions))
    if isinstance(condition, Or):
        return sa.or_(sa.false(), *(_may_hold(part, planner) for part in condition.conditions))
    if isinstance(condition, Not):  # nearly all runs pass one, but for `x == none`
        asked = condition.condition
        if isinstance(asked, HasValue) and isinstance(asked.operand, Name):
            return _values_of(asked.operand.name, planner).absent()
        return sa.true()
    if isinstance(condition, Compare):
        return _may_compare(condition, planner)
    if isinstance(condition, In):
        return _may_be_in(condition, planner)
    if not isinstance(condition.operand, Name):
        return sa.true()
    values = _values_of(condition.operand.name, planner)
    return values.present() if isinstance(condition, HasValue) else values.compare("==", True)


def _may_compare(condition: Compare, planner: "Planner") -> Sql:
    sign, left, right = condition.operator, condition.left, condition.right
    if isinstance(left, Literal):
        sign, left, right = _MIRRORED.get(sign, sign), right, left
    if not isinstance(left, Name) or not isinstance(right, Literal):
        return sa.true()
    values = _values_of(left.name, planner)
    return values.present() if sign == "!=" else values.compare(sign, right.value)


def _may_be_in(condition: In, planner: "Planner") -> Sql:
    left, right = condition.left, condition.right
    if isinstance(right, Name):
        if right.name != "tags" or condition.negated or not isinstance(left, Literal):
            return sa.true()
        return _has_tag([left.value], planner) if isinstance(left.value, str) else sa.true()
    if isinstance(left, Literal):
        return sa.true()
    values = _values_of(left.name, planner)
    return values.present() if condition.negated else values.equal_one(right.value)


# ############# Values under a name ############# #


def _values_of(name: str, planner: "Planner") -> "Values":
    """Return what a database knows of the values under a name of `RunRegistry.to_frame`."""
    runs = schema.runs
    if name in HEADLINE:
        return Column(runs.c[name], Kind.NUMBER)
    if name == "column":
        return Column(runs.c.position, Kind.NUMBER)
    if name == "timestamp":
        return Column(runs.c.timestamp, Kind.INSTANT)
    if name in ("run_id", "strategy_name", "sweep_id"):
        return Column(runs.c[name], Kind.STRING)
    parameter = name.removeprefix(PARAMETER_PREFIX)
    if parameter == name or not is_plain_text(parameter):
        return Values()
    return Leaf(parameter, planner) if "." in parameter else Parameter(parameter, planner)


class Values:
    """Values of which the database knows nothing: every condition lets all runs through."""

    def present(self) -> Sql:
        """Return a condition: there may be a value."""
        return sa.true()

    def absent(self) -> Sql:
        """Return a condition: there may be no value."""
        return sa.true()

    def compare(self, sign: str, value: tp.Any) -> Sql:
        """Return a condition: a value may compare like this with one that is written out."""
        return sa.true()

    def equal_one(self, choices: tp.Sequence[tp.Any]) -> Sql:
        """Return a condition: a value may equal one of several."""
        if len(choices) > _MAX_CONDITIONS:
            return self.present()
        return sa.or_(sa.false(), *(self.compare("==", choice) for choice in choices))


class Column(Values):
    """A column of the table of runs, whose values are all of one kind."""

    def __init__(self, column: sa.Column, kind: Kind) -> None:
        self.column, self.kind = column, kind

    def present(self) -> Sql:
        return self.column.is_not(None)

    def absent(self) -> Sql:
        return self.column.is_(None)

    def compare(self, sign: str, value: tp.Any) -> Sql:
        if self.kind is Kind.INSTANT:
            return _compare_instant(self.column, sign, value)
        kind, key = classify(value)
        return _compare(self.column, sign, kind, key) if kind is self.kind else sa.false()


class Parameter(Values):
    """A parameter, in a table of its own with a row for each value."""

    def __init__(self, name: str, planner: "Planner") -> None:
        self._name, self._planner = key_text(name), planner

    def present(self) -> Sql:
        return self._runs_with(sa.true())

    def absent(self) -> Sql:
        return sa.not_(self._runs_with(schema.parameters.c.kind != OPAQUE))

    def compare(self, sign: str, value: tp.Any) -> Sql:
        return self._runs_with(*self._alternatives(sign, value), schema.parameters.c.kind == OPAQUE)

    def equal_one(self, choices: tp.Sequence[tp.Any]) -> Sql:
        if len(choices) > _MAX_CONDITIONS:
            return self.present()
        found = [each for choice in choices for each in self._alternatives("==", choice)]
        return self._runs_with(*found, schema.parameters.c.kind == OPAQUE)

    def order(self, is_ranked: bool) -> "Order":
        """Return how a database puts runs in order by the parameter.

        Args:
            is_ranked (bool): Whether only those that have a number are asked for."""
        runs, parameters = schema.runs, schema.parameters
        is_number = parameters.c.kind == NUMBER
        of_run = sa.and_(parameters.c.id == runs.c.id, parameters.c.name == self._name, is_number)
        return Order(
            parameters.c.number,
            parameters.c.number.is_not(None),
            runs.join(parameters, of_run),
            others=self._runs_with(sa.not_(is_number)),
            missing=None if is_ranked else sa.not_(self.present()),
        )

    def _runs_with(self, *alternatives: Sql) -> Sql:
        named = schema.parameters.c.name == self._name
        return self._planner.runs_with(schema.parameters, *(sa.and_(named, each) for each in alternatives))

    def _alternatives(self, sign: str, value: tp.Any) -> tp.List[Sql]:
        """Return the conditions of a row, apart from an opaque one, that may hold."""
        c = schema.parameters.c
        kind, key = classify(value)
        if kind is Kind.NUMBER:
            return [sa.and_(c.kind == NUMBER, _compare(c.number, sign, kind, key))]
        if kind is Kind.BOOLEAN:
            is_same = c.number == float(key) if sign == "==" else sa.true()
            return [sa.and_(c.kind == BOOLEAN, is_same)]
        if kind is Kind.STRING:
            return [sa.and_(c.kind == TEXT, _compare(c.text, sign, kind, key))]
        # A text that reads as a time equals it.
        return [c.kind == TEXT] if kind in (Kind.INSTANT, Kind.DURATION) else []


class Leaf(Values):
    """A parameter whose name has points, or what a nested dict has under such a name. The database knows no such dicts.

    A run that has neither the parameter nor any that could hold the dict has no value."""

    def __init__(self, name: str, planner: "Planner") -> None:
        outer = [name[:place] for place, character in enumerate(name) if character == "."]
        self._names, self._planner = [key_text(one) for one in (name, *outer)], planner

    def present(self) -> Sql:
        return self._planner.runs_with(schema.parameters, schema.parameters.c.name.in_(self._names))

    def compare(self, sign: str, value: tp.Any) -> Sql:
        return self.present()

    def equal_one(self, choices: tp.Sequence[tp.Any]) -> Sql:
        return self.present() if choices else sa.false()


def _compare(column: sa.ColumnElement, sign: str, kind: Kind, key: tp.Any) -> Sql:
    """Return a condition: a value that there is may compare like this, as far as SQL compares as Python does."""
    if kind is Kind.STRING:
        return column == key_text(key) if sign == "==" else column.is_not(None)
    return _COMPARISONS[sign](column, float(key)) if is_exact(key) else column.is_not(None)


def _compare_instant(column: sa.ColumnElement, sign: str, value: tp.Any) -> Sql:
    """Return a condition on a timestamp, which is one microsecond, and a text, which may mean all of a day."""
    span = read_instant(value) if isinstance(value, str) else None
    if span is None:
        return sa.false()
    first, last = -(-span[0] // MICROSECOND), span[1] // MICROSECOND
    bounds = {"<": first, "<=": last, ">": last, ">=": first}
    return column.between(first, last) if sign == "==" else _COMPARISONS[sign](column, bounds[sign])


# ############# How it is looked for ############# #


class Planner:
    """Writes conditions so that a database finds the best way to check them.

    Args:
        dialect (str): Kind of the database.
        connection (Connection): Where it is asked how common something is. Without one all is taken for rare."""

    def __init__(self, dialect: str, connection: tp.Optional[sa.Connection] = None) -> None:
        self.dialect, self.connection = dialect, connection

    def runs_with(self, table: sa.Table, *alternatives: Sql) -> Sql:
        """Return a condition: the run has a row in a table that meets one of several conditions.

        SQLite has no use for an index where there is an `OR` in a table without row numbers, so it is asked for one
        alternative after the other, and begins with the rows of an `IN` however many there are. PostgreSQL finds out
        by itself."""
        runs = schema.runs
        conditions = alternatives if self.dialect == "sqlite" else [sa.or_(*alternatives)]
        found = [sa.select(table.c.id).where(condition).correlate(None) for condition in conditions]
        rows = sa.union_all(*found) if len(found) > 1 else found[0]
        if self._is_common(rows):
            of_run = sa.select(table.c.id).where(table.c.id == runs.c.id, sa.or_(*alternatives))
            return of_run.correlate(runs).exists()
        return runs.c.id.in_(rows)

    def _is_common(self, rows: tp.Union[sa.Select, sa.CompoundSelect]) -> bool:
        if self.connection is None or self.dialect != "sqlite":
            return False
        some = rows.limit(COMMON).subquery()
        return self.connection.scalar(sa.select(sa.func.count()).select_from(some)) == COMMON


class Order(tp.NamedTuple):
    """How a database puts runs in order by the numbers under a name.

    Args:
        key (Column): Number.
        present (Condition): Runs that have a number which does not come last in any case.
        source (FromClause): Where it is found.
        others (Condition): Runs with a value that is no number, which Python puts in their place.
        missing (Condition): Runs without a value. None if there can be none, or none is asked for."""

    key: sa.ColumnElement
    present: Sql
    source: sa.FromClause
    others: tp.Optional[Sql] = None
    missing: tp.Optional[Sql] = None


def order_of(query: Query, planner: Planner) -> tp.Optional[Order]:
    """Return how a database can put the runs of a query in order, or None if Python does."""
    runs = schema.runs
    if query.then_by or query.per is not None:
        return None
    if query.sort_by in ("timestamp", "run_id"):
        return Order(runs.c[query.sort_by], sa.true(), runs)
    values = _values_of(query.sort_by, planner)
    is_ranked = query.finite == query.sort_by
    if isinstance(values, Parameter):
        return values.order(is_ranked)
    if isinstance(values, Column) and values.kind is Kind.NUMBER:
        is_finite = values.column.between(-MAX_FLOAT, MAX_FLOAT)
        last = sa.or_(values.absent(), sa.not_(is_finite))
        return Order(values.column, is_finite, runs, missing=None if is_ranked else last)
    return None
