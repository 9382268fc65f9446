"""Folder or URL: how people say where runs and portfolios are kept."""

import os
import re
from urllib.parse import unquote_to_bytes, urlsplit

from vectorbt import _typing as tp

_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+._-]+):(//)?")
"""Two characters at least: a drive has one."""


def scheme_of(location: tp.Any) -> tp.Optional[str]:
    """Return the scheme of a URL in lower case, such as `s3` or `postgresql+psycopg`. None if it is a path.

    Raises:
        ValueError: If it looks like a URL, but is none. What follows the scheme is not shown: it may hold a password,
            anywhere."""
    found = _SCHEME.match(location) if isinstance(location, str) else None
    if found is None:
        return None
    if found[2] is None and found[1].lower() != "file":
        raise ValueError(
            f"'{found[1]}:...' is no URL, which begins with '{found[1]}://'; a folder with a colon in its name begins "
            f"with './'"
        )
    return found[1].lower()


def local_path(url: str) -> str:
    """Return the path that a URL with the scheme `file` leads to, as RFC 8089 says.

    Raises:
        ValueError: If it leads to another machine, is relative, or has characters that must be escaped."""
    if any(character in url for character in "?#\t\r\n"):
        raise ValueError("a file:// URL has no '?', '#', tab or line break; write %3F, %23, ..., or give the path")
    parts = urlsplit(url)
    if parts.netloc.lower() not in ("", "localhost"):
        raise ValueError(
            f"the file:// URL leads to the machine {parts.hostname!r}; a folder of this one is file:///<path>, "
            f"and a relative path is written without file://"
        )
    if not parts.path.startswith("/"):
        raise ValueError("the file: URL names no folder by its whole path; expected file:///<path>, or the path alone")
    return os.fsdecode(unquote_to_bytes(parts.path))
