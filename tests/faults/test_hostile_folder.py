"""A folder that somebody else has prepared: nothing outside it is read, written or removed, and no code is run."""

import hashlib
import json
import os
import pickle
import uuid
import warnings
from contextlib import suppress

import pytest

from tests.support.factories import make_portfolio, make_record
from vectorbt.portfolio.registry import (
    ArtifactCorruptedError,
    ArtifactMissingError,
    FileStore,
    RunRegistry,
    UntrustedArtifactError,
)
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.stores.chain import link_of
from vectorbt.portfolio.registry.stores.journal import frame


@pytest.fixture
def outside(tmp_path, portfolio):
    """A folder that is none of the registry's business, with a portfolio in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / f"{make_record(0).run_id}.pkl").write_bytes(portfolio.dumps())
    (folder / "secret.txt").write_text("secret\n")
    (folder / ".tmp-1").write_text("mine")
    return folder


@pytest.fixture
def registry(tmp_path):
    return RunRegistry(tmp_path / "runs")


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.iterdir()}


def artifact(name, content=b""):
    return dict(format="pickle", size=len(content), sha256=hashlib.sha256(content).hexdigest(), names=[name])


def write_record(registry, **fields):
    """Write a record as a stranger would: the checksum of the line is right, and it names the one before it."""
    record = {**make_record(0).to_dict(), **fields}
    registry.store.base_dir.mkdir(exist_ok=True)
    path = registry.store.metadata_file
    before = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    with open(path, "ab") as file:
        file.write(frame("run", dumps(record), link_of(before[-1]) if before else None))
    return record["run_id"]


def use_everything(registry, run_id):
    """Do whatever a person may do with a registry, and let it refuse."""
    for act in (
        lambda: registry.load_portfolio(run_id),
        lambda: registry.load_returns([run_id]),
        lambda: registry.check(deep=True),
        lambda: registry.update_run(run_id, notes="x"),
        lambda: registry.compact(),
        lambda: registry.gc(min_age=0),
        lambda: registry.export(registry.store.base_dir.parent / "exported"),
        lambda: registry.save_run(make_portfolio(), "new"),
        lambda: registry.delete_run(run_id),
        lambda: registry.gc(min_age=0),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(OSError, ValueError, LookupError, ArtifactCorruptedError):
                act()


# ############# Names that lead away ############# #


@pytest.mark.parametrize(
    "name",
    [
        "{outside}/{run_id}.pkl",
        "../../outside/{run_id}.pkl",
        "../outside/secret.txt",
        "con.pkl",
        "a\x00b.pkl",
        "x" * 10000,
        "..",
        ".",
        "",
        "/",
        "~/x.pkl",
        "C:\\x.pkl",
        "..\\x.pkl",
        "\\\\host\\x.pkl",
        "file:///etc/passwd",
        "A.pkl",
        ".lock",
    ],
)
def test_a_record_that_names_a_file_elsewhere(registry, outside, portfolio, name):
    before = contents(outside)
    name = name.format(outside=outside, run_id=make_record(0).run_id)
    run_id = write_record(registry, artifact=artifact(name, portfolio.dumps()), portfolio_path=str(outside))
    with pytest.raises((ArtifactCorruptedError, ArtifactMissingError)):
        registry.load_portfolio(run_id)
    assert any(problem.run_id == run_id for problem in registry.check())
    path = registry.get_run(run_id).portfolio_path
    assert os.path.dirname(path) == str(registry.store.portfolios_dir)
    use_everything(registry, run_id)
    assert contents(outside) == before


@pytest.mark.parametrize(
    "run_id",
    [
        "../x",
        "a/b",
        "a\\b",
        "nul",
        "CON",
        "a\x00b",
        "x" * 10000,
        "",
        ".",
        "..",
        5,
        None,
        ["a"],
        "é" * 36,
        str(uuid.UUID(int=1)).replace("-", ""),
        str(uuid.UUID(int=2**127)).upper().replace("8", "A"),
    ],
)
def test_a_run_id_that_is_none(registry, run_id):
    write_record(registry, run_id=run_id, artifact=artifact("x.pkl"))
    good = write_record(registry, run_id=make_record(1).run_id)
    with pytest.warns(UserWarning, match="line 1"):
        assert [run.run_id for run in registry.list_runs()] == [good]
    assert [problem.kind for problem in registry.check()] == ["malformed_record"]
    if isinstance(run_id, str):
        assert registry.get_run(run_id) is None
        assert registry.load_portfolio(run_id) is None
        assert registry.delete_run(run_id) is False
        with pytest.raises(ValueError, match="run_id"):
            make_record(run_id=run_id)


# ############# Links ############# #


def test_a_portfolio_that_is_a_link(registry, outside, portfolio):
    run_id = registry.save_run(portfolio, "a")
    file = registry.store.portfolios_dir / f"{run_id}.pkl"
    target = outside / file.name
    file.rename(target)
    file.symlink_to(target)
    before = contents(outside)
    with pytest.raises(ArtifactMissingError, match="no regular file"):
        registry.load_portfolio(run_id)
    assert [problem.kind for problem in registry.check()] == ["missing_artifact"]
    use_everything(registry, run_id)
    assert contents(outside) == before


def test_a_folder_of_portfolios_that_is_a_link(registry, outside, portfolio):
    run_id = write_record(registry, artifact=artifact(f"{make_record(0).run_id}.pkl", portfolio.dumps()))
    registry.store.portfolios_dir.symlink_to(outside)
    before = contents(outside)
    with pytest.raises(ArtifactMissingError):
        registry.load_portfolio(run_id)
    with pytest.raises(OSError, match="follows no links"):
        registry.save_run(portfolio, "new")
    assert len(registry) == 1
    assert [problem.kind for problem in registry.check()] == ["missing_artifact"]
    use_everything(registry, run_id)
    assert contents(outside) == before


@pytest.mark.parametrize("name", ["runs_metadata.jsonl", "runs_metadata.json", "runs_metadata.damaged", ".lock"])
@pytest.mark.parametrize("exists", [True, False])
def test_metadata_that_is_a_link(registry, outside, name, exists):
    write_record(registry)
    if name == "runs_metadata.jsonl":
        registry.store.metadata_file.unlink()
    target = outside / ("secret.txt" if exists else "missing.txt")
    (registry.store.base_dir / name).symlink_to(target)
    before = contents(outside)
    if name == "runs_metadata.damaged":
        with pytest.raises(OSError, match="follows no links"):
            registry.check()
    elif name == ".lock":
        with pytest.raises(OSError, match=r"follows no links.*\.lock"):
            registry.update_run(make_record(0).run_id, notes="x")
    elif exists or name == "runs_metadata.jsonl":
        with pytest.raises(OSError, match=f"follows no links.*{name}"):
            registry.list_runs()
    use_everything(registry, make_record(0).run_id)
    assert contents(outside) == before


def test_a_pipe_is_not_waited_for(registry, portfolio):
    run_id = registry.save_run(portfolio, "a")
    file = registry.store.portfolios_dir / f"{run_id}.pkl"
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ArtifactMissingError):
        registry.load_portfolio(run_id)
    registry.store.metadata_file.unlink()
    os.mkfifo(registry.store.metadata_file)
    with pytest.raises(OSError, match="expected a regular file"):
        registry.list_runs()


def test_a_folder_that_the_user_names_may_lie_behind_a_link(tmp_path, portfolio):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    registry = RunRegistry(tmp_path / "link" / "runs", artifacts=FolderArtifacts(tmp_path / "link" / "blobs"))
    run_id = registry.save_run(portfolio, "a")
    assert registry.load_portfolio(run_id) is not None
    assert (tmp_path / "disk" / "blobs" / f"{run_id}.pkl").is_file()


# ############# Somebody else's portfolio ############# #


@pytest.mark.parametrize("as_sweep", [False, True])
def test_a_record_that_was_given_the_portfolio_of_another_run(registry, portfolio, as_sweep):
    victim = registry.save_run(portfolio, "victim")
    taken = registry.get_run(victim).artifact
    fields = dict(sweep_id=victim, column=0) if as_sweep else {}
    run_id = write_record(registry, artifact=taken, **fields)
    if not as_sweep:
        with pytest.raises(ArtifactCorruptedError, match="not named after it"):
            registry.load_portfolio(run_id)
    assert registry.delete_run(run_id)
    assert registry.load_portfolio(victim) is not None


def test_portfolios_that_were_swapped(registry, portfolio):
    one, two = registry.save_run(portfolio, "a"), registry.save_run(make_portfolio(fast=4), "b")
    folder = registry.store.portfolios_dir
    (folder / f"{one}.pkl").rename(folder / "x")
    (folder / f"{two}.pkl").rename(folder / f"{one}.pkl")
    (folder / "x").rename(folder / f"{two}.pkl")
    for run_id in (one, two):
        with pytest.raises(ArtifactCorruptedError, match="not what was saved"):
            registry.load_portfolio(run_id)


# ############# Code in a pickle ############# #


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def trapped(registry, tmp_path):
    """A run whose portfolio is a trap. Its digest is right: whoever sets a trap also writes the metadata."""
    content = pickle.dumps(Trap(str(tmp_path / "sprung")))
    name = f"{make_record(0).run_id}.pkl"
    run_id = write_record(registry, artifact=artifact(name, content), returns_stats={"observations": 60})
    registry.store.portfolios_dir.mkdir()
    (registry.store.portfolios_dir / f"{run_id}.pkl").write_bytes(content)
    return run_id


def test_pickles_are_refused_where_they_are_not_trusted(registry, trapped, tmp_path):
    wary = RunRegistry(registry.store.base_dir, allow_pickle=False)
    for load in (lambda: wary.load_portfolio(trapped), lambda: wary.load_returns([trapped])):
        with pytest.raises(UntrustedArtifactError, match=r"executes whatever code.*allow_pickle"):
            load()
    assert not (tmp_path / "sprung").exists()
    assert [run.run_id for run in wary.list_runs(where="sharpe_ratio > 0")] == [trapped]


def test_nothing_but_loading_unpickles(registry, trapped, tmp_path):
    other = RunRegistry(tmp_path / "other")
    registry.list_runs()
    registry.to_frame()
    registry.get_best_runs()
    registry.compare_runs([trapped])
    registry.list_sweeps()
    assert registry.check(deep=True) == []
    registry.compact()
    registry.gc(min_age=0)
    registry.export(tmp_path / "exported")
    other.merge(registry)
    repr(registry), registry.get_run(trapped)._repr_html_()
    registry.update_run(trapped, notes="x")
    pickle.loads(pickle.dumps(registry)).list_runs()
    registry.delete_run(trapped)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(Exception, match="cannot be opened"):
        other.load_portfolio(trapped)
    assert (tmp_path / "sprung").exists()  # the trap works


def test_the_older_layout_opens_only_what_lies_inside(tmp_path, outside):
    base = tmp_path / "runs"
    (base / "portfolios").mkdir(parents=True)
    run_id = make_record(0).run_id
    run = dict(run_id=run_id, timestamp="2024-01-01T00:00:00", strategy_name="a", parameters={}, stats={}, tags=[])
    run["portfolio_path"] = str(outside / f"{run_id}.pkl")
    (base / "runs_metadata.json").write_text(json.dumps({run_id: run}))
    before = contents(outside)
    with pytest.raises(ArtifactMissingError):
        RunRegistry(base).load_portfolio(run_id)
    use_everything(RunRegistry(base), run_id)
    assert contents(outside) == before


def test_the_folder_is_that_of_the_time_when_the_store_was_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = FileStore("runs")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.save_run(make_record())
    assert store.base_dir == tmp_path / "runs"
    assert os.listdir(tmp_path / "elsewhere") == []
