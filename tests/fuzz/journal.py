"""The reader of the journal, the metadata of a folder.

Promise: whatever the bytes, a folder is read, with a `CorruptedRecordWarning` for each line that does not read, or is a
`SchemaVersionError`; runs are the same after a compaction, and beside a new one; whoever reads on from where the file
ended an instant before finds what a new reader finds.

Of four inputs, three get the checksums that their lines should have."""

import re
import zlib

from tests.fuzz.altering import alter_json
from tests.fuzz.promises import Folder, check_folder
from tests.fuzz.reader import GOLDEN, Reader
from tests.support.factories import make_record
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.stores.journal import frame, header, line_of, line_of_deletion

NAME = "runs_metadata.jsonl"
DELETION = Deletion("2024-01-02T00:00:00Z", restorable=True)

_LINE = re.compile(rb'\{"crc":"[^"\n]{8}","([a-z]{1,10})":(.*)\}')


def check(data):
    content = data if zlib.crc32(data) % 4 == 0 else with_checksums(data)
    with Folder(NAME, content) as folder:
        found = check_folder(folder, content)
    if found is not None:
        check_reading_on(content, found)


def with_checksums(data):
    """Return a journal with the checksums that its lines should have: no chance finds one."""
    return b"\n".join(_with_checksum(line) for line in data.split(b"\n"))


def _with_checksum(line):
    found = _LINE.fullmatch(line)
    return b'{"crc":"%08x","%s":%s}' % (zlib.crc32(found[2]), *found.groups()) if found else line


def check_reading_on(content, expected):
    """Check that a file which is read while it grows is read as if it was read at once."""
    with Folder(NAME, b"") as folder:
        store = folder.store()
        for end in (len(content) // 3, len(content) * 2 // 3, len(content)):
            folder.write(content[:end])
            found = folder.runs(store)
        assert found == expected


def alter(data, chance):
    """Change one line, or the order of the lines."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    kind = chance.randrange(8)
    if kind == 0:
        lines.insert(chance.randrange(len(lines) + 1), lines[at])
    elif kind == 1:
        lines.insert(chance.randrange(len(lines)), lines.pop(at))
    elif kind == 2:
        del lines[at]
    elif found := _LINE.fullmatch(lines[at]):
        name = found[1].decode() if kind > 3 else chance.choice(KINDS)
        lines[at] = frame(name, alter_json(found[2], chance, TOKENS))[:-1]
    return b"\n".join(lines)


KINDS = ("header", "run", "runs", "changed", "deleted", "trial", "trials")
SWEEP = "00000000-0000-4000-8000-00000000abcd"
TOKENS = (
    *('{"crc":"00000000","', *KINDS, "run_ids", "sweep_ids", "run_id", "timestamp", "strategy_name", "sweep_id"),
    *("column", "parameters", "portfolio_path", "tags", "notes", "stats", "returns_stats", "data", "environment"),
    *("artifact", "names", "format", "size", "sha256", "fingerprint", "shared", "columns", "order", "values", "codes"),
    *("floats", "ints", "sharpe_ratio", "total_trades", "sortino_ratio", "$float", "$timestamp", "$int", "inf", "git"),
    *(SWEEP, "00000000-0000-4000-8000-000000000001", "2024-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "../x.pkl"),
)


def seeds():
    """Return journals with each kind of line, the golden one among them."""
    runs = [make_record(number).to_dict() for number in range(3)]
    sweep = [
        make_record(
            10 + number,
            sweep_id=SWEEP,
            column=number,
            parameters={"x": [1, "a", 2.5][number], "n": number, "fees": 0.1},
            stats={"sortino_ratio": [0.5, float("nan"), float("inf")][number], "at": None},
        ).to_dict()
        for number in range(3)
    ]
    parts = [
        line_of("run", RunBlock.of(runs[:1])),
        line_of("run", RunBlock.of(sweep)),
        line_of("trial", RunBlock.of(runs)),
        frame("changed", line_of("run", RunBlock.of(runs[:1]))[len(b'{"crc":"00000000","run":') : -2]),
        line_of_deletion(DELETION, [runs[0]["run_id"]]),
        line_of_deletion(DELETION, [sweep[0]["run_id"]], [SWEEP]),
    ]
    golden = (GOLDEN / "version_1" / NAME).read_bytes()
    return [header(), *(header() + part for part in parts), header() + b"".join(parts), golden]


READER = Reader(check, seeds, TOKENS, alter, longest=16_384)
