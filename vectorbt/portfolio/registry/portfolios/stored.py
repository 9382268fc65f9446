"""Opening what a record refers to: its own, trusted, and as it was written."""

import hashlib
import warnings

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.capture.provenance import differences, metric_settings
from vectorbt.portfolio.registry.errors import (
    ArtifactCorruptedError,
    ArtifactMissingError,
    ArtifactUnreadableError,
    UntrustedArtifactError,
)
from vectorbt.portfolio.registry.portfolios.alignment import are_same, in_common
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, PortfolioFormat, Read
from vectorbt.portfolio.registry.run import RunRecord

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.store import RunStore


def sharing(records: tp.Iterable[RunRecord]) -> tp.List[tp.List[RunRecord]]:
    """Return records in lists of those that share a stored portfolio: the same files, of the same run or sweep.

    Only the first one of a list need be checked to refer to its own."""
    groups: tp.Dict[tp.Any, tp.List[RunRecord]] = {}
    for record in records:
        groups.setdefault((Artifact.of(record), record.sweep_id or record.run_id), []).append(record)
    return list(groups.values())


def has_portfolio(record: RunRecord) -> bool:
    """Return whether a whole portfolio was saved with a run."""
    artifact = Artifact.of(record)
    if artifact is None:
        return False
    form = FORMATS.get(artifact.format)
    return form is None or form.holds_portfolio


def check_owner(record: RunRecord, artifact: Artifact) -> None:
    """Check that a record refers to its own portfolio."""
    if not artifact.may_be_of(record):
        raise ArtifactCorruptedError(
            f"run {record.run_id} refers to {artifact.main[:100]!r}, which is not named after it or its "
            f"sweep: the record was altered. Restore the metadata from a copy, or delete the run"
        )


def open_artifact(store: "RunStore", record: RunRecord, load: tp.Callable) -> tp.Any:
    """Return what `load` makes of a record's format, the names of its blobs and a function that reads them."""
    artifact = Artifact.of(record)
    form = _trusted_format(store, record, artifact.format)
    check_owner(record, artifact)
    try:
        return load(form, artifact.names, _BlobsOf(store, record))
    except ArtifactUnreadableError as e:
        written = ", ".join(
            f"{name} {record.environment[name]}"
            for name in ("python", "vectorbt", "pandas", "numpy")
            if name in record.environment
        )
        raise ArtifactUnreadableError(
            f"the portfolio of run {record.run_id} at {record.portfolio_path} is intact but cannot be opened by "
            f"the installed versions: {e}. It was written with {written or 'unknown versions'}; "
            f"install those to open it"
        ) from e


def _trusted_format(store: "RunStore", record: RunRecord, name: tp.Optional[str]) -> PortfolioFormat:
    if name not in FORMATS:
        raise ArtifactUnreadableError(
            f"the portfolio of run {record.run_id} has the format {name!r}, which this version does not know; "
            f"upgrade vectorbt-registry"
        )
    if FORMATS[name].executes_code and not store.allow_pickle:
        raise UntrustedArtifactError(
            f"the portfolio of run {record.run_id} is a pickle: opening it executes whatever code the file "
            f"contains, and the registry was opened with allow_pickle=False. If you trust everybody who can "
            f"write to {store}, open it with allow_pickle=True"
        )
    return FORMATS[name]


class _BlobsOf(Read):
    """Reads the blobs that a record refers to. The main one, read as a whole, is verified to be what was written."""

    def __init__(self, store: "RunStore", record: RunRecord) -> None:
        self._artifacts = store.artifacts
        self._record = record
        self._artifact = Artifact.of(record)

    def __call__(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        content = self._read(name, start, end)
        if name == self._artifact.main and (start, end) == (0, None):
            self._check_content(name, content)
        return content

    def size(self, name: str) -> int:
        size = self._artifacts.size(name)
        return len(self(name)) if size is None else size  # reading tells that it is missing

    def _read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        try:
            return self._artifacts.read(name, start, end)
        except FileNotFoundError:
            raise ArtifactMissingError(
                f"the portfolio of run {self._record.run_id} is missing: no regular file "
                f"{self._artifacts.locate(name)}. Restore it from a copy, or delete the run"
            ) from None
        except ValueError as e:
            raise ArtifactCorruptedError(f"run {self._record.run_id} refers to no portfolio of its own: {e}") from e

    def _check_content(self, name: str, content: bytes) -> None:
        expected = self._artifact.sha256
        if expected is None:  # saved by an older layout, which kept no digest
            return
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise ArtifactCorruptedError(
                f"the portfolio of run {self._record.run_id} at {self._artifacts.locate(name)} is not what was saved: "
                f"expected {self._artifact.size} bytes with SHA-256 {expected}, found "
                f"{len(content)} bytes with SHA-256 {found}. Restore it from a copy"
            )


def warn_of_other_settings(record: RunRecord, portfolio: tp.Any) -> None:
    """Warn if the settings that metrics depend on, those that the portfolio does not bring itself, have changed."""
    other = differences(record.environment, metric_settings(portfolio))
    if other:
        listed = ", ".join(f"{name} was {was!r} and is {now!r}" for name, (was, now) in other.items())
        warnings.warn(
            f"run {record.run_id} was recorded under other vbt.settings: {listed}; stats() of its portfolio may "
            f"differ from the record",
            stacklevel=5,
        )


# ############# Return series ############# #


def column_of(returns: tp.Frame, record: RunRecord) -> tp.Series:
    """Return a run's own of the return series that it shares with others."""
    if record.column is None and returns.shape[1] > 1:
        raise ValueError(f"run {record.run_id} is the aggregate of several columns, which has no return series")
    column = record.column or 0
    if not 0 <= column < returns.shape[1]:
        raise ArtifactCorruptedError(f"the returns of run {record.run_id} are not those of its sweep")
    return returns.iloc[:, column].rename(record.run_id)


def align(series: tp.Sequence[tp.Series]) -> tp.Frame:
    """Return series as the columns of one frame. Naive times are in UTC where others have a zone.

    Raises:
        ValueError: If they cannot be aligned. Names two runs that do not fit."""
    if not series:
        return pd.DataFrame()
    if _have_same_labels(series):
        return pd.concat(series, axis=1)
    indexes = in_common([one.index for one in series])
    if indexes is None:
        raise _not_aligned(series[0], next(one for one in series if in_common([series[0].index, one.index]) is None))
    series = [one.set_axis(index) for one, index in zip(series, indexes)]
    if _have_same_labels(series):
        return pd.concat(series, axis=1)
    for one in series:
        if one.index.has_duplicates:
            raise _not_aligned(series[0], one)
    return pd.concat(series, axis=1, sort=True)


def _have_same_labels(series: tp.Sequence[tp.Series]) -> bool:
    return all(are_same(one.index, series[0].index) for one in series)


def _not_aligned(first: tp.Series, other: tp.Series) -> ValueError:
    return ValueError(
        f"the returns of runs {first.name} and {other.name} cannot be aligned: one has other labels, or the same label "
        f"twice; load them one by one"
    )
