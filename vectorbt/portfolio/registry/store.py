"""What a store of runs must do, and all that follows from it.

Someone who writes a store implements the abstract methods of `RunStore`, which keep records and nothing else. The
portfolios, the order of writes, the checks and the default filters are here, once for all stores."""

import abc
import re
from contextlib import nullcontext, suppress
from operator import index

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore, is_name
from vectorbt.portfolio.registry.attachment import Attachment, NewAttachments
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.change import Change
from vectorbt.portfolio.registry.checks import (
    check_portfolio,
    id_of_run,
    ids_of_runs,
    is_run_id,
)
from vectorbt.portfolio.registry.deletion import Deletion, in_trash, places_of
from vectorbt.portfolio.registry.encoding import encode_mapping
from vectorbt.portfolio.registry.errors import AmbiguousRunIdError, QueryError, RunExistsError, RunNotFoundError
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, check_format
from vectorbt.portfolio.registry.portfolios.stored import (
    StoredPortfolio,
    align,
    column_of,
    sharing,
    warn_of_other_settings,
)
from vectorbt.portfolio.registry.query.columns import Found
from vectorbt.portfolio.registry.query.comparing import Kind, classify
from vectorbt.portfolio.registry.query.explaining import NAMES, problems_of
from vectorbt.portfolio.registry.query.query import Query, value_of
from vectorbt.portfolio.registry.query.where import HasValue, Name, Where
from vectorbt.portfolio.registry.reports import Compaction, Problem
from vectorbt.portfolio.registry.run import RunRecord, to_dicts
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

_LARGE = 50_000_000
"""Bytes of a pickle beyond which the portable format is mentioned."""
_PREFIX = re.compile(r"[0-9a-f-]{4,36}")
"""What may stand for a run_id: at least four of its characters."""


class RunStore(abc.ABC):
    """Keeps runs: records in a backend, portfolios in an `ArtifactStore`.

    A backend implements the methods under "Backend". They may be called from several threads and processes at once,
    and hold to this:

    * What a method has written is durable when it returns. A call that raises has changed nothing.
    * Records that go out belong to the caller: changing one changes nothing in the store.
    * `RunStore.insert`, `RunStore.replace` and `RunStore.remove` do all that they are asked for, or nothing. Whoever is
      within `RunStore.exclusive` sees what the one before has done.
    * A deleted run stays a trial. `RunStore.select` finds it when `Query.deleted` asks for it.

    Args:
        artifacts (ArtifactStore): Where the portfolios lie.
        portfolio_format (str): Format in which portfolios are saved, unless a call says otherwise. Defaults to the one
            that the registry was made with, else `pickle`. A new registry remembers the one that is given.
        allow_pickle (bool): Whether portfolios may be unpickled, which executes whatever code the file contains."""

    def __init__(
        self, artifacts: ArtifactStore, portfolio_format: tp.Optional[str] = None, allow_pickle: bool = True
    ) -> None:
        self.artifacts = artifacts
        self.given_format = None if portfolio_format is None else check_format(portfolio_format)
        if not isinstance(allow_pickle, bool):  # a text such as "False" would be true
            raise TypeError(f"allow_pickle must be True or False, not {allow_pickle!r}")
        self.allow_pickle = allow_pickle

    _has_mentioned_portable = False

    @property
    def portfolio_format(self) -> str:
        """Format in which portfolios are saved: the one that was given, else that of the registry, else `pickle`."""
        return self.given_format or check_format(self.kept_format() or "pickle")

    # ############# Backend ############# #

    @abc.abstractmethod
    def insert(self, block: RunBlock, new_ids: bool = False, deleted: bool = False) -> None:
        """Add runs: all of them or none.

        Args:
            block (RunBlock): Runs as columns, those of one sweep together. `RunBlock.rows` returns their records as
                dicts of strict JSON, for a backend that keeps rows: as `RunRecord.to_dict` returns them, apart from
                empty values, which may be missing.
            new_ids (bool): Whether the ids were made for this call, so that they need not be looked up.
            deleted (bool): Whether they are runs that were deleted in another registry: they come in as trials, which
                only a query for deleted runs finds.

        Raises:
            RunExistsError: If one of the ids is in the store, be it of a deleted run."""

    @abc.abstractmethod
    def replace(self, block: RunBlock, deleted: bool = False) -> None:
        """Put runs in the place of those that have their ids: all of them or none.

        It is called within `RunStore.exclusive`, and all ids are in the store, be it as those of deleted runs.

        Args:
            block (RunBlock): Runs as columns, with all keys of their records.
            deleted (bool): Whether they are deleted from now on. Otherwise they are there, and no longer deleted."""

    @abc.abstractmethod
    def remove(self, run_ids: tp.Collection[str], deletion: Deletion) -> tp.List[RunRecord]:
        """Delete runs in one transaction. Return the records of those that were there, as they were.

        Each stays as a trial: as what `Deletion.tombstone` makes of it."""

    @abc.abstractmethod
    def get(self, run_id: str) -> tp.Optional[RunRecord]:
        """Return a run by its whole id, or None. Deleted runs are not found."""

    @abc.abstractmethod
    def select(self, query: Query) -> tp.List[RunRecord]:
        """Return the runs that a query asks for: what `Query.apply` makes of all of them."""

    def select_rows(self, query: Query) -> Found:
        """Return the runs that a query asks for as rows of blocks, of which a table is made without any record."""
        return Found.of(self.select(query))

    def has_run(self, run_id: str) -> bool:
        """Return whether there is a run with this whole id, be it one that cannot be read. Deleted runs are not."""
        return self.get(run_id) is not None

    @abc.abstractmethod
    def exclusive(self) -> tp.ContextManager:
        """Return a context in which no other process changes the store. It can be entered again inside itself."""

    def close(self) -> None:  # noqa: B027
        """Let go of files and connections. A closed store opens them again when it is used."""

    def exists(self) -> bool:
        """Return whether anything was ever saved here."""
        return True

    def kept_format(self) -> tp.Optional[str]:
        """Return the format of portfolios that the registry was made with, if it remembers one."""
        return None

    def check_writable(self) -> None:  # noqa: B027
        """Check that runs can be saved, as far as that can be told quickly: it is asked before a portfolio is written.

        Raises:
            SchemaVersionError: If a newer version has written the store.
            StoreError: If the store is read-only."""

    # ############# Upkeep of a backend ############# #

    # What follows has defaults for a backend that replaces records in place and leaves nothing behind.

    def problems(self) -> tp.List[Problem]:
        """Return what is wrong with the metadata. Changes nothing, and works on read-only media."""
        return []

    def chain_problems(self, head: tp.Optional[str] = None) -> tp.List[Problem]:
        """Return where records were removed, changed or reordered behind the back of the store.

        Args:
            head (str): Head that somebody has kept elsewhere, see `RunStore.chain_head`."""
        return []

    def chain_head(self) -> tp.Optional[str]:
        """Return a text that stands for all that was ever written. None if the store keeps no such thing."""
        return None

    def unreadable(self) -> bytes:
        """Return what is there of records that cannot be read. The artifacts that it names are not orphans."""
        return b""

    def temporary_places(self) -> tp.List[ArtifactStore]:
        """Return where writers that died may have left temporary files behind."""
        return [self.artifacts]

    def compact(self, dry_run: bool = False) -> Compaction:
        """Rewrite the metadata without what has been superseded. Return what that saves.

        All zeros mean that there was nothing to rewrite, which is so of every backend that replaces records in place.

        Args:
            dry_run (bool): Whether to change nothing, and only say what it would save."""
        return Compaction()

    # ############# Saving ############# #

    def save_run(
        self,
        run: RunRecord,
        portfolio: tp.Optional["Portfolio"] = None,
        portfolio_format: tp.Optional[str] = None,
        new_ids: bool = False,
        attachments: tp.Optional[NewAttachments] = None,
    ) -> str:
        """Keep one run, with its portfolio if there is one, and return its run_id. See `RunStore.save_runs`."""
        return self.save_runs([run], portfolio, portfolio_format, new_ids, attachments)[0]

    def save_runs(
        self,
        runs: tp.Sequence[RunRecord],
        portfolio: tp.Optional["Portfolio"] = None,
        portfolio_format: tp.Optional[str] = None,
        new_ids: bool = False,
        attachments: tp.Optional[NewAttachments] = None,
        stem: tp.Optional[str] = None,
    ) -> tp.List[str]:
        """Keep runs that share one portfolio: all of them or none.

        The portfolio is written first and the records last, so that no reader ever sees a run without its portfolio.

        Args:
            runs (list of RunRecord): Records, all of one sweep or only one. `artifact`, `portfolio_path` and
                `attachments` of what is kept are set by the store.
            portfolio (Portfolio): Portfolio of the run, or of all runs of a sweep.
            portfolio_format (str): Format. Defaults to that of the store.
            new_ids (bool): Whether the ids were made for this call, so that they need not be looked up.
            attachments (NewAttachments): Files that belong to each of the runs.
            stem (str): What the files of the portfolio are named after. Defaults to the id of the sweep, or of the run.

        Returns:
            list of str: run_ids, in the order of the records.

        Raises:
            TypeError: If a record holds a value that cannot be encoded. Nothing is written.
            ValueError: If a record means nothing, such as one without a strategy_name. Nothing is written.
            RunExistsError: If one of the ids is in the store. The stored run is untouched."""
        if not runs:
            return []
        for run in runs:
            if not isinstance(run, RunRecord):
                raise TypeError(f"a store keeps RunRecords, not {type(run).__name__}")
            run.check()  # what was set since it was made
        with collection_paused():
            blank: tp.Dict[str, tp.Any] = dict.fromkeys(("artifact", "portfolio_path", "deleted_at", "restorable"))
            block = RunBlock.of(to_dicts(runs)).having(**blank, attachments={})
            return self.save_block(block, portfolio, portfolio_format, new_ids, attachments, stem)

    def save_block(
        self,
        block: RunBlock,
        portfolio: tp.Optional["Portfolio"] = None,
        portfolio_format: tp.Optional[str] = None,
        new_ids: bool = False,
        attachments: tp.Optional[NewAttachments] = None,
        stem: tp.Optional[str] = None,
    ) -> tp.List[str]:
        """Keep the runs of a block, which refer to no portfolio yet. See `RunStore.save_runs`."""
        attachments = attachments or NewAttachments()
        if attachments.described:
            block = block.having(attachments=encode_mapping(attachments.described, "attachments"))
        if portfolio is None and not attachments.blobs:
            self.insert(block, new_ids)
            return block.run_ids
        form = FORMATS[check_format(portfolio_format or self.portfolio_format)]
        blobs = {}
        if portfolio is not None:
            first = block.row(0)
            blobs = form.dump(check_portfolio(portfolio), stem or first.get("sweep_id") or first["run_id"])
            self._mention_portable(form.name, blobs, len(block))
        self.insert_with_blobs(block, form.name, blobs, new_ids, attachments.blobs)
        return block.run_ids

    def _mention_portable(self, format_name: str, blobs: tp.Mapping[str, bytes], n_runs: int) -> None:
        """Say once that the portfolio of a sweep is large, and what makes it smaller."""
        size = sum(map(len, blobs.values()))
        if format_name == "pickle" and n_runs > 1 and size > _LARGE and not self._has_mentioned_portable:
            self._has_mentioned_portable = True
            warn(
                f"the pickle of this sweep takes {size / 1e6:,.0f} MB; portfolio_format='portable' takes a fraction, "
                f"and reads a single run without the others"
            )

    def insert_with_blobs(
        self,
        block: RunBlock,
        format_name: str,
        blobs: tp.Dict[str, bytes],
        new_ids: bool = False,
        attachments: tp.Mapping[str, bytes] = {},  # noqa: B006
    ) -> None:
        """Write the blobs of a portfolio, and of attachments, then the runs that refer to them. Whatever fails, nothing
        stays behind.

        Ids that were not made for this call are looked up first, and nobody else may save meanwhile: the blobs are
        named after them. Other blobs are written without holding up anybody. Should `RunRegistry.gc` take one for an
        orphan before the runs are there, it is written again. A blob that is named after what is in it may be that of
        other runs as well, so it is left to `RunRegistry.gc`."""
        self.check_writable()
        own_names: tp.Sequence[str] = ()
        if blobs:
            artifact = Artifact.of_blobs(format_name, blobs)
            block = block.having(artifact=artifact.to_dict())
            own_names = artifact.own_names
        blobs = {**blobs, **attachments}
        with nullcontext() if new_ids else self.exclusive():
            if not new_ids:
                self._check_absent(block)
            try:
                for name, content in blobs.items():
                    if name not in own_names and self._holds(name, content):
                        self.artifacts.keep(name)
                        continue  # named after what is in it, and there already
                    with suppress(FileNotFoundError):  # its temporary file was taken for a leftover
                        self.artifacts.write(name, content)
                with self.exclusive():
                    self.write_missing(blobs)
                    self.insert(block, new_ids)
            except BaseException:
                self.take_back(own_names, block.run_id(0))
                raise

    def _holds(self, name: str, content: bytes) -> bool:
        """Return whether a blob is there, undamaged."""
        return self.artifacts.size(name) == len(content) and self.artifacts.get(name) == content

    def take_back(self, names: tp.Sequence[str], run_id: str) -> None:
        """Remove the blobs of runs whose insertion failed, as far as the system lets it.

        A failure does not always undo what was done: the answer to a commit can be lost, or the medium break for good.
        Where the run is there, or nobody knows, the blobs stay, and an orphan is left to `RunRegistry.gc`."""
        with suppress(Exception):
            if self.get(run_id) is not None:
                return
            for name in names:
                with suppress(OSError):
                    self.artifacts.delete(name)

    def _check_absent(self, block: RunBlock) -> None:
        for run_id in block.run_ids:
            if self.has_run(run_id) or self.select(Query(prefix=run_id, deleted=None)):
                raise RunExistsError(f"run {run_id} is in {self} already; a run is saved once")

    def write_missing(self, blobs: tp.Dict[str, bytes]) -> None:
        """Write the blobs that are not there, or that somebody has removed meanwhile, and keep those that are.

        No record may refer to what is not there, nor to what a power cut could take."""
        for name, content in blobs.items():
            if self.artifacts.size(name) == len(content):
                self.artifacts.keep(name)
            else:
                self.artifacts.write(name, content)

    # ############# Reading ############# #

    # Everything that takes a run takes what `get_run` takes, and everything that takes several what `find_runs` takes.

    def get_run(self, run_id: tp.Union[str, RunRecord]) -> tp.Optional[RunRecord]:
        """Return a run by its id, a unique prefix of at least four characters, or a record of it, or None.

        Raises:
            TypeError: If `run_id` is neither a string nor a record.
            AmbiguousRunIdError: If the prefix fits several runs."""
        run_id = id_of_run(run_id)
        if is_run_id(run_id):
            record = self.get(run_id)
            return None if record is None else self._handed_out(record)
        found = self._fitting(run_id)
        return self._handed_out(found[0]) if found else None

    def _fitting(self, prefix: str, deleted: bool = False) -> tp.List[RunRecord]:
        """Return the one run whose id begins with a prefix, or none.

        Raises:
            AmbiguousRunIdError: If it fits several runs."""
        if not _PREFIX.fullmatch(prefix):
            return []
        found = self.select(Query(prefix=prefix, sort_by="run_id", ascending=True, deleted=deleted))
        if len(found) > 1:
            listed = ", ".join(record.run_id for record in found[:10])
            more = f" and {len(found) - 10} more" if len(found) > 10 else ""
            raise AmbiguousRunIdError(f"{prefix!r} fits {len(found)} runs: {listed}{more}; give more characters")
        return found

    def find_runs(self, run_ids: tp.Any) -> tp.List[tp.Tuple[str, tp.Optional[RunRecord]]]:
        """Return several runs, each with what it was called: None for those that are not there.

        Args:
            run_ids (list): Ids, unique prefixes or records, or one of these.

        Raises the errors of `RunStore.get_run`."""
        return [(run_id, self.get_run(run_id)) for run_id in ids_of_runs(run_ids)]

    def get_runs(self, run_ids: tp.Any) -> tp.List[RunRecord]:
        """Return several runs, all of which must be there.

        Raises:
            RunNotFoundError: If one of them is not. Lists all of them.

        Raises the errors of `RunStore.get_run` as well."""
        found = self.find_runs(run_ids)
        unknown = [run_id for run_id, record in found if record is None]
        if unknown:
            raise self.not_found(unknown)
        return [record for _, record in found if record is not None]

    def not_found(self, run_ids: tp.Sequence[str]) -> RunNotFoundError:
        """Return the error about runs that are not there. It says of an id what else it is the id of."""
        sweeps = [run_id for run_id in run_ids if self._is_sweep(run_id)]
        hint = f". {sweeps[0]} is a sweep: list_runs(sweep_id=...) lists its runs" if sweeps else ""
        return RunNotFoundError(f"no run {', '.join(map(repr, run_ids))} in {self}{hint}")

    def _is_sweep(self, sweep_id: str) -> bool:
        return is_run_id(sweep_id) and bool(self.select(Query(sweep_id=sweep_id, limit=1)))

    def _whole_id(self, run_id: tp.Union[str, RunRecord]) -> str:
        """Return the whole id of a run that is there, be it one that cannot be read. Any other one as it is."""
        run_id = id_of_run(run_id)
        record = None if is_run_id(run_id) else self.get_run(run_id)
        return run_id if record is None else record.run_id

    def list_runs(
        self,
        strategy_name: tp.Union[None, str, Query] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        **filters: tp.Any,
    ) -> tp.List[RunRecord]:
        """Return the runs that meet all conditions, newest first.

        Args:
            strategy_name (str or Query): Name of the strategy, or a query in the place of all conditions.
            tags (list of str): The run has at least one of them.
            **filters: Further conditions, see `vectorbt.portfolio.registry.registry.RunRegistry.list_runs`.

        Raises:
            TypeError: If a condition has the wrong type, or stands beside a query.
            ValueError: If a condition means nothing.
            QueryError: If a metric is named that there is not, or with `strict` anything else that no run has. Without
                it, a warning says so."""
        if isinstance(strategy_name, Query):
            query = strategy_name
            if tags is not None or filters:
                raise TypeError("a Query holds all conditions; give tags and the others to Query.of")
        else:
            query = Query.of(strategy_name, tags, **filters)
        query = self.checked(query)
        found = self.select(query)
        self._explain(query, found)
        return [self._handed_out(record) for record in found]

    def list_rows(self, query: Query) -> Found:
        """Return the runs that `RunStore.list_runs` finds as rows of blocks."""
        query = self.checked(query)
        found = self.select_rows(query)
        self._explain(query, found.first())
        return found

    def _explain(self, query: Query, found: tp.Sequence[RunRecord]) -> None:
        """Say what may be wrong with a question, given the first run of its answer."""
        problems = problems_of(query, found, self)
        if problems and query.strict:
            raise QueryError(". ".join(problems))
        if problems:
            warn(". ".join(problems))

    def checked(self, query: Query) -> Query:
        """Return a query as it is meant of the runs that are here.

        Raises:
            QueryError: If it names a metric that there is not, or compares times with what is none."""
        query.check_names(self.metric_names)
        query.check_times(self.select)
        return query.with_choices(self.kinds)

    def count(self) -> int:
        """Return the number of runs, without the deleted ones."""
        return len(self.select(Query()))

    def metric_names(self) -> tp.Set[str]:
        """Return the names of all metrics that occur in the store, beside the headline ones."""
        return {name for record in self.select(Query(deleted=None)) for name in record.stats}

    def names(self, what: str) -> tp.Set[str]:
        """Return the names that runs have, the deleted ones included: what a misspelt one may have been meant to be.

        Asked only where a question finds nothing. A backend that can do it quickly has its own way, and may leave out
        names of more than a hundred characters.

        Args:
            what (str): Where they stand: `"strategy_name"`, `"tags"`, `"sweep_id"`, `"symbols"`, `"git_commit"`, or
                `"parameters"` for the names of those that have a value."""
        names_in = NAMES[what]
        return {name for record in self.select(Query(deleted=None)) for name in names_in(record) if name is not None}

    def kinds(self, name: str) -> tp.Set[Kind]:
        """Return the kinds of values that runs hold under a name, the deleted ones included. Missing ones have none.

        Asked only for a tuple in `Query.parameters`, and where a question finds nothing.

        Args:
            name (str): Name of a column of `RunRegistry.to_frame`."""
        holders = self.select(Query(where=Where("", HasValue(Name(name)), ()), deleted=None))
        return {classify(value_of(record, name))[0] for record in holders}

    def _handed_out(self, record: RunRecord) -> RunRecord:
        record.locate(self.artifacts.root)
        return record

    # ############# Portfolios ############# #

    def load_portfolio(self, run_id: tp.Union[str, RunRecord]) -> tp.Optional["Portfolio"]:
        """Return the portfolio of a run: the column or group of that run alone where it belongs to a sweep.

        Returns None for an unknown run, and for one that was saved without a portfolio.

        Raises:
            RunNotFoundError: If it is a sweep. Names `RunStore.load_sweep`.
            ValueError: If the run was saved with its returns only. Names `RunStore.load_returns`.
            UntrustedArtifactError: If opening it would execute code and the store was opened with `allow_pickle=False`.
            ArtifactMissingError: If it was saved and is gone.
            ArtifactCorruptedError: If it is not what was saved.
            ArtifactUnreadableError: If the installed versions cannot open it."""
        record = self.get_run(run_id)
        if record is None and self._is_sweep(sweep_id := id_of_run(run_id)):
            raise RunNotFoundError(f"{sweep_id} is no run but a sweep; load_sweep({sweep_id!r}) loads its portfolio")
        stored = None if record is None else self._whole(record)
        if stored is None:
            return None
        column = stored.record.column
        portfolio = stored.load() if column is None else stored.load_column(column)
        warn_of_other_settings(stored.record, portfolio)
        return portfolio

    def load_sweep(self, sweep_id: str, part: tp.Optional[int] = None) -> tp.Optional["Portfolio"]:
        """Return the whole portfolio of a sweep, the columns of deleted runs included.

        A sweep that was continued has several, of which one is asked for by its number, counted from 0.

        Returns None for an unknown sweep, and for one that was saved without a portfolio. Raises the errors of
        `RunStore.load_portfolio`.

        Raises:
            TypeError: If `sweep_id` is no string, such as the None of a run that is part of no sweep.
            ValueError: If it is the id of a run, or was saved with its returns only. Names what loads these. If the
                sweep has several portfolios and `part` is None, or there is no such part."""
        if not isinstance(sweep_id, str):
            raise TypeError(f"sweep_id must be a string, not {type(sweep_id).__name__}")
        parts = self._parts_of_sweep(sweep_id)
        if not parts and is_run_id(sweep_id) and self.has_run(sweep_id):
            raise ValueError(f"{sweep_id} is no sweep but a run; load_portfolio({sweep_id!r}) loads its portfolio")
        if not parts:
            return None
        if (part is None and len(parts) > 1) or not 0 <= index(part or 0) < len(parts):
            listed = ", ".join(
                f"{number} ({len(runs)} runs, saved {runs[0].timestamp:%Y-%m-%d %H:%M} UTC)"
                for number, runs in enumerate(parts)
            )
            raise ValueError(f"sweep {sweep_id} was saved in {len(parts)} parts: give part=, which is one of {listed}")
        record = parts[index(part or 0)][0]
        stored = self._whole(record)
        if stored is None:
            return None
        portfolio = stored.load()
        warn_of_other_settings(record, portfolio)
        return portfolio

    def _parts_of_sweep(self, sweep_id: str) -> tp.List[tp.List[RunRecord]]:
        """Return the runs of a sweep in lists of those that were saved together, the earliest first."""
        parts: tp.Dict[tp.Optional[str], tp.List[RunRecord]] = {}
        for record in self.select(Query.of(sweep_id=sweep_id, sort_by="timestamp", ascending=True)):
            artifact = Artifact.of(record)  # whatever it was converted to, it has kept its name
            parts.setdefault(None if artifact is None else artifact.stem, []).append(record)
        return list(parts.values())

    def load_returns(self, run_ids: tp.Any) -> tp.Frame:
        """Return the return series of runs, one column per run_id.

        Each stored portfolio is read once, however many of its columns are asked for.

        Args:
            run_ids (list): Ids, unique prefixes or records, or one of these.

        Raises:
            RunNotFoundError: If one of the runs is not there.
            ValueError: If a run has no return series: it was saved without its portfolio or its returns, or is the
                aggregate of several columns.

        Raises the errors of `RunStore.load_portfolio` as well."""
        return self.returns_of(self.get_runs(run_ids))

    def returns_of(self, records: tp.Sequence[RunRecord]) -> tp.Frame:
        """Return the return series that records refer to by their `artifact` and `column`, one column per run_id.

        Raises the errors of `RunStore.load_returns`, apart from those about ids."""
        series = {}
        for stored, group in [(self.stored(group[0]), group) for group in sharing(records)]:
            returns = stored.load_returns()
            for record in group:
                series[record.run_id] = column_of(returns, record)
        return align([series[record.run_id] for record in records])

    def load_attachment(self, run_id: str, name: str) -> bytes:
        """Return the content of a file that belongs to a run.

        Raises:
            RunNotFoundError: If there is no such run.
            ValueError: If it has no such attachment. Names those that it has.
            ArtifactMissingError: If it was saved and is gone.
            ArtifactCorruptedError: If it is not what was saved."""
        record = self.get_run(run_id)
        if record is None:
            raise RunNotFoundError(f"no run {run_id!r} in {self}")
        found = {attachment.name: attachment for attachment in Attachment.of(record)}
        if name not in found:
            raise ValueError(
                f"run {record.run_id} has no attachment {name!r}; it has {', '.join(map(repr, found)) or 'none'}"
            )
        return found[name].read(record.run_id, self.artifacts)

    def stored(self, record: RunRecord) -> StoredPortfolio:
        """Return the stored portfolio that a record refers to, which nobody has opened yet.

        Raises:
            ValueError: If the run was saved without its portfolio and without its returns."""
        return StoredPortfolio(record, self.artifacts, self.allow_pickle)

    def _whole(self, record: RunRecord) -> tp.Optional[StoredPortfolio]:
        """Return the stored portfolio of a run. None if it was saved without one.

        Raises:
            ValueError: If it was saved with its returns only."""
        if record.artifact is None:
            return None
        stored = self.stored(record)
        if not stored.is_whole:
            raise ValueError(
                f"run {record.run_id} was saved with its returns only; load_returns({record.run_id!r}) loads them"
            )
        return stored

    # ############# Changing ############# #

    def update_run(
        self,
        run_id: tp.Union[str, RunRecord],
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        add_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        remove_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: tp.Optional[str] = None,
        attachments: tp.Optional[tp.Mapping[str, tp.Any]] = None,
        **more: tp.Any,
    ) -> RunRecord:
        """Change a run. What is None stays as it is.

        Processes that change the same run at the same time lose nothing: `add_tags` and `remove_tags` are applied to
        the tags that the run has at that moment.

        Args:
            run_id (str): The whole id.
            tags (list of str): New tags, instead of the old ones.
            add_tags (list of str): Tags to add.
            remove_tags (list of str): Tags to take away.
            notes (str): New notes.
            attachments (dict): Files to add: contents, or paths, by name.
            **more: What else `Change.of` takes.

        Raises:
            RunNotFoundError: If there is no such run.
            AmbiguousRunIdError: If a prefix fits several runs.
            TypeError: If something has the wrong type, or nothing is to be changed.
            ValueError: If the run has what is to be added already, or lacks what is to be renamed, or it has no
                strategy_name, which only other programs write."""
        given = dict(tags=tags, add_tags=add_tags, remove_tags=remove_tags, notes=notes, **more)
        if attachments is None and all(value is None for value in given.values()):
            raise TypeError("nothing to change: give tags, add_tags, remove_tags, notes or the like")
        change, new = Change.of(**given), NewAttachments.of(attachments)
        whole_id = self._whole_id(run_id)

        def apply(record: RunRecord) -> RunRecord:
            self._attach(change.apply(record), new)
            return record

        is_there = is_run_id(whole_id) and self.get(whole_id) is not None
        changed = self.update(whole_id, apply) if is_there else None
        if changed is None:
            raise self.not_found([whole_id])
        return self._handed_out(changed)

    def _attach(self, record: RunRecord, new: NewAttachments) -> None:
        """Add files to a run, and write those that are not there yet. The caller holds the lock."""
        for name in new.described:
            if name in record.attachments:
                raise ValueError(f"run {record.run_id} has the attachment {name!r} already; choose another name")
        if new.described:
            self.write_missing(new.blobs)
            record.attachments = {**record.attachments, **new.described}

    def update_runs(self, which: tp.Any, change: Change, dry_run: bool = False) -> tp.List[RunRecord]:
        """Change several runs in one transaction, and return them as they are then.

        Args:
            which (Query or list): Runs that a query finds at that moment, or ids, unique prefixes or records.
            change (Change): What is to be changed about each.
            dry_run (bool): Whether to change nothing, and only return the runs as they would be.

        Raises:
            RunNotFoundError: If one of the runs is not there. Lists all of them.
            ValueError: If one of the runs cannot be changed. Then none is."""

        def changed() -> tp.List[RunRecord]:
            records = self.list_runs(which) if isinstance(which, Query) else self.get_runs(which)
            return [change.apply(record) for record in {record.run_id: record for record in records}.values()]

        which = which if isinstance(which, Query) else ids_of_runs(which)  # a generator can be asked once
        would_be = changed()
        if dry_run or not would_be:  # nothing is locked, or made, for nothing
            return would_be
        with self.exclusive():
            records = changed()
            if records:
                self.replace(RunBlock.of(to_dicts(records)))
        return records

    def update(self, run_id: str, change: tp.Callable[[RunRecord], RunRecord]) -> tp.Optional[RunRecord]:
        """Replace a run by what `change` makes of it. Return the new record, or None if there is no such run.

        It is atomic: of two processes that change the same run at the same time, the second sees what the first has
        done."""
        with self.exclusive():
            record = self.get(run_id)
            if record is None:
                return None
            changed = change(record)
            self.replace(RunBlock.of([changed.to_dict()]))
            return changed

    # ############# Deleting ############# #

    def delete_run(self, run_id: tp.Union[str, RunRecord], permanent: bool = False) -> bool:
        """Delete a run by its id, a unique prefix or a record. Return whether there was one.

        See `RunStore.delete_runs`."""
        return self.delete_runs([id_of_run(run_id)], permanent) == 1

    def delete_runs(self, run_ids: tp.Any, permanent: bool = False) -> int:
        """Delete runs in one transaction and return how many there were.

        They are given as ids, unique prefixes or records, or one of these. A prefix that fits several runs is an
        `AmbiguousRunIdError`, and nothing is deleted.

        The records go first and the portfolios last, into the trash or for good. A portfolio that another run needs
        stays. A deleted run remains a trial: `list_runs(deleted=True)` shows it.

        Args:
            run_ids (list): Runs.
            permanent (bool): Whether the notes and portfolios go for good."""
        run_ids = set(filter(is_run_id, map(self._whole_id, ids_of_runs(run_ids))))
        if not any(map(self.has_run, run_ids)):  # nothing is locked, or made, for nothing
            return 0
        with self.exclusive():
            removed = self.remove(run_ids, Deletion.now(restorable=not permanent))
            self._put_portfolios_away(removed, permanent)
        return len(removed)

    def _put_portfolios_away(self, removed: tp.Sequence[RunRecord], permanent: bool) -> None:
        """Put away the portfolios of removed runs, apart from those that other runs need."""
        own = {}
        for record in removed:
            artifact = Artifact.of(record)
            if artifact is not None and artifact.is_of(record):
                own[artifact] = record
        for artifact, record in own.items():
            # Nobody shares the portfolio of a lone run. To ask would take long where thousands are deleted at once.
            if record.sweep_id is not None:
                self.put_away(artifact)
            elif permanent:
                self._delete_files(artifact)
            else:
                self._move_to_trash(artifact)

    def put_away(self, artifact: Artifact) -> None:
        """Put away the files that belong to a stored portfolio alone, unless a run needs them.

        They go into the trash if a deleted run that can be restored refers to them, else for good. Others may need
        those that are named after what is in them, so these are left to `RunRegistry.gc`."""
        if self.users_of(artifact):
            return
        if self.users_of(artifact, deleted=True):
            self._move_to_trash(artifact)
        else:
            self._delete_files(artifact)

    def _move_to_trash(self, artifact: Artifact) -> None:
        for name in filter(is_name, artifact.own_names):
            self.artifacts.move(name, in_trash(name))

    def _delete_files(self, artifact: Artifact) -> None:
        for name in artifact.own_names:
            for place in places_of(name):
                self.artifacts.delete(place)

    def users_of(self, artifact: Artifact, deleted: tp.Optional[bool] = False) -> tp.List[RunRecord]:
        """Return the runs that refer to files which belong to a stored portfolio alone.

        They are looked for where the files are named after: a run, or a sweep. The files of an older layout can be
        named after anything, and any run may refer to them.

        Args:
            artifact (Artifact): Stored portfolio.
            deleted (bool): False for runs that are there, True for deleted ones, None for all."""
        if is_run_id(artifact.owner):
            queries = [Query(prefix=artifact.owner, deleted=deleted), Query(sweep_id=artifact.owner, deleted=deleted)]
            records = [record for query in queries for record in self.select(query)]
        else:
            records = self.select(Query(deleted=deleted))
        described = ((record, Artifact.of(record)) for record in records)
        names = set(artifact.own_names)
        return [record for record, used in described if used is not None and not names.isdisjoint(used.names)]

    # ############# Restoring ############# #

    def restore_runs(self, run_ids: tp.Any) -> tp.List[RunRecord]:
        """Bring back deleted runs, with their notes and portfolios if these are in the trash still.

        They are given as ids, unique prefixes or records. The portfolios come first and the records last, in one
        transaction. What is not in the trash any more is missing from the run that comes back, and a warning says so.

        Returns:
            list of RunRecord: Runs as they are now.

        Raises:
            RunNotFoundError: If one of them is not a deleted run. Then none is restored.
            AmbiguousRunIdError: If a prefix fits several deleted runs."""
        asked = ids_of_runs(run_ids)
        if not self._deleted_runs(asked):  # nothing is locked, or made, for nothing
            return []
        with self.exclusive():
            found = self._deleted_runs(asked)  # somebody else may have restored them meanwhile
            incomplete = [record.run_id for record in found if not self._bring_back(record)]
            self.replace(RunBlock.of(to_dicts(found)))
        if incomplete:
            warn(
                f"{len(incomplete)} runs come back without their notes and portfolios, which are not in the trash any "
                f"more: {', '.join(incomplete[:10])}"
            )
        return [self._handed_out(record) for record in found]

    def _deleted_runs(self, run_ids: tp.Sequence[str]) -> tp.List[RunRecord]:
        """Return deleted runs, all of which must be there."""
        whole = {run_id for run_id in run_ids if is_run_id(run_id)}
        found = (
            {record.run_id: record for record in self.select(Query(deleted=True)) if record.run_id in whole}
            if whole
            else {}
        )
        unknown = []
        for run_id in run_ids:
            fitting = [] if run_id in whole else self._fitting(run_id, deleted=True)
            found.update((record.run_id, record) for record in fitting)
            if not fitting and run_id not in found:
                unknown.append(run_id)
        if unknown:
            there = [run_id for run_id in unknown if self.get_run(run_id) is not None]
            reason = f"; {', '.join(there)} was not deleted" if there else ""
            raise RunNotFoundError(
                f"no deleted run {', '.join(map(repr, unknown))} in {self}{reason}; list_runs(deleted=True) shows "
                f"those that can be restored"
            )
        order = {run_id: place for place, run_id in enumerate(run_ids)}
        return sorted(found.values(), key=lambda record: order.get(record.run_id, len(order)))

    def _bring_back(self, record: RunRecord) -> bool:
        """Make a deleted run one that is there, with its files in their place. Return whether nothing of it is lost."""
        artifact, is_complete = Artifact.of(record), record.restorable is True
        record.deleted_at = record.restorable = None
        if artifact is not None and not self.take_out_of_trash(artifact):
            record.artifact, is_complete = None, False
        return is_complete

    def take_out_of_trash(self, artifact: Artifact) -> bool:
        """Put the files of a stored portfolio into their place, durably. Return whether all of them are there."""
        if not all(map(is_name, artifact.names)):
            return False
        for name in artifact.names:
            if self.artifacts.size(name) is not None:
                self.artifacts.keep(name)
            elif not self.artifacts.move(in_trash(name), name):
                return False
        return True

    def empty_trash(self, records: tp.Sequence[RunRecord]) -> None:
        """Let the notes and files of deleted runs go for good. The caller holds the lock.

        The records go first: what refers to a file that is gone could be taken for restorable."""
        artifacts = {artifact for artifact in map(Artifact.of, records) if artifact is not None}
        lost = Deletion(None, restorable=False).marks
        del lost["deleted_at"]
        self.replace(RunBlock.of(to_dicts(records)).having(**lost), deleted=True)
        for artifact in artifacts:
            self.put_away(artifact)
