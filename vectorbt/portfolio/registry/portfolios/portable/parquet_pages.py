"""Values of a Parquet column as the bytes of one page, and back.

Numbers and booleans get the Parquet type and encoding that compress best and that every reader knows; any other
NumPy type of fixed size becomes bytes of fixed length:

| NumPy | Parquet type | encoding |
|---|---|---|
| integers | INT32, INT64 | DELTA_BINARY_PACKED |
| float32, float64 | FLOAT, DOUBLE | PLAIN or BYTE_STREAM_SPLIT, whichever is smaller |
| bool | BOOLEAN | PLAIN |
| others | FIXED_LEN_BYTE_ARRAY | PLAIN |

Pages are compressed with gzip, whose checksum tells on reading whether they are what was written. Only what this
module writes is read: a page of another layout is a `ValueError`. No page makes the reader take more memory than the
number of values that it is asked for."""

import zlib

import numpy as np

from vectorbt import _typing as tp

PLAIN, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT = 0, 5, 9
"""Numbers of the encodings in Parquet."""

BOOLEAN, INT32, INT64, FLOAT, DOUBLE, FIXED_LEN_BYTE_ARRAY = 0, 1, 2, 4, 5, 7
"""Numbers of the physical types in Parquet."""

_GZIP = 31
"""What zlib calls gzip."""

_LEVEL = 4
"""Level of compression. Higher ones take twice the time for the last two percent."""

_BLOCK, _MINIBLOCKS = 128, 4
_MINIBLOCK = _BLOCK // _MINIBLOCKS
_MAX_DELTA_HEADER = 40


class ColumnType(tp.NamedTuple):
    """How Parquet sees a NumPy type: its physical type, what the integers stand for, and the length of its bytes."""

    physical: int
    converted: tp.Optional[int] = None
    length: tp.Optional[int] = None


_COLUMN_TYPES = {
    "|b1": ColumnType(BOOLEAN),
    "<f4": ColumnType(FLOAT),
    "<f8": ColumnType(DOUBLE),
    "|u1": ColumnType(INT32, 11),
    "<u2": ColumnType(INT32, 12),
    "<u4": ColumnType(INT32, 13),
    "<u8": ColumnType(INT64, 14),
    "|i1": ColumnType(INT32, 15),
    "<i2": ColumnType(INT32, 16),
    "<i4": ColumnType(INT32, 17),
    "<i8": ColumnType(INT64, 18),
}


def column_type(dtype: np.dtype) -> ColumnType:
    """Return how Parquet sees a NumPy type."""
    return _COLUMN_TYPES.get(dtype.str, ColumnType(FIXED_LEN_BYTE_ARRAY, length=dtype.itemsize))


# ############# Pages ############# #


class Page(tp.NamedTuple):
    """The values of one column: how they are encoded, their compressed bytes, and how many these were before."""

    encoding: int
    content: bytes
    uncompressed: int


def write_page(values: tp.Array1d) -> Page:
    """Return the page of one column.

    Args:
        values (np.ndarray): Array of one dimension, or a field of a structured array."""
    physical = column_type(values.dtype).physical
    if physical in (INT32, INT64):
        candidates = [(DELTA_BINARY_PACKED, _pack_deltas(_as_physical(values, physical)))]
    elif physical in (FLOAT, DOUBLE):
        plain = np.ascontiguousarray(values)
        candidates = [(PLAIN, plain.tobytes()), (BYTE_STREAM_SPLIT, _split_bytes(plain))]
    elif physical == BOOLEAN:
        candidates = [(PLAIN, np.packbits(values, bitorder="little").tobytes())]
    else:
        candidates = [(PLAIN, values.tobytes())]
    pages = [Page(encoding, compress(raw), len(raw)) for encoding, raw in candidates]
    return min(pages, key=lambda page: len(page.content))


def read_page(encoding: int, content: bytes, dtype: np.dtype, count: int) -> tp.Array1d:
    """Return the values of a page.

    Args:
        encoding (int): Encoding of the page.
        content (bytes): Compressed bytes of the page.
        dtype (np.dtype): Type of the values.
        count (int): Number of the values. The caller has decided that so many are bearable.

    Raises:
        ValueError: If the page does not hold exactly these values."""
    physical = column_type(dtype).physical
    if physical in (INT32, INT64) and encoding == DELTA_BINARY_PACKED:
        wide = np.dtype("<i4" if physical == INT32 else "<i8")
        return _from_physical(_unpack_deltas(content, wide, count), dtype)
    if physical in (FLOAT, DOUBLE) and encoding == BYTE_STREAM_SPLIT:
        planes = np.frombuffer(decompress(content, count * dtype.itemsize), np.uint8)
        return np.ascontiguousarray(planes.reshape(dtype.itemsize, count).T).view(dtype).reshape(count)
    if physical == BOOLEAN and encoding == PLAIN:
        bits = np.frombuffer(decompress(content, -(-count // 8)), np.uint8)
        return np.unpackbits(bits, count=count, bitorder="little").view(bool)
    if physical not in (INT32, INT64) and encoding == PLAIN:
        return np.frombuffer(decompress(content, count * dtype.itemsize), dtype, count)
    raise ValueError(f"a page of {dtype} with the encoding {encoding!r}")


# ############# Compression ############# #


def compress(raw: bytes, level: int = _LEVEL) -> bytes:
    """Compress bytes with gzip."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return compressor.compress(raw) + compressor.flush()


def decompress(content: bytes, size: int) -> bytes:
    """Return the bytes that `compress` was given.

    Raises:
        ValueError: If there are not exactly `size` of them, or the checksum does not match."""
    raw = decompress_at_most(content, size)
    if len(raw) != size:
        raise ValueError(f"{len(raw)} bytes where {size} are expected")
    return raw


def decompress_at_most(content: bytes, size: int) -> bytes:
    """Return the bytes that `compress` was given.

    Raises:
        ValueError: If there are more than `size`, or the checksum does not match."""
    decompressor = zlib.decompressobj(_GZIP)
    try:
        # One byte of room more than expected, so that the checksum behind the last byte is read as well.
        raw = decompressor.decompress(content, size + 1)
    except zlib.error as e:
        raise ValueError(str(e)) from e
    if len(raw) > size:
        raise ValueError(f"more than the {size} bytes that are expected")
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("compressed bytes that end too early or too late")
    return raw


# ############# Encodings ############# #


def _as_physical(values: tp.Array1d, physical: int) -> tp.Array1d:
    wide = "<i4" if physical == INT32 else "<i8"
    values = np.ascontiguousarray(values)
    return values.view(wide) if values.dtype.itemsize == np.dtype(wide).itemsize else values.astype(wide)


def _from_physical(values: tp.Array1d, dtype: np.dtype) -> tp.Array1d:
    if values.dtype.itemsize == dtype.itemsize:
        return values.view(dtype)
    narrow = values.astype(dtype)
    if not np.array_equal(narrow, values):
        raise ValueError(f"integers that {dtype} cannot hold")
    return narrow


def _split_bytes(values: tp.Array1d) -> bytes:
    """Return all first bytes, then all second bytes, and so on."""
    return np.ascontiguousarray(values.view(np.uint8).reshape(len(values), values.dtype.itemsize).T).tobytes()


def _pack_deltas(values: tp.Array1d) -> bytes:
    """Return the first integer and the differences, minus the smallest one, in as many whole bytes as all need.

    Parquet would let each block have its own smallest difference and width. With the same ones for all, the blocks
    are rows of an array."""
    count = len(values)
    header = varint(_BLOCK) + varint(_MINIBLOCKS) + varint(count) + zigzag(int(values[0]) if count else 0)
    if count < 2:
        return header
    deltas = np.diff(values)
    least = deltas.min()
    unsigned = (deltas - least).view(f"<u{deltas.itemsize}")
    width = -(-int(unsigned.max()).bit_length() // 8)
    n_miniblocks, n_blocks = -(-len(deltas) // _MINIBLOCK), -(-len(deltas) // _BLOCK)
    packed = np.zeros((n_blocks * _BLOCK, width), np.uint8)
    packed[: len(deltas)] = unsigned.view(np.uint8).reshape(len(deltas), -1)[:, :width]
    block_header = np.frombuffer(zigzag(int(least)) + bytes([8 * width] * _MINIBLOCKS), np.uint8)
    blocks = np.hstack([np.tile(block_header, (n_blocks, 1)), packed.reshape(n_blocks, _BLOCK * width)])
    unneeded = n_blocks * _MINIBLOCKS - n_miniblocks
    blocks[-1, len(block_header) - unneeded : len(block_header)] = 0
    content = blocks.tobytes()
    return header + content[: len(content) - unneeded * _MINIBLOCK * width]


def _unpack_deltas(content: bytes, dtype: np.dtype, count: int) -> tp.Array1d:
    """Return the integers that `_pack_deltas` was given."""
    n_deltas = max(count - 1, 0)
    n_miniblocks, n_blocks = -(-n_deltas // _MINIBLOCK), -(-n_deltas // _BLOCK)
    largest = _MAX_DELTA_HEADER + n_blocks * (_MAX_DELTA_HEADER + _BLOCK * dtype.itemsize)
    raw = decompress_at_most(content, largest)
    expected = varint(_BLOCK) + varint(_MINIBLOCKS) + varint(count)
    if not raw.startswith(expected):
        raise ValueError("not the blocks of differences that are expected")
    first, start = _read_zigzag(raw, len(expected), dtype)
    values = np.empty(count, dtype)
    values[:1] = first
    if n_deltas == 0:
        _check_length(raw, start)
        return values
    least, widths = _read_zigzag(raw, start, dtype)
    header_size = widths + _MINIBLOCKS - start
    width = raw[widths] // 8 if widths < len(raw) else dtype.itemsize + 1
    if width > dtype.itemsize:
        raise ValueError("differences that are wider than the integers")
    unneeded = n_blocks * _MINIBLOCKS - n_miniblocks
    _check_length(raw, start + n_blocks * (header_size + _BLOCK * width) - unneeded * _MINIBLOCK * width)
    padded = np.frombuffer(raw[start:] + bytes(unneeded * _MINIBLOCK * width), np.uint8)
    blocks = padded.reshape(n_blocks, header_size + _BLOCK * width)
    _check_block_headers(blocks[:, :header_size], unneeded, width)
    unsigned = np.zeros((n_deltas, dtype.itemsize), np.uint8)
    unsigned[:, :width] = blocks[:, header_size:].reshape(n_blocks * _BLOCK, width)[:n_deltas]
    values[1:] = unsigned.view(dtype).reshape(n_deltas)
    values[1:] += np.array(least, dtype)
    return np.cumsum(values, dtype=dtype)


def _check_length(raw: bytes, expected: int) -> None:
    if len(raw) != expected:
        raise ValueError(f"{len(raw)} bytes of differences where {expected} are expected")


def _check_block_headers(headers: tp.Array2d, unneeded: int, width: int) -> None:
    expected = np.tile(headers[0], (len(headers), 1))
    expected[:, -_MINIBLOCKS:] = 8 * width
    expected[-1, headers.shape[1] - unneeded :] = 0
    if not np.array_equal(headers, expected):
        raise ValueError("blocks of differences that are unlike each other")


def varint(number: int) -> bytes:
    """Return a natural number seven bits a byte, the lowest first."""
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    content.append(number)
    return bytes(content)


def zigzag(number: int) -> bytes:
    """Return an integer as a natural number: 0, -1, 1, -2, 2 and so on."""
    return varint(2 * number if number >= 0 else -2 * number - 1)


def _read_zigzag(raw: bytes, start: int, dtype: np.dtype) -> tp.Tuple[int, int]:
    """Return an integer and where it ends."""
    natural = 0
    for i, byte in enumerate(raw[start : start + 10]):
        natural |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            number = natural // 2 if natural % 2 == 0 else -(natural // 2) - 1
            if not np.iinfo(dtype).min <= number <= np.iinfo(dtype).max:
                raise ValueError(f"an integer that {dtype} cannot hold")
            return number, start + i + 1
    raise ValueError("an integer that does not end")
