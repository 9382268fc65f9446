"""Which runs a question is about, and in which order.

A `Query` says what matches. A store may narrow the candidates in a way of its own, but it never decides differently:
what `Query.apply` returns is the answer."""

import heapq
import re
from collections import Counter
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TypedDict

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.checks import as_text, check_parameters, check_tags, is_run_id
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.metric_names import (
    HEADLINE,
    PARAMETER_PREFIX,
    duration_metrics,
    metric_called,
    vectorbt_metrics,
)
from vectorbt.portfolio.registry.named_values import ORIGINS, parameter_of
from vectorbt.portfolio.registry.query.comparing import (
    ORDERED_KINDS,
    Kind,
    classify,
    is_missing,
    read_duration,
    read_instant,
    same,
    sort_key,
)
from vectorbt.portfolio.registry.query.parser import parse
from vectorbt.portfolio.registry.query.times import as_moment, with_moments
from vectorbt.portfolio.registry.query.where import (
    EQUALITIES,
    Compared,
    HasValue,
    Where,
    describe_unknown,
    error_at,
    nearest,
)
from vectorbt.portfolio.registry.run import RunRecord

FIELDS = ("run_id", "timestamp", "strategy_name", "tags", "notes", "sweep_id", *ORIGINS)
"""Names of a run's fields that can be asked about, beside its metrics and `params.<name>`."""

_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")

_RANKED = ORDERED_KINDS - {Kind.STRING}
"""Kinds of values of which one can be the best."""


def value_of(record: RunRecord, name: str) -> tp.Any:
    """Return what a record holds under a name of `RunRegistry.to_frame`: a field, a metric or `params.<name>`.

    None where the record has no such value."""
    if name in ORIGINS:
        field, read = ORIGINS[name]
        return read(getattr(record, field))
    if name in HEADLINE or name in FIELDS or name == "column":
        return getattr(record, name)
    if name.startswith(PARAMETER_PREFIX):
        return parameter_of(record.parameters, name.removeprefix(PARAMETER_PREFIX))
    return record.stats.get(name)


class Conditions(TypedDict, total=False):
    """Conditions that every call takes which is about several runs. All must hold."""

    parameters: tp.Optional[dict]
    """Values by name. A list, set, range or array means one of its items, and so does a tuple unless a run has one
    under that name. None means that there is no value."""

    where: tp.Optional[str]
    """Expression over the columns of `RunRegistry.to_frame`."""

    since: tp.Union[None, str, date, datetime, timedelta]
    """Earliest timestamp, inclusive. A naive one is UTC, a duration that long before now."""

    until: tp.Union[None, str, date, datetime, timedelta]
    """Latest timestamp, inclusive. A bare date means the whole day."""

    data: tp.Any
    """Prices that the run was made on, or their fingerprint."""

    sweep_id: tp.Optional[str]
    """Sweep that the run belongs to."""

    symbols: tp.Union[None, str, tp.Sequence[str]]
    """The run was made on at least one of them."""

    commit: tp.Optional[str]
    """Git commit of the code, or its beginning."""

    deleted: tp.Optional[bool]
    """False for the runs that are there, True for the deleted ones, None for all."""

    strict: bool
    """Whether a name that no run has is an error rather than a warning."""


class Filters(Conditions, total=False):
    """What `RunRegistry.list_runs` takes beside a strategy and tags: conditions, an order and a limit."""

    sort_by: tp.Union[str, tp.Sequence[str]]
    """Field, metric or `params.<name>`, or several of them; a minus before one means downwards. Missing and infinite
    values come last in both directions."""

    ascending: tp.Union[None, bool, tp.Sequence[bool]]
    """Direction, or one for each of several names. Defaults to newest first for the timestamp, else to ascending."""

    limit: tp.Optional[int]
    """Number of runs at most."""


class PoolFilters(Conditions, total=False):
    """Conditions by which `RunRegistry.selection_bias` chooses runs, among them a strategy and tags."""

    strategy_name: tp.Optional[str]
    """Name of the strategy."""

    tags: tp.Union[None, str, tp.Sequence[str]]
    """The run has at least one of them."""


class AllFilters(Filters, PoolFilters, total=False):
    """All that `Query.of` takes."""


@dataclass(frozen=True)
class Query:
    """A question about runs. All conditions must hold.

    Make one with `Query.of`, which checks what people pass and brings it into the form described here.

    Args:
        prefix (str): Beginning of the run_id.
        strategy_name (str): Name of the strategy.
        tags (tuple of str): The run has at least one of them.
        parameters (dict): Values by name. A list means one of its items, None means that there is no value. A tuple is
            a value, see `Query.with_choices`.
        where (Where): Expression over the columns of `RunRegistry.to_frame`.
        since (datetime): Earliest timestamp, inclusive, in UTC.
        until (datetime): Latest timestamp, inclusive, in UTC.
        data (tuple of str): Fingerprints of prices. The run was made on one of them.
        sweep_id (str): Sweep.
        symbols (tuple of str): The run was made on at least one of them.
        commit (str): Beginning of the git commit of the code.
        deleted (bool): False for the runs that are there, True for the deleted ones, None for all.
        strict (bool): Whether a name that no run has is an error rather than a warning.
        finite (str): Metric that must be a finite number.
        sort_by (str): Field, metric or `params.<name>`. In both directions numbers come before booleans before texts
            before the rest, and missing and infinite values last. Equal ones are ordered by run_id.
        ascending (bool): Direction.
        then_by (tuple of tuple): Further names by which equal ones are ordered first, each with its direction.
        per (str): Name of which each value has a limit of its own.
        limit (int): Number of runs at most."""

    prefix: tp.Optional[str] = None
    strategy_name: tp.Optional[str] = None
    tags: tp.Optional[tp.Tuple[str, ...]] = None
    parameters: tp.Optional[tp.Dict[str, tp.Any]] = None
    where: tp.Optional[Where] = None
    since: tp.Optional[datetime] = None
    until: tp.Optional[datetime] = None
    data: tp.Optional[tp.Tuple[str, ...]] = None
    sweep_id: tp.Optional[str] = None
    symbols: tp.Optional[tp.Tuple[str, ...]] = None
    commit: tp.Optional[str] = None
    deleted: tp.Optional[bool] = False
    strict: bool = False
    finite: tp.Optional[str] = None
    sort_by: str = "timestamp"
    ascending: bool = False
    then_by: tp.Tuple[tp.Tuple[str, bool], ...] = ()
    per: tp.Optional[str] = None
    limit: tp.Optional[int] = None

    @classmethod
    def of(
        cls,
        strategy_name: tp.Optional[str] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        *,
        parameters: tp.Optional[dict] = None,
        where: tp.Optional[str] = None,
        since: tp.Union[None, str, date, datetime, timedelta] = None,
        until: tp.Union[None, str, date, datetime, timedelta] = None,
        data: tp.Any = None,
        sweep_id: tp.Optional[str] = None,
        symbols: tp.Union[None, str, tp.Sequence[str]] = None,
        commit: tp.Optional[str] = None,
        deleted: tp.Optional[bool] = False,
        strict: bool = False,
        sort_by: tp.Union[str, tp.Sequence[str]] = "timestamp",
        ascending: tp.Union[None, bool, tp.Sequence[bool]] = None,
        limit: tp.Optional[int] = None,
        **unknown: tp.Any,
    ) -> "Query":
        """Make a query of what `RunRegistry.list_runs` accepts.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If an argument has a value that means nothing.
            QueryError: If `where` is no expression, or compares a time with a text that is none."""
        if unknown:
            raise TypeError(_describe_unknown_filter(next(iter(unknown))))
        parsed = None if where is None else with_moments(parse(where))
        if parsed is not None:
            _check_known_times(parsed)
            _check_meant(parsed)
        first = None if since is None else as_moment("since", since)
        latest = None if until is None else as_moment("until", until, last=True)
        if first is not None and latest is not None and latest < first:
            raise QueryError(f"since ({first}) is after until ({latest}), so no run can be between them; exchange them")
        first_key, *other_keys = _check_order(sort_by, ascending)
        return cls(
            strategy_name=_check_type("strategy_name", strategy_name, str),
            tags=None if tags is None else tuple(check_tags(tags)),
            parameters=check_parameters(_with_lists(parameters)) or None,
            where=parsed,
            since=first,
            until=latest,
            data=None if data is None else _as_fingerprints(data),
            sweep_id=_check_type("sweep_id", sweep_id, str),
            symbols=None if symbols is None else tuple(check_tags(symbols, "symbols")),
            commit=_check_commit(commit),
            deleted=_check_type("deleted", deleted, bool),
            strict=_check_strict(strict),
            sort_by=first_key[0],
            ascending=first_key[1],
            then_by=tuple(other_keys),
            limit=_check_limit(limit),
        )

    def best(self, metric: str, n: tp.Optional[int], ascending: bool, per: tp.Optional[str] = None) -> "Query":
        """Return the query for the `n` best of the runs by a metric, for all of them in order if `n` is None.

        Args:
            metric (str): Metric.
            n (int): Number of runs at most, of each value under `per` if it is given.
            ascending (bool): Whether low is best.
            per (str): Field, metric or `params.<name>`."""
        ascending, metric = _check_ascending(ascending), metric_called(as_text(metric))
        per = None if per is None else _check_sort_by(per)
        ranked = replace(self, finite=metric, sort_by=metric, ascending=ascending, then_by=())
        return replace(ranked, per=per, limit=_check_limit(n))

    # ############# Matching ############# #

    @property
    def is_unconditional(self) -> bool:
        """Whether the query finds every run."""
        conditions: tp.List[tp.Any] = [
            self.strategy_name,
            self.tags,
            self.parameters,
            self.where,
            self.since,
            self.until,
        ]
        conditions += [self.data, self.sweep_id, self.symbols, self.commit, self.prefix, self.finite, self.limit]
        return all(condition is None for condition in conditions)

    def matches(self, record: RunRecord) -> bool:
        """Return whether a record meets all conditions but `Query.deleted`, which is for the store to know."""
        return bool(self.narrow([record])) and self.matches_details(record)

    def narrow(self, records: tp.Iterable[RunRecord]) -> tp.List[RunRecord]:
        """Return the records that meet the conditions on what they hold without parsing their details.

        One condition after the other over all records: of a hundred thousand, that takes a few milliseconds each."""
        narrowed = list(records)
        if self.strategy_name is not None:
            narrowed = [record for record in narrowed if record.strategy_name == self.strategy_name]
        if self.sweep_id is not None:
            narrowed = [record for record in narrowed if record.sweep_id == self.sweep_id]
        if self.since is not None:
            narrowed = [record for record in narrowed if record.timestamp >= self.since]
        if self.until is not None:
            narrowed = [record for record in narrowed if record.timestamp <= self.until]
        if self.prefix is not None:
            narrowed = [record for record in narrowed if record.run_id.startswith(self.prefix)]
        if self.finite in HEADLINE:
            value_of_finite = attrgetter(self.finite)
            narrowed = [record for record in narrowed if is_rankable(value_of_finite(record))]
        return narrowed

    def matches_details(self, record: RunRecord) -> bool:
        """Return whether a record meets the other conditions."""
        return (
            (self.tags is None or not set(self.tags).isdisjoint(record.tags))
            and (self.data is None or record.data.get("fingerprint") in self.data)
            and (self.symbols is None or has_symbol(value_of(record, "symbols"), self.symbols))
            and (self.commit is None or has_beginning(value_of(record, "git_commit"), self.commit))
            and (self.parameters is None or _has_parameters(record, self.parameters))
            and (self.where is None or self.where.matches(lambda name: value_of(record, name)))
            and (self.finite is None or is_rankable(value_of(record, self.finite)))
        )

    def apply(self, records: tp.Iterable[RunRecord]) -> tp.List[RunRecord]:
        """Return the records that match, in order, cut at the limit."""
        return self.arrange([record for record in records if self.matches(record)])

    # ############# Ordering ############# #

    @property
    def sorting(self) -> tp.Tuple[str, ...]:
        """Names that the runs are ordered by."""
        return self.sort_by, *(name for name, _ in self.then_by)

    def arrange(self, records: tp.List[RunRecord]) -> tp.List[RunRecord]:
        """Return records that match in order, cut at the limit."""
        if self.per is not None:
            return first_of_each(replace(self, per=None, limit=None).arrange(records), self.per, self.limit)
        if self.then_by:
            ordered = sorted(records, key=_run_id_of)
            for name, ascending in ((self.sort_by, self.ascending), *self.then_by)[::-1]:
                ordered = _in_stable_order(ordered, name, ascending)
            return ordered[: self.limit]
        arranged: tp.List[RunRecord] = []
        lots, unknown = self._keyed(records)
        for keyed in lots:
            if self.limit is None or len(arranged) < self.limit:
                arranged += self._in_order(keyed)
        return [*arranged, *sorted(unknown, key=_run_id_of)][: self.limit]

    def _in_order(self, keyed: tp.List[tp.Tuple]) -> tp.List[RunRecord]:
        """Return records in the order of their keys, those that can be among the first ones."""
        if self.limit is not None and self.limit < len(keyed):
            keyed = _first_by_key(keyed, self.limit, reverse=not self.ascending)
        keyed.sort(key=_key_of, reverse=not self.ascending)
        ordered = []
        for _, ties in groupby(keyed, key=_key_of):
            ordered.extend(sorted((record for _, record in ties), key=_run_id_of))
        return ordered

    def _keyed(self, records: tp.List[RunRecord]) -> tp.Tuple[tp.List[tp.List[tp.Tuple]], tp.List[RunRecord]]:
        """Pair records with what they are sorted by, those of each kind of value apart, in the order of the kinds.

        Those without a value are returned apart as well."""
        name = self.sort_by
        if name == "timestamp":
            return [[(record.timestamp, record) for record in records]], []
        if name in HEADLINE:  # numbers need no key to be compared
            value_of_metric = attrgetter(name)
            keyed = [(value_of_metric(record), record) for record in records]
            unknown = [record for value, record in keyed if value - value != 0]
            return [[pair for pair in keyed if pair[0] - pair[0] == 0] if unknown else keyed], unknown
        return _by_kind(records, name)

    # ############# Names ############# #

    def with_choices(self, kinds: tp.Callable[[str], tp.Collection[Kind]]) -> "Query":
        """Return the query in which a tuple of parameters means one of its items, where no run has a sequence.

        Args:
            kinds (callable): Returns the kinds of values that runs hold under a name. Called only for a tuple."""
        tuples = {name: value for name, value in (self.parameters or {}).items() if isinstance(value, tuple)}
        lists = {
            name: list(value)
            for name, value in tuples.items()
            if Kind.SEQUENCE not in kinds(f"{PARAMETER_PREFIX}{name}")
        }
        return replace(self, parameters={**(self.parameters or {}), **lists}) if lists else self

    def check_names(self, seen_metrics: tp.Callable[[], tp.Collection[str]]) -> None:
        """Check that the metrics that the query names exist.

        Args:
            seen_metrics (callable): Returns the metrics that occur in the registry. Called only for a name that is
                none of vectorbt's own, since it looks at every run.

        Raises:
            QueryError: If a metric is unknown. Names the nearest ones."""
        known = {*FIELDS, *HEADLINE, *vectorbt_metrics()}
        sorting = (name for name in (*self.sorting, self.finite, self.per) if name is not None)
        names = {name for name in sorting if not name.startswith(PARAMETER_PREFIX)} - {"column"}
        if self.where is not None:
            names |= {name.name for name in self.where.names if name.parameter is None}
        if names <= known:
            return
        known |= set(seen_metrics()) - {"column"}
        if self.where is not None:
            self.where.check_names(known)
        for name in sorted(names - known):
            raise QueryError(describe_unknown(name, known))

    def check_times(self, select: tp.Callable[["Query"], tp.Iterable[RunRecord]]) -> None:
        """Check that a text that comes before or after a parameter, or a metric that may be anything, can do so.

        No text does where the runs hold times under that name, unless it is a time itself. Where some of the runs hold
        texts, those are what it is compared with.

        Args:
            select (callable): Returns the runs that a query asks for. Called only for a text that is neither a point
                in time nor a duration, and one of `<`, `<=`, `>` and `>=`, since it may look at every run.

        Raises:
            QueryError: If the runs hold times and no texts under a name, and the text is no such time."""
        if self.where is None:
            return
        for compared in self.where.texts:
            text, name = compared.value, compared.name
            if compared.operator in EQUALITIES or name.name in {*FIELDS, *HEADLINE, "column"}:
                continue
            if read_instant(text) is not None or read_duration(text) is not None:
                continue
            holders = select(Query(where=Where("", HasValue(name), ()), deleted=None))
            kinds = {classify(value_of(record, name.name))[0] for record in holders}
            times = kinds & _READERS.keys()
            if times and Kind.STRING not in kinds:
                raise _not_a_time(self.where, compared, min(times))


# ############# Times ############# #

_READERS = {Kind.INSTANT: read_instant, Kind.DURATION: read_duration}
_NO_TIME = {
    Kind.INSTANT: "is no date or time; write it as ISO 8601, such as '2024-12-31' or '2024-12-31T12:00'",
    Kind.DURATION: "is no duration; write it as '90 days', '4h' or 'P30DT4H'",
}


def _known_times() -> tp.Dict[str, Kind]:
    """Return what is always a time, by its name."""
    return {"timestamp": Kind.INSTANT, **dict.fromkeys(duration_metrics(), Kind.DURATION)}


def _check_known_times(where: Where) -> None:
    for compared in where.texts:
        kind = _known_times().get(compared.name.name)
        if kind is not None and _READERS[kind](compared.value) is None:
            raise _not_a_time(where, compared, kind)


def _check_meant(where: Where) -> None:
    """Check that no text is compared with what it can never be equal to.

    Raises:
        QueryError: If it is a list, or holds whole ids and the text is none."""
    for name, operator, text, position in where.texts:
        shown = text_of(text[:100])
        if name.name in ("tags", "symbols"):
            raise error_at(f"{name.name} is a list; write {shown} in {name.name}", where.expression, position)
        if name.name in ("run_id", "sweep_id") and operator in EQUALITIES and not is_run_id(text):
            problem = f"{shown} is no whole id; of a part of one write {shown} in {name.name}"
            raise error_at(problem, where.expression, position)


def _not_a_time(where: Where, compared: Compared, kind: Kind) -> QueryError:
    problem = f"{escaped(compared.name.name)} is compared with {compared.value[:100]!r}, which {_NO_TIME[kind]}"
    return error_at(problem, where.expression, compared.position)


def _by_kind(records: tp.Iterable[RunRecord], name: str) -> tp.Tuple[tp.List[tp.List[tp.Tuple]], tp.List[RunRecord]]:
    """Pair records with what they are sorted by, those of each kind of value apart, in the order of the kinds.

    Those that come last in any case are returned apart as well."""
    by_kind: tp.Dict[tp.Any, tp.List[tp.Tuple]] = {}
    last = []
    for record in records:
        value = value_of(record, name)
        if sorts_last(value):
            last.append(record)
        else:
            key = sort_key(value)
            by_kind.setdefault(key[0], []).append((key, record))
    return [by_kind[kind] for kind in sorted(by_kind)], last


def _in_stable_order(records: tp.Iterable[RunRecord], name: str, ascending: bool) -> tp.List[RunRecord]:
    """Return records in order of what they hold under a name. Equal ones stay as they are."""
    lots, last = _by_kind(records, name)
    ordered = [pair for lot in lots for pair in sorted(lot, key=_key_of, reverse=not ascending)]
    return [*(record for _, record in ordered), *last]


def first_of_each(records: tp.Iterable[RunRecord], name: str, limit: tp.Optional[int]) -> tp.List[RunRecord]:
    """Return the first ones of the records that hold the same value under a name, in the order in which they are.

    Missing values are the same."""
    counts: tp.Counter = Counter()
    kept = []
    for record in records:
        value = value_of(record, name)
        key = None if is_missing(value) else sort_key(value)
        counts[key] += 1
        if limit is None or counts[key] <= limit:
            kept.append(record)
    return kept


def sorts_last(value: tp.Any) -> bool:
    """Return whether a value comes last in both directions: it is missing, or an infinite number."""
    if type(value) is float:
        return value - value != 0.0
    if is_missing(value):
        return True
    kind, key = classify(value)
    return kind is Kind.NUMBER and key in _INFINITE


_INFINITE = (float("inf"), -float("inf"))


def _key_of(pair: tp.Tuple) -> tp.Any:
    return pair[0]


def _run_id_of(record: RunRecord) -> str:
    return record.run_id


def _first_by_key(keyed: tp.List[tp.Tuple], limit: int, reverse: bool) -> tp.List[tp.Tuple]:
    """Return the pairs that can be among the first `limit`: sorting a few of many costs more than finding them."""
    if limit == 0:
        return []
    keys = [key for key, _ in keyed]
    last = (heapq.nlargest if reverse else heapq.nsmallest)(limit, keys)[-1]
    return [pair for pair in keyed if (pair[0] >= last if reverse else pair[0] <= last)]


def is_rankable(value: tp.Any) -> bool:
    """Return whether a value can be ranked: a finite number, a duration, a point in time."""
    if isinstance(value, float):
        return value - value == 0.0
    return classify(value)[0] in _RANKED


# ############# Wanted values ############# #

_MAX_CHOICES = 1_000_000


def _with_lists(parameters: tp.Any) -> tp.Any:
    """Return parameters in which whatever holds several values is a list, which means one of them."""
    if not isinstance(parameters, dict):
        return parameters  # which is refused
    return {name: _as_list(name, value) for name, value in parameters.items()}


def _as_list(name: str, value: tp.Any) -> tp.Any:
    holds_several = isinstance(value, (set, frozenset, range, pd.Index, pd.Series, pd.api.extensions.ExtensionArray))
    if not holds_several and not (isinstance(value, np.ndarray) and value.ndim == 1):
        return value
    if len(value) > _MAX_CHOICES:
        raise ValueError(
            f"parameters[{name!r}] lists {len(value)} values; for all between two write "
            f"where='1 <= {PARAMETER_PREFIX}{name} <= 2'"
        )
    return list(value)


def _has_parameters(record: RunRecord, wanted: tp.Dict[str, tp.Any]) -> bool:
    """Return whether a record has each of the wanted values, or one of them where a list is wanted."""
    for name, value in wanted.items():
        if not has_one_of(parameter_of(record.parameters, name), value if isinstance(value, list) else [value]):
            return False
    return True


def has_symbol(found: tp.Any, wanted: tp.Collection[str]) -> bool:
    """Return whether one of the symbols of a run is one of several."""
    return isinstance(found, list) and any(text_of(symbol, str) in wanted for symbol in found)


def has_beginning(found: tp.Any, wanted: str) -> bool:
    """Return whether a value is a text with some beginning."""
    return isinstance(found, str) and found.startswith(wanted)


def has_one_of(have: tp.Any, choices: tp.Sequence[tp.Any]) -> bool:
    """Return whether a value is one of several, or is missing where one of these is."""
    return any(is_missing(have) if is_missing(choice) else same(have, choice) for choice in choices)


# ############# Checking ############# #


def _check_type(name: str, value: tp.Any, expected: type) -> tp.Any:
    if value is not None and not isinstance(value, expected):
        raise TypeError(f"{name} must be of type {expected.__name__} or None, not {type(value).__name__}")
    return as_text(value) if isinstance(value, str) else value


def _describe_unknown_filter(name: str) -> str:
    inner = ("prefix", "finite", "then_by", "per")
    filters = [field.name for field in fields(Query) if field.name not in inner]
    near = nearest(name, filters)
    return f"unknown filter {name!r}; " + (f"did you mean {near[0]}?" if near else f"expected {', '.join(filters)}")


def _check_sort_by(value: tp.Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected the name of a field or metric, or params.<name>, to sort by, not {text_of(value)}")
    return metric_called(as_text(value))


def _check_order(sort_by: tp.Any, ascending: tp.Any) -> tp.List[tp.Tuple[str, bool]]:
    """Return the names to sort by, each with its direction."""
    names = [sort_by] if isinstance(sort_by, str) else sort_by
    if not isinstance(names, (list, tuple)) or not names:
        raise TypeError(
            f"expected the name of a field or metric, or params.<name>, or a list of them, to sort by, "
            f"not {text_of(sort_by)}"
        )
    checked = [_check_sort_by(name) for name in names]
    if ascending is None:
        named = [(metric_called(name.removeprefix("-")), not name.startswith("-")) for name in checked]
        return [(name, upwards and name != "timestamp") for name, upwards in named]
    if any(name.startswith("-") for name in checked):
        raise ValueError("a minus in sort_by says the direction already; give ascending or the minus")
    directions = ascending if isinstance(ascending, (list, tuple)) else [ascending] * len(checked)
    if len(directions) != len(checked):
        raise ValueError(f"ascending has {len(directions)} directions for {len(checked)} names in sort_by")
    return list(zip(checked, map(_check_ascending, directions)))


def _check_ascending(value: tp.Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"ascending must be True, False or None, not {text_of(value)}")
    return bool(value)


def _check_strict(value: tp.Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"strict must be True or False, not {text_of(value)}")
    return bool(value)


def _check_commit(value: tp.Any) -> tp.Optional[str]:
    commit = _check_type("commit", value, str)
    if commit is not None and not _COMMIT.fullmatch(commit):
        raise ValueError(
            f"commit must be four digits of a git commit at least, out of 0-9 and a-f, not {commit[:100]!r}"
        )
    return commit and commit.lower()


def _check_limit(value: tp.Any) -> tp.Optional[int]:
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"the number of runs must be an integer, not {type(value).__name__}")
    if value.__index__() < 0:
        raise ValueError(f"the number of runs must not be negative, not {text_of(value, str)}")
    return value.__index__()


def _as_fingerprints(data: tp.Any) -> tp.Tuple[str, ...]:
    from vectorbt.portfolio.registry.capture.data import fingerprints_of

    return fingerprints_of(data)
