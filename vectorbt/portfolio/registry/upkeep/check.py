"""Check a registry, and remove files that nobody needs."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.artifact import Artifact, owner_of
from vectorbt.portfolio.registry.artifacts.store import ArtifactInfo, ArtifactStore, is_name
from vectorbt.portfolio.registry.attachment import Attachment
from vectorbt.portfolio.registry.checks import now
from vectorbt.portfolio.registry.deletion import in_trash, out_of_trash, places_of
from vectorbt.portfolio.registry.errors import ArtifactError, ArtifactMissingError
from vectorbt.portfolio.registry.portfolios.stored import sharing
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.reports import Garbage, Problem
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.upkeep.recover import lost_sweeps
from vectorbt.portfolio.registry.warning import warn

_CLOCKS = 3600.0
"""Seconds by which the clocks of those who save and of those who keep the files may differ."""
_MADE_BY_SAVING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
"""What the name of every saved artifact contains: an id or a digest. Files that people put beside them have neither."""


@dataclass
class _Use:
    """A stored portfolio, whether it is theirs and in the trash, and the runs that refer to it."""

    artifact: Artifact
    is_own: bool
    is_trash: bool
    run_ids: tp.List[str] = field(default_factory=list)

    @property
    def owners(self) -> str:
        others = len(self.run_ids) - 1
        state = "deleted run" if self.is_trash else "run"
        return f"{state} {self.run_ids[0]}" + (f" and {others} more" if others else "")

    @property
    def remedy(self) -> str:
        return (
            "Restore it from a copy, or empty the trash"
            if self.is_trash
            else "Restore it from a copy, or delete the run"
        )


# ############# Checking ############# #


def check(store: RunStore, deep: bool = False, chain_head: tp.Optional[str] = None) -> tp.List[Problem]:
    """Return what is wrong with a store. See `RunRegistry.check`."""
    from tqdm.auto import tqdm

    listed = {info.name: info for info in store.artifacts.list()}  # before the records, which are written after them
    problems = [*store.problems(), *store.chain_problems(chain_head)]
    uses = _uses(store)
    for use in tqdm(uses, desc="Checking portfolios", disable=not deep, delay=1):
        found = _problems_of(store, use, listed, deep)
        if found and _user(store, use) is not None:
            problems += found
    problems += [_lost_sweep_problem(store, *lost) for lost in lost_sweeps(store, listed.values(), _run_counts(uses))]
    problems += _problems_of_attachments(store, listed, deep)
    problems += [_orphan_problem(store, info) for info in _orphans(store, listed.values(), uses)]
    problems += [_leftover_problem(place, info) for place, info in _leftovers(store)]
    return problems


def _uses(store: RunStore) -> tp.List[_Use]:
    """Return all portfolios that runs refer to, those that are there and those in the trash."""
    uses: tp.Dict[tp.Tuple[Artifact, bool, bool], _Use] = {}
    with collection_paused():
        for record in store.select(Query(deleted=None, sort_by="run_id", ascending=True)):
            artifact = Artifact.of(record)
            if artifact is not None:
                key = artifact, artifact.may_be_of(record), record.restorable is not None
                uses.setdefault(key, _Use(*key)).run_ids.append(record.run_id)
    return list(uses.values())


def _problems_of(store: RunStore, use: _Use, listed: tp.Mapping[str, ArtifactInfo], deep: bool) -> tp.List[Problem]:
    """Return what is wrong with a portfolio."""
    names, main = use.artifact.names, use.artifact.main
    found = {name: _size(store, name, listed) for name in names}
    sizes = {name: size for name, size in found.items() if size is not None}
    if len(sizes) < len(found):
        return [_missing(store, use, name) for name in found if name not in sizes]
    altered = _alteration(store, use, sizes[main], deep)
    if altered is None:
        return []
    place = store.artifacts.locate(main)
    message = f"the portfolio of {use.owners} is not what was saved: {altered}"
    return [Problem("altered_artifact", place, use.run_ids[0], message, use.remedy)]


def _problems_of_attachments(store: RunStore, listed: tp.Mapping[str, ArtifactInfo], deep: bool) -> tp.List[Problem]:
    """Return what is wrong with the files that belong to runs beside their portfolios."""
    problems = []
    for run_id, attachment in _attachments(store).values():
        size = _size(store, attachment.file, listed)
        if size == attachment.size and not deep:
            continue
        try:
            attachment.read(run_id, store.artifacts)
        except ArtifactError as e:
            kind = "missing_artifact" if isinstance(e, ArtifactMissingError) else "altered_artifact"
            message = str(e).removesuffix(". Restore it from a copy")
            place = store.artifacts.locate(attachment.file)
            problems.append(Problem(kind, place, run_id, message, "Restore it from a copy, or delete the run"))
    return problems


def _attachments(store: RunStore) -> tp.Dict[str, tp.Tuple[str, Attachment]]:
    """Return the attachments of all runs, and of those in the trash, by their files, each with one of their runs."""
    with collection_paused():
        records = store.select(Query(deleted=None, sort_by="run_id", ascending=False))
        return {one.file: (record.run_id, one) for record in records for one in Attachment.of(record)}


def _size(store: RunStore, name: str, listed: tp.Mapping[str, ArtifactInfo]) -> tp.Optional[int]:
    """Return the size of a file, in its place or in the trash."""
    for place in places_of(name):
        size = listed[place].size if place in listed else store.artifacts.size(place)
        if size is not None:
            return size
    return None


def _missing(store: RunStore, use: _Use, name: str) -> Problem:
    place = store.artifacts.locate(name) if is_name(name) else repr(name[:100])
    message = f"the portfolio of {use.owners} is missing"
    return Problem("missing_artifact", place, use.run_ids[0], message, use.remedy)


def _alteration(store: RunStore, use: _Use, size: int, deep: bool) -> tp.Optional[str]:
    """Return in which way a portfolio is not what was saved, if that shows."""
    if not use.is_own:
        return "it is named after another run, so the record was altered"
    if use.artifact.size is not None and size != use.artifact.size:
        return f"expected {use.artifact.size} bytes, found {size}"
    record = _user(store, use) if deep else None
    if record is None:
        return None
    try:
        store.stored(record).verify()
    except ArtifactError as e:
        return str(e.__cause__ or e)  # the run and the place are named beside it
    except OSError as e:
        return f"it cannot be read: {e}"
    return None


def _user(store: RunStore, use: _Use) -> tp.Optional[RunRecord]:
    """Return a run that still refers to a portfolio. All may have been deleted or converted since they were read."""
    if use.is_trash:
        wanted = set(use.run_ids)
        records = (record for record in store.select(Query(deleted=True)) if record.run_id in wanted)
    else:
        records = (record for record in map(store.get, use.run_ids) if record is not None)
    return next((record for record in records if Artifact.of(record) == use.artifact), None)


def _run_counts(uses: tp.Iterable[_Use]) -> tp.Counter[str]:
    """Return how many runs refer to the portfolios of a run or sweep, by its id."""
    counts: tp.Counter[str] = Counter()
    for use in uses:
        counts[use.artifact.stem] += len(use.run_ids)
    return counts


def _lost_sweep_problem(store: RunStore, sweep_id: str, name: str) -> Problem:
    message = f"it still holds the runs of sweep {sweep_id}, whose line in the metadata was damaged"
    remedy = f"Restore the line from a copy, or measure them anew by recover({sweep_id!r})"
    return Problem("lost_sweep", store.artifacts.locate(name), None, message, remedy)


def _orphan_problem(store: RunStore, info: ArtifactInfo) -> Problem:
    message = f"no run refers to these {info.size} bytes: a writer died, or is about to save the run"
    return Problem("orphan_artifact", store.artifacts.locate(info.name), None, message, _REMOVAL)


def _leftover_problem(place: ArtifactStore, info: ArtifactInfo) -> Problem:
    message = f"a temporary file of {info.size} bytes: its writer died, or is still writing"
    return Problem("temporary_file", place.locate(info.name), None, message, _REMOVAL)


_REMOVAL = "gc() removes it when it is old enough"


# ############# Removing ############# #


Age = tp.Union[str, float, timedelta]


def gc(store: RunStore, min_age: Age = "1 day", dry_run: bool = False, trash_age: Age = "30 days") -> tp.List[Garbage]:
    """Remove what nobody needs, and empty the trash. See `RunRegistry.gc`."""
    seconds, trash_seconds = _as_seconds("min_age", min_age), _as_seconds("trash_age", trash_age)
    trash = _trash(store, trash_seconds)
    garbage, kept = _garbage(store, seconds)
    if dry_run or not (garbage or trash):  # a registry on read-only media has no lock to take
        _warn_of_kept(store, kept)
        return [*_described(store, trash), *(found for found, _ in garbage)]
    with store.exclusive():
        # Records are appended under the same lock, so that what is an orphan now is one until it is removed.
        trash = _trash(store, trash_seconds)
        removed = _described(store, trash)
        if trash:
            store.empty_trash(trash)
        garbage, kept = _garbage(store, seconds)
        removed += [found for found, remove in garbage if remove()]
    _warn_of_kept(store, kept)
    return removed


def _trash(store: RunStore, min_age: float) -> tp.List[RunRecord]:
    """Return the runs that were put into the trash so many seconds ago, or more."""
    with collection_paused():
        deleted = store.select(Query(deleted=True, sort_by="run_id", ascending=True))
        return [record for record in deleted if record.restorable and _age(record) >= min_age]


def _age(record: RunRecord) -> float:
    """Return how many seconds ago a run was deleted. Clocks may differ."""
    return max((now() - (record.deleted_at or record.timestamp)).total_seconds(), 0)


def _described(store: RunStore, trash: tp.Sequence[RunRecord]) -> tp.List[Garbage]:
    """Return what emptying the trash of some runs removes: portfolios that nobody else needs, else notes of a run."""
    leaving = {record.run_id for record in trash}
    described = []
    for runs in sharing(trash):
        age, artifact = min(map(_age, runs)), Artifact.of(runs[0])
        users = [] if artifact is None else store.users_of(artifact, deleted=None)
        if artifact is None or any(user.run_id not in leaving for user in users):
            described += [Garbage("deleted_run", f"run {run.run_id}", 0, _age(run)) for run in runs]
            continue
        for place in (place for name in artifact.own_names for place in places_of(name)):
            size = store.artifacts.size(place)
            if size is not None:
                described.append(Garbage("deleted_run", store.artifacts.locate(place), size, age))
    return described


def _warn_of_kept(store: RunStore, kept: tp.Collection[ArtifactInfo]) -> None:
    if kept:
        warn(
            f"{store.artifacts.root} holds {len(kept)} portfolios that no run of {store} refers to, from before its "
            f"first one. Metadata may have been lost, so they are kept: restore it from a copy, or remove them by hand"
        )


def _garbage(
    store: RunStore, min_age: float
) -> tp.Tuple[tp.List[tp.Tuple[Garbage, tp.Callable[[], bool]]], tp.Set[ArtifactInfo]]:
    """Return what is to be removed, each with the function that does it, and the orphans that are to be kept."""
    artifacts = store.artifacts
    garbage = []
    orphans = _orphans(store, artifacts.list(), _uses(store))
    older = set(_older_than_runs(store, orphans))
    for info in (info for info in orphans if info not in older):
        found = Garbage("orphan_artifact", artifacts.locate(info.name), info.size, info.age)
        garbage.append((found, partial(artifacts.delete, info.name)))
    for place, info in _leftovers(store):
        found = Garbage("temporary_file", place.locate(info.name), info.size, info.age)
        garbage.append((found, partial(_discard, place, info)))
    return [(found, remove) for found, remove in garbage if max(found.age, 0) >= min_age], older


def _older_than_runs(store: RunStore, infos: tp.Sequence[ArtifactInfo]) -> tp.List[ArtifactInfo]:
    """Return the artifacts from before the first run of a store. If there is none, that is all of them.

    Nobody who saves leaves such ones behind, but whoever loses the metadata, or shares the place with another
    registry, does."""
    if not infos:
        return []
    first = store.select(Query(deleted=None, sort_by="timestamp", ascending=True, limit=1))
    age = (now() - first[0].timestamp).total_seconds() + _CLOCKS if first else float("-inf")
    return [info for info in infos if info.age > age]


def _discard(place: ArtifactStore, info: ArtifactInfo) -> bool:
    place.discard(info)
    return True


def _orphans(store: RunStore, listed: tp.Iterable[ArtifactInfo], uses: tp.Iterable[_Use]) -> tp.List[ArtifactInfo]:
    """Return the artifacts that belong to no run, not even to one whose record cannot be read any more."""
    listed = list(listed)
    found = {info.name for info in listed}
    used = {name for use in uses for name in use.artifact.names}
    used |= _attachments(store).keys()
    used |= {in_trash(name) for name in used if name not in found}  # one that lies in its place is not needed twice
    unreadable = store.unreadable()
    return [
        info
        for info in listed
        if info.name not in used
        and _MADE_BY_SAVING.search(info.name)
        and owner_of(out_of_trash(info.name)).encode() not in unreadable
        and store.artifacts.size(info.name) is not None
    ]


def _leftovers(store: RunStore) -> tp.List[tp.Tuple[ArtifactStore, ArtifactInfo]]:
    return [(place, info) for place in store.temporary_places() for info in place.leftovers()]


def _as_seconds(name: str, age: tp.Any) -> float:
    """Return a duration in seconds.

    Raises:
        TypeError: If it is none.
        ValueError: If it is negative, or cannot be understood."""
    import numpy as np
    import pandas as pd

    if isinstance(age, bool) or not isinstance(age, (str, int, float, timedelta, np.timedelta64)):
        raise TypeError(f"{name} must be a duration such as '1 day', or seconds, not {type(age).__name__}")
    try:
        seconds = age if isinstance(age, (int, float)) else pd.Timedelta(age).total_seconds()
    except ValueError as e:
        raise ValueError(f"{name} must be a duration such as '1 day', not {age!r}: {e}") from None
    if not seconds >= 0:
        raise ValueError(f"{name} must not be negative, not {age!r}")
    return float(seconds)
