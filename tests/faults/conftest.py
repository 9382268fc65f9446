"""Folders for tests that inject faults."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.faults.children import run_in_child
from tests.faults.media import private_mount

_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def memory_folder(tmp_path_factory):
    """A folder in memory where the system has one: what is tested is which calls are made, not how long they take."""
    if not os.access(_MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("faults")
        return
    folder = tempfile.mkdtemp(prefix="faults-", dir=_MEMORY)
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def can_mount(tmp_path):
    """Skips what needs mounts, where there can be none."""

    def attempt(report):
        private_mount(["-t", "tmpfs", "none", str(tmp_path)])

    try:
        run_in_child(attempt)
    except AssertionError:
        pytest.skip("this process may not mount anything: only root may, and not in every container")
