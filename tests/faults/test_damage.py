"""Metadata that was altered: each damage is listed with its place, all else still reads, and no byte of it is lost."""

import json
import os
import uuid
import warnings
import zlib
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.examples import expensive
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, QueryError, RunNotFoundError, RunRegistry, SchemaVersionError
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.stores.journal import frame, header

RUNS = 6
SWEEP_ID = str(uuid.UUID(int=7, version=4))
DELETED = make_record(30)
KINDS = ("run", "runs", "changed", "deleted", "trial", "trials")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the damage, which is what is looked at here
        yield


def new_store(folder):
    """Return a store of six runs, a sweep of three and a deleted run. The run on line n has the number n - 2."""
    store = FileStore(folder / uuid.uuid4().hex)
    for number in range(RUNS):
        store.save_run(make_record(number))
    store.save_runs([make_record(20 + column, sweep_id=SWEEP_ID, column=column) for column in range(3)])
    store.save_run(DELETED)
    store.delete_runs([DELETED.run_id])
    return store


def ids(store):
    return {run.run_id for run in FileStore(store.base_dir).select(Query(deleted=None))}


def everything_saved():
    return {make_record(number).run_id for number in (*range(RUNS), 20, 21, 22, 30)}


def lines_of_file(store):
    return store.metadata_file.read_bytes().splitlines(keepends=True)


def assert_nothing_more_is_lost(store, damaged):
    """Save, compact and save again: what could not be read is still there, byte for byte."""
    before = ids(store)
    for number in (50, 51):
        FileStore(store.base_dir).save_run(make_record(number))
        FileStore(store.base_dir).compact()
    assert ids(store) == before | {make_record(number).run_id for number in (50, 51)}
    kept = store.metadata_file.read_bytes() + b"".join(
        path.read_bytes() for path in [store.damaged_file] if path.exists()
    )
    for content in damaged:
        assert content.strip(b"\r\n") in kept


# ############# One line ############# #


def flip_a_bit(line):
    return line[:60] + bytes([line[60] ^ 4]) + line[61:]


UNREADABLE = {
    "flipped bit in the value": flip_a_bit,
    "flipped bit in the checksum": lambda line: line[:10] + bytes([line[10] ^ 1]) + line[11:],
    "flipped bit in the kind": lambda line: line[:20] + bytes([line[20] ^ 1]) + line[21:],
    "cut": lambda line: line[:80] + b"\n",
    "longer": lambda line: line[:-2] + b',"x":1}\n',
    "foreign JSON object": lambda line: b'{"run_id": 5}\n',
    "foreign JSON values": lambda line: b'[1, 2]\nnull\n"text"\n3.5\n',
    "no JSON": lambda line: b"<<<<<<< HEAD\n",
    "an empty line": lambda line: b"\n",
    "invalid UTF-8": lambda line: line[:90] + b"\xff\xfe\xc0" + line[90:],
    "zeros": lambda line: bytes(len(line) - 1) + b"\n",
    "100,000 brackets": lambda line: b"[" * 100_000 + b"\n",
    "brackets in the frame": lambda line: b'{"crc":"00000000","run":' + b"[" * 100_000 + b"}\n",
    "UTF-16": lambda line: line.decode().encode("utf-16-le").replace(b"\n", b" ") + b"\n",
}


@pytest.mark.parametrize("number", [2, 4, 7])
@pytest.mark.parametrize("damage", UNREADABLE)
def test_a_line_that_does_not_read(tmp_path, damage, number):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    lines[number - 1] = damaged = UNREADABLE[damage](lines[number - 1])
    store.metadata_file.write_bytes(b"".join(lines))
    assert ids(store) == everything_saved() - {make_record(number - 2).run_id}
    problems = RunRegistry(store.base_dir).check()
    assert problems[0].place == f"{store.metadata_file}:{number}"
    assert {problem.kind for problem in problems} == {"unreadable_line"}
    assert len(problems) == damaged.count(b"\n")
    assert_nothing_more_is_lost(store, damaged.splitlines())


STILL_READS = {
    "byte order mark": lambda line: b"\xef\xbb\xbf" + line,
    "CRLF": lambda line: line[:-1] + b"\r\n",
    "spaces": lambda line: b"  " + line[:-1] + b"  \n",
    "text before it": lambda line: b"x" + line,
}


@pytest.mark.parametrize("number", [2, 4, 7])
@pytest.mark.parametrize("damage", STILL_READS)
def test_a_line_that_still_reads(tmp_path, damage, number):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    lines[number - 1] = STILL_READS[damage](lines[number - 1])
    store.metadata_file.write_bytes(b"".join(lines))
    assert ids(store) == everything_saved()
    (problem,) = RunRegistry(store.base_dir).check()
    assert (problem.kind, problem.place) == ("altered_line", f"{store.metadata_file}:{number}")
    assert_nothing_more_is_lost(store, [])


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n\n", b""], ids=["CRLF", "blank lines", "joined"])
def test_all_line_ends_altered(tmp_path, line_end):
    store = new_store(tmp_path)
    content = b"".join(line[:-1] + line_end for line in lines_of_file(store)) + (b"" if line_end else b"\n")
    store.metadata_file.write_bytes(content)
    assert ids(store) == everything_saved()
    assert RunRegistry(store.base_dir).check() != []
    assert_nothing_more_is_lost(store, [])


@pytest.mark.parametrize("number", [2, 4, 7])
def test_a_dropped_line_costs_one_run(tmp_path, number):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    del lines[number - 1]
    store.metadata_file.write_bytes(b"".join(lines))
    assert ids(store) == everything_saved() - {make_record(number - 2).run_id}
    assert_nothing_more_is_lost(store, [])


def test_a_duplicated_line_is_one_run(tmp_path):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    for copied in range(len(lines)):
        store.metadata_file.write_bytes(b"".join([*lines[: copied + 1], *lines[copied:]]))
        assert ids(store) == everything_saved(), copied
        runs = FileStore(store.base_dir).select(Query(deleted=None))
        assert len(runs) == len(everything_saved()), copied


def test_two_joined_lines(tmp_path):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    for first in range(len(lines) - 1):
        store.metadata_file.write_bytes(b"".join([*lines[:first], lines[first][:-1], *lines[first + 1 :]]))
        assert ids(store) == everything_saved(), first
        assert RunRegistry(store.base_dir).check()[0].place.endswith(f":{first + 1}")


def test_damage_within_a_sweep_costs_that_save(tmp_path):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    hit = next(n for n, line in enumerate(lines) if b'"runs":{"runs":3' in line)
    sweep = {make_record(number).run_id for number in (20, 21, 22)}
    store.metadata_file.write_bytes(b"".join([*lines[:hit], flip_a_bit(lines[hit]), *lines[hit + 1 :]]))
    assert ids(store) == everything_saved() - sweep
    assert f"{store.metadata_file}:{hit + 1}" in [p.place for p in RunRegistry(store.base_dir).check()]
    assert_nothing_more_is_lost(store, [flip_a_bit(lines[hit])])


def test_what_comes_back_from_a_copy_was_not_deleted(tmp_path):
    """Of a sweep in two lines one cannot be read: its runs are not deleted with all others of the sweep."""
    store = FileStore(tmp_path / "runs")
    store.save_runs([make_record(20 + column, sweep_id=SWEEP_ID, column=column) for column in range(3)])
    store.save_runs([make_record(30 + column, sweep_id=SWEEP_ID, column=column) for column in range(3)])
    content = store.metadata_file.read_bytes()
    lines = lines_of_file(store)
    store.metadata_file.write_bytes(b"".join([lines[0], flip_a_bit(lines[1]), lines[2]]))
    damaged = FileStore(store.base_dir)
    assert damaged.delete_runs([run.run_id for run in damaged.list_runs()]) == 3
    deletion = lines_of_file(store)[-1]
    store.metadata_file.write_bytes(content + deletion)
    assert {run.run_id for run in FileStore(store.base_dir).list_runs()} == {
        make_record(20 + i).run_id for i in range(3)
    }


def test_a_page_of_zeros_in_a_sweep_that_nobody_acknowledged(tmp_path):
    """A power cut may leave later pages of a write and lose earlier ones."""
    store = new_store(tmp_path)
    before = store.metadata_file.read_bytes()
    sweep_id = str(uuid.UUID(int=8, version=4))
    store.save_runs([make_record(100 + column, sweep_id=sweep_id, column=column) for column in range(400)])
    content = store.metadata_file.read_bytes()
    assert len(content) - len(before) > 8 * 4096
    for page in range(len(before) // 4096, len(content) // 4096 + 1):
        start, end = max(4096 * page, len(before)), min(4096 * (page + 1), len(content))
        store.metadata_file.write_bytes(content[:start] + bytes(end - start) + content[end:])
        assert ids(store) == everything_saved(), page
        FileStore(store.base_dir).save_run(make_record(50))
        assert ids(store) == everything_saved() | {make_record(50).run_id}, page
        store.damaged_file.unlink(missing_ok=True)


def test_a_line_of_100_megabytes(tmp_path):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    huge = b'{"crc":"' + b"x" * 100_000_000 + b"\n"
    store.metadata_file.write_bytes(b"".join([*lines[:3], huge, *lines[3:]]))
    assert ids(store) == everything_saved()
    registry = RunRegistry(store.base_dir)
    assert [problem.place for problem in registry.check()] == [f"{store.metadata_file}:4"]
    registry.compact()
    assert store.damaged_file.read_bytes() == huge
    assert ids(store) == everything_saved()


def test_a_line_that_seems_to_hold_a_million_lines(tmp_path):
    store = new_store(tmp_path)
    with open(store.metadata_file, "ab") as file:
        file.write(b'{"crc":"' * 1_000_000 + b"\n")
    assert ids(store) == everything_saved()


# ############# Intact lines with hostile contents ############# #

NESTED = b'{"run_id":"%s","parameters":' % make_record(40).run_id.encode() + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "content",
    [NESTED, b"[" * 100_000, b"{}", b"[]", b"5", b"null", b'"x"', b"", b"nonsense", b"\xff", b'{"run_id":"\\ud800"}'],
    ids=lambda content: repr(content[:20]),
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_right_checksum_over_nonsense(tmp_path, kind, content):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    hostile = frame(kind, content)
    store.metadata_file.write_bytes(b"".join([*lines[:4], hostile, *lines[4:]]))
    assert ids(store) == everything_saved()
    problems = RunRegistry(store.base_dir).check()
    assert f"{store.metadata_file}:5" in [problem.place for problem in problems]
    assert_nothing_more_is_lost(store, [content])


@pytest.mark.parametrize("content", [b"{}", b"[]", b"null", b'{"format":"other"}', b"x"])
def test_a_header_of_something_else(tmp_path, content):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    store.metadata_file.write_bytes(b"".join([frame("header", content), *lines[1:]]))
    before = store.metadata_file.read_bytes()
    for act in (store.list_runs, lambda: store.save_run(make_record(50)), store.compact):
        with pytest.raises(SchemaVersionError):
            act()
    assert store.metadata_file.read_bytes() == before


HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["nan", "inf", "2020-01-01", "<f8", "NaT", "9999-12-31T23:59:59Z", "0x1", "-1D", "1e999999", "1D us"]
    ),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(max_size=4), children, max_size=4)
        | st.builds(
            lambda tag, value: {tag: value},
            st.sampled_from(
                [
                    "$float",
                    "$int",
                    "$decimal",
                    "$pandas",
                    "$tuple",
                    "$set",
                    "$frozenset",
                    "$dict",
                    "$timestamp",
                    "$timedelta",
                    "$datetime",
                    "$date",
                    "$time",
                    "$pytimedelta",
                    "$datetime64",
                    "$timedelta64",
                    "$enum",
                    "$path",
                    "$ndarray",
                    "$future",
                    "names",
                    "start",
                    "end",
                    "frequency",
                ]
            ),
            children,
        )
    ),
    max_leaves=8,
)
FIELDS = sorted(
    RunRecord.from_json(b'{"run_id":"%s","strategy_name":"a","timestamp":"2020-01-01"}' % SWEEP_ID.encode()).to_dict()
)
INNER = [
    "stats.sharpe_ratio",
    "stats.total_trades",
    "stats.sortino_ratio",
    "parameters.fast",
    "returns_stats.observations",
    "returns_stats.fee_rate",
    "data.fingerprint",
    "data.start",
    "data.bars",
    "environment.settings",
    "environment.vectorbt",
    "artifact.names",
    "artifact.format",
    "artifact.sha256",
    "artifact.size",
]


def hostile_record(number, changes):
    """Return a record in which fields were replaced by whatever JSON can say."""
    dct = make_record(number, sweep_id=None).to_dict()
    for path, value in changes.items():
        field, _, name = path.partition(".")
        if name:
            dct[field] = {**(dct[field] if isinstance(dct[field], dict) else {}), name: value}
        else:
            dct[field] = value
    return dct


def use(registry, run_id):
    """Do everything that reads or changes records. Only documented errors may come out."""
    registry.list_runs()
    registry.list_runs(
        deleted=None, sort_by="params.fast", parameters={"fast": 3}, tags="daily", since="2020-01-01", data="ab" * 32
    )
    registry.list_runs(where="sharpe_ratio > 0.1 and params.fast != 3 or 'x' in notes")
    frame = registry.to_frame(deleted=None)
    assert len(frame) == len(registry.list_runs(deleted=None))
    repr(registry.list_runs()), registry.list_runs()._repr_html_()
    registry.get_best_runs("sortino_ratio")
    registry.get_best_runs()
    registry.list_sweeps()
    registry.compare_runs([run.run_id for run in registry.list_runs()])
    registry.check(deep=True)
    registry.gc(min_age=0, dry_run=True)
    with suppress(RunNotFoundError):
        registry.update_run(run_id, notes="new")
    registry.compact()
    registry.delete_run(run_id)


@expensive(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(FIELDS + INNER), HOSTILE, min_size=1, max_size=4))
@example(changes={"artifact": {"names": ["x"], "$x": 1}})
@example(
    changes={"stats": {"sharpe_ratio": {"$float": "nan"}, "sortino_ratio": {"$ndarray": ["<f8", [1], "AAAAAAAA8D8="]}}}
)
@example(changes={"stats.sharpe_ratio": 2**64 - 1, "stats.total_trades": True})
@example(changes={"timestamp": "0001-01-01T00:00:00+14:00"})
@example(changes={"timestamp": "9999-12-31T23:59:59-14:00"})
@example(changes={"timestamp": "9999-12-31T23:59:59Z"})
@example(changes={"tags": [1, None, {"$set": [1]}]})
@example(changes={"environment.settings": 5, "data.fingerprint": 5})
@example(changes={"data.start": {"$timestamp": "2020-01-01"}, "returns_stats.fee_rate": "x"})
@example(changes={"column": 2**63, "parameters": {"": 1, "$x": {"$decimal": "NaN"}}})
def test_hostile_records_disturb_nobody(tmp_path, changes):
    store = new_store(tmp_path)
    hostile = hostile_record(40, changes)
    with open(store.metadata_file, "ab") as file:
        file.write(frame("run", json.dumps(hostile).encode()))
    registry = RunRegistry(store.base_dir)
    use(registry, hostile["run_id"] if isinstance(hostile["run_id"], str) else "x")
    assert everything_saved() <= ids(store) | ({hostile["run_id"]} if isinstance(hostile["run_id"], str) else set())


@expensive(100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["run", "runs", "changed", "deleted", "trial", "trials", "header"]),
    value=HOSTILE,
    at=st.integers(1, 14),
)
def test_hostile_lines_disturb_nobody(tmp_path, kind, value, at):
    store = new_store(tmp_path)
    lines = lines_of_file(store)
    hostile = frame(kind, json.dumps(value).encode())
    store.metadata_file.write_bytes(b"".join([*lines[:at], hostile, *lines[at:]]))
    registry = RunRegistry(store.base_dir)
    if kind == "header":
        with pytest.raises(SchemaVersionError):
            registry.list_runs()
        return
    assert ids(store) == everything_saved()
    use(registry, make_record(0).run_id)
    assert ids(store) == everything_saved()


@expensive(100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    garbage=st.binary(min_size=1, max_size=60) | st.sampled_from([b'{"crc":"', b"\n", b"}\n", header(), b"\0" * 50]),
    at=st.floats(0, 1),
    replace=st.integers(0, 60),
)
def test_garbage_anywhere(tmp_path, garbage, at, replace):
    """Whatever is written over part of the file, the runs whose lines it does not touch are there."""
    store = new_store(tmp_path)
    content = store.metadata_file.read_bytes()
    start = int(at * len(content))
    altered = content[:start] + garbage + content[start + replace :]
    store.metadata_file.write_bytes(altered)
    offset, untouched = 0, set()
    for line in content.splitlines(keepends=True):
        if offset + len(line) <= start or offset >= start + replace:
            value = json.loads(line)
            untouched |= {value[kind]["run_id"] for kind in ("run",) if kind in value}
        offset += len(line)
    complete = altered[: altered.rfind(b"\n") + 1]
    expected = {run_id for run_id in untouched if run_id.encode() in complete}
    assert expected <= ids(store) | {DELETED.run_id}
    registry = RunRegistry(store.base_dir)
    registry.check()
    registry.to_frame(deleted=None)
    FileStore(store.base_dir).save_run(make_record(50))
    assert expected | {make_record(50).run_id} <= ids(store) | {DELETED.run_id}


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_a_record_of_any_bytes(content):
    with suppress(ValueError):
        RunRecord.from_json(content).to_dict()


def test_a_query_for_a_metric_that_only_a_hostile_record_has(tmp_path):
    store = new_store(tmp_path)
    hostile = hostile_record(40, {"stats.only_here": [1, {"x": None}]})
    with open(store.metadata_file, "ab") as file:
        file.write(frame("run", json.dumps(hostile).encode()))
    registry = RunRegistry(store.base_dir)
    assert len(registry.list_runs(sort_by="only_here")) == 10
    with pytest.raises(QueryError):
        registry.list_runs(sort_by="nowhere")


def test_the_checksum_is_what_other_programs_compute(tmp_path):
    store = new_store(tmp_path)
    for line in lines_of_file(store):
        crc, content = line[8:16], line[line.index(b":{") + 1 : -2]
        assert int(crc, 16) == zlib.crc32(content)
