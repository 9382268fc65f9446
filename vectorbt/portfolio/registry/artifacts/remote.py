"""Artifacts wherever fsspec reaches: S3 and what speaks its language, Google Cloud Storage, Azure, ..."""

import time
from contextlib import contextmanager
from datetime import datetime

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.store import ArtifactInfo, ArtifactStore, check_name, is_name
from vectorbt.portfolio.registry.checks import as_utc
from vectorbt.portfolio.registry.errors import StoreError
from vectorbt.portfolio.registry.locations import scheme_of

_WITH_BUCKETS = ("s3", "s3a")
"""Schemes whose URLs begin with the name of a bucket."""
LOCAL_SCHEMES = ("file", "local")
"""Schemes of folders of this machine, which fsspec would write to without making anything durable."""
_MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "created")
"""Where file systems say when a file was written."""


class FsspecArtifacts(ArtifactStore):
    """Artifacts as the objects below a URL.

    The file system must put an object whole or not at all, as object stores do. Keys and endpoints are not given here:
    they come from where the file system looks for them, such as `AWS_ACCESS_KEY_ID` and `AWS_ENDPOINT_URL`, a role of
    the machine, or the configuration of fsspec. So there are none to be shown or pickled.

    Args:
        url (str): URL that fsspec knows: `s3://bucket/prefix`, `gs://bucket/prefix`, ...

    Raises:
        ImportError: If fsspec, or what it needs for the URL, is missing. Names the extra to install.
        ValueError: If no file system knows the URL, or it names no place, or contains a password."""

    def __init__(self, url: str) -> None:
        scheme, place = scheme_of(url), url.partition("://")[2].rstrip("/")
        if scheme is None:
            raise ValueError("the place of these artifacts is no URL; expected such as 's3://bucket/prefix'")
        if not place:
            raise ValueError(f"'{scheme}://' names no bucket or folder; expected such as '{scheme}://bucket/prefix'")
        if scheme in LOCAL_SCHEMES:
            raise ValueError(f"'{scheme}://' is a folder of this machine; give its path, or use FolderArtifacts")
        if _holds_password(scheme, place):
            raise ValueError(
                f"'{scheme}://...' contains a password or options; leave them out, and configure fsspec with them"
            )
        self.url = f"{scheme}://{place}"
        self._open()

    def __repr__(self) -> str:
        return f"FsspecArtifacts({self.url!r})"

    @property
    def root(self) -> str:
        return self.url

    def write(self, name: str, content: bytes) -> None:
        fs, path = self._find(name)
        with self._translated():
            try:
                fs.pipe_file(path, content)
            except FileNotFoundError as e:
                raise StoreError(f"{self.url} cannot be written to: {e}") from e

    def read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        fs, path = self._find(name)
        with self._translated():
            if start == 0 and end is None:
                return fs.cat_file(path)
            # Some file systems refuse a range that begins behind the end.
            size = fs.info(path)["size"]
            end = size if end is None else min(end, size)
            return fs.cat_file(path, start=start, end=end) if start < end else b""

    def delete(self, name: str) -> bool:
        fs, path = self._find(name)
        try:
            with self._translated():
                fs.info(path)
                fs.rm_file(path)
        except FileNotFoundError:
            return False
        return True

    def move(self, name: str, new_name: str) -> bool:
        fs, path = self._find(name)
        _, new_path = self._find(new_name)
        try:
            with self._translated():
                fs.info(path)
                fs.cp_file(path, new_path)
        except FileNotFoundError:
            return False
        return self.delete(name)

    def list(self) -> tp.List[ArtifactInfo]:
        fs, folder = self._open()
        now = time.time()
        try:
            with self._translated():
                found = fs.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        infos = [
            ArtifactInfo(entry["name"].rpartition("/")[2], entry["size"], now - _modified(entry, now))
            for entry in found
            if entry["type"] == "file"
        ]
        return sorted(info for info in infos if is_name(info.name))

    def size(self, name: str) -> tp.Optional[int]:
        fs, path = self._find(name)
        try:
            with self._translated():
                return fs.info(path)["size"]
        except FileNotFoundError:
            return None

    def _find(self, name: str) -> tp.Tuple[tp.Any, str]:
        fs, folder = self._open()
        return fs, f"{folder}/{check_name(name)}"

    def _open(self) -> tp.Tuple[tp.Any, str]:
        """Return the file system and the folder. fsspec keeps the file system, one for each process and thread."""
        try:
            from fsspec.core import url_to_fs

            # Others write to the same place, so what was listed once may be wrong.
            return url_to_fs(self.url, use_listings_cache=False)
        except ImportError as e:
            raise ImportError(f'{self.url} needs a driver: pip install "vectorbt-registry[s3]" for S3; {e}') from e
        except ValueError as e:
            raise ValueError(f"no file system for {self.url}: {e}") from None

    @contextmanager
    def _in_bucket(self) -> tp.Iterator[None]:
        """Tell an object that is missing from a bucket that is: then none of the portfolios can be said to be lost."""
        try:
            yield
        except FileNotFoundError:
            scheme, _, place = self.url.partition("://")
            bucket = place.partition("/")[0]
            if scheme in _WITH_BUCKETS and not self._open()[0].exists(bucket):
                raise StoreError(f"{self.url}: there is no bucket {bucket}, or it cannot be reached") from None
            raise

    @contextmanager
    def _translated(self) -> tp.Iterator[None]:
        """Turn the errors of drivers, which are of any kind, into one that names the place.

        That an object is not there stays a FileNotFoundError."""
        try:
            with self._in_bucket():
                yield
        except (FileNotFoundError, StoreError):
            raise
        except Exception as e:
            raise StoreError(f"{self.url}: {type(e).__name__}: {e}") from e


def _holds_password(scheme: str, place: str) -> bool:
    """Return whether there is a password before or after the name of a host or bucket. It may hold any character."""
    host = place.partition("/")[0]
    _, colon, port = host.rpartition(":")
    is_before = bool(colon) and ("@" in place or not port.isdigit())
    return is_before or "?" in place or (scheme in _WITH_BUCKETS and "@" in host)


def _modified(entry: tp.Mapping[str, tp.Any], now: float) -> float:
    """Return when an object was written, in seconds since 1970. `now` if the file system does not say."""
    moment = next((entry[key] for key in _MODIFIED if entry.get(key) is not None), now)
    return as_utc(moment).timestamp() if isinstance(moment, datetime) else float(moment)
