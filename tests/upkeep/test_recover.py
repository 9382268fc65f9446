"""A sweep whose line was damaged comes back from its stored portfolio."""

import uuid
from importlib.util import find_spec

import pytest

from tests.support.factories import make_record, make_sweep
from vectorbt.portfolio.registry import FileStore, RunNotFoundError, RunRegistry, UntrustedArtifactError
from vectorbt.portfolio.registry.query.query import Query

FORMATS = ["pickle", pytest.param("portable", marks=pytest.mark.skipif(not find_spec("pyarrow"), reason="portable"))]
KEPT = ("run_id", "sweep_id", "column", "strategy_name", "parameters", "stats", "returns_stats", "data", "artifact")


@pytest.fixture
def registry(tmp_path):
    return RunRegistry(FileStore(tmp_path / "runs"))


def save(registry, **options):
    """Save a sweep and a run behind it. Return the records of the sweep by their ids."""
    run_ids = registry.save_sweep(make_sweep(), "dual_sma", {"fees": 0.001}, ["daily"], "a note", **options)
    registry.store.save_run(make_record())
    return {run_id: registry.get_run(run_id) for run_id in run_ids}


def flip(registry, text):
    """Alter a byte of the line of the sweep, and return a fresh registry on the folder."""
    path = registry.store.metadata_file
    content = bytearray(path.read_bytes())
    content[content.index(text)] ^= 1
    path.write_bytes(content)
    return RunRegistry(FileStore(registry.store.base_dir))


def kept(record):
    found = record.to_dict()
    return {name: found[name] for name in KEPT}


@pytest.mark.filterwarnings("ignore:.*was skipped")
@pytest.mark.parametrize("portfolio_format", FORMATS)
@pytest.mark.parametrize("put_aside", [False, True])
def test_the_runs_come_back_under_their_ids(registry, portfolio_format, put_aside):
    saved = save(registry, portfolio_format=portfolio_format)
    (sweep_id,) = {record.sweep_id for record in saved.values()}
    registry = flip(registry, b'"sharpe_ratio"')
    if put_aside:
        registry.compact()
    assert registry.list_runs(sweep_id=sweep_id) == []
    (lost,) = [problem for problem in registry.check() if problem.kind == "lost_sweep"]
    assert f"recover('{sweep_id}')" in str(lost) and f"{sweep_id}." in lost.place
    with pytest.warns(UserWarning, match="Constant parameters, tags and notes"):
        assert registry.recover(sweep_id, parameters={"fees": 0.001}) == list(saved)
    for view in (registry, RunRegistry(FileStore(registry.store.base_dir))):
        assert [kept(view.get_run(run_id)) for run_id in saved] == list(map(kept, saved.values()))
        assert (view.get_run(next(iter(saved))).tags, len(view)) == ([], 4)
    assert not {problem.kind for problem in registry.check(deep=True)} - {"unreadable_line", "lines_put_aside"}
    for run_id, record in saved.items():
        assert abs((registry.get_run(run_id).timestamp - record.timestamp).total_seconds()) < 60
        assert registry.load_portfolio(run_id).stats()["Total Return [%]"] == record.total_return


def test_nothing_is_recovered_of_a_healthy_sweep(registry):
    saved = save(registry)
    registry.delete_run(next(iter(saved)))
    before = registry.store.metadata_file.read_bytes()
    with pytest.warns(UserWarning, match="all 3 runs of sweep .* there is nothing to recover"):
        assert registry.recover(next(iter(saved.values())).sweep_id) == []
    assert registry.store.metadata_file.read_bytes() == before


@pytest.mark.filterwarnings("ignore:.*(was skipped|measured anew)")
def test_a_run_that_is_there_is_left_alone(registry):
    saved = save(registry)
    first, *others = saved
    registry.update_run(first, notes="changed")
    sweep_id = saved[first].sweep_id
    registry = flip(registry, b'"sharpe_ratio"')
    assert [problem.kind for problem in registry.check()].count("lost_sweep") == 1
    assert registry.recover(sweep_id, "renamed") == others
    runs = [registry.get_run(run_id) for run_id in saved]
    assert [(run.notes, run.strategy_name) for run in runs] == [("changed", "dual_sma")] + [("", "renamed")] * 2
    assert registry.store.count() == 4 and not registry.store.select(Query(deleted=True))


@pytest.mark.filterwarnings("ignore:.*was skipped")
def test_what_cannot_be_recovered(registry):
    saved = save(registry)
    sweep_id = next(iter(saved.values())).sweep_id
    registry = flip(registry, b'"strategy_name":"dual_sma","sweep_id"')
    with pytest.raises(ValueError, match="give strategy_name="):
        registry.recover(sweep_id)
    with pytest.raises(RunNotFoundError, match="no portfolio of a sweep"):
        registry.recover(str(uuid.uuid4()))
    with pytest.raises(ValueError, match="sweep_id must be a lower-case UUID"):
        registry.recover("../x")
    untrusted = RunRegistry(FileStore(registry.store.base_dir, allow_pickle=False))
    with pytest.raises(UntrustedArtifactError):
        untrusted.recover(sweep_id, "dual_sma")
