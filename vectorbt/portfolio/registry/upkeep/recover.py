"""Sweeps whose records were damaged, measured anew from the portfolios that still hold them."""

import hashlib
import re
from datetime import timedelta

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact, owner_of
from vectorbt.portfolio.registry.artifacts.store import ArtifactInfo, stem_of
from vectorbt.portfolio.registry.attachment import ATTACHED
from vectorbt.portfolio.registry.capture.runs import sweep_of
from vectorbt.portfolio.registry.checks import is_run_id, now
from vectorbt.portfolio.registry.deletion import out_of_trash
from vectorbt.portfolio.registry.errors import RunNotFoundError
from vectorbt.portfolio.registry.portfolios.formats import FORMATS
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.record_json import timestamp_text
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.warning import warn

_SAVED_TOGETHER = re.compile(rb'"runs":(\d+),"shared":')
"""What the line of a sweep says at its beginning."""
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STRATEGY_NAME = re.compile(rb'"strategy_name":"([^"\\]+)"')


def lost_sweeps(
    store: RunStore, listed: tp.Iterable[ArtifactInfo], n_runs: tp.Mapping[str, int]
) -> tp.List[tp.Tuple[str, str]]:
    """Return the sweeps whose line cannot be read, each with the name of the portfolio that still holds its runs.

    Args:
        store (RunStore): Store.
        listed (iterable of ArtifactInfo): All artifacts.
        n_runs (mapping): How many runs are known of a portfolio, by what its files are named after."""
    portfolios = {stem_of(info.name): info.name for info in listed if _format_of(info.name) is not None}
    lost = {}
    for line in store.unreadable().split(b"\n"):
        saved = _SAVED_TOGETHER.search(line)
        for sweep_id in {found.decode() for found in _ID.findall(line)} & portfolios.keys() if saved else ():
            if n_runs.get(sweep_id, 0) < int(tp.cast(re.Match, saved)[1]):
                lost[sweep_id] = portfolios[sweep_id]
    return sorted(lost.items())


def recover(
    store: RunStore,
    sweep_id: str,
    strategy_name: tp.Optional[str] = None,
    parameters: tp.Optional[dict] = None,
    tags: tp.Union[None, str, tp.Sequence[str]] = None,
    notes: str = "",
) -> tp.List[str]:
    """Measure the runs of a sweep anew that are not there any more. See `RunRegistry.recover`."""
    if not is_run_id(sweep_id):
        raise ValueError(f"sweep_id must be a lower-case UUID, not {sweep_id!r}")
    listed = {info.name: info for info in store.artifacts.list()}
    main = next((name for name in listed if stem_of(name) == sweep_id and _format_of(name) is not None), None)
    if main is None:
        raise RunNotFoundError(f"there is no portfolio of a sweep {sweep_id} at {store.artifacts.root} to be measured")
    known = store.select(Query(sweep_id=sweep_id, deleted=None))
    if strategy_name is None:
        strategy_name = known[0].strategy_name if known else _damaged_name(store.unreadable(), sweep_id)
    artifact = _artifact(store, main, listed)
    record = RunRecord(run_id=sweep_id, artifact=artifact.to_dict())
    portfolio = store.stored(record).load()
    named = artifact._replace(names=tuple(FORMATS[tp.cast(str, artifact.format)].dump(portfolio, sweep_id)))
    block = sweep_of(portfolio, strategy_name, parameters, tags, notes, sweep_id).having(
        artifact=named.to_dict(), timestamp=timestamp_text(now() - timedelta(seconds=listed[main].age))
    )
    with store.exclusive():
        own = set(block.run_ids)  # a later part of the sweep has columns of its own
        held = store.select(Query(sweep_id=sweep_id, deleted=None))
        there = [one.column for one in held if one.run_id in own or _stem_of_artifact(one) == sweep_id]
        rows = np.setdiff1d(np.arange(len(block)), [column for column in there if column is not None])
        if not len(rows):
            warn(f"all {len(block)} runs of sweep {sweep_id} are in {store}; there is nothing to recover")
            return []
        lost = block.take(rows.astype(np.int64))
        for name in named.names:
            store.artifacts.keep(name)
        store.insert(lost)
    warn(
        f"{len(lost)} runs of sweep {sweep_id} were measured anew from {store.artifacts.locate(main)}, by the versions "
        f"and settings of now. Their time is that of the file, their strategy_name {strategy_name!r}. Constant "
        f"parameters, tags and notes are what was given to recover(); runs that were deleted one by one are back"
    )
    return lost.run_ids


def _stem_of_artifact(record: RunRecord) -> tp.Optional[str]:
    artifact = Artifact.of(record)
    return None if artifact is None else artifact.stem


def _format_of(name: str) -> tp.Optional[str]:
    """Return the format of a main file that holds a whole portfolio, or None if it is none."""
    ending = name.removeprefix(stem_of(name))
    return next((form.name for form in FORMATS.values() if form.holds_portfolio and form.ending == ending), None)


def _artifact(store: RunStore, main: str, listed: tp.Iterable[str]) -> Artifact:
    """Describe a stored portfolio as it is, with all files that it may refer to."""
    named_by_content = (name for name in listed if not is_run_id(owner_of(out_of_trash(name))))
    further = [name for name in named_by_content if name != main and not name.startswith(ATTACHED)]
    further += [name for name in listed if name != main and stem_of(name) == stem_of(main)]
    content = store.artifacts.read(main)
    return Artifact(_format_of(main), (main, *further), len(content), hashlib.sha256(content).hexdigest())


def _damaged_name(unreadable: bytes, sweep_id: str) -> str:
    """Return the name of the strategy that the damaged line of a sweep still says.

    Raises:
        ValueError: If it says none."""
    for line in unreadable.split(b"\n"):
        found = _STRATEGY_NAME.search(line) if sweep_id.encode() in line else None
        if found is not None:
            return found[1].decode(errors="replace")
    raise ValueError(f"nothing says which strategy sweep {sweep_id} is of; give strategy_name=")
