"""Values as text for people, whatever the values: one that cannot be written must not hide all the others.

Python refuses to write an integer of thousands of digits, and the class of a value may raise what it likes."""

import html
import math

from vectorbt import _typing as tp

__all__ = ["as_html", "as_printable", "escaped", "text_of"]

_WRITTEN_BITS = 2_000
"""Integers of so many bits can always be written: `sys.set_int_max_str_digits` takes no fewer than 640 digits."""

_BRACKETS: tp.Dict[type, tp.Sequence[str]] = {list: "[]", tuple: "()", set: "{}", frozenset: ("frozenset({", "})")}


def text_of(value: tp.Any, write: tp.Callable[[tp.Any], str] = repr) -> str:
    """Return what `write` makes of a value, or, where that raises, a text that says what the value is.

    Of a list, tuple, set or dict only the parts that cannot be written are replaced.

    Args:
        value (any): Value.
        write (callable): Function that returns a text, such as `str`."""
    try:
        return write(value)
    except Exception:
        # Whatever a foreign class raises.
        pass
    try:
        return _described(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _described(value: tp.Any) -> str:
    kind = type(value)
    if kind is dict:
        return "{" + ", ".join(f"{text_of(key)}: {text_of(item)}" for key, item in value.items()) + "}"
    if kind in _BRACKETS:
        opening, closing = _BRACKETS[kind]
        items = ", ".join(map(text_of, value))
        return f"{opening}{items}{',' if kind is tuple and len(value) == 1 else ''}{closing}"
    if isinstance(value, int) and int.bit_length(value) > _WRITTEN_BITS:
        exponent, mantissa = divmod(math.log10(abs(int(value))), 1)
        return f"{'-' if value < 0 else ''}{10**mantissa:.3f}e+{exponent:.0f}"
    return f"<{kind.__name__}>"


def escaped(text: str) -> str:
    """Return a text in which what cannot be printed is escaped as in a literal of Python.

    Names and texts in messages may come from anybody. As they are, they could move the cursor of a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def as_html(text: str) -> str:
    """Return a text as HTML that shows it, whatever it holds."""
    return html.escape(escaped(text))


# ############# Tables ############# #


class LongInt(int):
    """An integer in a table that prints even if it is too long for Python to write."""

    __slots__ = ()

    def __repr__(self) -> str:
        return text_of(int(self))


def as_printable(value: tp.Any) -> tp.Any:
    """Return a value that is equal to the given one, in which integers that may be too long to write are `LongInt`."""
    kind = type(value)
    if kind is int:
        return LongInt(value) if value.bit_length() > _WRITTEN_BITS else value
    if kind in _BRACKETS:
        return kind(map(as_printable, value))
    if kind is dict:
        return {as_printable(key): as_printable(item) for key, item in value.items()}
    return value
