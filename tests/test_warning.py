"""A warning shows the line of the user's own file, and no more of a long list than can be read."""

import pytest

import vectorbt as vbt
from tests.support.factories import make_price
from vectorbt.portfolio.registry import RunRegistry
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.testing import make_record
from vectorbt.portfolio.registry.warning import reason_list

RUN_ID = make_record().run_id


@pytest.fixture
def registry(tmp_path):
    return RunRegistry(tmp_path / "mine")


@pytest.fixture
def other(tmp_path):
    return RunRegistry(tmp_path / "other")


def merge(registry, other):
    registry.store.save_run(make_record(notes="here"))
    other.store.save_run(make_record(notes="there"))
    registry.merge(other)


def export(registry, other):
    registry.store.save_run(make_record(notes="here"))
    other.store.save_run(make_record(notes="there"))
    registry.export(other, [RUN_ID])


def convert(registry, other):
    registry.store.insert(RunBlock.of([{**make_record().to_dict(), "artifact": {"names": [f"{RUN_ID}.pkl"]}}]))
    registry.convert()


def collect_garbage(registry, other):
    registry.store.artifacts.write(f"{RUN_ID}.pkl", b"older than the metadata")
    registry.gc(dry_run=True)


def compare_an_unknown_run(registry, other):
    registry.compare_runs(["nowhere"])


def compare_unlike_runs(registry, other):
    registry.store.save_runs([make_record(i, data={"fingerprint": f"{i}" * 64}) for i in range(2)])
    registry.compare_runs([run.run_id for run in registry])


def damage(registry):
    registry.store.save_run(make_record())
    content = registry.store.metadata_file.read_bytes()
    registry.store.metadata_file.write_bytes(content.replace(b"dual_sma", b"\xff"))


def list_what_is_damaged(registry, other):
    damage(registry)
    registry.list_runs()


def display_what_is_damaged(registry, other):
    damage(registry)
    repr(registry)


def merge_what_is_damaged(registry, other):
    damage(other)
    registry.merge(other)


@pytest.mark.parametrize(
    "act",
    [
        *(merge, export, convert, collect_garbage, compare_an_unknown_run, compare_unlike_runs),
        *(list_what_is_damaged, display_what_is_damaged, merge_what_is_damaged),
    ],
    ids=lambda act: act.__name__,
)
def test_a_warning_shows_the_line_of_the_user(registry, other, act):
    with pytest.warns(UserWarning) as caught:
        act(registry, other)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_warning_about_a_portfolio_shows_the_line_of_the_user(registry, portfolio, monkeypatch):
    class Mine(vbt.Portfolio):
        """What a pickle does not tell from a Portfolio."""

    mine = Mine.from_holding(make_price(), freq="1D")
    run_id = registry.save_run(portfolio, "x")
    monkeypatch.setitem(vbt.settings.returns, "year_freq", "100 days")
    with pytest.warns(UserWarning) as caught:
        registry.save_run(mine, "x")
        mine.save_to_registry("x", registry=registry)
        mine.save_to_registry("x", registry=registry, sweep=True)
        registry.load_portfolio(run_id)
    assert {warning.filename for warning in caught} == {__file__}
    assert len({warning.lineno for warning in caught}) == 4


def test_a_long_list_is_cut_and_says_so():
    reasons = [(f"run {i}", "gone") for i in range(12)]
    assert reason_list(reasons[:1]) == "\n  run 0: gone"
    assert reason_list(reasons[:10]).count("gone") == 10 and "more" not in reason_list(reasons[:10])
    assert reason_list(reasons).count("gone") == 10 and reason_list(reasons).endswith("\n  and 2 more")
