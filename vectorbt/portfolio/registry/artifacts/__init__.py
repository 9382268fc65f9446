"""Bytes under names, which is how portfolios are kept: in memory, in a folder, or behind a URL.

* `store`: `ArtifactStore`, what every place for artifacts must do, and which names they may have
* `memory`, `folder`, `remote`: such places
* `files`: files that outlive a power cut"""

import os

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts
from vectorbt.portfolio.registry.artifacts.remote import LOCAL_SCHEMES, FsspecArtifacts
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
from vectorbt.portfolio.registry.locations import local_path, scheme_of

__all__ = ["open_artifacts"]

__pdoc__ = {k: False for k in __all__}


def open_artifacts(location: tp.Union[str, os.PathLike, ArtifactStore]) -> ArtifactStore:
    """Return the store of artifacts at a location.

    Args:
        location (path_like or ArtifactStore): Folder, URL, or a ready store.

    Raises:
        ImportError: If fsspec, or what it needs for the URL, is missing. Names the extra to install.
        TypeError: If it is none of the above.
        ValueError: If a URL is malformed, contains a password, or no file system knows it."""
    if isinstance(location, ArtifactStore):
        return location
    if not isinstance(location, (str, os.PathLike)):
        raise TypeError(f"artifacts must be a folder, a URL or an ArtifactStore, not {type(location).__name__}")
    scheme = scheme_of(location)
    if not isinstance(location, str) or scheme is None:
        return FolderArtifacts(os.path.abspath(os.path.expanduser(location)))
    if scheme in LOCAL_SCHEMES:
        return FolderArtifacts(local_path(location))
    return FsspecArtifacts(location)
