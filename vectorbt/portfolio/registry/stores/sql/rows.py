"""Records as the rows of the tables in `vectorbt.portfolio.registry.stores.sql.schema`.

A database compares values in its own way. So that it never leaves out what
`vectorbt.portfolio.registry.query.comparing` would find, it is given only what both compare in the same way: numbers in
double precision, booleans and text. Any other value is `OPAQUE`: it is there, and Python decides.

All text is written in ASCII. So a database may have any encoding, and no character is one that it cannot hold."""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.checks import as_utc
from vectorbt.portfolio.registry.column import ABSENT, is_absent, is_constant
from vectorbt.portfolio.registry.encoding import decode, dumps, encode
from vectorbt.portfolio.registry.metric_names import HEADLINE
from vectorbt.portfolio.registry.query.comparing import EPOCH, is_missing
from vectorbt.portfolio.registry.record_json import without_empty
from vectorbt.portfolio.registry.stores.sql.digest import Total, total_of

NUMBER, BOOLEAN, TEXT, OPAQUE = range(4)
"""Kinds of values in the table of parameters."""

MAX_TEXT = 200
"""Characters of a key that are kept. An index has no room for more."""
_MAX_NAME = 2_000
"""Characters of the name of a metric. Longer ones are not known to `where` and `sort_by`."""
MAX_EXACT = 2**53
"""Integers below it are exact as double precision."""
MAX_FLOAT = 1.7976931348623157e308

_OWN = frozenset({"run_id", "timestamp", "strategy_name", "sweep_id", "column", "parameters", "stats", "returns_stats"})
"""Keys that a record never shares with others."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")

Row = tp.Dict[str, tp.Any]


@dataclass
class Rows:
    """Rows to be inserted, by table."""

    runs: tp.List[Row] = field(default_factory=list)
    shared: tp.List[Row] = field(default_factory=list)
    records: tp.List[Row] = field(default_factory=list)
    parameters: tp.List[Row] = field(default_factory=list)
    tags: tp.List[Row] = field(default_factory=list)
    metric_names: tp.Set[str] = field(default_factory=set)
    total: Total = field(default_factory=Total)


def rows_of(block: RunBlock, first_id: int, deleted: bool = False) -> Rows:
    """Return the rows of new runs, which are numbered from `first_id`."""
    ids = range(first_id, first_id + len(block))
    shared = shared_by(block) if len(block) > 1 else {}
    digest = None
    rows = Rows(runs=_run_rows(block, ids, deleted), parameters=_parameter_rows(block, ids), tags=_tag_rows(block, ids))
    if shared:
        content = json_text(shared)
        digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        rows.shared.append({"digest": digest, "content": content})
    for id_, record in zip(ids, block.without(shared).rows()):
        rows.records.append({"id": id_, "shared": digest, "record": json_text(without_empty(record))})
        rows.total += total_of(record)
    names = (write_text(path[1]) for path in block.columns if path[0] == "stats")
    rows.metric_names.update(name for name in names if len(name) <= _MAX_NAME)
    return rows


def shared_by(block: RunBlock) -> tp.Dict[str, tp.Any]:
    """Return what all runs of a block have under the same key, which is written once for all of them."""
    constants = {
        path[0]: column.at(0)
        for path, column in block.columns.items()
        if path[0] not in _OWN and is_constant(column) and not is_absent(column)
    }
    return without_empty(constants)


def _run_rows(block: RunBlock, ids: tp.Iterable[int], deleted: bool) -> tp.List[Row]:
    """Return the rows of the table of runs."""
    strategy_names, sweep_ids = block.column("strategy_name").each(), block.column("sweep_id").each()
    columns: tp.Dict[str, tp.Iterable[tp.Any]] = {
        "id": ids,
        "run_id": block.run_ids,
        "deleted": repeat(int(deleted)),
        "timestamp": block.moments.tolist(),
        "strategy_name": map(key_text, strategy_names),
        "sweep_id": (key_text(sweep_id) if type(sweep_id) is str else None for sweep_id in sweep_ids),
        "position": (column if type(column) is int else None for column in block.column("column").each()),
        "fingerprint": map(_fingerprint, block.column("data").each()),
        **{name: map(_headline, block.column("stats", name).each()) for name in HEADLINE},
    }
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def _parameter_rows(block: RunBlock, ids: tp.Iterable[int]) -> tp.List[Row]:
    """Return a row for each parameter that has a value and a name that can be looked for."""
    names = [path[1] for path in block.columns if path[0] == "parameters" and is_plain_text(path[1])]
    keys = list(map(key_text, names))
    rows = []
    for id_, *values in zip(ids, *(map(_compared, block.column("parameters", name).each()) for name in names)):
        for name, (kind, number, text) in zip(keys, values):
            if kind is not None:
                rows.append({"id": id_, "name": name, "kind": kind, "number": number, "text": text})
    return rows


def _tag_rows(block: RunBlock, ids: tp.Iterable[int]) -> tp.List[Row]:
    """Return a row for each tag."""
    tags = (own if type(own) is list else [] for own in block.column("tags").each())
    return [{"id": id_, "tag": tag} for id_, own in zip(ids, tags) for tag in set(map(key_text, own))]


def record_of_summary(row: tp.Mapping[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Return what a row of the table of runs tells of a record that cannot be read any more."""
    stats = {name: row[name] for name in HEADLINE if row[name] is not None}
    record = {
        "run_id": row["run_id"],
        "timestamp": (EPOCH + timedelta(microseconds=row["timestamp"])).isoformat(),
        "strategy_name": _read_key(row["strategy_name"]),
        "sweep_id": row["sweep_id"],
        "column": row["position"],
        "stats": {name: encode(value, name) for name, value in stats.items()},
        "data": {} if row["fingerprint"] is None else {"fingerprint": row["fingerprint"]},
    }
    return without_empty(record)


def _read_key(written: str) -> str:
    """Return a text that `key_text` was given, as far as it has kept it."""
    for end in range(len(written), max(len(written) - len("\\U0010ffff"), 0), -1):
        with suppress(UnicodeDecodeError):  # its last character was cut
            return read_text(written[:end])
    return ""


def microseconds(moment: datetime) -> int:
    """Return a point in time as microseconds since 1970."""
    return (as_utc(moment) - EPOCH) // timedelta(microseconds=1)


def json_text(value: tp.Any) -> str:
    """Return encoded values as JSON in ASCII."""
    text = dumps(value).decode()
    return text if text.isascii() else _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)


def write_text(text: str) -> str:
    """Return a text in ASCII. Other characters, and the backslash, are escaped as in a literal of Python."""
    return text.encode("unicode_escape").decode("ascii")


def read_text(written: str) -> str:
    """Return what `write_text` was given."""
    return written.encode("ascii").decode("unicode_escape")


def key_text(text: str) -> str:
    """Return a text as it is compared in the database: equal texts have equal keys, long ones that differ may have."""
    return write_text(text[:MAX_TEXT])[:MAX_TEXT]


def is_plain_text(text: str) -> bool:
    """Return whether no other text has the same `key_text`."""
    return len(key_text(text)) < MAX_TEXT


def is_exact(number: tp.Any) -> bool:
    """Return whether a number compares as double precision exactly as it does in Python."""
    # Without `abs`, which rounds a Decimal as the caller's context says.
    return -MAX_EXACT < number < MAX_EXACT and number == float(number)


def _fingerprint(data: tp.Any) -> tp.Optional[str]:
    """Return the fingerprint in what describes the data of a run."""
    fingerprint = data.get("fingerprint") if type(data) is dict else None
    return key_text(fingerprint) if isinstance(fingerprint, str) else None


def _headline(encoded: tp.Any) -> tp.Optional[float]:
    """Return a headline metric as double precision, None if it is missing."""
    value = decode(encoded) if type(encoded) is dict else encoded
    if not isinstance(value, (int, float)) or is_missing(value):
        return None
    try:
        return float(value)
    except OverflowError:
        return MAX_FLOAT if value > 0 else -MAX_FLOAT


def _compared(encoded: tp.Any) -> tp.Tuple[tp.Optional[int], tp.Optional[float], tp.Optional[str]]:
    """Return the kind of an encoded value, and the number or the text that it is compared by. None if it is missing."""
    if encoded is None or encoded is ABSENT or encoded == {"$float": "nan"}:
        return None, None, None
    if type(encoded) is bool:
        return BOOLEAN, float(encoded), None
    if type(encoded) is float or type(encoded) is int:
        return NUMBER, float(encoded), None
    if type(encoded) is str:
        return TEXT, None, key_text(encoded)
    if type(encoded) is dict and is_missing(decode(encoded)):  # such as NaT
        return None, None, None
    return OPAQUE, None, None
