"""Artifacts in memory."""

import time

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifacts.store import ArtifactInfo, ArtifactStore, check_name


class MemoryArtifacts(ArtifactStore):
    """Artifacts in a dict, for as long as the process lives."""

    def __init__(self) -> None:
        self._contents: tp.Dict[str, tp.Tuple[bytes, float]] = {}

    @property
    def root(self) -> str:
        return "memory:"

    def write(self, name: str, content: bytes) -> None:
        self._contents[check_name(name)] = bytes(content), time.time()

    def read(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        if name not in self._contents:
            raise FileNotFoundError(f"no artifact {name!r} in memory")
        return self._contents[name][0][start:end]

    def delete(self, name: str) -> bool:
        return self._contents.pop(name, None) is not None

    def move(self, name: str, new_name: str) -> bool:
        held = self._contents.get(name)
        if held is None:
            return False
        self._contents[check_name(new_name)] = held
        return self.delete(name)

    def list(self) -> tp.List[ArtifactInfo]:
        now = time.time()
        return [ArtifactInfo(name, len(c), now - written) for name, (c, written) in sorted(self._contents.items())]

    def size(self, name: str) -> tp.Optional[int]:
        return len(self._contents[name][0]) if name in self._contents else None
