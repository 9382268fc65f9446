"""Bytes under names: where the portfolios lie.

An `ArtifactStore` knows nothing of portfolios. It promises that what it has written is durable and whole when
`ArtifactStore.write` returns, and that a name never leads out of it."""

import abc
import errno
import os
import re
import stat
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

from vectorbt import _typing as tp

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}(\.[a-z0-9]{1,16}){1,2}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\.")
_TEMPORARY_PREFIX = ".tmp-"


def is_name(name: tp.Any) -> bool:
    """Return whether `name` can name an artifact on every file system, and cannot lead anywhere else."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and _RESERVED.match(name) is None


def check_name(name: str) -> str:
    """Return `name` if `is_name`.

    Raises:
        ValueError: If it is not made of lower-case letters, digits, `-` and `_`, with one or two endings."""
    if not is_name(name):
        raise ValueError(
            f"{str(name)[:100]!r} is no name of an artifact: expected lower-case letters, digits, '-' and '_', "
            f"and an ending such as '.pkl'"
        )
    return name


class ArtifactInfo(tp.NamedTuple):
    """An artifact as it is listed: its name, its size in bytes, and its age in seconds."""

    name: str
    size: int
    age: float


class ArtifactStore(abc.ABC):
    """Keeps bytes under names.

    A name is written once and not changed afterwards; writing it again replaces the whole content. All methods may
    be called from several threads and processes at once."""

    @abc.abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Keep `content` under `name`. It is durable, and seen whole or not at all by anybody else.

        Raises:
            ValueError: If `name` cannot be one.
            OSError: If the system refuses. Nothing is left behind."""

    @abc.abstractmethod
    def read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        """Return the content under `name`, or its bytes from `start` up to but excluding `end`.

        Raises:
            FileNotFoundError: If there is no such artifact."""

    def get(self, name: str) -> tp.Optional[bytes]:
        """Return the content under `name`, or None if there is no such artifact."""
        try:
            return self.read(name)
        except FileNotFoundError:
            return None

    @abc.abstractmethod
    def delete(self, name: str) -> bool:
        """Remove an artifact. Return whether there was one."""

    @abc.abstractmethod
    def list(self) -> tp.List[ArtifactInfo]:
        """Return all artifacts, ordered by name."""

    @abc.abstractmethod
    def size(self, name: str) -> tp.Optional[int]:
        """Return the size of an artifact in bytes, or None if there is no such artifact."""

    def leftovers(self) -> tp.List[ArtifactInfo]:
        """Return what writers that died have left behind. It was never seen under a name."""
        return []

    def discard(self, leftover: ArtifactInfo) -> None:  # noqa: B027
        """Remove what `ArtifactStore.leftovers` has listed."""

    @property
    @abc.abstractmethod
    def root(self) -> str:
        """Where the artifacts lie, as people write it: a path or URL."""

    def locate(self, name: str) -> str:
        """Return where people find an artifact: a path or URL."""
        return f"{self.root}/{name}"


class MemoryArtifacts(ArtifactStore):
    """Artifacts in a dict, for as long as the process lives."""

    def __init__(self) -> None:
        self._contents: tp.Dict[str, tp.Tuple[bytes, float]] = {}

    @property
    def root(self) -> str:
        return "memory:"

    def write(self, name: str, content: bytes) -> None:
        self._contents[check_name(name)] = bytes(content), time.time()

    def read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        if name not in self._contents:
            raise FileNotFoundError(f"no artifact {name!r} in memory")
        return self._contents[name][0][start:end]

    def delete(self, name: str) -> bool:
        return self._contents.pop(name, None) is not None

    def list(self) -> tp.List[ArtifactInfo]:
        now = time.time()
        return [ArtifactInfo(name, len(c), now - written) for name, (c, written) in sorted(self._contents.items())]

    def size(self, name: str) -> tp.Optional[int]:
        return len(self._contents[name][0]) if name in self._contents else None


class FolderArtifacts(ArtifactStore):
    """Artifacts as the files of one folder.

    The folder is made by the first write. A file is written under a temporary name beside its final one, synced,
    renamed, and the folder is synced after it. Links are not followed, since they could lead anywhere: an artifact is
    a regular file, and a folder that is a link holds nothing and takes nothing.

    Args:
        folder (path_like): Folder."""

    def __init__(self, folder: tp.Union[str, os.PathLike]) -> None:
        folder = Path(folder).expanduser()
        self.folder = folder.parent.resolve() / folder.name

    @property
    def root(self) -> str:
        return str(self.folder)

    def write(self, name: str, content: bytes) -> None:
        target = self.folder / check_name(name)
        refuse_link(self.folder)
        make_folder(self.folder)
        write_atomically(target, content)

    def read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        if self.size(name) is None:
            raise FileNotFoundError(errno.ENOENT, "no such regular file", self.locate(name))
        with open(self.folder / name, "rb", opener=open_regular) as file:
            file.seek(start)
            return file.read() if end is None else file.read(max(0, end - start))

    def delete(self, name: str) -> bool:
        check_name(name)
        if self.folder.is_symlink():
            return False
        try:
            os.unlink(self.folder / name)
        except FileNotFoundError:
            return False
        sync_folder(self.folder)
        return True

    def list(self) -> tp.List[ArtifactInfo]:
        return [info for info in self._scan() if is_name(info.name)]

    def size(self, name: str) -> tp.Optional[int]:
        check_name(name)
        if self.folder.is_symlink():
            return None
        try:
            status = os.lstat(self.folder / name)
        except FileNotFoundError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def leftovers(self) -> tp.List[ArtifactInfo]:
        return [info for info in self._scan() if info.name.startswith(_TEMPORARY_PREFIX)]

    def discard(self, leftover: ArtifactInfo) -> None:
        if leftover.name.startswith(_TEMPORARY_PREFIX):
            (self.folder / Path(leftover.name).name).unlink(missing_ok=True)

    def _scan(self) -> tp.List[ArtifactInfo]:
        now = time.time()
        found = []
        if self.folder.is_symlink():
            return []
        try:
            entries = list(os.scandir(self.folder))
        except FileNotFoundError:
            return []
        for entry in sorted(entries, key=lambda entry: entry.name):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # removed since the folder was listed
                continue
            if stat.S_ISREG(status.st_mode):
                found.append(ArtifactInfo(entry.name, status.st_size, now - status.st_mtime))
        return found


def open_regular(path: tp.Union[str, os.PathLike], flags: int) -> int:
    """Open a regular file, for `open()`. Neither follows a link out of the folder nor waits for a pipe.

    Raises:
        OSError: If the name is that of anything else."""
    refuse_link(path)
    fd = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "expected a regular file; move away what has its name", str(path))
    return fd


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


# ############# Durable files ############# #


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
    temporary = target.parent / f"{_TEMPORARY_PREFIX}{uuid.uuid4().hex}"
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
    fd = os.open(folder, os.O_RDONLY)
    try:
        with errors_naming(folder):
            os.fsync(fd)
    finally:
        os.close(fd)
