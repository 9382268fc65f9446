"""What is told about a reader to fuzz it. The modules beside this one tell it, each about its own reader."""

import random
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from vectorbt import _typing as tp

NAMES = ("journal", "encoding", "portable", "older_layout", "where")
"""Modules of this package that each tell about one reader, as their `READER`."""

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class Reader:
    """A reader of content that anybody may have written.

    Args:
        check (callable): Reads bytes, and raises anything if that breaks a promise.
        seeds (callable): Returns inputs to begin with, which the writers wrote.
        tokens (list of str): Words of the language that is read, which no chance would put together.
        alter (callable): Returns other bytes of the same language, made of given ones by chance. It is tried in turn
            with the alterations of the engine, which know nothing of the language.
        longest (int): Bytes of the longest input that is tried."""

    check: tp.Callable[[bytes], None]
    seeds: tp.Callable[[], tp.List[bytes]]
    tokens: tp.Sequence[str]
    alter: tp.Optional[tp.Callable[[bytes, random.Random], bytes]] = None
    longest: int = 4096


def reader_of(name: str) -> Reader:
    """Return the reader of a name."""
    return import_module(f"tests.fuzz.{name}").READER


def found_inputs(name: str) -> tp.List[Path]:
    """Return the files with inputs that once broke a promise of a reader, and must not do so again."""
    return sorted((Path(__file__).parent / "found" / name).glob("*"))
