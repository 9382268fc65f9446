"""A registry with a bit of everything, the operations that change it, and what must hold afterwards."""

import shutil
from pathlib import Path

from tests.support.factories import make_portfolio, make_record, make_sweep
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord

ORPHAN = "00000000-0000-4000-8000-0000000000ff.pkl"


class Scenes:
    """Makes copies of a small registry: runs, one of them updated and one deleted, a sweep, an orphan, a leftover.

    Args:
        folder (Path): Where the copies lie."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.portfolio, self.sweep = make_portfolio(), make_sweep()
        self.new_run = make_record(100)
        self.new_runs = RunRecord.from_columns(self.sweep, "new_sweep")
        self._copies = 0
        self._template = self.folder / "template"
        store = FileStore(self._template)
        self.runs = [make_record(number) for number in range(4)]
        for run in self.runs:
            store.save_run(run, self.portfolio, new_ids=True)
        self.sweep_runs = RunRecord.from_columns(self.sweep, "sweep")
        store.save_runs(self.sweep_runs, self.sweep, new_ids=True)
        store.update_run(self.runs[1].run_id, notes="updated")
        store.delete_run(self.runs[2].run_id)

    def copy(self, garbage=False):
        """Return a store on a fresh copy."""
        self._copies += 1
        folder = self.folder / f"copy-{self._copies}"
        shutil.copytree(self._template, folder)
        if garbage:
            (folder / "portfolios" / ORPHAN).write_bytes(b"orphan")
            (folder / "portfolios" / ".tmp-0").write_bytes(b"leftover")
            (folder / ".tmp-1").write_bytes(b"leftover")
        return FileStore(folder)

    def empty(self):
        """Return a store in a folder that is not there yet."""
        self._copies += 1
        return FileStore(self.folder / f"copy-{self._copies}")

    # ############# Operations ############# #

    def save_run(self, store):
        store.save_run(self.new_run, self.portfolio, new_ids=True)

    def save_brought_run(self, store):
        store.save_run(self.new_run, self.portfolio)

    def save_sweep(self, store):
        store.save_runs(self.new_runs, self.sweep, new_ids=True)

    def update_run(self, store):
        store.update_run(self.runs[0].run_id, add_tags="new", notes="new")

    def delete_run(self, store):
        store.delete_run(self.runs[3].run_id)

    def delete_for_good(self, store):
        store.delete_run(self.runs[3].run_id, permanent=True)

    def restore_run(self, store):
        store.restore_runs([self.runs[2].run_id])

    def empty_trash(self, store):
        RunRegistry(store).gc(trash_age=0)

    def compact(self, store):
        store.compact()

    def gc(self, store):
        RunRegistry(store).gc(min_age=0)


OPERATIONS = (
    *("save_run", "save_brought_run", "save_sweep", "update_run", "delete_run", "delete_for_good"),
    *("restore_run", "empty_trash", "compact", "gc"),
)
DELETING = ("delete_run", "delete_for_good", "empty_trash")
"""What may leave a portfolio behind where it was, once the records say that nobody needs it there."""


def state(store):
    """Return everything that a fresh reader sees, apart from when a run was deleted."""
    fresh = FileStore(store.base_dir)
    return [
        {run.run_id: {**run.to_dict(), "deleted_at": None} for run in fresh.select(Query(deleted=deleted))}
        for deleted in (False, True)
    ]


def kinds(store):
    """Return the kinds of what `check` finds, having looked at every byte."""
    return {problem.kind for problem in RunRegistry(FileStore(store.base_dir)).check(deep=True)}


def leftovers(store):
    """Return the temporary files in a registry."""
    return sorted(path.name for path in store.base_dir.rglob(".tmp-*"))
