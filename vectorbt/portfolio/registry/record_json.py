"""The JSON form of a `vectorbt.portfolio.registry.run.RunRecord`: its keys, what they must hold, how they decode.

Of hundreds of thousands of records in a registry most are only asked for their headline metrics. Everything else, the
`DETAILS`, stays JSON until it is asked for, which keeps a registry in memory about as large as it is on disk."""

import re
from datetime import datetime

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.checks import as_utc, is_run_id
from vectorbt.portfolio.registry.encoding import decode, decode_mapping
from vectorbt.portfolio.registry.metric_names import HEADLINE

CONTAINERS = dict(
    parameters=dict, stats=dict, returns_stats=dict, data=dict, environment=dict, attachments=dict, tags=list, notes=str
)
"""Keys that hold something empty where they are missing, and of which type."""

DETAILS = (
    "parameters",
    "portfolio_path",
    "tags",
    "notes",
    "stats",
    "returns_stats",
    "data",
    "environment",
    "artifact",
    "attachments",
    "deleted_at",
    "restorable",
    "_unknown",
)
"""Fields that are decoded when they are first asked for, in the order in which they are written. `_unknown` is what
stands under other keys than `KEYS`."""

RARE = ("attachments", "deleted_at", "restorable")
"""Fields that few records have, which are left out of the others."""
TRIED_ELSEWHERE = "tried_elsewhere"
"""Name in the environment of a run under which stands what it competed against where it was exported from."""

KEYS = frozenset({"run_id", "timestamp", "strategy_name", "sweep_id", "column", *DETAILS}) - {"_unknown"}
"""Keys that this version knows."""


class Detail:
    """Descriptor of a field that is decoded on first access and cached in the slot that it wraps.

    Setting one of them parses the record: while it is JSON, a record is as it was read.

    Args:
        name (str): Name of the field.
        slot (member_descriptor): Slot of the class."""

    __slots__ = ("name", "slot")

    def __init__(self, name: str, slot: tp.Any) -> None:
        self.name = name
        self.slot = slot

    def __get__(self, record: tp.Any, owner: tp.Any = None) -> tp.Any:
        if record is None:
            return self
        try:
            return self.slot.__get__(record)
        except AttributeError:  # nobody has asked for it or set it
            value = record.decode_detail(self.name)
            self.slot.__set__(record, value)
            return value

    def __set__(self, record: tp.Any, value: tp.Any) -> None:
        record._parsed()
        self.slot.__set__(record, value)

    def is_set(self, record: tp.Any) -> bool:
        """Return whether the field of a record was decoded or set already."""
        try:
            self.slot.__get__(record)
        except AttributeError:
            return False
        return True


# ############# Checking ############# #

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ARTIFACT_FIELDS = (("format", str), ("size", int), ("sha256", str))
"""What the fields of an artifact are, where they are there."""


def check(dct: tp.Mapping[str, tp.Any]) -> None:
    """Check what everything else takes for granted.

    Raises:
        ValueError: If a key is missing or malformed."""
    run_id = dct.get("run_id")
    if not is_run_id(run_id):
        raise ValueError(f"run_id must be a lower-case UUID, not {run_id!r}")
    if not isinstance(dct.get("strategy_name"), str):
        raise ValueError(f"strategy_name of run {run_id} must be a string")
    for name, kind in CONTAINERS.items():
        if type(dct.get(name)) is not kind and name in dct:
            raise ValueError(f"{name} of run {run_id} must be a {kind.__name__}")
    if not all(type(tag) is str for tag in dct.get("tags", ())):
        raise ValueError(f"tags of run {run_id} must be strings, not {dct['tags']!r}")
    sweep_id, column, artifact = dct.get("sweep_id"), dct.get("column"), dct.get("artifact")
    if sweep_id is not None and not is_run_id(sweep_id):
        raise ValueError(f"sweep_id of run {run_id} must be a lower-case UUID, not {sweep_id!r}")
    if column is not None and type(column) is not int:
        raise ValueError(f"column of run {run_id} must be an integer, not {column!r}")
    if artifact is not None:
        check_artifact(run_id, artifact)
    if not are_attachments(dct.get("attachments", {})):
        raise ValueError(f"attachments of run {run_id} must have a size and a SHA-256 each, not {dct['attachments']!r}")
    if dct.get("deleted_at") is not None:
        parse_timestamp(dct["deleted_at"])
    if dct.get("restorable") not in (None, True, False):
        raise ValueError(f"restorable of run {run_id} must be true or false, not {dct['restorable']!r}")


def are_attachments(value: tp.Any) -> bool:
    """Return whether a value is what a record says of attachments. The names of their files are made of it."""
    return type(value) is dict and all(
        type(one) is dict
        and type(one.get("size")) is int
        and type(one.get("sha256")) is str
        and _SHA256.fullmatch(one["sha256"]) is not None
        for one in value.values()
    )


def check_artifact(run_id: str, value: tp.Any) -> None:
    """Check what a record says of its portfolio.

    Raises:
        ValueError: If it is malformed."""
    if not isinstance(value, dict) or any(key.startswith("$") for key in value):
        raise ValueError(f"artifact of run {run_id} must be an object, not {value!r}")
    names = value.get("names")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"artifact of run {run_id} must have a list of names, not {names!r}")
    for key, kind in _ARTIFACT_FIELDS:
        if value.get(key) is not None and type(value[key]) is not kind:
            raise ValueError(f"artifact of run {run_id} must have a {kind.__name__} as {key}, not {value[key]!r}")


# ############# Writing ############# #

_NEEDED = frozenset({"run_id", "timestamp", "strategy_name"})


def may_be_left_out(name: str, value: tp.Any) -> bool:
    """Return whether a record reads back the same without a key and its value.

    What a newer version has written under a key of its own may mean something even where it is empty."""
    return name in KEYS and name not in _NEEDED and value in (None, "", [], {})


def without_empty(record: tp.Mapping[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Return a record without what reads back the same if it is not there."""
    return {name: value for name, value in record.items() if not may_be_left_out(name, value)}


# ############# Decoding ############# #


def parse_timestamp(value: tp.Any) -> datetime:
    """Return a timestamp in UTC.

    Raises:
        ValueError: If it is none."""
    try:
        return as_utc(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"timestamp must be an ISO 8601 string, not {value!r}") from None


def timestamp_text(moment: datetime) -> str:
    """Return a timestamp in UTC as it is written."""
    return moment.isoformat().replace("+00:00", "Z")


def as_number(value: tp.Any) -> tp.Union[int, float]:
    """Return a headline metric as a number: NaN where it is missing."""
    if type(value) is float or type(value) is int:
        return value
    value = decode(value)
    return value if isinstance(value, (int, float)) else float("nan")


def decode_detail(name: str, dct: tp.Mapping[str, tp.Any]) -> tp.Any:
    """Return one of the `DETAILS`."""
    if name == "_unknown":
        return unknown_of(dct)
    if name == "artifact":
        return decode(dct.get(name))
    if name == "deleted_at":
        return None if dct.get(name) is None else parse_timestamp(dct[name])
    if name not in CONTAINERS:
        return dct.get(name)
    value = dct.get(name, CONTAINERS[name]())
    if name == "stats":
        return decode_mapping(without_headline(value))
    return decode_mapping(value) if isinstance(value, dict) else value[:]


def without_headline(stats: tp.Mapping[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Return the metrics that are no fields of a record."""
    return {name: value for name, value in stats.items() if name not in HEADLINE}


def unknown_of(dct: tp.Mapping[str, tp.Any]) -> tp.Dict[str, tp.Any]:
    """Return what a newer version has written beside the keys that are known."""
    return {key: value for key, value in dct.items() if key not in KEYS}
