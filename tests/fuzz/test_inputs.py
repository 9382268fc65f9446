"""What the fuzzers begin with, and what they have found, keeps all promises: without atheris, in the normal suite."""

import pytest

from tests.fuzz.reader import NAMES, found_inputs, reader_of

FOUND = [(name, path) for name in NAMES for path in found_inputs(name)]


@pytest.mark.parametrize("name", NAMES)
def test_seeds(name):
    reader = reader_of(name)
    for seed in reader.seeds():
        reader.check(seed)


@pytest.mark.parametrize(("name", "path"), FOUND, ids=[f"{name}-{path.name}" for name, path in FOUND])
def test_what_was_found(name, path):
    reader_of(name).check(path.read_bytes())
