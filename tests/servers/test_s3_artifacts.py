"""Objects in a bucket, as artifacts."""

import pickle

import pytest

from vectorbt.portfolio.registry import StoreError
from vectorbt.portfolio.registry.artifacts.remote import FsspecArtifacts

pytestmark = pytest.mark.servers


@pytest.fixture
def artifacts(s3_url):
    return FsspecArtifacts(s3_url)


def test_what_was_written_is_read(artifacts):
    artifacts.write("a.pkl", b"0123456789")
    assert artifacts.read("a.pkl") == b"0123456789"
    assert [artifacts.read("a.pkl", *span) for span in ((2, 5), (8,), (0, 99), (10, 20), (50, 60), (3, 3))] == [
        b"234",
        b"89",
        b"0123456789",
        b"",
        b"",
        b"",
    ]
    artifacts.write("a.pkl", b"another")
    assert artifacts.read("a.pkl") == b"another" and artifacts.size("a.pkl") == 7


def test_what_is_not_there(artifacts):
    assert artifacts.list() == [] and artifacts.size("a.pkl") is None and artifacts.delete("a.pkl") is False
    for span in ((), (1, 2)):
        with pytest.raises(FileNotFoundError):
            artifacts.read("a.pkl", *span)


def test_listing_sees_what_others_do(artifacts):
    artifacts.write("b.pkl", b"1")
    assert [info.name for info in artifacts.list()] == ["b.pkl"]
    other = FsspecArtifacts(artifacts.root)
    other.write("a.pkl", b"12")
    infos = artifacts.list()
    assert [(info.name, info.size) for info in infos] == [("a.pkl", 2), ("b.pkl", 1)]
    assert all(-5 < info.age < 600 for info in infos)
    assert other.delete("a.pkl") is True
    assert [info.name for info in artifacts.list()] == ["b.pkl"]


def test_names_lead_nowhere_else(artifacts):
    for name in ("../a.pkl", "/a.pkl", "a/b.pkl", ""):
        with pytest.raises(ValueError, match="no name of an artifact"):
            artifacts.write(name, b"")


def test_secrets_are_not_shown(artifacts):
    assert b"secret-of-the-tests" not in pickle.dumps(artifacts)
    with pytest.raises(ValueError, match=r"'ftp://...' contains a password"):
        FsspecArtifacts("ftp://user:open-sesame@host/path")


def test_a_bucket_that_is_not_there(s3_bucket):
    missing = FsspecArtifacts(f"{s3_bucket}-that-is-not-there")
    with pytest.raises(StoreError, match="s3://registry-that-is-not-there"):
        missing.write("a.pkl", b"")
    for use, *name in ((missing.list,), (missing.read, "a.pkl"), (missing.size, "a.pkl"), (missing.delete, "a.pkl")):
        with pytest.raises(StoreError, match="no bucket registry-that-is-not-there"):
            use(*name)
