"""A query asked of columns: which rows of which blocks it is about, and in which order.

The answer is that of `vectorbt.portfolio.registry.query.query.Query.apply`, row by row. A condition is put once to each
different value of a column, and to numbers as arrays."""

import operator
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.display import text_of
from vectorbt.portfolio.registry.named_values import (
    MAX_EXACT,
    NumericValues,
    Values,
    fingerprints_of,
    parameters_of,
    values_at,
    values_of,
)
from vectorbt.portfolio.registry.query.comparing import EPOCH, Kind, classify, contains, equal, is_missing, members
from vectorbt.portfolio.registry.query.query import (
    Query,
    has_beginning,
    has_one_of,
    has_symbol,
    is_rankable,
    sorts_last,
)
from vectorbt.portfolio.registry.query.where import (
    COMPARISONS,
    And,
    Compare,
    Condition,
    HasValue,
    In,
    Literal,
    Name,
    Not,
    Operand,
    Or,
)
from vectorbt.portfolio.registry.run import RunRecord, records_of

__all__ = ["Found", "ask", "kinds_in", "names_in", "spans"]

Part = tp.Tuple[RunBlock, tp.Optional[tp.Array1d]]
"""A block, and the rows of it that are asked, all of them if it is None."""

_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Found(tp.NamedTuple):
    """Rows of blocks, in the order of an answer.

    Args:
        blocks (list of RunBlock): Blocks.
        which (np.ndarray): For each row the position of its block.
        rows (np.ndarray): For each row its position in the block."""

    blocks: tp.List[RunBlock]
    which: tp.Array1d
    rows: tp.Array1d

    @classmethod
    def of(cls, records: tp.Sequence[RunRecord]) -> "Found":
        """Return records as rows of a block."""
        blocks = [RunBlock.of([record.as_json() for record in records])] if records else []
        return cls(blocks, np.zeros(len(records), np.int64), np.arange(len(records)))

    def first(self) -> tp.List[RunRecord]:
        """Return the first run as a record, in a list that is empty if there is none."""
        return self.at(np.arange(len(self.rows))[:1]).records()

    def at(self, places: tp.Array1d) -> "Found":
        """Return the rows at some places."""
        return Found(self.blocks, self.which[places], self.rows[places])

    def records(self) -> tp.List[RunRecord]:
        """Return the rows as records."""
        if len(self.blocks) == 1:
            return records_of(self.blocks[0], self.rows)
        records: tp.List[tp.Any] = [None] * len(self.rows)
        by_block = np.argsort(self.which, kind="stable")
        for number, start, end in spans(self.which[by_block]):
            places = by_block[start:end]
            for place, record in zip(places.tolist(), records_of(self.blocks[number], self.rows[places])):
                records[place] = record
        return records


def spans(which: tp.Array1d) -> tp.Iterator[tp.Tuple[int, int, int]]:
    """Yield the numbers in a sorted array, each with where it begins and ends."""
    numbers, starts = np.unique(which, return_index=True)
    yield from zip(numbers.tolist(), starts.tolist(), [*starts[1:].tolist(), len(which)])


def ask(query: Query, parts: tp.Sequence[Part]) -> Found:
    """Return where the runs are that a query asks for.

    Args:
        query (Query): Query.
        parts (sequence of tuple): Blocks and the rows of them that are asked."""
    blocks = [block for block, _ in parts]
    rows = [_matching(query, block, asked) for block, asked in parts]
    is_simple = not query.then_by and query.per is None
    keys = [_sort_keys(block, query.sort_by, found) if is_simple else None for block, found in zip(blocks, rows)]
    which = np.repeat(np.arange(len(rows)), list(map(len, rows)))
    found = Found(blocks, which, np.concatenate(rows) if rows else np.empty(0, np.int64))
    numbers = [key for key in keys if key is not None]
    if len(numbers) < len(keys):
        records = found.records()
        place_of = {id(record): place for place, record in enumerate(records)}
        return found.at(np.array([place_of[id(record)] for record in query.arrange(records)], np.int64))
    return found.at(_ordered(query, found, numbers))


def names_in(parts: tp.Sequence[Part], what: str) -> tp.Set[str]:
    """Return the names that runs have. See `vectorbt.portfolio.registry.store.RunStore.names`."""
    if what != "parameters":
        found = (value for block, rows in parts for value in values_of(block, what).distinct_of(rows))
        names = (name for value in found for name in (value if isinstance(value, list) else [value]))
        return {text_of(name, str) for name in names if name is not None}
    paths = ((block, rows, path) for block, rows in parts for path in block.columns if path[0] == what)
    return {
        path[1] for block, rows, path in paths if not all(map(is_missing, values_at(block, path).distinct_of(rows)))
    }


def kinds_in(parts: tp.Sequence[Part], name: str) -> tp.Set[Kind]:
    """Return the kinds of values under a name. See `vectorbt.portfolio.registry.store.RunStore.kinds`."""
    values = (value for block, rows in parts for value in values_of(block, name).distinct_of(rows))
    return {classify(value)[0] for value in values} - {Kind.MISSING}


# ############# Matching ############# #


def _matching(query: Query, block: RunBlock, asked: tp.Optional[tp.Array1d]) -> tp.Array1d:
    """Return the rows of a block that meet all conditions."""
    mask = np.ones(len(block), bool)
    if asked is not None:
        mask[:] = False
        mask[asked] = True
    for condition in _conditions(query, block):
        mask &= condition()
        if not mask.any():
            break
    return np.flatnonzero(mask)


def _conditions(query: Query, block: RunBlock) -> tp.Iterator[tp.Callable[[], tp.Array1d]]:
    """Yield the conditions of a query, the cheap ones first: functions that return which rows meet one."""
    for name in ("strategy_name", "sweep_id"):
        wanted = getattr(query, name)
        if wanted is not None:
            yield partial(values_of(block, name).spread, partial(operator.eq, wanted))
    if query.since is not None:
        yield partial(operator.ge, block.moments, _microseconds(query.since))
    if query.until is not None:
        yield partial(operator.le, block.moments, _microseconds(query.until))
    if query.prefix is not None:
        prefix = query.prefix.encode()
        yield lambda: block.ids.astype(f"S{len(prefix)}") == prefix if prefix else np.ones(len(block), bool)
    if query.finite is not None:
        yield partial(_rankable, block, query.finite)
    if query.tags is not None:
        tags = set(query.tags)
        yield partial(values_of(block, "tags").spread, lambda found: not tags.isdisjoint(found))
    if query.data is not None:
        fingerprints = query.data
        yield partial(fingerprints_of(block).spread, lambda fingerprint: fingerprint in fingerprints)
    if query.symbols is not None:
        yield partial(values_of(block, "symbols").spread, partial(has_symbol, wanted=query.symbols))
    if query.commit is not None:
        yield partial(values_of(block, "git_commit").spread, partial(has_beginning, wanted=query.commit))
    for name, wanted in (query.parameters or {}).items():
        yield partial(_has_parameter, parameters_of(block, name), wanted)
    if query.where is not None:
        yield partial(_holds, query.where.condition, block)


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _rankable(block: RunBlock, name: str) -> tp.Array1d:
    found = values_of(block, name)
    return np.isfinite(found.numbers) if isinstance(found, NumericValues) else found.spread(is_rankable)


def _has_parameter(found: Values, wanted: tp.Any) -> tp.Array1d:
    """Return which rows have a value, or one of them where it is a list."""
    choices = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(found, NumericValues) and all(type(choice) in (int, float) for choice in choices):
        answers = [found.compared("==", choice) for choice in choices if choice == choice]
        exact = [answer for answer in answers if answer is not None]
        if choices and len(exact) == len(choices):
            return np.logical_or.reduce(exact)
    return found.spread(lambda have: has_one_of(have, choices))


def _holds(condition: Condition, block: RunBlock) -> tp.Array1d:
    """Return for which rows a condition holds. See `vectorbt.portfolio.registry.query.where` for its meaning."""
    if isinstance(condition, And):
        return np.logical_and.reduce([_holds(part, block) for part in condition.conditions])
    if isinstance(condition, Or):
        return np.logical_or.reduce([_holds(part, block) for part in condition.conditions])
    if isinstance(condition, Not):
        return ~_holds(condition.condition, block)
    if isinstance(condition, Compare):
        return _compared(condition, block)
    if isinstance(condition, In):
        return _in(condition, block)
    if isinstance(condition, HasValue):
        return _each(block, lambda value: not is_missing(value), condition.operand)
    return _each(block, lambda value: equal(value, True), condition.operand)


def _compared(condition: Compare, block: RunBlock) -> tp.Array1d:
    for name, other, operation in (
        (condition.left, condition.right, condition.operator),
        (condition.right, condition.left, _MIRRORED[condition.operator]),
    ):
        if isinstance(name, Name) and isinstance(other, Literal) and type(other.value) in (int, float):
            found = values_of(block, name.name)
            answer = found.compared(operation, other.value) if isinstance(found, NumericValues) else None
            if answer is not None:
                return answer
    return _each(block, COMPARISONS[condition.operator], condition.left, condition.right)


def _in(condition: In, block: RunBlock) -> tp.Array1d:
    expected = not condition.negated
    if isinstance(condition.right, Literal):
        contains_value = members(condition.right.value)
        return _each(block, lambda value: contains_value(value) is expected, condition.left)
    return _each(block, lambda value, elements: contains(elements, value) is expected, condition.left, condition.right)


def _each(block: RunBlock, holds: tp.Callable[..., bool], *operands: Operand) -> tp.Array1d:
    """Return for which rows something holds of one operand or two."""
    names = [operand for operand in operands if isinstance(operand, Name)]
    if not names:
        return np.full(len(block), holds(*(tp.cast(Literal, operand).value for operand in operands)))
    if len(names) == 1:
        values = [operand.value if isinstance(operand, Literal) else None for operand in operands]
        place = next(i for i, operand in enumerate(operands) if isinstance(operand, Name))
        return values_of(block, names[0].name).spread(lambda value: holds(*values[:place], value, *values[place + 1 :]))
    each = [values_of(block, name.name).each() for name in names]
    return np.fromiter(map(holds, *each), bool, len(block))


# ############# Ordering ############# #


def _sort_keys(block: RunBlock, name: str, rows: tp.Array1d) -> tp.Optional[tp.Array1d]:
    """Return numbers by which rows are sorted, NaN for those that come last. None if there are other values."""
    if name == "timestamp":
        return block.moments[rows]
    found = values_of(block, name)
    if isinstance(found, NumericValues):
        numbers = found.numbers[rows]
        is_exact = numbers.dtype.kind == "f" or not len(numbers) or bool((np.abs(numbers) <= MAX_EXACT).all())
        return np.where(np.isfinite(numbers), numbers, np.nan) if is_exact else None
    if not all(type(value) is float or _is_small(value) or is_missing(value) for value in found.distinct):
        return None
    numbers = np.array([float("nan") if sorts_last(value) else value for value in found.distinct], np.float64)
    return numbers[found.codes[rows]]


def _is_small(value: tp.Any) -> bool:
    return type(value) is int and abs(value) <= MAX_EXACT


def _ordered(query: Query, found: Found, keys: tp.Sequence[tp.Array1d]) -> tp.Array1d:
    """Return the places of rows in order, cut at the limit. Equal ones are ordered by run_id."""
    key = np.concatenate(keys) if keys else np.empty(0)
    missing = np.flatnonzero(key != key)
    present = np.flatnonzero(key == key)
    if not query.ascending:
        key = -key
    limit = len(key) if query.limit is None else query.limit
    if 0 < limit < len(present):  # sorting a few of many costs more than finding them
        last = np.partition(key[present], limit - 1)[limit - 1]
        present = present[key[present] <= last]
    upper, lower = _id_numbers(found, present)
    order = [present[np.lexsort((lower, upper, key[present]))]]
    if len(present) < limit and len(missing):
        upper, lower = _id_numbers(found, missing)
        order.append(missing[np.lexsort((lower, upper))])
    return np.concatenate(order)[:limit]


def _id_numbers(found: Found, places: tp.Array1d) -> tp.Tuple[tp.Array1d, tp.Array1d]:
    """Return the upper and the lower half of ids as numbers, which sort as they do. The places are ascending."""
    upper, lower = np.empty(len(places), np.uint64), np.empty(len(places), np.uint64)
    which, rows = found.which[places], found.rows[places]
    for number, start, end in spans(which):
        uppers, lowers = found.blocks[number].id_numbers
        upper[start:end], lower[start:end] = uppers[rows[start:end]], lowers[rows[start:end]]
    return upper, lower
