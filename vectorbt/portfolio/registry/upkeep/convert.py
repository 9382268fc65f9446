"""Saved portfolios from one format into another."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactError
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, check_format
from vectorbt.portfolio.registry.portfolios.stored import sharing
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.warning import reason_list, warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio


class Conversion(tp.NamedTuple):
    """What a conversion has done.

    Args:
        converted (list of str): run_ids whose portfolios were rewritten.
        skipped (list of str): run_ids whose portfolios have the format already, or that have none.
        failures (list of tuple): run_ids whose portfolios were left as they are, each with the reason."""

    converted: tp.List[str]
    skipped: tp.List[str]
    failures: tp.List[tp.Tuple[str, str]]

    def __repr__(self) -> str:
        counts = f"converted={len(self.converted)}, skipped={len(self.skipped)}, failures={len(self.failures)}"
        return f"Conversion({counts})"


def convert(store: RunStore, run_ids: tp.Optional[tp.Collection[str]] = None, to: str = "portable") -> Conversion:
    """Rewrite saved portfolios in another format, one after the other.

    The new files are read back and compared before the records refer to them, and the old ones go last. So an
    interruption loses nothing, and the next call goes on from there. The runs of a sweep share their portfolio, and
    are converted together, also if only some of them are asked for.

    Args:
        store (RunStore): Store of the runs.
        run_ids (collection of str): Whole ids of the runs. Defaults to all.
        to (str): Name of the format.

    Returns:
        What was converted. A portfolio that cannot be is left as it is; a warning says why.

    Raises:
        ValueError: If there is no such format, or it does not hold whole portfolios."""
    from tqdm.auto import tqdm

    if not FORMATS[check_format(to)].holds_portfolio:
        raise ValueError(f"the format {to!r} does not hold whole portfolios, which a conversion must not lose")
    report = Conversion([], [], [])
    groups = sharing(store.select(Query(ascending=True)))
    if run_ids is not None:
        groups = [runs for runs in groups if any(run.run_id in run_ids for run in runs)]
    for runs in tqdm(groups, desc="Converting portfolios", unit="portfolio", delay=1):
        ids = [run.run_id for run in runs]
        old = Artifact.of(runs[0])
        if old is None or old.format == to or not store.stored(runs[0]).is_whole:
            report.skipped.extend(ids)
            continue
        try:
            report.converted.extend(_convert(store, runs, old, to))
        except ArtifactError as e:
            report.failures.extend((run_id, str(e)) for run_id in ids)
    if report.failures:
        warn(f"{len(report.failures)} runs were not converted to the format {to!r}:{reason_list(report.failures)}")
    return report


def _convert(store: RunStore, runs: tp.Sequence[RunRecord], old: Artifact, to: str) -> tp.List[str]:
    """Rewrite the portfolio that runs share. Return those that were still there."""
    portfolio = store.stored(runs[0]).load()
    stem = old.stem if old.is_of(runs[0]) else runs[0].sweep_id or runs[0].run_id
    blobs = FORMATS[to].dump(portfolio, stem)
    new = Artifact.of_blobs(to, blobs)
    store.write_missing(blobs)
    _verify(store, runs[0], new, portfolio, stem)

    def refer(record: RunRecord) -> RunRecord:
        record.artifact = new.to_dict()
        return record

    with store.exclusive():
        store.write_missing(blobs)
        present = [run.run_id for run in runs if store.update(run.run_id, refer) is not None]
        if present:
            store.put_away(old)  # unless a run of the sweep has come in meanwhile
    return present


def _verify(store: RunStore, run: RunRecord, artifact: Artifact, portfolio: "Portfolio", stem: str) -> None:
    """Check that what was written is the portfolio. Equal portfolios are equal bytes in the portable format."""
    written = run.copy()
    written.artifact = artifact.to_dict()
    read_back = store.stored(written).load()
    portable = FORMATS["portable"]
    if portable.dump(read_back, stem) != portable.dump(portfolio, stem):
        raise ArtifactCorruptedError(
            f"the portfolio of run {run.run_id} does not come back from {store.artifacts.locate(artifact.main)} "
            f"as it was; the old file stays"
        )
