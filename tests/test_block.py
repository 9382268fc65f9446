"""Runs as columns are the runs that they were made of, as JSON and in memory, and malformed JSON is a ValueError."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.encoding import dumps, encode, loads
from vectorbt.portfolio.registry.record_json import without_empty
from vectorbt.portfolio.registry.run import RunRecord, records_of

VALUES = st.one_of(
    st.sampled_from([0, 1, True, False, 0.0, -0.0, 1.0, None, "", "1", "é", float("nan"), float("inf"), -float("inf")]),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.lists(st.integers(0, 1), max_size=2),
    st.dictionaries(st.sampled_from(["a", "$a"]), st.integers(0, 1), max_size=2),
).map(encode)

RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional=dict(
            parameters=st.dictionaries(st.sampled_from(["fast", "slow", ""]), VALUES),
            stats=st.dictionaries(st.sampled_from(["sharpe_ratio", "sortino_ratio", "x"]), VALUES),
            tags=st.lists(st.sampled_from(["a", "b"]), max_size=2),
            notes=st.sampled_from(["", "n"]),
            column=st.none() | st.integers(0, 3),
            from_a_newer_version=VALUES,
        ),
    ),
    min_size=1,
    max_size=8,
).map(lambda changes: [{**make_record(i).to_dict(), **change} for i, change in enumerate(changes)])


def written(record):
    """Return a record as its JSON is compared: 1, 1.0 and true are different values."""
    kept = {name: value for name, value in without_empty(record).items() if value != {}}
    return {name: json.dumps(value, sort_keys=True) for name, value in kept.items()}


def assert_holds(block, records):
    assert [written(block.row(i)) for i in range(len(block))] == list(map(written, records))
    ids = [record["run_id"].replace("-", "") for record in records]
    assert [f"{upper:016x}{lower:016x}" for upper, lower in zip(*map(np.ndarray.tolist, block.id_numbers))] == ids


@settings(max_examples=300)
@given(records=RECORDS, data=st.data())
def test_every_run_is_what_it_was(records, data):
    block = RunBlock.of(records)
    assert_holds(block, records)
    content = dumps(block.to_json())
    read = RunBlock.from_json(loads(content))
    assert_holds(read, records)
    assert dumps(read.to_json()) == content
    rows = data.draw(st.lists(st.integers(0, len(records) - 1), min_size=1, max_size=9))
    assert_holds(read.take(np.array(rows)), [records[row] for row in rows])
    assert_holds(RunBlock.joined([block, read.take(np.array(rows))]), records + [records[row] for row in rows])


@settings(max_examples=200)
@given(records=RECORDS)
def test_rows_are_the_records(records):
    made = records_of(RunBlock.from_json(loads(dumps(RunBlock.of(records).to_json()))), np.arange(len(records)))
    for record, dct in zip(made, records, strict=True):
        expected = RunRecord.from_dict(dct)
        for name in ("timestamp", "sharpe_ratio", "column", "strategy_name"):
            assert repr(getattr(record, name)) == repr(getattr(expected, name))
        assert record == expected


def test_the_order_of_names_is_kept():
    records = [make_record(i, parameters={"fast": i, "fees": 0.1, "slow": -i}).to_dict() for i in range(3)]
    content = RunBlock.of(records).to_json()
    assert content["order"]["parameters"] == ["fast", "fees", "slow"]
    assert list(RunBlock.from_json(content).row(1)["parameters"]) == ["fast", "fees", "slow"]


def test_the_format_stays_as_it_is():
    """As `docs/stores.md` shows it: written once, and never to be changed."""
    records = [
        make_record(
            i,
            parameters={"fast": i, "kind": "ab"[i % 2], "fees": 0.001},
            stats={"sortino_ratio": [0.5, float("nan"), float("inf"), 2.0][i], "period": None},
        ).to_dict()
        for i in range(4)
    ]
    for record in records:
        record["timestamp"] = "2024-01-01T00:00:00Z"
        record["data"] = {}
    content = RunBlock.of(records).to_json()
    assert content["runs"] == 4
    assert content["shared"] == {
        "timestamp": "2024-01-01T00:00:00Z",
        "strategy_name": "dual_sma",
        "parameters": {"fees": 0.001},
        "tags": ["daily"],
        "stats": {"win_rate": 50.0, "period": None},
    }
    columns = content["columns"]
    assert columns["run_id"] == [record["run_id"] for record in records]
    assert columns["parameters"] == {
        "fast": {"ints": [0, 1, 2, 3]},
        "kind": {"values": ["a", "b"], "codes": [0, 1, 0, 1]},
    }
    assert columns["stats"]["sortino_ratio"] == {"floats": [0.5, None, "inf", 2.0]}
    assert json.loads(dumps(content)) == content


HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["runs", "shared", "columns", "run_id", "stats", "floats", "ints", "values", "codes", "order"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(
    path=st.lists(st.sampled_from(["shared", "columns", "run_id", "stats", "fast", "parameters", "order"]), max_size=3),
    value=HOSTILE,
)
def test_malformed_json_is_a_value_error(path, value):
    content = RunBlock.of([make_record(i).to_dict() for i in range(3)]).to_json()
    holder = {"": content}
    key = ""
    for step in path:
        if not isinstance(holder[key], dict):
            break
        holder, key = holder[key], step
        holder.setdefault(key, {})
    holder[key] = value
    try:
        block = RunBlock.from_json(json.loads(json.dumps({"": content} if not path else content).replace("NaN", "0")))
    except ValueError:
        return
    for i in range(len(block)):
        record = RunRecord.from_dict(block.row(i))
        assert record.parameters is not None and record.stats is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(runs=4), "for 3 instead of 4 runs|without a run_id"),
        (dict(runs=10**12), "without a run_id"),
        (dict(runs=0), "number of runs"),
        (dict(shared=[]), "objects of what they share"),
        (dict(order=[]), "an order of names"),
        (dict(order=dict(stats=5)), "an order of names"),
    ],
)
def test_what_is_wrong_is_said(change, message):
    content = RunBlock.of([make_record(i).to_dict() for i in range(3)]).to_json()
    with pytest.raises(ValueError, match=message):
        RunBlock.from_json({**content, **change})


def test_names_in_the_order_that_are_none_are_left_out():
    content = RunBlock.of([make_record(i).to_dict() for i in range(3)]).to_json()
    content["order"] = {"parameters": [["slow"], "slow", 5, "other", "fast"], "other": ["x"]}
    assert list(RunBlock.from_json(content).row(0)["parameters"]) == ["slow", "fast"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (dict(ints=[1.5, 2, 3]), "no list of integers"),
        (dict(ints=["1", "2", "3"]), "no list of integers"),
        (dict(ints=[True, False, True]), "no list of integers"),
        (dict(values=["a", "a"], codes=[0, 1, 0]), "not different"),
        (dict(values=["a"], codes=[0, 1, 0]), "codes of no value"),
        (dict(values=["a"], codes=[0, 0]), "for 2 instead of 3 runs"),
        (dict(floats=[1.0]), "for 1 instead of 3 runs"),
        ({}, "that is none"),
    ],
)
def test_columns_that_are_none(column, message):
    content = RunBlock.of([make_record(i).to_dict() for i in range(3)]).to_json()
    content["columns"]["parameters"]["fast"] = column
    with pytest.raises(ValueError, match=message):
        RunBlock.from_json(content)


@pytest.mark.parametrize("run_id", ["", "x" * 36, "A0000000-0000-4000-8000-000000000001", 5, None, "é" * 18])
def test_ids_are_uuids(run_id):
    content = RunBlock.of([make_record(i).to_dict() for i in range(3)]).to_json()
    content["columns"]["run_id"][1] = run_id
    with pytest.raises(ValueError):
        RunBlock.from_json(content)
