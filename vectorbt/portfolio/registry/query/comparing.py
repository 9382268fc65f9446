"""How the values of records compare: one meaning for filters, `where` expressions and sorting.

Every value has a `Kind`, and values of different kinds neither equal nor precede each other: `"10"` is not 10, and
`True` is not 1. No comparison ever raises, whatever the values. Within a kind:

* Numbers (`int`, `float`, `Decimal`, NumPy's) compare exactly, at any size and in any context of `decimal`.
* Instants (`datetime`, `Timestamp`, `datetime64`) compare as points in time; a naive one is read as UTC. A `date` is
    all of its day: it equals every instant on it and precedes every instant after it.
* Durations (`timedelta`, `Timedelta`, `timedelta64`) compare by length. One in months, in years or without a unit has
    no length that anybody can tell: it equals those of as many months or units, and has no order.
* Lists, tuples and arrays are equal when their elements are, in order; sets and dicts in any order.
    Inside of them a missing value equals a missing value. They have no order.
* An `Enum` is its value and a `Path` is its text, since neither can be written in an expression.

A string is read as an instant or as a duration when it is compared with one: `"2024-01-01T12:00"` is an instant,
`"2024-01-01"` all of that day, `"2024-W01"`, `"2024-01"` and `"2024"` all of that week, month and year, and
`"30 days"`, `"4h"`, `"1 day 02:30:00"` and `"P30DT4H"` are durations. Compared with a string it remains a string.

A missing value (see `is_missing`) equals nothing, not even itself, and precedes nothing."""

import calendar
import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import lru_cache
from pathlib import PurePath

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import text_of

__all__ = [
    "Kind",
    "classify",
    "compare",
    "contains",
    "equal",
    "is_missing",
    "less",
    "members",
    "read_duration",
    "read_instant",
    "sort_key",
]

ATTOSECOND = 1
NANOSECOND = 10**9
MICROSECOND = 10**12
SECOND = 10**18
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tp.Tuple[int, int]


class Kind(IntEnum):
    """What a value is to a comparison. Values of different kinds sort in the order of their kinds."""

    NUMBER = 0
    BOOLEAN = 1
    STRING = 2
    INSTANT = 3
    DURATION = 4
    SEQUENCE = 5
    SET = 6
    MAPPING = 7
    OTHER = 8
    MISSING = 9


ORDERED_KINDS = frozenset({Kind.NUMBER, Kind.BOOLEAN, Kind.STRING, Kind.INSTANT, Kind.DURATION})
COLLECTION_KINDS = frozenset({Kind.SEQUENCE, Kind.SET, Kind.MAPPING})
PLAIN_NUMBERS = frozenset({int, float})
PLAIN_TYPES = frozenset({int, float, str})


# ############# Comparison ############# #


def is_missing(value: tp.Any) -> bool:
    """Whether a value stands for no value: None, NaN of any type, NaT or `pd.NA`."""
    if type(value) in PLAIN_TYPES:
        return value != value
    if value is None or value is pd.NaT or value is pd.NA:
        return True
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return isinstance(value, Enum) and is_missing(value.value)


def equal(a: tp.Any, b: tp.Any) -> bool:
    """Whether two values are of one kind and the same. False if either is missing."""
    if _are_plain(a, b):
        return a == b
    try:
        aligned = _align(a, b)
        if aligned is None:
            return False
        kind, a, b = aligned
        if kind in ORDERED_KINDS:
            return _order(kind, a, b) == 0
        if kind in COLLECTION_KINDS:
            return len(a) == len(b) and all(map(_equal_or_both_missing, a, b))
        return _equal_objects(a, b)
    except RecursionError:
        # Only a list that contains itself is nested this deeply.
        return False


def same(a: tp.Any, b: tp.Any) -> bool:
    """Whether two values are equal, and of one kind as they are: a text is no point in time, whatever it says."""
    return equal(a, b) and (type(a) is type(b) or classify(a)[0] is classify(b)[0])


def compare(a: tp.Any, b: tp.Any) -> tp.Optional[int]:
    """Order of two values.

    Returns:
        -1 if `a` precedes `b`, 0 if neither precedes the other, 1 if `b` precedes `a`, and None if they have no
        order: they are of different kinds, of a kind without an order, or missing.
    """
    if _are_plain(a, b):
        return _order_scalars(a, b)
    aligned = _align(a, b)
    if aligned is None or aligned[0] not in ORDERED_KINDS:
        return None
    return _order(*aligned)


def less(a: tp.Any, b: tp.Any) -> bool:
    """Whether `a` precedes `b`. False if the two have no order."""
    return compare(a, b) == -1


def contains(collection: tp.Any, value: tp.Any) -> tp.Optional[bool]:
    """Whether a value equals an element of a list, tuple, set or array, or is a substring of a string.

    Returns:
        None if the value is missing, or if there is nothing to look into: `collection` is neither of the above,
        or it is a string and the value is none.
    """
    kind, elements = classify(collection)
    if kind is Kind.STRING:
        value_kind, text = classify(value)
        return text in elements if value_kind is Kind.STRING else None
    if kind not in (Kind.SEQUENCE, Kind.SET) or is_missing(value):
        return None
    return any(equal(element, value) for element in elements)


def members(elements: tp.Sequence[tp.Any]) -> tp.Callable[[tp.Any], tp.Optional[bool]]:
    """Function that is `contains` for one list and many values. Its cost does not grow with a list of plain values."""
    plain = frozenset(element for element in elements if type(element) in PLAIN_TYPES and not is_missing(element))
    others = [element for element in elements if type(element) not in PLAIN_TYPES]

    def contains_value(value: tp.Any) -> tp.Optional[bool]:
        # A set finds 10 for 10.0 and tells 10 from "10", but would find 1 for True and a date for its string.
        if type(value) in PLAIN_TYPES and value in plain:
            return True
        return contains(elements if type(value) not in PLAIN_TYPES else others, value)

    return contains_value


def sort_key(value: tp.Any) -> tuple:
    """Key that puts any values in one total order: by kind, then within the kind.

    Where missing values go is up to the caller, who separates them with `is_missing`.
    """
    kind, key = classify(value)
    if kind in COLLECTION_KINDS:
        return kind, tuple(sort_key(element) for element in key)
    if kind is Kind.OTHER:
        return kind, (type(value).__name__, text_of(value))
    if kind is Kind.MISSING:
        return (kind,)
    return kind, key


def _are_plain(a: tp.Any, b: tp.Any) -> bool:
    """Whether Python's own comparison means the same as ours. Nearly all comparisons end here."""
    if type(a) is str:
        return type(b) is str
    return type(a) in PLAIN_NUMBERS and type(b) in PLAIN_NUMBERS


def _align(a: tp.Any, b: tp.Any) -> tp.Optional[tp.Tuple[Kind, tp.Any, tp.Any]]:
    """Common kind of two values and their keys, or None if they are of different kinds or missing."""
    kind_a, key_a = classify(a)
    kind_b, key_b = classify(b)
    if kind_a is Kind.STRING and kind_b is not Kind.STRING:
        kind_a, key_a = _read_as(kind_b, key_a)
    elif kind_b is Kind.STRING and kind_a is not Kind.STRING:
        kind_b, key_b = _read_as(kind_a, key_b)
    if kind_a is not kind_b or kind_a is Kind.MISSING:
        return None
    return kind_a, key_a, key_b


def _order(kind: Kind, a: tp.Any, b: tp.Any) -> tp.Optional[int]:
    if kind is not Kind.INSTANT:
        return _order_scalars(a, b)
    (first_a, last_a), (first_b, last_b) = a, b
    if last_a < first_b:
        return -1
    return 1 if last_b < first_a else 0


def _order_scalars(a: tp.Any, b: tp.Any) -> tp.Optional[int]:
    if a < b:
        return -1
    if a == b:
        return 0
    return 1 if a > b else None


def _equal_or_both_missing(a: tp.Any, b: tp.Any) -> bool:
    return equal(a, b) or (is_missing(a) and is_missing(b))


def _equal_objects(a: tp.Any, b: tp.Any) -> bool:
    try:
        return bool(a == b)
    except Exception:
        # What a foreign class raises from its comparison, or from the truth value of its answer, is not ours to know.
        return False


# ############# Kinds ############# #

Classified = tp.Tuple[Kind, tp.Any]
MISSING = (Kind.MISSING, None)


def classify(value: tp.Any) -> Classified:
    """Kind of a value, and the key by which it compares within the kind.

    Args:
        value (any): Value of a record or of a filter.

    Returns:
        Kind and key. The key is an `int`, `float` or `Decimal` for a number, the first and last attosecond since 1970
        for an instant, attoseconds for a duration, and a sequence of elements for a collection.
    """
    return _classifier(type(value))(value)  # type: ignore[arg-type]  # mypy takes no class for hashable


@lru_cache(maxsize=256)
def _classifier(cls: type) -> tp.Callable[[tp.Any], Classified]:
    # A walk through the table for each value would dominate the cost of a comparison.
    return next(classifier for base, classifier in CLASSIFIERS if issubclass(cls, base))


def _classify_float(value: tp.Any) -> Classified:
    return MISSING if math.isnan(value) else (Kind.NUMBER, float(value))


class _ExactDecimal(Decimal):
    """A `Decimal` that compares with a float as its exact value. Python's own comparison of the two asks the caller's
    context, which may forbid it."""

    __slots__ = ()
    __hash__ = Decimal.__hash__

    def __eq__(self, other: tp.Any) -> bool:
        return Decimal.__eq__(self, _without_float(other))

    def __lt__(self, other: tp.Any) -> bool:
        return Decimal.__lt__(self, _without_float(other))

    def __le__(self, other: tp.Any) -> bool:
        return Decimal.__le__(self, _without_float(other))

    def __gt__(self, other: tp.Any) -> bool:
        return Decimal.__gt__(self, _without_float(other))

    def __ge__(self, other: tp.Any) -> bool:
        return Decimal.__ge__(self, _without_float(other))


def _without_float(value: tp.Any) -> tp.Any:
    return Decimal.from_float(value) if isinstance(value, float) else value


def _classify_decimal(value: Decimal) -> Classified:
    return MISSING if value.is_nan() else (Kind.NUMBER, _ExactDecimal(value))


def _classify_instant(value: tp.Any) -> Classified:
    attoseconds = _attoseconds(value)
    return Kind.INSTANT, (attoseconds, attoseconds)


def _classify_numpy_time(value: tp.Union[np.datetime64, np.timedelta64]) -> Classified:
    # Not by NumPy's own arithmetic, whose 64 bits wrap around.
    if np.isnat(value):
        return MISSING
    unit, step = np.datetime_data(value)
    count = int(value.view("i8")) * step
    if unit in NUMPY_UNITS:
        attoseconds = count * NUMPY_UNITS[unit]
    elif unit in MONTHS and isinstance(value, np.datetime64):
        attoseconds = _months_since_1970(count * MONTHS[unit])
    else:
        # Nobody can tell how long a month is, or a unit without a name.
        return Kind.OTHER, f"{count * MONTHS[unit]} months" if unit in MONTHS else f"{count} {unit}"
    if isinstance(value, np.datetime64):
        return Kind.INSTANT, (attoseconds, attoseconds)
    return Kind.DURATION, attoseconds


def _classify_array(value: np.ndarray) -> Classified:
    return (Kind.SEQUENCE, list(value)) if value.ndim > 0 else classify(value[()])


def _classify_dict(value: dict) -> Classified:
    return Kind.MAPPING, sorted(value.items(), key=lambda item: sort_key(item[0]))


# The first class that fits decides. NaT is a datetime, a datetime a date, an IntEnum and a bool an int,
# and NumPy's duration is one of its integers, so each stands before what it inherits from.
CLASSIFIERS = (
    ((type(None), type(pd.NaT), type(pd.NA)), lambda value: MISSING),
    (Enum, lambda value: classify(value.value)),
    ((bool, np.bool_), lambda value: (Kind.BOOLEAN, bool(value))),
    ((str, PurePath), lambda value: (Kind.STRING, str(value))),
    (datetime, _classify_instant),
    (date, lambda value: (Kind.INSTANT, _days_between(value, value))),
    (timedelta, lambda value: (Kind.DURATION, _attoseconds(value))),
    ((np.datetime64, np.timedelta64), _classify_numpy_time),
    ((int, np.integer), lambda value: (Kind.NUMBER, int(value))),
    ((float, np.floating), _classify_float),
    (Decimal, _classify_decimal),
    ((list, tuple), lambda value: (Kind.SEQUENCE, value)),
    ((set, frozenset), lambda value: (Kind.SET, sorted(value, key=sort_key))),
    (dict, _classify_dict),
    (np.ndarray, _classify_array),
    (object, lambda value: (Kind.OTHER, value)),
)


# ############# Time ############# #


NUMPY_UNITS = {
    **{"W": 7 * DAY, "D": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": 10**15, "us": MICROSECOND, "ns": NANOSECOND},
    **{"ps": 10**6, "fs": 10**3, "as": ATTOSECOND},
}
MONTHS = {"Y": 12, "M": 1}
DAYS_OF_400_YEARS = 146_097


def _attoseconds(value: tp.Union[datetime, timedelta]) -> int:
    """Attoseconds since 1970 (naive ones read as UTC), or of a duration. Exact far beyond what pandas can hold.

    An attosecond is the shortest unit that NumPy knows, so that all times are whole numbers."""
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return int(value.asm8.view("i8")) * NUMPY_UNITS[value.unit]
    if isinstance(value, datetime):
        aware = value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
        value = aware - EPOCH
    return value.days * DAY + value.seconds * SECOND + value.microseconds * MICROSECOND


def _months_since_1970(months: int) -> int:
    """Attoseconds from 1970 to the beginning of a month in any year: the calendar repeats itself after 400 years."""
    cycles, years = divmod(months // 12 - 30, 400)
    first = date(2000 + years, months % 12 + 1, 1)
    return (first.toordinal() - EPOCH.toordinal() + cycles * DAYS_OF_400_YEARS) * DAY


def _days_between(first: date, last: date) -> Span:
    """First attosecond of the first day and last attosecond of the last day, in UTC."""
    return _attoseconds(datetime.combine(first, time())), _attoseconds(datetime.combine(last, time())) + DAY - 1


# ############# Strings read as times ############# #

MAX_TIME_LENGTH = 100
YEAR_OR_MONTH = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
WEEK = re.compile(r"[0-9]{4}-?W[0-9]{2}")
# The first six digits of a fraction are those that a `datetime` holds. An offset may have a fraction of its own.
FINER_DIGITS = re.compile(r"(?<![0-9+-])[0-9]{2}(:?)[0-9]{2}\1[0-9]{2}[.,][0-9]{6}([0-9]{1,12})")
DURATION = re.compile(
    r"(?P<sign>[+-]?) *(?P<terms>(?:[0-9]+(?:\.[0-9]+)? *[A-Za-z]+ *)*)"
    r"(?:\+?(?P<hours>[0-9]+):(?P<minutes>[0-9]{2}):(?P<seconds>[0-9]{2}(?:\.[0-9]{1,9})?))?"
)
ISO_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=[0-9T])(?P<days>(?:[0-9]+[WD])*)(?:T(?P<clock>(?:[0-9]+(?:\.[0-9]+)?[HMS])+))?"
)
TERM = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]+)")
# A capital "M" is missing on purpose: it means a month elsewhere.
UNITS = {
    **dict.fromkeys(("W", "w", "week", "weeks"), 7 * DAY),
    **dict.fromkeys(("D", "d", "day", "days"), DAY),
    **dict.fromkeys(("H", "h", "hr", "hrs", "hour", "hours"), HOUR),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("S", "s", "sec", "secs", "second", "seconds"), SECOND),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 10**15),
    **dict.fromkeys(("us", "microsecond", "microseconds"), MICROSECOND),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), NANOSECOND),
}


def read_instant(text: str) -> tp.Optional[Span]:
    """First and last attosecond since 1970 that an ISO 8601 string means, or None if it is none.

    Reads what `datetime.fromisoformat` reads, weeks, months and years. A date, a week, a month and a year mean all of
    it; a date with a time means one instant. Without an offset it is UTC.
    """
    return _read_instant(text) if len(text) <= MAX_TIME_LENGTH else None


def read_duration(text: str) -> tp.Optional[int]:
    """Attoseconds of a duration written as pandas or ISO 8601 writes them, or None if the string is none."""
    return _read_duration(text) if len(text) <= MAX_TIME_LENGTH else None


def _read_as(kind: Kind, text: str) -> tp.Tuple[Kind, tp.Any]:
    """Classify a string that is compared with a value of the given kind."""
    key: tp.Union[None, int, Span] = None
    if kind is Kind.INSTANT:
        key = read_instant(text)
    elif kind is Kind.DURATION:
        key = read_duration(text)
    return (Kind.STRING, text) if key is None else (kind, key)


@lru_cache(maxsize=1024)
def _read_instant(text: str) -> tp.Optional[Span]:
    # Not `pd.Timestamp`, whose answers depend on the version and, for "now", on the clock.
    try:
        return _read_dates(text) or _read_moment(text)
    except ValueError:
        # It is no date, or has a 13th month or a 25th hour.
        return None


def _read_dates(text: str) -> tp.Optional[Span]:
    """First and last attosecond of a year, a month, a week or a day."""
    if match := YEAR_OR_MONTH.fullmatch(text):
        year, month = int(match[1]), int(match[2] or 0)
        last_month = month or 12
        last_day = calendar.monthrange(year, last_month)[1]
        return _days_between(date(year, month or 1, 1), date(year, last_month, last_day))
    try:
        first = date.fromisoformat(text)
    except ValueError:
        return None
    start, end = _days_between(first, first)
    return (start, end + 6 * DAY) if WEEK.fullmatch(text) else (start, end)


def _read_moment(text: str) -> Span:
    moment = _attoseconds(datetime.fromisoformat(text))
    if finer := FINER_DIGITS.search(text):
        moment += int(finer[2].ljust(12, "0"))
    return moment, moment


@lru_cache(maxsize=1024)
def _read_duration(text: str) -> tp.Optional[int]:
    # Not `pd.Timedelta`, which reads "10" as nanoseconds, and whose units depend on the version.
    if match := ISO_DURATION.fullmatch(text):
        attoseconds = _sum_terms(match["days"] + (match["clock"] or "").lower())
        return -attoseconds if match["sign"] == "-" else attoseconds
    match = DURATION.fullmatch(text)
    if match is None or not (match["terms"] or match["hours"]):
        return None
    try:
        terms = _sum_terms(match["terms"])
    except KeyError:
        return None
    clock = _sum_terms("{hours}h{minutes}m{seconds}s".format(**match.groupdict())) if match["hours"] else 0
    if match["sign"] == "-":
        # As pandas prints them: "-1 days +02:00:00" is two hours more than minus one day.
        return clock - terms if match["terms"] else -clock
    return terms + clock


def _sum_terms(terms: str) -> int:
    """Attoseconds of terms such as "1 day 2h".

    Raises:
        KeyError: If a unit is unknown."""
    total = 0
    for number, unit in TERM.findall(terms):
        whole, _, fraction = number.partition(".")
        total += int(whole + fraction) * UNITS[unit] // 10 ** len(fraction)
    return total
