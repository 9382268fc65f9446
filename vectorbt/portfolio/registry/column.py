"""A column: the values of many runs under one name, in memory and in JSON.

Numbers are NumPy arrays. Everything else is *coded*: the different values, and for each run which of them it has, so
that a question is put once to each different value. Values have the form of `vectorbt.portfolio.registry.encoding`. A
column is, as JSON,

* `{"floats": [...]}`: floats, with null for NaN and the texts `inf` and `-inf`;
* `{"ints": [...]}`: integers of at most 64 bits;
* `{"values": [...], "codes": [...]}`: different values, and for each run the position of its own, -1 where it has none;
* `[...]`: a value for each run."""

from contextlib import suppress
from math import isfinite

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import decode_mapping, dumps, encode
from vectorbt.portfolio.registry.lazy import lazy

__all__ = [
    "ABSENT",
    "Coded",
    "Column",
    "Ids",
    "Numbers",
    "column_of",
    "constant",
    "digits_of",
    "ids_of",
    "is_absent",
    "is_constant",
    "joined",
    "read_column",
    "spread",
]


class _Absent:
    """What stands for a value that a run does not have."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


_NOT_FINITE: tp.Dict[str, float] = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class Numbers(tp.NamedTuple):
    """A column of floats, in which NaN is a value, or of integers.

    Args:
        values (np.ndarray): Array of float64 or int64."""

    values: tp.Array1d

    def at(self, i: int) -> tp.Any:
        """Return the encoded value of a row."""
        value = self.values[i].item()
        return value if type(value) is int or isfinite(value) else encode(value)

    def each(self) -> tp.List[tp.Any]:
        """Return the encoded value of each row."""
        values = self.values.tolist()
        if self.values.dtype.kind == "i" or np.isfinite(self.values).all():
            return values
        return [value if isfinite(value) else encode(value) for value in values]

    def take(self, rows: tp.Array1d) -> "Numbers":
        """Return the column of some rows."""
        return Numbers(self.values[rows])

    def to_json(self) -> tp.Any:
        """Return the column as JSON."""
        values = self.values.tolist()
        if self.values.dtype.kind == "i":
            return dict(ints=values)
        if not np.isfinite(self.values).all():
            values = [value if isfinite(value) else None if value != value else f"{value:.0f}" for value in values]
        return dict(floats=values)


class Coded:
    """A column of few different values, or of values of several types.

    Args:
        distinct (list): Different values, encoded. `ABSENT` may be one of them.
        codes (np.ndarray): For each row the position of its value."""

    def __init__(self, distinct: tp.List[tp.Any], codes: tp.Array1d) -> None:
        self.distinct = distinct
        self.codes = codes

    @lazy
    def decoded(self) -> tp.List[tp.Any]:
        """Different values, decoded. They are not to be changed. None stands for `ABSENT`."""
        return [None if value is ABSENT else decode_mapping({"": value})[""] for value in self.distinct]

    def at(self, i: int) -> tp.Any:
        """Return the encoded value of a row."""
        return self.distinct[self.codes[i]]

    def each(self) -> tp.List[tp.Any]:
        """Return the encoded value of each row."""
        return [self.distinct[code] for code in self.codes.tolist()]

    def take(self, rows: tp.Array1d) -> "Column":
        """Return the column of some rows."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        return _narrowed([self.distinct[code] for code in used.tolist()], codes)

    def to_json(self) -> tp.Any:
        """Return the column as JSON."""
        if ABSENT not in self.distinct and 2 * len(self.distinct) > len(self.codes):
            return self.each()
        codes, values = self.codes.astype(np.int64), list(self.distinct)
        if ABSENT in values:
            absent = values.index(ABSENT)
            values.remove(ABSENT)
            codes = np.where(codes == absent, -1, codes - (codes > absent))
        return dict(values=values, codes=codes.tolist())


class Ids(tp.NamedTuple):
    """A column of ids.

    Args:
        values (np.ndarray): Array of 36 ASCII bytes each."""

    values: tp.Array1d

    def at(self, i: int) -> str:
        """Return the id of a row."""
        return self.values[i].decode()

    def each(self) -> tp.List[str]:
        """Return the id of each row."""
        return self.values.astype("U36").tolist()

    def take(self, rows: tp.Array1d) -> "Ids":
        """Return the column of some rows."""
        return Ids(self.values[rows])

    def to_json(self) -> tp.Any:
        """Return the column as JSON."""
        return self.each()


Column = tp.Union[Numbers, Coded, Ids]


def constant(value: tp.Any, length: int) -> Coded:
    """Return a column in which every run has the same encoded value."""
    return Coded([value], np.broadcast_to(np.uint8(0), (length,)))


def column_of(values: tp.Sequence[tp.Any]) -> Column:
    """Return encoded values as a column. `ABSENT` may be among them."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return Numbers(np.array(values, np.float64))
    if kinds == {int}:
        with suppress(OverflowError):  # other programs may write more than 64 bits
            return Numbers(np.array(values, np.int64))
    if kinds == {float, dict}:
        numbers = [value if type(value) is float else _not_finite(value) for value in values]
        if None not in numbers:
            return Numbers(np.array(numbers, np.float64))
    return _coded(values)


def _not_finite(value: tp.Dict[str, tp.Any]) -> tp.Optional[float]:
    """Return the float that an encoded value stands for, or None."""
    text = value.get("$float") if len(value) == 1 else None
    return _NOT_FINITE.get(text) if type(text) is str else None


def _coded(values: tp.Iterable[tp.Any]) -> Coded:
    known: tp.Dict[tp.Any, int] = {}
    known_objects: tp.Dict[int, int] = {}  # the same object is met over and over again, such as an environment
    distinct: tp.List[tp.Any] = []
    codes = []
    for value in values:
        code = known_objects.get(id(value))
        if code is None:
            code = known.setdefault(_key(value), len(distinct))
            if code == len(distinct):
                distinct.append(value)
                known_objects[id(value)] = code
        codes.append(code)
    return Coded(distinct, np.array(codes, np.min_scalar_type(max(len(distinct) - 1, 0))))


def _key(value: tp.Any) -> tp.Any:
    """Return what two values have in common if they are written in the same way. To Python 1, 1.0 and True are one."""
    return value if type(value) is str or value is ABSENT else dumps(value)


def spread(values: tp.Sequence[tp.Any], which: tp.Array1d) -> Column:
    """Return a column of encoded values, and which of them each row has."""
    column = _coded(values)
    return _narrowed(column.distinct, column.codes[which])


def _narrowed(distinct: tp.List[tp.Any], codes: tp.Array1d) -> Column:
    """Return different values, and which of them each row has, as a column of numbers if they are some."""
    column = column_of(distinct)
    if isinstance(column, Numbers) and len(distinct) > 1:
        return column.take(codes)
    return Coded(distinct, codes.astype(np.min_scalar_type(max(len(distinct) - 1, 0))))


def is_absent(column: Column) -> bool:
    return isinstance(column, Coded) and column.distinct == [ABSENT]


def is_constant(column: Column) -> bool:
    """Return whether all runs have the same value."""
    if isinstance(column, Numbers):
        bits = column.values.view(np.int64)
        return bool((bits == bits[0]).all())
    return isinstance(column, Coded) and len(column.distinct) == 1


def joined(columns: tp.Sequence[Column]) -> Column:
    """Return columns one behind the other as one."""
    if all(isinstance(column, Ids) for column in columns):
        return Ids(np.concatenate([column.values for column in columns]))  # type: ignore[union-attr]
    kinds = {column.values.dtype.kind if isinstance(column, Numbers) else None for column in columns}
    if len(kinds) == 1 and None not in kinds:
        return Numbers(np.concatenate([column.values for column in columns]))  # type: ignore[union-attr]
    known: tp.Dict[tp.Any, int] = {}
    distinct: tp.List[tp.Any] = []
    codes = []
    for column in columns:
        if not isinstance(column, Coded):
            column = _coded([column.at(i) for i in range(len(column.values))])
        numbers = []
        for value in column.distinct:
            number = known.setdefault(_key(value), len(distinct))
            if number == len(distinct):
                distinct.append(value)
            numbers.append(number)
        codes.append(np.array(numbers, np.int64)[column.codes])
    return _narrowed(distinct, np.concatenate(codes))


# ############# Reading JSON ############# #


def ids_of(column: tp.Any, length: int) -> Ids:
    """Return a list of ids as a column.

    Raises:
        ValueError: If it is none."""
    if type(column) is not list or len(column) != length:
        raise ValueError(f"{length} runs without a run_id each")
    content = "".join(column).encode()
    values = np.frombuffer(content, "S36") if len(content) == 36 * length else np.empty(0, "S36")
    hyphens = values.view(np.uint8).reshape(-1, 36)[:, [8, 13, 18, 23]] == ord("-")
    is_canonical = len(values) == length and hyphens.all() and content == content.lower()
    if not is_canonical or len(digits_of(content)) != 16 * length:
        raise ValueError("run_id must be a lower-case UUID")
    return Ids(values)


def digits_of(ids: bytes) -> bytes:
    """Return the 16 bytes of each id, one id behind the other.

    Raises:
        ValueError: If something stands there that is no digit."""
    return bytes.fromhex(ids.replace(b"-", b"").decode())


def _floats(content: tp.Any, name: str) -> tp.Array1d:
    """Return a list of floats as an array, in which null is NaN.

    Raises:
        ValueError: If it is none.
        TypeError: If it does not hold numbers."""
    if type(content) is list:
        try:
            return np.fromiter(content, np.float64, len(content))
        except TypeError:  # the quicker way knows no null
            values = np.array(content, np.float64)
            if values.ndim == 1:
                return values
    raise ValueError(f"a column of {name!r} that is no list of floats")


def _integers(content: tp.Any, name: str) -> tp.Array1d:
    """Return a list of integers as an array.

    Raises:
        ValueError: If it is none."""
    values = np.array(content)
    if type(content) is not list or values.ndim != 1 or values.dtype.kind != "i":
        raise ValueError(f"a column of {name!r} that is no list of integers")
    return values.astype(np.int64, copy=False)


def read_column(content: tp.Any, length: int, name: str) -> Column:
    """Return the column that its JSON describes.

    Raises:
        ValueError: If it describes none.
        TypeError: If it does so neither."""
    column: Column
    if type(content) is list:
        column = _coded(content)
        size = len(content)
    elif type(content) is not dict:
        raise ValueError(f"a column of {name!r} that is none")
    elif content.keys() == {"floats"}:
        column = Numbers(_floats(content["floats"], name))
        size = len(column.values)
    elif content.keys() == {"ints"}:
        column = Numbers(_integers(content["ints"], name))
        size = len(column.values)
    elif content.keys() == {"values", "codes"} and type(content["values"]) is list:
        codes, distinct = _integers(content["codes"], name), content["values"]
        size = len(codes)
        if len(set(map(_key, distinct))) < len(distinct):
            raise ValueError(f"a column of {name!r} whose values are not different")
        if size and (codes.min() < -1 or codes.max() >= len(distinct)):
            raise ValueError(f"a column of {name!r} with codes of no value")
        if size and codes.min() < 0:
            codes, distinct = np.where(codes < 0, len(distinct), codes), [*distinct, ABSENT]
        column = Coded(distinct, codes.astype(np.min_scalar_type(max(len(distinct) - 1, 0))))
    else:
        raise ValueError(f"a column of {name!r} that is none")
    if size != length:
        raise ValueError(f"a column of {name!r} for {size} instead of {length} runs")
    return column
