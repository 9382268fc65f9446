"""The embedded default: one folder, no server.

```text
backtest_runs/
  runs_metadata.jsonl         what the runs are, see vectorbt.portfolio.registry.stores.journal
  runs_metadata.damaged       lines that could not be read, moved here by compact() or cut off behind a crash
  runs_metadata.json          the older layout, if there is one; read and kept
  portfolios/<id>.pkl         the portfolios
  .lock                       held by whoever writes
```

Writers take turns. Readers take no lock: they remember how far they have read, and read on from there."""

import os
import stat
import threading
import weakref
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.artifacts import open_artifacts
from vectorbt.portfolio.registry.artifacts.files import (
    DurableFolder,
    errors_naming,
    open_regular,
    sync_file,
    write_atomically,
    write_fully,
)
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.encoding import loads
from vectorbt.portfolio.registry.errors import CorruptedRecordWarning, RunExistsError, StoreError
from vectorbt.portfolio.registry.query.columns import Found, ask, kinds_in, names_in
from vectorbt.portfolio.registry.query.comparing import Kind
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.reports import Compaction, Problem
from vectorbt.portfolio.registry.run import RunRecord, records_of
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.stores.chain import Earlier, Link, chain_problems, link_of
from vectorbt.portfolio.registry.stores.file_lock import WriterLock, check_timeout
from vectorbt.portfolio.registry.stores.held_runs import HeldRuns
from vectorbt.portfolio.registry.stores.journal import (
    Damage,
    Entry,
    JournalReader,
    beyond_reading,
    chained,
    check_header,
    damaged_lines,
    earlier_chains,
    frame,
    header,
    is_header,
    line_of,
    line_of_deletion,
    lines_of,
    links_in,
    parse_deletion,
    parse_line,
    read_record,
    unchained,
)
from vectorbt.portfolio.registry.stores.journal_problems import line_problems, put_aside, record_problems, torn_end
from vectorbt.portfolio.registry.stores.lines import LONGEST, complete_lines, split_lines, whole_content
from vectorbt.portfolio.registry.stores.older_layout import read_older_layout
from vectorbt.portfolio.registry.warning import warn

_BUFFER = 1 << 20
_TAIL = 1 << 16
_MAX_HEADS = 1000
"""Compactions whose chains a header names."""


class FileStore(RunStore):
    """Runs in a folder: metadata as JSON lines, portfolios as files.

    The folder is resolved when the store is made: a later change of the working directory changes nothing. It is made
    by the first save. Opening and reading write nothing, so a registry can lie on read-only media.

    Args:
        base_dir (path_like): Folder.
        artifacts (path_like or ArtifactStore): Where the portfolios lie: a folder, a URL that fsspec knows, or a store
            of artifacts. Defaults to the folder `portfolios` in `base_dir`.
        portfolio_format (str): Format in which portfolios are saved, unless a call says otherwise. Defaults to the one
            that the registry was made with, else `pickle`. A new registry remembers the one that is given.
        allow_pickle (bool): Whether portfolios may be unpickled, which executes whatever code the file contains.
        lock_timeout (float): Seconds that a change waits for somebody else who is changing the registry, before it
            ends with a `StoreError` that says who. None means for ever.

    Raises:
        NotADirectoryError: If `base_dir` is a file.
        TypeError: If `lock_timeout` is no number.
        ValueError: If it is negative.

    Usage:
        ```pycon
        >>> store = FileStore("./backtest_runs")
        >>> store.metadata_file
        PosixPath('/home/me/research/backtest_runs/runs_metadata.jsonl')
        ```"""

    def __init__(
        self,
        base_dir: tp.Union[str, os.PathLike] = "./backtest_runs",
        artifacts: tp.Union[None, str, os.PathLike, ArtifactStore] = None,
        portfolio_format: tp.Optional[str] = None,
        allow_pickle: bool = True,
        lock_timeout: tp.Optional[float] = None,
    ) -> None:
        self.lock_timeout = check_timeout(lock_timeout)
        self.base_dir = Path(base_dir).expanduser().resolve()
        if self.base_dir.exists() and not self.base_dir.is_dir():
            raise NotADirectoryError(f"{self.base_dir} is a file; a registry needs a folder")
        self.metadata_file = self.base_dir / "runs_metadata.jsonl"
        self.damaged_file = self.base_dir / "runs_metadata.damaged"
        self.older_metadata_file = self.base_dir / "runs_metadata.json"
        self.portfolios_dir = self.base_dir / "portfolios"
        place = self.portfolios_dir if artifacts is None else artifacts
        super().__init__(open_artifacts(place), portfolio_format, allow_pickle)
        self._folder = DurableFolder(self.base_dir)
        self._writing = WriterLock(self.base_dir / ".lock")
        self._reading = threading.RLock()
        self._warned: tp.Set[Damage] = set()
        self._forget()
        _open_stores.add(self)

    def __repr__(self) -> str:
        return f"FileStore({str(self.base_dir)!r})"

    def exists(self) -> bool:
        """Return whether there is a registry in the folder. The first save makes one."""
        return self.metadata_file.exists() or self.older_metadata_file.exists()

    def __getstate__(self) -> tp.Dict[str, tp.Any]:
        own = ("base_dir", "artifacts", "allow_pickle", "lock_timeout")
        return {"portfolio_format": self.given_format, **{name: getattr(self, name) for name in own}}

    def __setstate__(self, state: tp.Dict[str, tp.Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # a subclass that takes other arguments has its own

    def kept_format(self) -> tp.Optional[str]:
        with suppress(FileNotFoundError), open(self.metadata_file, "rb", buffering=0, opener=open_regular) as file:
            first, end, _ = _read_at(file, 0, _TAIL).partition(b"\n")
            opening = parse_line(first + end)  # one without its end is torn, and says nothing
            if opening is not None and opening.kind == "header":
                check_header(opening.value, self.metadata_file)
                kept = loads(opening.value).get("portfolio_format")
                return kept if isinstance(kept, str) else None
        return None

    # ############# Backend ############# #

    def insert(self, block: RunBlock, new_ids: bool = False, deleted: bool = False) -> None:
        with self.exclusive():
            if not new_ids:
                self._check_unused(block.run_ids)
            self._append(line_of("trial" if deleted else "run", block))

    def replace(self, block: RunBlock, deleted: bool = False) -> None:
        with self.exclusive():
            self._append(line_of("trial" if deleted else "changed", block))

    def remove(self, run_ids: tp.Collection[str], deletion: Deletion) -> tp.List[RunRecord]:
        with self.exclusive():
            with self._reading:
                self._refresh()
                removed = self._held_runs(sorted(run_ids))
                whole_sweeps = self._whole_sweeps(removed)
            if removed:
                rest = [record.run_id for record in removed if record.sweep_id not in whole_sweeps]
                self._append(line_of_deletion(deletion, rest, sorted(whole_sweeps)))
            return removed

    def _whole_sweeps(self, removed: tp.Iterable[RunRecord]) -> tp.Set[str]:
        """Return the sweeps that are removed altogether, so that the line need not name each of their runs."""
        if not all(damage.readable for damage in self._known_damages()):
            return set()  # what cannot be read may be more of them, and comes back from a copy
        counts = Counter(record.sweep_id for record in removed if record.sweep_id is not None)
        return {sweep_id for sweep_id, n_runs in counts.items() if n_runs > 1 and self._held.count(sweep_id) == n_runs}

    def get(self, run_id: str) -> tp.Optional[RunRecord]:
        with self._reading:  # another thread may be reading the journal anew
            self._refresh()
            return self._held_run(run_id)

    def _held_runs(self, run_ids: tp.Iterable[str]) -> tp.List[RunRecord]:
        """Return the runs of some ids that are there, block by block."""
        rows: tp.Dict[int, tp.List[int]] = {}
        blocks: tp.Dict[int, RunBlock] = {}
        for found in map(self._held.find, run_ids):
            if found is not None and not found.is_deleted:
                blocks[id(found.block)] = found.block
                rows.setdefault(id(found.block), []).append(found.row)
        return [record for key in rows for record in records_of(blocks[key], np.array(rows[key]))]

    def _held_run(self, run_id: str) -> tp.Optional[RunRecord]:
        found = self._held.find(run_id)
        if found is None or found.is_deleted:
            return None
        return records_of(found.block, np.array([found.row]))[0]

    def select(self, query: Query) -> tp.List[RunRecord]:
        with collection_paused():
            return self.select_rows(query).records()

    def select_rows(self, query: Query) -> Found:
        with self._reading:
            self._refresh()
            parts = self._held.parts(query.deleted)
        return ask(query, parts)

    def names(self, what: str) -> tp.Set[str]:
        with self._reading:
            self._refresh()
            return names_in(self._held.parts(None), what)

    def kinds(self, name: str) -> tp.Set[Kind]:
        with self._reading:
            self._refresh()
            return kinds_in(self._held.parts(None), name)

    def _check_unused(self, run_ids: tp.Sequence[str]) -> None:
        with self._reading:
            self._refresh()
            for run_id in run_ids:
                if self._held.find(run_id) is not None:
                    raise RunExistsError(f"run {run_id} is in {self} already; a run is saved once")

    def check_writable(self) -> None:
        with suppress(FileNotFoundError), open(self.metadata_file, "rb", buffering=0, opener=open_regular) as file:
            self._check_opening(file)

    # ############# Reading ############# #

    def _refresh(self) -> None:
        """Read what has been written since the last time, by anybody."""
        with self._reading:
            if self._older_layout_status() != self._older_status:
                self._forget()
                self._read_older_layout()
            try:
                file = open(self.metadata_file, "rb", buffering=_BUFFER, opener=open_regular)  # noqa: SIM115
            except FileNotFoundError:
                if self._journal.end:
                    self._forget()
                    self._read_older_layout()
            else:
                with file:
                    self._read_journal(file)
            self._warn()

    def _read_anew(self) -> None:
        """Read everything again: what was altered in place since it was read does not show otherwise."""
        self._forget()
        self._refresh()

    def _read_journal(self, file: tp.BinaryIO) -> None:
        if self._journal.has_moved(file):
            self._forget()
            self._read_older_layout()
        with collection_paused():
            for entry in self._journal.read(file):
                self._take(entry)
            self._held.settle()

    def _forget(self) -> None:
        """Forget what was read, so that the next reading begins at the first byte."""
        self._journal = JournalReader(self.metadata_file)
        self._held = HeldRuns()
        self._unusable: tp.List[Damage] = []
        self._n_older_runs = 0
        self._older_damages: tp.List[Damage] = []
        self._older_status: tp.Optional[tp.Tuple[int, int]] = None

    def _older_layout_status(self) -> tp.Optional[tp.Tuple[int, int]]:
        try:
            status = os.stat(self.older_metadata_file)
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size

    def _read_older_layout(self) -> None:
        """Read the file of the older layout if there is one. What the journal says comes after it."""
        status = self._older_layout_status()
        if status is not None:
            records, self._older_damages = read_older_layout(self.older_metadata_file)
            self._n_older_runs = len(records)
            if records:
                self._held.add_block(RunBlock.of([record.to_dict() for record in records]), is_older=True)
        self._older_status = status  # once it was read: else it would be taken for read, and its runs for gone

    def _take(self, entry: Entry) -> None:
        try:
            if entry.kind == "deleted":
                self._held.delete(*parse_deletion(entry.value))
            elif entry.kind in ("runs", "changes", "trials"):
                self._held.add_block(RunBlock.parse(entry.value), deleted=entry.kind == "trials")
            else:
                self._take_record(entry.kind, read_record(entry.value))
        except ValueError as e:
            self._unusable.append(Damage(entry.line, str(e), frame(entry.kind, entry.value)))

    def _take_record(self, kind: str, record: tp.Dict[str, tp.Any]) -> None:
        if kind == "changed":
            self._held.replace(record)
        else:
            self._held.add(record, deleted=kind == "trial")

    def damages(self) -> tp.List[Damage]:
        """Return the lines of the metadata that are not as they were written."""
        with self._reading:
            self._refresh()
            return self._known_damages()

    def _known_damages(self) -> tp.List[Damage]:
        return [*self._older_damages, *self._journal.damages, *self._unusable]

    def _warn(self) -> None:
        """Report each line that cannot be read once."""
        for damage in self._known_damages():
            if not damage.readable and damage not in self._warned:
                self._warned.add(damage)
                warn(
                    f"{self.base_dir}: line {damage.line} of the metadata was skipped: {damage.reason}; "
                    f"registry.check() lists what is wrong",
                    CorruptedRecordWarning,
                )

    # ############# Writing ############# #

    def exclusive(self) -> tp.ContextManager:
        self._folder.make()
        return self._writing.hold(self.lock_timeout)

    def _renew_locks(self) -> None:
        """Leave behind the lock of the process that this one was forked from: who holds it does not exist here.

        A thread that was reading at that moment has left the reading half done, so it begins anew."""
        if self._reading.acquire(blocking=False):
            self._reading.release()
        else:
            self._reading = threading.RLock()
            self._forget()

    def _append(self, line: bytes) -> None:
        """Add a line in one write, behind the last complete one, and sync it. The caller holds the lock."""
        with (
            errors_naming(self.metadata_file),
            open(self.metadata_file, "a+b", buffering=0, opener=open_regular) as file,
        ):
            if len(line) > LONGEST:
                raise StoreError(
                    f"a save takes {len(line)} bytes of metadata, and no line over {LONGEST} is read; save the "
                    f"sweep in parts"
                )
            end = self._cut_torn_end(file)
            opening = b"" if end else header(self.given_format)
            (linked,) = chained([line], link_of(opening or _last_line(file, end)))
            try:
                write_fully(file.fileno(), opening + linked)
                os.fsync(file.fileno())
                self._folder.sync_names(file.fileno())
            except BaseException:
                os.ftruncate(file.fileno(), end)
                with suppress(OSError):  # what could not be saved must not come back after a power cut
                    os.fsync(file.fileno())
                raise

    def _cut_torn_end(self, file: tp.BinaryIO) -> int:
        """Cut off what a writer that died has left behind, and return where the next line goes.

        That takes a look at the first and the last line, unless there is something to cut off."""
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            return 0
        self._check_opening(file)
        if parse_line(_last_line(file, size)) is not None:
            return size
        with self._reading:
            self._refresh()
            end = self._journal.end
        self._keep_damaged(_read_at(file, end, size - end))
        os.ftruncate(file.fileno(), end)
        return end

    def _check_opening(self, file: tp.BinaryIO) -> None:
        opening = _opening(file)
        if opening is not None and opening.kind == "header":
            check_header(opening.value, self.metadata_file)

    def _keep_damaged(self, torn: bytes) -> None:
        """Put aside the damaged lines in what is about to be cut off. The rest is what was about to be saved."""
        self._put_aside(damaged_lines(torn))

    def _put_aside(self, lines: tp.Sequence[bytes]) -> None:
        """Keep damaged lines in the side file, unless an earlier attempt has put them there already."""
        content = b"".join(lines)
        kept = self._kept()
        if not content:
            return
        if kept.endswith(content):
            sync_file(self.damaged_file)
            return
        write_atomically(self.damaged_file, kept + content)

    # ############# Upkeep ############# #

    def problems(self) -> tp.List[Problem]:
        size = self._size()  # before reading: a line that is being appended meanwhile is no torn end
        with self._reading:
            self._read_anew()
            problems = record_problems(self.older_metadata_file, self._older_damages)
            problems += line_problems(self.metadata_file, self._journal.damages)
            problems += record_problems(self.metadata_file, self._unusable)
            if self._journal.end < size <= self._size():
                problems.append(torn_end(self.metadata_file, self._torn()[: size - self._journal.end]))
        kept = self._kept()
        return [*problems, put_aside(self.damaged_file, kept)] if kept else problems

    def chain_problems(self, head: tp.Optional[str] = None) -> tp.List[Problem]:
        links, earlier = self._links()
        return chain_problems(self.metadata_file, links, earlier, head)

    def _links(self) -> tp.Tuple[tp.List[Link], Earlier]:
        """Return the links of the journal, and what it says of the chains that it goes on from."""
        try:
            with open(self.metadata_file, "rb", buffering=_BUFFER, opener=open_regular) as file:
                earlier = earlier_chains(next(complete_lines(file, self.metadata_file), b""))
                return links_in(file, self.metadata_file), earlier
        except FileNotFoundError:
            return [], Earlier()

    def chain_head(self) -> tp.Optional[str]:
        with self._reading:
            self._refresh()
            try:
                with open(self.metadata_file, "rb", buffering=0, opener=open_regular) as file:
                    return link_of(_last_line(file, self._journal.end)) if self._journal.end else None
            except FileNotFoundError:
                return None

    def unreadable(self) -> bytes:
        with self._reading:
            contents = [*(damage.content for damage in self.damages()), *damaged_lines(self._torn())]
            if self._older_damages and not self._n_older_runs:  # whatever it held, it may have named any of them
                contents += [info.name.encode() for info in self.artifacts.list()]
        return b"".join([*contents, self._kept()])

    def _torn(self) -> bytes:
        """Return what is behind the last complete line or block."""
        return self._read_own(self.metadata_file)[self._journal.end :]

    def temporary_places(self) -> tp.List[ArtifactStore]:
        return [FolderArtifacts(self.base_dir), *super().temporary_places()]

    def compact(self, dry_run: bool = False) -> Compaction:
        """Rewrite the journal without superseded lines. See `RunStore.compact`.

        Lines that cannot be read are put aside first, into `runs_metadata.damaged`. The file of the older layout is
        left alone, and so is the journal if nothing in it was superseded. Readers and writers in other processes go
        on undisturbed."""
        plan = self._plan_compaction()
        if dry_run or plan.content is None:
            return plan.saving
        try:
            return self._carry_out(plan)
        except (_ReplacedError, FileNotFoundError):  # somebody else has compacted it, or removed what is not named yet
            with self.exclusive():
                plan = self._plan_compaction()
                return plan.saving if plan.content is None else self._carry_out(plan)

    def _plan_compaction(self) -> "_Plan":
        """Return what a compaction makes of the journal as it is now, while others may save."""
        with self._reading:
            self._read_anew()
            runs, trials = self._held.parts(False, older=False), self._held.parts(True)
            damaged = beyond_reading([*self._journal.damages, *self._unusable])
            before, end = self._read_own(self.metadata_file), self._journal.end
            file_id = self._journal.file_id
        with collection_paused():
            lines = [*lines_of("run", runs), *lines_of("trial", trials)] if before else []
            present = split_lines(before[:end])
            is_compact = is_header(before) and list(map(unchained, present[1:])) == lines
            content = before[:end] if is_compact or not before else self._rewritten(before, end, lines)
        n_aside = len(damaged) + len(damaged_lines(before[end:]))
        saving = Compaction(len(before), len(content), before.count(b"\n"), content.count(b"\n"), n_aside)
        return _Plan(saving, None if content == before else content, damaged, end, before[:end][-_TAIL:], file_id)

    def _rewritten(self, before: bytes, end: int, lines: tp.Sequence[bytes]) -> bytes:
        """Return lines as a new chain, whose header says what is known of the old one."""
        last = before[before.rfind(b"\n", 0, end - 1) + 1 : end]
        links, earlier = self._links()
        heads = [*earlier.earlier_heads, link_of(last)][-_MAX_HEADS:]
        n_breaks = earlier.earlier_breaks + len(chain_problems(self.metadata_file, links, Earlier()))
        opening = header(self.kept_format(), Earlier(heads, n_breaks))
        return b"".join([opening, *chained(lines, link_of(opening))])

    def _carry_out(self, plan: "_Plan") -> Compaction:
        """Replace the journal. Others wait only while what they have saved since is added and the file is renamed."""
        mode = os.stat(self.metadata_file).st_mode  # others may be allowed to write
        with ExitStack() as turn:
            sizes: tp.List[int] = []

            def pieces() -> tp.Iterator[bytes]:
                yield tp.cast(bytes, plan.content)
                turn.enter_context(self.exclusive())
                added, rest = self._saved_since(plan)
                sizes.extend((len(added), added.count(b"\n")))
                self._put_aside([*plan.damaged, *damaged_lines(rest)])
                if added:
                    content = tp.cast(bytes, plan.content)
                    last = content[content.rfind(b"\n", 0, -1) + 1 :]
                    yield from chained(split_lines(added), link_of(last))

            write_atomically(self.metadata_file, pieces(), stat.S_IMODE(mode))
        n_bytes, n_lines = sizes
        before, after, lines_before, lines_after, n_aside = plan.saving
        return Compaction(before + n_bytes, after + n_bytes, lines_before + n_lines, lines_after + n_lines, n_aside)

    def _saved_since(self, plan: "_Plan") -> tp.Tuple[bytes, bytes]:
        """Return the complete lines that others have added, and what is torn behind them. The caller holds the lock.

        Raises:
            _ReplacedError: If the journal is not the one that the plan was made for."""
        with open(self.metadata_file, "rb", opener=open_regular) as file:
            status = os.fstat(file.fileno())
            last = _read_at(file, plan.end - len(plan.last), len(plan.last))
            if (status.st_dev, status.st_ino) != plan.file_id or last != plan.last:
                raise _ReplacedError
            added = file.read()
        complete = added.rfind(b"\n") + 1
        return added[:complete], added[complete:]

    def _kept(self) -> bytes:
        """Return the lines that were put aside."""
        try:
            return whole_content(self.damaged_file)
        except FileNotFoundError:
            return b""

    @staticmethod
    def _read_own(path: Path) -> bytes:
        try:
            with open(path, "rb", opener=open_regular) as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def _size(self) -> int:
        """Return the size of the journal, 0 if there is none."""
        try:
            return os.stat(self.metadata_file).st_size
        except FileNotFoundError:
            return 0


def _opening(file: tp.BinaryIO) -> tp.Optional[Entry]:
    """Return what the first line of a journal says, if it can be read."""
    return parse_line(_read_at(file, 0, _TAIL).partition(b"\n")[0] + b"\n")


def _last_line(file: tp.BinaryIO, size: int) -> bytes:
    """Return the last line of a file, read from its end. Nothing if it is torn, or too long to be one."""
    length = _TAIL
    while length <= LONGEST:
        tail = _read_at(file, max(0, size - length), length)
        start = tail.rfind(b"\n", 0, -1) + 1
        if start or length >= size:
            return tail[start:]
        if tail[-2:] != b"}\n":
            break
        length *= 4
    return b""


class _Plan(tp.NamedTuple):
    """A compaction that was prepared: what it saves, the new content (None if it is that of the file), the lines to put
    aside, up to where and with which bytes at its end the file was read, and which file it was."""

    saving: Compaction
    content: tp.Optional[bytes]
    damaged: tp.List[bytes]
    end: int
    last: bytes
    file_id: tp.Optional[tp.Tuple[int, int]]


class _ReplacedError(Exception):
    """The journal is not the one that a compaction was planned for."""


def _read_at(file: tp.BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


# ############# Forked processes ############# #

_open_stores: "weakref.WeakSet[FileStore]" = weakref.WeakSet()


def _renew_locks() -> None:
    """Give the stores of a forked process locks of its own."""
    for store in list(_open_stores):
        store._renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
