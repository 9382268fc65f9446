"""What a disk may hold after a power cut: recorded file operations, and every legal loss of what was not synced.

The model is strict. Of a file, each write since its last `fsync` is there, is not, or is there in part: its first half,
or all but a page of zeros. Of a folder, each name that was made, changed or removed since its last `fsync` is so or is
as before, one independent of the other; ext4 keeps them in their order, which is among these. A file without a name is
lost with all that was synced of it."""

import builtins
import io
import itertools
import os
import random
from pathlib import Path

_PAGE = 4096


class Recorder:
    """A context in which the file operations below a folder are recorded, with what they have written.

    `Recorder.events` are tuples of an operation, a relative path, and what it takes beside.

    Args:
        folder (Path): Folder.
        left_out (collection of str): Names of files that are not recorded."""

    def __init__(self, folder, left_out=(".lock",)):
        self.folder = Path(folder)
        self.events = []
        self._left_out = left_out
        self._paths = {}
        self._patched = []

    def __enter__(self):
        real = {
            name: getattr(os, name) for name in ("open", "write", "fsync", "ftruncate", "replace", "unlink", "mkdir")
        }
        real_open = builtins.open

        def opened(fd, name, was_there):
            self._paths[fd] = name
            if name is not None and not was_there:
                self.events.append(("make", name))

        def os_open(path, *args, **kwargs):
            name, was_there = self._relative(path), os.path.lexists(path)
            fd = real["open"](path, *args, **kwargs)
            opened(fd, name, was_there)
            return fd

        def open_file(path, *args, **kwargs):
            if isinstance(path, int) or kwargs.get("opener"):
                return real_open(path, *args, **kwargs)
            name, was_there = self._relative(path), os.path.lexists(path)
            file = real_open(path, *args, **kwargs)
            opened(file.fileno(), name, was_there)
            return file

        def write(fd, content):
            name, size = self._paths.get(fd), os.fstat(fd).st_size
            written = real["write"](fd, content)
            if name is not None:
                assert os.fstat(fd).st_size == size + written, "everything is written behind what is there"
                self.events.append(("write", name, bytes(content[:written])))
            return written

        def ftruncate(fd, size):
            if self._paths.get(fd) is not None:
                self.events.append(("truncate", self._paths[fd], size))
            return real["ftruncate"](fd, size)

        def fsync(fd):
            real["fsync"](fd)
            if self._paths.get(fd) is not None:
                self.events.append(("fsync", self._paths[fd]))

        def replace(source, target, **kwargs):
            real["replace"](source, target, **kwargs)
            if self._relative(target) is not None:
                self.events.append(("rename", self._relative(source), self._relative(target)))

        def unlink(path, **kwargs):
            real["unlink"](path, **kwargs)
            if self._relative(path) is not None:
                self.events.append(("unlink", self._relative(path)))

        def mkdir(path, *args, **kwargs):
            real["mkdir"](path, *args, **kwargs)
            if self._relative(path) is not None:
                self.events.append(("mkdir", self._relative(path)))

        functions = dict(
            open=os_open, write=write, ftruncate=ftruncate, fsync=fsync, replace=replace, unlink=unlink, mkdir=mkdir
        )
        for module, name, function in (
            *((os, name, function) for name, function in functions.items()),
            (builtins, "open", open_file),
            (io, "open", open_file),
        ):
            self._patched.append((module, name, getattr(module, name)))
            setattr(module, name, function)
        return self

    def __exit__(self, *_):
        for module, name, function in self._patched:
            setattr(module, name, function)

    def _relative(self, path):
        try:
            name = Path(os.fsdecode(path)).relative_to(self.folder).as_posix()
        except (TypeError, ValueError):
            return None
        return None if name.rpartition("/")[2] in self._left_out else name


class _File:
    """A file: what is on the disk of it, and what was done to it since."""

    def __init__(self):
        self.durable = b""
        self.pending = []

    def states(self):
        """Yield what may be on the disk, the likeliest first."""
        yield self._after(self.pending)
        for kept in range(len(self.pending)):
            yield self._after(self.pending[:kept])
            kind, value = self.pending[kept]
            if kind != "write":
                continue
            yield self._after([*self.pending[:kept], ("write", value[: len(value) // 2])])
            for start in {0, (len(value) // 2) // _PAGE * _PAGE}:
                zeros = bytes(min(_PAGE, len(value) - start))
                lost = value[:start] + zeros + value[start + len(zeros) :]
                yield self._after([*self.pending[:kept], ("write", lost), *self.pending[kept + 1 :]])

    def _after(self, operations):
        content = self.durable
        for kind, value in operations:
            content = content + value if kind == "write" else content[:value]
        return content

    def sync(self):
        self.durable, self.pending = self._after(self.pending), []


class _Folder:
    """A folder: the names that are on the disk, and the changes since. A name leads to a file, a folder, or None."""

    def __init__(self):
        self.durable = {}
        self.pending = []

    def states(self):
        """Yield what names may be on the disk, the likeliest first."""
        n = len(self.pending)
        kept_sets = [range(n), (), *(range(i) for i in range(n)), *([i] for i in range(n))]
        kept_sets += [[j for j in range(n) if j != i] for i in range(n)]
        for kept in dict.fromkeys(map(tuple, kept_sets)):
            yield self._after([self.pending[i] for i in kept])

    def _after(self, changes):
        names = dict(self.durable)
        for change in changes:
            names.update(change)
        return names

    @property
    def names(self):
        return self._after(self.pending)

    def sync(self):
        self.durable, self.pending = self.names, []


class Disk:
    """A disk, to which recorded operations are done one by one."""

    def __init__(self):
        self._root = _Folder()

    def do(self, event):
        """Do an operation. What begins and is acknowledged changes nothing."""
        kind, *arguments = event
        if kind not in ("begun", "acknowledged"):
            getattr(self, f"_{kind}")(*arguments)

    def _make(self, path):
        folder, name = self._parent(path)
        folder.pending.append({name: _File()})

    def _mkdir(self, path):
        folder, name = self._parent(path)
        folder.pending.append({name: _Folder()})

    def _write(self, path, content):
        self._at(path).pending.append(("write", content))

    def _truncate(self, path, size):
        self._at(path).pending.append(("truncate", size))

    def _fsync(self, path):
        self._at(path).sync()

    def _rename(self, source, target):
        file = self._at(source)
        folder, name = self._parent(target)
        folder.pending.append({name: file, source.rpartition("/")[2]: None})

    def _unlink(self, path):
        folder, name = self._parent(path)
        folder.pending.append({name: None})

    def _parent(self, path):
        folder, _, name = path.rpartition("/")
        return self._at(folder or "."), name

    def _at(self, path):
        found = self._root
        for name in path.split("/"):
            found = found if name == "." else found.names[name]
        return found

    def states(self, most, seed):
        """Return what may be on the disk after a power cut: at most so many different states, as contents by path.

        All is there in the first one, and all that was not synced is lost in the second."""
        chance = random.Random(seed)
        found = {}
        for draw in itertools.chain([lambda _: 0, None], (chance.randrange for _ in range(3 * most))):
            state = dict(self._draw(self._root, "", draw))
            found.setdefault(tuple(sorted(state.items(), key=lambda item: item[0])), state)
            if len(found) == most:
                break
        return list(found.values())

    def _draw(self, folder, path, draw):
        """Yield paths and contents of one state. `draw` chooses one of so many states; None takes what is durable."""
        states = list(folder.states())
        names = folder.durable if draw is None else states[draw(len(states))]
        for name, entry in names.items():
            if isinstance(entry, _Folder):
                yield f"{path}{name}/", None
                yield from self._draw(entry, f"{path}{name}/", draw)
            elif entry is not None:
                contents = list(entry.states())
                yield f"{path}{name}", entry.durable if draw is None else contents[draw(len(contents))]


def lay(state, folder):
    """Write a state into a folder."""
    folder.mkdir()
    for path, content in state.items():
        if content is None:
            (folder / path).mkdir(exist_ok=True)
        else:
            (folder / path).write_bytes(content)
