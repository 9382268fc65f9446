"""Stores of runs, and how a path or a URL becomes one."""

import importlib
import os
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.locations import local_path, scheme_of
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.stores.file_store import FileStore
from vectorbt.portfolio.registry.stores.memory_store import MemoryStore

__all__ = ["FileStore", "MemoryStore", "open_store"]
__blacklist__ = ["sql", "sqlite_store"]  # vectorbt imports all other modules, and these need SQLAlchemy

__pdoc__ = {k: False for k in __all__}

_NEED_SQLALCHEMY = {"SqlStore": "sql.store", "SqliteStore": "sqlite_store"}
"""Stores that are imported when they are first asked for, and where they are."""

ENVIRONMENT_VARIABLE = "VBT_REGISTRY"
ARTIFACTS_VARIABLE = "VBT_REGISTRY_ARTIFACTS"
DEFAULT_FOLDER = "./backtest_runs"

_DATABASES = ("sqlite", "postgresql")
_SQLITE_ENDINGS = (".db", ".sqlite", ".sqlite3")
_SQLITE_MAGIC = b"SQLite format 3\0"


def open_store(
    location: tp.Union[None, str, os.PathLike, RunStore] = None, must_exist: bool = False, **options: tp.Any
) -> RunStore:
    """Return the store at a location.

    Args:
        location (path_like or RunStore): Folder, its `file://` URL, SQLite file, URL of a database, or a ready store.
            A new path is a SQLite file if it ends in `.db`, `.sqlite` or `.sqlite3`. None means what the environment
            variable `VBT_REGISTRY` says, or `./backtest_runs`.
        must_exist (bool): Whether something must have been saved there already.
        **options: Options of the store that is made: `artifacts`, `portfolio_format`, `allow_pickle`, and
            `lock_timeout`. Where `artifacts` are not given, those of PostgreSQL, and of whatever database
            `VBT_REGISTRY` names, lie where the environment variable `VBT_REGISTRY_ARTIFACTS` says. A SQLite file that
            is named otherwise has its own: `RunRegistry.gc` would take those of another file for leftovers.

    Raises:
        TypeError: If `location` is nothing of the above, or options are given with a ready store.
        ValueError: If a URL is malformed, or has a scheme that no store has.
        FileNotFoundError: If `must_exist` and nothing was ever saved there. A ready store is taken as it is."""
    if isinstance(location, RunStore):
        if options:
            raise TypeError(f"{', '.join(options)}: options are for the store that a path makes; {location} is made")
        return location
    store = _make_store(location, **options)
    if must_exist and not store.exists():
        raise FileNotFoundError(f"no registry in {store}: nothing was ever saved there")
    return store


def _make_store(location: tp.Union[None, str, os.PathLike], **options: tp.Any) -> RunStore:
    is_default = location is None
    if location is None:
        location = os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER
    if not isinstance(location, (str, os.PathLike)):
        raise TypeError(f"store must be a path, a URL or a RunStore, not {type(location).__name__}")
    if location == "":
        raise ValueError("the place of a registry is an empty string; expected a folder, such as '.', or a URL")
    scheme = scheme_of(location)
    place = os.environ.get(ARTIFACTS_VARIABLE)
    if not isinstance(location, str) or scheme is None:
        if not _is_sqlite_file(location):
            return FileStore(location, **options)
        given = {"artifacts": place} if place and is_default else {}
        return __getattr__("SqliteStore")(location, **{**given, **options})
    if scheme == "file":
        return FileStore(local_path(location), **options)
    if scheme.partition("+")[0] not in _DATABASES:
        raise ValueError(
            f"no store for URLs that begin with {scheme}://; expected a folder, or a URL of {' or '.join(_DATABASES)}"
        )
    given = {"artifacts": place} if place and (is_default or not scheme.startswith("sqlite")) else {}
    return __getattr__("SqlStore")(location, **{**given, **options})


def _is_sqlite_file(path: tp.Union[str, os.PathLike]) -> bool:
    """Return whether a path is that of a SQLite file, or of a new one."""
    path = Path(path).expanduser()
    has_ending = path.suffix.lower() in _SQLITE_ENDINGS
    if not path.is_file():
        return has_ending and not path.exists()
    try:
        with open(path, "rb") as file:
            start = file.read(len(_SQLITE_MAGIC))
    except OSError:  # nobody may read it, which SQLite says best
        return has_ending
    return start == _SQLITE_MAGIC or (not start and has_ending)


def __getattr__(name: str) -> tp.Any:
    if name not in _NEED_SQLALCHEMY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_NEED_SQLALCHEMY[name]}"), name)
