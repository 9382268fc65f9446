"""The sequence of calls of a portfolio as a table, one column of the portfolio after the other."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.portfolios.portable.parquet_file import TableFile, write_file

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper

_ROWS_AT_ONCE = 2**16
_NAME = "call_seq"


def write_call_seq(values: tp.Array2d, meaning: tp.Dict[str, tp.Any]) -> bytes:
    """Return the sequence of calls, bars by columns, as a file."""
    n_bars, n_columns = values.shape
    per_group = max(1, _ROWS_AT_ONCE // n_bars)
    bounds = [n_bars * column for column in range(0, n_columns, per_group)] + [n_bars * n_columns]
    return write_file(dict(meaning, columns_per_group=per_group), {_NAME: values.ravel(order="F")}, bounds)


def read_call_seq(table: TableFile, n_bars: int, columns: range) -> tp.Array2d:
    """Return the sequence of calls of adjacent columns.

    Raises:
        ValueError: If it is not what was written."""
    per_group = table.meaning["columns_per_group"]
    if type(per_group) is not int or per_group < 1:
        raise ValueError("a sequence of calls of another shape")
    first = columns.start // per_group
    values = table.column(_NAME, range(first, -(-columns.stop // per_group)))
    values = values.reshape(n_bars, len(values) // n_bars, order="F")
    start = columns.start - first * per_group
    return values[:, start : start + len(columns)]


def check_call_seq(values: tp.Array2d, wrapper: "ArrayWrapper", cash_sharing: bool) -> None:
    """Check that no call is that of a column outside of its group.

    Raises:
        ValueError: If one is. Compiled code does not look before it leaps."""
    group_lens = wrapper.grouper.get_group_lens() if cash_sharing else np.ones(values.shape[1], int)
    if values.dtype.kind not in "iu" or int(group_lens.sum()) != values.shape[1]:
        raise ValueError("a sequence of calls of another shape")
    if values.size and not ((values >= 0).all() and (values < np.repeat(group_lens, group_lens)).all()):
        raise ValueError("a sequence of calls that leads out of its group")
