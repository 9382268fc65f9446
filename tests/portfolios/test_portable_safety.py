"""Whatever the bytes of a portable portfolio are, reading them ends soon, in bounded memory, with the one error."""

import hashlib
import io
import json
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.portfolios.test_portable import PORTABLE, STEM, Blobs, bits, dump, load, load_column
from tests.support import hostile_parquet
from tests.support.factories import make_sweep
from tests.support.hostile_parquet import gzipped, with_page, written_by_others
from tests.support.portfolios import make_basket
from vectorbt.portfolio.registry import RunRegistry
from vectorbt.portfolio.registry.encoding import encode
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactUnreadableError
from vectorbt.portfolio.registry.portfolios.portable.table import (
    FREE_MEMORY,
    MAX_EXPANSION,
    MAX_LIST,
    TableFile,
    write_table,
)

BLOBS = dump(make_sweep(log=True, attach_call_seq=True))
MAIN = f"{STEM}.parquet"
PRICES = next(name for name in BLOBS if name.startswith("prices-"))
LOGS, CALLS = f"{STEM}.logs.parquet", f"{STEM}.calls.parquet"
RANGE = dict(kind="range", start=0, stop=2**27, step=1, name=None)
SHARING = dump(make_basket(group_by=["x", "y", "y"], cash_sharing=True, attach_call_seq=True))


def load_returns(blobs):
    return PORTABLE.load_returns(list(blobs), Blobs(blobs))


def refused(blobs):
    """Check that neither the whole nor a column is read, and that nothing but the one error is raised."""
    for read in (load, lambda blobs: load_column(blobs, 0)):
        with pytest.raises(ArtifactCorruptedError):
            read(blobs)


def loads_or_is_refused(blobs):
    for read in (load, load_returns, lambda blobs: load_column(blobs, 1)):
        with suppress(ArtifactCorruptedError, ArtifactUnreadableError):  # a version may be any number
            read(blobs)


def table_of(name, blobs=BLOBS):
    """Return the header and the columns of a file, which may be changed."""
    table = TableFile.of(blobs[name])
    return json.loads(json.dumps(table.header)), table.columns()


def with_file(name, content, blobs=BLOBS):
    """Return blobs with another file, and its digest as it should be."""
    blobs = {**blobs, name: content}
    ending = name.removeprefix(STEM)
    if name in (MAIN, PRICES):
        return blobs
    return edited(lambda header: header["digests"].update({ending: hashlib.sha256(content).hexdigest()}), blobs)


def edited(change, blobs=BLOBS, name=MAIN):
    """Return blobs in which the header of one was changed by somebody who knows the format."""
    header, columns = table_of(name, blobs)
    change(header)
    return with_file(name, written_by_others(header, columns), blobs)


def rewritten(name, column, change):
    """Return blobs in which a column of one file was changed, with all digests and checksums as they should be."""
    header, columns = table_of(name)
    change(columns[column])
    return with_file(name, write_table(header, columns, [0, len(columns[column])]))


def test_what_is_written_by_others_is_read_where_it_is_right():
    for name in BLOBS:
        header, columns = table_of(name)
        loaded = load(with_file(name, written_by_others(header, columns)))
        assert bits(loaded.log_records) == bits(load(BLOBS).log_records)


# ############# Random damage ############# #


@pytest.mark.parametrize("name", list(BLOBS))
@given(content=st.binary(max_size=300), with_magic=st.booleans())
@settings(max_examples=30)
def test_random_bytes(name, content, with_magic):
    if with_magic:
        content = b"PAR1" + content + len(content).to_bytes(4, "little") + b"PAR1"
    loads_or_is_refused({**BLOBS, name: content})
    with pytest.raises(ArtifactCorruptedError):
        load({**BLOBS, name: content})


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


@given(data=st.data())
@settings(max_examples=100)
def test_a_bit_flip_is_noticed_where_one_column_is_read(data):
    content = bytearray(BLOBS[MAIN])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(ArtifactCorruptedError):
        found = load_column({**BLOBS, MAIN: bytes(content)}, 1)
        expected = load_column(BLOBS, 1)
        assert bits(found.order_records) == bits(expected.order_records)
        assert found.close.equals(expected.close) and found.init_cash == expected.init_cash


@pytest.mark.parametrize("name", [MAIN, LOGS, CALLS])
@given(data=st.data())
@settings(max_examples=60)
def test_any_values(name, data):
    header, columns = table_of(name)
    field = data.draw(st.sampled_from(list(columns)))
    values = columns[field]
    edges = [0, 1, -1, 2, 3, 60, 2**31, -(2**63)] if values.dtype.kind == "i" else [0.0, -1.0, np.nan, np.inf, 1e308]
    some = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=5))
    with np.errstate(all="ignore"):
        values[some] = np.array(data.draw(st.sampled_from(edges))).astype(values.dtype)
    loads_or_is_refused(with_file(name, write_table(header, columns, [0, len(values)])))


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
        lambda h: h["records"].update(dtype={"$ndarray": ["|V999999999", [0], ""]}),
        lambda h: h.update(no_logs={"$ndarray": ["<i8", [0], ""]}),
        lambda h: h["wrapper"].update(columns=dict(kind="range", start=0, stop=10**12, step=1, name=None)),
        lambda h: h["wrapper"].update(columns=dict(kind="range", start=0, stop=2**27, step=1, name=None)),
        lambda h: h["wrapper"].update(
            columns=dict(
                kind="categorical", categories=RANGE, ordered=False, codes=encode(np.zeros(3, "i1")), name=None
            )
        ),
        lambda h: h["wrapper"].update(
            columns=dict(kind="multi", levels=[RANGE], codes=[encode(np.zeros(3, "i1"))], names=[None])
        ),
        lambda h: h["wrapper"]["index"].update(kind="range", start=0, stop=10**12, step=1),
        lambda h: h["wrapper"]["index"].update(freq="7D"),
        lambda h: h["wrapper"]["entries"].update(group_by=[1, 0, 1]),
        lambda h: h["wrapper"]["entries"].update(ndim=1),
        lambda h: h["entries"].update(init_cash={"$enum": ["os:system", "x", "y"]}),
        lambda h: h["entries"].update(init_cash=encode(np.zeros(7))),
        lambda h: h["entries"].update(init_cash={"$repeated": [10**12, {"$scalar": encode(np.zeros(()))}]}),
        lambda h: h["entries"].update(evil=1),
        lambda h: h["close"].update(positions={"$ndarray": ["<i4", [3], "BQAAAAUAAAAFAAAA"]}),
        lambda h: h["close"].update(positions=10**12),
        lambda h: h["close"].update(dtype="O"),
        lambda h: h["close"].update(dtype="<V8"),
        lambda h: h["close"].update(prices="../../secret.parquet"),
        lambda h: h["close"].update(prices=LOGS),
        lambda h: h.update(format="something else"),
        lambda h: h.update(version="1"),
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
    header, columns = table_of(PRICES)
    shorter = {name: values[:-1] for name, values in columns.items()}
    refused({**BLOBS, PRICES: write_table(header, shorter, [0, 59])})


def test_prices_that_are_not_those_of_the_digest():
    header, columns = table_of(PRICES)
    columns["0"][3] += 1
    refused({**BLOBS, PRICES: write_table(header, columns, [0, 60])})


@pytest.mark.parametrize(
    "array",
    [
        pa.array([[1, 2], []]),
        pa.array(["a", "b"]),
        pa.array([1, None]),
        pa.array([{"x": 1}, {"x": 2}]),
        pa.array([1, 2], pa.decimal128(5)),
    ],
)
def test_columns_that_are_no_numbers(array):
    with pytest.raises(ValueError, match="another type"):
        TableFile.of(written_by_others({}, {"x": array}))


def test_what_the_footer_does_not_say_is_not_read():
    content = written_by_others({}, {"x": pa.array(["a", "a"]).dictionary_encode()}, use_dictionary=True)
    with pytest.raises(ValueError):
        TableFile.of(content).columns()
    with pytest.raises(ValueError, match="no column"):
        TableFile.of(BLOBS[MAIN]).columns(["mystery"])
    with pytest.raises(ValueError, match="no row group"):
        TableFile.of(BLOBS[MAIN]).columns(groups=[7])


def test_a_footer_that_claims_too_much():
    with pytest.raises(ValueError, match="cannot stand for"):
        TableFile.of(with_page(gzipped(bytes(80)), 80, 10**12))


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}"), ("[[],", "]")])
def test_a_header_that_nests(brackets):
    depth = 200_000
    inner = brackets[0] * depth + "0" + brackets[1] * depth
    for header in (inner.encode(), f'{{"x":{inner}}}'.encode()):
        content = written_by_others(header, {"x": pa.array([1.0])})
        tracemalloc.start()
        try:
            with pytest.raises(ValueError):
                TableFile.of(content)
            refused({**BLOBS, MAIN: content})
            assert tracemalloc.get_traced_memory()[1] < 2**26
        finally:
            tracemalloc.stop()


def test_a_table_has_so_many_columns_and_row_groups():
    columns = {str(i): np.arange(1) for i in range(MAX_LIST)}
    with pytest.raises(ValueError, match="at most"):
        write_table({}, columns, [0, 1])
    with pytest.raises(ValueError, match="at most"):
        write_table({}, {"x": np.arange(MAX_LIST + 1)}, range(MAX_LIST + 2))
    del columns["0"]
    assert TableFile.of(write_table({}, columns, [0, 1])).names == list(columns)


def test_a_file_that_expands_much_is_padded():
    zeros = np.zeros(2**26, np.int64)
    content = write_table({}, {"x": zeros}, [0, len(zeros)])
    assert len(content) * MAX_EXPANSION + FREE_MEMORY >= zeros.nbytes
    assert (TableFile.of(content).columns()["x"] == 0).all()
    assert (pq.read_table(io.BytesIO(content))["x"].to_numpy() == 0).all()


def test_little_memory_is_enough_to_refuse():
    done = subprocess.run([sys.executable, Path(hostile_parquet.__file__)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "refused" in done.stdout


def test_calls_stay_in_their_group():
    alone = edited(lambda h: h["entries"].update(cash_sharing=False, init_cash=encode(np.zeros(3))), SHARING)
    with pytest.raises(ArtifactCorruptedError, match="out of its group"):
        load(alone)


def test_only_the_files_of_the_record_are_read():
    class Watched(Blobs):
        def __call__(self, name, start=0, end=None):
            assert name in self.blobs
            return super().__call__(name, start, end)

    blobs = edited(lambda h: h["close"].update(prices="prices-" + "0" * 64 + ".parquet"))
    with pytest.raises(ArtifactCorruptedError, match="not its own"):
        PORTABLE.load(list(blobs), Watched(blobs))


@pytest.mark.parametrize("deep", [False, True])
def test_an_altered_portfolio_in_a_registry(tmp_path, deep):
    """Whoever can write to the folder can also put the digest of what he has made into the record."""
    registry = RunRegistry(tmp_path, portfolio_format="portable", allow_pickle=False)
    run_id = registry.save_sweep(make_sweep(), "x")[0]
    names = registry.get_run(run_id).artifact["names"]
    blobs = {name: registry.store.artifacts.read(name) for name in names}
    header, columns = table_of(names[0], blobs)
    header["entries"]["engine" if "engine" in header["entries"] else "fillna_close"] = {"$scalar": "nonsense"}
    content = write_table(header, columns, [0, len(columns["id"])])
    registry.store.artifacts.write(names[0], content)

    def refer(record):
        record.artifact = {**record.artifact, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return record

    registry.store.update(run_id, refer)
    if deep:
        assert "altered_artifact" in {problem.kind for problem in registry.check(deep=True)}
        return
    for load_from in (registry.load_portfolio, lambda run_id: registry.store.load_returns([run_id])):
        with pytest.raises(ArtifactCorruptedError):
            load_from(run_id)
