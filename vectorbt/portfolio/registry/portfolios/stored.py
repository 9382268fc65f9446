"""Load the portfolio that a record points to, after checking that it belongs to the run, may be trusted, and is
unaltered."""

import hashlib
from contextlib import contextmanager, suppress

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore, is_name
from vectorbt.portfolio.registry.capture.environment import differences, metric_settings
from vectorbt.portfolio.registry.capture.metrics import return_series
from vectorbt.portfolio.registry.deletion import places_of
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.errors import (
    ArtifactCorruptedError,
    ArtifactMissingError,
    ArtifactUnreadableError,
    UntrustedArtifactError,
)
from vectorbt.portfolio.registry.portfolios.alignment import are_same, in_common
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, BlobReader, PortfolioFormat
from vectorbt.portfolio.registry.portfolios.holding import holding_returns
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

_CHUNK = 1 << 24
"""Bytes that are hashed at once where a file is only verified."""

_SHOWN = 100
"""Characters of a name that a message shows: an altered record may hold anything."""


class StoredPortfolio:
    """The portfolio that a record refers to.

    It is loaded only if it belongs to the run or its sweep, then only if its format may be trusted, and then only if
    the main file is what was saved. Each check that fails raises its own error.

    Args:
        record (RunRecord): Record with an `artifact`.
        artifacts (ArtifactStore): Where the portfolios lie.
        allow_pickle (bool): Whether a portfolio may be unpickled, which executes whatever code the file contains.

    Raises:
        ValueError: If the record has no `artifact`."""

    def __init__(self, record: RunRecord, artifacts: ArtifactStore, allow_pickle: bool) -> None:
        artifact = Artifact.of(record)
        if artifact is None:
            raise ValueError(
                f"run {record.run_id} was saved without its portfolio and without its returns; "
                f"save_portfolio='returns' keeps the latter"
            )
        self.record = record
        self.artifact = artifact
        self._allow_pickle = allow_pickle
        self._files = _VerifiedFiles(artifact, artifacts)

    @property
    def is_whole(self) -> bool:
        """Whether a whole portfolio was saved, not only its returns. An unknown format may hold one."""
        return self._format is None or self._format.holds_portfolio

    @property
    def _format(self) -> tp.Optional[PortfolioFormat]:
        """Format of the portfolio. None if this version does not know it, or the record does not say it."""
        return None if self.artifact.format is None else FORMATS.get(self.artifact.format)

    # ############# Loading ############# #

    def load(self) -> "Portfolio":
        """Return the whole portfolio, with all columns.

        Raises:
            UntrustedArtifactError: If opening it would execute code and that is not allowed.
            ArtifactMissingError: If it was saved and is gone.
            ArtifactCorruptedError: If it is not the run's own, or not what was saved.
            ArtifactUnreadableError: If the installed versions cannot open it."""
        with self._opened() as form:
            return form.load(self.artifact.names, self._files)

    def load_column(self, column: int) -> "Portfolio":
        """Return one column of the portfolio, or one group where it is grouped.

        Raises the errors of `StoredPortfolio.load`."""
        with self._opened() as form:
            return form.load_column(self.artifact.names, self._files, column)

    def load_returns(self) -> tp.Frame:
        """Return the return series of all columns, or groups, in their order.

        Raises the errors of `StoredPortfolio.load`."""
        with self._opened() as form:
            return form.load_returns(self.artifact.names, self._files)

    def load_with_holding(self) -> tp.Tuple[tp.Frame, tp.Optional[tp.Array2d]]:
        """Return the return series of all columns, and those of holding their prices, see `holding_returns`. None in
        place of the latter where the prices were not saved.

        Raises the errors of `StoredPortfolio.load`."""
        if not self.is_whole:
            return self.load_returns(), None
        portfolio = self.load()
        return return_series(portfolio), holding_returns(portfolio)

    def read(self) -> tp.Dict[str, bytes]:
        """Return the contents of the files by their names, the main one first. Nothing is opened, so all formats do.

        Raises:
            ArtifactMissingError: If one of them is gone.
            ArtifactCorruptedError: If they are not the run's own, or the main one is not what was saved."""
        self.check_owner()
        with self._explained():
            return {name: self._files(name) for name in self.artifact.names}

    # ############# Checking ############# #

    def verify(self) -> None:
        """Check the files as far as that executes no code, however large they are.

        The SHA-256 of the main file is that of the record. Those of further files, such as prices, are within the main
        one, so these files are checked by opening the portfolio. What only a newer version can open passes.

        Raises:
            ArtifactMissingError: If one of them is gone.
            ArtifactCorruptedError: If they are not the run's own, or not what was saved."""
        self.check_owner()
        form = self._format
        with suppress(ArtifactUnreadableError), self._explained():
            self._files.verify_main()
            if len(self.artifact.names) > 1 and form is not None and not form.executes_code:
                form.load(self.artifact.names, self._files)

    def check_owner(self) -> None:
        """Check that the record refers to a portfolio of its own.

        Raises:
            ArtifactCorruptedError: If the portfolio is named after another run."""
        if not self.artifact.may_be_of(self.record):
            raise ArtifactCorruptedError(
                f"run {self.record.run_id} refers to {self.artifact.main[:_SHOWN]!r}, which is not named after it or "
                f"its sweep: the record was altered. Restore the metadata from a copy, or delete the run"
            )

    @contextmanager
    def _opened(self) -> tp.Iterator[PortfolioFormat]:
        """Yield the format, once it is known that the portfolio may be opened."""
        self.check_owner()
        form = self._trusted_format()
        with self._explained():
            yield form

    @contextmanager
    def _explained(self) -> tp.Iterator[None]:
        """Say of errors about files whose portfolio they are about, and what to do."""
        of_run = f"the portfolio of run {self.record.run_id}"
        try:
            yield
        except ArtifactMissingError as e:
            raise ArtifactMissingError(f"{of_run} is missing: {e}. Restore it from a copy, or delete the run") from e
        except ArtifactCorruptedError as e:
            raise ArtifactCorruptedError(
                f"{of_run} at {self._files.place} is not what was saved: {e}. Restore it from a copy"
            ) from e
        except ArtifactUnreadableError as e:
            written = ", ".join(
                f"{name} {escaped(text_of(self.record.environment[name], str))}"
                for name in ("python", "vectorbt", "pandas", "numpy")
                if name in self.record.environment
            )
            raise ArtifactUnreadableError(
                f"{of_run} at {self._files.place} is intact but cannot be opened by the installed versions: {e}. It "
                f"was written with {written or 'unknown versions'}; install those to open it"
            ) from e

    def _trusted_format(self) -> PortfolioFormat:
        form = self._format
        if form is None:
            raise ArtifactUnreadableError(
                f"the portfolio of run {self.record.run_id} has the format {self.artifact.format!r}, which this "
                f"version does not know; upgrade vectorbt-registry"
            )
        if form.executes_code and not self._allow_pickle:
            raise UntrustedArtifactError(
                f"the portfolio of run {self.record.run_id} is a pickle: opening it executes whatever code the file "
                f"contains, and the registry was opened with allow_pickle=False. If you trust everybody who can "
                f"write to the registry and to {self._files.root}, open it with allow_pickle=True"
            )
        return form


class _VerifiedFiles(BlobReader):
    """Reads the files of a stored portfolio. The main one, read as a whole, is verified to be what was saved.

    Args:
        artifact (Artifact): Description of the files.
        artifacts (ArtifactStore): Where they lie."""

    def __init__(self, artifact: Artifact, artifacts: ArtifactStore) -> None:
        self._artifact = artifact
        self._artifacts = artifacts

    @property
    def root(self) -> str:
        """Where all portfolios lie."""
        return self._artifacts.root

    @property
    def place(self) -> str:
        """Where the main file lies."""
        return self._artifacts.locate(self._artifact.main[:_SHOWN])

    def __call__(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        content = self._read(name, start, end)
        if name == self._artifact.main and (start, end) == (0, None):
            self._check_digest(len(content), hashlib.sha256(content).hexdigest())
        return content

    def size(self, name: str) -> int:
        self._check_name(name)
        for place in places_of(name):
            size = self._artifacts.size(place)
            if size is not None:
                return size
        raise self._missing(name)

    def verify_main(self) -> None:
        """Check the main file, of which no more than a part is in memory at a time."""
        name, size, digest = self._artifact.main, self.size(self._artifact.main), hashlib.sha256()
        if self._artifact.sha256 is None:
            return
        for start in range(0, size, _CHUNK):
            digest.update(self._read(name, start, min(start + _CHUNK, size)))
        self._check_digest(size, digest.hexdigest())

    def _read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        self._check_name(name)
        for place in places_of(name):
            with suppress(FileNotFoundError):
                return self._artifacts.read(place, start, end)
        raise self._missing(name)

    def _check_name(self, name: str) -> None:
        if not is_name(name):
            raise ArtifactCorruptedError(f"its record refers to {name[:_SHOWN]!r}, which cannot name a portfolio")

    def _missing(self, name: str) -> ArtifactMissingError:
        return ArtifactMissingError(f"no regular file {self._artifacts.locate(name)}")

    def _check_digest(self, size: int, found: str) -> None:
        expected = self._artifact.sha256
        if expected is not None and found != expected:  # an older layout kept no digest
            raise ArtifactCorruptedError(
                f"expected {self._artifact.size} bytes with SHA-256 {expected}, found {size} bytes with SHA-256 {found}"
            )


def sharing(records: tp.Iterable[RunRecord]) -> tp.List[tp.List[RunRecord]]:
    """Return records in lists of those that share a stored portfolio: the same files, of the same run or sweep."""
    groups: tp.Dict[tp.Any, tp.List[RunRecord]] = {}
    for record in records:
        groups.setdefault((Artifact.of(record), record.sweep_id or record.run_id), []).append(record)
    return list(groups.values())


def warn_of_other_settings(record: RunRecord, portfolio: "Portfolio") -> None:
    """Warn if the settings that metrics depend on, those that the portfolio does not bring itself, have changed."""
    other = differences(record.environment, metric_settings(portfolio))
    if other:
        listed = ", ".join(f"{escaped(name)} was {was!r} and is {now!r}" for name, (was, now) in other.items())
        warn(
            f"run {record.run_id} was recorded under other vbt.settings: {listed}; stats() of its portfolio may "
            f"differ from the record"
        )


# ############# Return series ############# #


def column_of(returns: tp.Frame, record: RunRecord) -> tp.Series:
    """Return a run's own of the return series that it shares with others."""
    return returns.iloc[:, position_of(returns.shape[1], record)].rename(record.run_id)


def position_of(n_columns: int, record: RunRecord) -> int:
    """Return which of so many return series that are stored together is a run's own."""
    if record.column is None and n_columns > 1:
        raise ValueError(f"run {record.run_id} is the aggregate of several columns, which has no return series")
    column = record.column or 0
    if not 0 <= column < n_columns:
        raise ArtifactCorruptedError(f"the returns of run {record.run_id} are not those of its sweep")
    return column


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
