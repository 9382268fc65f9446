"""Result types of upkeep: problems, garbage, compactions and merges."""

from vectorbt import _typing as tp


class Problem(tp.NamedTuple):
    """Something that is not as it should be.

    Args:
        kind (str): One of

            * `unreadable_line`: a line of the metadata, or a record in a database, that was altered or is none
            * `altered_line`: one that was altered and still reads
            * `malformed_record`: one that is intact, and what it says is no record that this version understands
            * `torn_end`: the metadata ends within a line, as after a crash
            * `broken_chain`: lines of the metadata were removed, changed or reordered
            * `lines_put_aside`: lines that could not be read were moved out of the metadata
            * `missing_artifact`, `altered_artifact`: a run's portfolio is gone, or not what was saved
            * `lost_sweep`: a portfolio that still holds runs whose record cannot be read, see `RunRegistry.recover`
            * `orphan_artifact`: a portfolio that no run refers to, be it a deleted one in the trash
            * `temporary_file`: what a writer that died has left behind
        place (str): File, with the number of the line where there is one.
        run_id (str): Run that is affected, if it is known. Of several runs with one portfolio it is the first.
        message (str): What is wrong.
        remedy (str): What can be done."""

    kind: str
    place: str
    run_id: tp.Optional[str]
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}. {self.remedy}"


class Garbage(tp.NamedTuple):
    """Something that nobody needs.

    Args:
        kind (str): `orphan_artifact`, `temporary_file`, or `deleted_run`: what is in the trash.
        place (str): File or URL, or the run whose notes and share of a portfolio are in the trash.
        size (int): Size in bytes.
        age (float): Age in seconds, of what is in the trash since it was deleted."""

    kind: str
    place: str
    size: int
    age: float


class Compaction(tp.NamedTuple):
    """What rewriting the metadata saves.

    Args:
        bytes_before (int): Size of the metadata before.
        bytes_after (int): Size of the metadata afterwards.
        lines_before (int): Number of lines before.
        lines_after (int): Number of lines afterwards.
        put_aside (int): How many lines that cannot be read are kept in a file of their own."""

    bytes_before: int = 0
    bytes_after: int = 0
    lines_before: int = 0
    lines_after: int = 0
    put_aside: int = 0


class Conflict(tp.NamedTuple):
    """A run that was not taken over.

    Args:
        run_id (str): Run.
        reason (str): Why, and what can be done."""

    run_id: str
    reason: str


class MergeReport(tp.NamedTuple):
    """What became of the runs of another registry.

    Args:
        merged (list of str): run_ids that were taken over, the deleted runs among them included.
        skipped (list of str): run_ids that were there already, with the same content.
        conflicts (list of Conflict): Runs that were left alone. Nothing was changed about them on either side."""

    merged: tp.List[str]
    skipped: tp.List[str]
    conflicts: tp.List[Conflict]

    def __repr__(self) -> str:
        counts = f"merged={len(self.merged)}, skipped={len(self.skipped)}, conflicts={len(self.conflicts)}"
        return "\n".join([f"MergeReport({counts})", *(f"  {run_id}: {reason}" for run_id, reason in self.conflicts)])
