"""Bytes under names: where the portfolios lie.

An `ArtifactStore` knows nothing of portfolios. It promises that what it has written is durable and whole when
`ArtifactStore.write` returns, and that a name never leads out of it."""

import abc
import re

from vectorbt import _typing as tp

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}(\.[a-z0-9]{1,16}){1,2}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\.")


def is_name(name: tp.Any) -> bool:
    """Return whether `name` can name an artifact on every file system, and cannot lead anywhere else."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and _RESERVED.match(name) is None


def check_name(name: str) -> str:
    """Return `name` if `is_name`.

    Raises:
        ValueError: If it is not made of lower-case letters, digits, `-` and `_`, with one or two endings."""
    if not is_name(name):
        raise ValueError(
            f"{str(name)[:100]!r} is no name of an artifact: expected lower-case letters, digits, '-' and '_', "
            f"and an ending such as '.pkl'"
        )
    return name


def stem_of(name: str) -> str:
    """Return the part of a name before its endings: the id of a run or sweep, or a digest of the content."""
    return name.partition(".")[0]


class ArtifactInfo(tp.NamedTuple):
    """An artifact as it is listed: its name, its size in bytes, and its age in seconds."""

    name: str
    size: int
    age: float


class ArtifactStore(abc.ABC):
    """Keeps bytes under names.

    A name is written once and not changed afterwards; writing it again replaces the whole content. All methods may
    be called from several threads and processes at once."""

    @abc.abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Keep `content` under `name`. It is durable, and seen whole or not at all by anybody else.

        Raises:
            ValueError: If `name` cannot be one.
            OSError: If the system refuses. Nothing is left behind."""

    @abc.abstractmethod
    def read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        """Return the content under `name`, or its bytes from `start` up to but excluding `end`.

        Raises:
            FileNotFoundError: If there is no such artifact."""

    def get(self, name: str) -> tp.Optional[bytes]:
        """Return the content under `name`, or None if there is no such artifact."""
        try:
            return self.read(name)
        except FileNotFoundError:
            return None

    @abc.abstractmethod
    def delete(self, name: str) -> bool:
        """Remove an artifact. Return whether there was one."""

    def move(self, name: str, new_name: str) -> bool:
        """Give an artifact another name. Return whether there was one.

        It is there under one of both names at any instant, or under both."""
        content = self.get(name)
        if content is None:
            return False
        self.write(new_name, content)
        return self.delete(name)

    @abc.abstractmethod
    def list(self) -> tp.List[ArtifactInfo]:
        """Return all artifacts, ordered by name."""

    @abc.abstractmethod
    def size(self, name: str) -> tp.Optional[int]:
        """Return the size of an artifact in bytes, or None if there is no such artifact."""

    def keep(self, name: str) -> None:  # noqa: B027
        """Make an artifact durable that is there already: who wrote it may have died before it was.

        Called before a record refers to what was found. For a place where all that is seen is durable, it does nothing.

        Raises:
            FileNotFoundError: If there is no such artifact."""

    def leftovers(self) -> tp.List[ArtifactInfo]:
        """Return what writers that died have left behind. It was never seen under a name."""
        return []

    def discard(self, leftover: ArtifactInfo) -> None:  # noqa: B027
        """Remove what `ArtifactStore.leftovers` has listed."""

    @property
    @abc.abstractmethod
    def root(self) -> str:
        """Where the artifacts lie, as people write it: a path or URL."""

    def locate(self, name: str) -> str:
        """Return where people find an artifact: a path or URL."""
        return f"{self.root}/{name}"
