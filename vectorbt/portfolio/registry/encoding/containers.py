"""Lists, tuples, sets and dicts."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import (
    KEY,
    Literal,
    PathT,
    check_path_depth,
    decode_items,
    decodes,
    encode_at,
    encode_items,
    encodes,
)
from vectorbt.portfolio.registry.encoding.json_text import dumps

_ELEMENT = Literal("{...}")


@encodes(list)
def _encode_list(value: list, path: PathT) -> list:
    return encode_items(value, path)


@encodes(tuple)
def _encode_tuple(value: tuple, path: PathT) -> dict:
    return {"$tuple": encode_items(value, path)}


@decodes("$tuple", list)
def _decode_tuple(items: list, depth: int) -> tuple:
    return tuple(decode_items(items, depth))


@encodes(set)
def _encode_set(value: set, path: PathT) -> dict:
    return {"$set": _encode_unordered(value, path)}


@decodes("$set", list)
def _decode_set(items: list, depth: int) -> set:
    return _without_loss(set(decode_items(items, depth)), len(items))


@encodes(frozenset)
def _encode_frozenset(value: frozenset, path: PathT) -> dict:
    return {"$frozenset": _encode_unordered(value, path)}


@decodes("$frozenset", list)
def _decode_frozenset(items: list, depth: int) -> frozenset:
    return _without_loss(frozenset(decode_items(items, depth)), len(items))


def _encode_unordered(items: tp.Iterable, path: PathT) -> list:
    check_path_depth(path)
    # Sorted, so that equal sets have equal encodings.
    return sorted((encode_at(item, (*path, _ELEMENT)) for item in items), key=dumps)


@encodes(dict)
def _encode_dict(value: dict, path: PathT) -> dict:
    check_path_depth(path)
    keys = [encode_at(key, (*path, KEY)) for key in value]
    values = [encode_at(item, (*path, key)) for key, item in value.items()]
    if all(type(key) is str and not key.startswith("$") for key in keys):
        return dict(zip(keys, values, strict=True))
    return {"$dict": [item for pair in zip(keys, values, strict=True) for item in pair]}


@decodes("$dict", list)
def _decode_dict(items: list, depth: int) -> dict:
    decoded = decode_items(items, depth)
    keys, values = decoded[::2], decoded[1::2]
    return _without_loss(dict(zip(keys, values, strict=True)), len(keys))


def _without_loss(container: tp.Sized, n: int) -> tp.Sized:
    # Members of an Enum that is not imported come back as their values, which may be equal to others.
    if len(container) != n:
        raise ValueError(f"{n - len(container)} of {n} keys or elements are equal to others")
    return container
