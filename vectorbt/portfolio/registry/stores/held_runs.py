"""The runs of a folder in memory: blocks of columns, and which of their rows still count."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.checks import is_run_id
from vectorbt.portfolio.registry.column import Coded
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.lazy import lazy

__all__ = ["HeldRuns"]

_LIVE, _GONE, _DELETED = 0, 1, 2
"""What a row is: a run, one whose record was replaced, or a deleted run whose record says so itself. Greater numbers
are runs that were deleted later, by one of the deletions that `HeldRuns` counts."""
_FIRST = _DELETED + 1
"""What a row is that the first deletion has deleted."""

_MANY = 4096
"""Runs of a block that no others are added to. Smaller blocks are joined into larger and larger ones."""

Record = tp.Mapping[str, tp.Any]

Rows = tp.Tuple[RunBlock, tp.Optional[tp.Array1d]]
"""A block, and the rows of it that are meant, all of them if it is None."""


class _Part:
    """A block, and what each of its rows is.

    Args:
        block (RunBlock): Block.
        state (int): What all of its rows are at first.
        is_older (bool): Whether it was read from the file of the older layout."""

    def __init__(self, block: RunBlock, state: int, is_older: bool = False) -> None:
        self.block = block
        self.states = np.full(len(block), state, np.int32)
        self.is_older = is_older

    @lazy
    def _sorted(self) -> tp.Tuple[tp.Array1d, tp.Array1d, tp.Array1d]:
        """The upper and the lower halves of the ids in order, and the rows that they are of."""
        uppers, lowers = self.block.id_numbers
        rows = np.lexsort((lowers, uppers))
        return uppers[rows], lowers[rows], rows

    def find(self, run_id: str) -> tp.Optional[int]:
        """Return the last row of an id that still counts."""
        digits = run_id.replace("-", "")
        uppers, lowers, rows = self._sorted
        start, end = _span(uppers, int(digits[:16], 16))
        first, last = _span(lowers[start:end], int(digits[16:], 16))
        for row in rows[start + first : start + last][::-1].tolist():
            if self.states[row] != _GONE:
                return row
        return None

    def may_hold(self, uppers: tp.Array1d) -> bool:
        """Return whether an id may be here that begins with one of these upper halves."""
        own = self._sorted[0]
        return bool((own[np.searchsorted(own, uppers).clip(max=len(own) - 1)] == uppers).any())

    def live(self) -> tp.List["Rows"]:
        """Return the rows that are runs."""
        return _some(self.block, np.flatnonzero(self.states == _LIVE))

    def deleted(self, deletions: tp.Sequence[Deletion]) -> tp.List["Rows"]:
        """Return the rows that are deleted runs, with what is kept of them."""
        found = _some(self.block, np.flatnonzero(self.states == _DELETED))
        later = np.flatnonzero(self.states >= _FIRST)
        if len(later):
            used, codes = np.unique(self.states[later] - _FIRST, return_inverse=True)
            meant = [deletions[number] for number in used.tolist()]
            is_restorable = np.array([deletion.restorable for deletion in meant])[codes]
            moments = np.zeros(len(self.block), codes.dtype)
            moments[later] = codes
            at = Coded([deletion.at for deletion in meant], moments)
            for restorable in (True, False):
                found += _some(self._tombstones(at, restorable), later[is_restorable == restorable])
        return found

    def _tombstones(self, at: Coded, restorable: bool) -> RunBlock:
        """Return the block with what is kept of runs that were deleted at the times of a column."""
        marked = self.block.having(**Deletion(None, restorable).marks)
        return RunBlock(len(marked), {**marked.columns, ("deleted_at",): at})


def _some(block: RunBlock, rows: tp.Array1d) -> tp.List["Rows"]:
    """Return some rows of a block, if there are any."""
    return [(block, None if len(rows) == len(block) else rows)] if len(rows) else []


def _span(numbers: tp.Array1d, wanted: int) -> tp.Tuple[int, int]:
    """Return where a number begins and ends in a sorted array."""
    found = np.array([wanted], np.uint64)
    start, end = np.searchsorted(numbers, found, "left"), np.searchsorted(numbers, found, "right")
    return int(start[0]), int(end[0])


class Held(tp.NamedTuple):
    """Where a run is held."""

    block: RunBlock
    row: int
    is_deleted: bool


class HeldRuns:
    """The runs of a folder, as they are read line by line."""

    def __init__(self) -> None:
        self._parts: tp.List[_Part] = []
        self._lone: tp.Dict[int, tp.Dict[str, Record]] = {_LIVE: {}, _DELETED: {}}
        self._deletions: tp.List[Deletion] = []
        self._n_checked = 0

    # ############# Reading lines ############# #

    def add(self, record: Record, deleted: bool = False) -> None:
        """Take a record. One of the same id is replaced."""
        run_id, state = record["run_id"], _DELETED if deleted else _LIVE
        self._lone[_LIVE].pop(run_id, None)
        self._lone[_DELETED].pop(run_id, None)
        self._lone[state][run_id] = record
        if len(self._lone[state]) >= _MANY:
            self._gather(state)

    def replace(self, record: Record) -> None:
        """Take a record in the place of an earlier one of the same id."""
        self._mark(record["run_id"], _GONE)
        self.add(record)

    def add_block(self, block: RunBlock, deleted: bool = False, is_older: bool = False) -> None:
        """Take the runs of a block."""
        lone = [records.keys() for records in self._lone.values() if records]
        if lone and not all(ids.isdisjoint(block.run_ids) for ids in lone):
            self._gather_all()  # what was read earlier counts as earlier
        self._add_part(_Part(block, _DELETED if deleted else _LIVE, is_older))

    def delete(self, deletion: Deletion, run_ids: tp.Iterable[str], sweep_ids: tp.Iterable[str] = ()) -> None:
        """Note that runs were deleted, and all of some sweeps."""
        self._deletions.append(deletion)
        state = _DELETED + len(self._deletions)
        for sweep_id in sweep_ids:
            of_sweep = [run_id for run_id, record in self._lone[_LIVE].items() if record.get("sweep_id") == sweep_id]
            self._delete_lone(deletion, of_sweep)
            for part, rows in self._rows_of_sweep(sweep_id):
                part.states[rows] = state
        for run_id in run_ids:
            if run_id in self._lone[_LIVE]:
                self._delete_lone(deletion, [run_id])
            else:
                self._mark(run_id, state)

    def _delete_lone(self, deletion: Deletion, run_ids: tp.Iterable[str]) -> None:
        for run_id in run_ids:
            self._lone[_DELETED][run_id] = deletion.tombstone(self._lone[_LIVE][run_id])
            del self._lone[_LIVE][run_id]

    def settle(self) -> None:
        """Bring what was taken into the form in which it is asked."""
        self._gather_all()
        self._drop_repeated()

    def _mark(self, run_id: str, state: int) -> None:
        for part in reversed(self._parts):
            row = part.find(run_id)
            if row is not None:
                part.states[row] = state
                return

    # Ctrl-C may come at any instant. So nothing is let go of before what takes its place is there: a run that is held
    # twice meanwhile is found by `_drop_repeated`.

    def _gather_all(self) -> None:
        for state in (_LIVE, _DELETED):
            self._gather(state)

    def _gather(self, state: int) -> None:
        """Make a block of lone runs."""
        records = self._lone[state]
        if records:
            self._add_part(_Part(RunBlock.of(list(records.values())), state))
            self._lone[state] = {}

    def _add_part(self, part: _Part) -> None:
        """Take a part, together with those before it that are not many more: few large blocks are asked quickly."""
        first = len(self._parts)
        while first > 0 and self._can_join(self._parts[first - 1], part):
            first -= 1
            earlier = self._parts[first]
            joined = _Part(RunBlock.joined([earlier.block, part.block]), _LIVE)
            joined.states = np.concatenate([earlier.states, part.states])
            part = joined
        self._n_checked = min(self._n_checked, first)
        self._parts[first:] = [part]

    @staticmethod
    def _can_join(earlier: _Part, part: _Part) -> bool:
        if earlier.is_older or part.is_older:
            return False
        return len(earlier.block) <= 2 * len(part.block) and len(earlier.block) + len(part.block) <= _MANY

    def _drop_repeated(self) -> None:
        """Let the last of several rows of one id count, as where a line was written twice."""
        known, new = self._parts[: self._n_checked], self._parts[self._n_checked :]
        if not new:
            return
        uppers = np.sort(np.concatenate([part.block.id_numbers[0] for part in new]))
        if (uppers[1:] == uppers[:-1]).any() or any(part.may_hold(uppers) for part in known):
            self._drop_all_repeated()
        self._n_checked = len(self._parts)

    def _drop_all_repeated(self) -> None:
        rows = [np.flatnonzero(part.states != _GONE) for part in self._parts]
        which = np.repeat(np.arange(len(rows)), list(map(len, rows)))
        row = np.concatenate(rows)
        halves = [[half[kept] for half in part.block.id_numbers] for part, kept in zip(self._parts, rows)]
        uppers, lowers = (np.concatenate(half) for half in zip(*halves))
        order = np.lexsort((lowers, uppers))  # equal ones stay in their order
        is_repeated = (uppers[order][1:] == uppers[order][:-1]) & (lowers[order][1:] == lowers[order][:-1])
        for place in order[:-1][is_repeated].tolist():
            self._parts[which[place]].states[row[place]] = _GONE

    # ############# Asking ############# #

    def find(self, run_id: str) -> tp.Optional["Held"]:
        """Return where a run is, or None if there is none."""
        if not is_run_id(run_id):
            return None
        for part in reversed(self._parts):
            row = part.find(run_id)
            if row is not None:
                return Held(part.block, row, bool(part.states[row] >= _DELETED))
        return None

    def parts(self, deleted: tp.Optional[bool], older: bool = True) -> tp.List[Rows]:
        """Return blocks, and the rows of them that are runs: None for all.

        Args:
            deleted (bool): False for the runs that are there, True for the deleted ones, None for all.
            older (bool): Whether to return those as well that only the file of the older layout holds."""
        found = []
        if deleted is not True:
            found += [rows for part in self._parts if older or not part.is_older for rows in part.live()]
        if deleted is not False:
            found += [rows for part in self._parts for rows in part.deleted(self._deletions)]
        return found

    def count(self, sweep_id: str) -> int:
        """Return how many runs of a sweep are there."""
        return sum(len(rows) for _, rows in self._rows_of_sweep(sweep_id))

    def _rows_of_sweep(self, sweep_id: str) -> tp.Iterator[tp.Tuple[_Part, tp.Array1d]]:
        """Yield the rows of the runs of a sweep that are there."""
        for part in self._parts:
            distinct, codes = part.block.sweep_ids
            if sweep_id in distinct:
                yield part, np.flatnonzero((codes == distinct.index(sweep_id)) & (part.states == _LIVE))
