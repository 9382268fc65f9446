"""The revision of the code that made a run: what git says about the working folder."""

import os
import subprocess
import threading
from pathlib import Path

from vectorbt import _typing as tp

__all__ = ["git_state", "start_git"]

_TIMEOUT = 2.0
"""Seconds after which git is killed and the state of the code is unknown."""

_REPOSITORY_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)
"""Variables that make git look at another repository than that of the folder, as they do inside a git hook."""


class _Question:
    """What git says about a folder, asked in the background so that a save need not wait for a process to start."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._answer: tp.Optional[tp.Dict[str, tp.Any]] = None
        self._settled = threading.Event()
        self._patience = _TIMEOUT

    def ask(self) -> None:
        try:
            threading.Thread(target=self._run, name="git-state", daemon=True).start()
        except RuntimeError:  # no more threads, or the interpreter is shutting down
            self._settled.set()

    def answer(self) -> tp.Optional[tp.Dict[str, tp.Any]]:
        # If git is that slow, one save waits, not every save.
        patience, self._patience = self._patience, 0.0
        self._settled.wait(patience)
        return None if self._answer is None else dict(self._answer)

    def _run(self) -> None:
        try:
            self._answer = _parse_status(_run_status(self._folder))
        except (OSError, subprocess.SubprocessError):
            pass  # no git, no permission, a repository that git refuses, no answer in time
        finally:
            self._settled.set()


_questions: tp.Dict[tp.Tuple[int, str], tp.Optional[_Question]] = {}
"""Question by process and folder, None outside of a repository. A forked process lacks the thread that was to bring
the answer, so it asks for itself."""


def start_git() -> None:
    """Begin to ask git about the working folder, so that the answer is there when `environment` wants it.

    Git is asked once per process and folder, and only inside of a repository."""
    _question()


def git_state() -> tp.Optional[tp.Dict[str, tp.Any]]:
    question = _question()
    return None if question is None else question.answer()


def _question() -> tp.Optional[_Question]:
    try:
        folder = os.getcwd()
    except OSError:  # the working folder was deleted
        return None
    key = (os.getpid(), folder)
    if key not in _questions:
        question = _Question(folder) if _is_in_repository(folder) else None
        # setdefault() is atomic: of several threads one asks.
        if _questions.setdefault(key, question) is question and question is not None:
            question.ask()
    return _questions[key]


def _is_in_repository(folder: str) -> bool:
    return any(os.path.exists(parent / ".git") for parent in (Path(folder), *Path(folder).parents))


def _run_status(folder: str) -> bytes:
    # Takes no lock that the user's own git could trip over, and runs no program that the repository names.
    command = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")
    status = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")
    environ = {name: value for name, value in os.environ.items() if name not in _REPOSITORY_VARIABLES}
    return subprocess.run(
        [*command, *status],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_TIMEOUT,
        check=True,
    ).stdout


def _parse_status(status: bytes) -> tp.Dict[str, tp.Any]:
    commit, dirty = None, False
    for line in status.decode("ascii", "replace").splitlines():
        if line.startswith("# branch.oid "):
            oid = line.removeprefix("# branch.oid ")
            commit = None if oid == "(initial)" else oid
        elif not line.startswith("#"):
            dirty = True
    return dict(commit=commit, dirty=dirty)
