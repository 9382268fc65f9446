"""Records and questions for holding one store's answers against another's."""

import datetime
import decimal

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from tests.support.factories import START, make_record
from vectorbt.portfolio.registry.named_values import ORIGINS
from vectorbt.portfolio.registry.query.query import Query

VALUES = (
    *(0, 1, 2, 10, -1, 10.0, 0.1, 0.30000000000000004, -0.0, 1e-300, 1e300, 5e-324),
    *(2**53, 2**53 + 1, float(2**53), 2**63 - 1, 2**80, -(2**80), decimal.Decimal("0.1"), decimal.Decimal(10)),
    *(None, float("nan"), float("inf"), -float("inf"), pd.NaT, decimal.Decimal("nan"), np.datetime64("NaT")),
    *(True, False, "10", "1", "True", "", "a", "A", "%", "a%", "_", "'", '"', "\\", "é", "日本", "\0", "a\0", "\ufffd"),
    *("x" * 199, "x" * 200, "x" * 201, "x" * 200 + "y"),
    *("2024-01-01", "2024-01-01T12:00", datetime.date(2024, 1, 1), pd.Timestamp("2024-01-01 12:00", tz="UTC")),
    *("1 day", pd.Timedelta(days=1), datetime.timedelta(days=1), np.timedelta64(2, "h")),
    *((1, 2), [1, 2], {1, 2}, {"a": 1}, ["a", None]),
    *({"b": 1}, {"b": {"c": 2}}, {"b.c": "a", "b": None}, {"b": float("nan")}),
    *(pd.Period("2024-01", "M"), pd.Interval(0, 1), pd.DateOffset(months=3)),
)
NAMES = ("x", "y", "a.b", "%", "it's", 'quo"te', "back\\slash", "日本", "nul\0", "x" * 300)
NESTED_NAMES = ("a", "a.b", "a.b.c")
"""Names of parameters that hold others of them."""
FIELDS = ("run_id", "timestamp", "strategy_name", "tags", "notes", "sweep_id", "sharpe_ratio", "total_trades")
METRICS = ("sortino_ratio", "calmar_ratio", "custom", "max_dd_duration")
NUMBERS = (
    *(0, 1, 1.5, -2.25, 0.1, 0.30000000000000004, float("nan"), float("inf"), -float("inf")),
    *(2**53 + 1, 2**80, 10**400),
)
NO_TEXTS = {
    "timestamp": ("2024-01-01", "2024-01", "2024-01-01T00:00:00.000001"),
    "max_dd_duration": ("1 day", "2 h", "P1DT1H"),
    "run_id": tuple(make_record(number).run_id for number in range(3)),
    "sweep_id": ("00000000-0000-4000-8000-000000000001",),
    "tags": (),
    "symbols": (),
}
"""Texts that a column of times, ids or lists is compared with. No others are, see the tests of `where`."""
SYMBOLS = ("BTC", "ETH", "600519")
DATA = (
    *({}, {"fingerprint": "ab" * 32}, {"fingerprint": "cd" * 32, "frequency": "W-SUN", "bars": 52}),
    {"symbols": ["BTC", "ETH"], "bars": 100, "frequency": "1 days"},
    {"symbols": [600519], "bars": 100.0, "frequency": None},
)
ENVIRONMENTS = (
    {},
    {"git": None, "vectorbt": "1.2.0"},
    {"git": {"commit": "abcd" * 10}},
    {"git": {"commit": "abcd0" * 8}},
)
TAGS = ("a", "A", "%", "a'b", "日本", "", "t" * 250, "nul\0")
STRATEGIES = ("dual", "dual ", "Dual", "d%", "o'b", "日本", "s" * 250, "s" * 251, "nul\0")
SWEEPS = (None, "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
MICROSECOND = datetime.timedelta(microseconds=1)
MOMENTS = (*(START + offset * MICROSECOND for offset in (-1, 0, 1)), START + datetime.timedelta(days=1))

values = st.one_of(st.sampled_from(VALUES), st.integers(), st.floats(), st.text(max_size=5))


class Case:
    """Runs and questions made of a few names and values, so that they have to do with each other.

    Args:
        draw (callable): Of a composite strategy."""

    def __init__(self, draw):
        self.draw = draw
        names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)
        self.names = draw(st.one_of(names, st.just(NESTED_NAMES)))
        self.values = draw(st.lists(values, min_size=1, max_size=5))
        self.metrics = draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=2, unique=True))
        self.numbers = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=4))
        self.strategies = draw(st.lists(st.sampled_from(STRATEGIES), min_size=1, max_size=2))
        self.tags = draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=3))

    def one_of(self, items):
        return self.draw(st.sampled_from(items))

    def maybe(self, make):
        return make() if self.draw(st.integers(0, 3)) == 0 else None

    # ############# Runs ############# #

    def record(self, number):
        metrics = st.one_of(st.sampled_from(self.numbers), st.sampled_from(self.values))
        return make_record(
            number,
            timestamp=self.one_of(MOMENTS),
            strategy_name=self.one_of(self.strategies),
            parameters=self.draw(st.dictionaries(st.sampled_from(self.names), st.sampled_from(self.values))),
            tags=self.draw(st.lists(st.sampled_from(self.tags), max_size=2)),
            stats=self.draw(st.dictionaries(st.sampled_from(self.metrics), metrics)),
            sharpe_ratio=self.one_of(self.numbers),
            total_trades=self.one_of(self.numbers),
            sweep_id=self.one_of(SWEEPS),
            data=self.one_of(DATA),
            environment=self.one_of(ENVIRONMENTS),
        )

    # ############# Questions ############# #

    def query(self):
        sortable = [*FIELDS, *ORIGINS, *self.metrics, *(f"params.{name}" for name in self.names)]
        since, until = self.maybe(lambda: self.one_of(MOMENTS)), self.maybe(lambda: self.one_of(MOMENTS))
        if since is not None and until is not None:
            since, until = sorted((since, until))
        query = Query.of(
            strategy_name=self.maybe(lambda: self.one_of(self.strategies)),
            tags=self.maybe(lambda: self.draw(st.lists(st.sampled_from(self.tags), max_size=2))),
            parameters=self.maybe(self.parameters),
            where=self.maybe(self.where) or self.maybe(self.where),
            since=since,
            until=until,
            data=self.maybe(lambda: "ab" * 32),
            sweep_id=self.maybe(lambda: self.one_of(SWEEPS[1:])),
            symbols=self.maybe(lambda: self.draw(st.lists(st.sampled_from(SYMBOLS), max_size=2))),
            commit=self.maybe(lambda: self.one_of(("abcd", "ABCD0", "ffff"))),
            deleted=self.one_of((False, False, True, None)),
            **self.order(sortable),
            limit=self.one_of((None, 0, 1, 2, 3, 5)),
        )
        metric = self.maybe(lambda: self.one_of(("sharpe_ratio", "total_trades", *self.metrics)))
        per = self.maybe(lambda: self.one_of(sortable))
        return query if metric is None else query.best(metric, self.one_of((1, 2, 5)), self.draw(st.booleans()), per)

    def order(self, sortable):
        """Return a name to sort by, or up to three, with their directions."""
        names = [self.one_of(sortable) for _ in range(self.one_of((1, 1, 2, 3)))]
        directions = [self.draw(st.booleans()) for _ in names]
        if len(names) == 1:
            return dict(sort_by=names[0], ascending=directions[0])
        return dict(sort_by=names, ascending=directions)

    def parameters(self):
        listed = st.lists(st.sampled_from(self.values), max_size=3)
        ranges = st.builds(range, st.integers(-2, 3), st.integers(0, 12))
        wanted = st.one_of(st.sampled_from(self.values), listed, listed.map(tuple), listed.map(as_index), ranges)
        return self.draw(st.dictionaries(st.sampled_from(self.names), wanted, max_size=2))

    def where(self, depth=0):
        kind = self.draw(st.integers(0, 4)) if depth < 3 else 0
        if kind == 1:
            return f"not ({self.where(depth + 1)})"
        if kind == 2:
            return f"({self.where(depth + 1)}) {self.one_of(('and', 'or'))} ({self.where(depth + 1)})"
        return self.comparison()

    def comparison(self):
        name = self.name()
        literal = self.literal(name)
        sign = self.one_of(("==", "!=", "<", "<=", ">", ">="))
        listed = ", ".join([literal, self.literal(name), "none"][: self.draw(st.integers(0, 3))])
        return self.one_of(
            (
                f"{name} {sign} {literal}",
                f"{literal} {sign} {name}",
                f"{name} {sign} {self.name()}",
                f"{name} {self.one_of(('in', 'not in'))} [{listed}]",
                f"{quoted(self.one_of(self.tags))} {self.one_of(('in', 'not in'))} tags",
                f"{literal} {self.one_of(('in', 'not in'))} {name}",
                f"{name} {self.one_of(('==', '!='))} none",
                name,
            )
        )

    def name(self):
        return self.one_of((*FIELDS, *ORIGINS, *self.metrics, *(f"params[{quoted(name)}]" for name in self.names)))

    def literal(self, name):
        """Return what a name may be compared with."""
        compared = [*self.values, *self.numbers, *self.strategies]
        if name in NO_TEXTS:
            compared = [*NO_TEXTS[name], *(value for value in compared if not isinstance(value, str))]
        return self.one_of([written(value) for value in compared if is_writable(value)] or ["1"])


@st.composite
def cases(draw):
    """Return runs, the ids of those that are deleted, and questions."""
    case = Case(draw)
    records = [case.record(number) for number in range(draw(st.integers(0, 10)))]
    deleted = {record.run_id for record in records if draw(st.integers(0, 4)) == 0}
    return records, deleted, [case.query() for _ in range(draw(st.integers(1, 8)))]


def as_index(values):
    """Return values as they are in an index, which keeps each as it is."""
    return pd.Index(values, dtype=object)


def is_writable(value):
    """Return whether a value can stand in an expression."""
    return isinstance(value, (bool, str)) or (type(value) in (int, float) and value - value == 0)


def written(value):
    """Return a value as it stands in an expression."""
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text):
    """Return a text as it stands in an expression."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
