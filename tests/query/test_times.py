"""Points in time as people say them."""

import time
import warnings
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, QueryError, RunRegistry
from vectorbt.portfolio.registry.query.query import Query

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)
LAST = DAY - timedelta(microseconds=1)


def midnight(year, month, day):
    return datetime(year, month, day, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with mock.patch("vectorbt.portfolio.registry.query.times.now", lambda: NOW):
        yield


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [
        ("7 days", NOW - 7 * DAY, NOW - 7 * DAY),
        ("7 days ago", NOW - 7 * DAY, NOW - 7 * DAY),
        ("-7 days", NOW - 7 * DAY, NOW - 7 * DAY),
        ("P1DT2H", NOW - timedelta(hours=26), NOW - timedelta(hours=26)),
        (timedelta(hours=5), NOW - timedelta(hours=5), NOW - timedelta(hours=5)),
        (pd.Timedelta("5h"), NOW - timedelta(hours=5), NOW - timedelta(hours=5)),
        (np.timedelta64(5, "h"), NOW - timedelta(hours=5), NOW - timedelta(hours=5)),
        ("today", midnight(2026, 3, 1), midnight(2026, 3, 1) + LAST),
        (" Yesterday ", midnight(2026, 2, 28), midnight(2026, 2, 28) + LAST),
        ("2026-02", midnight(2026, 2, 1), midnight(2026, 2, 28) + LAST),
        ("2025", midnight(2025, 1, 1), midnight(2025, 12, 31) + LAST),
        (date(2026, 2, 3), midnight(2026, 2, 3), midnight(2026, 2, 3) + LAST),
    ],
)
def test_what_is_said_and_what_it_means(said, since, until):
    assert (Query.of(since=said).since, Query.of(until=said).until) == (since, until)
    if isinstance(said, str):
        moments = [since - timedelta(microseconds=1), since, until, until + timedelta(microseconds=1)]
        records = [make_record(i, timestamp=moment) for i, moment in enumerate(moments)]
        for sign, n in ((">=", 3), (">", 1), ("<=", 3), ("<", 1), ("==", 2)):
            assert len(Query.of(where=f"timestamp {sign} '{said}'").apply(records)) == n, sign
        assert len(Query.of(where=f"not (timestamp in ['{said}']) or '{said}' < timestamp").apply(records)) == 2


@pytest.mark.parametrize("said", ["tomorrow", "now", "7", "7 moons", "ago", "last week", "01/02/2026", ""])
def test_what_says_no_time_is_an_error(said):
    for filters in (dict(since=said), dict(until=said), dict(where=f"timestamp > '{said}'")):
        with pytest.raises(QueryError):
            Query.of(**filters)


def test_only_the_timestamp_is_about_now():
    record = make_record(strategy_name="today", parameters={"at": "yesterday"})
    assert Query.of(where="strategy_name == 'today' and params.at == 'yesterday'").apply([record])


def test_far_away_is_an_error():
    for filters in (dict(since="9999999 days"), dict(where="timestamp > '9999999 days'")):
        with pytest.raises(QueryError, match="9999999 days are too far away from now"):
            Query.of(**filters)
    with pytest.raises(ValueError, match="since must be a point in time, not NaT"):
        Query.of(since=pd.NaT)


@pytest.fixture
def zone(monkeypatch):
    def set_zone(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("kind", [datetime.replace, lambda value, tzinfo: pd.Timestamp(value).tz_localize(tzinfo)])
def test_a_clock_on_the_wall_is_warned_of(zone, kind):
    registry = RunRegistry(MemoryStore())
    registry.store.save_run(make_record(timestamp=NOW))
    naive = kind(NOW, tzinfo=None) - timedelta(hours=20)
    zone("Europe/Berlin")
    with pytest.warns(UserWarning, match="since=2026-02-28 16:30 has no zone and is read as UTC") as caught:
        assert len(registry.list_runs(since=naive)) == 1
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(registry.list_runs(since=naive - 2 * DAY, until="2026-03")) == 1
        assert len(registry.list_runs(since=naive.replace(tzinfo=UTC))) == 1
        zone("UTC")
        assert len(registry.list_runs(since=naive)) == 1
