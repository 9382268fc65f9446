"""Why a question finds nothing: names that no run has, with the nearest ones, and values of a kind that no run holds.

Nothing of this is looked at as long as a question finds what it asks for."""

import re
from dataclasses import replace
from typing import Protocol

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.comparing import Kind, classify, is_missing, read_duration, read_instant
from vectorbt.portfolio.registry.query.query import Query, value_of
from vectorbt.portfolio.registry.query.unranked import describe_unranked
from vectorbt.portfolio.registry.query.where import HasValue, Name, Where, nearest
from vectorbt.portfolio.registry.run import RunRecord

__all__ = ["NAMES", "Asked", "problems_of"]

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
_SHOWN = 50
"""Characters of a value that a message shows."""
_MAX_LISTED = 10
"""Names that are listed where none is near."""

NAMES: tp.Dict[str, tp.Callable[[RunRecord], tp.Iterable[tp.Optional[str]]]] = {
    "strategy_name": lambda record: [record.strategy_name],
    "tags": lambda record: record.tags,
    "sweep_id": lambda record: [record.sweep_id],
    "symbols": lambda record: [text_of(symbol, str) for symbol in value_of(record, "symbols") or ()],
    "git_commit": lambda record: [value_of(record, "git_commit")],
    "parameters": lambda record: [name for name, value in record.parameters.items() if not is_missing(value)],
}
"""Names that a record has, by where they stand. None is no name."""


class Asked(Protocol):
    """What is asked: a store."""

    def exists(self) -> bool:
        """Return whether anything was ever saved here."""

    def select(self, query: Query) -> tp.List[RunRecord]:
        """Return the runs that a query asks for."""

    def names(self, what: str) -> tp.Set[str]:
        """Return the names that runs have, the deleted ones included. See `NAMES`."""

    def kinds(self, name: str) -> tp.Set[Kind]:
        """Return the kinds of values that runs hold under a name, the deleted ones included."""


class _Named(tp.NamedTuple):
    """A name in a query: what is said if no run has it, where such names stand, and who has it."""

    problem: str
    what: tp.Optional[str]
    name: str
    holders: Query


def problems_of(query: Query, found: tp.Sequence[RunRecord], asked: Asked) -> tp.List[str]:
    """Return in words what may be wrong with a question, given its answer. Nothing where it found what it asks for."""
    is_empty = not found and query.limit != 0
    if is_empty and not asked.exists():
        return [f"nothing was ever saved in {asked}"]
    unknown = []
    if query.strict or is_empty or _is_sorted_by_nothing(query, found):
        unknown = _unknown_names(query, asked)
    return unknown or (_unanswered(query, asked) if is_empty else [])


def _unanswered(query: Query, asked: Asked) -> tp.List[str]:
    """Return in words why a question whose names are all known finds nothing."""
    if query.finite is not None:
        candidates = asked.select(replace(query, finite=None, sort_by="timestamp", per=None, limit=None))
        if candidates:
            return [describe_unranked(query, candidates)]
    return _other_kinds(query, asked)


def _is_sorted_by_nothing(query: Query, found: tp.Sequence[RunRecord]) -> bool:
    """Return whether runs are sorted or grouped by a parameter that none of them has."""
    if not found:
        return False
    names = [name for name in (*query.sorting, query.per) if name is not None and name.startswith(PARAMETER_PREFIX)]
    return any(all(is_missing(value_of(record, name)) for record in found) for name in names)


def _unknown_names(query: Query, asked: Asked) -> tp.List[str]:
    """Return in words which names of a query no run has, be it a deleted one, with the nearest ones that there are."""
    return [
        named.problem + (_suggestion(named.name, asked.names(named.what)) if named.what else "")
        for named in dict.fromkeys(_named(query))
        if not asked.select(named.holders)
    ]


def _suggestion(name: str, known: tp.Collection[str]) -> str:
    near = nearest(name, known)
    if near:
        return f"; did you mean {' or '.join(map(escaped, near))}?"
    if not known:
        return ""
    listed = ", ".join(map(escaped, sorted(known)[:_MAX_LISTED]))
    return f"; there {'are' if len(known) > 1 else 'is'} {listed}{', ...' if len(known) > _MAX_LISTED else ''}"


def _named(query: Query) -> tp.Iterator[_Named]:
    """Yield the names in a query that may be misspelt."""
    for name in _strategies(query):
        yield _Named(f"no run has the strategy {name!r}", "strategy_name", name, _anyone(strategy_name=name))
    for tag in query.tags or ():
        yield _Named(f"no run has a tag {tag!r}", "tags", tag, _anyone(tags=(tag,)))
    if query.sweep_id is not None:
        sweep_id = query.sweep_id
        yield _Named(f"no run belongs to a sweep {sweep_id!r}", "sweep_id", sweep_id, _anyone(sweep_id=sweep_id))
    for symbol in query.symbols or ():
        yield _Named(f"no run was made on a symbol {symbol!r}", "symbols", symbol, _anyone(symbols=(symbol,)))
    if query.commit is not None:
        commit = query.commit
        yield _Named(f"no run has the git commit {commit!r}", "git_commit", commit, _anyone(commit=commit))
    if query.data is not None:
        yield _Named("no run was made on these prices", None, "", _anyone(data=query.data))
    for name in _parameters(query):
        has_value = HasValue(Name(f"{PARAMETER_PREFIX}{name}"))
        holders = _anyone(where=Where("", has_value, ()))
        yield _Named(f"no run has a parameter {name!r}", "parameters", name, holders)


def _strategies(query: Query) -> tp.Iterator[str]:
    if query.strategy_name is not None:
        yield query.strategy_name
    for name, operator, text, _ in query.where.texts if query.where is not None else ():
        if name.name == "strategy_name" and operator in ("==", "in"):
            yield text


def _parameters(query: Query) -> tp.Iterator[str]:
    yield from query.parameters or ()
    if query.where is not None:
        yield from (name.parameter for name in query.where.names if name.parameter is not None)
    for name in (*query.sorting, query.per):
        if name is not None and name.startswith(PARAMETER_PREFIX):
            yield name.removeprefix(PARAMETER_PREFIX)


# ############# Values of another kind ############# #

_KINDS: tp.Dict[Kind, tp.Tuple[str, str]] = {
    Kind.NUMBER: ("numbers", "a number"),
    Kind.BOOLEAN: ("booleans", "a boolean"),
    Kind.STRING: ("texts", "a text"),
    Kind.INSTANT: ("points in time", "a point in time"),
    Kind.DURATION: ("durations", "a duration"),
    Kind.SEQUENCE: ("lists", "a list"),
    Kind.SET: ("sets", "a set"),
    Kind.MAPPING: ("dicts", "a dict"),
    Kind.OTHER: ("other objects", "another object"),
}
"""Kinds of values in words: several of them, and one."""

_FIELDS: tp.Dict[str, Kind] = {
    **dict.fromkeys(HEADLINE, Kind.NUMBER),
    **dict.fromkeys(("run_id", "strategy_name", "notes", "sweep_id", "git_commit", "vectorbt"), Kind.STRING),
    **dict.fromkeys(("tags", "symbols"), Kind.SEQUENCE),
    "timestamp": Kind.INSTANT,
    "bars": Kind.NUMBER,
}
"""What every run holds under the name of a field."""


def _other_kinds(query: Query, asked: Asked) -> tp.List[str]:
    """Return in words what is compared with values of another kind alone, which is never equal nor in order."""
    problems = []
    for name, values, is_of in (*_wanted_parameters(query), *_compared(query)):
        held = {_FIELDS[name]} if name in _FIELDS else asked.kinds(name)
        if held and values and not any(is_of(value, held) for value in values):
            wanted = classify(values[0])[0]
            plural = " or ".join(_KINDS[kind][0] for kind in sorted(held))
            problems.append(
                f"{escaped(name)} holds {plural}, and {_shown(values[0])} is {_KINDS[wanted][1]}"
                f"{_instead(values[0], held)}"
            )
    return problems


_Wanted = tp.Tuple[str, tp.List[tp.Any], tp.Callable[[tp.Any, tp.Collection[Kind]], bool]]
"""A name, the values that are asked for, and whether one of these can be equal to, or in order with, some kinds."""


def _wanted_parameters(query: Query) -> tp.Iterator[_Wanted]:
    for name, value in (query.parameters or {}).items():
        yield f"{PARAMETER_PREFIX}{name}", value if isinstance(value, list) else [value], _is_of


def _compared(query: Query) -> tp.Iterator[_Wanted]:
    by_name: tp.Dict[str, tp.List[tp.Any]] = {}
    for compared in query.where.compared if query.where is not None else ():
        if compared.operator not in ("!=", "not in"):  # which hold of values of another kind
            by_name.setdefault(compared.name.name, []).append(compared.value)
    yield from ((name, values, _may_be_read_as) for name, values in by_name.items())


def _is_of(value: tp.Any, kinds: tp.Collection[Kind]) -> bool:
    return is_missing(value) or classify(value)[0] in kinds


def _may_be_read_as(value: tp.Any, kinds: tp.Collection[Kind]) -> bool:
    """Return whether a value of an expression is of one of some kinds, or a text that is read as a time of one."""
    if isinstance(value, str):
        readable = {Kind.INSTANT: read_instant, Kind.DURATION: read_duration}
        return Kind.STRING in kinds or any(kind in kinds and read(value) is not None for kind, read in readable.items())
    return _is_of(value, kinds)


def _shown(value: tp.Any) -> str:
    text = text_of(value)
    return escaped(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _instead(value: tp.Any, held: tp.Set[Kind]) -> str:
    """Return what to write instead of a value, where only quotes are the matter."""
    if isinstance(value, str) and Kind.NUMBER in held and _NUMBER.fullmatch(value):
        return f"; write {value} without quotes"
    if type(value) in (int, float) and held & {Kind.STRING, Kind.INSTANT}:
        return f"; write {_shown(value)} in quotes"
    return ""


def _anyone(**condition: tp.Any) -> Query:
    return Query(deleted=None, limit=1, **condition)
