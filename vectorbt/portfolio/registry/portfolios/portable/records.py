"""Orders, logs and the sequence of calls as tables, one column of the portfolio after the other."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import decode, encode
from vectorbt.portfolio.registry.portfolios.portable.table import MAX_LIST, TableFile, as_type, write_table

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper

_ROWS_AT_ONCE, _FEW_ROWS, _PART = 2**14, 2**12, 16
"""Records that a row group has at least, unless it is the last one: the first number. It is that part of all records if
these are fewer, since whoever needs one column reads a row group, but not less than the second number."""

_CALLS_AT_ONCE = 2**16
"""Calls that a row group has at least. They compress much better than records."""

_CALLS = "call_seq"


# ############# Records ############# #


def write_records(records: tp.RecordArray, header: tp.Dict[str, tp.Any], memory: int = 0) -> bytes:
    """Return records as a file.

    Args:
        records (np.ndarray): Structured array.
        header (dict): What else the file says: strict JSON.
        memory (int): Bytes of memory that reading will take beside the records.

    Raises:
        TypeError: If a field has no faithful encoding."""
    described = dict(dtype=encode(records[:0], "the type of the records"))
    bounds = _bounds(records)
    if _is_sorted(records):
        starts, ends = bounds[:-1], bounds[1:]
        described["columns"] = [[int(records["col"][s]), int(records["col"][e - 1])] for s, e in zip(starts, ends)]
    columns = {name: _flat(records[name]) for name in _fields_of(records.dtype)}
    return write_table(dict(header, records=described), columns, bounds, memory=memory)


def read_records(table: TableFile, column: tp.Optional[range] = None) -> tp.RecordArray:
    """Return the records of a file.

    Args:
        table (TableFile): File.
        column (range): Positions of adjacent columns of the portfolio, to leave out the records of all others.

    Raises:
        ValueError: If they are not what was written."""
    described = table.header["records"]
    empty = decode(described["dtype"])
    names = _fields_of(empty.dtype) if isinstance(empty, np.ndarray) else ()
    if not names:
        raise ValueError("records without fields")
    groups = list(range(table.n_groups))
    if column is not None and "columns" in described:
        if len(described["columns"]) != len(groups):
            raise ValueError("records whose columns are not told")
        spans = zip(groups, described["columns"])
        groups = [i for i, (first, last) in spans if first < column.stop and last >= column.start]
    fields = table.columns(names, groups)
    n_records = len(fields[names[0]])
    table.check_memory(n_records * empty.dtype.itemsize)
    records: tp.RecordArray = np.zeros(n_records, empty.dtype)
    for name, values in fields.items():
        records[name] = _shaped(values, records[name])
    if column is None:
        return records
    return records[(records["col"] >= column.start) & (records["col"] < column.stop)]


def check_records(records: tp.RecordArray, expected: np.dtype, n_bars: int, n_columns: int) -> None:
    """Check that records have all fields, and that none points at a bar or column that is not there.

    Args:
        records (np.ndarray): Records.
        expected (np.dtype): vectorbt's own type of such records. There may be further fields.
        n_bars (int): Number of bars.
        n_columns (int): Number of columns.

    Raises:
        ValueError: If a field is missing, or an index is out of range. Numba code does not check bounds."""
    if type(records) is not np.ndarray or records.dtype.names is None or records.ndim != 1:
        raise ValueError("expected a structured array of one dimension")
    names, expected_names = records.dtype.names, _fields_of(expected)
    for name in expected_names:
        if name not in names or records.dtype[name].kind != expected[name].kind:
            raise ValueError(f"records without the field {name!r}, or of another type")
    for name, size in (("idx", n_bars), ("col", n_columns), ("group", n_columns)):
        if name not in expected_names or len(records) == 0:
            continue
        if records[name].min() < 0 or records[name].max() >= size:
            raise ValueError(f"a record whose {name!r} is not from 0 up to {size}")


def _fields_of(dtype: np.dtype) -> tp.Tuple[str, ...]:
    """Return the names of the fields of a type, of which a type that is no structure has none."""
    return dtype.names or ()


def _is_sorted(records: tp.RecordArray) -> bool:
    if "col" not in _fields_of(records.dtype) or records.dtype["col"].kind not in "iu":
        return False
    return bool((records["col"][1:] >= records["col"][:-1]).all())


def _bounds(records: tp.RecordArray) -> tp.List[int]:
    """Return where row groups begin and end: where a column does, if the records are sorted by column."""
    if len(records) == 0:
        return [0]
    if not _is_sorted(records):
        return [0, len(records)]
    ends = np.append(np.flatnonzero(np.diff(records["col"])) + 1, len(records))
    at_once = max(min(_ROWS_AT_ONCE, len(records) // _PART), _FEW_ROWS, 2 * len(records) // MAX_LIST)
    bounds = [0]
    for end in ends.tolist():
        if end - bounds[-1] >= at_once or end == len(records):
            bounds.append(end)
    return bounds


def _flat(values: tp.Array) -> tp.Array1d:
    """Return the values of a field; those that are arrays or structures themselves as their bytes."""
    values = np.ascontiguousarray(values)
    if values.ndim == 1 and values.dtype.names is None:
        return values
    size = values.dtype.itemsize * int(np.prod(values.shape[1:]))
    return np.frombuffer(values.tobytes(), f"V{size}")


def _shaped(values: tp.Array1d, field: tp.Array) -> tp.Array:
    """Return what `_flat` was given. `field` is an array of its type and shape."""
    if field.ndim == 1 and field.dtype.names is None:
        return as_type(values, field.dtype)
    return np.frombuffer(values.tobytes(), field.dtype).reshape(field.shape)


# ############# The sequence of calls ############# #


def write_call_seq(values: tp.Array2d) -> bytes:
    """Return the sequence of calls, bars by columns, as a file."""
    n_bars, n_columns = values.shape
    per_group = max(1, _CALLS_AT_ONCE // n_bars, 2 * n_columns // MAX_LIST)
    bounds = [n_bars * column for column in range(0, n_columns, per_group)] + [n_bars * n_columns]
    return write_table(dict(columns_per_group=per_group), {_CALLS: values.ravel(order="F")}, bounds)


def read_call_seq(table: TableFile, dtype: np.dtype, n_bars: int, columns: range) -> tp.Array2d:
    """Return the sequence of calls of adjacent columns.

    Raises:
        ValueError: If it is not what was written."""
    per_group = table.header["columns_per_group"]
    if type(per_group) is not int or per_group < 1:
        raise ValueError("a sequence of calls of another shape")
    first = columns.start // per_group
    groups = range(first, -(-columns.stop // per_group))
    values = as_type(table.columns([_CALLS], groups)[_CALLS], dtype)
    values = values.reshape(n_bars, len(values) // n_bars, order="F")
    start = columns.start - first * per_group
    return values[:, start : start + len(columns)]


def check_call_seq(values: tp.Array2d, wrapper: "ArrayWrapper", cash_sharing: bool) -> None:
    """Check that no call is that of a column outside of its group.

    Raises:
        ValueError: If one is. Numba code does not check bounds."""
    group_lens = wrapper.grouper.get_group_lens() if cash_sharing else np.ones(values.shape[1], int)
    if values.dtype.kind not in "iu" or int(group_lens.sum()) != values.shape[1]:
        raise ValueError("a sequence of calls of another shape")
    if values.size and not ((values >= 0).all() and (values < np.repeat(group_lens, group_lens)).all()):
        raise ValueError("a sequence of calls that leads out of its group")
