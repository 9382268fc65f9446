"""Whatever type the labels and metrics of a backtest have, it is saved."""

import datetime
import fractions
import uuid

import dateutil.tz
import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.support.factories import make_portfolio, make_price, make_sweep
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.capture.labels import as_numpy, recordable

HOURS = pd.date_range("2020-03-28 20:00", periods=60, freq="h", tz="UTC")
START = HOURS[0]


class Zone(datetime.tzinfo):
    """A zone of the user's own, three and a half hours from UTC."""

    def utcoffset(self, moment):
        return datetime.timedelta(hours=3, minutes=30)

    def dst(self, moment):
        return datetime.timedelta(0)

    def tzname(self, moment):
        return "X"


class Mute:
    def __str__(self):
        raise RuntimeError


@pytest.fixture
def registry():
    return RunRegistry(MemoryStore())


ZONES = {
    "dateutil's UTC": dateutil.tz.tzutc(),
    "dateutil's Berlin": dateutil.tz.gettz("Europe/Berlin"),
    "dateutil's offset": dateutil.tz.tzoffset("Y", 5400),
    "own": Zone(),
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("options", [{}, {"save_portfolio": "returns"}, {"save_portfolio": False}], ids=str)
def test_a_moment_in_a_zone_without_an_encoding_keeps_its_instant(registry, zone, options):
    index = HOURS.tz_convert(ZONES[zone])
    pf = make_portfolio(make_price().set_axis(index))
    ids = [registry.save_run(pf, "x", **options), *registry.save_sweep(pf, "x", **options)]
    for run in map(registry.get_run, ids):
        for start in (run.data["start"], run.stats["start"]):
            assert start == START and start.utcoffset() == index[0].utcoffset()
        assert run.data["end"] == run.stats["end"] == HOURS[-1]
    if options.get("save_portfolio", True):
        returns = registry.load_returns(ids[:1])
        assert (returns.index == HOURS).all()
        np.testing.assert_array_equal(returns[ids[0]], pf.returns())


LABELS = {
    "intervals": pd.interval_range(0, periods=60),
    "UUIDs": pd.Index([uuid.UUID(int=i) for i in range(60)], dtype=object),
    "fractions": pd.Index([fractions.Fraction(i, 7) for i in range(60)], dtype=object),
    "categories of intervals": pd.CategoricalIndex(pd.interval_range(0, periods=60)),
    "Arrow's dates": pd.Index(pd.Series(HOURS.date), dtype="date32[day][pyarrow]"),
    "pairs": pd.MultiIndex.from_arrays([[uuid.UUID(int=i) for i in range(60)], list(map(str, range(60)))]),
    "named by an object": pd.Index(range(60), name=uuid.UUID(int=1)),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_without_an_encoding_stand_as_text(registry, labels):
    index = LABELS[labels]
    pf = make_portfolio(make_price().set_axis(index))
    ids = [
        registry.save_run(pf, "x"),
        registry.save_run(pf, "x", save_portfolio="returns"),
        registry.save_sweep(pf, "x")[0],
    ]
    for run in map(registry.get_run, ids):
        assert str(run.data["start"]) == str(run.stats["start"]) == str(index[0])
        assert str(run.data["end"]) == str(index[-1])
    for run_id in ids:
        np.testing.assert_array_equal(registry.load_returns([run_id])[run_id], pf.returns())


METRICS = [
    (pd.Interval(0, 1), "(0, 1]"),
    (1 + 2j, "(1+2j)"),
    (np.complex128(1), 1.0),
    (fractions.Fraction(1, 3), "1/3"),
    (uuid.UUID(int=5), str(uuid.UUID(int=5))),
    (pd.Period("2020-01"), "2020-01"),
    (Mute(), "<Mute>"),
    (np.datetime64("20000-01-01"), "20000-01-01 00:00:00"),
    (datetime.time(1, tzinfo=dateutil.tz.gettz("Europe/Berlin")), "01:00:00"),
    (datetime.datetime(2020, 1, 1, tzinfo=Zone()), datetime.datetime(2020, 1, 1, tzinfo=Zone())),
]


@pytest.mark.parametrize(("value", "kept"), METRICS, ids=[str(i) for i in range(len(METRICS))])
def test_a_custom_metric_of_any_type_is_saved(registry, monkeypatch, value, kept):
    metric = ("mine", dict(title="Mine", calc_func=lambda *args, **kwargs: value))
    monkeypatch.setitem(vbt.settings["portfolio"]["stats"], "metrics", ["total_return", metric])
    pf = make_portfolio()
    ids = [registry.save_run(pf, "x"), *registry.save_sweep(pf, "x"), *registry.save_sweep(make_sweep(), "x")]
    runs = [registry.get_run(run_id) for run_id in ids]
    assert [run.stats["mine"] for run in runs] == [kept] * len(ids)
    assert runs[0].total_return == runs[1].total_return == pf.stats()["Total Return [%]"].real


def test_symbols_without_an_encoding_stand_as_text(registry):
    symbols = pd.Index([uuid.UUID(int=1), uuid.UUID(int=2)], dtype=object, name="symbol")
    prices = pd.concat([make_price(), make_price()], axis=1).set_axis(symbols, axis=1)
    with pytest.warns(UserWarning, match="2 columns are saved as one run"):
        run = registry.get_run(registry.save_run(vbt.Portfolio.from_holding(prices, freq="1D"), "x"))
    assert run.data["symbols"] == [str(symbol) for symbol in symbols]


@pytest.mark.parametrize(
    "value",
    [1, 1.5, "a", None, True, pd.NaT, START, datetime.date(2020, 1, 1), HOURS[0].tz_convert("Europe/Berlin"), (1, "a")],
)
def test_what_has_an_encoding_stays_itself(value):
    assert recordable(value) is value


def test_what_pandas_cannot_hold_is_no_reason_to_fail():
    assert recordable("\ud800") == "'\\ud800'"
    assert recordable(np.timedelta64(3, "M")) == np.timedelta64(3, "M")
    assert recordable([1j]) == "[1j]"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_and_durations_out_of_arrow_are_numpys(unit):
    hours = HOURS.as_unit(unit).rename("t")
    for index in (hours, hours.tz_localize(None), hours - hours[0]):
        kind = "duration" if index.dtype.kind == "m" else "timestamp"
        zone = ", tz=UTC" if getattr(index, "tz", None) else ""
        kept = pd.Index(pd.Series(index).astype(f"{kind}[{unit}{zone}][pyarrow]"), name="t")
        found = as_numpy(kept)
        assert type(found) is type(index) and found.unit == unit and found.name == "t" and (found == index).all()
