"""Warnings that show the line of whoever called the package, however deep inside of it they arise."""

import os
import sys
import warnings

from vectorbt import _typing as tp

__all__ = ["reason_list", "warn"]

_FOLDER = os.path.join(os.path.dirname(__file__), "")
_MAX_LISTED = 10


def warn(message: str, category: tp.Type[Warning] = UserWarning) -> None:
    """Warn at the line of the first caller outside of the package.

    Python before 3.12 has no `skip_file_prefixes`, and a `stacklevel` that is counted by hand is wrong as soon as there
    is a second way to the same warning, such as `Portfolio.save_to_registry` beside `RunRegistry.save_run`.

    Args:
        message (str): What is to be known, and what can be done.
        category (type): Class of the warning."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_FOLDER):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def reason_list(reasons: tp.Sequence[tp.Tuple[str, str]]) -> str:
    """Return the lines of a warning about runs, each with its reason: ten at most, and how many more there are.

    Args:
        reasons (sequence of tuple): run_id and reason of each."""
    lines = [f"{run_id}: {reason}" for run_id, reason in reasons[:_MAX_LISTED]]
    if len(reasons) > _MAX_LISTED:
        lines.append(f"and {len(reasons) - _MAX_LISTED} more")
    return "".join(f"\n  {line}" for line in lines)
