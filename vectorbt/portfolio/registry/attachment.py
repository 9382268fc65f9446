"""Files that belong to a run beside its portfolio: a trained model, a report, a picture.

A record says of each its name, size and SHA-256. The content lies among the portfolios, under a name that is made of
its SHA-256, so that runs with the same file share it."""

import hashlib
import os
from pathlib import Path

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactMissingError

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.run import RunRecord


ATTACHED = "attachment-"
"""What the names of the files begin with."""


class Attachment(tp.NamedTuple):
    """What a record says of a file that belongs to its run.

    Args:
        name (str): Name that the user has given it.
        size (int): Size in bytes.
        sha256 (str): SHA-256 of the content."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, record: "RunRecord") -> tp.List["Attachment"]:
        """Return the attachments of a run."""
        held = record.json_of("attachments")
        return [cls(name, described["size"], described["sha256"]) for name, described in held.items()]

    @property
    def file(self) -> str:
        """Name under which the content lies among the portfolios."""
        return f"{ATTACHED}{self.sha256}.bin"

    def read(self, run_id: str, artifacts: ArtifactStore) -> bytes:
        """Return the content.

        Raises:
            ArtifactMissingError: If it is gone.
            ArtifactCorruptedError: If it is not what was saved."""
        place = artifacts.locate(self.file)
        content = artifacts.get(self.file)
        if content is None:
            raise ArtifactMissingError(
                f"the attachment {self.name!r} of run {run_id} is missing: no regular file {place}. Restore it from a "
                f"copy"
            )
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ArtifactCorruptedError(
                f"the attachment {self.name!r} of run {run_id} at {place} is not what was saved: expected {self.size} "
                f"bytes with SHA-256 {self.sha256}, found {len(content)} bytes with SHA-256 {found}. Restore it from a "
                f"copy"
            )
        return content


class NewAttachments:
    """Files that are about to belong to runs.

    Args:
        contents (dict): Contents by the names that the user has given them."""

    def __init__(self, contents: tp.Optional[tp.Mapping[str, bytes]] = None) -> None:
        self.described: tp.Dict[str, tp.Dict[str, tp.Any]] = {}
        """What a record says of each."""
        self.blobs: tp.Dict[str, bytes] = {}
        """Contents by the names under which they lie among the portfolios."""
        for name, content in (contents or {}).items():
            attachment = Attachment(name, len(content), hashlib.sha256(content).hexdigest())
            self.described[name] = dict(size=attachment.size, sha256=attachment.sha256)
            self.blobs[attachment.file] = content

    @classmethod
    def of(cls, value: tp.Any) -> "NewAttachments":
        """Return what people pass: contents, or paths of files, by name. None is none.

        Raises:
            TypeError: If it is anything else.
            ValueError: If a name is empty.
            OSError: If a file cannot be read."""
        if value is None:
            return cls()
        if not isinstance(value, dict):
            raise TypeError(f"attachments must be a dict of names and contents, not {type(value).__name__}")
        return cls({_check_name(name): _content_of(name, content) for name, content in value.items()})


def _check_name(name: tp.Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"attachments must have strings as names, not {type(name).__name__}")
    if not name:
        raise ValueError("attachments: a name must not be empty; name the file, such as 'model.json'")
    return str.__str__(name)


def _content_of(name: str, value: tp.Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (str, os.PathLike)):
        return Path(value).expanduser().read_bytes()
    raise TypeError(f"attachments[{name!r}] must be bytes or the path of a file, not {type(value).__name__}")
