"""A table as a Parquet file by pyarrow, read whole or in parts, and with bounds.

What the table means is its *header*: JSON in the key-value metadata of the file, with its SHA-256 beside it. Numbers
and booleans have the Parquet type that every reader shows as what they are; any other NumPy type of fixed size is
bytes of fixed length. Integers are written as differences, and floats plainly or with their bytes split, whichever is
smaller.

A file is not believed. What its footer claims is checked against its size before memory is taken: `MAX_EXPANSION` bytes
for each byte of the file, and `FREE_MEMORY` beside. A file that would expand more is padded when it is written."""

import hashlib
from itertools import pairwise

import numpy as np

try:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not hasattr(pq.ParquetWriter, "add_key_value_metadata"):  # it came with pyarrow 17
        raise ImportError(f"pyarrow is {pa.__version__}")
except ImportError as e:
    raise ImportError(
        f'the portable format needs pyarrow 17 or newer ({e}); pip install "vectorbt-registry[portable]"'
    ) from e

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import dumps, loads

MAX_EXPANSION = 4096
"""Bytes of memory that each byte of a file may take."""

FREE_MEMORY = 2**28
"""Bytes of memory that any file may take, however small it is."""

MAX_LIST = 2**12
"""Row groups of a table, and columns with the root that the footer lists beside them. Columns of others may nest, and
pyarrow follows them until the stack ends, before version 26 without a limit of its own."""

HEADER, DIGEST = "vectorbt-registry", "vectorbt-registry.sha256"
"""Keys of the header and of its SHA-256 in the key-value metadata."""

_MAGIC = b"PAR1"
_FIRST_READ, _PART_FIRST_READ = 2**14, 50
"""Bytes at the end of a file that are read first: so many, or that part of the file if it is more."""

_SAMPLE = 2**14
"""Rows that tell which encoding of a column of floats is smaller."""

ReadRange = tp.Callable[[int, int], bytes]
"""Returns the bytes of a file from a position up to but excluding another one."""


# ############# Writing ############# #


def write_table(
    header: tp.Dict[str, tp.Any],
    columns: tp.Dict[str, tp.Array1d],
    bounds: tp.Sequence[int],
    timestamps: tp.Collection[str] = (),
    memory: int = 0,
) -> bytes:
    """Return a table as a file.

    Args:
        header (dict): What the table means: strict JSON.
        columns (dict): Arrays of the same length by name.
        bounds (sequence of int): Rows at which row groups begin and end, from 0 to the number of rows.
        timestamps (collection of str): Names of the columns that hold nanoseconds since 1970.
        memory (int): Bytes of memory that reading will take beside the table itself.

    Raises:
        ValueError: If there are more than `MAX_LIST` columns or row groups."""
    if max(len(columns) + 1, len(bounds) - 1) > MAX_LIST:
        raise ValueError(f"a table of {len(columns)} columns and {len(bounds) - 1} row groups, but at most {MAX_LIST}")
    arrays = {name: _to_arrow(values, name in timestamps) for name, values in columns.items()}
    schema = pa.schema([pa.field(name, array.type, nullable=False) for name, array in arrays.items()])
    table = pa.table(list(arrays.values()), schema=schema)
    encodings = {field.name: "DELTA_BINARY_PACKED" for field in schema if _is_integer(field.type)}
    encodings.update(_float_encodings(table))
    content = dumps(header)
    sink = pa.BufferOutputStream()
    with _open_writer(sink, schema, encodings) as writer:
        for start, end in pairwise(bounds):
            writer.write_table(table.slice(start, end - start), row_group_size=end - start)
        writer.add_key_value_metadata({HEADER: content, DIGEST: hashlib.sha256(content).hexdigest()})
        needed = memory + sum(values.nbytes for values in columns.values()) - FREE_MEMORY
        # Readers begin at the end of a file, and leave alone what its footer does not mention.
        sink.write(bytes(max(0, -(-needed // MAX_EXPANSION) - sink.tell())))
    return sink.getvalue().to_pybytes()


def _open_writer(sink: pa.NativeFile, schema: pa.Schema, encodings: tp.Dict[str, str]) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=9,
        use_dictionary=False,
        column_encoding=encodings,
        write_statistics=False,
        write_page_checksum=True,
        store_schema=False,
    )


def _float_encodings(table: pa.Table) -> tp.Dict[str, str]:
    """Return the encoding of each column of floats that is smaller for the rows in the middle.

    Splitting the bytes helps where numbers have all their digits, and hides from the compressor where they repeat."""
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    sample = table.select(floats).slice(max(0, (len(table) - _SAMPLE) // 2), _SAMPLE)
    if not floats or len(sample) == 0:
        return {}
    sizes = {}
    for encoding in ("PLAIN", "BYTE_STREAM_SPLIT"):
        sink = pa.BufferOutputStream()
        with _open_writer(sink, sample.schema, dict.fromkeys(floats, encoding)) as writer:
            writer.write_table(sample)
        group = pq.read_metadata(pa.BufferReader(sink.getvalue())).row_group(0)
        sizes[encoding] = [group.column(i).total_compressed_size for i in range(len(floats))]
    return {name: min(sizes, key=lambda encoding: sizes[encoding][i]) for i, name in enumerate(floats)}


def _to_arrow(values: tp.Array1d, is_timestamp: bool) -> pa.Array:
    values = np.ascontiguousarray(values)
    if is_timestamp:
        return pa.array(values).view(pa.timestamp("ns", "UTC"))
    if values.dtype.str in ("|b1", "<f4", "<f8") or (values.dtype.kind in "iu" and values.dtype.isnative):
        return pa.array(values)
    raw = pa.py_buffer(values.tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(values.dtype.itemsize), len(values), [None, raw])


# ############# Reading ############# #


class TableFile:
    """A table that `write_table` has written.

    Args:
        read (callable): Returns the bytes of the file from a position up to another one.
        size (int): Size of the file.

    Raises:
        ValueError: If it is no such file."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._read_range = read
        self._size = size
        self._tail = b""
        footer = self._read_footer()
        try:
            file = pq.ParquetFile(pa.BufferReader(_MAGIC + footer), **_thrift_limits(len(footer)))
            self._metadata, schema = file.metadata, file.schema_arrow
        except (pa.ArrowException, OSError) as e:
            raise ValueError(str(e)) from e
        self._fields = {field.name: field for field in schema}
        self._groups = [self._metadata.row_group(i) for i in range(self._metadata.num_row_groups)]
        self._check_claims(schema)
        self.header = self._read_header()

    @classmethod
    def of(cls, content: bytes) -> "TableFile":
        """Return the table of a whole file."""
        return cls(lambda start, end: content[start:end], len(content))

    @property
    def names(self) -> tp.List[str]:
        """Names of the columns."""
        return list(self._fields)

    @property
    def n_groups(self) -> int:
        """Number of row groups."""
        return len(self._groups)

    def check_memory(self, needed: int) -> None:
        """Check that the file is large enough to take so many bytes of memory.

        Raises:
            ValueError: If it is not."""
        if needed > FREE_MEMORY + MAX_EXPANSION * self._size:
            raise ValueError(f"a file of {self._size} bytes cannot stand for {needed} bytes")

    def columns(
        self, names: tp.Optional[tp.Sequence[str]] = None, groups: tp.Optional[tp.Sequence[int]] = None
    ) -> tp.Dict[str, tp.Array1d]:
        """Return the values of columns by name, read at once: a request to a remote store takes longer than the bytes.

        Args:
            names (sequence of str): Names of the columns. Defaults to all.
            groups (sequence of int): Positions of the row groups. Defaults to all.

        Returns:
            Arrays of numbers, or of bytes of fixed length (`V8`) where the values are something else.

        Raises:
            ValueError: If there is no such column, or the values are not what was written."""
        names = self.names if names is None else list(names)
        chosen = range(self.n_groups) if groups is None else list(groups)
        missing = set(names) - set(self._fields)
        if missing:
            raise ValueError(f"no column {min(missing)!r}")
        if not set(chosen) <= set(range(self.n_groups)):
            raise ValueError(f"no row group {max(chosen)}")
        rows = sum(self._groups[i].num_rows for i in chosen)
        part = self._read_part(names, chosen)
        try:
            file = pq.ParquetFile(
                pa.BufferReader(part),
                metadata=self._metadata,
                page_checksum_verification=True,
                **_thrift_limits(self._size),
            )
            table = file.read_row_groups(chosen, columns=names, use_threads=False)
            found = {name: _from_arrow(table[name]) for name in names}
        except (pa.ArrowException, OSError) as e:
            raise ValueError(str(e)) from e
        if any(len(values) != rows for values in found.values()):
            raise ValueError("a column of another length")
        return found

    def _read_footer(self) -> bytes:
        """Return the end of the file, from where the footer begins."""
        at_first = min(self._size, max(_FIRST_READ, self._size // _PART_FIRST_READ))
        self._tail = self._read(self._size - at_first, self._size)
        length = int.from_bytes(self._tail[-8:-4], "little") + 8
        if self._tail[-4:] != _MAGIC or length > self._size - len(_MAGIC):
            raise ValueError("it does not end like a Parquet file")
        if length > at_first:
            self._tail = self._read(self._size - length, self._size - at_first) + self._tail
        return self._tail[-length:]

    def _check_claims(self, schema: pa.Schema) -> None:
        """Check that the footer describes a flat table, which takes no more memory than the file may."""
        if len(self._fields) != len(schema) or self._metadata.num_columns != len(schema):
            raise ValueError("a table whose columns are not told apart")
        if any(field.nullable or not _is_known(field.type) for field in schema):
            raise ValueError("a table with columns of another type")
        rows = [group.num_rows for group in self._groups]
        if min(rows, default=0) < 0 or sum(rows) != self._metadata.num_rows:
            raise ValueError("a table whose row groups have other rows")
        self.check_memory(sum(rows) * sum(field.type.bit_width for field in schema) // 8)
        self.check_memory(sum(group.total_byte_size for group in self._groups))

    def _read_header(self) -> tp.Dict[str, tp.Any]:
        found = self._metadata.metadata or {}
        content = found.get(HEADER.encode())
        if content is None:
            raise ValueError("it has no header")
        if hashlib.sha256(content).hexdigest().encode() != found.get(DIGEST.encode()):
            raise ValueError("a header that is not what was saved")
        header = loads(content)  # as large as it is in the file, so that a small file cannot stand for many values
        if type(header) is not dict:
            raise ValueError("a header that is no object")
        return header

    def _read_part(self, names: tp.Sequence[str], groups: tp.Iterable[int]) -> pa.Buffer:
        """Return a buffer as large as the file, in which only columns of some row groups are filled in.

        It is Arrow's own, so that no other thread of Arrow ever calls Python. What is not touched takes no memory."""
        buffer = pa.allocate_buffer(self._size)
        positions = [i for i, name in enumerate(self._fields) if name in set(names)]
        spans = [self._span(self._groups[i].column(position)) for i in groups for position in positions]
        if spans:
            start, end = min(start for start, _ in spans), max(end for _, end in spans)
            np.frombuffer(buffer, np.uint8)[start:end] = np.frombuffer(self._read(start, end), np.uint8)
        return buffer

    @staticmethod
    def _span(chunk: pq.ColumnChunkMetaData) -> tp.Tuple[int, int]:
        """Return where the pages of a column begin and end."""
        if chunk.has_dictionary_page:
            raise ValueError("a column with a dictionary")
        if chunk.total_compressed_size < 0:
            raise ValueError("a column of a negative size")
        return chunk.data_page_offset, chunk.data_page_offset + chunk.total_compressed_size

    def _read(self, start: int, end: int) -> bytes:
        if not 0 <= start <= end <= self._size:
            raise ValueError(f"bytes {start} to {end} of a file of {self._size}")
        in_tail = start - (self._size - len(self._tail))
        if in_tail >= 0:
            return self._tail[in_tail : in_tail + end - start]
        content = self._read_range(start, end)
        if len(content) != end - start:
            raise ValueError("it ends too early")
        return content


def _thrift_limits(size: int) -> tp.Dict[str, int]:
    return dict(thrift_string_size_limit=max(size, 1), thrift_container_size_limit=MAX_LIST)


def as_type(values: tp.Array1d, dtype: np.dtype) -> tp.Array1d:
    """Return the values of a column that was written from an array of a type.

    Raises:
        ValueError: If it was written from one of another type."""
    if values.dtype == dtype:
        return values
    if values.dtype.kind != "V" or values.dtype.itemsize != dtype.itemsize or dtype.hasobject:
        raise ValueError(f"a column of the type {values.dtype} in place of {dtype}")
    return values.view(dtype)


def _is_integer(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_timestamp(kind)


def _is_known(kind: pa.DataType) -> bool:
    return (
        _is_integer(kind)
        or kind in (pa.bool_(), pa.float32(), pa.float64())
        or (pa.types.is_fixed_size_binary(kind) and kind.byte_width > 0)
    )


def _from_arrow(column: pa.ChunkedArray) -> tp.Array1d:
    """Return the values of a column as an array that can be written to."""
    if column.null_count:
        raise ValueError("a column with missing values")
    array = column.combine_chunks()
    if pa.types.is_timestamp(array.type):
        array = array.view(pa.int64())
    if not pa.types.is_fixed_size_binary(array.type):
        return np.array(array.to_numpy(zero_copy_only=False))
    width, raw = array.type.byte_width, array.buffers()[1]
    if raw is None:
        return np.empty(0, f"V{width}")
    return np.frombuffer(raw, f"V{width}", len(array), array.offset * width).copy()
