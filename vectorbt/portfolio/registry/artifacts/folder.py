"""Artifacts as the files of a folder."""

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import (
    TEMPORARY_PREFIX,
    DurableFolder,
    open_regular,
    refuse_link,
    sync_file,
    sync_folder,
    write_atomically,
)
from vectorbt.portfolio.registry.artifacts.store import ArtifactInfo, ArtifactStore, check_name, is_name

_REMEMBERED = 1000
"""How many files are known to be durable, so that one that many runs share is not synced for each of them."""


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
        self._place = DurableFolder(self.folder)
        self._durable: tp.Dict[str, tp.Tuple[int, int, int]] = {}

    def __reduce__(self) -> tp.Tuple[tp.Any, ...]:
        return type(self), (self.folder,)

    @property
    def root(self) -> str:
        return str(self.folder)

    def write(self, name: str, content: bytes) -> None:
        target = self.folder / check_name(name)
        refuse_link(self.folder)
        self._place.make()
        write_atomically(target, content)
        self._remember(name)

    def keep(self, name: str) -> None:
        if self._durable.get(name) != self._identity(check_name(name)):
            self._place.make()
            sync_file(self.folder / name)
            self._remember(name)

    def _remember(self, name: str) -> None:
        if len(self._durable) >= _REMEMBERED:
            self._durable.clear()
        with suppress(FileNotFoundError):  # somebody has removed it already
            self._durable[name] = self._identity(name)

    def _identity(self, name: str) -> tp.Tuple[int, int, int]:
        status = os.lstat(self.folder / name)
        return status.st_ino, status.st_size, status.st_mtime_ns

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

    def move(self, name: str, new_name: str) -> bool:
        if self.size(name) is None:
            return False
        os.replace(self.folder / name, self.folder / check_name(new_name))
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
        return [info for info in self._scan() if info.name.startswith(TEMPORARY_PREFIX)]

    def discard(self, leftover: ArtifactInfo) -> None:
        if leftover.name.startswith(TEMPORARY_PREFIX):
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
