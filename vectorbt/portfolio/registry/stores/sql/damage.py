"""Records of a database that cannot be read, and what is said about them.

A database has no checksums: an altered byte is found where it makes JSON into none, or a record into something else."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import loads
from vectorbt.portfolio.registry.reports import Problem
from vectorbt.portfolio.registry.run import RunRecord


class Row(tp.NamedTuple):
    """A row of the table of records: its number, its run, the digest of what it shares, and its JSON."""

    id: int
    run_id: str
    digest: tp.Optional[str]
    source: bytes

    @classmethod
    def of(cls, id_: int, run_id: str, digest: tp.Optional[str], source: tp.Union[str, bytes]) -> "Row":
        """Return a row as a database has it, where JSON may be a text."""
        return cls(id_, run_id, digest, source if isinstance(source, bytes) else source.encode())


class Damage(tp.NamedTuple):
    """A row that cannot be read, what is wrong with it, and whether it is JSON nevertheless."""

    row: Row
    reason: str
    is_json: bool

    def problem(self, database: tp.Any) -> Problem:
        """Return what `RunRegistry.check` says of it."""
        return Problem(
            "malformed_record" if self.is_json else "unreadable_line",
            f"{database}, row {self.row.id} of the table records",
            self.row.run_id,
            f"run {self.row.run_id} cannot be read: {self.reason}",
            "Restore it from a copy, or delete the run, which stays a trial with what the table runs knows of it",
        )


def read_json(source: tp.Union[str, bytes]) -> tp.Any:
    """Return what JSON says, or None if it is none."""
    try:
        return loads(source if isinstance(source, bytes) else source.encode())
    except ValueError:
        return None


def read_record(row: Row, shared: tp.Any) -> tp.Union[RunRecord, Damage]:
    """Return the record of a row, or what is wrong with it.

    Args:
        row (Row): Row.
        shared (any): What `read_json` has found of what the record shares with the rest of its sweep."""
    if not isinstance(shared, dict):
        reason = f"what it shares with its sweep, row {row.digest} of the table shared, was altered or is gone"
        return Damage(row, reason, shared is not None)
    try:
        record = RunRecord.from_json(row.source, shared)
    except ValueError as e:
        return Damage(row, str(e), read_json(row.source) is not None)
    if record.run_id != row.run_id:
        return Damage(row, f"its record says that it is run {record.run_id}", True)
    return record
