"""Why a question finds nothing: names that no run has, in words, with the nearest ones that there are.

Nothing of this is looked at as long as a question finds what it asks for."""

from typing import Protocol

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.comparing import is_missing
from vectorbt.portfolio.registry.query.query import Query, value_of
from vectorbt.portfolio.registry.query.where import HasValue, Name, Where, nearest
from vectorbt.portfolio.registry.run import RunRecord

__all__ = ["NAMES", "Asked", "problems_of", "unknown_names"]

_MAX_LISTED = 10
"""Names that are listed where none is near."""

NAMES: tp.Dict[str, tp.Callable[[RunRecord], tp.Iterable[tp.Optional[str]]]] = {
    "strategy_name": lambda record: [record.strategy_name],
    "tags": lambda record: record.tags,
    "sweep_id": lambda record: [record.sweep_id],
    "parameters": lambda record: [name for name, value in record.parameters.items() if not is_missing(value)],
}
"""Names that a record has, by where they stand. None is no name."""


class Asked(Protocol):
    """What is asked: a store."""

    def select(self, query: Query) -> tp.List[RunRecord]:
        """Return the runs that a query asks for."""

    def names(self, what: str) -> tp.Set[str]:
        """Return the names that runs have, the deleted ones included. See `NAMES`."""


class _Named(tp.NamedTuple):
    """A name in a query: what is said if no run has it, where such names stand, and who has it."""

    problem: str
    what: tp.Optional[str]
    name: str
    holders: Query


def problems_of(query: Query, found: tp.Sequence[RunRecord], asked: Asked) -> tp.List[str]:
    """Return in words what may be wrong with a question, given its answer. Nothing where it found what it asks for."""
    if not found and query.limit != 0 and not asked.select(Query(deleted=None, limit=1)):
        return [f"nothing was ever saved in {asked}"]
    if query.strict or (not found and query.limit != 0) or _is_sorted_by_nothing(query, found):
        return unknown_names(query, asked)
    return []


def _is_sorted_by_nothing(query: Query, found: tp.Sequence[RunRecord]) -> bool:
    """Return whether runs are sorted by a parameter that none of them has: missing values come last."""
    if not found or not query.sort_by.startswith(PARAMETER_PREFIX):
        return False
    return is_missing(value_of(found[0], query.sort_by))


def unknown_names(query: Query, asked: Asked) -> tp.List[str]:
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
    if query.sort_by.startswith(PARAMETER_PREFIX):
        yield query.sort_by.removeprefix(PARAMETER_PREFIX)


def _anyone(**condition: tp.Any) -> Query:
    return Query(deleted=None, limit=1, **condition)
