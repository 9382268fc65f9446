"""Folders for tests that inject faults."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

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
