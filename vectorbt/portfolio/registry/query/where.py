"""The language of `where`: expressions over the columns of `RunRegistry.to_frame`.

```text
condition   = conjunction {("or" | "|") conjunction}
conjunction = negation {("and" | "&") negation}
negation    = ("not" | "~") negation | comparison
comparison  = operand {operator operand}
operator    = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in"
operand     = name | ["-" | "+"] number | string | list | "true" | "false" | "none" | "(" condition ")"
name        = identifier | "`" characters "`" | "params" "." identifier {"." identifier} | "params" "[" string "]"
list        = "[" [value {"," value} [","]] "]"
```

A value in a list is a number, a string, a constant or a list. A string stands in single or double quotes; a backslash
stands before a quote, before a backslash, and in `\\n`, `\\r` and `\\t`. The constants may be capitalised as in Python.

An expression is parsed into a tree of small frozen dataclasses and never evaluated as Python. The tree is what a
backend translates into its own language. Its meaning, which a translation must keep:

* Logic is two-valued. A comparison is true or false, never unknown, and `Not` turns the one into the other.
* A comparison with a missing value (see `vectorbt.portfolio.registry.query.comparing.is_missing`) is false, also under
    `!=` and `not in`. Only `x == none` and `x != none` ask whether there is a value; they become `HasValue`.
* Values compare as `vectorbt.portfolio.registry.query.comparing` says. Values of different kinds are not equal, so `!=`
    and `not in` are true of them, and have no order, so `<`, `<=`, `>` and `>=` are false.
* A date without a time is all of its day in UTC: `timestamp == '2024-01-31'` and `timestamp <= '2024-01-31'` hold
    until its last moment, and `timestamp > '2024-01-31'` holds from the next day on.
* `a in b` looks for an element equal to `a` if `b` is a list, and for the substring `a` if `b` is a string.
    If `b` is anything else, both `a in b` and `a not in b` are false. A `none` in a list equals nothing.
* A chain such as `1 < x <= 2` is the conjunction of its links.
* A name alone is a condition: it holds if the value is `True`."""

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.comparing import compare, contains, equal, is_missing, less, members

__all__ = [
    "And",
    "Compare",
    "Compared",
    "HasValue",
    "In",
    "IsTrue",
    "Literal",
    "Name",
    "Not",
    "Or",
    "Where",
    "error_at",
]

Getter = tp.Callable[[str], tp.Any]
Predicate = tp.Callable[[Getter], bool]


# ############# Tree ############# #


@dataclass(frozen=True)
class Name:
    """A column of `RunRegistry.to_frame`, such as `sharpe_ratio` or `params.fast_window`."""

    name: str
    """Column, with the prefix `params.` if it is a parameter."""
    position: int = field(default=0, compare=False, repr=False)
    """Index of its first character in the expression."""

    @property
    def parameter(self) -> tp.Optional[str]:
        """Key in `RunRecord.parameters`, or None if the column is not a parameter."""
        return self.name.removeprefix(PARAMETER_PREFIX) if self.name.startswith(PARAMETER_PREFIX) else None


@dataclass(frozen=True)
class Literal:
    """A value written out: None, a `bool`, `int`, `float` or `str`, or a list of those as a `tuple`."""

    value: tp.Any
    position: int = field(default=0, compare=False, repr=False)
    """Index of its first character in the expression."""


Operand = tp.Union[Name, Literal]


@dataclass(frozen=True)
class Compare:
    """Comparison by `==`, `!=`, `<`, `<=`, `>` or `>=`. Neither side is the literal None under `==` and `!=`."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class In:
    """Membership: `left in right`, or `left not in right` if negated, which is not the same as `Not(In(...))`.

    The right side is a name or a literal list."""

    left: Operand
    right: Operand
    negated: bool = False


@dataclass(frozen=True)
class HasValue:
    """Whether a value is present: `x != none`. Its opposite, `x == none`, is `Not(HasValue(x))`."""

    operand: Operand


@dataclass(frozen=True)
class IsTrue:
    """A name or a boolean that stands alone: whether it is `True`."""

    operand: Operand


@dataclass(frozen=True)
class Not:
    """Negation of a condition."""

    condition: "Condition"


@dataclass(frozen=True)
class And:
    """Conjunction of two or more conditions."""

    conditions: tp.Tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    """Disjunction of two or more conditions."""

    conditions: tp.Tuple["Condition", ...]


class Compared(tp.NamedTuple):
    """A value that is written out in an expression and compared with a column."""

    name: Name
    operator: str
    value: tp.Any
    position: int


Condition = tp.Union[Compare, In, HasValue, IsTrue, Not, And, Or]
Node = tp.Union[Operand, Condition]

NONE = Literal(None)


@dataclass(frozen=True)
class Where:
    """A parsed expression. Made by `parse`."""

    expression: str
    """The text as it was given."""
    condition: Condition
    """Root of the tree."""
    names: tp.Tuple[Name, ...]
    """Every mention of a column, in the order of the text."""

    def check_names(self, known: Collection[str]) -> None:
        """Check that every bare name is a known column. A parameter that no run has is missing, not an error.

        Args:
            known (collection of str): Names of columns that are no parameters.

        Raises:
            QueryError: If a bare name is unknown. The message says which names are near.
        """
        for name in self.names:
            if name.parameter is None and name.name not in known:
                raise error_at(describe_unknown(name.name, known), self.expression, name.position)

    def matches(self, get: Getter) -> bool:
        """Whether the expression holds for one record.

        Args:
            get (callable): Function that returns the value of a column by its name, or None if there is none.
        """
        return self._predicate(get)

    @property
    def compared(self) -> tp.List[Compared]:
        """Every value that is compared with a column, those in a list included, in the order of the text."""
        return list(_compared(self.condition))

    @property
    def texts(self) -> tp.List[Compared]:
        """Those of `Where.compared` that are texts."""
        return [compared for compared in self.compared if isinstance(compared.value, str)]

    @cached_property
    def _predicate(self) -> Predicate:
        return _compile(self.condition)


def _compared(condition: Condition) -> tp.Iterator[Compared]:
    if isinstance(condition, (And, Or)):
        for part in condition.conditions:
            yield from _compared(part)
    elif isinstance(condition, Not):
        yield from _compared(condition.condition)
    elif isinstance(condition, Compare):
        for name, literal in ((condition.left, condition.right), (condition.right, condition.left)):
            if isinstance(name, Name) and isinstance(literal, Literal):
                yield Compared(name, condition.operator, literal.value, literal.position)
    elif isinstance(condition, In) and isinstance(condition.left, Name) and isinstance(condition.right, Literal):
        operator = "not in" if condition.negated else "in"
        for element in condition.right.value:
            yield Compared(condition.left, operator, element, condition.right.position)


def nearest(name: str, known: Collection[str]) -> tp.List[str]:
    """Return up to three names that may have been meant, the likeliest first."""
    by_lower = {other.lower(): other for other in sorted(known, key=lambda other: (len(other), other))}
    lower = name.lower()
    holding = [other for other in by_lower if len(lower) > 2 and lower in other]
    return [by_lower[other] for other in dict.fromkeys([*holding, *get_close_matches(lower, by_lower)])][:3]


_NO_NAMES = {
    **dict.fromkeys(("null", "nil", "nan", "nat", "na", "undefined"), "whether there is a value asks x == none"),
    **dict.fromkeys(("inf", "infinity"), "an infinite number is written 1e999"),
}
"""Values of other languages, in lower case, and what to write."""


def describe_unknown(name: str, known: Collection[str]) -> str:
    """Return the message for a name that is neither a field nor a metric, with the nearest ones that are."""
    if name.lower() in _NO_NAMES:
        return f"unknown name {name!r}; {_NO_NAMES[name.lower()]}"
    near = nearest(name, known)
    suggestion = f"; did you mean {' or '.join(map(escaped, near))}?" if near else "."
    return (
        f"unknown name {name!r}{suggestion} "
        f"If it is a parameter, write {PARAMETER_PREFIX}{escaped(name)}; if it is a string, put it in quotes"
    )


# ############# Meaning ############# #

EQUALITIES = frozenset({"==", "!=", "in", "not in"})
"""Operators that ask whether values are the same. The others ask for their order."""

COMPARISONS = {
    "==": equal,
    "!=": lambda a, b: not (equal(a, b) or is_missing(a) or is_missing(b)),
    "<": less,
    "<=": lambda a, b: compare(a, b) in (-1, 0),
    ">": lambda a, b: less(b, a),
    ">=": lambda a, b: compare(a, b) in (0, 1),
}


def _compile(condition: Condition) -> Predicate:
    """Turn a tree into nested functions, several times as fast as walking the tree once per record."""
    if isinstance(condition, And):
        return _compile_all(condition.conditions, settled_by=False)
    if isinstance(condition, Or):
        return _compile_all(condition.conditions, settled_by=True)
    if isinstance(condition, Not):
        negated = _compile(condition.condition)
        return lambda get: not negated(get)
    if isinstance(condition, In):
        return _compile_in(_getter(condition.left), condition.right, expected=not condition.negated)
    if isinstance(condition, Compare):
        holds, left, right = COMPARISONS[condition.operator], _getter(condition.left), _getter(condition.right)
        return lambda get: holds(left(get), right(get))
    operand = _getter(condition.operand)
    if isinstance(condition, HasValue):
        return lambda get: not is_missing(operand(get))
    return lambda get: equal(operand(get), True)


def _compile_all(conditions: tp.Tuple[Condition, ...], settled_by: bool) -> Predicate:
    predicates = [_compile(condition) for condition in conditions]

    def predicate(get: Getter) -> bool:
        for holds in predicates:
            if holds(get) is settled_by:
                return settled_by
        return not settled_by

    return predicate


def _compile_in(value: tp.Callable[[Getter], tp.Any], collection: Operand, expected: bool) -> Predicate:
    if isinstance(collection, Literal):
        contains_value = members(collection.value)
        return lambda get: contains_value(value(get)) is expected
    elements = _getter(collection)
    return lambda get: contains(elements(get), value(get)) is expected


def _getter(operand: Operand) -> tp.Callable[[Getter], tp.Any]:
    if isinstance(operand, Name):
        name = operand.name
        return lambda get: get(name)
    value = operand.value
    return lambda get: value


# ############# Errors ############# #

MARGIN = 200
"""Number of characters shown on each side of the place, so that a long expression does not bury it."""


def error_at(problem: str, expression: str, position: int) -> QueryError:
    """Error that shows the expression with a caret below the place."""
    # Each character that cannot be printed becomes one space, which keeps the caret in its column.
    printable = "".join(character if character.isprintable() or character == "\n" else " " for character in expression)
    before, after = printable[:position], printable[position:]
    if len(before) > MARGIN:
        before = "..." + before[-MARGIN:]
    if len(after) > MARGIN:
        after = after[:MARGIN] + "..."
    line_end, line_break, rest = after.partition("\n")
    caret = " " * (len(before) - before.rfind("\n") - 1) + "^"
    shown = f"{before}{line_end}\n{caret}{line_break}{rest}"
    return QueryError(f"`where` cannot be read: {problem}\n    " + shown.replace("\n", "\n    "))
