"""Runs from one registry into another, with their portfolios."""

import json

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.attachment import Attachment
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.deletion import Deletion, in_trash, places_of
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactMissingError, RunExistsError
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.record_json import TRIED_ELSEWHERE
from vectorbt.portfolio.registry.reports import Conflict, MergeReport
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.warning import reason_list, warn

_DELETED_HERE = "it was deleted here and is alive there; merge(..., restore=True) brings it back"
_DELETED_THERE = "it was deleted there and is alive here; delete it here as well if it is to go"


Describe = tp.Callable[[RunRecord, tp.Dict[str, tp.Any]], tp.Dict[str, tp.Any]]
"""Function that adds to the dict of a record what it leaves behind."""


def transfer(
    source: RunStore,
    target: RunStore,
    run_ids: tp.Optional[tp.Collection[str]] = None,
    restore: bool = False,
    describe: tp.Optional[Describe] = None,
) -> MergeReport:
    """Take over runs from one store into another, the deleted ones and what is in the trash included.

    Those of a sweep come in together, each other one by itself. So a transfer that was interrupted has taken over
    whole runs and sweeps, and the next one goes on from there. Nothing is unpickled.

    Args:
        source (RunStore): Store that runs come from. It is not changed.
        target (RunStore): Store that they go to.
        run_ids (collection of str): Ids of the runs. Defaults to all.
        restore (bool): Whether runs come back that were deleted in the target and are there in the source.
        describe (callable): Function that adds to the dict of a record what it leaves behind in the source."""
    from tqdm.auto import tqdm

    runs = _select(source, run_ids)
    receiver = _Receiver(source, target, runs, restore, describe)
    with tqdm(total=len(runs), desc="Copying runs", unit="run", delay=1) as progress:
        for group in _grouped(runs.values()):
            receiver.receive(group)
            progress.update(len(group))
    conflicts = receiver.report.conflicts
    if conflicts:
        warn(f"{len(conflicts)} runs of {source} were left alone:{reason_list(conflicts)}")
    return receiver.report


class _Run(tp.NamedTuple):
    """A run, and whether it was deleted."""

    record: RunRecord
    deleted: bool

    @property
    def run_id(self) -> str:
        return self.record.run_id


class _Lot(tp.NamedTuple):
    """Runs with the same portfolio, and the contents of its artifacts and of their attachments by name."""

    runs: tp.List[_Run]
    contents: tp.Dict[str, bytes]


def _select(store: RunStore, run_ids: tp.Optional[tp.Collection[str]]) -> tp.Dict[str, _Run]:
    """Return runs by their ids, oldest first."""
    runs = {}
    for deleted in (False, True):  # in this order: a run that is deleted meanwhile is found as a deleted one
        for record in store.select(Query(deleted=deleted, ascending=True)):
            if run_ids is None or record.run_id in run_ids:
                runs[record.run_id] = _Run(record, deleted)
    return runs


def _grouped(runs: tp.Iterable[_Run]) -> tp.List[tp.List[_Run]]:
    """Return runs in lists: those of one sweep together, the deleted ones apart."""
    groups: tp.Dict[tp.Any, tp.List[_Run]] = {}
    for run in runs:
        groups.setdefault((run.record.sweep_id or run.run_id, run.deleted), []).append(run)
    return list(groups.values())


class _Receiver:
    """Takes runs into a store, and keeps account of what became of each.

    Args:
        source (RunStore): Where the runs come from.
        target (RunStore): Where they go.
        run_ids (collection of str): Ids of all that will come.
        restore (bool): Whether runs come back that were deleted in the target.
        describe (callable): Function that adds to the dict of a record what it leaves behind."""

    def __init__(
        self,
        source: RunStore,
        target: RunStore,
        run_ids: tp.Collection[str],
        restore: bool,
        describe: tp.Optional[Describe],
    ) -> None:
        self._describe = describe
        self.source = source
        self.target = target
        self._restore = restore
        self.report = MergeReport([], [], [])
        self._run_ids = run_ids
        self._held = _select(target, run_ids)

    def receive(self, group: tp.Sequence[_Run]) -> None:
        """Take over the runs of a group that are not in the target yet: all of them or none."""
        new = [run for run in group if self._is_new(run)]
        lots = [lot for lot in map(self._read_portfolio, _by_portfolio(new)) if lot is not None]
        if not lots:
            return
        try:
            received = self._insert(lots)
        except RunExistsError:  # somebody else has brought some of them at the same time
            self._held = _select(self.target, self._run_ids)
            if self._held.keys().isdisjoint(run.run_id for run in new):
                raise
            self.receive([run for lot in lots for run in lot.runs])
        else:
            self.report.merged.extend(run.run_id for run in received)

    def _is_new(self, run: _Run) -> bool:
        """Return whether a run is not in the target. Account for it if it is."""
        held = self._held.get(run.run_id)
        if held is None and not run.record.strategy_name:
            self._refuse([run], "there its strategy_name is empty, and no run is saved without one")
            return False
        if held is None or self._comes_back(run):
            return True
        reason = _difference(run, held)
        if reason is None:
            self.report.skipped.append(run.run_id)
        else:
            self._refuse([run], reason)
        return False

    def _comes_back(self, run: _Run) -> bool:
        """Return whether a run was deleted here, is there, and is to be there here as well."""
        held = self._held.get(run.run_id)
        return self._restore and held is not None and held.deleted and not run.deleted

    def _refuse(self, runs: tp.Iterable[_Run], reason: str) -> None:
        self.report.conflicts.extend(Conflict(run.run_id, reason) for run in runs)

    def _read_portfolio(self, runs: tp.List[_Run]) -> tp.Optional[_Lot]:
        """Read the portfolio that runs share. Refuse them if it is not what was saved."""
        contents: tp.Dict[str, bytes] = {}
        try:
            if runs[0].record.artifact is not None:
                for run in runs:
                    self.source.stored(run.record).check_owner()
                contents.update(self.source.stored(runs[0].record).read())
            for run in runs:
                for attachment in Attachment.of(run.record):
                    if attachment.file not in contents:
                        contents[attachment.file] = attachment.read(run.run_id, self.source.artifacts)
        except (ArtifactMissingError, ArtifactCorruptedError) as e:
            if runs[0].deleted:  # a trial that cannot be restored any more is a trial still
                return _Lot([_Run(_forgotten(run.record), True) for run in runs], {})
            self._refuse(runs, str(e))
            return None
        return _Lot(runs, contents)

    def _insert(self, lots: tp.Sequence[_Lot]) -> tp.List[_Run]:
        """Write portfolios, then records, while nobody else changes the target. Return the runs that came in."""
        written: tp.List[str] = []
        with self.target.exclusive():
            fitting = [lot for lot in lots if self._fits(lot)]
            runs = [run for lot in fitting for run in lot.runs]
            try:
                for name, content in self._missing(fitting):
                    written.append(name)
                    self.target.artifacts.write(name, content)
                self._write_records(runs)
            except BaseException:
                if runs:
                    self.target.take_back(written, runs[0].run_id)
                raise
        return runs

    def _missing(self, lots: tp.Iterable[_Lot]) -> tp.Iterator[tp.Tuple[str, bytes]]:
        """Yield the artifacts that the target does not hold, and keep those that it does.

        Beside the main ones they are named after what is in them. The portfolios of deleted runs go into the trash."""
        artifacts = self.target.artifacts
        for lot in lots:
            artifact = Artifact.of(lot.runs[0].record)
            if artifact is not None and not lot.runs[0].deleted:
                self.target.take_out_of_trash(artifact)
            for name, content in lot.contents.items():
                is_main = artifact is not None and name == artifact.main
                place = name
                if lot.runs[0].deleted and artifact is not None and name in artifact.own_names:
                    place = name if artifacts.size(name) is not None else in_trash(name)
                if artifacts.size(place) is None or (is_main and artifacts.get(place) != content):
                    yield place, content
                else:
                    artifacts.keep(place)

    def _write_records(self, runs: tp.Sequence[_Run]) -> None:
        """Insert the records of new runs, and replace those of runs that come back."""
        new = [run for run in runs if not self._comes_back(run)]
        back = [run for run in runs if self._comes_back(run)]
        if new:
            self.target.insert(RunBlock.of(list(map(self._dict_of, new))), deleted=new[0].deleted)
        if back:
            self.target.replace(RunBlock.of(list(map(self._dict_of, back))))

    def _dict_of(self, run: _Run) -> tp.Dict[str, tp.Any]:
        """Return the record of a run as it comes in."""
        dct = {**run.record.to_dict(), "portfolio_path": None}
        return dct if self._describe is None else self._describe(run.record, dct)

    def _fits(self, lot: _Lot) -> bool:
        """Return whether the name of a portfolio is free in the target, or means the same one. Else refuse the runs."""
        artifact = Artifact.of(lot.runs[0].record)
        if artifact is None:
            return True
        held = [self.target.artifacts.get(place) for place in places_of(artifact.main)]
        if not {*held} - {None, lot.contents[artifact.main]} or not self.target.users_of(artifact, deleted=None):
            return True
        self._refuse(lot.runs, f"here {self.target.artifacts.locate(artifact.main)} is the portfolio of other runs")
        return False


def _by_portfolio(runs: tp.Iterable[_Run]) -> tp.Iterable[tp.List[_Run]]:
    """Return runs in lists of those that share a portfolio."""
    lots: tp.Dict[tp.Optional[Artifact], tp.List[_Run]] = {}
    for run in runs:
        lots.setdefault(Artifact.of(run.record), []).append(run)
    return lots.values()


def _forgotten(record: RunRecord) -> RunRecord:
    """Return a deleted run without what is lost of it."""
    dct = record.to_dict()
    return RunRecord.from_dict(Deletion(dct["deleted_at"], restorable=False).tombstone(dct))


# ############# Differences ############# #


def _difference(theirs: _Run, ours: _Run) -> tp.Optional[str]:
    """Return in what the same run differs on two sides, or None."""
    if theirs.deleted != ours.deleted:
        return _DELETED_HERE if ours.deleted else _DELETED_THERE
    records = (map(_forgotten, (theirs.record, ours.record))) if ours.deleted else (theirs.record, ours.record)
    there, here = map(_content, records)
    names = sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name))
    if not names:
        return None
    listed = "; ".join(
        f"{escaped(name)} is {_shown(here.get(name))} here and {_shown(there.get(name))} there" for name in names
    )
    return f"{listed}. Tags and notes can be made the same with update_run"


def _content(record: RunRecord) -> tp.Dict[str, str]:
    """Return the fields of a record as canonical JSON, without those that are empty or depend on where it lies, or on
    the ways that it came by."""
    dct = record.to_dict()
    dct["environment"] = {name: value for name, value in dct["environment"].items() if name != TRIED_ELSEWHERE}
    fields = dct.items()
    return {
        name: json.dumps(value, sort_keys=True, ensure_ascii=False)
        for name, value in fields
        if name not in ("portfolio_path", "deleted_at", "restorable") and value not in (None, "", [], {})
    }


def _shown(text: tp.Optional[str]) -> str:
    if text is None:
        return "empty"
    text = escaped(text)
    return text if len(text) <= 60 else f"{text[:57]}..."
