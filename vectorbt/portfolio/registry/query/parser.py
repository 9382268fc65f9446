"""The grammar of `where`: text to the tree of `vectorbt.portfolio.registry.query.where`."""

import re

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX, metric_called
from vectorbt.portfolio.registry.query.where import (
    COMPARISONS,
    NONE,
    And,
    Compare,
    Condition,
    HasValue,
    In,
    IsTrue,
    Literal,
    Name,
    Node,
    Not,
    Operand,
    Or,
    Where,
    error_at,
)

__all__ = ["parse"]

MAX_LENGTH = 10_000
"""Number of characters that an expression may have."""
MAX_DEPTH = 100
"""Number of parentheses, lists and `not` that may stand inside one another."""
MAX_FOUND = 30
"""Number of characters shown of what was found in the wrong place."""


def parse(expression: str) -> Where:
    """Parse an expression.

    Args:
        expression (str): Text in the language that the module describes.

    Raises:
        TypeError: If the expression is not a string.
        QueryError: If it is empty, too long, nested too deeply, or not of the language. The message shows the
            expression and marks the place.

    Usage:
        ```pycon
        >>> where = parse("sharpe_ratio > 1 and params.fast_window in [5, 10] and 'crypto' in tags")
        >>> where.matches({"sharpe_ratio": 1.5, "params.fast_window": 10, "tags": ["crypto"]}.get)
        True
        ```
    """
    if not isinstance(expression, str):
        raise TypeError(f"`where` must be a string, such as 'sharpe_ratio > 1', not {type(expression).__name__}")
    if len(expression) > MAX_LENGTH:
        raise error_at(f"longer than {MAX_LENGTH} characters", expression, MAX_LENGTH)
    if not expression.strip():
        raise error_at("empty; write a condition, such as sharpe_ratio > 1", expression, 0)
    return _Parser(expression).parse()


class Token(tp.NamedTuple):
    """A piece of an expression. `kind` is a group of `TOKEN`, or "end"."""

    kind: str
    text: str
    position: int


# Digits are never given back ("++"): where a letter follows them, every shorter number would be tried as well.
TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?(?![\w.]))
    | (?P<word>[^\W\d]\w*)
    | (?P<name>`[^`]+`)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<symbol>[=!<>]=|[<>&|~()\[\],.+-])
    """,
    re.VERBOSE | re.DOTALL,
)
MISTAKES = {
    **dict.fromkeys("0123456789.", "not a number"),
    **dict.fromkeys("'\"", "this string is not closed"),
    "`": "this name is empty or not closed",
    "=>": "write >=",
    "=<": "write <=",
    "=~": "write 'part' in notes for a part of a text",
    "=": "compare with ==",
    "!": "negate with not, or compare with !=",
}
"""What is said of characters that no token begins with, the longer ones first."""
_NO_ARITHMETIC = "; an expression does no arithmetic, so compute with the columns of to_frame()"
_PART = "; for a part of a text write 'part' in notes"
INSTEAD = {
    "is": "; write x == none or x != none",
    **dict.fromkeys(("like", "ilike", "contains", "startswith", "endswith", "matches"), _PART),
    "between": "; write 1 <= x <= 2",
    **dict.fromkeys("+-*/^", _NO_ARITHMETIC),
    "%": "; percentages are plain numbers, there is no arithmetic, and a title stands in backticks: `Win Rate [%]`",
    "(": "; there are no functions",
}
"""What to write instead of what other languages have, by its first token."""
DOUBLED = {"&": "; write & once, or and", "|": "; write | once, or or", "<>": "; write != for <>"}
"""What to write instead of two symbols, by the two or by the one that is repeated."""
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
CONSTANTS = {"true": True, "false": False, "none": None}
KEYWORDS = frozenset({"and", "or", "not", "in"})


def _tokenize(expression: str) -> tp.List[Token]:
    tokens = []
    position = 0
    while position < len(expression):
        match = TOKEN.match(expression, position)
        if match is None:
            raise error_at(_mistake(expression, position), expression, position)
        if match.lastgroup != "space":
            kind = tp.cast(str, match.lastgroup)  # every alternative has a name
            tokens.append(Token(kind, match[0], position))
        position = match.end()
    tokens.append(Token("end", "", len(expression.rstrip())))
    return tokens


def _mistake(expression: str, position: int) -> str:
    """Return what is wrong where no token begins."""
    for mistake, problem in MISTAKES.items():
        if expression.startswith(mistake, position):
            return problem
    character = expression[position]
    return f"unexpected {character!r}{INSTEAD.get(character, '')}"


class _Parser:
    """Recursive descent, one method per rule of the grammar. What a parenthesis holds shows only at its end, so
    a rule may return an operand or a condition; `_as_operand` and `_as_condition` ask for the one that is due."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = _tokenize(expression)
        self.index = 0
        self.names: tp.List[Name] = []

    def parse(self) -> Where:
        node = self._condition(depth=0)
        if self._next.kind != "end":
            raise self._unexpected("an operator, such as == or and")
        return Where(self.expression, self._as_condition(node), tuple(self.names))

    def _condition(self, depth: int) -> Node:
        # Both levels of precedence in one method: nested parentheses recurse through every method on the way.
        alternatives = []
        while True:
            conditions = [self._negation(depth)]
            while self._accept("and", "&"):
                conditions.append(self._negation(depth))
            alternatives.append(self._combine(And, conditions))
            if not self._accept("or", "|"):
                return self._combine(Or, alternatives)

    def _negation(self, depth: int) -> Node:
        if token := self._accept("not", "~"):
            return Not(self._as_condition(self._negation(self._deeper(depth, token))))
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Node:
        start = self._next
        left = self._operand(depth)
        links = []
        while operator := self._accept_operator():
            left = self._as_operand(left, start)
            start = self._next
            right = self._as_operand(self._operand(depth), start)
            links.append(self._link(operator, left, right))
            left = right
        return self._combine(And, links) if links else left

    def _link(self, operator: str, left: Operand, right: Operand) -> Condition:
        if operator in ("in", "not in"):
            if isinstance(right, Literal) and not isinstance(right.value, tuple):
                raise self._error(f"expected a list or a name after {operator}", right.position)
            return In(left, right, negated=operator == "not in")
        if operator in ("==", "!=") and NONE in (left, right):
            present = HasValue(left if right == NONE else right)
            return present if operator == "!=" else Not(present)
        return Compare(operator, left, right)

    def _operand(self, depth: int) -> Node:
        token = self._next
        if self._accept("("):
            node = self._condition(self._deeper(depth, token))
            self._expect(")", hint="; a list is written in square brackets" if self._next.text == "," else "")
            return node
        if token.kind == "name" or (token.kind == "word" and token.text.lower() not in CONSTANTS):
            return self._name()
        return Literal(self._literal(depth), token.position)

    def _name(self) -> Name:
        token = self._next
        if token.kind == "word" and token.text.lower() in KEYWORDS:
            raise self._unexpected("a value")
        self._advance()
        if token.kind == "name":
            column = metric_called(token.text[1:-1])
        elif token.text == "params":
            column = PARAMETER_PREFIX + self._parameter()
        else:
            column = token.text
        name = Name(column, token.position)
        self.names.append(name)
        return name

    def _parameter(self) -> str:
        if self._accept("["):
            if self._next.kind != "string":
                raise self._unexpected("the name in quotes")
            parameter = self._unescape(self._advance())
            self._expect("]")
            return parameter
        self._expect(".", hint="; a parameter is written params.<name> or params['<name>']")
        names = [self._parameter_name()]
        while self._accept("."):  # a leaf of a nested dict
            names.append(self._parameter_name())
        return ".".join(names)

    def _parameter_name(self) -> str:
        if self._next.kind != "word":
            raise self._unexpected("a name", hint="; any name can be written as params['<name>']")
        return self._advance().text

    def _literal(self, depth: int) -> tp.Any:
        token = self._next
        if token.kind == "string":
            return self._unescape(self._advance())
        if token.kind == "word" and token.text.lower() in CONSTANTS:
            return CONSTANTS[self._advance().text.lower()]
        if self._accept("["):
            return self._elements(self._deeper(depth, token))
        if sign := self._accept("-", "+"):
            number = self._number("a number")
            return -number if sign.text == "-" else number
        return self._number("a string in quotes" if token.kind == "word" else "a value")

    def _elements(self, depth: int) -> tuple:
        elements = []
        while not self._accept("]"):
            elements.append(self._literal(depth))
            if self._next.text != "]":
                self._expect(",")
        return tuple(elements)

    def _number(self, expected: str) -> tp.Union[int, float]:
        if self._next.kind != "number":
            raise self._unexpected(expected)
        token = self._advance()
        try:
            return int(token.text) if token.text.isdigit() else float(token.text)
        except ValueError:
            # Python limits the digits of an int that is read from a string.
            raise self._error("this number is too long", token.position) from None

    def _unescape(self, token: Token) -> str:
        def replace(match: tp.Match) -> str:
            if match[1] not in ESCAPES:
                raise self._error("unknown escape; write a backslash as \\\\", token.position + 1 + match.start())
            return ESCAPES[match[1]]

        return re.sub(r"\\(.)", replace, token.text[1:-1], flags=re.DOTALL)

    # ############# Helpers ############# #

    @property
    def _next(self) -> Token:
        return self.tokens[self.index]

    def _advance(self) -> Token:
        token = self._next
        self.index += 1
        return token

    def _accept(self, *texts: str) -> tp.Optional[Token]:
        return self._advance() if self._next.text in texts else None

    def _accept_operator(self) -> tp.Optional[str]:
        if token := self._accept(*COMPARISONS, "in"):
            return token.text
        if self._accept("not"):
            self._expect("in", hint="; to negate a condition, write not in front of it")
            return "not in"
        return None

    def _expect(self, text: str, hint: str = "") -> None:
        if not self._accept(text):
            raise self._unexpected(repr(text), hint)

    def _deeper(self, depth: int, token: Token) -> int:
        if depth == MAX_DEPTH:
            raise self._error(f"nested more than {MAX_DEPTH} levels deep", token.position)
        return depth + 1

    def _as_operand(self, node: Node, start: Token) -> Operand:
        if not isinstance(node, (Name, Literal)):
            raise self._error("a comparison cannot be compared; join comparisons with and, or", start.position)
        return node

    def _as_condition(self, node: Node) -> Condition:
        if isinstance(node, Name) or (isinstance(node, Literal) and isinstance(node.value, bool)):
            return IsTrue(node)
        if isinstance(node, Literal):
            raise self._error("a value alone is not a condition; compare it with something", node.position)
        return node

    def _combine(self, junction: type, nodes: tp.Sequence[Node]) -> Node:
        if len(nodes) == 1:
            return nodes[0]
        return junction(tuple(self._as_condition(node) for node in nodes))

    def _unexpected(self, expected: str, hint: str = "") -> QueryError:
        kind, text, position = self._next
        found = "the end" if kind == "end" else repr(text if len(text) <= MAX_FOUND else text[:MAX_FOUND] + "...")
        return self._error(f"expected {expected}, found {found}{hint or self._instead()}", position)

    def _instead(self) -> str:
        """Return what to write instead of what was found, as far as it is known from other languages."""
        text, before = self._next.text, self.tokens[self.index - 1].text if self.index else ""
        if self._next.kind == "word" and text.lower() in KEYWORDS and text not in KEYWORDS:
            return f"; write {text.lower()!r} in lower case"
        if self._next.kind == "word" and (metric := metric_called(title := f"{before} {text}")) != title:
            return f"; write {metric}"
        doubled = DOUBLED.get(text) if text == before else DOUBLED.get(before + text)
        return doubled or INSTEAD.get(text.lower(), "")

    def _error(self, problem: str, position: int) -> QueryError:
        return error_at(problem, self.expression, position)
