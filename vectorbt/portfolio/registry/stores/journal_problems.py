"""What is wrong with a journal, in words."""

import re
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.reports import Problem
from vectorbt.portfolio.registry.stores.journal import Damage, damaged_lines

_RUN_ID = re.compile(rb'"run_id":"([0-9a-f-]{36})"')


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
