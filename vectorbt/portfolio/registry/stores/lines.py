"""Lines of a file, in bounded memory whatever the file holds."""

import os

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import open_regular
from vectorbt.portfolio.registry.errors import StoreError

LONGEST = 1 << 30
"""Bytes of the longest line that is read, and of a file that is read as a whole."""
_PIECE = 1 << 20


def complete_lines(file: tp.BinaryIO, path: tp.Any) -> tp.Iterator[bytes]:
    """Yield the lines of a file from where it stands, without what comes after the last line break.

    A line that is longer than a piece is read once it is known where it ends: a sparse file, or what a power cut
    has left, may hold more zeros than there is memory.

    Raises:
        StoreError: If a line is longer than `LONGEST`."""
    while True:
        line = file.readline(_PIECE)
        if len(line) == _PIECE and line[-1:] != b"\n":
            start = file.tell() - _PIECE
            length = _length(file, start, path)
            file.seek(start)
            line = file.read(length)
        if line[-1:] != b"\n":
            return
        yield line


def _length(file: tp.BinaryIO, start: int, path: tp.Any) -> int:
    """Return the length of the line that begins at `start`, with its break, 0 if it has none."""
    length = 0
    file.seek(start)
    while length <= LONGEST:
        piece = file.read(_PIECE)
        if not piece:
            return 0
        end = piece.find(b"\n")
        if end >= 0:
            return length + end + 1
        length += len(piece)
    size = os.fstat(file.fileno()).st_size
    raise StoreError(
        f"{path} has {size} bytes, and more than {LONGEST} of them without a line break from byte {start} on, which no "
        f"registry writes; restore it from a copy, or cut it off there"
    )


def split_lines(content: bytes) -> tp.List[bytes]:
    """Return the complete lines of what was read, with their breaks."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]]


def whole_content(path: tp.Any) -> bytes:
    """Return the content of a file.

    Raises:
        FileNotFoundError: If there is none.
        StoreError: If it is longer than `LONGEST`."""
    with open(path, "rb", opener=open_regular) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LONGEST:
            raise StoreError(f"{path} has {size} bytes, and no more than {LONGEST} are read; restore it from a copy")
        return file.read()
