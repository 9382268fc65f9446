"""The lock of writers: a file that whoever may write into the folder may lock.

It is the lock of the kernel that `filelock.FileLock` takes as well, so both exclude each other. That one is entered and
left in Python, where Ctrl-C can come between the lock and the note that it is held. Here the open file is the lock:
whatever comes, closing it lets go, and that is one call in C."""

import io
import os
import re
import socket
import sys
import threading
import time
import weakref
from contextlib import nullcontext, suppress
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import errors_naming, open_regular
from vectorbt.portfolio.registry.errors import LockHeldWarning, StoreError
from vectorbt.portfolio.registry.warning import warn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_POLL_SECONDS = 0.002
TOLD_AFTER_SECONDS = 1.0
"""After how long whoever waits is told for whom."""
_NOTE = re.compile(rb"([0-9]{1,20}) ([A-Za-z0-9._-]{1,255})\n")


def check_timeout(seconds: tp.Any) -> tp.Optional[float]:
    """Return how long a change may wait for somebody else, None for ever.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"lock_timeout must be a number of seconds or None, not {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"lock_timeout must not be negative, not {seconds!r}")
    return seconds


def warn_of_waiting(place: tp.Any, timeout: tp.Optional[float], holder: str) -> None:
    """Say for whom a change waits, and how long."""
    limit = "until that is done; lock_timeout= limits it" if timeout is None else f"{timeout:g} seconds at most"
    warn(f"waiting for {place}, held by {holder}: {limit}", LockHeldWarning)


def still_held(place: tp.Any, timeout: float, holder: str) -> StoreError:
    """Return the error that waiting for somebody else ends with."""
    return StoreError(
        f"{place} is still held after {timeout:g} seconds by {holder}; wait until that is done, or end it, and try "
        f"again"
    )


class WriterLock:
    """A lock that one thread of one process holds at a time, and may enter again.

    The file is made if need be. Its permissions are those of any new file: in the folder of a group, the group can lock
    it. Whoever holds the lock leaves a note in it, which those who wait are told.

    Args:
        path (Path): File."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.holdings: tp.Dict[int, _Holding] = {}
        """The latest context of each thread, which holds the lock, waits for it, or has been left."""
        _locks.add(self)

    def hold(self, timeout: tp.Optional[float] = None) -> tp.ContextManager:
        """Return a context in which this thread holds the lock.

        Entering it waits for whoever holds the lock. After a second, a `LockHeldWarning` says who that is.

        Args:
            timeout (float): Seconds after which waiting ends with a `StoreError`. None means never.

        Entering raises an `OSError` if the file cannot be made or locked."""
        thread = threading.get_ident()
        latest = self.holdings.get(thread)
        if latest is not None and latest.is_locked and not latest.closed:
            return nullcontext()
        holding = self.holdings[thread] = _Holding(self.path, timeout)
        return holding


class _Holding(io.FileIO):
    """The file of a lock: opened and locked by entering, closed by leaving, which is C and not to be interrupted."""

    def __init__(self, path: Path, timeout: tp.Optional[float]) -> None:
        self._path = path
        self._timeout = timeout
        self.is_locked = False
        """Whether the lock was ever got. It is let go of by closing."""

    def __enter__(self) -> "_Holding":
        try:
            self._wait()
            self._sign()
            self.is_locked = True
            return self
        except BaseException:
            self.close()
            raise

    def _wait(self) -> None:
        started = time.monotonic()
        told = False
        while not self._take():
            waited = time.monotonic() - started
            if self._timeout is not None and waited >= self._timeout:
                raise still_held(self._path, self._timeout, self._holder())
            if waited >= TOLD_AFTER_SECONDS and not told:
                told = True
                warn_of_waiting(self._path, self._timeout, self._holder())
            time.sleep(_POLL_SECONDS)

    def _take(self) -> bool:
        """Lock the file that has the name now: some versions of filelock remove it when they let go."""
        if self.closed or not self._is_in_place():
            with _opening:
                super().__init__(self._path, "r+b", opener=_open_or_make)
        with errors_naming(self._path):
            return _lock(self.fileno()) and self._is_in_place()

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self.fileno()), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _sign(self) -> None:
        """Note who holds the lock. Nothing else depends on the note, so a full disk does not matter."""
        note = f"{os.getpid()} {socket.gethostname()}\n".encode()
        with suppress(OSError):
            if self.read(len(note)) != note:
                self.seek(0)
                self.write(note)

    def _holder(self) -> str:
        """Return who holds the lock, as far as its note says."""
        note = None
        with suppress(OSError):
            self.seek(0)
            note = _NOTE.match(self.read(300))
        if note is None:
            return "a process that has left no note in it"
        pid, host = int(note[1]), note[2].decode()
        if (pid, host) == (os.getpid(), socket.gethostname()):
            return f"another thread of this process ({pid})"
        return f"process {pid} on {host}, as its note says"


def _open_or_make(path: str, flags: int) -> int:
    return open_regular(path, flags | os.O_CREAT)


def _lock(fd: int) -> bool:
    """Lock an open file. Return whether nobody else has done so."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


# ############# Forked processes ############# #

_locks: "weakref.WeakSet[WriterLock]" = weakref.WeakSet()
_opening = threading.RLock()
"""Held while a file is opened, and while the process is forked: a child must know all files that it has to close."""


def _let_go_in_child() -> None:
    """Close the files that a forked process has inherited: it would hold the locks of its parent as long as it lives.

    Closing them takes nothing from the parent."""
    _opening.release()
    for lock in list(_locks):
        for holding in lock.holdings.values():
            holding.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_let_go_in_child)
