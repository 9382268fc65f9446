"""Check a registry, and remove files that nobody needs."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.artifacts.store import ArtifactInfo, ArtifactStore, is_name, stem_of
from vectorbt.portfolio.registry.checks import now
from vectorbt.portfolio.registry.errors import ArtifactError
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
    """A stored portfolio, the runs that refer to it, and whether it is theirs."""

    artifact: Artifact
    is_own: bool
    run_ids: tp.List[str] = field(default_factory=list)

    @property
    def owners(self) -> str:
        others = len(self.run_ids) - 1
        return f"run {self.run_ids[0]}" + (f" and {others} more" if others else "")


# ############# Checking ############# #


def check(store: RunStore, deep: bool = False) -> tp.List[Problem]:
    """Return what is wrong with a store. See `RunRegistry.check`."""
    from tqdm.auto import tqdm

    listed = {info.name: info for info in store.artifacts.list()}  # before the records, which are written after them
    problems = list(store.problems())
    uses = _uses(store)
    for use in tqdm(uses, desc="Checking portfolios", disable=not deep, delay=1):
        found = _problems_of(store, use, listed, deep)
        if found and _user(store, use) is not None:
            problems += found
    problems += [_lost_sweep_problem(store, *lost) for lost in lost_sweeps(store, listed.values(), _run_counts(uses))]
    problems += [_orphan_problem(store, info) for info in _orphans(store, listed.values(), uses)]
    problems += [_leftover_problem(place, info) for place, info in _leftovers(store)]
    return problems


def _uses(store: RunStore) -> tp.List[_Use]:
    """Return all portfolios that runs refer to."""
    uses: tp.Dict[tp.Tuple[Artifact, bool], _Use] = {}
    with collection_paused():
        for record in store.select(Query(deleted=None, sort_by="run_id", ascending=True)):
            artifact = Artifact.of(record)
            if artifact is not None:
                key = artifact, artifact.may_be_of(record)
                uses.setdefault(key, _Use(*key)).run_ids.append(record.run_id)
    return list(uses.values())


def _problems_of(store: RunStore, use: _Use, listed: tp.Mapping[str, ArtifactInfo], deep: bool) -> tp.List[Problem]:
    """Return what is wrong with a portfolio."""
    names, main = use.artifact.names, use.artifact.main
    found = {name: listed[name].size if name in listed else _size(store, name) for name in names}
    sizes = {name: size for name, size in found.items() if size is not None}
    if len(sizes) < len(found):
        return [_missing(store, use, name) for name in found if name not in sizes]
    altered = _alteration(store, use, sizes[main], deep)
    if altered is None:
        return []
    place = store.artifacts.locate(main)
    message = f"the portfolio of {use.owners} is not what was saved: {altered}"
    return [Problem("altered_artifact", place, use.run_ids[0], message, "Restore it from a copy, or delete the run")]


def _size(store: RunStore, name: str) -> tp.Optional[int]:
    return store.artifacts.size(name) if is_name(name) else None


def _missing(store: RunStore, use: _Use, name: str) -> Problem:
    place = store.artifacts.locate(name) if is_name(name) else repr(name[:100])
    message = f"the portfolio of {use.owners} is missing"
    return Problem("missing_artifact", place, use.run_ids[0], message, "Restore it from a copy, or delete the run")


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
    records = filter(None, map(store.get, use.run_ids))
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


def gc(store: RunStore, min_age: tp.Union[str, float, timedelta] = "1 day", dry_run: bool = False) -> tp.List[Garbage]:
    """Remove what nobody needs. See `RunRegistry.gc`."""
    seconds = _as_seconds(min_age)
    garbage, kept = _garbage(store, seconds)
    if dry_run or not garbage:  # a registry on read-only media has no lock to take
        _warn_of_kept(store, kept)
        return [found for found, _ in garbage]
    with store.exclusive():
        # Records are appended under the same lock, so that what is an orphan now is one until it is removed.
        garbage, kept = _garbage(store, seconds)
        removed = [found for found, remove in garbage if remove()]
    _warn_of_kept(store, kept)
    return removed


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
    used = {name for use in uses for name in use.artifact.names}
    unreadable = store.unreadable()
    return [
        info
        for info in listed
        if info.name not in used
        and _MADE_BY_SAVING.search(info.name)
        and stem_of(info.name).encode() not in unreadable
        and store.artifacts.size(info.name) is not None
    ]


def _leftovers(store: RunStore) -> tp.List[tp.Tuple[ArtifactStore, ArtifactInfo]]:
    return [(place, info) for place in store.temporary_places() for info in place.leftovers()]


def _as_seconds(min_age: tp.Any) -> float:
    """Return a duration in seconds.

    Raises:
        TypeError: If it is none.
        ValueError: If it is negative, or cannot be understood."""
    import numpy as np
    import pandas as pd

    if isinstance(min_age, bool) or not isinstance(min_age, (str, int, float, timedelta, np.timedelta64)):
        raise TypeError(f"min_age must be a duration such as '1 day', or seconds, not {type(min_age).__name__}")
    try:
        seconds = min_age if isinstance(min_age, (int, float)) else pd.Timedelta(min_age).total_seconds()
    except ValueError as e:
        raise ValueError(f"min_age must be a duration such as '1 day', not {min_age!r}: {e}") from None
    if not seconds >= 0:
        raise ValueError(f"min_age must not be negative, not {min_age!r}")
    return float(seconds)
