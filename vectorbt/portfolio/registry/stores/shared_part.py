"""What the records of a sweep have in common, which a store writes once for all of them."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import dumps

Record = tp.Mapping[str, tp.Any]
"""A record as `vectorbt.portfolio.registry.run.RunRecord.to_dict` writes it."""


def shared_part(records: tp.Sequence[Record], apart: tp.Container[str] = ()) -> tp.Dict[str, tp.Any]:
    """Return what all records have under the same key, except under the keys in `apart`."""
    common = {key: value for key, value in records[0].items() if key not in apart}
    for record in records:
        for key in [key for key, value in common.items() if not _is_same(record.get(key), value)]:
            del common[key]
    return common


def own_part(record: Record, shared: Record) -> tp.Dict[str, tp.Any]:
    """Return what of a record differs from what it shares with others."""
    return {key: value for key, value in record.items() if key not in shared or not _is_same(shared[key], value)}


def _is_same(value: tp.Any, other: tp.Any) -> bool:
    """Return whether two encoded values are written in the same way. To Python 1, 1.0 and True are equal."""
    return value is other or (value == other and dumps(value) == dumps(other))
