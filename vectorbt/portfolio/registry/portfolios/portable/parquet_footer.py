"""The metadata that readers of Parquet look for, in the compact protocol of Thrift.

Only written, never read."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.portfolios.portable.parquet_pages import Page, column_type, varint, zigzag

MAGIC = b"PAR1"

_CREATOR = "vectorbt-registry version 1"
_GZIP_CODEC = 2
_REQUIRED = 0
_RLE = 3

# Types of the compact protocol.
_TRUE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 5, 6, 8, 9, 12

_FieldT = tp.Tuple[int, int, bytes]


class ColumnChunk(tp.NamedTuple):
    """A page where it is: its position behind the header of the file, the size of its own header, and its rows."""

    position: int
    head: int
    page: Page
    rows: int


def page_header(page: Page, rows: int) -> bytes:
    """Return what precedes a page."""
    data_page = _struct(_i32(1, rows), _i32(2, page.encoding), _i32(3, _RLE), _i32(4, _RLE))
    return _struct(_i32(1, 0), _i32(2, page.uncompressed), _i32(3, len(page.content)), (5, _STRUCT, data_page))


def footer(
    columns: tp.Dict[str, tp.Array1d],
    groups: tp.Sequence[tp.Sequence[ColumnChunk]],
    offset: int,
    timestamps: tp.Collection[str],
) -> bytes:
    """Return the end of a file.

    Args:
        columns (dict): Arrays by name.
        groups (list): Chunks of each row group.
        offset (int): Position in the file from which the positions of the chunks count.
        timestamps (collection of str): Names of the columns that hold nanoseconds since 1970."""
    root = _struct(_text(4, "schema"), _i32(5, len(columns)))
    schema = [root, *(_schema_element(name, values, name in timestamps) for name, values in columns.items())]
    row_groups = [_row_group(columns, chunks, offset) for chunks in groups]
    rows = sum(chunks[0].rows for chunks in groups if chunks)
    metadata = _struct(
        _i32(1, 1),
        _list(2, _STRUCT, schema),
        _i64(3, rows),
        _list(4, _STRUCT, row_groups),
        _text(6, _CREATOR),
    )
    return metadata + len(metadata).to_bytes(4, "little") + MAGIC


def _schema_element(name: str, values: tp.Array1d, is_timestamp: bool) -> bytes:
    kind = column_type(values.dtype)
    fields = [_i32(1, kind.physical)]
    if kind.length is not None:
        fields.append(_i32(2, kind.length))
    fields += [_i32(3, _REQUIRED), _text(4, name)]
    if is_timestamp:
        nanoseconds = _struct((3, _STRUCT, _struct()))
        timestamp = _struct((1, _TRUE, b""), (2, _STRUCT, nanoseconds))
        fields.append((10, _STRUCT, _struct((8, _STRUCT, timestamp))))
    elif kind.converted is not None:
        fields.append(_i32(6, kind.converted))
    return _struct(*fields)


def _row_group(columns: tp.Dict[str, tp.Array1d], chunks: tp.Sequence[ColumnChunk], offset: int) -> bytes:
    encoded = [_column_chunk(name, columns[name], chunk, offset) for name, chunk in zip(columns, chunks)]
    size = sum(chunk.head + chunk.page.uncompressed for chunk in chunks)
    return _struct(_list(1, _STRUCT, encoded), _i64(2, size), _i64(3, chunks[0].rows if chunks else 0))


def _column_chunk(name: str, values: tp.Array1d, chunk: ColumnChunk, offset: int) -> bytes:
    metadata = _struct(
        _i32(1, column_type(values.dtype).physical),
        _list(2, _I32, [zigzag(chunk.page.encoding)]),
        _list(3, _BINARY, [_binary(name)]),
        _i32(4, _GZIP_CODEC),
        _i64(5, chunk.rows),
        _i64(6, chunk.head + chunk.page.uncompressed),
        _i64(7, chunk.head + len(chunk.page.content)),
        _i64(9, offset + chunk.position),
    )
    return _struct(_i64(2, offset + chunk.position), (3, _STRUCT, metadata))


# ############# Thrift ############# #


def _struct(*fields: _FieldT) -> bytes:
    content, last = b"", 0
    for number, kind, value in fields:
        content += bytes([(number - last) << 4 | kind]) + value
        last = number
    return content + b"\0"


def _i32(number: int, value: int) -> _FieldT:
    return number, _I32, zigzag(value)


def _i64(number: int, value: int) -> _FieldT:
    return number, _I64, zigzag(value)


def _text(number: int, value: str) -> _FieldT:
    return number, _BINARY, _binary(value)


def _binary(value: str) -> bytes:
    content = value.encode()
    return varint(len(content)) + content


def _list(number: int, kind: int, items: tp.Sequence[bytes]) -> _FieldT:
    count = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + varint(len(items))
    return number, _LIST, count + b"".join(items)
