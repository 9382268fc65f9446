"""The reader of the portable format.

Promise: whatever the bytes of a file, a portfolio loads or the errors are `ArtifactCorruptedError` and
`ArtifactUnreadableError`; a column that loads is that of the whole; and what was loaded can be written and read again.

An input names a golden portfolio, one of its files, and what takes the place of what: the file itself, the JSON of its
header, or the values of one of its columns. Digests and names are made to fit, as somebody who knows the format can."""

import hashlib
import json
import warnings
import zlib
from contextlib import suppress

import numpy as np
import pyarrow as pa

from tests.fuzz.altering import alter_json
from tests.fuzz.reader import GOLDEN, Reader
from tests.support.hostile_parquet import written_by_others
from vectorbt.portfolio.registry.encoding import loads
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactUnreadableError, UnportablePortfolioError
from vectorbt.portfolio.registry.portfolios.columns import select_column
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, BlobReader
from vectorbt.portfolio.registry.portfolios.portable.prices import _column_digest, _index_digest, _name, is_prices
from vectorbt.portfolio.registry.portfolios.portable.table import TableFile

PORTABLE = FORMATS["portable"]
FILE, HEADER, VALUES = range(3)
FOLDERS = sorted((GOLDEN / "portable_version_1").glob("*/*"))


class Blobs(BlobReader):
    """Files in memory."""

    def __init__(self, blobs):
        self._blobs = blobs

    def __call__(self, name, start=0, end=None):
        return self._blobs[name][start:end]

    def size(self, name):
        return len(self._blobs[name])


def golden_files(folder):
    """Return the files of a golden portfolio by name, the main one first."""
    paths = sorted(folder.glob("*.parquet"), key=lambda path: (is_prices(path.name), path.name.count("."), path.name))
    return {path.name: path.read_bytes() for path in paths}


GOLDEN_FILES = [golden_files(folder) for folder in FOLDERS]


def table_of(content):
    table = TableFile.of(content)
    return dict(table.header), table.columns()


def check(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blobs = blobs_of(data)
        portfolio, column = load(blobs), load(blobs, 0)
        if portfolio is None or zlib.crc32(data) % 5:  # the rest takes three times as long
            return
        if column is not None:
            assert_same(column, select_column(portfolio, 0))
        with suppress(UnportablePortfolioError):  # it may hold what only other writers write
            again = PORTABLE.dump(portfolio, STEM)
            assert_same(PORTABLE.load(list(again), Blobs(again)), portfolio)


def load(blobs, column=None):
    """Return a portfolio, or a column of it, or None if it does not load."""
    try:
        if column is None:
            return PORTABLE.load(list(blobs), Blobs(blobs))
        return PORTABLE.load_column(list(blobs), Blobs(blobs), column)
    except (ArtifactCorruptedError, ArtifactUnreadableError) as e:
        assert str(e).replace("\n", "").isprintable(), repr(str(e))
        return None


def assert_same(found, expected):
    for name in ("order_records", "log_records", "close"):
        values, others = np.asarray(found.config[name]), np.asarray(expected.config[name])
        assert values.dtype == others.dtype and values.shape == others.shape, name
        for field in values.dtype.names or [...]:
            assert values[field].tobytes() == others[field].tobytes(), name
    assert found.wrapper.index.equals(expected.wrapper.index)
    assert found.wrapper.columns.equals(expected.wrapper.columns)


STEM = "0b9d2c5e-0000-4000-8000-000000000000"


# ############# Inputs ############# #


def blobs_of(data):
    """Return the files that an input describes."""
    which, number, way, *_ = *data[:3], 0, 0, 0
    blobs = dict(GOLDEN_FILES[which % len(GOLDEN_FILES)])
    name = list(blobs)[number % len(blobs)]
    content = data[3:]
    if way % 3 == FILE:
        return fitted(blobs, name, content)
    header, columns = table_of(blobs[name])
    if way % 3 == HEADER:
        try:
            header = loads(content)
        except ValueError:
            return fitted(blobs, name, rewritten(content, columns))
    elif columns and content:
        values = columns[list(columns)[content[0] % len(columns)]]
        raw = values.view(np.uint8)
        new = np.frombuffer(content[1:], np.uint8)[: raw.size]
        raw[: new.size] = new
    if is_prices(name) and type(header) is dict:
        header = with_digests(header, columns)
    return fitted(blobs, name, rewritten(json.dumps(header).encode(), columns), header)


def rewritten(header, columns):
    """Return a file with a header as it is given."""
    values = {name: column.tolist() if column.dtype.kind == "V" else column for name, column in columns.items()}
    types = {name: pa.binary(column.dtype.itemsize) for name, column in columns.items() if column.dtype.kind == "V"}
    return written_by_others(header, {name: pa.array(values[name], types.get(name)) for name in columns})


def with_digests(header, columns):
    """Return the header of prices with the digests that it should have."""
    digests = header.get("digests")
    if type(digests) is not list or not digests or type(header.get("index")) is not dict:
        return header
    found = [_column_digest(columns[str(i)]) if str(i) in columns else own for i, own in enumerate(digests[1:])]
    return {**header, "digests": [_index_digest(header["index"], columns.get("index")), *found]}


def fitted(blobs, name, content, header=None):
    """Return files of which one has other content, with the name or the digest of it in the main one."""
    main = next(iter(blobs))
    if name == main:
        return {**blobs, name: content}
    main_header, columns = table_of(blobs[main])
    named = dict(main_header["close"])
    digests = dict(main_header["digests"])
    if is_prices(name):
        with suppress(KeyError, TypeError):
            named["prices"] = _name(header["digests"])
    else:
        digests[name.removeprefix(main.removesuffix(".parquet"))] = hashlib.sha256(content).hexdigest()
    blobs = {named["prices"] if other == name and is_prices(name) else other: blobs[other] for other in blobs}
    blobs[named["prices"] if is_prices(name) else name] = content
    changed = json.dumps({**main_header, "close": named, "digests": digests}).encode()
    return {**blobs, main: rewritten(changed, columns)}


def alter(data, chance):
    """Change the header, or some values."""
    start, content = data[:3], data[3:]
    if len(start) < 3 or start[2] % 3 == FILE:
        return data
    if start[2] % 3 == HEADER:
        return start + alter_json(content, chance, TOKENS)
    edges = np.array([0, 1, -1, 2, 60, 2**31, -(2**63), 2**63 - 1, chance.randrange(100)], np.int64)
    new = bytearray(content[:1] + content[1:].ljust(8 * chance.randrange(1, 5), b"\0"))
    at = 1 + 8 * chance.randrange((len(new) - 1) // 8)
    new[at : at + 8] = chance.choice((chance.choice(edges), np.float64(chance.choice((np.nan, np.inf, -1))))).tobytes()
    return start + bytes(new)


TOKENS = (
    *("format", "version", "wrapper", "columns", "entries", "ndim", "freq", "group_by", "index", "kind", "range"),
    *("start", "stop", "step", "name", "names", "levels", "codes", "categories", "ordered", "multi", "categorical"),
    *("datetime", "timedelta", "period", "array", "labels", "zone", "unit", "ns", "s", "init_cash", "cash_sharing"),
    *("close", "value", "positions", "prices", "dtype", "fortran", "records", "no_logs", "digests", "call_seq"),
    *("found_init_cash", "$scalar", "$repeated", "$index", "$offset", "$labeled", "$ndarray", "$float", "$tuple"),
    *("values", "series", "frame", "column_only_select", "group_select", "grouped_ndim", "<f8", "<i8", "|V8", "1D"),
    *(".logs.parquet", ".calls.parquet", "columns_per_group", "Europe/Berlin", "W-SUN", "interval", "<M8[ns]"),
)


def seeds():
    """Return each file of each golden portfolio of the newest vectorbt: itself, its header, and its values."""
    found = []
    for which, blobs in enumerate(GOLDEN_FILES):
        if FOLDERS[which].parent.name == FOLDERS[-1].parent.name:
            for number, content in enumerate(blobs.values()):
                header, columns = table_of(content)
                found.append(bytes([which, number, FILE]) + content)
                found.append(bytes([which, number, HEADER]) + json.dumps(header, separators=(",", ":")).encode())
                found.append(bytes([which, number, VALUES, len(columns) - 1]) + bytes(8))
    return found


READER = Reader(check, seeds, TOKENS, alter, longest=8192)
