"""The language of `where`: what it accepts, what it means, and how it says no."""

import math
import subprocess
import sys
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.query.parser import parse
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.query.where import (
    And,
    Compare,
    HasValue,
    In,
    IsTrue,
    Literal,
    Name,
    Not,
    Or,
)

NAN = float("nan")


def holds(expression, **record):
    """Whether an expression holds for a record. `params__x` stands for `params.x`."""
    record = {name.replace("params__", "params."): value for name, value in record.items()}
    return parse(expression).matches(record.get)


def message(expression):
    with pytest.raises(QueryError) as error:
        parse(expression)
    return str(error.value)


# ############# Any tree can be written and read back ############# #

NAMES = [
    "sharpe_ratio",
    "max_drawdown",
    "tags",
    "params.x",
    "params.in",
    "params.größe",
    "params.stop loss",
    "Win Rates",
]
SCALARS = [None, True, False, 0, 1, -1, 10, 1.0, 10.0, -2.5, 1e300, 2**80, 2**80 + 1, "", "10", "btc", "it's", 'a"\\\n']

scalars = (
    st.sampled_from(SCALARS)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8).filter(lambda text: "\x00" not in text)
)
lists = st.recursive(st.lists(scalars, max_size=4).map(tuple), lambda inner: st.lists(inner, max_size=2).map(tuple))
names = st.builds(Name, st.sampled_from(NAMES))
list_literals = st.builds(Literal, lists)
operands = names | st.builds(Literal, scalars) | list_literals


def asks_for_none(left, right):
    return Literal(None) in (left, right)


comparisons = st.one_of(
    st.builds(Compare, st.sampled_from(["<", "<=", ">", ">="]), operands, operands),
    st.builds(Compare, st.sampled_from(["==", "!="]), operands, operands).filter(
        lambda node: not asks_for_none(node.left, node.right)
    ),
    st.builds(In, operands, names | list_literals, st.booleans()),
    st.builds(HasValue, operands),
    st.builds(IsTrue, names | st.sampled_from([Literal(True), Literal(False)])),
)


def junctions(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


trees = st.recursive(comparisons, junctions, max_leaves=8)

WORDS = {And: " and ", Or: " or ", Not: "not "}
SYMBOLS = {And: "&", Or: "|", Not: "~"}


def write(node, spelling=WORDS):
    """Write a tree with no more parentheses than it needs."""
    if isinstance(node, Name):
        return write_name(node.name)
    if isinstance(node, Literal):
        return write_value(node.value)
    if isinstance(node, Compare):
        return f"{write(node.left)} {node.operator} {write(node.right)}"
    if isinstance(node, In):
        return f"{write(node.left)} {'not in' if node.negated else 'in'} {write(node.right)}"
    if isinstance(node, HasValue):
        return f"{write(node.operand)} != none"
    if isinstance(node, IsTrue):
        return write(node.operand)
    if isinstance(node, Not):
        return spelling[Not] + write_inside(node.condition, (And, Or), spelling)
    nested = (And, Or) if isinstance(node, And) else (Or,)
    return spelling[type(node)].join(write_inside(condition, nested, spelling) for condition in node.conditions)


def write_inside(node, nested, spelling):
    text = write(node, spelling)
    return f"({text})" if isinstance(node, nested) else text


def write_name(name):
    parameter = Name(name).parameter
    if parameter is not None and not parameter.isidentifier():
        return f"params[{write_value(parameter)}]"
    return name if name.replace(".", "_").isidentifier() else f"`{name}`"


def write_value(value):
    if isinstance(value, tuple):
        return "[" + ", ".join(map(write_value, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


@given(trees, st.sampled_from([WORDS, SYMBOLS]))
def test_every_tree_can_be_written_and_read_back(tree, spelling):
    condition = parse(write(tree, spelling)).condition
    assert condition == tree
    # Equality takes 1, 1.0 and True for the same.
    assert repr(condition) == repr(tree)


# ############# The meaning, against a second implementation ############# #

record_values = st.one_of(
    st.sampled_from([*SCALARS, NAN, math.inf, -math.inf]),
    st.lists(st.sampled_from([*SCALARS, NAN]), max_size=3),
)
records = st.dictionaries(st.sampled_from(NAMES), record_values)


def kind(value):
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else "list"


def same(a, b):
    if kind(a) is None or kind(a) != kind(b):
        return False
    if kind(a) != "list":
        return a == b
    return len(a) == len(b) and all(same(x, y) or kind(x) is kind(y) is None for x, y in zip(a, b, strict=True))


def precedes(a, b):
    return kind(a) == kind(b) and kind(a) in ("boolean", "number", "text") and a < b


def includes(collection, value):
    """True, False, or None if the question makes no sense."""
    if kind(collection) == "text":
        return value in collection if kind(value) == "text" else None
    if kind(collection) != "list" or kind(value) is None:
        return None
    return any(same(value, element) for element in collection)


def evaluate(node, record):
    if isinstance(node, Name):
        return record.get(node.name)
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, And):
        return all(evaluate(condition, record) for condition in node.conditions)
    if isinstance(node, Or):
        return any(evaluate(condition, record) for condition in node.conditions)
    if isinstance(node, Not):
        return not evaluate(node.condition, record)
    if isinstance(node, HasValue):
        return kind(evaluate(node.operand, record)) is not None
    if isinstance(node, IsTrue):
        return evaluate(node.operand, record) is True
    left, right = evaluate(node.left, record), evaluate(node.right, record)
    if isinstance(node, In):
        return includes(right, left) is (not node.negated)
    ordered = kind(left) in ("boolean", "number", "text")
    return {
        "==": same(left, right),
        "!=": None not in (kind(left), kind(right)) and not same(left, right),
        "<": precedes(left, right),
        "<=": precedes(left, right) or (ordered and same(left, right)),
        ">": precedes(right, left),
        ">=": precedes(right, left) or (ordered and same(left, right)),
    }[node.operator]


@given(trees, st.lists(records, min_size=1, max_size=5))
def test_an_expression_means_what_the_reference_says(tree, several):
    where = parse(write(tree))
    for record in several:
        assert where.matches(record.get) is evaluate(tree, record)


# ############# Precedence, chains, spelling ############# #

A, B, C = IsTrue(Name("a")), IsTrue(Name("b")), IsTrue(Name("c"))
A1 = Compare(">", Name("a"), Literal(1))
B2 = Compare("<", Name("b"), Literal(2))


@pytest.mark.parametrize(
    "expression, tree",
    [
        ("a and b or c", Or((And((A, B)), C))),
        ("a or b and c", Or((A, And((B, C))))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("a and b and c", And((A, B, C))),
        ("a and (b and c)", And((A, And((B, C))))),
        ("not a and b", And((Not(A), B))),
        ("not (a and b)", Not(And((A, B)))),
        ("not a > 1", Not(A1)),
        ("not not a", Not(Not(A))),
        ("a > 1 & b < 2", And((A1, B2))),
        ("a > 1 | b < 2", Or((A1, B2))),
        ("~a > 1 & b < 2", And((Not(A1), B2))),
        ("a & b or c", Or((And((A, B)), C))),
        ("a | b and c", Or((A, And((B, C))))),
        ("(a) > (1)", A1),
        ("((a)) and ((b))", And((A, B))),
        ("1 < x <= 2", And((Compare("<", Literal(1), Name("x")), Compare("<=", Name("x"), Literal(2))))),
        ("c or 1 < x < 2", Or((C, And((Compare("<", Literal(1), Name("x")), Compare("<", Name("x"), Literal(2))))))),
        ("a > 1 != none", And((A1, HasValue(Literal(1))))),
        (
            "'x' in tags == params.y",
            And((In(Literal("x"), Name("tags")), Compare("==", Name("tags"), Name("params.y")))),
        ),
        ("x == none", Not(HasValue(Name("x")))),
        ("none != x", HasValue(Name("x"))),
        ("x not  in [ ]", In(Name("x"), Literal(()), negated=True)),
        ("x in [1, [2, 'a'], ]", In(Name("x"), Literal((1, (2, "a"))))),
        ("\n a\n\t> 1 ", A1),
    ],
)
def test_structure(expression, tree):
    assert parse(expression).condition == tree


@pytest.mark.parametrize(
    "text, value",
    [
        ("5", 5),
        ("-5", -5),
        ("+ 5", 5),
        ("1.50", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
        ("2E3", 2000.0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("'a\"b'", 'a"b'),
        ('"a\'b"', "a'b"),
        (r"'\'\"\\\n\r\t'", "'\"\\\n\r\t"),
        ("'%_ü日本\U0001f600'", "%_ü日本\U0001f600"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("[]", ()),
        ("[None, -1, 'x']", (None, -1, "x")),
    ],
)
def test_literals(text, value):
    literal = parse(f"x < {text}").condition.right
    assert (type(literal.value), literal.value) == (type(value), value)


@pytest.mark.parametrize(
    "text, name, parameter",
    [
        ("sharpe_ratio", "sharpe_ratio", None),
        ("`Win Rate [%]`", "win_rate", None),
        ("`Win Rates [%]`", "Win Rates [%]", None),
        ("params.fast_window", "params.fast_window", "fast_window"),
        ("params.größe", "params.größe", "größe"),
        ("params.not", "params.not", "not"),
        ("params['stop loss']", "params.stop loss", "stop loss"),
        ('params["a.b"]', "params.a.b", "a.b"),
        ("params.risk . stop", "params.risk.stop", "risk.stop"),
        (r"params['it\'s']", "params.it's", "it's"),
        ("`params.stop loss`", "params.stop loss", "stop loss"),
        ("`and`", "and", None),
        ("Trues", "Trues", None),
    ],
)
def test_names(text, name, parameter):
    where = parse(f"1 < {text}")
    assert [(found.name, found.parameter, found.position) for found in where.names] == [(name, parameter, 4)]


def test_names_are_in_the_order_of_the_text_and_repeated():
    where = parse("b > 1 and (params.a in [1] or not b)")
    assert [(name.name, name.position) for name in where.names] == [("b", 0), ("params.a", 11), ("b", 34)]


def test_a_tree_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        parse("x > 1").condition.operator = "<"


# ############# Missing values and two-valued logic ############# #


@pytest.mark.parametrize("value", [None, NAN, np.float32("nan"), Decimal("nan"), pd.NaT, pd.NA, np.datetime64("NaT")])
def test_a_comparison_with_a_missing_value_is_false(value):
    for comparison in [
        "x == 1",
        "x != 1",
        "x < 1",
        "x <= 1",
        "x > 1",
        "x >= 1",
        "x in [1]",
        "x not in [1]",
        "x",
        "x == x",
    ]:
        assert holds(comparison, x=value) is False
        assert holds(f"not ({comparison})", x=value) is True
    assert not holds("x in [none]", x=value) and not holds("x not in [none]", x=value)
    assert not holds("1 in x", x=value) and not holds("1 not in x", x=value)
    assert not holds("x in tags", x=value, tags=[value]) and not holds("x not in tags", x=value, tags=[value])
    assert holds("x == none", x=value) and not holds("x != none", x=value)


def test_a_missing_column_is_a_missing_value():
    assert holds("x == none") and not holds("x != none or x == 1 or x != 1")


@pytest.mark.parametrize("value", [0, "", False, [], math.inf, "none"])
def test_a_value_that_only_looks_empty_is_present(value):
    assert holds("x != none", x=value) and not holds("none == x", x=value)


def test_none_in_a_list_equals_nothing():
    assert holds("x in [none, 5]", x=5)
    assert holds("x not in [none, 5]", x=7)


@pytest.mark.parametrize("a", [True, False])
@pytest.mark.parametrize("b", [True, False])
def test_truth_table(a, b):
    assert holds("a and b", a=a, b=b) is holds("a & b", a=a, b=b) is (a and b)
    assert holds("a or b", a=a, b=b) is holds("a | b", a=a, b=b) is (a or b)
    assert holds("not a", a=a) is holds("~a", a=a) is (not a)


@pytest.mark.parametrize("value", [1, 1.0, "true", "x", [True], None, NAN, 0])
def test_a_name_alone_holds_only_if_it_is_true(value):
    assert holds("params.x", params__x=True) and holds("params.x", params__x=np.True_)
    assert not holds("params.x", params__x=value) and holds("not params.x", params__x=value)


# ############# Values in expressions ############# #


@pytest.mark.parametrize(
    "expression, value, expected",
    [
        ("x == 10", 10.0, True),
        ("x == 10", np.int64(10), True),
        ("x == 10", "10", False),
        ("x != 10", "10", True),
        ("x == '10'", 10, False),
        ("x == 1", True, False),
        ("x == true", True, True),
        ("x == true", 1, False),
        ("x != true", 1, True),
        ("x in [1, 0]", True, False),
        ("x in [true]", 1, False),
        ("x not in [5, 10]", "5", True),
        ("x in [5, 10]", 10.0, True),
        ("x in ['5', 10]", 5, False),
        ("x in []", 5, False),
        ("x not in []", 5, True),
        ("x > 1", "2", False),
        ("x <= 1", "2", False),
        ("not x > 1", "2", True),
        ("x > 0", True, False),
        ("x > 0", [1], False),
        ("x <= [1]", [1], False),
        ("x == [1, 'a']", (1, "a"), True),
        ("x == [1, 'a']", [1, "b"], False),
        ("x == [1]", [True], False),
        ("x == [1, none]", [1, None], True),
        ("x == 9007199254740993", 9007199254740992.0, False),
        ("x < 9007199254740993", 9007199254740992.0, True),
        ("x > 1e999", 10**400, False),
        ("x == 0.5", Decimal("0.5"), True),
        ("x >= 2", math.inf, True),
        ("'crypto' in x", ["crypto", "sweep"], True),
        ("'cry' in x", ["crypto", "sweep"], False),
        ("'cry' not in x", ["crypto", "sweep"], True),
        ("5 in x", (5.0, 6), True),
        ("5 in x", {5, 6}, True),
        ("5 in x", np.array([5, 6]), True),
        ("[5] in x", [[5], 6], True),
        ("'stop' in x", "a stop loss", True),
        ("'Stop' not in x", "a stop loss", True),
        ("5 in x", "a 5", False),
        ("5 not in x", "a 5", False),
        ("'a' in x", {"a": 1}, False),
        ("'a' not in x", 5, False),
        ("x == '30 days'", pd.Timedelta(days=30), True),
        ("x > '4h'", timedelta(hours=5), True),
        ("x > 5", timedelta(days=9), False),
    ],
)
def test_values(expression, value, expected):
    assert holds(expression, x=value) is expected


def test_names_can_be_compared_with_names():
    assert holds("params.fast < params.slow and params.fast in allowed", params__fast=2, params__slow=3, allowed=[2])
    assert not holds("params.fast < params.slow", params__fast=2, params__slow="3")


@pytest.mark.parametrize("moment", [datetime, pd.Timestamp])
@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=5))])
def test_a_bare_date_is_all_of_its_day(moment, zone):
    def at(*parts):
        utc = datetime(*parts, tzinfo=UTC)
        local = utc.astimezone(zone) if zone else utc.replace(tzinfo=None)
        return local if moment is datetime else pd.Timestamp(local)

    moments = {"before": at(2024, 1, 30, 23, 59, 59, 999999), "first": at(2024, 1, 31), "noon": at(2024, 1, 31, 12)}
    moments |= {"last": at(2024, 1, 31, 23, 59, 59, 999999), "after": at(2024, 2, 1)}
    for operator, expected in {
        "==": {"first", "noon", "last"},
        "!=": {"before", "after"},
        "<": {"before"},
        "<=": {"before", "first", "noon", "last"},
        ">": {"after"},
        ">=": {"first", "noon", "last", "after"},
    }.items():
        where = parse(f"timestamp {operator} '2024-01-31'")
        assert {name for name, at in moments.items() if where.matches({"timestamp": at}.get)} == expected
    assert holds("'2024-01-31' <= timestamp < '2024-01-31T12:00:01Z'", timestamp=moments["noon"])
    assert holds("timestamp in ['2023-01-01', '2024-01-31']", timestamp=moments["noon"])
    assert holds("timestamp == '2024-01' and timestamp == '2024'", timestamp=moments["noon"])


def test_a_string_that_is_no_date_does_not_compare_with_a_timestamp():
    for comparison in ["== 'now'", "< 'now'", ">= '2024-13-01'", "> 5", "< true"]:
        assert not holds(f"timestamp {comparison}", timestamp=datetime(2024, 1, 1))


# ############# Errors ############# #


def test_error_messages():
    assert message("sharpe_ratio > and x < 1") == (
        "`where` cannot be read: expected a value, found 'and'\n    sharpe_ratio > and x < 1\n                   ^"
    )
    assert message("x ==\n 1 and\n\ty >> 2\nand z") == (
        "`where` cannot be read: expected a value, found '>'\n    x ==\n     1 and\n     y >> 2\n        ^\n    and z"
    )
    assert message("symbol in [BTC]") == (
        "`where` cannot be read: expected a string in quotes, found 'BTC'\n    symbol in [BTC]\n               ^"
    )
    assert message("") == "`where` cannot be read: empty; write a condition, such as sharpe_ratio > 1\n    \n    ^"


@pytest.mark.parametrize(
    "marked, problem",
    [
        ("  ", "empty"),
        ("x >^", "expected a value, found the end"),
        ("x > 1 and^  ", "expected a value, found the end"),
        ("x ^= 1", "compare with =="),
        ("x^.y > 1", "expected an operator"),
        ("f^(x)", "expected an operator"),
        ("__import__^('os')", "expected an operator"),
        ("x^[0] > 1", "expected an operator"),
        ("x ^+ 1 > 2", "expected an operator"),
        ("x ^* 2", "unexpected '*'"),
        ("x ^is none", "expected an operator"),
        ("x > 1 ^AND y", "expected an operator"),
        ("'a' ^'b' == x", "expected an operator"),
        ("lambda^: 1", "unexpected ':'"),
        ("(y ^:= 1)", "unexpected ':'"),
        ("1 ^if x else 2", "expected an operator"),
        ("x == ^{1: 2}", "unexpected '{'"),
        ("x == ^@limit", "unexpected '@'"),
        ("x == f^'a'", "expected an operator"),
        ("x > ^1_000", "not a number"),
        ("x > ^0x10", "not a number"),
        ("x > ^1.2.3", "not a number"),
        ("^2a > x", "not a number"),
        ("x > ^٣", "unexpected '٣'"),
        ("-^x > 1", "expected a number"),
        ("- ^-1 > x", "expected a number"),
        ("x == ^'abc", "this string is not closed"),
        ("x == 'a^\\d'", "unknown escape"),
        ("^`` > 1", "this name is empty or not closed"),
        ("a > 1 &^& b", "expected a value"),
        ("^! a", "negate with not"),
        ("x ==^= 1", "compare with =="),
        ("params^", "a parameter is written"),
        ("params ^> 1", "a parameter is written"),
        ("params[^x] > 1", "expected the name in quotes"),
        ("params['x' ^> 1", "expected ']'"),
        ("params.^'x' > 1", "expected a name"),
        ("params.a^.5 > 1", "expected an operator"),
        ("params.a.^'x' > 1", "expected a name"),
        ("x in (1^, 2)", "a list is written in square brackets"),
        ("x in ^'abc'", "expected a list or a name after in"),
        ("x not in ^5", "expected a list or a name after not in"),
        ("x not ^5", "expected 'in'"),
        ("x == [1 ^2]", "expected ','"),
        ("x == [1, 2^", "expected ','"),
        ("x == [^, 1]", "expected a value"),
        ("(x > 1^", "expected ')'"),
        ("x > 1^)", "expected an operator"),
        ("(^)", "expected a value"),
        ("^5", "a value alone is not a condition"),
        ("^'a' and x", "a value alone is not a condition"),
        ("x or ^none", "a value alone is not a condition"),
        ("not ^[1]", "a value alone is not a condition"),
        ("^(a > 1) == true", "a comparison cannot be compared"),
        ("true == ^(not a)", "a comparison cannot be compared"),
        ("x == ^not y", "expected a value"),
        ("x > 1^; y", "unexpected ';'"),
        ("x > 1^#", "unexpected '#'"),
        ("x == ^\x00", "unexpected '\\x00'"),
        ("x == ^\ud800", "unexpected '\\ud800'"),
    ],
)
def test_errors_mark_the_place(marked, problem):
    expression = marked.replace("^", "")
    first, shown, caret = message(expression).split("\n")
    assert problem in first
    assert shown.startswith("    ") and len(shown) == 4 + len(expression)
    assert caret == " " * (4 + max(marked.find("^"), 0)) + "^"


@pytest.mark.parametrize("expression", [None, 5, b"x > 1", ["x > 1"], lambda run: True])
def test_only_a_string_is_an_expression(expression):
    with pytest.raises(TypeError, match="must be a string"):
        parse(expression)


def test_unknown_names():
    known = ["sharpe_ratio", "max_drawdown", "total_return", "start"]

    def unknown(expression):
        with pytest.raises(QueryError) as error:
            parse(expression).check_names(known)
        return str(error.value)

    hint = " If it is a parameter, write params.sharp_ratio; if it is a string, put it in quotes\n"
    assert unknown("max_drawdown < 20 and sharp_ratio > 1") == (
        "`where` cannot be read: unknown name 'sharp_ratio'; did you mean sharpe_ratio?" + hint + "    "
        "max_drawdown < 20 and sharp_ratio > 1\n    "
        "                      ^"
    )
    assert "did you mean sharpe_ratio?" in unknown("SHARPE_RATIO > 1")
    assert "did you mean sharpe_ratio or start?" in unknown("sharp > 1")
    assert "did you mean max_drawdown?" in unknown("drawdown > 1") and "max_drawdown" in unknown("max_dd > 1")
    assert "unknown name 'n'. If it is a parameter, write params.n;" in unknown("n > 1")
    for constant in ["inf", "nan"]:
        assert f"unknown name '{constant}'" in unknown(f"sharpe_ratio < {constant}")
    parse("sharpe_ratio > 1 and params.never_seen > 1 and params['nor this'] and 'sma' in `params.x y`").check_names(
        known
    )


HOSTILE = "\x1b[2J\u202e\ud800\nx"
ESCAPED = "\\x1b[2J\\u202e\\ud800\\nx"


@pytest.mark.parametrize(
    "ask",
    [
        lambda: parse(f"`{HOSTILE}` > 1").check_names(["sharpe_ratio"]),
        lambda: parse("win_rat > 1").check_names(["win_rate\x1b[2J"]),
        lambda: Query.of(sort_by=HOSTILE).check_names(set),
        lambda: Query.of(where=f"timestamp > '{HOSTILE}'"),
        lambda: Query.of(where="`params.a\x1b` > 'soon'").check_times(
            lambda query: [make_record(parameters={"a\x1b": datetime(2024, 1, 1)})]
        ),
        lambda: Query.of(where=f"`params.{HOSTILE}` > 'soon' {HOSTILE}"),
    ],
    ids=["unknown name", "suggestion", "sort_by", "no time", "no time of a run", "grammar"],
)
def test_names_and_texts_in_messages_are_escaped(ask):
    with pytest.raises(QueryError) as error:
        ask()
    assert str(error.value).replace("\n", "").isprintable()


def test_what_is_escaped_can_be_told_and_leaves_the_caret_in_its_place():
    with pytest.raises(QueryError) as error:
        parse(f"1 < 2 and `{HOSTILE}` > 1").check_names([])
    first, before, caret, after = str(error.value).split("\n")
    assert f"unknown name '{ESCAPED}'" in first and f"write params.{ESCAPED};" in first
    assert (before, caret, after) == ("    1 < 2 and ` [2J  ", "              ^", "    x` > 1")


# ############# Bounds, and anything at all as input ############# #


@pytest.mark.parametrize(
    "nested", [lambda n: "(" * n + "x" + ")" * n, lambda n: "not " * n + "x", lambda n: "x == " + "[" * n + "]" * n]
)
def test_depth_is_bounded(nested):
    where = parse(nested(100))
    assert where.matches({"x": True}.get) in (True, False)
    assert "nested more than 100 levels deep" in message(nested(101))
    assert "nested more than 100 levels deep" in message(nested(1600))


def test_depth_counts_what_is_inside_not_beside():
    assert parse(" and ".join(["(not (x))"] * 500)).matches({"x": False}.get)


def test_length_is_bounded():
    longest = "x == '" + "a" * 9_993 + "'"
    assert len(longest) == 10_000
    parse(longest)
    text = message(longest + " ")
    assert "longer than 10000 characters" in text
    assert len(text) < 1_000
    assert "this number is too long" in message("x == " + "9" * 9_000)


@pytest.mark.parametrize("start", ["{n}", "{n}.", ".{n}", "{n}.{n}", "1e{n}", "{n}e{n}", "'{n}", "`{n}"])
def test_what_is_no_number_is_refused_at_once(start):
    expression = f"x > {start.format(n='1' * (9_900 // start.count('n')))}"
    assert "`where` cannot be read" in message(expression + ("" if start[0] in "'`" else "x"))


def test_the_work_grows_with_the_length():
    # Work that grew with the square of it would take many minutes.
    script = """
from vectorbt.portfolio.registry.query import comparing, parser

patterns = [parser.TOKEN, comparing.DURATION, comparing.ISO_DURATION, comparing.TERM, comparing.FINER_DIGITS]
pieces = ["1", "1.", ".1", "1e", "1 ", " ", "a", "1a", "1 a ", "P1D", "1.1", "'", "\\\\", "'a", "`", "00:00:00.000000"]
for pattern in patterns:
    for piece in pieces:
        for start in ("", "'", "`", "P", "PT"):
            for end in ("", "x", "!", ".", "'", "`"):
                pattern.fullmatch(start + piece * 20_000 + end)
                pattern.match(start + piece * 20_000 + end)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_long_expression_is_shown_around_the_place():
    expression = "x > 1 and " * 100 + "y ** 2" + " and x > 1" * 100
    _, shown, caret = message(expression).split("\n")
    assert len(shown) < 500
    assert shown[: len(caret)].endswith("y *")
    assert shown.strip().startswith("...") and shown.endswith("...")


FRAGMENTS = [
    "and", "or", "not", "in", "&", "|", "~", "(", ")", "[", "]", ",", ".", "==", "!=", "<", "<=", ">", ">=", "=", "!",
    "+", "-", "*", "1", "2.5", "1e5", "'a'", '"b"', "'", '"', "\\", "`", "`z`", "true", "none", "x", "tags", "params",
    "params.x", "params['y']", " ", "\n", "\t", "\x00", "lambda", ":", ":=", "{", "}", ";", "#", "@", "é", "__import__",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(FRAGMENTS)).map(" ".join) | st.lists(st.sampled_from(FRAGMENTS)).map("".join) | st.text()
)
def test_any_text_is_an_expression_or_an_error_that_shows_it(text):
    try:
        where = parse(text)
    except QueryError as error:
        assert any(line.strip() == "^" for line in str(error).split("\n"))
    else:
        assert where.matches({"x": 1, "tags": ["a"]}.get) in (True, False)
