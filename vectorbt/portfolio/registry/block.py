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

A name of `NESTED` holds an object of columns, every other one a column (`vectorbt.portfolio.registry.column`). `order`
are names in the order that people see, where it is not that of `shared` and then `columns`."""

from datetime import UTC, datetime, timedelta

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.checks import is_run_id
from vectorbt.portfolio.registry.column import (
    ABSENT,
    Coded,
    Column,
    Ids,
    Numbers,
    column_of,
    constant,
    digits_of,
    ids_of,
    is_absent,
    is_constant,
    joined,
    read_column,
)
from vectorbt.portfolio.registry.encoding import check_levels, loads_again
from vectorbt.portfolio.registry.lazy import lazy
from vectorbt.portfolio.registry.record_json import (
    DETAILS,
    are_attachments,
    check_artifact,
    may_be_left_out,
    parse_timestamp,
)

__all__ = ["NESTED", "Row", "RunBlock"]

NESTED = ("parameters", "stats", "returns_stats")
"""Keys of a record that hold values by name, each of which is a column."""

Path = tp.Tuple[str, ...]
"""The keys that lead to a value of a record: `("run_id",)` or `("stats", "sharpe_ratio")`."""

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


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
                columns.update(((name, inner), column_of(found)) for inner, found in _by_name(held))
            elif name == "run_id":
                columns[name,] = Ids(np.array(values, "S36"))
            else:
                columns[name,] = column_of(values)
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
                path: joined([block.columns.get(path) or constant(ABSENT, len(block)) for block in blocks])
                for path in paths
            },
        )

    def take(self, rows: tp.Array1d) -> "RunBlock":
        """Return some of the runs, in the order of `rows`."""
        taken = {path: column.take(rows) for path, column in self.columns.items()}
        return RunBlock(len(rows), {path: column for path, column in taken.items() if not is_absent(column)})

    def having(self, **values: tp.Any) -> "RunBlock":
        """Return the runs with other encoded values under some names, the same for all of them."""
        columns: tp.Dict[Path, Column] = {(name,): constant(value, len(self)) for name, value in values.items()}
        return RunBlock(len(self), {**self.columns, **columns})

    def without(self, names: tp.Container[str]) -> "RunBlock":
        """Return the runs without what they hold under some keys of their records."""
        return RunBlock(len(self), {path: column for path, column in self.columns.items() if path[0] not in names})

    # ############# JSON ############# #

    def to_json(self) -> tp.Dict[str, tp.Any]:
        """Return the block as JSON. What reads back the same without being there is left out."""
        shared: tp.Dict[str, tp.Any] = {}
        columns: tp.Dict[str, tp.Any] = {}
        for path, column in self.columns.items():
            if not is_constant(column):
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
    def parse(cls, source: bytes) -> "RunBlock":
        """Return the block that a JSON text describes.

        Raises:
            ValueError: If it describes none."""
        block = cls.from_json(loads_again(source))  # numbers do not nest, so only the rest is looked at
        coded = [column.distinct for column in block.columns.values() if isinstance(column, Coded)]
        check_levels([[[[value for value in distinct if value is not ABSENT] for distinct in coded]]])
        return block

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
                found[path] = ids_of(column, length) if path == ("run_id",) else read_column(column, length, path[-1])
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
            column = self.column(name)
            if name == "column" and isinstance(column, Numbers) and column.values.dtype.kind == "i":
                continue
            for value in self.distinct(name):
                if not (is_valid(value) or (value is ABSENT and name != "strategy_name")):
                    raise ValueError(f"{name} of a run must be {kind}, not {value!r}")
        for value in self.distinct("timestamp"):
            parse_timestamp(value)
        for value in self.distinct("deleted_at"):
            if value is not ABSENT and value is not None:
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
    def run_ids(self) -> tp.List[str]:
        """Ids of the runs."""
        return self.columns["run_id",].each()

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

    def rows(self) -> tp.List[tp.Dict[str, tp.Any]]:
        """Return the records of all runs as dicts of JSON, which are not to be changed: they share what is the same."""
        names = dict.fromkeys(name for name, *_ in self.columns)
        return _dicts({name: self._values_of(name) for name in names}, len(self))

    def _values_of(self, name: str) -> tp.List[tp.Any]:
        """Return what each run holds under a key of its record."""
        if name not in NESTED:
            return self.columns[name,].each()
        return _dicts({path[1]: column.each() for path, column in self.columns.items() if path[0] == name}, len(self))

    def column(self, *path: str) -> Column:
        """Return a column. If there is none, no run has such a value."""
        return self.columns.get(path) or constant(ABSENT, len(self))

    @lazy
    def id_numbers(self) -> tp.Tuple[tp.Array1d, tp.Array1d]:
        """The upper and the lower 64 bits of the ids, which sort as they do."""
        halves = np.frombuffer(digits_of(self.ids.tobytes()), ">u8").astype(np.uint64).reshape(len(self), 2)
        return halves[:, 0].copy(), halves[:, 1].copy()

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


def _place_of(item: tp.Tuple[Path, Column]) -> int:
    """Return the place of a column among the others: a record is written in the same way, wherever it comes from."""
    (name, *_), _ = item
    return _PLACES.get(name, len(_PLACES))


_PLACES = {
    name: place for place, name in enumerate(("run_id", "timestamp", "strategy_name", "sweep_id", "column", *DETAILS))
}


_VALID: tp.Dict[str, tp.Tuple[str, tp.Callable[[tp.Any], bool]]] = dict(
    strategy_name=("a string", lambda value: type(value) is str),
    sweep_id=("a lower-case UUID", lambda value: value is None or is_run_id(value)),
    column=("an integer", lambda value: value is None or type(value) is int),
    tags=("a list of strings", lambda value: type(value) is list and all(type(tag) is str for tag in value)),
    notes=("a string", lambda value: type(value) is str),
    data=("an object", lambda value: type(value) is dict),
    environment=("an object", lambda value: type(value) is dict),
    attachments=("an object with a size and a SHA-256 each", are_attachments),
    restorable=("true or false", lambda value: value is None or type(value) is bool),
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


def _dicts(values: tp.Mapping[str, tp.Sequence[tp.Any]], n: int) -> tp.List[tp.Dict[str, tp.Any]]:
    """Return `n` dicts out of what each has under a name. What one lacks is `ABSENT`."""
    if not values:
        return [{} for _ in range(n)]
    dicts = [dict(zip(values, row)) for row in zip(*values.values())]
    for name, own in values.items():
        if ABSENT in own:
            for i in [i for i, value in enumerate(own) if value is ABSENT]:
                del dicts[i][name]
    return dicts


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
