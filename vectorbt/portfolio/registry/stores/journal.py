"""The metadata file of a `vectorbt.portfolio.registry.stores.file_store.FileStore`: checksummed lines.

```text
{"crc":"<crc32>","header":{"format":"vectorbt-registry","version":1}}
{"crc":"<crc32>","run":{"run_id":...}}
{"crc":"<crc32>","sweep":{"runs":2,"shared":{...}}}
{"crc":"<crc32>","run":{"n":1,"run_id":...}}
{"crc":"<crc32>","run":{"n":2,"run_id":...}}
{"crc":"<crc32>","sweep":{"runs":0,"shared":{...}}}
{"crc":"<crc32>","deleted":{"run_id":...}}
```

The file is only ever appended to. The CRC-32 is over the bytes of the value. The last line of a run_id wins.

A `sweep` line opens a block: it announces how many lines follow that belong together and holds what they have in
common. The lines of a block are numbered. The block is there when all of its lines are; what is cut off in between is
no block. The same `sweep` line, announcing nothing more, closes the block, so that damage to either of the two costs
nothing. Several deletions in one transaction are a block as well."""

import os
import re
import zlib
from dataclasses import dataclass, field

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import open_regular
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.errors import SchemaVersionError
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.stores.lines import complete_lines
from vectorbt.portfolio.registry.stores.shared_part import shared_part, without_empty

FORMAT = "vectorbt-registry"
VERSION = 1

_START = b'{"crc":"'
_KINDS = {b"header": "header", b"run": "run", b"sweep": "sweep", b"deleted": "deleted"}
_NUMBERED = b'{"n":'
_SEPARATORS = b"\xef\xbb\xbf\r\n "
"""What stands between lines that were joined, in front of the first, or behind those of another system."""


class Entry(tp.NamedTuple):
    """What a line says: its kind, the bytes of its value, its number, and what it shares with the rest of its block."""

    kind: str
    value: bytes
    line: int = 0
    shared: tp.Mapping[str, tp.Any] = {}


# ############# Writing ############# #


def frame(kind: str, content: bytes) -> bytes:
    """Return the JSON of a value as a line with its checksum."""
    return b'{"crc":"%08x","%s":%s}\n' % (zlib.crc32(content), kind.encode(), content)


def header() -> bytes:
    """Return the first line of a file."""
    return frame("header", dumps(dict(format=FORMAT, version=VERSION)))


def lines_of(kind: str, records: tp.Sequence[tp.Dict[str, tp.Any]]) -> bytes:
    """Return records as a line, or as a block if there are several."""
    if len(records) == 1:
        return frame(kind, dumps(without_empty(records[0])))
    records = [without_empty(record) for record in records]
    shared = shared_part(records)
    lines = [frame("sweep", dumps(dict(runs=len(records), shared=shared)))]
    for n, record in enumerate(records, 1):
        own = {key: value for key, value in record.items() if key not in shared}
        lines.append(frame(kind, dumps({"n": n, **own})))
    lines.append(frame("sweep", dumps(dict(runs=0, shared=shared))))
    return b"".join(lines)


# ############# Reading a line ############# #


def parse_line(line: bytes, number: int = 0) -> tp.Optional[Entry]:
    """Return what a line says, or None if it is not exactly as it was written."""
    if line[:8] != _START or line[16:19] != b'","' or line[-2:] != b"}\n":
        return None
    end = line.find(b'":', 19, 32)
    kind = line[19:end]
    if kind not in _KINDS:
        return None
    value = line[end + 2 : -2]
    if b"%08x" % zlib.crc32(value) != line[8:16]:
        return None
    return Entry(_KINDS[kind], value, number)


def salvage_line(line: bytes, number: int = 0) -> tp.List[Entry]:
    """Return what is whole within a damaged line.

    Lines that lost the break between them, gained a byte order mark, or end as on another system, can be read: inside
    of a JSON string the start of a line cannot occur."""
    starts = [match.start() for match in re.finditer(re.escape(_START), line)]
    pieces = [line[start:end] for start, end in zip(starts, [*starts[1:], len(line)])]
    entries = [parse_line(piece[: piece.rfind(b"}") + 1] + b"\n", number) for piece in pieces]
    return [entry for entry in entries if entry is not None]


def is_last_line(line: bytes) -> bool:
    """Return whether a line is whole and leaves no block open, so that another one can follow it."""
    entry = parse_line(line)
    if entry is None or entry.value.startswith(_NUMBERED):
        return False
    return entry.kind != "sweep" or _parse_sweep(entry.value)[0] == 0


def is_torn(end: bytes) -> bool:
    """Return whether what comes after the last line break is the beginning of a line, as a writer that died leaves it.

    Zeros may follow it, where the power was cut. A whole line may have lost its break since it was saved."""
    if end.endswith(b"\0"):
        return _START.startswith(end.rstrip(b"\0")[:8])
    is_whole = any(entry.kind != "sweep" and not entry.value.startswith(_NUMBERED) for entry in salvage_line(end))
    return _START.startswith(end[:8]) and not is_whole


def check_header(value: bytes, path: tp.Any) -> None:
    """Check that the file is of this format and of no newer version.

    Raises:
        SchemaVersionError: If it is not."""
    try:
        content = loads(value)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SchemaVersionError(f"{path} is not the metadata of a run registry; choose another folder")
    version = content.get("version")
    if type(version) is not int or version > VERSION:
        raise SchemaVersionError(
            f"{path} has format version {version!r}, this version of vectorbt-registry reads up to {VERSION}; "
            f"upgrade it: pip install --upgrade vectorbt-registry"
        )


# ############# Reading a file ############# #


class Damage(tp.NamedTuple):
    """A line that is not as it was written: its number from 1, what is wrong, its bytes, and whether it still reads."""

    line: int
    reason: str
    content: bytes
    readable: bool = False


@dataclass
class _Block:
    """Lines that belong together, while they are being read."""

    announced: int = 0
    shared: tp.Optional[tp.Dict[str, tp.Any]] = None
    entries: tp.List[Entry] = field(default_factory=list)
    damages: tp.List[Damage] = field(default_factory=list)


class JournalReader:
    """Reads a journal from where it stopped the last time.

    `JournalReader.end` is the offset behind the last complete line or block: what comes after it is torn, or not
    written yet. `JournalReader.damages` are the lines up to there that are not as they were written.

    Args:
        path (path_like): File, for messages."""

    def __init__(self, path: tp.Any) -> None:
        self.path = path
        self.restart()

    def restart(self) -> None:
        """Forget everything, so that the next reading begins at the first byte."""
        self.end = 0
        self.damages: tp.List[Damage] = []
        self._lines = 0
        self._last = b""
        self._file_id: tp.Optional[tp.Tuple[int, int]] = None
        self._block: tp.Optional[_Block] = None

    def has_moved(self, file: tp.BinaryIO) -> bool:
        """Return whether the file is not the one that was read, or not as it was: replaced, cut, or written over."""
        if self.end == 0:
            return False
        status = os.fstat(file.fileno())
        if (status.st_dev, status.st_ino) != self._file_id or status.st_size < self.end:
            return True
        file.seek(self.end - len(self._last))
        return file.read(len(self._last)) != self._last

    def read(self, file: tp.BinaryIO) -> tp.Iterator[Entry]:
        """Yield the runs and deletions that have been added since the last reading.

        Raises:
            StoreError: If a line is too long to be read.
            SchemaVersionError: If the file is of another format or a newer version."""
        status = os.fstat(file.fileno())
        self._file_id = (status.st_dev, status.st_ino)
        self._block = None
        offset, number = self.end, self._lines
        file.seek(offset)
        for line in complete_lines(file, self.path):  # what comes after them is torn, or being written
            number += 1
            entry = parse_line(line, number)
            if entry is None:
                if not self._is_settled(file, offset, line):
                    return
                yield from self._take_damaged(number, line)
            elif self._block is None and entry.kind == "run" and not entry.value.startswith(_NUMBERED):
                yield entry  # what `_take` would do with nearly every line
            else:
                yield from self._take(entry)
            offset += len(line)
            if self._block is None:
                self.end, self._lines, self._last = offset, number, line

    def _take_damaged(self, number: int, line: bytes) -> tp.Iterator[Entry]:
        """Note a damaged line, and yield what is whole within it."""
        entries = salvage_line(line, number)
        self._note(_damage(number, line, readable=bool(entries)))
        for entry in entries:
            yield from self._take(entry)

    def _take(self, entry: Entry) -> tp.Iterator[Entry]:
        """Yield an entry, or what its block holds once the block is complete."""
        if entry.kind == "header":
            check_header(entry.value, self.path)
        elif entry.kind == "sweep":
            yield from self._take_sweep(entry)
        elif entry.value.startswith(_NUMBERED):
            block = self._block = self._block or _Block()
            block.entries.append(Entry(entry.kind, b"{" + entry.value[entry.value.index(b",") + 1 :], entry.line))
            if block.shared is not None and len(block.entries) == block.announced:
                yield from self._commit(block, block.shared)
        else:
            yield from self._abandon(entry.line)
            yield entry

    def _take_sweep(self, entry: Entry) -> tp.Iterator[Entry]:
        announced, shared = _parse_sweep(entry.value)
        if announced is None:
            self._note(Damage(entry.line, "a sweep line without a number of lines", entry.value))
        elif announced > 0:
            yield from self._abandon(entry.line)
            self._block = _Block(announced, shared)
        elif self._block is not None:
            yield from self._commit(self._block, shared)

    def _commit(self, block: _Block, shared: tp.Mapping[str, tp.Any]) -> tp.Iterator[Entry]:
        """End the block, and yield what it holds."""
        self._block = None
        self.damages += block.damages
        for entry in block.entries:
            yield Entry(entry.kind, entry.value, entry.line, shared)

    def _abandon(self, line: int) -> tp.Iterator[Entry]:
        """End a block that was written whole, since others follow it, and is whole no more."""
        block = self._block
        if block is None:
            return
        if block.shared is None:
            for entry in block.entries:
                self.damages.append(Damage(entry.line, "its sweep lines are lost", frame(entry.kind, entry.value)))
            self.damages += block.damages
            self._block = None
            return
        missing = block.announced - len(block.entries) - len(block.damages)
        if missing > 0:
            block.damages.append(Damage(line, f"{missing} lines of the sweep before it are missing", b""))
        yield from self._commit(block, block.shared)

    def _note(self, damage: Damage) -> None:
        """Remember a damage, once it is known that it will not be read again."""
        (self.damages if self._block is None else self._block.damages).append(damage)

    @staticmethod
    def _is_settled(file: tp.BinaryIO, offset: int, line: bytes) -> bool:
        """Return whether a damaged line is there still: it may have been a torn end that a writer was replacing."""
        try:
            again = open(file.name, "rb", opener=open_regular)  # noqa: SIM115
        except FileNotFoundError:
            return True
        with again:
            if not os.path.sameopenfile(file.fileno(), again.fileno()):
                return True  # replaced by a compaction: this one will not change any more
            again.seek(offset)
            return again.read(len(line)) == line


def _damage(number: int, line: bytes, readable: bool) -> Damage:
    if readable:
        reason = "the line is not as it was written, but can be read"
    elif line.startswith(_START):
        reason = "the checksum does not match"
    else:
        reason = "not a line of a run registry"
    return Damage(number, reason, line, readable)


def _parse_sweep(value: bytes) -> tp.Tuple[tp.Optional[int], tp.Dict[str, tp.Any]]:
    """Return how many lines a sweep line announces, None if it is malformed, and what they share."""
    try:
        content = loads(value)
    except ValueError:
        return None, {}
    announced = content.get("runs") if isinstance(content, dict) else None
    shared = content.get("shared") if isinstance(content, dict) else None
    if type(announced) is not int or announced < 0 or not isinstance(shared, dict):
        return None, {}
    return announced, shared


# ############# Rewriting ############# #


def compacted(runs: tp.Iterable[RunRecord], deleted: tp.Iterable[RunRecord]) -> bytes:
    """Return a journal of runs and deletions in which each of them stands once, in the order given.

    Those of a sweep become one block again."""
    blocks = [lines_of("run", block) for block in _blocks(runs)]
    blocks += [lines_of("deleted", block) for block in _blocks(deleted)]
    return b"".join([header(), *blocks])


def _blocks(records: tp.Iterable[RunRecord]) -> tp.List[tp.List[tp.Dict[str, tp.Any]]]:
    """Return records as dicts, those of one sweep together as far as they have the large parts in common."""
    blocks: tp.Dict[tp.Any, tp.List[tp.Dict[str, tp.Any]]] = {}
    for record in records:
        dct = record.to_dict()
        key: tp.Any = record.run_id
        if record.sweep_id is not None:
            key = record.sweep_id, dumps([dct["artifact"], dct["data"], dct["environment"]])
        blocks.setdefault(key, []).append(dct)
    return list(blocks.values())


def whole_value(entry: Entry) -> bytes:
    """Return the value of an entry with what it shares with the rest of its block, as far as it is JSON."""
    try:
        own = loads(entry.value)
    except ValueError:
        return entry.value
    return dumps({**entry.shared, **own}) if isinstance(own, dict) else entry.value


def damaged_lines(torn: bytes) -> tp.List[bytes]:
    """Return what is damaged of the lines behind the end of a journal, a last one that lost its break included."""
    *lines, end = torn.split(b"\n")
    damaged = [line + b"\n" for line in lines if parse_line(line + b"\n") is None]
    return damaged if is_torn(end) else [*damaged, end + b"\n"]


def beyond_reading(damages: tp.Iterable[Damage]) -> tp.List[bytes]:
    """Return the damaged lines that hold more than what could be read of them."""
    return [damage.content.removesuffix(b"\n") + b"\n" for damage in damages if damage.content and not _is_read(damage)]


def _is_read(damage: Damage) -> bool:
    """Return whether all of a damaged line could be read, as where two lines have lost the break between them."""
    if not damage.readable:
        return False
    rest = damage.content
    for entry in salvage_line(damage.content):
        rest = rest.replace(frame(entry.kind, entry.value)[:-1], b"", 1)
    return not rest.strip(_SEPARATORS)
