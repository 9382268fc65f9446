"""Paths of `pathlib`."""

import pathlib

from vectorbt.portfolio.registry.encoding.core import PathT, decodes, encode_at, encodes

# Where the system lacks the class, its pure one stands in.
_KINDS = {
    "PosixPath": (pathlib.PosixPath, pathlib.PurePosixPath),
    "WindowsPath": (pathlib.WindowsPath, pathlib.PureWindowsPath),
    "PurePosixPath": (pathlib.PurePosixPath, pathlib.PurePosixPath),
    "PureWindowsPath": (pathlib.PureWindowsPath, pathlib.PureWindowsPath),
}


@encodes(pathlib.PurePath)
def _encode_path(value: pathlib.PurePath, path: PathT) -> dict:
    class_name = next(name for name, (kind, _) in _KINDS.items() if isinstance(value, kind))
    return {"$path": [class_name, encode_at(str(value), path)]}


@decodes("$path", list)
def _decode_path(payload: list, depth: int) -> pathlib.PurePath:
    class_name, text = payload
    kind, pure = _KINDS[class_name]
    try:
        return kind(text)
    except NotImplementedError:
        return pure(text)
