"""The chain of a journal: each line names the one before it, so that none can be taken out or altered unseen.

A line carries the first 128 bits of the SHA-256 of the whole line before it. Whoever edits the file without computing
the chain anew is found by `chain_problems`. Whoever computes it anew, or cuts off the end, is found by whoever has kept
the head elsewhere: the link of the last line. A compaction begins a new chain, whose header names the head of the old
one."""

import hashlib
from itertools import pairwise
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.reports import Problem

LINK_LENGTH = 32
"""Hexadecimal digits of a link."""

_REMEDY = "Restore the file from a copy; what was taken out of it no longer counts as a trial"


def link_of(line: bytes) -> str:
    """Return what the line behind a line names it by.

    Args:
        line (bytes): Whole line, with its break."""
    return hashlib.sha256(line).hexdigest()[:LINK_LENGTH]


class Link(tp.NamedTuple):
    """What a line says of the chain.

    Args:
        number (int): Number of the line, from 1.
        own (str): What the next line names it by.
        after (str): What it names the line before it by. None if it says nothing.
        is_intact (bool): Whether the line is as it was written."""

    number: int
    own: str
    after: tp.Optional[str]
    is_intact: bool


class Earlier(tp.NamedTuple):
    """What a file says of the chains that it goes on from.

    Args:
        earlier_heads (list of str): Their heads, the latest one last.
        earlier_breaks (int): In how many places they were broken when they were compacted."""

    earlier_heads: tp.Sequence[str] = ()
    earlier_breaks: int = 0


def chain_problems(
    path: Path, links: tp.Sequence[Link], earlier: Earlier, head: tp.Optional[str] = None
) -> tp.List[Problem]:
    """Return where a chain is broken.

    A break next to a line that is damaged itself is left out, since that one is reported anyway.

    Args:
        path (Path): File.
        links (sequence of Link): Links of its lines in order.
        earlier (Earlier): What the file says of the chains that it goes on from.
        head (str): Head that somebody has kept elsewhere."""
    problems = []
    numbers = {link.own: link.number for link in links}
    for before, link in pairwise(links):
        if not (before.is_intact and link.is_intact) or link.after == before.own:
            continue
        if link.after is None:
            reason = f"line {link.number} names no line before it: it was not added by a registry"
        elif link.after in numbers:
            reason = (
                f"line {link.number} was written behind line {numbers[link.after]}, and stands behind line "
                f"{before.number}: lines were added or reordered"
            )
        else:
            reason = f"the line that line {link.number} was written behind is not there: it was removed or changed"
        problems.append(Problem("broken_chain", f"{path}:{link.number}", None, reason, _REMEDY))
    if earlier.earlier_breaks:
        n_breaks = earlier.earlier_breaks
        reason = (
            f"lines had been removed or changed in {n_breaks} place{'s' if n_breaks > 1 else ''} before a compaction"
        )
        problems.append(Problem("broken_chain", f"{path}:1", None, reason, _REMEDY))
    if head is not None and head not in numbers and head not in earlier.earlier_heads:
        reason = f"it never had the chain head {head!r}, or what it had then was cut off or changed"
        problems.append(Problem("broken_chain", str(path), None, reason, _REMEDY))
    return problems
