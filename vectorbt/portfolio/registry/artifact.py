"""What a record says of its stored portfolio, as a value with a type.

The `artifact` of a `vectorbt.portfolio.registry.run.RunRecord` is a dict, as it is written down. Whoever works with it
makes an `Artifact` of it."""

import hashlib

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.store import stem_of
from vectorbt.portfolio.registry.checks import is_run_id

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.run import RunRecord


class Artifact(tp.NamedTuple):
    """A stored portfolio: its format, the names of its files, and what its main file must be.

    Args:
        format (str): Name of the format. None if the record does not say.
        names (tuple of str): Names of the files, the main one first.
        size (int): Size of the main file in bytes. None if it was saved by an older layout.
        sha256 (str): SHA-256 of the main file. None if it was saved by an older layout."""

    format: tp.Optional[str]
    names: tp.Tuple[str, ...]
    size: tp.Optional[int]
    sha256: tp.Optional[str]

    @classmethod
    def of_blobs(cls, format_name: str, blobs: tp.Mapping[str, bytes]) -> "Artifact":
        """Describe the files of a portfolio, by name, the main one first."""
        main = next(iter(blobs.values()))
        return cls(format_name, tuple(blobs), len(main), hashlib.sha256(main).hexdigest())

    @classmethod
    def of(cls, record: "RunRecord") -> tp.Optional["Artifact"]:
        """Return the stored portfolio that a record refers to, or None if there is none."""
        return None if record.artifact is None else cls.from_dict(record.artifact)

    @classmethod
    def from_dict(cls, dct: tp.Mapping[str, tp.Any]) -> "Artifact":
        """Make an artifact of the dict of a record, which `record_json.check_artifact` has found well-formed."""
        return cls(dct.get("format"), tuple(dct["names"]), dct.get("size"), dct.get("sha256"))

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the artifact as the dict that a record keeps."""
        return dict(format=self.format, size=self.size, sha256=self.sha256, names=list(self.names))

    @property
    def main(self) -> str:
        """Name of the file that size and SHA-256 belong to."""
        return self.names[0]

    @property
    def stem(self) -> str:
        """What the main file is named after: the id of a run or sweep. Behind that of a sweep which was continued, the
        id of the first run of this part follows."""
        return stem_of(self.main)

    @property
    def owner(self) -> str:
        """Id of the run or sweep that the portfolio is named after, or what else an older layout has named it after."""
        return owner_of(self.main)

    @property
    def own_names(self) -> tp.Tuple[str, ...]:
        """Names of the files that belong to this portfolio alone.

        Others, such as prices, are named after what is in them, and other portfolios may share them."""
        return tuple(name for name in self.names if stem_of(name) == self.stem)

    def is_of(self, record: "RunRecord") -> bool:
        """Return whether the portfolio is that of a run or of its sweep, by its name."""
        return self.owner in (record.run_id, record.sweep_id)

    def may_be_of(self, record: "RunRecord") -> bool:
        """Return whether a record may refer to the portfolio: its own, or one of an older layout.

        That layout named files as it liked, and kept no digest."""
        return self.sha256 is None or self.is_of(record)


def owner_of(name: str) -> str:
    """Return the id of the run or sweep that a file is named after. Where there is none, the name without endings."""
    stem = stem_of(name)
    return stem[:36] if is_run_id(stem[:36]) else stem
