"""The lock of writers: a file that whoever may write into the folder may lock."""

import os
import stat
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import open_regular

if tp.TYPE_CHECKING:
    from filelock import BaseFileLock

POLL_SECONDS = 0.002
"""Between two attempts to take a lock that somebody else holds."""


def file_lock(path: Path) -> "BaseFileLock":
    """Return a lock on a file, which is made if need be.

    Its permissions are those of any new file: in the folder of a group, the group can lock it. By itself, filelock
    before 3.24 lets nobody but the owner.

    Raises:
        OSError: If the file cannot be made or opened."""
    from filelock import FileLock

    with open(path, "ab", opener=open_regular) as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    return FileLock(str(path), mode=mode)
