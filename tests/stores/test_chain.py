"""Lines that were removed, changed or reordered are found, even if every one of them is intact."""

import json
import sqlite3
import zlib

import pytest

from vectorbt.portfolio.registry import FileStore, RunRecord, RunRegistry


@pytest.fixture
def registry(tmp_path):
    """A folder with six lines: a header, four runs, and the deletion of the third."""
    registry = RunRegistry(tmp_path / "runs")
    runs = [RunRecord(strategy_name=f"strategy_{i}") for i in range(4)]
    for run in runs:
        registry.store.save_run(run)
    registry.delete_run(runs[2].run_id)
    return registry


def lines_of(registry):
    return registry.store.metadata_file.read_bytes().splitlines(keepends=True)


def rewrite(registry, lines):
    """Replace the metadata, as somebody with an editor does."""
    registry.store.metadata_file.write_bytes(b"".join(lines))
    return RunRegistry(registry.store.base_dir)


def with_checksum(line):
    """Return a line that was edited with the checksum that it should have."""
    content = json.loads(line)
    content.pop("crc")
    kind = list(content)[-1]
    value = line[line.index(b'"%s":' % kind.encode()) + len(kind) + 3 : -2]
    return b'{"crc":"%08x' % zlib.crc32(value) + line[16:]


def problems_of(registry, **kwargs):
    return [(problem.kind, problem.message) for problem in registry.check(**kwargs)]


def test_a_sound_chain_has_no_problems(registry):
    assert problems_of(registry) == []
    assert problems_of(registry, chain_head=registry.chain_head()) == []


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_a_line_that_was_cut_out(registry, line):
    lines = lines_of(registry)
    del lines[line]
    ((kind, message),) = problems_of(rewrite(registry, lines))
    assert kind == "broken_chain"
    assert message == f"the line that line {line + 1} was written behind is not there: it was removed or changed"


def test_a_line_that_was_changed_together_with_its_checksum(registry):
    lines = lines_of(registry)
    lines[2] = with_checksum(lines[2].replace(b"strategy_1", b"strategy_9"))
    changed = rewrite(registry, lines)
    assert [run.strategy_name for run in changed.list_runs(strategy_name="strategy_9")] == ["strategy_9"]
    assert [kind for kind, _ in problems_of(changed)] == ["broken_chain"]


def test_lines_that_were_reordered(registry):
    lines = lines_of(registry)
    lines[1], lines[2] = lines[2], lines[1]
    found = problems_of(rewrite(registry, lines))
    assert {kind for kind, _ in found} == {"broken_chain"}
    assert any("lines were added or reordered" in message for _, message in found)


def test_a_line_that_was_added_by_hand(registry):
    lines = lines_of(registry)
    at = lines[1].index(b'"after"')
    added = lines[1][:at] + lines[1][lines[1].index(b'"run"') :]
    messages = [message for _, message in problems_of(rewrite(registry, [*lines[:2], added, *lines[2:]]))]
    assert messages[0] == "line 3 names no line before it: it was not added by a registry"


def test_a_cut_end_is_found_by_a_head_that_was_kept(registry):
    head = registry.chain_head()
    cut = rewrite(registry, lines_of(registry)[:-2])
    assert problems_of(cut) == []
    ((kind, message),) = problems_of(cut, chain_head=head)
    assert kind == "broken_chain" and head in message


def test_a_damaged_line_is_reported_once(registry):
    lines = lines_of(registry)
    lines[2] = lines[2].replace(b"strategy_1", b"strategy_9")
    with pytest.warns(match="line 3 of the metadata was skipped"):
        assert [kind for kind, _ in problems_of(rewrite(registry, lines))] == ["unreadable_line"]


def test_saves_go_on_from_what_is_there(registry):
    head = registry.chain_head()
    other = FileStore(registry.store.base_dir)  # another process
    other.save_run(RunRecord(strategy_name="later"))
    registry.store.save_run(RunRecord(strategy_name="later"))
    other.update_run(registry.list_runs()[0].run_id, notes="seen")
    assert registry.chain_head() != head
    assert problems_of(registry, chain_head=head) == []


def test_a_compaction_names_the_chain_that_it_ends(registry):
    early, head = registry.chain_head(), None
    registry.store.save_run(RunRecord(strategy_name="later"))
    head = registry.chain_head()
    assert registry.compact().lines_after < 7
    assert problems_of(registry, chain_head=head) == []
    assert registry.chain_head() not in (early, head)
    registry.store.save_run(RunRecord(strategy_name="later"))
    assert problems_of(registry, chain_head=head) == []
    registry.compact()
    before = registry.store.metadata_file.read_bytes()
    registry.compact()
    assert registry.store.metadata_file.read_bytes() == before  # nothing to rewrite, so the chain goes on


def test_a_compaction_does_not_heal_a_chain(registry):
    lines = lines_of(registry)
    del lines[1]
    cut = rewrite(registry, lines)
    cut.compact()
    ((kind, message),) = problems_of(cut)
    assert (kind, message) == ("broken_chain", "lines had been removed or changed in 1 place before a compaction")


def test_an_empty_registry_has_no_head(tmp_path):
    assert RunRegistry(tmp_path / "none").chain_head() is None


# ############# Databases ############# #


@pytest.fixture
def database(tmp_path):
    """A database of four runs, of which one is deleted and one is updated."""
    registry = RunRegistry(tmp_path / "runs.db")
    runs = [RunRecord(strategy_name=f"strategy_{i}", returns_stats={"sharpe": 0.1 * i}) for i in range(4)]
    for run in runs:
        registry.store.save_run(run)
    registry.delete_run(runs[2].run_id)
    registry.update_run(runs[1].run_id, notes="seen", strategy_name="renamed")
    yield registry
    registry.close()


def edit(registry, *statements):
    """Change a database behind the back of the registry."""
    with sqlite3.connect(registry.store.path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_changes_by_the_registry_leave_a_database_sound(database, tmp_path):
    head = database.chain_head()
    deleted = database.list_runs(deleted=True)[0].run_id
    database.restore_run(deleted)
    database.store.save_run(RunRecord(strategy_name="later"))
    database.delete_runs(strategy_name="renamed", permanent=True)
    other = RunRegistry(tmp_path / "other.db")
    other.merge(database)
    assert database.check() == database.check(chain_head=head) == other.check() == []
    assert database.chain_head() != head
    other.close()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ["DELETE FROM records WHERE id = 2", "DELETE FROM runs WHERE id = 2"],
            "1 of the 4 runs that were saved are not there",
        ),
        (["UPDATE records SET record = replace(record, '\"sharpe\":0.1', '\"sharpe\":0.9')"], "was saved: its metrics"),
        (["DELETE FROM saves WHERE id = 1"], "1 runs are there that no registry has saved"),
    ],
)
def test_what_is_edited_in_a_database_is_found(database, statements, message):
    edit(database, *statements)
    ((kind, found),) = problems_of(database)
    assert kind == "broken_chain" and message in found


def test_a_database_that_was_edited_alike_in_both_tables_is_found_by_a_head(database):
    head = database.chain_head()
    edit(
        database,
        "DELETE FROM records WHERE id = 4",
        "DELETE FROM runs WHERE id = 4",
        "DELETE FROM saves WHERE id = 4",
    )
    assert problems_of(database) == []
    ((kind, message),) = problems_of(database, chain_head=head)
    assert kind == "broken_chain" and head in message


def test_a_database_without_runs_has_no_head(tmp_path):
    registry = RunRegistry(tmp_path / "none.db")
    assert registry.chain_head() is None
    ((kind, _),) = problems_of(registry, chain_head="1-1-ab")
    assert kind == "broken_chain"
