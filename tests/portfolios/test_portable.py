"""A portfolio in the portable format comes back exactly, whole and column by column."""

import warnings

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.portfolios.test_index import check_same
from tests.support.factories import make_portfolio, make_price, make_sweep
from tests.support.portfolios import PORTFOLIOS, make_basket
from vectorbt.portfolio.registry.errors import ArtifactUnreadableError, UnportablePortfolioError
from vectorbt.portfolio.registry.portfolios.columns import select_column
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, BlobReader
from vectorbt.portfolio.registry.portfolios.portable import writing
from vectorbt.portfolio.registry.portfolios.portable.config import describe_array, wrap_array

STEM = "0b9d2c5e-0000-4000-8000-000000000000"
PORTABLE = FORMATS["portable"]


class Blobs(BlobReader):
    """Blobs in memory, and how many of their bytes were read."""

    def __init__(self, blobs):
        self.blobs = blobs
        self.bytes_read = 0

    def __call__(self, name, start=0, end=None):
        content = self.blobs[name][start:end]
        self.bytes_read += len(content)
        return content

    def size(self, name):
        return len(self.blobs[name])


def dump(pf):
    return PORTABLE.dump(pf, STEM)


def load(blobs):
    return PORTABLE.load(list(blobs), Blobs(blobs))


def load_column(blobs, column):
    return PORTABLE.load_column(list(blobs), Blobs(blobs), column)


def bits(array):
    """Return an array as what equality of bits compares: every field apart, without the padding between them."""
    array = np.asarray(array)
    if array.dtype.names is not None:
        return {name: bits(array[name]) for name in array.dtype.names}
    return array.dtype.str, array.shape, array.tobytes()


def check_same_entry(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, pd.Index):
        check_same(found, expected)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert bits(found) == bits(expected)
    elif isinstance(expected, (pd.Series, pd.DataFrame)):
        assert bits(found.to_numpy()) == bits(expected.to_numpy())
        for axis, other in zip(found.axes, expected.axes):
            check_same(axis, other)
        if isinstance(expected, pd.Series):
            assert found.name == expected.name or found.name is expected.name
    else:
        assert found == expected


def check_same_portfolio(found, expected):
    assert type(found) is type(expected) and set(found.config) == set(expected.config)
    for name in set(expected.config) - {"wrapper"}:
        check_same_entry(found.config[name], expected.config[name])
    wrapper, expected_wrapper = found.config["wrapper"].config, expected.config["wrapper"].config
    assert set(wrapper) == set(expected_wrapper)
    for name in expected_wrapper:
        check_same_entry(wrapper[name], expected_wrapper[name])
    assert found.order_records.dtype == expected.order_records.dtype


def outcomes(pf):
    """Return what people compute of a portfolio."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            pf.stats(),
            pf.value(),
            pf.returns(),
            pf.orders.records_readable,
            pf.trades.records,
            pf.drawdowns.records,
        ]


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_everything_comes_back_bit_by_bit(name):
    pf = PORTFOLIOS[name]()
    check_same_portfolio(load(dump(pf)), pf)


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_a_column_is_that_of_the_whole(name):
    pf = PORTFOLIOS[name]()
    blobs = dump(pf)
    for column in range(len(pf.wrapper.get_columns())):
        check_same_portfolio(load_column(blobs, column), select_column(load(blobs), column))
        check_same_portfolio(load_column(blobs, column), select_column(pf, column))


@pytest.mark.parametrize("name", ["series", "sweep", "logs", "cash_sharing", "auto_align_cash", "zone", "nan_prices"])
def test_it_computes_the_same(name):
    pf = PORTFOLIOS[name]()
    loaded = load(dump(pf))
    for found, expected in zip(outcomes(loaded), outcomes(pf)):
        assert found.equals(expected)
    assert bits(loaded.logs.values) == bits(pf.logs.values)


def test_it_can_be_indexed_grouped_and_plotted():
    loaded = load(dump(make_sweep()))
    assert loaded[(3, 9)].total_return() == make_sweep()[(3, 9)].total_return()
    assert loaded.regroup("slow_window").total_return().equals(make_sweep().regroup("slow_window").total_return())
    assert len(loaded.iloc[0].plot().data) > 0


def test_equal_portfolios_are_equal_files():
    assert dump(make_sweep()) == dump(make_sweep())


def make_large_sweep():
    """Return a portfolio whose main file has more than a megabyte."""
    rng = np.random.default_rng(0)
    size = pd.DataFrame(rng.normal(size=(700, 220)), columns=pd.Index(range(220), name="seed"))
    return vbt.Portfolio.from_orders(make_price(700).rename(None), size.set_axis(make_price(700).index), freq="1D")


def test_one_column_takes_a_tenth_of_the_bytes():
    pf = make_large_sweep()
    blobs = dump(pf)
    size = sum(map(len, blobs.values()))
    read = Blobs(blobs)
    column = PORTABLE.load_column(list(blobs), read, 100)
    check_same_portfolio(column, select_column(pf, 100))
    assert size > 1_000_000 and read.bytes_read < size / 10


def test_what_a_single_run_has_beside_its_prices_is_small():
    blobs = dump(make_portfolio())
    assert sum(len(content) for name, content in blobs.items() if not name.startswith("prices-")) <= 4_096


def test_any_number_of_prices():
    price = make_price(7).to_numpy()[:, None] + np.arange(2_500)
    close = pd.DataFrame(price, index=make_price(7).index)
    pf = vbt.Portfolio.from_holding(close, freq="1D")
    blobs = dump(pf)
    check_same_portfolio(load(blobs), pf)
    for column in (0, 1_023, 1_024, 2_499):
        check_same_portfolio(load_column(blobs, column), select_column(pf, column))


# ############# What is refused ############# #


class MyPortfolio(vbt.Portfolio):
    """A subclass, which a file cannot name."""


def with_metric():
    pf = make_portfolio()
    pf.metrics["exposure"] = dict(title="Exposure", calc_func=lambda self: 1.0)
    return pf


def with_config(**entries):
    pf = make_portfolio()
    pf.config.update(entries, force=True)
    return pf


def with_order(field, value):
    records = make_portfolio().order_records.copy()
    records[field][0] = value
    return make_portfolio().replace(order_records=records)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_portfolio().replace(cls_=MyPortfolio), "MyPortfolio"),
        (with_metric, r"metrics\['exposure'\]"),
        (lambda: with_config(mystery=1), "mystery"),
        (lambda: with_config(init_cash=object()), "init_cash"),
        (lambda: with_config(init_cash=True), "initial cash"),
        (lambda: with_config(init_cash=np.array([1.0, 2.0])), "initial cash"),
        (lambda: make_basket(group_by=[0, 0, 1], cash_sharing=1), "cash_sharing"),
        (lambda: with_config(close=make_price().astype("Float64")), "close"),
        (lambda: with_config(order_records=np.zeros(2)), "order_records"),
        (lambda: with_config(order_records=np.zeros(0, [("col", "O"), ("idx", "i8")])), "order_records"),
        (lambda: with_order("idx", 60), "order_records.*'idx'"),
        (lambda: with_order("col", -1), "order_records.*'col'"),
        (lambda: make_basket().replace(call_seq=np.full((60, 3), 1)), "sequence of calls"),
        (lambda: make_portfolio(pd.Series(range(60), index=pd.interval_range(0, 60)), freq=None), "interval"),
    ],
)
def test_what_cannot_be_written_is_named(make, message):
    with pytest.raises(UnportablePortfolioError, match=message) as caught:
        dump(make())
    assert "portfolio_format='pickle'" in str(caught.value) and isinstance(caught.value, TypeError)


def test_an_unpickled_portfolio_is_portable():
    dump(vbt.Portfolio.loads(make_sweep().dumps()))


def test_a_newer_version_is_told_apart_from_damage(monkeypatch):
    monkeypatch.setattr("vectorbt.portfolio.registry.portfolios.portable.writing.VERSION", 2)
    blobs = writing.dump(make_portfolio(), STEM)
    monkeypatch.undo()
    with pytest.raises(ArtifactUnreadableError, match="upgrade"):
        load(blobs)


@pytest.mark.parametrize("labels", [[1.0, 2.0], [True, True], ["1", "2"]])
def test_an_index_of_another_type_is_not_taken_for_that_of_the_wrapper(labels):
    wrapper = vbt.ArrayWrapper(pd.Index([1, 2]), pd.Index(["a"]), 2)
    close = pd.Series([3.0, 4.0], index=pd.Index(labels))
    described = describe_array(close, "close", wrapper)
    pd.testing.assert_series_equal(wrap_array(described, close.to_numpy(), wrapper), close)
