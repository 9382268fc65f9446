"""Why none of some runs is among the best by a metric."""

from collections import Counter

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.metric_names import HEADLINE, needs_frequency
from vectorbt.portfolio.registry.query.comparing import Kind, classify, is_missing
from vectorbt.portfolio.registry.query.query import Query, value_of
from vectorbt.portfolio.registry.run import RunRecord

__all__ = ["describe_unranked"]

_NO_FREQUENCY = "no frequency"


def describe_unranked(query: Query, candidates: tp.Sequence[RunRecord]) -> str:
    """Return in words why none of the runs that meet the other conditions of a query has a metric to be the best by.

    Args:
        query (Query): Query with `Query.finite`.
        candidates (sequence of RunRecord): Runs that meet its other conditions, one at least."""
    metric = tp.cast(str, query.finite)
    reasons = Counter(_reason(record, metric) for record in candidates)
    only = len(reasons) == 1
    listed = ", ".join(reason if only else f"{reason} ({number})" for reason, number in reasons.most_common())
    strategies = {record.strategy_name for record in candidates}
    of = f" of {escaped(strategies.pop())}" if len(strategies) == 1 else ""
    runs, have = ("run", "has") if len(candidates) == 1 else ("runs", "have")
    remedy = "; build portfolios with freq=, such as freq='1D'" if _NO_FREQUENCY in reasons else ""
    return f"{len(candidates)} {runs}{of} {have} no {escaped(metric)}: {listed}{remedy}"


def _reason(record: RunRecord, metric: str) -> str:
    value = value_of(record, metric)
    if is_missing(value) and needs_frequency(metric) and record.data.get("frequency") is None and record.data:
        return _NO_FREQUENCY
    if record.total_trades == 0:
        return "never traded"
    if metric not in HEADLINE and metric not in record.stats:
        return "not recorded"
    if is_missing(value):
        return "NaN"
    return "infinite" if classify(value)[0] is Kind.NUMBER else "not a number"
