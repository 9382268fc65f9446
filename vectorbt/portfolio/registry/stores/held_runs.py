"""The runs of a folder in memory: blocks of columns, and which of their rows still count."""

from functools import cached_property

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import Column, RunBlock, constant
from vectorbt.portfolio.registry.checks import is_run_id
from vectorbt.portfolio.registry.store import tombstone

__all__ = ["HeldRuns"]

_LIVE, _DELETED, _GONE = 0, 1, 2
"""What a row is: a run, a deleted one, or one whose record was replaced."""

_MANY = 4096
"""Lone runs that become a block of their own. Fewer are gathered into larger and larger ones."""

Record = tp.Mapping[str, tp.Any]

Rows = tp.Tuple[RunBlock, tp.Optional[tp.Array1d]]
"""A block, and the rows of it that are meant, all of them if it is None."""


class _Part:
    """A block, and what each of its rows is.

    Args:
        block (RunBlock): Block.
        state (int): What all of its rows are at first.
        is_older (bool): Whether it was read from the file of the older layout.
        is_gathered (bool): Whether it is of lone runs, to which others can be added."""

    def __init__(self, block: RunBlock, state: int, is_older: bool = False, is_gathered: bool = False) -> None:
        self.block = block
        self.is_gathered = is_gathered
        self.states = np.full(len(block), state, np.uint8)
        self.is_older = is_older

    @cached_property
    def _sorted(self) -> tp.Tuple[tp.Array1d, tp.Array1d]:
        """The upper halves of the ids in order, and the rows that they are of."""
        numbers = self.block.id_numbers[0]
        rows = np.argsort(numbers, kind="stable")
        return numbers[rows], rows

    def find(self, run_id: str) -> tp.Optional[int]:
        """Return the last row of an id that still counts."""
        numbers, rows = self._sorted
        wanted = np.uint64(int(run_id[:8] + run_id[9:13] + run_id[14:18], 16))
        start, end = np.searchsorted(numbers, wanted, "left"), np.searchsorted(numbers, wanted, "right")
        for row in rows[start:end][::-1].tolist():
            if self.states[row] != _GONE and self.block.ids[row] == run_id.encode():
                return row
        return None

    @cached_property
    def tombstones(self) -> RunBlock:
        """The block with what is kept of a run when it is deleted."""
        kept = tombstone({})
        blank: tp.Dict[tp.Tuple[str, ...], Column] = {(name,): constant(kept[name], len(self.block)) for name in kept}
        return RunBlock(len(self.block), {**self.block.columns, **blank})


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
        self._parts.append(_Part(block, _DELETED if deleted else _LIVE, is_older))

    def delete(self, run_ids: tp.Iterable[str], sweep_ids: tp.Iterable[str] = ()) -> None:
        """Note that runs were deleted, and all of some sweeps."""
        for sweep_id in sweep_ids:
            self._delete_sweep(sweep_id)
        for run_id in run_ids:
            record = self._lone[_LIVE].pop(run_id, None)
            if record is not None:
                self._lone[_DELETED][run_id] = record
            else:
                self._mark(run_id, _DELETED)

    def _delete_sweep(self, sweep_id: str) -> None:
        self.delete([run_id for run_id, record in self._lone[_LIVE].items() if record.get("sweep_id") == sweep_id])
        for part, rows in self._rows_of_sweep(sweep_id):
            part.states[rows] = _DELETED

    def settle(self) -> None:
        """Bring what was taken into the form in which it is asked."""
        for state in (_LIVE, _DELETED):
            self._gather(state)
        self._drop_repeated()

    def _mark(self, run_id: str, state: int) -> None:
        for part in reversed(self._parts):
            row = part.find(run_id)
            if row is not None:
                part.states[row] = state
                return

    def _gather(self, state: int) -> None:
        """Make a block of lone runs, together with those before them that are not many more."""
        records = self._lone[state]
        if not records:
            return
        part = _Part(RunBlock.of(list(records.values())), state, is_gathered=True)
        self._lone[state] = {}
        while self._parts and self._can_join(self._parts[-1], part):
            earlier = self._parts.pop()
            joined = _Part(RunBlock.joined([earlier.block, part.block]), state, is_gathered=True)
            joined.states = np.concatenate([earlier.states, part.states])
            part = joined
        self._parts.append(part)
        self._n_checked = min(self._n_checked, len(self._parts) - 1)

    @staticmethod
    def _can_join(earlier: _Part, part: _Part) -> bool:
        if not earlier.is_gathered:
            return False
        return len(earlier.block) <= 2 * len(part.block) and len(earlier.block) + len(part.block) <= _MANY

    def _drop_repeated(self) -> None:
        """Let the last of several rows of one id count, as where a line was written twice."""
        new = self._parts[self._n_checked :]
        if not new:
            return
        if len(new) == 1 and len(new[0].block) <= 16:
            repeated = set(new[0].block.id_numbers[0].tolist()) if self._is_repeated(new[0]) else set()
        else:
            numbers = np.sort(np.concatenate([part.block.id_numbers[0] for part in self._parts]))
            repeated = set(numbers[1:][numbers[1:] == numbers[:-1]].tolist())
        self._n_checked = len(self._parts)
        if not repeated:
            return
        met: tp.Set[bytes] = set()
        for part in reversed(self._parts):
            rows = np.flatnonzero(np.isin(part.block.id_numbers[0], np.array(list(repeated), np.uint64)))
            for row in rows[::-1].tolist():
                run_id = part.block.ids[row]
                if part.states[row] != _GONE and run_id in met:
                    part.states[row] = _GONE
                elif part.states[row] != _GONE:
                    met.add(run_id)

    def _is_repeated(self, part: _Part) -> bool:
        ids = part.block.ids.tolist()
        earlier = self._parts[: self._parts.index(part)]
        return len(set(ids)) < len(ids) or any(
            other.find(run_id.decode()) is not None for other in earlier for run_id in ids
        )

    # ############# Asking ############# #

    def find(self, run_id: str) -> tp.Optional["Held"]:
        """Return where a run is, or None if there is none."""
        if not is_run_id(run_id):
            return None
        for part in reversed(self._parts):
            row = part.find(run_id)
            if row is not None:
                return Held(part.block, row, bool(part.states[row] == _DELETED))
        return None

    def parts(
        self, deleted: tp.Optional[bool], older: bool = True
    ) -> tp.List[tp.Tuple[RunBlock, tp.Optional[tp.Array1d]]]:
        """Return blocks, and the rows of them that are runs: None for all.

        Args:
            deleted (bool): False for the runs that are there, True for the deleted ones, None for all.
            older (bool): Whether to return those as well that only the file of the older layout holds."""
        found = []
        for state in (_LIVE, _DELETED) if deleted is None else (int(deleted),):
            for part in self._parts:
                if part.is_older and not older and state == _LIVE:
                    continue
                rows = np.flatnonzero(part.states == state)
                if len(rows):
                    block = part.tombstones if state == _DELETED else part.block
                    found.append((block, None if len(rows) == len(block) else rows))
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
