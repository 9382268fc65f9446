"""One portfolio of every shape that the portable format must keep."""

import numpy as np
import pandas as pd

import vectorbt as vbt
from tests.support.factories import make_portfolio, make_price, make_sweep
from vectorbt.portfolio.enums import InitCashMode


def make_basket(**kwargs):
    """Return a portfolio of three symbols."""
    price = pd.concat([make_price(), make_price() * 2, make_price()[::-1].set_axis(make_price().index)], axis=1)
    price.columns = pd.Index(["a", "b", "c"], name="symbol")
    return vbt.Portfolio.from_holding(price, **{"size": 1.0, "freq": "1D", **kwargs})


def with_index(index):
    price = make_price(len(index))
    return make_portfolio(pd.Series(price.to_numpy(), index=index, name="SPX"))


def with_columns(columns):
    sweep = make_sweep()
    close = sweep.close.set_axis(columns, axis=1)
    wrapper = sweep.wrapper.replace(columns=columns)
    return sweep.replace(wrapper=wrapper, close=close)


def with_nan_prices():
    price = make_price()
    price.iloc[[0, 1, 20]] = np.nan
    return make_portfolio(price)


def with_extra_fields():
    pf = make_sweep()
    records = pf.order_records
    extra = [("note", "S3"), ("tag", "<f4"), ("legs", "<i2", (2,)), ("open", "?"), ("at", "<M8[s]")]
    dtype = np.dtype([*((name, records.dtype[name]) for name in records.dtype.names), *extra])
    extended = np.zeros(len(records), dtype)
    for name in records.dtype.names:
        extended[name] = records[name]
    extended["note"], extended["tag"], extended["open"] = b"ab", np.arange(len(records)), True
    extended["legs"] = np.arange(2 * len(records)).reshape(-1, 2)
    extended["fees"][0] = -0.0
    extended["tag"][:2] = np.frombuffer(b"\x01\0\xc0\x7f\x02\0\xc0\xff", "<f4")  # two kinds of NaN
    return pf.replace(order_records=extended)


def with_unsorted_records():
    pf = make_sweep()
    order = np.argsort(pf.order_records["idx"], kind="stable")
    return pf.replace(order_records=pf.order_records[order])


DAYS = pd.date_range("2020-01-01", periods=60, freq="D")

PORTFOLIOS = {
    "series": make_portfolio,
    "sweep": make_sweep,
    "one_column_frame": lambda: make_sweep(windows=((3, 9),)),
    "no_orders": lambda: make_portfolio(fast=9, slow=9),
    "no_frequency": lambda: with_index(pd.RangeIndex(60)),
    "timedelta_frequency": lambda: make_portfolio(freq=pd.Timedelta("2D")),
    "offset_frequency": lambda: make_portfolio(freq=pd.offsets.Hour(2)),
    "logs": lambda: make_sweep(log=True),
    "basket": make_basket,
    "groups": lambda: make_basket(group_by=pd.Index(["x", "x", "y"], name="basket")),
    "array_groups": lambda: make_basket(group_by=np.array([0, 0, 1])),
    "cash_sharing": lambda: make_basket(group_by=["x", "y", "y"], cash_sharing=True, attach_call_seq=True, log=True),
    "one_group": lambda: make_basket(group_by=True, cash_sharing=True, call_seq="auto", attach_call_seq=True),
    "call_seq": lambda: make_sweep(attach_call_seq=True),
    "auto_cash": lambda: make_basket(init_cash="auto"),
    "auto_align_cash": lambda: make_basket(init_cash=InitCashMode.AutoAlign),
    "auto_align_group_cash": lambda: make_basket(init_cash="autoalign", group_by=["x", "y", "y"], cash_sharing=True),
    "cash_per_column": lambda: make_basket(init_cash=[100.0, 200.0, 300.0]),
    "cash_series": lambda: make_basket().replace(init_cash=pd.Series([1.0, 2.0, 3.0])),
    "numpy_cash": lambda: make_portfolio().replace(init_cash=np.float64(100)),
    "trades_type": lambda: make_portfolio(trades_type="positions", fillna_close=False),
    "nan_prices": with_nan_prices,
    "integer_prices": lambda: make_portfolio().replace(close=make_price().astype("int32")),
    "array_close": lambda: make_sweep().replace(close=np.asarray(make_sweep().close)),
    "big_endian_close": lambda: make_sweep().replace(close=make_sweep().close.to_numpy().astype(">f8")),
    "text_and_scalar_close": lambda: with_index(pd.Index([f"bar {i}" for i in range(60)])).replace(close=100.0),
    "scalar_close": lambda: make_sweep().replace(close=100.0),
    "series_close": lambda: make_sweep().replace(close=make_price()),
    "extra_fields": with_extra_fields,
    "unsorted": with_unsorted_records,
    "zone": lambda: with_index(DAYS.tz_localize("America/New_York")),
    "utc_minutes": lambda: with_index(pd.date_range("2020-01-01", periods=60, freq="min", tz="UTC")),
    "irregular": lambda: with_index(pd.DatetimeIndex(DAYS.delete(7).to_numpy(), name="when")),
    "seconds": lambda: with_index(DAYS.as_unit("s")),
    "far_away": lambda: with_index(pd.DatetimeIndex(np.arange(60).astype("M8[D]").astype("M8[s]") + 300_000_000_000)),
    "period": lambda: with_index(pd.period_range("2020-01", periods=60, freq="M")),
    "timedelta": lambda: with_index(pd.timedelta_range("0h", periods=60, freq="h")),
    "text": lambda: with_index(pd.Index([f"bar {i}" for i in range(60)], name="bar")),
    "integers": lambda: with_index(pd.Index(np.arange(60) * 3)),
    "multi_index": lambda: with_index(pd.MultiIndex.from_arrays([DAYS, range(60)], names=["day", None])),
    "repeated_names": lambda: with_columns(pd.MultiIndex.from_tuples([(1, 2, "a")] * 3, names=["w", "w", None])),
    "mixed_levels": lambda: with_columns(
        pd.MultiIndex.from_arrays([[0.5, np.nan, 2], [True, False, True], DAYS[:3]], names=["x", "on", "start"])
    ),
    "duplicate_columns": lambda: with_columns(pd.Index([1, 1, 2], name="window")),
    "selected": lambda: make_sweep().iloc[1],
    "selected_group": lambda: make_basket(group_by=["x", "x", "y"], cash_sharing=True).iloc[0],
    "metric_settings": lambda: make_sweep().regroup(True),
}

ONLY_KEPT = {"big_endian_close"}
"""Portfolios that are kept as they are, but that not every version of pandas computes with."""
