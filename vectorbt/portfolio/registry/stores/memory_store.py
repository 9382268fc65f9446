"""The reference implementation, in plain dicts: every other store is tested against it."""

import os
import threading

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts import open_artifacts
from vectorbt.portfolio.registry.artifacts.memory import MemoryArtifacts
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.deletion import Deletion
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.errors import RunExistsError
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.store import RunStore


class MemoryStore(RunStore):
    """Runs in memory, for as long as the store lives: for tests, and for trying things out.

    Args:
        artifacts (path_like or ArtifactStore): Where the portfolios lie. Defaults to memory as well.
        portfolio_format (str): Format in which portfolios are saved, unless a call says otherwise. Defaults to
            `pickle`.
        allow_pickle (bool): Whether portfolios may be unpickled, which executes whatever code they contain."""

    def __init__(
        self,
        artifacts: tp.Union[None, str, os.PathLike, ArtifactStore] = None,
        portfolio_format: tp.Optional[str] = None,
        allow_pickle: bool = True,
    ) -> None:
        place = MemoryArtifacts() if artifacts is None else open_artifacts(artifacts)
        super().__init__(place, portfolio_format, allow_pickle)
        self._lock = threading.RLock()
        self._runs: tp.Dict[str, bytes] = {}
        self._deleted: tp.Dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._runs)} runs)"

    def __reduce__(self) -> tp.NoReturn:
        raise TypeError("a MemoryStore cannot be sent to another process, which would see a copy; use a FileStore")

    def exists(self) -> bool:
        return bool(self._runs or self._deleted)

    def insert(self, block: RunBlock, new_ids: bool = False, deleted: bool = False) -> None:
        with self._lock:
            for run_id in block.run_ids:
                if run_id in self._runs or run_id in self._deleted:
                    raise RunExistsError(f"run {run_id} is in {self} already; a run is saved once")
            pool = self._deleted if deleted else self._runs
            pool.update({record["run_id"]: dumps(record) for record in block.rows()})

    def replace(self, block: RunBlock, deleted: bool = False) -> None:
        written = {record["run_id"]: dumps(record) for record in block.rows()}
        pool, other = (self._deleted, self._runs) if deleted else (self._runs, self._deleted)
        with self._lock:
            pool.update(written)
            for run_id in written:
                other.pop(run_id, None)

    def remove(self, run_ids: tp.Collection[str], deletion: Deletion) -> tp.List[RunRecord]:
        with self._lock:
            removed = [RunRecord.from_json(self._runs.pop(run_id)) for run_id in run_ids if run_id in self._runs]
            self._deleted.update({record.run_id: dumps(deletion.tombstone(record.to_dict())) for record in removed})
            return removed

    def get(self, run_id: str) -> tp.Optional[RunRecord]:
        source = self._runs.get(run_id)
        return None if source is None else RunRecord.from_json(source)

    def select(self, query: Query) -> tp.List[RunRecord]:
        with self._lock:
            pools = {False: [self._runs], True: [self._deleted], None: [self._runs, self._deleted]}[query.deleted]
            sources = [source for pool in pools for source in pool.values()]
        return query.apply(RunRecord.from_json(source) for source in sources)

    def exclusive(self) -> tp.ContextManager:
        return self._lock
