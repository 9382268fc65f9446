"""What a deletion is, and what it leaves of a run.

A deleted run stays a trial. Its notes, its portfolio and its attachments are kept in a trash until that is emptied: the
files lie beside the others, under names that begin with `trash-`."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.store import is_name
from vectorbt.portfolio.registry.checks import now
from vectorbt.portfolio.registry.record_json import timestamp_text

_IN_TRASH = "trash-"
"""What the names of files begin with that belong to deleted runs alone."""

_LOST: tp.Dict[str, tp.Any] = dict(notes="", artifact=None, attachments={}, portfolio_path=None)
"""What a run loses that cannot be restored, and what stands there instead."""


class Deletion(tp.NamedTuple):
    """When runs were deleted, and whether they can be restored with all that they had.

    Args:
        at (str): Time in ISO 8601. None if it is not known.
        restorable (bool): Whether their notes and files are kept in the trash."""

    at: tp.Optional[str]
    restorable: bool

    @classmethod
    def now(cls, restorable: bool = True) -> "Deletion":
        """Return a deletion at this moment."""
        return cls(timestamp_text(now()), restorable)

    @property
    def marks(self) -> tp.Dict[str, tp.Any]:
        """What it writes into a record, and over what is lost with it."""
        return {**({} if self.restorable else _LOST), "deleted_at": self.at, "restorable": self.restorable}

    def tombstone(self, record: tp.Mapping[str, tp.Any]) -> tp.Dict[str, tp.Any]:
        """Return what is kept of a run."""
        return {**record, **self.marks}


def in_trash(name: str) -> str:
    """Return the name that a file has while it is in the trash."""
    return f"{_IN_TRASH}{name}"


def places_of(name: str) -> tp.List[str]:
    """Return the names under which a file may lie: its own one, and that of the trash."""
    return list(filter(is_name, (name, in_trash(name))))


def out_of_trash(name: str) -> str:
    """Return the name that a file has outside of the trash, be it there or not."""
    return name.removeprefix(_IN_TRASH)
