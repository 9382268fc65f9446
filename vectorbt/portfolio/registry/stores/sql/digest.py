"""What a database remembers of each save, so that no run can be taken out or altered unseen.

A row of the table `saves` says how many runs a save had, and the sum of their digests. A digest covers what never
changes about a run: its id, when it was saved, where in its sweep, its headline metrics and the moments of its
returns. The sum does not depend on the order of runs, so writers need not queue for it, and neither an update nor a
deletion touches it, but that of a run which cannot be read any more: it leaves a row of no runs that says what was
lost. Whoever edits both tables alike leaves no trace in them, and is found by whoever has kept the head elsewhere."""

import hashlib

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.metric_names import HEADLINE
from vectorbt.portfolio.registry.reports import Problem

_MODULUS = 2**128

_REMEDY = "Restore the database from a copy; what was taken out of it no longer counts as a trial"


class Total(tp.NamedTuple):
    """A number of runs, and the sum of their digests."""

    n_runs: int = 0
    digest: int = 0

    def __add__(self, other: tp.Any) -> "Total":
        return Total(self.n_runs + other.n_runs, (self.digest + other.digest) % _MODULUS)

    def __sub__(self, other: tp.Any) -> "Total":
        return Total(self.n_runs - other.n_runs, (self.digest - other.digest) % _MODULUS)

    def __str__(self) -> str:
        return f"{self.digest:032x}"


def total_of(record: tp.Mapping[str, tp.Any]) -> Total:
    """Return a run as a total of one.

    Args:
        record (dict): JSON of its record, as `vectorbt.portfolio.registry.run.RunRecord.to_dict` returns it."""
    stats, moments = record.get("stats") or {}, record.get("returns_stats") or {}
    content = [
        *(record.get(name) for name in ("run_id", "timestamp", "sweep_id", "column")),
        [stats.get(name) for name in HEADLINE],
        sorted(moments.items()),
    ]
    return Total(1, int.from_bytes(hashlib.sha256(dumps(content)).digest()[:16], "big"))


class Head(tp.NamedTuple):
    """What stands for all saves up to one of them.

    Args:
        last (int): Number of that save.
        total (Total): All runs up to it."""

    last: int
    total: Total

    def __str__(self) -> str:
        return f"{self.last}-{self.total.n_runs}-{self.total}"

    @classmethod
    def parse(cls, text: str) -> tp.Optional["Head"]:
        """Return the head of a text, None if it is none."""
        last, _, rest = text.partition("-")
        n_runs, _, digest = rest.partition("-")
        try:
            return cls(int(last), Total(int(n_runs), int(digest, 16)))
        except ValueError:
            return None


def digest_problems(
    database: tp.Any, saved: Total, found: Total, n_unreadable: int, broken_head: tp.Optional[str]
) -> tp.List[Problem]:
    """Return where the runs of a database are not those that were saved.

    Args:
        database (Database): Database, for messages.
        saved (Total): What the table of saves says.
        found (Total): What the runs are that can be read.
        n_unreadable (int): Number of runs that cannot be read, which are reported anyway.
        broken_head (str): Head that somebody has kept, if the saves up to it are not what they were."""
    reasons = []
    n_missing = saved.n_runs - found.n_runs - n_unreadable
    if n_missing > 0:
        reasons.append(f"{n_missing:,} of the {saved.n_runs:,} runs that were saved are not there")
    elif n_missing < 0:
        reasons.append(f"{-n_missing:,} runs are there that no registry has saved")
    elif not n_unreadable and saved.digest != found.digest:
        reasons.append("a run is not what was saved: its metrics, its moments or its place in a sweep were changed")
    if broken_head is not None:
        reasons.append(f"it never had the chain head {broken_head!r}, or what it had then was removed or changed")
    return [Problem("broken_chain", str(database), None, reason, _REMEDY) for reason in reasons]
