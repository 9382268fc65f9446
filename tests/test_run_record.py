"""A record by itself: what it is when little is said of it."""

import pickle
from datetime import UTC, datetime
from math import isnan

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, RunRecord
from vectorbt.portfolio.registry.checks import is_run_id
from vectorbt.portfolio.registry.metric_names import HEADLINE


def test_every_field_has_a_default():
    before = datetime.now(UTC)
    record, named = RunRecord(), RunRecord(strategy_name="x")
    assert is_run_id(record.run_id) and record.run_id != named.run_id
    assert before <= record.timestamp <= datetime.now(UTC)
    assert all(isnan(getattr(record, name)) for name in HEADLINE)
    assert (record.strategy_name, named.strategy_name, record.notes) == ("", "x", "")
    assert record.parameters == record.stats == record.data == {} and record.tags == []
    record.tags.append("mine")
    assert named.tags == RunRecord().tags == []
    assert "''" in repr(record)
    assert RunRecord.from_dict(record.to_dict()) == record


def test_the_strategy_can_be_named_until_the_run_is_saved(portfolio):
    record, store = RunRecord.from_portfolio(portfolio), MemoryStore()
    with pytest.raises(ValueError, match="strategy_name must not be empty; name the strategy"):
        store.save_run(record, portfolio)
    record.strategy_name = "dual_sma"
    assert store.get_run(store.save_run(record, portfolio)).strategy_name == "dual_sma"


# ############# Attributes ############# #


def test_every_metric_is_an_attribute():
    record = make_record(stats={"sortino_ratio": 1.5, "my metric": 2, "mine": "x"})
    assert record.sortino_ratio == 1.5 and record.mine == "x"
    assert isnan(record.calmar_ratio)  # vectorbt's, which was not measured
    with pytest.raises(AttributeError, match=r"no attribute 'sortino', .* its metrics are in \.stats"):
        _ = record.sortino
    with pytest.raises(AttributeError):
        _ = record.__array_interface__
    assert RunRecord.from_dict(record.to_dict()).mine == "x" and pickle.loads(pickle.dumps(record)).mine == "x"


def test_completion_offers_what_a_user_wants():
    names = dir(make_record(stats={"sortino_ratio": 1.5, "my metric": 2}))
    assert {"sortino_ratio", "sharpe_ratio", "parameters", "tags", "to_dict"} <= set(names)
    assert not [name for name in names if name.startswith("_") or not name.isidentifier()]
    assert not {"decode_detail", "locate", "as_json", "source"} & set(names)
