"""A stored portfolio is opened only by its owner, only if it may be trusted, and only if it is unaltered."""

import pickle

import pytest

import vectorbt as vbt
from tests.support.factories import make_portfolio, make_record, make_sweep
from vectorbt.portfolio.registry import (
    ArtifactCorruptedError,
    ArtifactMissingError,
    ArtifactUnreadableError,
    MemoryStore,
    RunRegistry,
    UntrustedArtifactError,
)
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.portfolios.columns import select_column
from vectorbt.portfolio.registry.portfolios.stored import StoredPortfolio, sharing

FORMATS = ["pickle", "portable", "returns"]
DIGEST = "0" * 32


@pytest.fixture
def store():
    return MemoryStore()


class Loud:
    """Raises an error with a message that clears a terminal when it is unpickled."""

    def __reduce__(self):
        return _clear_the_terminal, ()


def _clear_the_terminal():
    raise ValueError("\x1b[2J")


class Trap:
    """Raises when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


def keep(store, record, blobs, format_name="pickle", **altered):
    """Write blobs, and return the record that refers to them, as a registry would have it."""
    for name, content in blobs.items():
        store.artifacts.write(name, content)
    artifact = {**Artifact.of_blobs(format_name, blobs).to_dict(), **altered}
    record.artifact = artifact
    return record


def save(store, form, portfolio=None):
    run_id = RunRegistry(store).save_run(portfolio or make_portfolio(), "x", portfolio_format=form)
    return store.get_run(run_id)


def damage(store, name):
    content = bytearray(store.artifacts.read(name))
    for position in range(len(content) // 4, len(content) // 2):  # one byte may be part of nothing that counts
        content[position] ^= 1
    store.artifacts.write(name, bytes(content))


def ways_to_open(stored):
    return [stored.load, lambda: stored.load_column(0), stored.load_returns]


# ############# Loading ############# #


@pytest.mark.parametrize("form", ["pickle", "portable"])
def test_the_whole_a_column_and_the_returns(store, form):
    sweep = make_sweep()
    run_ids = RunRegistry(store).save_sweep(sweep, "x", portfolio_format=form)
    stored = StoredPortfolio(store.get_run(run_ids[1]), store.artifacts, allow_pickle=True)
    assert stored.is_whole
    assert stored.load().total_return().equals(sweep.total_return())
    assert stored.load_column(1).total_return() == select_column(sweep, 1).total_return()
    assert stored.load_returns().equals(sweep.returns())


def test_of_returns_only_the_returns_can_be_loaded(store):
    stored = store.stored(save(store, "returns"))
    assert not stored.is_whole
    assert stored.load_returns().iloc[:, 0].tolist() == make_portfolio().returns().tolist()
    with pytest.raises(ArtifactUnreadableError, match="only the return series was saved"):
        stored.load()


def test_what_is_said_of_a_file_moves_no_cursor(store):
    record = keep(store, make_record(), {f"{make_record().run_id}.pkl": pickle.dumps(Loud())})
    with pytest.raises(ArtifactUnreadableError, match=r"\\x1b\[2J") as error:
        StoredPortfolio(record, store.artifacts, allow_pickle=True).load()
    assert str(error.value).isprintable()


def test_a_run_without_a_portfolio_has_none_that_is_stored(store):
    with pytest.raises(ValueError, match="save_portfolio='returns'"):
        store.stored(make_record())


def test_a_format_of_a_newer_version_is_named(store):
    record = keep(store, make_record(), {f"{make_record().run_id}.new": b"x"}, "hologram")
    stored = store.stored(record)
    assert stored.is_whole
    stored.verify()
    for load in ways_to_open(stored):
        with pytest.raises(ArtifactUnreadableError, match="'hologram'"):
            load()


def test_a_record_that_does_not_say_the_format(store):
    run = save(store, "pickle")

    def forget(record):
        record.artifact = {key: value for key, value in record.artifact.items() if key != "format"}
        return record

    store.update(run.run_id, forget)
    registry = RunRegistry(store)
    with pytest.raises(ArtifactUnreadableError, match="format None"):
        registry.load_portfolio(run.run_id)
    with pytest.warns(UserWarning, match="format None"):
        assert [run_id for run_id, _ in registry.convert().failures] == [run.run_id]
    assert registry.check(deep=True) == []


def test_other_settings_are_told_to_whoever_loads_the_portfolio(store):
    registry = RunRegistry(store)
    (run_id,) = run_ids = registry.save_sweep(make_sweep().iloc[:1], "x")
    record = registry.get_run(run_id)
    year_freq = vbt.settings.returns["year_freq"]
    vbt.settings.returns["year_freq"] = "100 days"
    try:
        for load, key in ((registry.load_portfolio, run_ids[0]), (registry.load_sweep, record.sweep_id)):
            with pytest.warns(UserWarning, match="other vbt.settings") as caught:
                load(key)
            assert caught[0].filename == __file__
    finally:
        vbt.settings.returns["year_freq"] = year_freq


# ############# Checks before it is opened ############# #


def test_owner_then_trust_then_content(store):
    other, own = make_record(1), make_record(0)
    trap = {f"{other.run_id}.pkl": pickle.dumps(Trap())}
    foreign = StoredPortfolio(keep(store, own, trap, sha256="0" * 64), store.artifacts, allow_pickle=False)
    untrusted = StoredPortfolio(keep(store, other, trap, sha256="0" * 64), store.artifacts, allow_pickle=False)
    altered = StoredPortfolio(other, store.artifacts, allow_pickle=True)
    for stored, error, message in (
        (foreign, ArtifactCorruptedError, "not named after it"),
        (untrusted, UntrustedArtifactError, "allow_pickle=True"),
        (altered, ArtifactCorruptedError, "not what was saved"),
    ):
        for load in ways_to_open(stored):
            with pytest.raises(error, match=message):
                load()


def test_names_that_lead_elsewhere(store):
    record = save(store, "portable", make_portfolio())
    names = [*record.artifact["names"][:1], "../../etc/passwd"]
    record.artifact = {**record.artifact, "names": names}
    stored = store.stored(record)
    for load in (stored.read, stored.verify, *ways_to_open(stored)):
        with pytest.raises(ArtifactCorruptedError, match=record.run_id):
            load()


# ############# Verifying ############# #


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_saved_passes_without_being_trusted(store, form):
    record = save(store, form)
    StoredPortfolio(record, store.artifacts, allow_pickle=False).verify()


@pytest.mark.parametrize("form", FORMATS)
def test_every_file_is_verified(store, form):
    record = save(store, form)
    for name in record.artifact["names"]:
        content = store.artifacts.read(name)
        damage(store, name)
        with pytest.raises(ArtifactCorruptedError, match=record.run_id):
            store.stored(record).verify()
        store.artifacts.delete(name)
        with pytest.raises(ArtifactMissingError, match=record.run_id):
            store.stored(record).verify()
        store.artifacts.write(name, content)
    store.stored(record).verify()


def test_verifying_executes_nothing_and_reads_in_parts(store, monkeypatch):
    monkeypatch.setattr("vectorbt.portfolio.registry.portfolios.stored._CHUNK", 16)
    content = pickle.dumps(Trap()) + bytes(100)
    record = keep(store, make_record(), {f"{make_record().run_id}.pkl": content})
    store.stored(record).verify()
    damage(store, record.artifact["names"][0])
    with pytest.raises(ArtifactCorruptedError, match=f"found {len(content)} bytes"):
        store.stored(record).verify()


def test_reading_the_files_opens_nothing(store):
    blobs = {f"{make_record().run_id}.pkl": pickle.dumps(Trap()), f"{DIGEST}.parquet": b"shared"}
    record = keep(store, make_record(), blobs)
    stored = StoredPortfolio(record, store.artifacts, allow_pickle=False)
    assert stored.read() == blobs
    damage(store, next(iter(blobs)))
    with pytest.raises(ArtifactCorruptedError, match="not what was saved"):
        stored.read()


# ############# Whose it is ############# #


def test_a_foreign_record_gets_no_returns_in_the_company_of_the_owner(store):
    owner = save(store, "returns")
    foreign = make_record(1)
    store.insert(RunBlock.of([{**foreign.to_dict(), "artifact": owner.artifact}]))
    with pytest.raises(ArtifactCorruptedError, match="not named after it"):
        store.load_returns([owner.run_id, foreign.run_id])
    assert [len(group) for group in sharing(store.list_runs())] == [1, 1]


def test_the_users_of_a_portfolio(store):
    sweep_id = make_record(9).run_id
    artifact = Artifact("portable", (f"{sweep_id}.json", f"{DIGEST}.parquet"), 1, "a" * 64)
    lone = Artifact("portable", (f"{make_record(5).run_id}.json", f"{DIGEST}.parquet"), 1, "a" * 64)
    older = Artifact("pickle", ("old.pkl",), None, None)
    sweep = [make_record(i, sweep_id=sweep_id, column=i) for i in range(3)]
    store.insert(
        RunBlock.of(
            [
                {**sweep[0].to_dict(), "artifact": artifact.to_dict()},
                {**sweep[1].to_dict(), "artifact": artifact.to_dict()},
                {**sweep[2].to_dict(), "artifact": None},
            ]
        )
    )
    store.insert(RunBlock.of([{**make_record(5).to_dict(), "artifact": lone.to_dict()}]))
    store.insert(RunBlock.of([{**make_record(6).to_dict(), "artifact": older.to_dict()}]))
    store.insert(RunBlock.of([{**make_record(7).to_dict(), "artifact": older.to_dict()}]))

    def users(one):
        return sorted(record.run_id for record in store.users_of(one))

    assert users(artifact) == sorted(record.run_id for record in sweep[:2])
    assert users(lone) == [make_record(5).run_id]
    assert users(older) == [make_record(6).run_id, make_record(7).run_id]
    store.delete_runs([record.run_id for record in sweep])
    assert users(artifact) == []
