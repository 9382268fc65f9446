"""The file operations of this process below a folder: recorded, and made to fail or to kill the process."""

import builtins
import errno
import io
import os
import re
import signal
from pathlib import Path

FAILING = ("open", "write", "fsync", "replace")
CLEANUP = ("unlink", "ftruncate")


class Syscalls:
    """A context in which the file operations below a folder are counted and recorded as (operation, relative path).

    Args:
        folder (Path): Folder.
        at (int): Which of the operations in `FAILING` goes wrong, counted from 1. 0 means none.
        error (int): Its errno. None means that the process is killed by SIGKILL before the operation.
        lasting (bool): Whether the later ones go wrong as well.
        cleanup (bool): Whether, from then on, those in `CLEANUP` go wrong as well.
        torn (bool): Whether a write that goes wrong has written half of its bytes."""

    def __init__(self, folder, at=0, error=errno.EIO, lasting=False, cleanup=False, torn=False):
        self.folder = Path(folder)
        self.trace = []
        self.count = 0
        self.failed = []
        self._at, self._error, self._lasting, self._cleanup, self._torn = at, error, lasting, cleanup, torn
        self._paths = {}
        self._patched = []

    def __enter__(self):
        self._real = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace", "unlink", "ftruncate")}
        real_open = builtins.open

        def os_open(path, *args, **kwargs):
            name = self._relative(path)
            if name is not None:
                self._step("open", name)
            fd = self._real["open"](path, *args, **kwargs)
            self._paths[fd] = name
            return fd

        def open_file(path, *args, **kwargs):
            name = None if isinstance(path, int) or kwargs.get("opener") else self._relative(path)
            if name is not None:
                self._step("open", name)
            file = real_open(path, *args, **kwargs)
            if name is not None or kwargs.get("opener") is None:
                self._paths[file.fileno()] = name
            return file

        def write(fd, content):
            name = self._paths.get(fd)
            if name is not None:
                half = bytes(content[: len(content) // 2]) if self._torn else b""
                self._step("write", name, before=lambda: self._real["write"](fd, half))
            return self._real["write"](fd, content)

        def on_fd(operation):
            def wrapped(fd, *args):
                if self._paths.get(fd) is not None:
                    self._step(operation, self._paths[fd])
                return self._real[operation](fd, *args)

            return wrapped

        def replace(source, target, **kwargs):
            if self._relative(target) is not None:
                self._step("replace", self._relative(target))
            return self._real["replace"](source, target, **kwargs)

        def unlink(path, **kwargs):
            if self._relative(path) is not None:
                self._step("unlink", self._relative(path))
            return self._real["unlink"](path, **kwargs)

        for module, name, function in (
            (os, "open", os_open),
            (builtins, "open", open_file),
            (io, "open", open_file),
            (os, "write", write),
            (os, "fsync", on_fd("fsync")),
            (os, "ftruncate", on_fd("ftruncate")),
            (os, "replace", replace),
            (os, "unlink", unlink),
        ):
            self._patched.append((module, name, getattr(module, name)))
            setattr(module, name, function)
        return self

    def __exit__(self, *_):
        for module, name, function in self._patched:
            setattr(module, name, function)

    def _relative(self, path):
        try:
            return Path(os.fsdecode(path)).relative_to(self.folder).as_posix()
        except (TypeError, ValueError):
            return None

    def _step(self, operation, path, before=lambda: None):
        self.trace.append((operation, re.sub(r"\.tmp-.*", ".tmp", path)))
        if operation in FAILING:
            self.count += 1
            fails = self._at and (self.count == self._at or (self._lasting and self.count > self._at))
        else:
            fails = self._cleanup and self.failed
        if not fails:
            return
        self.failed.append((operation, path))
        before()
        if self._error is None:
            os.kill(os.getpid(), signal.SIGKILL)
        # As the system does it: an operation on a descriptor does not say which file it is about.
        names = [str(self.folder / path)] if operation in ("open", "replace", "unlink") else []
        raise OSError(self._error, f"{os.strerror(self._error)} (injected)", *names)
