"""Records and questions for holding one store's answers against another's."""

import datetime
import decimal

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from tests.registry.factories import START, make_record
from vectorbt.portfolio.registry.query import Query

VALUES = (
    *(0, 1, 2, 10, -1, 10.0, 0.1, 0.30000000000000004, -0.0, 1e-300, 1e300, 5e-324),
    *(2**53, 2**53 + 1, float(2**53), 2**63 - 1, 2**80, -(2**80), decimal.Decimal("0.1"), decimal.Decimal(10)),
    *(None, float("nan"), float("inf"), -float("inf"), pd.NaT, decimal.Decimal("nan"), np.datetime64("NaT")),
    *(True, False, "10", "1", "True", "", "a", "A", "%", "a%", "_", "'", '"', "\\", "é", "日本", "\0", "a\0", "\ufffd"),
    *("x" * 199, "x" * 200, "x" * 201, "x" * 200 + "y"),
    *("2024-01-01", "2024-01-01T12:00", datetime.date(2024, 1, 1), pd.Timestamp("2024-01-01 12:00", tz="UTC")),
    *("1 day", pd.Timedelta(days=1), datetime.timedelta(days=1), np.timedelta64(2, "h")),
    *((1, 2), [1, 2], {1, 2}, {"a": 1}, ["a", None]),
)
NAMES = ("x", "y", "a.b", "%", "it's", 'quo"te', "back\\slash", "日本", "nul\0", "x" * 300)
METRICS = ("sortino_ratio", "calmar_ratio", "custom", "max_dd_duration")
NUMBERS = (0, 1, 1.5, -2.25, 0.1, 0.30000000000000004, float("nan"), float("inf"), -float("inf"), 2**53 + 1, 2**80)
TAGS = ("a", "A", "%", "a'b", "日本", "", "t" * 250, "nul\0")
STRATEGIES = ("dual", "dual ", "Dual", "d%", "o'b", "日本", "s" * 250, "s" * 251, "nul\0")
SWEEPS = (None, "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
MICROSECOND = datetime.timedelta(microseconds=1)
MOMENTS = (*(START + offset * MICROSECOND for offset in (-1, 0, 1)), START + datetime.timedelta(days=1))

values = st.one_of(st.sampled_from(VALUES), st.integers(), st.floats(), st.text(max_size=5))


@st.composite
def records(draw):
    """A few records that have much in common, so that filters find some of them and many are equal in something."""
    return [
        make_record(
            number,
            timestamp=draw(st.sampled_from(MOMENTS)),
            strategy_name=draw(st.sampled_from(STRATEGIES)),
            parameters=draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=4)),
            tags=draw(st.lists(st.sampled_from(TAGS), max_size=2)),
            stats=draw(st.dictionaries(st.sampled_from(METRICS), st.one_of(st.sampled_from(NUMBERS), values))),
            sharpe_ratio=draw(st.sampled_from(NUMBERS)),
            total_trades=draw(st.sampled_from(NUMBERS)),
            sweep_id=draw(st.sampled_from(SWEEPS)),
            data=draw(st.sampled_from(({}, {"fingerprint": "ab" * 32}, {"fingerprint": "cd" * 32}))),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


fields = st.sampled_from(
    ("run_id", "timestamp", "strategy_name", "tags", "notes", "sweep_id", "sharpe_ratio", "total_trades", *METRICS[:2])
)
parameters = st.sampled_from([name for name in NAMES if "\0" not in name]).map(lambda name: f"params[{quoted(name)}]")
literals = st.one_of(
    st.sampled_from([v for v in VALUES if type(v) in (int, float, bool) and v - v == 0]),
    st.sampled_from([v for v in VALUES if isinstance(v, str) and "\0" not in v]),
    st.sampled_from(STRATEGIES[:6]),
).map(lambda value: quoted(value) if isinstance(value, str) else repr(value))
lists = st.lists(st.one_of(literals, st.just("none")), max_size=3).map(lambda items: f"[{', '.join(items)}]")
operands = st.one_of(fields, parameters, literals)
comparisons = st.one_of(
    st.tuples(st.one_of(fields, parameters), st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), operands),
    st.tuples(literals, st.sampled_from(("==", "!=", "<", ">=")), st.one_of(fields, parameters)),
    st.tuples(st.one_of(fields, parameters), st.sampled_from(("in", "not in")), lists),
    st.tuples(literals, st.sampled_from(("in", "not in")), st.one_of(st.just("tags"), parameters)),
    st.tuples(st.one_of(fields, parameters), st.sampled_from(("==", "!=")), st.just("none")),
    st.tuples(parameters),
).map(" ".join)
expressions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map("({0[0]}) {0[1]} ({0[2]})".format),
        inner.map("not ({})".format),
    ),
    max_leaves=4,
)


def quoted(text):
    """Write a text as `where` reads it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def _optional(strategy):
    return st.one_of(st.none(), strategy)


sorting = st.one_of(fields, st.sampled_from(NAMES).map("params.{}".format), st.sampled_from(METRICS))
queries = st.builds(
    Query.of,
    strategy_name=_optional(st.sampled_from(STRATEGIES)),
    tags=_optional(st.lists(st.sampled_from(TAGS), max_size=2)),
    parameters=_optional(
        st.dictionaries(st.sampled_from(NAMES), st.one_of(values, st.lists(values, max_size=3)), max_size=2)
    ),
    where=_optional(expressions),
    since=_optional(st.sampled_from(MOMENTS)),
    until=_optional(st.sampled_from(MOMENTS)),
    data=_optional(st.just("ab" * 32)),
    sweep_id=_optional(st.sampled_from(SWEEPS[1:])),
    deleted=st.sampled_from((False, False, True, None)),
    sort_by=sorting,
    ascending=st.booleans(),
    limit=_optional(st.integers(0, 6)),
)
best_queries = st.builds(
    lambda query, metric, n, ascending: query.best(metric, n, ascending),
    st.builds(Query.of, where=_optional(expressions), strategy_name=_optional(st.sampled_from(STRATEGIES))),
    st.sampled_from(("sharpe_ratio", "total_trades", *METRICS)),
    st.integers(0, 6),
    st.booleans(),
)
