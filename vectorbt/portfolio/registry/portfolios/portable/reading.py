"""Reading what `vectorbt.portfolio.registry.portfolios.portable` has written: all of it, or one column.

Nothing in a file is executed, and nothing is believed: whatever compiled code would follow without looking, such as
the bar of an order, is checked first."""

import hashlib
from contextlib import contextmanager

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.metrics import return_series
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.encoding import decode
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactUnreadableError
from vectorbt.portfolio.registry.portfolios.portable.config import decode_value, decode_wrapper, wrap_array
from vectorbt.portfolio.registry.portfolios.portable.format import CALL_SEQ, ENTRIES, FORMAT, LOGS, VERSION
from vectorbt.portfolio.registry.portfolios.portable.prices import Prices, is_prices
from vectorbt.portfolio.registry.portfolios.portable.records import (
    check_call_seq,
    check_records,
    read_call_seq,
    read_records,
)
from vectorbt.portfolio.registry.portfolios.portable.table import TableFile

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper
    from vectorbt.portfolio.base import Portfolio

_MALFORMED = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, ArithmeticError),
    *(MemoryError, RecursionError, NotImplementedError),
)
"""Exceptions that parsing a damaged or foreign file may raise. All become `ArtifactCorruptedError`."""

OpenTable = tp.Callable[..., TableFile]


def open_whole(read: tp.Callable[[str], bytes]) -> OpenTable:
    """Return a function that opens files by reading them from end to end, which verifies them as a whole."""

    def open_table(name: str, digest: tp.Optional[str] = None) -> TableFile:
        content = read(name)
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise ArtifactCorruptedError(f"{name} is not what was saved: its SHA-256 is another one")
        return TableFile.of(content)

    return open_table


def open_partly(read: tp.Callable[..., bytes], size: tp.Callable[[str], int]) -> OpenTable:
    """Return a function that opens files by reading the parts that are needed, each of which has a checksum."""

    def open_table(name: str, digest: tp.Optional[str] = None) -> TableFile:
        return TableFile(lambda start, end: read(name, start, end), size(name))

    return open_table


class PortableFiles:
    """The files of a portfolio that `dump` has written.

    Args:
        names (list of str): Names of the files, the main one first.
        open_table (callable): Returns the table of a file by its name. If the digest of the file is known, it follows.

    Raises:
        ArtifactUnreadableError: If a newer version has written them.
        ArtifactCorruptedError: If they are malformed."""

    def __init__(self, names: tp.Sequence[str], open_table: OpenTable) -> None:
        self._names = names
        self._open_table = open_table
        with _corrupted(names[0]):
            self._main = open_table(names[0])
            self._header = self._main.header
            self._check_version()
            self._prices = self._open_prices()
            self._wrapper = self._read_wrapper()

    def load_returns(self) -> tp.Frame:
        """Return the return series of all columns, or groups."""
        portfolio = self.load()
        with _corrupted(self._names[0]):  # they could be computed when the portfolio was saved
            return return_series(portfolio)

    def check(self) -> None:
        """Check all but the tables: the index, the columns and the entries of the configuration.

        Raises:
            ArtifactCorruptedError: If one of them is malformed."""
        with _corrupted(self._names[0]):
            self._read_entries()

    def load(self) -> "Portfolio":
        """Return the portfolio."""
        from vectorbt.portfolio.base import Portfolio

        with _corrupted(self._names[0]):
            entries = self._read_entries()
            return Portfolio(
                **entries,
                wrapper=self._wrapper,
                close=self._read_close(),
                order_records=self._read_orders(),
                log_records=self._read_logs(),
                call_seq=self._read_call_seq(entries["cash_sharing"]),
            )

    def load_column(self, column: int) -> "Portfolio":
        """Return one column, or one group where the portfolio is grouped, without reading the others.

        It is what `vectorbt.portfolio.registry.portfolios.columns.select_column` makes of the whole."""
        from vectorbt.portfolio.base import Portfolio

        with _corrupted(self._names[0]):
            entries = self._read_entries()
            wrapper = self._wrapper
            if entries["cash_sharing"]:
                wrapper = wrapper.replace(allow_enable=False, allow_modify=False)
            if wrapper.get_ndim() == 1:
                return self.load()
            if not 0 <= column < len(wrapper.get_columns()):
                raise ValueError(f"no column {column} among {len(wrapper.get_columns())}")
            selected, _, groups, positions = wrapper.indexing_func_meta(
                lambda obj: obj.iloc[column], column_only_select=True
            )
            chosen = np.atleast_1d(positions)
            columns = range(int(chosen[0]), int(chosen[-1]) + 1)
            entries["init_cash"] = self._init_cash_of(entries, groups, positions)
            return Portfolio(
                **entries,
                wrapper=selected,
                close=selected.wrap(self._close_of(columns), group_by=False),
                order_records=_from_zero(self._read_orders(columns), columns),
                log_records=_from_zero(self._read_logs(columns), columns),
                call_seq=self._call_seq_of(selected, positions, entries["cash_sharing"]),
            )

    def _check_version(self) -> None:
        if self._header.get("format") != FORMAT:
            raise ValueError("it holds no portfolio")
        version = self._header.get("version")
        if type(version) is not int:
            raise ValueError("it has no version")
        if version > VERSION:
            raise ArtifactUnreadableError(
                f"it has version {version} of the portable format, and this version of vectorbt-registry reads up to "
                f"{VERSION}; upgrade it: pip install --upgrade vectorbt-registry"
            )

    def _open_prices(self) -> Prices:
        name = self._header["close"]["prices"]
        if name not in self._names or not is_prices(name):
            raise ValueError("it refers to prices that are not its own")
        return Prices(name, self._open_table(name))

    def _read_wrapper(self) -> "ArrayWrapper":
        encoded = self._header["wrapper"]
        wrapper = decode_wrapper(encoded, self._prices.index(encoded["index"]))
        self._main.check_memory(wrapper.shape_2d[0] * wrapper.shape_2d[1] * 8)
        return wrapper

    def _read_entries(self) -> tp.Dict[str, tp.Any]:
        """Return the entries of the configuration that the installed version of vectorbt knows."""
        import inspect

        from vectorbt.portfolio.base import Portfolio

        entries = {name: decode_value(entry) for name, entry in self._header["entries"].items()}
        if not {"init_cash", "cash_sharing"} <= set(entries) <= set(ENTRIES):
            raise ValueError("a portfolio with other entries")
        if not isinstance(entries["cash_sharing"], (bool, np.bool_)):
            raise ValueError("a portfolio whose cash_sharing is neither true nor false")
        self._check_init_cash(entries)
        if "engine" not in inspect.signature(Portfolio.__init__).parameters:
            entries.pop("engine", None)  # it says who computes, not what
        return entries

    def _check_init_cash(self, entries: tp.Dict[str, tp.Any]) -> None:
        """Check that there is an initial cash for each column, or each group that shares it."""
        init_cash = entries["init_cash"]
        if isinstance(init_cash, (int, float, np.number)) and not isinstance(init_cash, bool):
            return
        shares = entries["cash_sharing"] and self._wrapper.grouper.is_grouped()
        expected = len(self._wrapper.grouper.get_group_lens()) if shares else self._wrapper.shape_2d[1]
        if (
            np.ndim(init_cash) > 1
            or np.size(init_cash) not in (1, expected)
            or np.asarray(init_cash).dtype.kind not in "iuf"
        ):
            raise ValueError("an initial cash of another shape")

    def _init_cash_of(
        self, entries: tp.Dict[str, tp.Any], groups: tp.MaybeArray[int], positions: tp.MaybeArray[int]
    ) -> tp.MaybeArray[float]:
        init_cash = entries["init_cash"]
        if isinstance(init_cash, int):
            found = decode(self._header["found_init_cash"])
            if found is None:  # each column finds its own
                return init_cash
            expected = self._wrapper.get_columns() if entries["cash_sharing"] else self._wrapper.columns
            if not isinstance(found, np.ndarray) or found.shape != (len(expected),):
                raise ValueError("an initial cash of another shape")
            init_cash = found
        from vectorbt.base.reshape_fns import to_1d_array

        return to_1d_array(init_cash)[groups if entries["cash_sharing"] else positions]

    def _read_close(self) -> tp.ArrayLike:
        described = self._header["close"]
        if "value" in described:
            return decode_value(described["value"])
        positions = self._positions()
        self._main.check_memory(self._wrapper.shape_2d[0] * len(positions) * 8)
        prices = self._prices.columns(range(self._prices.n_columns), _dtype_of(described))
        values = _new_matrix(described, self._wrapper.shape_2d[0], len(positions))
        for position, column in prices.items():
            values[:, positions == position] = column[:, None]
        return wrap_array(described, values, self._wrapper)

    def _close_of(self, columns: range) -> tp.Array2d:
        """Return the prices of some columns, however they are wrapped."""
        described = self._header["close"]
        if "value" in described:
            shape = self._wrapper.shape_2d
            return np.array(np.broadcast_to(np.asarray(decode_value(described["value"])), shape)[:, list(columns)])
        positions = np.broadcast_to(self._positions(), self._wrapper.shape_2d[1])[list(columns)].tolist()
        dtype = _dtype_of(described)
        prices = self._prices.columns(positions, dtype)
        return np.column_stack([prices[position] for position in positions]).astype(dtype, copy=False)

    def _positions(self) -> tp.Array1d:
        """Return which distinct column of prices each column of the close is."""
        encoded = self._header["close"]["positions"]
        if type(encoded) is int and 0 < encoded <= self._wrapper.shape_2d[1]:
            return np.zeros(encoded, np.int32)
        positions = decode(encoded)
        if not isinstance(positions, np.ndarray) or positions.ndim != 1 or positions.dtype.kind != "i":
            raise ValueError("a close without prices")
        if len(positions) not in (1, self._wrapper.shape_2d[1]):
            raise ValueError("a close of another shape")
        if not (positions.min() >= 0 and positions.max() < self._prices.n_columns):
            raise ValueError("a close whose prices are not there")
        return positions

    def _read_orders(self, columns: tp.Optional[range] = None) -> tp.RecordArray:
        from vectorbt.portfolio.enums import order_dt

        records = read_records(self._main, columns)
        check_records(records, order_dt, *self._wrapper.shape_2d)
        return records

    def _read_logs(self, columns: tp.Optional[range] = None) -> tp.RecordArray:
        from vectorbt.portfolio.enums import log_dt

        if "no_logs" in self._header:
            records = decode(self._header["no_logs"])
            if not isinstance(records, np.ndarray) or records.shape != (0,):
                raise ValueError("log records that are none")
        else:
            records = read_records(self._further(LOGS), columns)
        check_records(records, log_dt, *self._wrapper.shape_2d)
        return records

    def _read_call_seq(self, cash_sharing: bool) -> tp.Optional[tp.ArrayLike]:
        if "call_seq" not in self._header:
            return None
        described = self._header["call_seq"]
        n_bars, n_columns = self._wrapper.shape_2d
        values = _new_matrix(described, n_bars, n_columns)
        values[:] = self._calls_of(self._wrapper, range(n_columns), cash_sharing)
        return wrap_array(described, values, self._wrapper)

    def _call_seq_of(
        self, selected: "ArrayWrapper", positions: tp.MaybeArray[int], cash_sharing: bool
    ) -> tp.Optional[tp.Array]:
        """Return the sequence of calls of the columns of a wrapper, which were at these positions of the whole one."""
        if "call_seq" not in self._header:
            return None
        chosen = np.atleast_1d(positions)
        values = self._calls_of(selected, range(int(chosen[0]), int(chosen[-1]) + 1), cash_sharing)
        return values if np.ndim(positions) else values[:, 0]

    def _calls_of(self, wrapper: "ArrayWrapper", columns: range, cash_sharing: bool) -> tp.Array2d:
        dtype = _dtype_of(self._header["call_seq"])
        values = read_call_seq(self._further(CALL_SEQ), dtype, len(wrapper.index), columns)
        check_call_seq(values, wrapper, cash_sharing)
        return values

    def _further(self, ending: str) -> TableFile:
        names = [name for name in self._names if name.endswith(ending)]
        if len(names) != 1:
            raise ValueError(f"it refers to a file that is not its own: *{ending}")
        return self._open_table(names[0], self._header["digests"][ending])


def _dtype_of(described: tp.Dict[str, tp.Any]) -> np.dtype:
    dtype = np.dtype(described["dtype"])
    if dtype.kind not in "iufb":
        raise ValueError(f"values of the type {dtype}, which are no numbers")
    return dtype


def _new_matrix(described: tp.Dict[str, tp.Any], n_bars: int, n_columns: int) -> tp.Array2d:
    """Return an array for values, bars by columns, in the order of memory that they had."""
    return np.empty((n_bars, n_columns), _dtype_of(described), order="F" if described["fortran"] is True else "C")


def _from_zero(records: tp.RecordArray, columns: range) -> tp.RecordArray:
    """Return the records of adjacent columns as those of a portfolio that begins with them."""
    ordered = records[np.argsort(records["col"], kind="stable")]
    ordered["col"] -= columns.start
    return ordered


@contextmanager
def _corrupted(name: str) -> tp.Iterator[None]:
    try:
        yield
    except _MALFORMED as e:
        reason = escaped(" ".join(str(e).split())) or type(e).__name__
        raise ArtifactCorruptedError(f"{name} is not what was saved: {reason}") from e
