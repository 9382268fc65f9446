"""Members of an Enum. Its class is looked for among what is already imported."""

import enum
import sys
import types

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import (
    Literal,
    PathT,
    check_path_depth,
    decode_items,
    decodes,
    encode_at,
    encodes,
)

_VALUE = Literal(".value")


@encodes(enum.Enum)
def _encode_enum(value: enum.Enum, path: PathT) -> dict:
    check_path_depth(path)
    kind = type(value)
    class_name = encode_at(f"{kind.__module__}:{kind.__qualname__}", path)
    return {"$enum": [class_name, encode_at(value.name, path), encode_at(value.value, (*path, _VALUE))]}


@decodes("$enum", list)
def _decode_enum(payload: list, depth: int) -> tp.Any:
    class_name, name, encoded = payload
    (value,) = decode_items([encoded], depth)
    kind = _find_enum(class_name)
    if kind is None:
        return value
    if name in kind.__members__:
        return kind.__members__[name]
    return _combine_flags(kind, value)


def _find_enum(class_name: str) -> tp.Optional[tp.Type[enum.Enum]]:
    module_name, _, qualname = class_name.partition(":")
    found = sys.modules.get(module_name)
    for name in qualname.split("."):
        if not isinstance(found, (types.ModuleType, type)):
            return None
        # Not getattr: a module may import something when it is asked for a name that it lacks.
        found = object.__getattribute__(found, "__dict__").get(name)
    return found if isinstance(found, enum.EnumMeta) else None


def _combine_flags(kind: tp.Type[enum.Enum], value: tp.Any) -> tp.Any:
    """Member of a Flag that is a combination, and so is not found by name, or the value if there is none."""
    if not issubclass(kind, enum.Flag) or type(value) is not int:
        return value
    try:
        return kind(value)
    except ValueError:
        return value
