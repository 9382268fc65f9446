"""A `vectorbt.portfolio.registry.query.query.Query` as SQL.

A database compares only a part of all values as `vectorbt.portfolio.registry.query.comparing` does, see
`vectorbt.portfolio.registry.stores.sql.terms`. So every condition becomes a `Verdict`: where it surely holds, and where
it may hold. What may match is read, and `Query.matches` has the last word."""

import operator
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.metric_names import HEADLINE
from vectorbt.portfolio.registry.query.comparing import MICROSECOND, Kind, classify, is_missing, read_instant
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.query.where import And, Compare, Condition, HasValue, In, Literal, Name, Not, Or
from vectorbt.portfolio.registry.stores.sql import schema
from vectorbt.portfolio.registry.stores.sql.rows import (
    MAX_FLOAT,
    NUMBER,
    is_exact,
    is_plain_text,
    key_text,
    microseconds,
)
from vectorbt.portfolio.registry.stores.sql.terms import (
    InstantTerm,
    MetricTerm,
    NumberTerm,
    ParameterTerm,
    Planner,
    Sql,
    Term,
    Test,
    term_of,
)

_COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


_MAX_CONDITIONS = 100
"""Conditions that a database is given. SQLite refuses more than a thousand, and thousands narrow no better."""
_MAX_DEPTH = 10
"""How deep they may be nested. SQLite's parser holds a hundred symbols, several for each level."""


def narrow(query: Query, planner: Planner) -> Sql:
    """Return a condition on the table of runs that all runs meet that a query asks for, and few others."""
    runs = schema.runs
    conditions = [sa.true()]
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
        conditions.append(_has_parameter(term_of(f"params.{name}", planner), wanted).maybe)
    if query.where is not None and _is_within_reason(query.where.condition):
        conditions.append(_translate(query.where.condition, planner).maybe)
    if query.finite in HEADLINE:  # of other metrics, their order finds the runs that have a value
        conditions.append(runs.c[query.finite].between(-MAX_FLOAT, MAX_FLOAT))
    return sa.and_(*conditions)


def undecided(query: Query) -> Query:
    """Return what is left to decide about the runs that `narrow` finds. Their details are parsed only if need be."""
    if query.tags is None or len(query.tags) > _MAX_CONDITIONS or not all(map(is_plain_text, query.tags)):
        return query
    return replace(query, tags=None)


def _has_tag(wanted: tp.Iterable[str], planner: Planner) -> Sql:
    tags = schema.tags
    return planner.runs_with(tags, tags.c.tag.in_([key_text(tag) for tag in wanted]))


def _has_parameter(term: Term, wanted: tp.Any) -> "Verdict":
    choices = wanted if isinstance(wanted, list) else [wanted]
    present = [choice for choice in choices if not is_missing(choice)]
    absent = [_negated(_has_value(term))] if len(present) < len(choices) else []
    return _any([_of_runs(term, _equals_one(term, present)), *absent])


# ############# Logic ############# #


class Verdict(tp.NamedTuple):
    """What a database knows of a condition: of which runs it surely holds, and of which it may hold."""

    surely: Sql
    maybe: Sql


def _certain(condition: Sql) -> Verdict:
    return Verdict(condition, condition)


def _never() -> Verdict:
    return _certain(sa.false())


def _unknown() -> Verdict:
    return Verdict(sa.false(), sa.true())


def _all(verdicts: tp.Iterable[Verdict]) -> Verdict:
    surely, maybe = zip(*verdicts, strict=True)
    return Verdict(sa.and_(sa.true(), *surely), sa.and_(sa.true(), *maybe))


def _any(verdicts: tp.Iterable[Verdict]) -> Verdict:
    verdicts = list(verdicts)
    return Verdict(
        sa.or_(sa.false(), *(verdict.surely for verdict in verdicts)),
        sa.or_(sa.false(), *(verdict.maybe for verdict in verdicts)),
    )


def _negated(verdict: Verdict) -> Verdict:
    # The conditions of a `Term` are never null, whose negation would be null again.
    return Verdict(sa.not_(verdict.maybe), sa.not_(verdict.surely))


# ############# Expressions ############# #


def _is_within_reason(condition: Condition) -> bool:
    """Return whether a tree of `vectorbt.portfolio.registry.query.where` is small enough for a database."""
    level, size = [condition], 0
    for _ in range(_MAX_DEPTH):
        size += len(level)
        level = [part for node in level for part in _parts(node)]
    return not level and size <= _MAX_CONDITIONS


def _parts(condition: Condition) -> tp.Sequence[Condition]:
    if isinstance(condition, (And, Or)):
        return condition.conditions
    return [condition.condition] if isinstance(condition, Not) else []


def _translate(condition: Condition, planner: Planner) -> Verdict:
    """Return the verdict on a tree of `vectorbt.portfolio.registry.query.where`."""
    if isinstance(condition, And):
        return _all(_translate(part, planner) for part in condition.conditions)
    if isinstance(condition, Or):
        return _any(_translate(part, planner) for part in condition.conditions)
    if isinstance(condition, Not):
        return _negated(_translate(condition.condition, planner))
    if isinstance(condition, Compare):
        return _translate_comparison(condition, planner)
    if isinstance(condition, In):
        return _translate_membership(condition, planner)
    if not isinstance(condition.operand, Name):
        return _unknown()
    term = term_of(condition.operand.name, planner)
    if isinstance(condition, HasValue):
        return _has_value(term)
    return _of_runs(term, _or_opaque(term, term.boolean(True)))


def _translate_comparison(condition: Compare, planner: Planner) -> Verdict:
    sign, left, right = condition.operator, condition.left, condition.right
    if isinstance(left, Literal):
        sign, left, right = _MIRRORED[sign], right, left
    if not isinstance(left, Name) or not isinstance(right, Literal):
        return _unknown()
    term = term_of(left.name, planner)
    if sign == "!=":
        return _differs(term, right.value)
    return _of_runs(term, _equals(term, right.value) if sign == "==" else _precedes(term, sign, right.value))


def _translate_membership(condition: In, planner: Planner) -> Verdict:
    left, right = condition.left, condition.right
    if isinstance(right, Name):
        is_tag = right.name == "tags" and isinstance(left, Literal) and isinstance(left.value, str)
        if not is_tag:
            return _unknown()
        found = _has_tag([left.value], planner)
        verdict = _certain(found) if is_plain_text(left.value) else Verdict(_never().surely, found)
        return _negated(verdict) if condition.negated else verdict
    if isinstance(left, Literal):
        return _unknown()
    term = term_of(left.name, planner)
    found = _of_runs(term, _equals_one(term, right.value))
    return _all([_has_value(term), _negated(found)]) if condition.negated else found


# ############# Comparisons ############# #


def _of_runs(term: Term, verdict: Verdict) -> Verdict:
    """Turn a verdict on the rows that hold a value into one on the runs that they belong to."""
    return Verdict(term.runs(verdict.surely), term.runs(verdict.maybe))


def _has_value(term: Term) -> Verdict:
    return _of_runs(term, _or_opaque(term, term.known()))


def _or_opaque(term: Term, condition: Sql) -> Verdict:
    """Return the verdict on what holds of a value if `condition` says so, or if it is opaque and Python does."""
    return Verdict(condition, sa.or_(condition, term.opaque()))


def _differs(term: Term, value: tp.Any) -> Verdict:
    if is_missing(value):
        return _never()
    return _all([_has_value(term), _negated(_of_runs(term, _equals(term, value)))])


def _equals(term: Term, value: tp.Any) -> Verdict:
    """Return the verdict on whether a value equals one that is written out."""
    kind, key = classify(value)
    if kind is Kind.MISSING:
        return _never()
    if isinstance(term, InstantTerm):
        return _compare_instant(term, "==", value)
    if kind is Kind.NUMBER:
        return _compare_number(term, "==", key)
    if kind is Kind.BOOLEAN:
        return _or_opaque(term, term.boolean(key))
    if kind is Kind.STRING:
        found = term.texts(lambda text: text == key_text(key))
        if is_plain_text(key):
            return _or_opaque(term, found)
        return Verdict(sa.false(), sa.or_(found, term.opaque()))
    if kind in (Kind.INSTANT, Kind.DURATION):
        # A text that can be read as one equals it.
        return Verdict(sa.false(), sa.or_(term.texts(_anything), term.opaque()))
    return Verdict(sa.false(), term.opaque())


def _equals_one(term: Term, values: tp.Sequence[tp.Any]) -> Verdict:
    """Return the verdict on whether a value equals one of several."""
    if len(values) > _MAX_CONDITIONS:
        return Verdict(sa.false(), sa.or_(term.known(), term.opaque()))
    return _any(_equals(term, value) for value in values)


def _precedes(term: Term, sign: str, value: tp.Any) -> Verdict:
    """Return the verdict on `<`, `<=`, `>` or `>=` and a value that is written out."""
    kind, key = classify(value)
    if isinstance(term, InstantTerm):
        return _compare_instant(term, sign, value)
    if kind is Kind.NUMBER:
        return _compare_number(term, sign, key)
    if kind is Kind.BOOLEAN:
        return Verdict(sa.false(), sa.or_(term.boolean(True), term.boolean(False), term.opaque()))
    if kind is Kind.STRING:
        return Verdict(sa.false(), sa.or_(term.texts(_anything), term.opaque()))
    return Verdict(sa.false(), term.opaque())


def _compare_number(term: Term, sign: str, number: tp.Union[int, float, Decimal]) -> Verdict:
    if not is_exact(number):
        return Verdict(sa.false(), sa.or_(term.numbers(_anything), term.opaque()))
    number = float(number)
    margin = abs(number) * term.margin
    if not term.margin:
        return _or_opaque(term, term.numbers(_comparing(sign, number)))
    low, high = number - margin, number + margin
    surely = term.numbers(lambda c: sa.and_(_COMPARISONS[sign](c, number), sa.not_(c.between(low, high))))
    maybe = term.numbers(lambda c: sa.or_(_COMPARISONS[sign](c, number), c.between(low, high)))
    return Verdict(surely, sa.or_(maybe, term.opaque()))


def _comparing(sign: str, number: float) -> Test:
    return lambda column: _COMPARISONS[sign](column, number)


def _compare_instant(term: InstantTerm, sign: str, value: tp.Any) -> Verdict:
    """Return the verdict on a timestamp, which is one microsecond, and a text, which may mean all of a day."""
    span = read_instant(value) if isinstance(value, str) else None
    if span is None:
        return _never()
    column = term.column
    first, last = -(-span[0] // MICROSECOND), span[1] // MICROSECOND
    return _certain(
        {
            "==": sa.and_(column >= first, column <= last),
            "<": column < first,
            "<=": column <= last,
            ">": column > last,
            ">=": column >= first,
        }[sign]
    )


def _anything(column: Sql) -> Sql:
    return sa.true()


# ############# Order ############# #


class Order(tp.NamedTuple):
    """How a database puts runs in order by the numbers under a name.

    Args:
        key (Column): Number, null for the runs that have none.
        source (FromClause): Where it is found.
        others (Condition): Runs with a value that is no number, which Python puts in their place. None if there can
            be none.
        missing (Condition): Runs without a value. None if there can be none, or none is asked for.
        margin (float): How far a number may be from what the database takes it for, relatively."""

    key: Sql
    source: Sql
    others: tp.Optional[Sql] = None
    missing: tp.Optional[Sql] = None
    margin: float = 0.0


def order_of(query: Query, planner: Planner) -> tp.Optional[Order]:
    """Return how a database can put the runs of a query in order, or None if it cannot."""
    order = _order_by(query.sort_by, planner)
    return order if order is None or query.finite != query.sort_by else order._replace(missing=None)


def _order_by(name: str, planner: Planner) -> tp.Optional[Order]:
    runs = schema.runs
    if name in ("timestamp", "run_id"):
        return Order(runs.c[name], runs)
    term = term_of(name, planner)
    if isinstance(term, MetricTerm):
        return _order_by_metric(term)
    if isinstance(term, NumberTerm):
        return Order(term.column, runs, missing=term.column.is_(None))
    if isinstance(term, ParameterTerm):
        return _order_by_parameter(term)
    return None


def _order_by_metric(term: MetricTerm) -> Order:
    runs, records = schema.runs, schema.records
    source = runs.join(records, records.c.id == runs.c.id)
    return Order(term.number, source, term.opaque(), _negated(_has_value(term)).surely, term.margin)


def _order_by_parameter(term: ParameterTerm) -> Order:
    runs, parameters = schema.runs, schema.parameters
    is_number = parameters.c.kind == NUMBER
    of_run = sa.and_(parameters.c.id == runs.c.id, parameters.c.name == term.name, is_number)
    return Order(
        parameters.c.number,
        runs.join(parameters, of_run),
        others=term.runs(sa.not_(is_number)),
        missing=sa.not_(term.runs(sa.true())),
    )
