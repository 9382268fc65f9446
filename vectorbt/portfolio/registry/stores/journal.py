"""The metadata file of a `vectorbt.portfolio.registry.stores.file_store.FileStore`: checksummed lines, one a save.

```text
{"crc":"<crc32>","header":{"format":"vectorbt-registry","version":1}}
{"crc":"<crc32>","after":"<link>","run":{"run_id":...}}
{"crc":"<crc32>","after":"<link>","runs":{"runs":4950,"shared":{...},"columns":{...}}}
{"crc":"<crc32>","after":"<link>","changed":{"run_id":...}}
{"crc":"<crc32>","after":"<link>","changes":{"runs":2,"shared":{...},"columns":{...}}}
{"crc":"<crc32>","after":"<link>","deleted":{"run_ids":["..."],"at":"...","restorable":true}}
{"crc":"<crc32>","after":"<link>","deleted":{"sweep_ids":["..."],"at":"...","restorable":true}}
{"crc":"<crc32>","after":"<link>","trial":{"run_id":...}}
```

The header has `"portfolio_format"` as well where the registry was made with one. The file is only ever appended to.
The CRC-32 is over the bytes of the value, and `after` names the line before, see
`vectorbt.portfolio.registry.stores.chain`. A line is there whole or not at all, and so is a save: `run` is the record
of a lone run, `runs` are those of a sweep as columns, see `vectorbt.portfolio.registry.block`. `changed` is a record
that takes the place of an earlier one, and `changes` are several, be it of deleted runs that are restored. `deleted`
names runs that were deleted, or all of a sweep, and says when and whether they are in the trash; what was saved of
them stays where it is, since a deleted run stays a trial. `trial` and `trials` are deleted runs: from another
registry, from before a compaction, or whose trash was emptied."""

import os
import re
import zlib

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.files import open_regular
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.checks import is_run_id
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.errors import SchemaVersionError
from vectorbt.portfolio.registry.record_json import check, parse_timestamp, without_empty
from vectorbt.portfolio.registry.stores.chain import LINK_LENGTH, Earlier, Link, link_of
from vectorbt.portfolio.registry.stores.lines import complete_lines

FORMAT = "vectorbt-registry"
VERSION = 1

_START = b'{"crc":"'
_LINK_END = 27 + LINK_LENGTH
_KINDS = {kind.encode(): kind for kind in ("header", "run", "runs", "changed", "changes", "deleted", "trial", "trials")}
_SEPARATORS = b"\xef\xbb\xbf\r\n "
"""What stands between lines that were joined, in front of the first, or behind those of another system."""


class Entry(tp.NamedTuple):
    """What a line says: its kind, the bytes of its value, its number, and the link of the line before it."""

    kind: str
    value: bytes
    line: int = 0
    after: tp.Optional[str] = None


# ############# Writing ############# #


def frame(kind: str, content: bytes, after: tp.Optional[str] = None) -> bytes:
    """Return the JSON of a value as a line with its checksum.

    Args:
        kind (str): Kind of the line.
        content (bytes): JSON of the value.
        after (str): Link of the line that it is written behind."""
    link = b"" if after is None else b'"after":"%s",' % after.encode()
    return b'{"crc":"%08x",%s"%s":%s}\n' % (zlib.crc32(content), link, kind.encode(), content)


def header(
    portfolio_format: tp.Optional[str] = None,
    earlier: Earlier = Earlier(),  # noqa: B008
) -> bytes:
    """Return the first line of a file.

    Args:
        portfolio_format (str): Format in which portfolios are saved unless somebody says otherwise.
        earlier (Earlier): What is known of the chains that the file goes on from."""
    kept = {} if portfolio_format is None else dict(portfolio_format=portfolio_format)
    kept.update((name, value) for name, value in earlier._asdict().items() if value)
    return frame("header", dumps(dict(format=FORMAT, version=VERSION, **kept)))


def chained(lines: tp.Iterable[bytes], after: str) -> tp.Iterator[bytes]:
    """Yield lines as links of a chain.

    Args:
        lines (iterable of bytes): Lines, whatever they were written behind.
        after (str): Link of the line that the first of them comes behind."""
    for line in lines:
        entry = parse_line(line)
        linked = line if entry is None else frame(entry.kind, entry.value, after)
        after = link_of(linked)
        yield linked


def unchained(line: bytes) -> bytes:
    """Return a line without its link."""
    entry = parse_line(line)
    return line if entry is None else frame(entry.kind, entry.value)


def line_of(kind: str, block: RunBlock) -> bytes:
    """Return the line of runs that were saved together.

    Args:
        kind (str): `run`, `changed` or `trial`.
        block (RunBlock): Runs."""
    if len(block) == 1:
        return _line_of_record(kind, block.row(0))
    return frame("changes" if kind == "changed" else f"{kind}s", dumps(block.to_json()))


def line_of_deletion(deletion: Deletion, run_ids: tp.Sequence[str], sweep_ids: tp.Sequence[str] = ()) -> bytes:
    """Return the line of a deletion.

    Args:
        deletion (Deletion): When, and whether the runs can be restored.
        run_ids (sequence of str): Runs that were deleted.
        sweep_ids (sequence of str): Sweeps of which every run was deleted."""
    named = dict(run_ids=list(run_ids), sweep_ids=list(sweep_ids))
    return frame("deleted", dumps({**{name: ids for name, ids in named.items() if ids}, **deletion._asdict()}))


# ############# Reading a line ############# #


def parse_line(line: bytes, number: int = 0) -> tp.Optional[Entry]:
    """Return what a line says, or None if it is not exactly as it was written."""
    if line[:8] != _START or line[16:19] != b'","' or line[-2:] != b"}\n":
        return None
    start, after = 19, None
    if line[19:27] == b'after":"' and line[_LINK_END : _LINK_END + 3] == b'","':
        start, after = _LINK_END + 3, line[27:_LINK_END].decode("latin-1")
    end = line.find(b'":', start, start + 13)
    kind = _KINDS.get(line[start:end])
    if kind is None:
        return None
    value = line[end + 2 : -2]
    return Entry(kind, value, number, after) if b"%08x" % zlib.crc32(value) == line[8:16] else None


def salvage_line(line: bytes, number: int = 0) -> tp.List[Entry]:
    """Return what is whole within a damaged line.

    Lines that lost the break between them, gained a byte order mark, or end as on another system, can be read: inside
    of a JSON string the start of a line cannot occur."""
    starts = [match.start() for match in re.finditer(re.escape(_START), line)]
    pieces = [line[start:end] for start, end in zip(starts, [*starts[1:], len(line)])]
    entries = [parse_line(piece[: piece.rfind(b"}") + 1] + b"\n", number) for piece in pieces]
    return [entry for entry in entries if entry is not None]


def is_torn(end: bytes) -> bool:
    """Return whether what comes after the last line break is the beginning of a line, as a writer that died leaves it.

    Zeros may follow it, where the power was cut. A whole line may have lost its break since it was saved."""
    if end.endswith(b"\0"):
        return _START.startswith(end.rstrip(b"\0")[:8])
    return _START.startswith(end[:8]) and not salvage_line(end)


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


def is_header(content: bytes) -> bool:
    """Return whether a file begins with an intact header."""
    opening = parse_line(content[: content.find(b"\n") + 1])
    return opening is not None and opening.kind == "header"


def parse_deletion(value: bytes) -> tp.Tuple[Deletion, tp.List[str], tp.List[str]]:
    """Return a deletion, the runs that it names, and the sweeps of which it deletes every run.

    One that says no more, as the first versions wrote them, is for good.

    Raises:
        ValueError: If it is none."""
    content = loads(value)
    if type(content) is not dict or not {"run_ids", "sweep_ids"} & content.keys():
        raise ValueError("a deletion must name runs or sweeps")
    named = content.get("run_ids", []), content.get("sweep_ids", [])
    if not all(type(ids) is list and all(map(is_run_id, ids)) for ids in named):
        raise ValueError("a deletion must name runs or sweeps by lists of ids")
    at, restorable = content.get("at"), content.get("restorable", False)
    if at is not None:
        parse_timestamp(at)
    if type(restorable) is not bool:
        raise ValueError("a deletion must say by true or false whether runs can be restored")
    return Deletion(at, restorable), *named


# ############# Reading a file ############# #


class Damage(tp.NamedTuple):
    """A line that is not as it was written: its number from 1, what is wrong, its bytes, and whether it still reads."""

    line: int
    reason: str
    content: bytes
    readable: bool = False


class JournalReader:
    """Reads a journal from where it stopped the last time.

    `JournalReader.end` is the offset behind the last complete line: what comes after it is torn, or not written yet.
    `JournalReader.damages` are the lines up to there that are not as they were written.

    Args:
        path (path_like): File, for messages."""

    def __init__(self, path: tp.Any) -> None:
        self.path = path
        self.end = 0
        self.damages: tp.List[Damage] = []
        self._lines = 0
        self._last = b""
        self.file_id: tp.Optional[tp.Tuple[int, int]] = None
        """Device and inode of the file that was read."""

    def has_moved(self, file: tp.BinaryIO) -> bool:
        """Return whether the file is not the one that was read, or not as it was: replaced, cut, or written over."""
        if self.end == 0:
            return False
        status = os.fstat(file.fileno())
        if (status.st_dev, status.st_ino) != self.file_id or status.st_size < self.end:
            return True
        file.seek(self.end - len(self._last))
        return file.read(len(self._last)) != self._last

    def read(self, file: tp.BinaryIO) -> tp.Iterator[Entry]:
        """Yield what has been added since the last reading.

        Raises:
            StoreError: If a line is too long to be read.
            SchemaVersionError: If the file is of another format or a newer version."""
        status = os.fstat(file.fileno())
        self.file_id = (status.st_dev, status.st_ino)
        file.seek(self.end)
        for line in complete_lines(file, self.path):  # what comes after them is torn, or being written
            entry = parse_line(line, self._lines + 1)
            if entry is None and not self._is_settled(file, line):
                return
            entries = self._salvaged(line) if entry is None else [entry]
            for found in entries:
                if found.kind == "header":
                    check_header(found.value, self.path)
                else:
                    yield found
            self.end += len(line)
            self._lines += 1
            self._last = line[-_REMEMBERED:]

    def _salvaged(self, line: bytes) -> tp.List[Entry]:
        """Note a damaged line, and return what is whole within it."""
        number = self._lines + 1
        entries = salvage_line(line, number)
        self.damages.append(_damage(number, line, readable=bool(entries)))
        return entries

    def _is_settled(self, file: tp.BinaryIO, line: bytes) -> bool:
        """Return whether a damaged line is there still: it may have been a torn end that a writer was replacing."""
        try:
            again = open(file.name, "rb", opener=open_regular)  # noqa: SIM115
        except FileNotFoundError:
            return True
        with again:
            if not os.path.sameopenfile(file.fileno(), again.fileno()):
                return True  # replaced by a compaction: this one will not change any more
            again.seek(self.end)
            return again.read(len(line)) == line


_REMEMBERED = 4096
"""Bytes at the end of the last line by which a file is known again."""


def _damage(number: int, line: bytes, readable: bool) -> Damage:
    if readable:
        reason = "the line is not as it was written, but can be read"
    elif line.startswith(_START):
        reason = "the checksum does not match"
    else:
        reason = "not a line of a run registry"
    return Damage(number, reason, line, readable)


def read_record(value: bytes) -> tp.Dict[str, tp.Any]:
    """Return the record of a line as a dict of JSON.

    Raises:
        ValueError: If it is none."""
    record = loads(value)
    if type(record) is not dict:
        raise ValueError(f"a record must be a JSON object, not {type(record).__name__}")
    check(record)
    parse_timestamp(record.get("timestamp"))
    return record


# ############# Its chain ############# #


def links_in(file: tp.BinaryIO, path: tp.Any) -> tp.List[Link]:
    """Return the links of the lines of a file, read from its beginning."""
    file.seek(0)
    links = []
    for number, line in enumerate(complete_lines(file, path), 1):
        entry = parse_line(line)
        links.append(Link(number, link_of(line), None if entry is None else entry.after, entry is not None))
    return links


def earlier_chains(opening: bytes) -> Earlier:
    """Return what the first line of a file says of the chains that it goes on from."""
    entry = parse_line(opening)
    content = loads(entry.value) if entry is not None and entry.kind == "header" else {}
    heads, breaks = (content.get(name) if type(content) is dict else None for name in Earlier._fields)
    known = [head for head in heads if type(head) is str] if type(heads) is list else []
    return Earlier(known, breaks if type(breaks) is int else 0)


# ############# Rewriting ############# #


_MAX_JOINED = 2**18
"""Runs of a sweep that are brought together in one line. A line must not be too long to be read."""


def lines_of(kind: str, parts: tp.Iterable[tp.Tuple[RunBlock, tp.Optional[tp.Array1d]]]) -> tp.List[bytes]:
    """Return runs as lines in the order given: one for those of each sweep together, and one for each lone run.

    Args:
        kind (str): `run` or `trial`.
        parts (iterable of tuple): Blocks and the rows of them that are meant, all of them if it is None."""
    saves: tp.Dict[tp.Tuple[str, str], tp.Any] = {}
    for block, rows in parts:
        rows = np.arange(len(block)) if rows is None else rows
        sweep_ids, codes = block.sweep_ids
        is_lone = np.array([sweep_id is None for sweep_id in sweep_ids])[codes[rows]]
        _, firsts = np.unique(codes[rows], return_index=True)
        # The order must be the same however the runs lie in blocks: else a second compaction would find work to do.
        for place in sorted({*firsts.tolist(), *np.flatnonzero(is_lone).tolist()}):
            row = rows[place]
            if is_lone[place]:
                saves["run", block.run_id(row)] = block.row(row)
            else:
                of_sweep = rows[codes[rows] == codes[row]]
                whole = len(of_sweep) == len(block)
                key = "sweep", tp.cast(str, sweep_ids[codes[row]])
                saves.setdefault(key, []).append(block if whole else block.take(of_sweep))
    lines = []
    for saved in saves.values():
        if isinstance(saved, dict):
            lines.append(_line_of_record(kind, saved))
        elif sum(map(len, saved)) <= _MAX_JOINED:
            lines.append(line_of(kind, RunBlock.joined(saved)))
        else:
            lines += [line_of(kind, block) for block in saved]
    return lines


def _line_of_record(kind: str, record: tp.Mapping[str, tp.Any]) -> bytes:
    return frame(kind, dumps(without_empty(record)))


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
        rest = rest.replace(frame(entry.kind, entry.value, entry.after)[:-1], b"", 1)
    return not rest.strip(_SEPARATORS)
