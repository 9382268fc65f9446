"""Whatever the bytes of a portable portfolio are, reading them ends soon, in bounded memory, with the one error."""

import gzip
import json
import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.portfolios.test_portable import PORTABLE, STEM, Blobs, dump, load, load_column
from tests.support.factories import make_sweep
from tests.support.portfolios import make_basket
from vectorbt.portfolio.registry.encoding import encode
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError
from vectorbt.portfolio.registry.portfolios.portable.parquet_file import (
    FREE_MEMORY,
    MAX_EXPANSION,
    TableFile,
    write_file,
)
from vectorbt.portfolio.registry.portfolios.portable.parquet_pages import compress, read_page, write_page

BLOBS = dump(make_sweep(log=True, attach_call_seq=True))
MAIN = f"{STEM}.parquet"
PRICES = next(name for name in BLOBS if name.startswith("prices-"))
LOGS, CALLS = f"{STEM}.logs.parquet", f"{STEM}.calls.parquet"
RANGE = dict(kind="range", start=0, stop=2**27, step=1, name=None)
SHARING = dump(make_basket(group_by=["x", "y", "y"], cash_sharing=True, attach_call_seq=True))


def refused(blobs):
    """Check that neither the whole nor a column is read, and that nothing but the one error is raised."""
    for read in (load, lambda blobs: load_column(blobs, 0)):
        with pytest.raises(ArtifactCorruptedError):
            read(blobs)


def loads_or_is_refused(blobs):
    for read in (load, lambda blobs: load_column(blobs, 1)):
        with suppress(ArtifactCorruptedError):
            read(blobs)


def edited(change, blobs=BLOBS, name=MAIN):
    """Return blobs in which the header of one was changed by somebody who knows the format."""
    content = blobs[name]
    (length,) = struct.unpack_from("<I", content, 4)
    header = json.loads(gzip.decompress(content[8 : 8 + length]))
    change(header)
    compressed = compress(json.dumps(header).encode())
    start = b"PAR1" + struct.pack("<I", len(compressed)) + compressed
    return {**blobs, name: start + content[8 + length :]}


def rewritten(name, column, change):
    """Return blobs in which a column of one file was changed, with all digests and checksums as they should be."""
    import hashlib

    table = TableFile.of(BLOBS[name])
    columns = {field: table.column(field).copy() for field in table.names}
    change(columns[column])
    content = write_file(table.meaning, columns, [0, len(columns[column])])
    blobs = {**BLOBS, name: content}
    if name == MAIN:
        return blobs
    digest = hashlib.sha256(content).hexdigest()
    return edited(lambda h: h["meaning"]["digests"].update({name.removeprefix(STEM): digest}), blobs)


# ############# Random damage ############# #


@pytest.mark.parametrize("name", list(BLOBS))
@given(content=st.binary(max_size=300), with_magic=st.booleans())
@settings(max_examples=30)
def test_random_bytes(name, content, with_magic):
    start = b"PAR1" + struct.pack("<I", len(content)) if with_magic else b""
    loads_or_is_refused({**BLOBS, name: start + content})
    with pytest.raises(ArtifactCorruptedError):
        load({**BLOBS, name: start + content})


@pytest.mark.parametrize("name", list(BLOBS))
@given(data=st.data())
@settings(max_examples=30)
def test_truncations(name, data):
    content = BLOBS[name]
    loads_or_is_refused({**BLOBS, name: content[: data.draw(st.integers(0, len(content) - 1))]})


@pytest.mark.parametrize("name", list(BLOBS))
@given(data=st.data())
@settings(max_examples=100)
def test_bit_flips(name, data):
    content = bytearray(BLOBS[name])
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    loads_or_is_refused({**BLOBS, name: bytes(content)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def paths(value, path=()):
    """Return the paths of all values inside of a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


@pytest.mark.parametrize("name", [MAIN, PRICES])
@given(data=st.data())
@settings(max_examples=150)
def test_anything_in_the_header(name, data):
    def change(header):
        *path, last = data.draw(st.sampled_from([path for path in paths(header) if path]))
        for key in path:
            header = header[key]
        header[last] = data.draw(JSON)

    loads_or_is_refused(edited(change, name=name))


# ############# Somebody who knows the format ############# #


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        (MAIN, "idx", 60),
        (MAIN, "idx", -1),
        (MAIN, "idx", 2**62),
        (MAIN, "col", 3),
        (MAIN, "col", -1),
        (LOGS, "idx", 60),
        (LOGS, "col", 2**40),
        (LOGS, "group", 3),
        (CALLS, "call_seq", 1),
        (CALLS, "call_seq", -1),
    ],
)
def test_what_points_nowhere(name, column, value):
    def change(values):
        values[0] = value

    with pytest.raises(ArtifactCorruptedError):
        load(rewritten(name, column, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["groups"][0].__setitem__(0, 10**13 // 56),
        lambda h: h["groups"][0][1][0].__setitem__(1, 10**13),
        lambda h: h["groups"][0][1][0].__setitem__(0, 10**13),
        lambda h: h["groups"][0][1][0].__setitem__(0, -1),
        lambda h: h["columns"].update(size={"$ndarray": ["|V999999999", [0], ""]}),
        lambda h: h["meaning"]["records"].update(dtype={"$ndarray": ["|V999999999", [0], ""]}),
        lambda h: h["meaning"].update(no_logs={"$ndarray": ["<i8", [0], ""]}),
        lambda h: h["meaning"]["wrapper"].update(columns=dict(kind="range", start=0, stop=10**12, step=1, name=None)),
        lambda h: h["meaning"]["wrapper"].update(columns=dict(kind="range", start=0, stop=2**27, step=1, name=None)),
        lambda h: h["meaning"]["wrapper"].update(
            columns=dict(
                kind="categorical", categories=RANGE, ordered=False, codes=encode(np.zeros(3, "i1")), name=None
            )
        ),
        lambda h: h["meaning"]["wrapper"].update(
            columns=dict(kind="multi", levels=[RANGE], codes=[encode(np.zeros(3, "i1"))], names=[None])
        ),
        lambda h: h.update(bomb=[{}] * 8_000_000),
        lambda h: h["meaning"]["wrapper"]["index"].update(kind="range", start=0, stop=10**12, step=1),
        lambda h: h["meaning"]["wrapper"]["index"].update(freq="7D"),
        lambda h: h["meaning"]["wrapper"]["entries"]["group_by"].update(value=[1, 0, 1]),
        lambda h: h["meaning"]["wrapper"]["entries"]["ndim"].update(value=1),
        lambda h: h["meaning"]["entries"].update(init_cash=dict(value={"$enum": ["os:system", "x", "y"]})),
        lambda h: h["meaning"]["entries"]["init_cash"].update(value=encode(np.zeros(7))),
        lambda h: h["meaning"]["entries"].update(evil=dict(value=1)),
        lambda h: h["meaning"]["close"].update(positions={"$ndarray": ["<i4", [3], "BQAAAAUAAAAFAAAA"]}),
        lambda h: h["meaning"]["close"].update(positions=10**12),
        lambda h: h["meaning"]["close"].update(prices="../../secret.parquet"),
        lambda h: h["meaning"]["close"].update(prices=LOGS),
        lambda h: h["meaning"].update(format="something else"),
        lambda h: h["meaning"].update(version="1"),
    ],
)
def test_what_a_header_cannot_claim(change):
    blobs = edited(change)
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactCorruptedError):
            load(blobs)
        assert tracemalloc.get_traced_memory()[1] < FREE_MEMORY
    finally:
        tracemalloc.stop()


def test_an_index_of_another_length():
    table = TableFile.of(BLOBS[PRICES])
    columns = {name: table.column(name)[:-1] for name in table.names}
    refused({**BLOBS, PRICES: write_file(table.meaning, columns, [0, 59])})


def test_prices_that_are_not_those_of_the_digest():
    table = TableFile.of(BLOBS[PRICES])
    columns = {name: table.column(name).copy() for name in table.names}
    columns["0"][3] += 1
    refused({**BLOBS, PRICES: write_file(table.meaning, columns, [0, 60])})


def test_a_compression_bomb():
    bomb = compress(bytes(2**28), level=9)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than"):
            read_page(0, bomb, np.dtype("S8"), 10)
        refused({**BLOBS, MAIN: b"PAR1" + struct.pack("<I", len(bomb)) + bomb})
        assert tracemalloc.get_traced_memory()[1] < FREE_MEMORY
    finally:
        tracemalloc.stop()


def test_differences_that_claim_too_much():
    page = write_page(np.arange(5))
    for count in (4, 6, 1000):
        with pytest.raises(ValueError):
            read_page(page.encoding, page.content, np.dtype("i8"), count)
    with pytest.raises(ValueError, match="cannot hold"):
        read_page(5, write_page(np.array([1, 300], "i4")).content, np.dtype("i1"), 2)


def test_a_file_that_expands_much_is_padded():
    zeros = np.zeros(2**26, np.int64)
    content = write_file({}, {"x": zeros}, [0, len(zeros)])
    assert len(content) * MAX_EXPANSION + FREE_MEMORY >= zeros.nbytes
    assert (TableFile.of(content).column("x") == 0).all()


def test_calls_stay_in_their_group():
    entry = dict(value=encode(np.zeros(3)))
    alone = edited(lambda h: h["meaning"]["entries"].update(cash_sharing=dict(value=False), init_cash=entry), SHARING)
    with pytest.raises(ArtifactCorruptedError, match="out of its group"):
        load(alone)


def test_only_the_files_of_the_record_are_read():
    class Watched(Blobs):
        def __call__(self, name, start=0, end=None):
            assert name in self.blobs
            return super().__call__(name, start, end)

    blobs = edited(lambda h: h["meaning"]["close"].update(prices="prices-" + "0" * 64 + ".parquet"))
    with pytest.raises(ArtifactCorruptedError, match="not its own"):
        PORTABLE.load(list(blobs), Watched(blobs))
