"""What upkeep makes of a journal: the problems in it, and the same runs without what was superseded."""

import re
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.reports import Problem
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.stores.journal import (
    Damage,
    Entry,
    frame,
    header,
    is_torn,
    lines_of,
    parse_line,
    salvage_line,
)

_RUN_ID = re.compile(rb'"run_id":"([0-9a-f-]{36})"')
_SEPARATORS = b"\xef\xbb\xbf\r\n "
"""What stands between lines that were joined, in front of the first, or behind those of another system."""


def compacted(runs: tp.Iterable[RunRecord], deleted: tp.Iterable[RunRecord]) -> bytes:
    """Return a journal of runs and deletions in which each of them stands once, in the order given.

    Those of a sweep become one block again."""
    blocks = [lines_of("run", block) for block in _blocks(runs)]
    blocks += [lines_of("deleted", block) for block in _blocks(deleted)]
    return b"".join([header(), *blocks])


def _blocks(records: tp.Iterable[RunRecord]) -> tp.List[tp.List[tp.Dict[str, tp.Any]]]:
    """Return records as dicts, those of one sweep together as far as they have the large parts in common."""
    blocks: tp.Dict[tp.Any, tp.List[tp.Dict[str, tp.Any]]] = {}
    for record in records:
        dct = record.to_dict()
        key: tp.Any = record.run_id
        if record.sweep_id is not None:
            key = record.sweep_id, dumps([dct["artifact"], dct["data"], dct["environment"]])
        blocks.setdefault(key, []).append(dct)
    return list(blocks.values())


def whole_value(entry: Entry) -> bytes:
    """Return the value of an entry with what it shares with the rest of its block, as far as it is JSON."""
    try:
        own = loads(entry.value)
    except ValueError:
        return entry.value
    return dumps({**entry.shared, **own}) if isinstance(own, dict) else entry.value


def damaged_lines(torn: bytes) -> tp.List[bytes]:
    """Return what is damaged of the lines behind the end of a journal, a last one that lost its break included."""
    *lines, end = torn.split(b"\n")
    damaged = [line + b"\n" for line in lines if parse_line(line + b"\n") is None]
    return damaged if is_torn(end) else [*damaged, end + b"\n"]


def beyond_reading(damages: tp.Iterable[Damage]) -> tp.List[bytes]:
    """Return the damaged lines that hold more than what could be read of them."""
    return [damage.content.removesuffix(b"\n") + b"\n" for damage in damages if damage.content and not _is_read(damage)]


def _is_read(damage: Damage) -> bool:
    """Return whether all of a damaged line could be read, as where two lines have lost the break between them."""
    if not damage.readable:
        return False
    rest = damage.content
    for entry in salvage_line(damage.content):
        rest = rest.replace(frame(entry.kind, entry.value)[:-1], b"", 1)
    return not rest.strip(_SEPARATORS)


# ############# Problems ############# #


def line_problems(path: Path, damages: tp.Iterable[Damage]) -> tp.List[Problem]:
    """Return the problems of lines that were altered since they were written."""
    problems = []
    for damage in damages:
        if damage.readable:
            kind, remedy = "altered_line", "Nothing is lost; compact() writes it as it should be"
        else:
            kind, remedy = "unreadable_line", "Restore it from a copy; compact() puts it aside"
        problems.append(Problem(kind, f"{path}:{damage.line}", run_id_in(damage.content), damage.reason, remedy))
    return problems


def record_problems(path: Path, damages: tp.Iterable[Damage]) -> tp.List[Problem]:
    """Return the problems of intact lines that are no record to this version."""
    remedy = "A newer version of vectorbt-registry may understand it, or a copy have it whole; it is kept as it is"
    return [
        Problem("malformed_record", f"{path}:{damage.line}", run_id_in(damage.content), damage.reason, remedy)
        for damage in damages
    ]


def torn_end(path: Path, torn: bytes) -> Problem:
    """Return the problem of a journal whose last complete line ends before the file does."""
    behind = f"{len(torn)} bytes behind the last complete line"
    if damaged_lines(torn):
        reason = f"{behind}, which no writer has left like this"
        remedy = "If they are a run, add a line break to bring it back; the next save puts them aside"
        return Problem("torn_end", str(path), run_id_in(torn), reason, remedy)
    remedy = "Nothing that was saved is lost; the next save cuts them off"
    return Problem("torn_end", str(path), None, f"{behind}, the mark of a writer that died", remedy)


def put_aside(path: Path, content: bytes) -> Problem:
    """Return the problem of a file of damaged lines."""
    return Problem(
        "lines_put_aside",
        str(path),
        None,
        f"{content.count(bytes([10]))} lines that could not be read were moved here",
        "See whether they can be restored from a copy, then remove the file",
    )


def run_id_in(content: bytes) -> tp.Optional[str]:
    """Return the run_id that a damaged line names, if it still does."""
    found = _RUN_ID.search(content)
    return None if found is None else found.group(1).decode()
