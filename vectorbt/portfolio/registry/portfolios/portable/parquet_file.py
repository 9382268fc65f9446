"""A table as a Parquet file that can also be read in parts, by our own reader and with bounds.

The file is a Parquet file: any reader of Parquet shows the table. Readers of Parquet begin at the end of a file and
leave alone what its footer does not mention, so there is room for a header behind the first four bytes:

```text
"PAR1" | length of the header, 4 bytes, little-endian | header: gzip of JSON | pages | padding | footer | "PAR1"
```

The header says everything that the footer says, what the table means, and where each page is, so that a part of the
table takes two reads. It is JSON rather than Thrift, and each size in it is checked against the size of the file
before memory is taken: `MAX_EXPANSION` bytes for each byte of the file at most. A file that would expand more is
padded."""

import struct
from itertools import pairwise

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import decode, dumps, encode, loads
from vectorbt.portfolio.registry.portfolios.portable.parquet_footer import MAGIC, ColumnChunk, footer, page_header
from vectorbt.portfolio.registry.portfolios.portable.parquet_pages import (
    compress,
    decompress_at_most,
    read_page,
    write_page,
)

MAX_EXPANSION = 4096
"""Bytes of memory that each byte of a file may take."""

FREE_MEMORY = 2**28
"""Bytes of memory that any file may take, however small it is."""

_MAX_HEADER = 2**26
_BYTES_PER_VALUE = 80
"""Memory that a value of a JSON object or list takes, however short it is."""
_FIRST_READ = 2**14
_START = struct.Struct("<4sI")
_MAX_PAGE = 2**31 - 1

ReadRange = tp.Callable[[int, int], bytes]
"""Returns the bytes of a file from a position up to but excluding another one."""


# ############# Writing ############# #


def write_file(
    meaning: tp.Dict[str, tp.Any],
    columns: tp.Dict[str, tp.Array1d],
    bounds: tp.Sequence[int],
    timestamps: tp.Collection[str] = (),
    memory: int = 0,
) -> bytes:
    """Return a table as a file.

    Args:
        meaning (dict): What the table means: strict JSON.
        columns (dict): Arrays of the same length by name.
        bounds (sequence of int): Rows at which row groups begin and end, from 0 to the number of rows.
        timestamps (collection of str): Names of the columns that hold nanoseconds since 1970.
        memory (int): Bytes of memory that reading will take beside the table itself.

    Raises:
        TypeError: If a column has a type that has no faithful encoding.
        ValueError: If a row group is too large for Parquet."""
    types = [encode(values[:0], f"column {name!r}") for name, values in columns.items()]
    pages, groups, chunks = [], [], []
    position = 0
    for start, end in pairwise(bounds):
        group, group_chunks = [], []
        for name, values in columns.items():
            page = write_page(values[start:end])
            if max(len(page.content), page.uncompressed) > _MAX_PAGE:
                raise ValueError(f"column {name!r} has more rows than Parquet can take")
            head = page_header(page, end - start)
            group.append([position + len(head), len(page.content), page.encoding])
            group_chunks.append(ColumnChunk(position, len(head), page, end - start))
            pages += [head, page.content]
            position += len(head) + len(page.content)
        groups.append([end - start, group])
        chunks.append(group_chunks)
    header = dict(meaning=meaning, columns=dict(zip(columns, types)), groups=groups)
    compressed = compress(dumps(header), level=9)
    if len(dumps(header)) > _MAX_HEADER:
        raise ValueError(f"its index and columns take more than {_MAX_HEADER} bytes as JSON")
    start = _START.pack(MAGIC, len(compressed)) + compressed
    end = footer(columns, chunks, len(start), timestamps)
    needed = memory + sum(values.nbytes for values in columns.values())
    size = len(start) + position + len(end)
    padding = bytes(max(0, -(-(needed - FREE_MEMORY) // MAX_EXPANSION) - size))
    return b"".join([start, *pages, padding, end])


# ############# Reading ############# #


class TableFile:
    """A table that `write_file` has written.

    Args:
        read (callable): Returns the bytes of the file from a position up to another one.
        size (int): Size of the file.

    Raises:
        ValueError: If it is no such file."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._read_range = read
        self._size = size
        self._fetched = 0, read(0, min(size, _FIRST_READ))
        header = self._read_header()
        self.meaning = _expect(dict, header.get("meaning"))
        self._types = {name: _decode_type(encoded) for name, encoded in _expect(dict, header.get("columns")).items()}
        self._groups = [self._check_group(group) for group in _expect(list, header.get("groups"))]
        self.rows = sum(rows for rows, _ in self._groups)
        self.check_memory(self.rows * sum(dtype.itemsize for dtype in self._types.values()))

    @classmethod
    def of(cls, content: bytes) -> "TableFile":
        """Return the table of a whole file."""
        return cls(lambda start, end: content[start:end], len(content))

    @property
    def names(self) -> tp.List[str]:
        """Names of the columns."""
        return list(self._types)

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

    def dtype(self, name: str) -> np.dtype:
        """Return the type of a column."""
        if name not in self._types:
            raise ValueError(f"no column {name!r}")
        return self._types[name]

    def column(self, name: str, groups: tp.Optional[tp.Iterable[int]] = None) -> tp.Array1d:
        """Return the values of a column in some row groups, or in all of them.

        Raises:
            ValueError: If they are not what was written."""
        chosen = self._groups if groups is None else [self._groups[i] for i in groups]
        dtype, i = self.dtype(name), self.names.index(name)
        values = np.empty(sum(rows for rows, _ in chosen), dtype)
        start = 0
        for rows, pages in chosen:
            position, length, encoding = pages[i]
            content = self._read(self._pages + position, self._pages + position + length)
            values[start : start + rows] = read_page(encoding, content, dtype, rows)
            start += rows
        return values

    def fetch(self, groups: tp.Sequence[int]) -> None:
        """Read adjacent row groups at once: a request to a remote store takes longer than the bytes.

        Raises:
            ValueError: If the file is shorter than it says."""
        pages = [page for i in groups for page in self._groups[i][1]]
        if pages:
            start = min(position for position, _, _ in pages)
            end = max(position + length for position, length, _ in pages)
            self._fetched = self._pages + start, self._read(self._pages + start, self._pages + end)

    def _read_header(self) -> tp.Dict[str, tp.Any]:
        magic, length = _START.unpack(self._read(0, _START.size))
        if magic != MAGIC:
            raise ValueError("it does not begin like a Parquet file")
        self._pages = _START.size + length
        content = decompress_at_most(self._read(_START.size, self._pages), _MAX_HEADER)
        self.check_memory(_BYTES_PER_VALUE * content.count(b","))
        return _expect(dict, loads(content))

    def _read(self, start: int, end: int) -> bytes:
        if not 0 <= start <= end <= self._size:
            raise ValueError(f"bytes {start} to {end} of a file of {self._size}")
        first, content = self._fetched
        if first <= start and end <= first + len(content):
            return content[start - first : end - first]
        content = self._read_range(start, end)
        if len(content) != end - start:
            raise ValueError("it ends too early")
        return content

    def _check_group(self, group: tp.Any) -> tp.Tuple[int, tp.List[tp.List[int]]]:
        rows, pages = group
        if not _is_natural(rows) or len(pages) != len(self._types):
            raise ValueError("a row group that has other columns")
        for page in pages:
            if len(page) != 3 or not all(map(_is_natural, page)):
                raise ValueError("a page without position, length and encoding")
        return rows, pages


def _decode_type(encoded: tp.Any) -> np.dtype:
    empty = decode(encoded)
    if not isinstance(empty, np.ndarray) or empty.shape != (0,):
        raise ValueError("a column without a type")
    return empty.dtype


def _is_natural(value: tp.Any) -> bool:
    return type(value) is int and value >= 0


def _expect(kind: type, value: tp.Any) -> tp.Any:
    if type(value) is not kind:
        raise ValueError(f"a header with a {type(value).__name__} in place of a {kind.__name__}")
    return value
