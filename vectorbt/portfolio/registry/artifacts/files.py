"""Files that are written whole or not at all, outlive a power cut, and are no links."""

import errno
import os
import stat
import uuid
from contextlib import contextmanager
from pathlib import Path

from vectorbt import _typing as tp

TEMPORARY_PREFIX = ".tmp-"
"""What the names of files begin with that are being written."""


def open_regular(path: tp.Union[str, os.PathLike], flags: int) -> int:
    """Open a regular file, for `open()`. Neither follows a link out of the folder nor waits for a pipe.

    Raises:
        OSError: If the name is that of anything else."""
    refuse_link(path)
    opened: tp.List[int] = []
    try:
        _open_into(opened, path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        if not stat.S_ISREG(os.fstat(opened[0]).st_mode):
            raise OSError(errno.EINVAL, "expected a regular file; move away what has its name", str(path))
        return opened[0]
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise


def _open_into(opened: tp.List[int], path: tp.Union[str, os.PathLike], flags: int) -> None:
    """Open a file and append its descriptor to a list in one call in C.

    Ctrl-C could come between a call of `os.open` and keeping what it returns: nobody would ever close that."""
    opened.extend(map(os.open, [path], [flags], [0o666]))


def refuse_link(path: tp.Union[str, os.PathLike]) -> None:
    """Refuse a name in a registry that is a link.

    Raises:
        OSError: If it is."""
    if os.path.islink(path):
        raise OSError(
            errno.ELOOP,
            "a registry follows no links, which could lead out of it; put there what the link leads to",
            str(path),
        )


def make_folder(folder: Path) -> None:
    """Make a folder and the missing ones above it, so that they outlive a power cut."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write_atomically(
    target: Path,
    content: tp.Union[bytes, tp.Iterable[bytes]],
    mode: tp.Optional[int] = None,
) -> None:
    """Give a file a new content, which is seen whole or not at all, and is durable when the call returns.

    Args:
        target (Path): File.
        content (bytes or iterable of bytes): Content, in one piece or several.
        mode (int): Permissions. Defaults to those of any new file.

    Raises:
        OSError: If the system refuses. The file is as it was before, and nothing is left beside it."""
    temporary = target.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        with errors_naming(target), open(temporary, "xb", buffering=0) as file:
            for chunk in [content] if isinstance(content, bytes) else content:
                write_fully(file.fileno(), chunk)
            if mode is not None:
                os.chmod(temporary, mode)
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


@contextmanager
def errors_naming(path: Path) -> tp.Iterator[None]:
    """Let the errors of the system name a file. Those of calls that are given a descriptor do not."""
    try:
        yield
    except OSError as e:
        if e.filename is None:
            e.filename = str(path)
        raise


def write_fully(fd: int, content: bytes) -> None:
    """Write all of `content`, however often the system stops halfway."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Not every system can, and those that cannot need no such call."""
    if os.name == "nt":
        return
    opened: tp.List[int] = []
    try:
        _open_into(opened, folder, os.O_RDONLY)
        with errors_naming(folder):
            os.fsync(opened[0])
    finally:
        for fd in opened:
            os.close(fd)
