"""JSON to JSON, by chance: what stands at one place is replaced, repeated, renamed or left out."""

import json
from contextlib import suppress

EDGES = (
    *(None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.1, 5e-324, 1e308, float("nan"), float("inf"), "", "0", "nan", "inf", "$", "\0", "\ud800"),
    *("\x1b[2J", "\u202e", "\u2028", "x" * 300, "00000000-0000-4000-8000-000000000001"),
    *([], {}, [None], [[]], {"": {}}, {"$float": "nan"}, {"$future": 1}),
)


def alter_json(content, chance, tokens):
    """Return other JSON, or the same bytes if they are none.

    Args:
        content (bytes): JSON.
        chance (random.Random): Chance.
        tokens (sequence of str): Texts to put into it."""
    try:
        value = json.loads(content)
        places = list(_places(value))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            if places:
                _alter(*chance.choice(places), _new_value(places, chance, tokens), chance, tokens)
        written = json.dumps(value, separators=(",", ":"), ensure_ascii=chance.random() < 0.5)
        return written.encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return content


def _places(value):
    """Yield the containers in a value, each with the keys of what is inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _new_value(places, chance, tokens):
    kind = chance.randrange(6)
    if kind < 2:
        container, key = chance.choice(places)
        value = container[key] if _has(container, key) else None
        return json.loads(json.dumps(value))
    if kind == 2:
        return {chance.choice(tokens): chance.choice(EDGES)}
    if kind == 3:
        return chance.choice(tokens)
    if kind == 4:
        return _nested(chance.choice(EDGES), chance.choice((1, 2, 60, 130, 260)), chance)
    return chance.choice(EDGES)


def _nested(value, depth, chance):
    for _ in range(depth):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def _has(container, key):
    return key in container if isinstance(container, dict) else key < len(container)


def _alter(container, key, value, chance, tokens):
    if not _has(container, key):  # it went with an earlier change
        return
    kind = chance.randrange(8)
    if kind == 0:
        del container[key]
    elif isinstance(container, list) and kind == 1:
        container.insert(key, value)
    elif isinstance(container, list) and kind == 2:
        container[key:key] = container[key : key + 1] * chance.choice((1, 2, 50))
    elif isinstance(container, dict) and kind == 1:
        container[chance.choice(tokens)] = value
    elif isinstance(container, dict) and kind == 2:
        container[chance.choice((*tokens, "", "$", "\0", "\x1b[2J"))] = container.pop(key)
    elif type(container[key]) in (int, float) and kind in (3, 4):
        with suppress(OverflowError):  # an integer beyond a float has no half more
            container[key] += chance.choice((1, -1, 0.5, 2**53))
    elif type(container[key]) is str and kind in (3, 4):
        at = chance.randrange(len(container[key]) + 1)
        container[key] = container[key][:at] + chance.choice((*tokens, "0", "\0", "é")) + container[key][at + 1 :]
    else:
        container[key] = value
