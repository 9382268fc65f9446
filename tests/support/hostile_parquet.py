"""Reads hostile Parquet files with little memory. Run as a program: the limit holds for the whole process.

The files are made by hand, out of Thrift's compact protocol, since nobody's writer makes them."""

import hashlib
import io
import json
import random
import resource
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

from vectorbt.portfolio.registry.portfolios.portable.table import DIGEST, HEADER, MAX_LIST, TableFile, write_table

LIMIT = 2**31
"""Bytes of address space."""

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12


def varint(number):
    """Return a natural number seven bits a byte, the lowest first."""
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])


def integer(number):
    """Return an integer as a natural number: 0, -1, 1, -2, 2 and so on."""
    return varint(2 * number if number >= 0 else -2 * number - 1)


def text(value):
    """Return text with its length in front."""
    return varint(len(value)) + value.encode()


def struct(*fields):
    """Return a struct of fields, each with its number, its type, and its encoded value."""
    content, last = b"", 0
    for number, kind, value in fields:
        content += bytes([(number - last) << 4 | kind]) + value
        last = number
    return content + b"\0"


def listed(kind, items, count=None):
    """Return a list, which may claim to have more items than it has."""
    return bytes([0xF0 | kind]) + varint(len(items) if count is None else count) + b"".join(items)


def element(name, kind=None, children=None):
    """Return a column or a group of the schema."""
    fields = [(1, I32, integer(kind))] if kind is not None else []
    fields += [(3, I32, integer(0)), (4, BINARY, text(name))]
    return struct(*fields, *([(5, I32, integer(children))] if children is not None else []))


def file_of(schema, groups=(), rows=0, pages=b"", n_groups=None):
    """Return a Parquet file."""
    footer = struct(
        (1, I32, integer(2)),
        (2, LIST, schema),
        (3, I64, integer(rows)),
        (4, LIST, listed(STRUCT, groups, n_groups)),
    )
    return b"PAR1" + pages + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def with_page(content, uncompressed, rows, claimed_rows=None, codec=2):
    """Return a file of one column of 8 bytes, and one page that claims a size."""
    data_page = struct(
        (1, I32, integer(claimed_rows or rows)), (2, I32, integer(0)), *((i, I32, integer(3)) for i in (3, 4))
    )
    head = struct(
        (1, I32, integer(0)), (2, I32, integer(uncompressed)), (3, I32, integer(len(content))), (5, STRUCT, data_page)
    )
    size = len(head) + len(content)
    metadata = struct(
        (1, I32, integer(2)),
        (2, LIST, listed(I32, [integer(0)])),
        (3, LIST, listed(BINARY, [text("x")])),
        (4, I32, integer(codec)),
        (5, I64, integer(rows)),
        (6, I64, integer(8 * rows)),
        (7, I64, integer(size)),
        (9, I64, integer(4)),
    )
    group = struct(
        (1, LIST, listed(STRUCT, [struct((2, I64, integer(4)), (3, STRUCT, metadata))])),
        (2, I64, integer(8 * rows)),
        (3, I64, integer(rows)),
    )
    schema = listed(STRUCT, [element("schema", children=1), element("x", 2)])
    return file_of(schema, [group], rows, head + content)


def deep_schema(depth):
    """Return a file whose columns nest."""
    groups = [element("g", children=1)] * depth
    return file_of(listed(STRUCT, [element("schema", children=1), *groups, element("x", 2)]))


def written_by_others(header, arrays, **options):
    """Return a file as pyarrow writes it, which `write_table` would not."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    metadata = {HEADER: content, DIGEST: hashlib.sha256(content).hexdigest()}
    arrays = {name: pa.array(values) for name, values in arrays.items()}
    fields = [pa.field(name, array.type, nullable=array.null_count > 0) for name, array in arrays.items()]
    table = pa.table(list(arrays.values()), pa.schema(fields))
    file = io.BytesIO()
    with pq.ParquetWriter(
        file, table.schema, **dict(dict(store_schema=False, use_dictionary=False), **options)
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)
    return file.getvalue()


def gzipped(content):
    """Return bytes as gzip compresses them."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return compressor.compress(content) + compressor.flush()


def hostile_files():
    """Yield files by what they do."""
    flat = listed(STRUCT, [element("schema", children=1), element("x", 2)])
    yield "nested columns, as many as a list may have", deep_schema(MAX_LIST - 2)
    yield "nested columns", deep_schema(1_000_000)
    yield "a schema that claims many columns", file_of(listed(STRUCT, [element("schema", children=1)], 2**31 - 1))
    yield "many row groups claimed", file_of(flat, n_groups=2**31 - 1)
    yield "many rows claimed", with_page(gzipped(bytes(80)), 80, 10**12)
    yield "a page that claims 2 GB", with_page(gzipped(bytes(80)), 2**31 - 1, 10)
    yield "a page of 240 MB that claims 80 bytes", with_page(gzipped(bytes(1_900_000_000 // 8)), 1_900_000_000 // 8, 10)
    yield "a page that claims many values", with_page(gzipped(bytes(80)), 80, 10, 2**31 - 1)
    yield "a negative size", with_page(gzipped(bytes(80)), -5, 10)
    yield "a text that claims 2 GB", file_of(listed(STRUCT, [struct((4, BINARY, varint(2**31 - 1)))]))
    yield "no footer", b"PAR1" + (2**31 - 1).to_bytes(4, "little") + b"PAR1"
    valid = write_table(
        {"a": [1]}, {"x": pa.array(range(2000)).to_numpy(), "y": pa.array([0.5] * 2000).to_numpy()}, [0, 1000, 2000]
    )
    chance = random.Random(0)
    for i in range(3_000):
        content = bytearray(valid)
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        yield f"damage {i}", bytes(content)


def main():
    """Read all of them. Whatever is not refused with the one error ends the program."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    refused = 0
    for name, content in hostile_files():
        try:
            TableFile.of(content).columns()
        except (ValueError, MemoryError):
            refused += 1
        else:
            assert name.startswith(("damage", "a page that claims many values")), name
    print(f"refused {refused}")


if __name__ == "__main__":
    main()
