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
    """Make a folder and the missing ones above it, so that they outlive a power cut.

    The names of those that are there are synced as well, as far up as their file system goes: who made them may have
    died before that."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)
    device = os.stat(folder).st_dev
    for parent in folder.parents:
        if os.stat(parent).st_dev != device:
            break
        if os.access(parent, os.R_OK):  # others have made what lies in a folder that this user may not read
            sync_folder(parent)


class DurableFolder:
    """A folder whose name, and the names in it, outlive a power cut: whoever made them, and even if that one died.

    Args:
        path (Path): Folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: tp.Optional[tp.Tuple[int, int]] = None
        self._synced: tp.Optional[tp.Tuple[int, ...]] = None

    def make(self) -> None:
        """Make the folder, unless it is the one that was made or found the last time. See `make_folder`."""
        if self._made is None or self._made != self._identity():
            make_folder(self.path)
            self._made = self._identity()

    def sync_names(self, fd: int) -> None:
        """Sync the names in the folder, unless nobody has changed one since the last time.

        Args:
            fd (int): Open file in it whose name matters. Times are coarse, so it is looked at as well."""
        status = os.stat(self.path)
        names = status.st_dev, status.st_ino, status.st_mtime_ns, os.fstat(fd).st_ino
        if names != self._synced:
            sync_folder(self.path)
            self._synced = names

    def _identity(self) -> tp.Optional[tp.Tuple[int, int]]:
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino


def write_atomically(
    target: Path,
    content: tp.Union[bytes, tp.Iterable[bytes]],
    mode: tp.Optional[int] = None,
) -> None:
    """Give a file a new content, which is seen whole or not at all, and is durable when the call returns.

    Args:
        target (Path): File.
        content (bytes or iterable of bytes): Content, in one piece or several. A piece is on the disk before the next
            one is asked for.
        mode (int): Permissions. Defaults to those of any new file.

    Raises:
        OSError: If the system refuses. The file is as it was before, and nothing is left beside it."""
    temporary = target.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        with errors_naming(target), open(temporary, "xb", buffering=0) as file:
            if mode is not None:
                os.chmod(temporary, mode)
            for piece in [content] if isinstance(content, bytes) else content:
                write_fully(file.fileno(), piece)
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
        if e.errno is not None and e.filename is None:
            e.filename = str(path)
        raise


def write_fully(fd: int, content: bytes) -> None:
    """Write all of `content`, however often the system stops halfway."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def sync_file(path: Path) -> None:
    """Make a file durable that is there already, with its name."""
    with errors_naming(path), open(path, "rb", buffering=0, opener=open_regular) as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)


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
