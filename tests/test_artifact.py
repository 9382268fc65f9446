"""What a record says of its stored portfolio: whose it is, and which files belong to it alone."""

import hashlib

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import RunRecord
from vectorbt.portfolio.registry.artifact import Artifact

DIGEST = "0" * 32
SWEEP = make_record(7).run_id


def make_artifact(stem, sha256="a" * 64):
    return Artifact("portable", (f"{stem}.json", f"{stem}.orders.parquet", f"{DIGEST}.parquet"), 9, sha256)


def with_artifact(artifact):
    return RunRecord.from_dict({**make_record().to_dict(), "artifact": artifact})


def test_an_artifact_describes_its_main_blob():
    artifact = Artifact.of_blobs("pickle", {"a.pkl": b"main", "b.parquet": b"more"})
    assert artifact == ("pickle", ("a.pkl", "b.parquet"), 4, hashlib.sha256(b"main").hexdigest())
    assert artifact.main == "a.pkl"


@pytest.mark.parametrize(
    "dct",
    [
        make_artifact(SWEEP).to_dict(),
        dict(format="pickle", size=None, sha256=None, names=["old.pkl"]),
    ],
)
def test_the_dict_of_a_record_comes_back(dct):
    assert Artifact.of(with_artifact(dct)).to_dict() == dct


def test_the_keys_have_the_order_in_which_they_are_written_down():
    assert list(make_artifact(SWEEP).to_dict()) == ["format", "size", "sha256", "names"]


def test_what_a_record_does_not_say_is_none():
    assert Artifact.of(with_artifact({"names": ["old.pkl"]})) == (None, ("old.pkl",), None, None)
    assert Artifact.of(make_record()) is None


def test_what_is_named_after_its_content_may_be_shared():
    artifact = make_artifact(SWEEP)
    assert artifact.stem == SWEEP
    assert artifact.own_names == (f"{SWEEP}.json", f"{SWEEP}.orders.parquet")


def test_an_artifact_is_of_the_run_or_sweep_that_it_is_named_after():
    run, in_sweep, other = make_record(0), make_record(1, sweep_id=SWEEP, column=0), make_record(2)
    for artifact, owners in ((make_artifact(run.run_id), [run]), (make_artifact(SWEEP), [in_sweep])):
        assert [record for record in (run, in_sweep, other) if artifact.is_of(record)] == owners
        assert [record for record in (run, in_sweep, other) if artifact.may_be_of(record)] == owners


def test_a_file_of_an_older_layout_may_be_of_any_run():
    artifact = make_artifact("old", sha256=None)
    assert artifact.may_be_of(make_record()) and not artifact.is_of(make_record())
