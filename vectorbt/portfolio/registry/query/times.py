"""Points in time as people say them: in `since=` and `until=`, and where an expression is about the timestamp.

`"yesterday"` and `"today"` are whole days in UTC, and `"7 days"` is so long before now. They are replaced by what they
mean when a question is asked: what compares values (`vectorbt.portfolio.registry.query.comparing`) knows no clock."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.checks import as_text, as_utc, now
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.query.comparing import (
    DAY,
    EPOCH,
    MICROSECOND,
    Kind,
    classify,
    is_missing,
    read_duration,
    read_instant,
)
from vectorbt.portfolio.registry.query.where import And, Compare, Condition, In, Literal, Name, Not, Operand, Or, Where
from vectorbt.portfolio.registry.warning import warn

__all__ = ["as_moment", "with_moments"]

_DAYS = {"today": 0, "yesterday": -1}
_NEAR = timedelta(days=1)


def as_moment(name: str, value: tp.Any, last: bool = False) -> datetime:
    """Return a point in time in UTC. Of a day, or whatever else lasts, it is the first or the last microsecond.

    A duration is that long before now. Warns of a naive datetime that the clock of this machine may have told.

    Args:
        name (str): Name of the argument.
        value (any): Datetime, date, duration, or one of these as text.
        last (bool): Whether the last microsecond is meant.

    Raises:
        TypeError: If it is nothing of the kind.
        ValueError: If it is missing, or too far away.
        QueryError: If it is a text that says none."""
    try:
        if isinstance(value, str):
            return _read_moment(name, as_text(value), last)
        if is_missing(value):
            raise ValueError(f"{name} must be a point in time, not {value!r}")
        kind, key = classify(value)
        if kind is Kind.DURATION:
            return _ago(key)
        if isinstance(value, datetime):
            moment = as_utc(value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value)
            if value.tzinfo is None:
                _warn_of_local_time(name, moment)
            return moment
    except OverflowError:
        raise ValueError(f"{name} is too far away from now: {escaped(str(value))}") from None
    if isinstance(value, date):
        return datetime.combine(value, time.max if last else time.min, tzinfo=UTC)
    raise TypeError(
        f"{name} must be a datetime, a date, a duration or a text such as '2024-12-31' or '7 days', "
        f"not {type(value).__name__}"
    )


def _read_moment(name: str, text: str, last: bool) -> datetime:
    span = read_instant(_absolute(text))
    if span is None:
        raise QueryError(
            f"{name} must be an ISO 8601 date or datetime such as '2024-12-31', a duration before now such as "
            f"'7 days', 'today' or 'yesterday', not {text[:100]!r}"
        )
    microseconds = span[1] // MICROSECOND if last else -(-span[0] // MICROSECOND)
    return EPOCH + timedelta(microseconds=microseconds)


def _absolute(text: str) -> str:
    """Return a text that is about now as a date or datetime in ISO 8601, any other text as it is."""
    said = text.strip().lower()
    if said in _DAYS:
        return (now() + timedelta(days=_DAYS[said])).date().isoformat()
    if read_instant(text) is not None:
        return text
    length = read_duration(text.strip().removesuffix("ago").strip())
    return text if length is None else _ago(length).isoformat()


def _ago(attoseconds: int) -> datetime:
    try:
        return now() - timedelta(microseconds=abs(attoseconds) // MICROSECOND)
    except OverflowError:
        raise QueryError(f"{abs(attoseconds) // DAY} days are too far away from now") from None


def _warn_of_local_time(name: str, moment: datetime) -> None:
    """Warn if a naive datetime may be what a clock on the wall shows now, and that is not UTC."""
    offset = datetime.now().astimezone().utcoffset()
    if offset and abs(moment - now()) <= _NEAR:
        warn(
            f"{name}={moment:%Y-%m-%d %H:%M} has no zone and is read as UTC, in which it is {now():%H:%M} now; for the "
            f"clock of this machine pass value.astimezone(), or datetime.now(UTC)"
        )


# ############# Expressions ############# #


def with_moments(where: Where) -> Where:
    """Return an expression in which texts about now that the timestamp is compared with say when that is."""
    condition = _settled(where.condition)
    return where if condition is where.condition else replace(where, condition=condition)


def _settled(condition: Condition) -> Condition:
    if isinstance(condition, (And, Or)):
        parts = tuple(map(_settled, condition.conditions))
        is_same = all(part is before for part, before in zip(parts, condition.conditions))
        return condition if is_same else type(condition)(parts)
    if isinstance(condition, Not):
        part = _settled(condition.condition)
        return condition if part is condition.condition else Not(part)
    if isinstance(condition, (Compare, In)):
        left, right = condition.left, condition.right
        if _is_timestamp(left):
            right = _absolute_literal(right)
        elif _is_timestamp(right) and isinstance(condition, Compare):
            left = _absolute_literal(left)
        if left is not condition.left or right is not condition.right:
            return replace(condition, left=left, right=right)
    return condition


def _is_timestamp(operand: Operand) -> bool:
    return isinstance(operand, Name) and operand.name == "timestamp"


def _absolute_literal(operand: Operand) -> Operand:
    if not isinstance(operand, Literal) or not isinstance(operand.value, (str, tuple)):
        return operand
    if isinstance(operand.value, str):
        value: tp.Any = _absolute(operand.value)
    else:
        value = tuple(_absolute(one) if isinstance(one, str) else one for one in operand.value)
    return operand if value == operand.value else replace(operand, value=value)
