"""Portfolios of format version 1, written under two versions of vectorbt and pandas, load forever."""

from pathlib import Path

import pytest

from tests.support import exchange

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "portable_version_1").glob("*/*"))


@pytest.mark.parametrize("path", GOLDEN, ids=[f"{path.parent.name}-{path.name}" for path in GOLDEN])
def test_golden_files_load_forever(path):
    exchange.check_one(path)


def test_there_are_golden_files_of_both_versions():
    assert {path.parent.name for path in GOLDEN} == {"vectorbt_0.28.5", "vectorbt_1.2.0"}


@pytest.mark.parametrize("name", ["cash_sharing", "extra_fields"])
def test_what_is_written_here_is_checked_here(tmp_path, name):
    exchange.write(tmp_path, [name])
    assert exchange.check(tmp_path) == 1
