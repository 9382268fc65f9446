"""What takes a run takes its id, a prefix or a record, and what takes several takes whatever holds them."""

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import AmbiguousRunIdError, MemoryStore, RunNotFoundError, RunRegistry

IDS = [f"{head}-0000-4000-8000-000000000000" for head in ("abcd0000", "abcd1111", "beef0000")]


@pytest.fixture
def registry(portfolio):
    registry = RunRegistry(MemoryStore())
    for number, run_id in enumerate(IDS):
        registry.store.save_run(make_record(number, run_id=run_id), portfolio)
    return registry


ONE = {
    "whole id": lambda run: run.run_id,
    "prefix": lambda run: run.run_id[:5],
    "record": lambda run: run,
}

TAKES_ONE = {
    "get_run": lambda registry, run: registry.get_run(run).run_id,
    "getitem": lambda registry, run: registry[run].run_id,
    "in": lambda registry, run: IDS[1] if run in registry else None,
    "load_portfolio": lambda registry, run: IDS[1] if registry.load_portfolio(run) is not None else None,
    "update_run": lambda registry, run: registry.update_run(run, notes="x").run_id,
    "delete_run": lambda registry, run: registry.delete_run(run) and registry.list_runs(deleted=True).pop().run_id,
    "load_returns": lambda registry, run: registry.load_returns(run).columns.item(),
    "compare_runs": lambda registry, run: registry.compare_runs(run)["run_id"].item(),
    "convert": lambda registry, run: registry.convert(run, to="pickle").skipped[0],
    "export": lambda registry, run: registry.export(MemoryStore(), run).merged[0],
    "delete_runs": lambda registry, run: registry.delete_runs(run) and registry.list_runs(deleted=True).pop().run_id,
}


@pytest.mark.parametrize("form", ONE.values(), ids=ONE)
def test_one_run(registry, form):
    for name, take in TAKES_ONE.items():
        copy = RunRegistry(MemoryStore())
        copy.merge(registry)
        assert take(copy, form(registry.get_run(IDS[1]))) == IDS[1], name


SEVERAL = {
    "RunList": lambda registry: registry.list_runs(where="run_id != none", sort_by="run_id"),
    "mixed": lambda registry: [IDS[0], registry[IDS[1]], "beef"],
    "index": lambda registry: registry.to_frame(sort_by="run_id").index,
    "generator": lambda registry: (run_id for run_id in IDS),
}


@pytest.mark.parametrize("held", SEVERAL.values(), ids=SEVERAL)
def test_several_runs(registry, held):
    assert list(registry.load_returns(held(registry))) == IDS
    assert list(registry.compare_runs(held(registry))["run_id"]) == IDS
    assert sorted(registry.export(MemoryStore(), held(registry)).merged) == IDS
    assert sorted(registry.convert(held(registry), to="pickle").skipped) == IDS
    assert registry.delete_runs(held(registry)) == 3


def test_a_prefix_of_several_runs_changes_nothing(registry):
    for change in (
        lambda: registry.delete_run("abcd"),
        lambda: registry.delete_runs(["beef", "abcd"]),
        lambda: registry.update_run("abcd", notes="x"),
    ):
        with pytest.raises(AmbiguousRunIdError, match=f"{IDS[0]}, {IDS[1]}"):
            change()
    assert len(registry) == 3 and not any(run.notes for run in registry)


def test_a_deleted_run_is_found_by_none_of_its_names(registry):
    run = registry[IDS[2]]
    assert registry.delete_run("beef")
    assert run not in registry and registry.get_run(run) is None and registry.load_portfolio("beef") is None
    for form in ONE.values():
        with pytest.raises(RunNotFoundError, match="no run 'beef"):
            registry[form(run)]
        assert registry.delete_run(form(run)) is False
