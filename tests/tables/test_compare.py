"""Runs side by side: what differs, and values that stay what they are."""

import pandas as pd

from tests.support.factories import make_record
from vectorbt.portfolio.registry.tables.compare import compare


def test_what_else_differs_is_part_of_the_table():
    a = dict(data=dict(fingerprint="a" * 64, start=pd.Timestamp("2020-01-01"), end=1, bars=60, frequency="1 days"))
    b = dict(data=dict(fingerprint="b" * 64, start=pd.Timestamp("2021-01-01"), end=1, bars=59, symbols=["BTC"]))
    a["environment"] = dict(vectorbt="1.2.0", pandas="3.1.1", git=dict(commit="0", dirty=False), settings={"x": 1})
    b["environment"] = dict(vectorbt="1.2.0", pandas="2.3.3", git=dict(commit="1", dirty=True), settings={"x": 2})
    a["stats"], b["stats"] = dict(start_value=100.0), dict(start_value=1000.0)
    records = [make_record(0, parameters={}, **a), make_record(0, parameters={}, **b)]
    compared = compare(records, only_differing=True)
    assert list(compared) == [
        *("run_id", "data", "symbols", "start", "bars", "frequency", "start_value"),
        *("settings.x", "pandas", "git_commit", "git_dirty"),
    ]
    assert compared["data"].tolist() == ["aaaaaaaa", "bbbbbbbb"] and compared["bars"].tolist() == [60, 59]
    assert not {"data", "pandas", "git_commit"} & set(compare(records))


def test_values_keep_their_types_when_rows_and_columns_change_places():
    parameters = [dict(fast=5, at=pd.Timestamp("2024-01-01"), on=True, stop=0.5), dict(fast=6, window=10)]
    records = [make_record(i, parameters=given, total_trades=7) for i, given in enumerate(parameters)]
    compared = compare(records, metrics=["total_trades", "sharpe_ratio"]).set_index("run_id")
    turned = compared[["total_trades", "sharpe_ratio", "params.fast", "params.window"]].T
    first, second = records[0].run_id, records[1].run_id
    assert [type(value) for value in turned[second]] == [int, float, int, int] and turned.T.T.equals(turned)
    assert type(compared.T.loc["params.at", first]) is pd.Timestamp and compared.T.loc["params.on", first] is True
