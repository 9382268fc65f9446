"""The reader of `where`.

Promise: a text is an expression, or a `QueryError` that can be shown on any terminal; and what an expression finds in
columns is what it finds run by run."""

from contextlib import suppress

import numpy as np

from tests.fuzz.reader import Reader
from tests.support.equivalence import NAMES, NUMBERS, VALUES, quoted
from tests.support.factories import make_record
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.query.columns import ask
from vectorbt.portfolio.registry.query.parser import MAX_LENGTH
from vectorbt.portfolio.registry.query.query import Query

MIXED = [
    make_record(
        number,
        parameters={name: value for name, value in (("x", value), ("y", VALUES[-number])) if number % 7},
        tags=["a", "b"][: number % 3],
        notes="a" * (number % 2),
        stats={"custom": value, "sortino_ratio": VALUES[number - 1]},
        sharpe_ratio=NUMBERS[number % len(NUMBERS)],
        total_trades=NUMBERS[-number % len(NUMBERS)],
    )
    for number, value in enumerate(VALUES)
]
"""Runs that hold anything."""

NUMERIC = [
    make_record(
        1_000 + number,
        parameters={"x": number, "y": float(number)},
        stats={"custom": NUMBERS[number % 9] + 0.0, "sortino_ratio": number / 4},
    )
    for number in range(20)
]
"""Runs whose values are kept as arrays of numbers."""

BLOCKS = [(RunBlock.of([record.to_dict() for record in records]), None) for records in (MIXED, NUMERIC)]
RUNS = MIXED + NUMERIC
KNOWN = {*Query.__dataclass_fields__, "x", "custom", "sharpe_ratio", "tags", "notes"}


def check(data):
    text = data.decode("utf-8", "surrogateescape")
    try:
        query = Query.of(where=text, deleted=None, sort_by="run_id")
    except QueryError as e:
        assert_can_be_shown(e)
        return
    with suppress(QueryError):
        query.where.check_names(KNOWN)
    by_rows, by_columns = query.apply(RUNS), ask(query, BLOCKS).records()
    assert [run.run_id for run in by_columns] == [run.run_id for run in by_rows]
    few = np.arange(0, len(MIXED), 3)
    expected = query.apply([MIXED[row] for row in few])
    assert [run.run_id for run in ask(query, [(BLOCKS[0][0], few)]).records()] == [run.run_id for run in expected]
    try:
        query.check_times(lambda asked: asked.apply(RUNS))
    except QueryError as e:
        assert_can_be_shown(e)


def assert_can_be_shown(error):
    assert str(error).replace("\n", "").isprintable()


TOKENS = (
    *("==", "!=", "<=", ">=", "<", ">", "&", "|", "~", "(", ")", "[", "]", ",", ".", "-", "+", "`", "'", '"', "\\"),
    *(
        " and ",
        " or ",
        " not ",
        " in ",
        " not in ",
        "none",
        "true",
        "false",
        "True",
        "nan",
        "1e308",
        "9007199254740993",
    ),
    *("params.x", "params.y", "params['", "sharpe_ratio", "total_trades", "sortino_ratio", "custom", "tags", "notes"),
    *("timestamp", "run_id", "strategy_name", "sweep_id", "column", "max_dd_duration", "'2024-01-01'", "'2024-W01'"),
    *("'1 day'", "'P1DT1H'", "'-1 days +02:00:00'", "'2024-01-01T00:00:00.000001+01:00'", "'20240101T10'"),
)


def seeds():
    listed = ", ".join(quoted(value) for value in VALUES if isinstance(value, str))
    numbers = ", ".join(repr(value) for value in VALUES if type(value) in (int, float) and value - value == 0)
    expressions = [
        "sharpe_ratio > 1 and params.x in [5, 10] and 'a' in tags",
        "not (custom <= 1.5 or total_trades >= 9007199254740993) & ~(params.y == none)",
        "1 < params.x <= 2 | 'a' not in notes | sortino_ratio",
        "timestamp >= '2024-01-01' and timestamp < '2024-01' or max_dd_duration > '1 day'",
        "params['it\\'s'] != `params.x` and custom not in [true, none, -1, [1, 2], 'x']",
        "params.x == params.y or custom < params.x or params.x in tags",
        "run_id != sweep_id and strategy_name == 'dual_sma' and column == 0",
        "params.x in [1_0]",
        f"params.x in [{listed}] or params.y in [{numbers}]",
        *(f"params.x == params[{quoted(name)}]" for name in NAMES),
    ]
    return [expression.encode() for expression in expressions]


READER = Reader(check, seeds, TOKENS, longest=min(1_000, MAX_LENGTH))
