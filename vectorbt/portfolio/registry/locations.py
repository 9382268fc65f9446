"""Folder or URL: how people say where runs and portfolios are kept."""

import re

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
    if found[2] is None:
        raise ValueError(
            f"'{found[1]}:...' is no URL, which begins with '{found[1]}://'; a folder with a colon in its name begins "
            f"with './'"
        )
    return found[1].lower()
