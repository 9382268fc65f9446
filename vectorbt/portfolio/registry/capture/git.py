"""The revision of the code that makes a run: what git says about the working folder."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from vectorbt import _typing as tp

__all__ = ["asked_git", "git_state"]

_TIMEOUT = 2.0
"""Seconds after which git is killed and the state of the code is unknown."""

# Takes no lock that the user's own git could trip over, and runs no program that the repository names.
_COMMAND = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")

_REPOSITORY_VARIABLES = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE"),
    *("GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE"),
)
"""Variables that make git look at another repository than that of the folder, as they do inside a git hook."""


def git_state() -> tp.Optional[tp.Dict[str, tp.Any]]:
    """Ask git about the working folder as it is now.

    Nothing is remembered: in a notebook the code is edited and committed from one save to the next.

    Returns:
        A dict of `commit` (None before the first one) and `dirty`, whether tracked files differ from it. None if the
        folder is in no repository, or git does not answer."""
    with asked_git() as answer:
        return answer()


@contextmanager
def asked_git() -> tp.Iterator[tp.Callable[[], tp.Optional[tp.Dict[str, tp.Any]]]]:
    """Ask git about the working folder as it is now, and let it look while something else is done.

    What is entered is a function that waits for the answer, and returns it as `git_state` does. It is called once at
    most; without it git is stopped at the end."""
    process = _start()
    try:
        yield lambda: None if process is None else _answer(process)
    finally:
        if process is not None:
            if process.poll() is None:
                process.kill()
            process.wait()
            tp.cast(tp.IO, process.stdout).close()


def _start() -> tp.Optional["subprocess.Popen[bytes]"]:
    """Start git, or return None where it has nothing to say."""
    try:
        folder = Path.cwd()
        if not any(os.path.exists(parent / ".git") for parent in (folder, *folder.parents)):
            return None  # which is known without starting a process
        environ = {name: value for name, value in os.environ.items() if name not in _REPOSITORY_VARIABLES}
        return subprocess.Popen(
            [*_COMMAND, *_STATUS],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None  # no git, no permission, a folder that is gone


def _answer(process: "subprocess.Popen[bytes]") -> tp.Optional[tp.Dict[str, tp.Any]]:
    try:
        status, _ = process.communicate(timeout=_TIMEOUT)
    except (OSError, subprocess.SubprocessError):
        return None  # no answer in time
    if process.returncode != 0:
        return None  # a repository that git refuses
    lines = status.decode("ascii", "replace").splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "(initial)")
    return dict(commit=None if commit == "(initial)" else commit, dirty=any(line[:1] != "#" for line in lines))
