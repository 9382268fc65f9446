"""Which runs count as trials, in which pool, and which are one and the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.selection_bias.pool import pool_of
from vectorbt.portfolio.registry.selection_bias.trials import Trial, best_trial

DAILY, HOURLY = "1 days 00:00:00", "0 days 01:00:00"


def make_trial(number, strategy_name="sma", prices="ab" * 32, frequency=DAILY, moments=(), **fields):
    """Return a record with moments of a return series of its own, that follow from `number`."""
    defaults = dict(
        sharpe=0.01 * number, n_obs=500, skew=-0.5, kurtosis=5.0, periods_per_year=252.0, bars_in_market=200
    )
    return make_record(
        number,
        strategy_name=strategy_name,
        sharpe_ratio=0.01 * number * 252**0.5,
        data={"fingerprint": prices, "frequency": frequency},
        returns_stats={**defaults, **dict(moments)},
        **fields,
    )


def store_of(*records):
    store = MemoryStore()
    store.save_runs(records)
    return store


def pool_for(store, record, pool="strategy", **filters):
    return pool_of(store, Trial.of(record), pool, Query.of(**filters))


def ids_of(pool):
    return sorted(trial.record.run_id for trial in pool.trials.values())


def ids(*records):
    return sorted(record.run_id for record in records)


# ############# What counts ############# #


def test_every_distinct_run_of_the_strategy_is_a_trial():
    records = [make_trial(i) for i in range(5)]
    pool = pool_for(store_of(*records), records[2])
    assert ids_of(pool) == ids(*records)
    np.testing.assert_allclose(pool.sharpes, [0, 0.01, 0.02, 0.03, 0.04])
    assert pool.sharpe_variance == pytest.approx(0.00025)


def test_a_deleted_run_stays_a_trial():
    records = [make_trial(i) for i in range(5)]
    store = store_of(*records)
    before = pool_for(store, records[4])
    store.delete_runs([record.run_id for record in records[:3]])
    after = pool_for(store, records[4])
    assert ids_of(after) == ids_of(before)
    assert (before.n_deleted, after.n_deleted) == (0, 3)


@given(st.lists(st.integers(-1000, 1000).map(lambda i: i / 997), min_size=2, max_size=30, unique=True), st.data())
def test_which_trials_are_deleted_does_not_change_the_variance_in_its_last_digit(sharpes, data):
    records = [make_trial(i, moments={"sharpe": sharpe}) for i, sharpe in enumerate(sharpes)]
    store = store_of(*records)
    before = pool_for(store, records[0]).sharpe_variance
    doomed = data.draw(st.sets(st.sampled_from(records[1:]).map(lambda record: record.run_id)))
    store.delete_runs(doomed)
    assert pool_for(store, records[0]).sharpe_variance == before


@pytest.mark.parametrize(
    "moments",
    [
        {"sharpe": float("inf"), "skew": float("nan"), "kurtosis": float("nan"), "bars_in_market": 0},
        {"sharpe": float("nan")},
        {"sharpe": -float("inf")},
        {"kurtosis": float("nan")},
        {"bars_in_market": 0},
        *({name: value} for name in ("sharpe", "n_obs", "skew", "kurtosis") for value in (10**400, "text", [1])),
        *({"n_obs": 1}, {"n_obs": -5}, {"kurtosis": 0.5}, {"skew": 1e200}),
    ],
)
def test_a_run_that_never_traded_or_that_says_nonsense_is_counted_apart(moments):
    untraded, records = make_trial(9, moments=moments), [make_trial(1), make_trial(2)]
    pool = pool_for(store_of(untraded, *records), records[0])
    assert pool.untraded == [untraded.run_id] and ids_of(pool) == ids(*records)


def test_a_run_without_a_return_series_of_its_own_is_counted_apart():
    aggregate, records = make_record(9, strategy_name="sma"), [make_trial(1), make_trial(2)]
    pool = pool_for(store_of(aggregate, *records), records[0])
    assert pool.aggregated == [aggregate.run_id] and ids_of(pool) == ids(*records)


@pytest.mark.parametrize("value", [0, -1, 10**400, float("inf"), "text", [1]])
def test_a_year_that_cannot_be_is_none(value):
    assert np.isnan(Trial.of(make_trial(1, moments={"periods_per_year": value})).periods_per_year)


def test_prices_and_frequencies_that_are_no_text_are_none():
    record = make_trial(1, prices=[1], frequency={"a": 1})
    assert ids_of(pool_for(store_of(record), record)) == ids(record)


# ############# What is the same ############# #


def test_the_same_result_on_the_same_data_is_one_trial():
    again = make_trial(7, moments={"sharpe": 0.01}, parameters={"fast": 1.0})
    pool = pool_for(store_of(make_trial(1), again, make_trial(2)), again)
    assert (pool.n_trials, pool.n_repeats) == (2, 1)


def test_the_same_result_but_for_rounding_is_one_trial():
    again = make_trial(7, moments={"sharpe": 0.01 * (1 + 1e-14), "skew": -0.5 - 1e-15})
    assert pool_for(store_of(make_trial(1), again), again).n_repeats == 1


@pytest.mark.parametrize(
    "difference",
    [
        dict(prices="cd" * 32),
        *(dict(moments={"sharpe": 0.01, name: value}) for name, value in dict(n_obs=501, skew=0, kurtosis=5.1).items()),
    ],
)
def test_what_differs_in_anything_is_another_trial(difference):
    first, second = make_trial(1), make_trial(7, **{"moments": {"sharpe": 0.01}, **difference})
    pool = pool_for(store_of(first, second), first, "all")
    assert (pool.n_trials, pool.n_repeats) == (2, 0)


@pytest.mark.parametrize("doomed", [0, 1])
def test_a_trial_is_deleted_when_all_of_its_runs_are(doomed):
    runs = [make_trial(1), make_trial(7, moments={"sharpe": 0.01})]
    store = store_of(*runs, make_trial(2))
    store.delete_run(runs[doomed].run_id)
    pool = pool_for(store, make_trial(2))
    assert (pool.n_trials, pool.n_repeats, pool.n_deleted) == (2, 1, 0)
    store.delete_run(runs[1 - doomed].run_id)
    pool = pool_for(store, make_trial(2))
    assert (pool.n_trials, pool.n_repeats, pool.n_deleted) == (2, 1, 1)


def test_a_live_run_keeps_its_trial_alive_though_only_a_deleted_one_could_give_the_returns():
    live = make_trial(1)
    swept = make_trial(7, moments={"sharpe": 0.01}, sweep_id="00000000-0000-4000-8000-00000000abcd", column=0)
    store = store_of(live, swept)
    store.delete_run(swept.run_id)
    pool = pool_for(store, live)
    assert (pool.n_trials, pool.n_repeats, pool.n_deleted) == (1, 1, 0)
    assert ids_of(pool) == [swept.run_id]


# ############# Pools ############# #


@pytest.fixture
def family():
    return dict(
        judged=make_trial(1),
        sibling=make_trial(2),
        elsewhere=make_trial(3, prices="cd" * 32),
        other=make_trial(4, strategy_name="rsi"),
        other_elsewhere=make_trial(5, strategy_name="rsi", prices="cd" * 32),
    )


@pytest.mark.parametrize(
    ("pool", "names"),
    [
        ("strategy", {"judged", "sibling", "elsewhere"}),
        ("data", {"judged", "sibling", "other"}),
        ("all", {"judged", "sibling", "elsewhere", "other", "other_elsewhere"}),
        ("filters", {"judged", "sibling", "elsewhere", "other"}),
    ],
)
@pytest.mark.parametrize("delete", [False, True])
def test_each_pool_holds_what_it_says_and_the_deleted_ones(family, pool, names, delete):
    store = store_of(*family.values())
    if delete:
        store.delete_runs([record.run_id for name, record in family.items() if name != "judged"])
    found = pool_for(store, family["judged"], pool, where="params.fast <= 4", limit=None)
    assert ids_of(found) == ids(*(family[name] for name in names))


def test_a_strategy_is_judged_at_its_frequency():
    daily, hourly = [make_trial(1), make_trial(2)], make_trial(3, frequency=HOURLY)
    pool = pool_for(store_of(*daily, hourly), daily[0])
    assert ids_of(pool) == ids(*daily) and pool.n_trials == 3
    assert [trial.record.run_id for trial in pool.other_bars.values()] == [hourly.run_id]


def test_the_length_of_bars_is_counted_where_labels_allow_it():
    counted = [make_trial(i, frequency=label) for i, label in enumerate((DAILY, HOURLY, DAILY), 1)]
    for record, bars in zip(counted, (252.0, 250.5, 6000.0)):
        record.data = {**record.data, "bars_per_year": bars}
    pool = pool_for(store_of(*counted), counted[0])
    assert ids_of(pool) == ids(*counted[:2]) and len(pool.other_bars) == 1


def test_the_same_trial_under_another_name_is_one():
    first, renamed = make_trial(1), make_trial(7, strategy_name="final", moments={"sharpe": 0.01})
    store = store_of(first, renamed, make_trial(2), make_trial(3, strategy_name="other", prices="cd" * 32))
    pool = pool_for(store, renamed, "tried")
    assert (pool.n_trials, pool.n_repeats) == (2, 1)


def test_the_best_of_everything_competed_with_everything():
    records = [make_trial(i, strategy_name=f"s{i}", prices=f"{i:02d}" * 32) for i in range(1, 5)]
    pool = pool_of(store_of(*records), Trial.of(records[0]), is_named=False)
    assert ids_of(pool) == ids(*records)
    assert ids_of(pool_of(store_of(*records), Trial.of(records[0]))) == ids(records[0])


def test_an_untraded_run_at_another_frequency_mixes_nothing():
    daily, untraded = make_trial(1), make_trial(2, frequency=HOURLY, moments={"bars_in_market": 0})
    assert pool_for(store_of(daily, untraded), daily, "all").n_trials == 1


def test_a_run_without_a_frequency_is_judged_among_its_kind():
    records = [make_trial(i, frequency=None, moments={"periods_per_year": float("nan")}) for i in (1, 2)]
    pool = pool_for(store_of(*records, make_trial(3)), records[0])
    assert ids_of(pool) == ids(*records) and len(pool.other_bars) == 1


def test_a_run_outside_of_the_filters_is_refused():
    records = [make_trial(1), make_trial(2)]
    with pytest.raises(ValueError, match=f"{records[0].run_id} is not among the runs that the filters leave"):
        pool_for(store_of(*records), records[0], "filters", where="params.fast > 1")


def test_prices_that_nobody_knows_are_no_pool():
    record = make_trial(1, prices=None)
    with pytest.raises(ValueError, match="does not say which prices"):
        pool_for(store_of(record), record, "data")


# ############# The best ############# #


def test_the_best_is_one_that_has_traded_and_has_its_own_returns():
    aggregates = [make_record(20 + i, sharpe_ratio=9.0) for i in range(15)]
    untraded = make_trial(40, moments={"bars_in_market": 0})
    best = make_trial(5)
    store = store_of(make_trial(1), best, make_trial(2), untraded, *aggregates)
    assert best_trial(store, Query()).record.run_id == best.run_id


def test_no_run_is_the_best_of_none():
    with pytest.raises(ValueError, match="no run that the filters leave"):
        best_trial(store_of(make_record(1)), Query())
