"""A portfolio as a block of runs, and the ids of a sweep."""

import uuid

import pytest

from tests.support.factories import make_sweep
from vectorbt.portfolio.registry.capture.runs import sweep_of
from vectorbt.portfolio.registry.checks import sweep_run_ids

SWEEP_ID = str(uuid.UUID(int=1, version=4))


def test_the_ids_of_a_sweep_follow_from_its_own():
    block = sweep_of(make_sweep(), "dual_sma", sweep_id=SWEEP_ID)
    assert block.run_ids == sorted(str(uuid.uuid5(uuid.UUID(SWEEP_ID), f"0:{i}")) for i in range(3))
    assert block.run_ids == sweep_run_ids(SWEEP_ID, 3)
    assert block.column("column").each() == [0, 1, 2]


@pytest.mark.parametrize("n", [1, 3])
def test_a_sweep_is_described_without_an_object_for_each_column(n):
    block = sweep_of(make_sweep(windows=[(3, 9 + i) for i in range(n)]), "dual_sma", {"fees": 0.001})
    rows = block.rows()
    assert [row["parameters"] for row in rows] == [
        {"fees": 0.001, "fast_window": 3, "slow_window": 9 + i} for i in range(n)
    ]
    assert all(row["data"] is rows[0]["data"] and row["environment"] is rows[0]["environment"] for row in rows)
