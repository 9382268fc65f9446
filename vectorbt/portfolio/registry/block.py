"""Runs as columns: what the runs of one save have in common once, and a column for each thing in which they differ.

As JSON a block is an object, which `RunBlock.to_json` writes and anybody can read:

```text
{"runs": 3,
 "shared": {"strategy_name": "dual_sma", "sweep_id": "...", "parameters": {"fees": 0.001}, ...},
 "columns": {"run_id": ["...", "...", "..."],
             "column": {"ints": [0, 1, 2]},
             "parameters": {"fast": {"values": [3, 4], "codes": [0, 1, 0]}, ...},
             "stats": {"sharpe_ratio": {"floats": [0.42, null, "inf"]}, ...}},
 "order": {"parameters": ["fast", "slow", "fees"], ...}}
```

A name of `NESTED` holds an object of columns, every other one a column. A column is

* `{"floats": [...]}`: floats, with null for NaN and the texts `inf` and `-inf`;
* `{"ints": [...]}`: integers of at most 64 bits;
* `{"values": [...], "codes": [...]}`: different values as `vectorbt.portfolio.registry.encoding` writes them, and for
  each run the position of its own, -1 where it has none;
* `[...]`: such a value for each run.

`order` are names in the order that people see, where it is not that of `shared` and then `columns`.

In memory, numbers are NumPy arrays and everything else is coded, so that a question is put once to each different
value."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isfinite

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.checks import is_run_id
from vectorbt.portfolio.registry.encoding import decode_mapping, dumps, encode
from vectorbt.portfolio.registry.lazy import lazy
from vectorbt.portfolio.registry.record_json import DETAILS, check_artifact, may_be_left_out, parse_timestamp

__all__ = ["ABSENT", "NESTED", "Coded", "Column", "Ids", "Numbers", "Row", "RunBlock", "constant"]

NESTED = ("parameters", "stats", "returns_stats")
"""Keys of a record that hold values by name, each of which is a column."""

Path = tp.Tuple[str, ...]
"""The keys that lead to a value of a record: `("run_id",)` or `("stats", "sharpe_ratio")`."""

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

_DIGITS = [i for i in range(36) if i not in (8, 13, 18, 23)]
"""Places of an id in which digits stand, rather than hyphens."""

_NIBBLES = np.full(256, 255, np.uint8)
_NIBBLES[list(b"0123456789abcdef")] = np.arange(16)

_SHIFTS = np.arange(60, -1, -4, dtype=np.uint64)

_NOT_FINITE: tp.Dict[str, float] = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class _Absent:
    """What stands for a value that a run does not have."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


# ############# Columns ############# #


class Numbers(tp.NamedTuple):
    """A column of floats, in which NaN is a value, or of integers.

    Args:
        values (np.ndarray): Array of float64 or int64."""

    values: tp.Array1d

    def at(self, i: int) -> tp.Any:
        """Return the encoded value of a row."""
        value = self.values[i].item()
        return value if type(value) is int or isfinite(value) else encode(value)

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

    def take(self, rows: tp.Array1d) -> "Column":
        """Return the column of some rows."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        return _narrowed([self.distinct[code] for code in used.tolist()], codes)

    def to_json(self) -> tp.Any:
        """Return the column as JSON."""
        if ABSENT not in self.distinct and 2 * len(self.distinct) > len(self.codes):
            return [self.distinct[code] for code in self.codes.tolist()]
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

    def take(self, rows: tp.Array1d) -> "Ids":
        """Return the column of some rows."""
        return Ids(self.values[rows])

    def to_json(self) -> tp.Any:
        """Return the column as JSON."""
        return self.values.astype("U36").tolist()


Column = tp.Union[Numbers, Coded, Ids]


def constant(value: tp.Any, length: int) -> Coded:
    """Return a column in which every run has the same encoded value."""
    return Coded([value], np.broadcast_to(np.uint8(0), (length,)))


def _column_of(values: tp.Sequence[tp.Any]) -> Column:
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


def _narrowed(distinct: tp.List[tp.Any], codes: tp.Array1d) -> Column:
    """Return different values, and which of them each row has, as a column of numbers if they are some."""
    column = _column_of(distinct)
    if isinstance(column, Numbers) and len(distinct) > 1:
        return column.take(codes)
    return Coded(distinct, codes.astype(np.min_scalar_type(max(len(distinct) - 1, 0))))


def _is_absent(column: Column) -> bool:
    return isinstance(column, Coded) and column.distinct == [ABSENT]


def _place_of(item: tp.Tuple[Path, Column]) -> int:
    """Return the place of a column among the others: a record is written in the same way, wherever it comes from."""
    (name, *_), _ = item
    return _PLACES.get(name, len(_PLACES))


_PLACES = {
    name: place for place, name in enumerate(("run_id", "timestamp", "strategy_name", "sweep_id", "column", *DETAILS))
}


def _is_constant(column: Column) -> bool:
    """Return whether all runs have the same value."""
    if isinstance(column, Numbers):
        bits = column.values.view(np.int64)
        return bool((bits == bits[0]).all())
    return isinstance(column, Coded) and len(column.distinct) == 1


def _joined(columns: tp.Sequence[Column]) -> Column:
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


# ############# Blocks ############# #


class RunBlock:
    """Runs as columns. It is never changed.

    Args:
        length (int): Number of runs.
        columns (dict): Columns by their paths."""

    def __init__(self, length: int, columns: tp.Dict[Path, Column]) -> None:
        self._length = length
        self.columns = dict(sorted(columns.items(), key=_place_of))

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"RunBlock of {len(self)} runs"

    def __copy__(self) -> "RunBlock":
        return self

    def __deepcopy__(self, memo: tp.Dict[int, tp.Any]) -> "RunBlock":
        return self

    @classmethod
    def of(cls, records: tp.Sequence[tp.Mapping[str, tp.Any]]) -> "RunBlock":
        """Return records as a block.

        Args:
            records (sequence of dict): Records as `RunRecord.to_dict` returns them."""
        columns: tp.Dict[Path, Column] = {}
        for name, values in _by_name(records):
            if name in NESTED:
                held = [{} if value is ABSENT else value for value in values]
                columns.update(((name, inner), _column_of(found)) for inner, found in _by_name(held))
            elif name == "run_id":
                columns[name,] = Ids(np.array(values, "S36"))
            else:
                columns[name,] = _column_of(values)
        return cls(len(records), columns)

    @classmethod
    def joined(cls, blocks: tp.Sequence["RunBlock"]) -> "RunBlock":
        """Return the runs of several blocks as one."""
        if len(blocks) == 1:
            return blocks[0]
        paths = dict.fromkeys(path for block in blocks for path in block.columns)
        return cls(
            sum(map(len, blocks)),
            {
                path: _joined([block.columns.get(path) or constant(ABSENT, len(block)) for block in blocks])
                for path in paths
            },
        )

    def take(self, rows: tp.Array1d) -> "RunBlock":
        """Return some of the runs, in the order of `rows`."""
        taken = {path: column.take(rows) for path, column in self.columns.items()}
        return RunBlock(len(rows), {path: column for path, column in taken.items() if not _is_absent(column)})

    # ############# JSON ############# #

    def to_json(self) -> tp.Dict[str, tp.Any]:
        """Return the block as JSON. What reads back the same without being there is left out."""
        shared: tp.Dict[str, tp.Any] = {}
        columns: tp.Dict[str, tp.Any] = {}
        for path, column in self.columns.items():
            if not _is_constant(column):
                _put(columns, path, column.to_json())
                continue
            value = column.at(0)
            if value is not ABSENT and (len(path) > 1 or not may_be_left_out(path[0], value)):
                _put(shared, path, value)
        order = {name: names for name, names in self._names().items() if names != _read_names(name, shared, columns)}
        return dict(runs=len(self), shared=shared, columns=columns, **(dict(order=order) if order else {}))

    def _names(self) -> tp.Dict[str, tp.List[str]]:
        """Return the names of parameters and metrics, in the order that people see."""
        names: tp.Dict[str, tp.List[str]] = {}
        for name, *inner in self.columns:
            if inner:
                names.setdefault(name, []).append(inner[0])
        return names

    @classmethod
    def from_json(cls, content: tp.Any) -> "RunBlock":
        """Return the block that `RunBlock.to_json` has written.

        Raises:
            ValueError: If it is malformed."""
        if type(content) is not dict or not {"runs", "shared", "columns"} <= content.keys():
            raise ValueError("a block must be an object with runs, shared and columns")
        length, shared, columns = content["runs"], content["shared"], content["columns"]
        if type(length) is not int or length < 1 or type(shared) is not dict or type(columns) is not dict:
            raise ValueError("a block must have a number of runs, and objects of what they share and of columns")
        try:
            found: tp.Dict[Path, Column] = {path: constant(value, length) for path, value in _paths_of(shared)}
            for path, column in _paths_of(columns):
                found[path] = _ids_of(column, length) if path == ("run_id",) else _parsed_column(column, length, path)
        except (TypeError, OverflowError) as e:
            raise ValueError(f"a column that is none: {e}") from None
        block = cls(length, _in_order(found, content.get("order", {})))
        block._check()
        return block

    def _check(self) -> None:
        """Check what everything else takes for granted, as of a record of its own."""
        if not isinstance(self.columns.get(("run_id",)), Ids):
            raise ValueError("a block without a run_id for each run")
        for name, (kind, is_valid) in _VALID.items():
            for value in self.distinct(name):
                if not (is_valid(value) or (value is ABSENT and name != "strategy_name")):
                    raise ValueError(f"{name} of a run must be {kind}, not {value!r}")
        for value in self.distinct("timestamp"):
            parse_timestamp(value)
        for value in self.distinct("artifact"):
            if value is not ABSENT and value is not None:
                check_artifact(self.run_id(0), value)

    def distinct(self, *path: str) -> tp.List[tp.Any]:
        """Return the different encoded values of a column."""
        column = self.columns.get(path)
        if column is None:
            return [ABSENT]
        return column.distinct if isinstance(column, Coded) else np.unique(column.values).tolist()

    # ############# Rows ############# #

    def run_id(self, i: int) -> str:
        """Return the id of a run."""
        return self.ids[i].decode()

    @property
    def ids(self) -> tp.Array1d:
        """Ids of the runs, 36 ASCII bytes each."""
        return tp.cast(Ids, self.columns["run_id",]).values

    def row(self, i: int) -> tp.Dict[str, tp.Any]:
        """Return the record of a run as a dict of JSON, which is not to be changed."""
        record: tp.Dict[str, tp.Any] = {}
        for path, column in self.columns.items():
            value = column.at(i)
            if value is not ABSENT:
                _put(record, path, value)
        return record

    def column(self, *path: str) -> Column:
        """Return a column. If there is none, no run has such a value."""
        return self.columns.get(path) or constant(ABSENT, len(self))

    @lazy
    def id_numbers(self) -> tp.Tuple[tp.Array1d, tp.Array1d]:
        """The upper and the lower 64 bits of the ids, which sort as they do."""
        digits = self.ids.view(np.uint8).reshape(len(self), 36)[:, _DIGITS]
        nibbles = _NIBBLES[digits].astype(np.uint64)
        upper, lower = nibbles[:, :16] << _SHIFTS, nibbles[:, 16:] << _SHIFTS
        return np.bitwise_or.reduce(upper, axis=1), np.bitwise_or.reduce(lower, axis=1)

    @property
    def sweep_ids(self) -> tp.Tuple[tp.List[tp.Optional[str]], tp.Array1d]:
        """The different sweeps of the runs, None for lone runs, and which of them each run belongs to."""
        column = tp.cast(Coded, self.column("sweep_id"))
        return column.decoded, column.codes

    @lazy
    def moments(self) -> tp.Array1d:
        """Timestamps of the runs, as microseconds since 1970."""
        column = self.columns["timestamp",]
        if not isinstance(column, Coded):
            raise ValueError("timestamps that are numbers")
        moments = [parse_timestamp(value) for value in column.distinct]
        counts = [(moment - _EPOCH) // _MICROSECOND for moment in moments]
        return np.array(counts, np.int64)[column.codes]


class Row(tp.NamedTuple):
    """One run of a block."""

    block: RunBlock
    i: int

    def parse(self) -> tp.Dict[str, tp.Any]:
        """Return the record as a dict of JSON, which is not to be changed."""
        return self.block.row(self.i)


_VALID: tp.Dict[str, tp.Tuple[str, tp.Callable[[tp.Any], bool]]] = dict(
    strategy_name=("a string", lambda value: type(value) is str),
    sweep_id=("a lower-case UUID", lambda value: value is None or is_run_id(value)),
    column=("an integer", lambda value: value is None or type(value) is int),
    tags=("a list of strings", lambda value: type(value) is list and all(type(tag) is str for tag in value)),
    notes=("a string", lambda value: type(value) is str),
    data=("an object", lambda value: type(value) is dict),
    environment=("an object", lambda value: type(value) is dict),
)
"""What stands under the names that have no columns of their own below them, in words and as a test."""


def _by_name(
    records: tp.Sequence[tp.Mapping[str, tp.Any]],
) -> tp.Iterator[tp.Tuple[str, tp.Sequence[tp.Any]]]:
    """Yield the values of dicts under each of their keys, `ABSENT` where one lacks it."""
    layouts = dict.fromkeys(map(tuple, records))
    if len(layouts) == 1:  # nearly always all have the same keys in the same order
        yield from zip(*layouts, zip(*(record.values() for record in records)))
        return
    for name in dict.fromkeys(name for layout in layouts for name in layout):
        yield name, [record.get(name, ABSENT) for record in records]


def _put(record: tp.Dict[str, tp.Any], path: Path, value: tp.Any) -> None:
    holder = record if len(path) == 1 else record.setdefault(path[0], {})
    holder[path[-1]] = value


def _read_names(name: str, shared: tp.Mapping[str, tp.Any], columns: tp.Mapping[str, tp.Any]) -> tp.List[str]:
    """Return the names below another one in the order in which they are read."""
    return [*shared.get(name, ()), *columns.get(name, ())]


def _in_order(columns: tp.Dict[Path, Column], order: tp.Any) -> tp.Dict[Path, Column]:
    """Return columns in the order in which they were before they were written."""
    if type(order) is not dict or not all(type(names) is list for names in order.values()):
        raise ValueError("an order of names that is none")
    paths: tp.List[Path] = [(name, inner) for name, names in order.items() for inner in names if type(inner) is str]
    ordered: tp.Dict[Path, Column] = {path: columns[path] for path in paths if path in columns}
    return {**ordered, **columns}


def _paths_of(content: tp.Mapping[str, tp.Any]) -> tp.Iterator[tp.Tuple[Path, tp.Any]]:
    """Yield what stands under each path."""
    for name, value in content.items():
        if name not in NESTED:
            yield (name,), value
        elif type(value) is dict:
            yield from (((name, inner), found) for inner, found in value.items())
        else:
            raise ValueError(f"{name} of runs must be an object, not {type(value).__name__}")


def _ids_of(column: tp.Any, length: int) -> Ids:
    if type(column) is not list or len(column) != length:
        raise ValueError(f"{length} runs without a run_id each")
    content = "".join(column).encode()
    values = np.frombuffer(content, "S36") if len(content) == 36 * length else np.empty(0, "S36")
    characters = values.view(np.uint8).reshape(-1, 36)
    is_valid = len(values) == length and (_NIBBLES[characters[:, _DIGITS]] < 16).all()
    if not is_valid or not (characters[:, [8, 13, 18, 23]] == ord("-")).all():
        raise ValueError("run_id must be a lower-case UUID")
    return Ids(values)


def _integers(content: tp.Any, path: Path) -> tp.Array1d:
    """Return a list of integers as an array.

    Raises:
        ValueError: If it is none."""
    values = np.array(content)
    if type(content) is not list or values.ndim != 1 or values.dtype.kind != "i":
        raise ValueError(f"a column of {path[-1]!r} that is no list of integers")
    return values.astype(np.int64, copy=False)


def _parsed_column(content: tp.Any, length: int, path: Path) -> Column:
    """Return the column that its JSON describes.

    Raises:
        ValueError: If it describes none.
        TypeError: If it does so neither."""
    column: Column
    if type(content) is list:
        column = _coded(content)
        size = len(content)
    elif type(content) is not dict:
        raise ValueError(f"a column of {path[-1]!r} that is none")
    elif content.keys() == {"floats"}:
        column = Numbers(np.array(content["floats"], np.float64))
        size = column.values.size if column.values.ndim == 1 else -1
    elif content.keys() == {"ints"}:
        column = Numbers(_integers(content["ints"], path))
        size = len(column.values)
    elif content.keys() == {"values", "codes"} and type(content["values"]) is list:
        codes, distinct = _integers(content["codes"], path), content["values"]
        size = len(codes)
        if len(set(map(_key, distinct))) < len(distinct):
            raise ValueError(f"a column of {path[-1]!r} whose values are not different")
        if size and (codes.min() < -1 or codes.max() >= len(distinct)):
            raise ValueError(f"a column of {path[-1]!r} with codes of no value")
        if size and codes.min() < 0:
            codes, distinct = np.where(codes < 0, len(distinct), codes), [*distinct, ABSENT]
        column = Coded(distinct, codes.astype(np.min_scalar_type(max(len(distinct) - 1, 0))))
    else:
        raise ValueError(f"a column of {path[-1]!r} that is none")
    if size != length:
        raise ValueError(f"a column of {path[-1]!r} for {size} instead of {length} runs")
    return column
