"""What people pass, checked before anything is written."""

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import text_of
from vectorbt.portfolio.registry.encoding import decode_mapping, encode, encode_mapping, fields_of

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_run_ids(n: int) -> tp.List[str]:
    """Make `n` new ids.

    They are ascending, because equal timestamps are ordered by id: so the runs of a sweep are listed by column."""
    return sorted(str(uuid.uuid4()) for _ in range(n))


def sweep_run_ids(sweep_id: str, n: int, save: int = 0) -> tp.List[str]:
    """Return the ids of the `n` runs of a sweep, ascending as in `new_run_ids`.

    They are the UUIDs of version 5 of the texts `0:0`, `0:1`, ... in the namespace of the sweep: the number of the save
    (a sweep that is continued has several) and a count. So the runs can be found again in a portfolio whose records
    were damaged."""
    namespace = uuid.UUID(sweep_id)
    return sorted(str(uuid.uuid5(namespace, f"{save}:{number}")) for number in range(n))


def is_run_id(value: tp.Any) -> tp.TypeGuard[str]:
    """Return whether `value` is a UUID in its one canonical form: lower case, with hyphens.

    File names are made of ids, so nothing else may pass."""
    return isinstance(value, str) and _RUN_ID.fullmatch(value) is not None


def check_run_id(value: tp.Any) -> str:
    """Return `value` if it is a valid run_id.

    Raises:
        TypeError: If it is not a string.
        ValueError: If it is not a lower-case UUID with hyphens."""
    if not isinstance(value, str):
        raise TypeError(f"run_id must be a string, not {type(value).__name__}")
    if not is_run_id(value):
        raise ValueError(f"run_id must be a lower-case UUID such as {uuid.UUID(int=0)}, not {value[:100]!r}")
    return as_text(value)


def id_of_run(value: tp.Any) -> str:
    """Return what a run is called where one is asked for: an id or a prefix as it is, and the id of a record.

    Raises:
        TypeError: If it is neither."""
    run_id = getattr(value, "run_id", value)
    if not isinstance(run_id, str):
        raise TypeError(
            f"run_id must be a string or a RunRecord, not {type(value).__name__}: the id of a run, or its beginning"
        )
    return as_text(run_id)


def ids_of_runs(value: tp.Any) -> tp.List[str]:
    """Return what several runs are called, whatever holds them: a list, a `RunList`, a set, the index of a DataFrame, a
    generator. One alone is a list of one.

    Raises:
        TypeError: If it holds something that is neither an id nor a record."""
    if isinstance(value, str) or hasattr(value, "run_id"):
        return [id_of_run(value)]
    if isinstance(value, (bytes, dict)) or not isinstance(value, Iterable):
        raise TypeError(f"run_ids must be a list of run_ids or RunRecords, not of type {type(value).__name__}")
    if hasattr(value, "columns"):  # iterating over it would give their names
        raise TypeError("run_ids must be a list of run_ids or RunRecords; of a DataFrame pass the index, frame.index")
    return list(map(id_of_run, value))


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def as_utc(value: datetime) -> datetime:
    """Convert a datetime to UTC. A naive one is UTC already."""
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value.astimezone(UTC)


def as_text(value: str) -> str:
    """Return a string as nothing but a string. A member of an Enum that is one, such as a `StrEnum`, is its text."""
    return str.__str__(value)


def check_strategy_name(value: tp.Any, may_be_empty: bool = False) -> str:
    """Return `value` if it can name a strategy: a string that is not empty and is valid Unicode.

    Args:
        value (any): Name.
        may_be_empty (bool): Whether the name may still be missing, as in a record that nobody has saved yet.

    Raises:
        TypeError: If it is no string, or cannot be encoded.
        ValueError: If it is empty."""
    if not isinstance(value, str):
        raise TypeError(f"strategy_name must be a string, not {type(value).__name__}")
    if not value and not may_be_empty:
        raise ValueError("strategy_name must not be empty; name the strategy that the run is one of")
    return encode(as_text(value), "strategy_name")


def check_tags(value: tp.Any, name: str = "tags") -> tp.List[str]:
    """Return tags as a new list without repetitions; a lone string is one tag, None is none.

    Args:
        value (any): Tags, or other texts.
        name (str): What they are called in an error.

    Raises:
        TypeError: If one of the tags is not a string."""
    if value is None:
        return []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError(f"{name} must be a string or a list of strings, not {type(value).__name__}")
    tags = sorted(value, key=text_of) if isinstance(value, (set, frozenset)) else list(value)
    for i, tag in enumerate(tags):
        if not isinstance(tag, str):
            raise TypeError(f"{name}[{i}] must be a string, not {type(tag).__name__}: {text_of(tag)}")
        tags[i] = encode(as_text(tag), f"{name}[{i}]")
    return list(dict.fromkeys(tags))


def check_notes(value: tp.Any) -> str:
    """Return `value` if it is a string; None is the empty string.

    Raises:
        TypeError: If it is anything else."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"notes must be a string, not {type(value).__name__}")
    return encode(as_text(value), "notes")


def check_parameters(value: tp.Any) -> tp.Dict[str, tp.Any]:
    """Return parameters as a dict that shares nothing with `value`; None is an empty one.

    Whatever has named fields is a dict of them, see `vectorbt.portfolio.registry.encoding.fields_of`.

    Raises:
        TypeError: If it has no names, some of them are no strings, or one of the values cannot be encoded. Names the
            value by its path, such as `parameters['ma']['func']`."""
    if value is None:
        return {}
    parameters = value if isinstance(value, dict) else fields_of(value)
    if parameters is None:
        raise TypeError(
            "parameters must be a dict of names and values, or an object with fields such as a dataclass, "
            f"not {type(value).__name__}"
        )
    return decode_mapping(encode_mapping(parameters, "parameters"))


def check_portfolio(value: tp.Any) -> "Portfolio":
    """Return `value` if it is a vectorbt portfolio.

    Raises:
        TypeError: If it is anything else."""
    from vectorbt.portfolio.base import Portfolio

    if not isinstance(value, Portfolio):
        raise TypeError(f"portfolio must be a vectorbt Portfolio, not {type(value).__module__}.{type(value).__name__}")
    return value
