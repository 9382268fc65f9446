"""The names that a pickle imports, read without loading it: whether another process can open it.

`dill`, by which vectorbt pickles, writes most classes and functions of a script or a notebook down by value. Those that
it cannot, such as an Enum, it refers to by their name in `__main__`, which is another module in every process."""

import pickletools
import sys
from contextlib import suppress

from vectorbt import _typing as tp

__all__ = ["unimportable_name"]

_MODULES_OF_SCRIPTS = ("__main__", "__mp_main__")
"""What the script is called that a process runs, and in a process of `multiprocessing` the script of its parent."""


def unimportable_name(pickled: bytes) -> tp.Optional[str]:
    """Return the first name that a pickle refers to and that another process could not import, None if there is none.

    Args:
        pickled (bytes): Pickle. Those inside of it, as vectorbt nests them, are looked at as well."""
    found = (f"{module}.{name}" for module, name in _names(pickled) if not _is_importable(module))
    return next(found, None)


def _is_importable(module: str) -> bool:
    package = module.partition(".")[0]
    if package in _MODULES_OF_SCRIPTS:
        return False
    # A module that the process has made by hand has no spec, and nothing finds it. What is not loaded, such as the
    # names of modules of Python 2 that pickle translates, is not for us to judge.
    if package not in sys.modules or getattr(sys.modules[package], "__spec__", None) is not None:
        return True
    return any(finder.find_spec(package, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))


def _names(pickled: bytes) -> tp.Iterator[tp.Tuple[str, str]]:
    """Yield the modules and names that a pickle refers to."""
    memo: tp.Dict[int, tp.Any] = {}  # as protocol 4 numbers it: older ones name a global in one piece
    pushed: tp.List[tp.Any] = [None, None]  # the last two values if they are text
    argument: tp.Any
    for opcode, argument, _ in pickletools.genops(pickled):
        code = opcode.name
        if code == "GLOBAL":
            module, _, name = argument.partition(" ")
            yield module, name
        elif code == "STACK_GLOBAL" and None not in pushed:
            yield pushed[0], pushed[1]
        if code == "MEMOIZE":
            memo[len(memo)] = pushed[1]
        elif code in ("BINGET", "LONG_BINGET"):
            pushed = [pushed[1], memo.get(argument)]
        elif code != "FRAME":
            pushed = [pushed[1], argument if "UNICODE" in code else None]
        if isinstance(argument, bytes) and argument[:1] == b"\x80" and argument[-1:] == b".":
            with suppress(ValueError):  # bytes that only looked like a pickle
                yield from _names(argument)
