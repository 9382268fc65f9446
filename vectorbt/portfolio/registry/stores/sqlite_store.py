"""Runs in a SQLite file: one machine, and as many as a million runs."""

import os
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
from vectorbt.portfolio.registry.stores.sql.database import SqliteDatabase, sqlite_url
from vectorbt.portfolio.registry.stores.sql.store import SqlStore


class SqliteStore(SqlStore):
    """Runs in a SQLite file, portfolios in a folder beside it: one machine, and as many as a million runs.

    Args:
        path (path_like): File. It is made by the first save.
        artifacts (path_like or ArtifactStore): Where the portfolios lie. Defaults to the folder `<path>.portfolios`.
        portfolio_format (str): Format in which portfolios are saved, unless a call says otherwise. Defaults to the one
            that the registry was made with, else `pickle`. A new registry remembers the one that is given.
        allow_pickle (bool): Whether portfolios may be unpickled, which executes whatever code the file contains.
        lock_timeout (float): Seconds that a change waits for somebody else, see `SqlStore`.

    Raises:
        ImportError: If SQLAlchemy is missing. Names the extra to install.
        IsADirectoryError: If the path is a folder.

    Usage:
        ```pycon
        >>> registry = RunRegistry(SqliteStore("runs.db"))
        ```"""

    database: SqliteDatabase

    def __init__(
        self,
        path: tp.Union[str, os.PathLike],
        artifacts: tp.Union[None, str, os.PathLike, ArtifactStore] = None,
        portfolio_format: tp.Optional[str] = None,
        allow_pickle: bool = True,
        lock_timeout: tp.Optional[float] = None,
    ) -> None:
        super().__init__(sqlite_url(path), artifacts, portfolio_format, allow_pickle, lock_timeout)

    @property
    def path(self) -> Path:
        """The file."""
        return self.database.path
