"""Checking a registry, removing what nobody needs, and rewriting the metadata."""

import hashlib
import json
import multiprocessing
import os
import threading
import uuid
import warnings
from datetime import timedelta

import numpy as np
import pytest

from tests.support.factories import make_portfolio, make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore, RunRegistry
from vectorbt.portfolio.registry.artifacts import files
from vectorbt.portfolio.registry.artifacts import folder as folder_artifacts
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.stores.journal import line_of, unchained

DAY = 86_400
ORPHAN = f"{uuid.UUID(int=99, version=4)}.pkl"


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "runs")


@pytest.fixture
def registry(store):
    return RunRegistry(store)


def age(path, seconds):
    """Make a file look older."""
    status = os.stat(path)
    os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds))


def snapshot(folder):
    """Return all files below a folder with their contents and times."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def everything(store):
    """Return all records of a store, as dicts, with the deleted ones told apart, in the order of the file."""
    fresh = FileStore(store.base_dir)
    return [[run.to_dict() for run in fresh.select(Query(deleted=deleted))] for deleted in (False, True)]


def kinds(registry, **options):
    return sorted(problem.kind for problem in registry.check(**options))


def edit_line(store, number, change):
    """Change a line of the metadata, counted from 1."""
    lines = store.metadata_file.read_bytes().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    store.metadata_file.write_bytes(b"".join(lines))
    return lines[number - 1]


def flip(line):
    """Flip one bit, away from the beginning of a line, where the id is."""
    return line[:150] + bytes([line[150] ^ 1]) + line[151:]


@pytest.fixture
def quiet():
    """Damage that a test has made itself need not be reported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class TestCheck:
    def test_a_sound_registry_has_no_problems(self, registry, portfolio, sweep):
        assert registry.check() == registry.check(deep=True) == []
        registry.save_run(portfolio, "a")
        run_ids = registry.save_sweep(sweep, "b")
        registry.update_run(run_ids[0], notes="x")
        registry.delete_run(run_ids[1])
        assert registry.check() == registry.check(deep=True) == []
        registry.close()
        assert registry.check(deep=True) == []

    def test_a_registry_that_was_never_saved_to_is_not_made(self, registry, store):
        assert registry.check() == registry.gc(min_age=0) == []
        assert registry.compact().bytes_after == 0
        assert not store.base_dir.exists()

    def test_damaged_lines_are_listed_with_file_number_and_run(self, registry, store, quiet):
        for number in range(4):
            store.save_run(make_record(number))
        edit_line(store, 3, flip)
        edit_line(store, 4, lambda line: b"\xef\xbb\xbf" + line)
        edit_line(store, 5, lambda line: line_of("run", RunBlock.of([{"run_id": make_record(3).run_id, "tags": 5}])))
        found = {problem.kind: problem for problem in registry.check()}
        assert set(found) == {"unreadable_line", "altered_line", "malformed_record"}
        assert found["unreadable_line"].place == f"{store.metadata_file}:3"
        assert found["unreadable_line"].run_id == make_record(1).run_id
        assert found["altered_line"].place == f"{store.metadata_file}:4"
        assert found["malformed_record"].place == f"{store.metadata_file}:5"
        assert found["malformed_record"].run_id == make_record(3).run_id
        assert all(problem.remedy and problem.message for problem in found.values())

    def test_a_torn_end(self, registry, store):
        store.save_run(make_record())
        with open(store.metadata_file, "ab") as file:
            file.write(b'{"crc":"')
        (problem,) = registry.check()
        assert (problem.kind, problem.place) == ("torn_end", str(store.metadata_file))
        store.save_run(make_record(1))
        assert registry.check() == []

    @pytest.mark.parametrize("end", ["a run", "a run,", "a run\r", '{"somebody": "else\'s"}'])
    def test_an_end_that_no_writer_left_like_this_is_put_aside(self, registry, store, portfolio, quiet, end):
        run_id = registry.save_run(portfolio, "a")
        content = store.metadata_file.read_bytes()
        end = end.encode().replace(b"a run", content[content.index(b'{"crc"', 1) : -1])
        whole = content[: content.index(b'{"crc"', 1)] + end + b"\n"
        store.metadata_file.write_bytes(whole[:-1])
        (problem,) = [problem for problem in registry.check() if problem.kind == "torn_end"]
        assert "line break" in problem.remedy
        assert [garbage for garbage in registry.gc(min_age=0) if run_id in garbage.place] == []
        for tidy in (registry.compact, lambda: store.save_run(make_record())):
            store.metadata_file.write_bytes(whole[:-1])
            tidy()
            assert store.damaged_file.read_bytes() == end + b"\n"
            store.damaged_file.unlink()
        store.metadata_file.write_bytes(whole)
        assert (registry.get_run(run_id) is not None) == (run_id.encode() in end)

    @pytest.mark.parametrize("ending", ["prices", ".logs.parquet"])
    def test_damage_to_a_further_file_of_a_portfolio(self, store, ending):
        registry = RunRegistry(FileStore(store.base_dir, portfolio_format="portable"))
        run_id = registry.save_run(make_portfolio(log=True), "a")
        path = next(path for path in store.portfolios_dir.iterdir() if ending in path.name)
        content = path.read_bytes()
        assert registry.check(deep=True) == []
        path.write_bytes(b"".join([content[:200], bytes([content[200] ^ 1]), content[201:]]))
        (problem,) = registry.check(deep=True)
        assert (problem.kind, problem.run_id) == ("altered_artifact", run_id)

    def test_a_portfolio_of_an_unknown_format_is_not_taken_for_damaged(self, registry, store):
        names = [f"{make_record().run_id}.new", f"{'ab' * 32}.prices.new"]
        for name in names:
            store.artifacts.write(name, b"x")
        digest = hashlib.sha256(b"x").hexdigest()
        artifact = {"format": "of a newer version", "size": 1, "sha256": digest, "names": names}
        store.insert(RunBlock.of([{**make_record().to_dict(), "artifact": artifact}]))
        assert registry.check(deep=True) == []

    def test_prices_that_are_removed_while_they_are_compared_are_written_again(self, store, monkeypatch):
        registry = RunRegistry(FileStore(store.base_dir, portfolio_format="portable"))
        registry.save_run(make_portfolio(), "a")
        artifacts = registry.store.artifacts
        size = artifacts.size

        def removed_at_once(name):
            found = size(name)
            monkeypatch.setattr(artifacts, "size", size)
            artifacts.delete(name)
            return found

        monkeypatch.setattr(artifacts, "size", removed_at_once)
        run_id = registry.save_run(make_portfolio(fast=4), "a")
        assert registry.load_portfolio(run_id) is not None

    def test_a_save_repairs_damaged_prices(self, store):
        registry = RunRegistry(FileStore(store.base_dir, portfolio_format="portable"))
        run_id = registry.save_run(make_portfolio(), "a")
        path = next(path for path in store.portfolios_dir.iterdir() if "prices" in path.name)
        content = path.read_bytes()
        path.write_bytes(b"".join([content[:200], bytes([content[200] ^ 1]), content[201:]]))
        other = registry.save_run(make_portfolio(fast=4), "a")
        assert path.read_bytes() == content
        assert registry.load_portfolio(run_id) is not None and registry.load_portfolio(other) is not None

    def test_an_older_file_that_cannot_be_opened_is_an_error_each_time(self, registry, store, tmp_path):
        store.base_dir.mkdir()
        (tmp_path / "elsewhere.json").write_text(json.dumps({make_record().run_id: {"strategy_name": "old"}}))
        store.older_metadata_file.symlink_to(tmp_path / "elsewhere.json")
        store.artifacts.write(f"{make_record().run_id}.pkl", b"old")
        for use in (registry.list_runs, registry.list_runs, lambda: registry.gc(min_age=0)):
            with pytest.raises(OSError, match=r"runs_metadata\.json"):
                use()
        assert "cannot be read" in repr(registry) and len(store.artifacts.list()) == 1

    def test_portfolios_that_a_cut_older_file_may_have_named_are_kept(self, registry, store, quiet):
        store.base_dir.mkdir()
        store.older_metadata_file.write_text('{"' + make_record().run_id + '": {"strategy_name": "ol')
        for number in range(3):
            store.artifacts.write(f"{make_record(number).run_id}.pkl", b"old")
        store.save_run(make_record(5))
        assert registry.gc(min_age=0) == []

    def test_problems_of_the_older_layout_name_its_file(self, registry, store, quiet):
        store.base_dir.mkdir()
        store.older_metadata_file.write_text(json.dumps({"x": {"strategy_name": "a"}}))
        (problem,) = registry.check()
        assert problem.kind == "malformed_record"
        assert problem.place.startswith(str(store.older_metadata_file))

    def test_a_missing_portfolio(self, registry, store, portfolio, sweep):
        run_id = registry.save_run(portfolio, "a")
        run_ids = registry.save_sweep(sweep, "b")
        for info in store.artifacts.list():
            store.artifacts.delete(info.name)
        found = {problem.run_id: problem for problem in registry.check()}
        assert set(found) == {run_id, run_ids[0]}
        assert {problem.kind for problem in found.values()} == {"missing_artifact"}
        assert found[run_id].place == registry.get_run(run_id).portfolio_path
        assert "2 more" in found[run_ids[0]].message

    def test_an_altered_portfolio(self, registry, store, portfolio):
        run_id = registry.save_run(portfolio, "a")
        path = store.portfolios_dir / f"{run_id}.pkl"
        content = path.read_bytes()
        path.write_bytes(flip(content))
        assert registry.check() == []
        (problem,) = registry.check(deep=True)
        assert (problem.kind, problem.run_id, problem.place) == ("altered_artifact", run_id, str(path))
        path.write_bytes(content[:-1])
        (problem,) = registry.check()
        assert problem.kind == "altered_artifact" and str(len(content)) in problem.message

    def test_a_record_that_points_elsewhere(self, registry, store):
        store.insert(RunBlock.of([{**make_record().to_dict(), "artifact": {"names": ["../../etc/passwd"]}}]))
        (problem,) = registry.check(deep=True)
        assert (problem.kind, problem.run_id) == ("missing_artifact", make_record().run_id)

    def test_a_record_that_points_at_the_portfolio_of_another_run(self, registry, store, portfolio):
        run_id = registry.save_run(portfolio, "a")
        artifact = registry.get_run(run_id).artifact
        store.insert(RunBlock.of([{**make_record().to_dict(), "artifact": artifact}]))
        (problem,) = registry.check()
        assert (problem.kind, problem.run_id) == ("altered_artifact", make_record().run_id)
        assert "another run" in problem.message

    def test_orphans_and_temporary_files(self, registry, store, portfolio):
        registry.save_run(portfolio, "a")
        store.artifacts.write(ORPHAN, b"left behind")
        temporary = [store.portfolios_dir / ".tmp-1", store.base_dir / ".tmp-2"]
        for path in temporary:
            path.write_bytes(b"half")
        found = {(problem.kind, problem.place) for problem in registry.check()}
        expected = {("temporary_file", str(path)) for path in temporary}
        assert found == {("orphan_artifact", str(store.portfolios_dir / ORPHAN)), *expected}

    def test_nothing_is_changed_and_the_media_may_be_read_only(self, registry, store, portfolio, monkeypatch, quiet):
        registry.save_run(portfolio, "a")
        registry.save_run(portfolio, "b")
        edit_line(store, 2, flip)
        store.artifacts.write(ORPHAN, b"left behind")
        before = snapshot(store.base_dir)

        def refuse(*args, **kwargs):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(FileStore, "exclusive", refuse)
        for name in ("DurableFolder.make", "write_atomically"):
            monkeypatch.setattr(f"{folder_artifacts.__name__}.{name}", refuse)
        assert "unreadable_line" in kinds(RunRegistry(FileStore(store.base_dir)), deep=True)
        assert RunRegistry(FileStore(store.base_dir)).gc(min_age=0, dry_run=True)
        assert RunRegistry(FileStore(store.base_dir)).compact(dry_run=True).put_aside == 1
        assert snapshot(store.base_dir) == before


class TestGc:
    def test_what_is_old_enough_goes_and_is_listed(self, registry, store, portfolio):
        store.save_run(make_record())
        run_id = registry.save_run(portfolio, "a")
        store.artifacts.write(ORPHAN, b"left behind")
        young = f"{uuid.UUID(int=98, version=4)}.pkl"
        store.artifacts.write(young, b"being saved")
        temporary = store.base_dir / ".tmp-1"
        temporary.write_bytes(b"half")
        for path in (store.portfolios_dir / ORPHAN, temporary, store.portfolios_dir / f"{run_id}.pkl"):
            age(path, 2 * DAY)
        planned = registry.gc(dry_run=True)
        assert (store.portfolios_dir / ORPHAN).exists() and temporary.exists()
        removed = registry.gc()
        assert [(g.kind, g.place, g.size) for g in removed] == [(g.kind, g.place, g.size) for g in planned]
        assert [(g.kind, g.size) for g in removed] == [("orphan_artifact", 11), ("temporary_file", 4)]
        assert all(2 * DAY <= g.age < 3 * DAY for g in removed)
        assert sorted(info.name for info in store.artifacts.list()) == sorted([f"{run_id}.pkl", young])
        assert not temporary.exists() and registry.gc() == []
        assert len(registry.gc(min_age="0s")) == 1

    @pytest.mark.parametrize("min_age", ["1 h", 3600, 3600.0, timedelta(hours=1), np.timedelta64(1, "h")])
    def test_ages(self, registry, store, min_age):
        store.save_run(make_record())
        store.artifacts.write(ORPHAN, b"left behind")
        age(store.portfolios_dir / ORPHAN, 3500)
        assert registry.gc(min_age) == []
        age(store.portfolios_dir / ORPHAN, 200)
        assert len(registry.gc(min_age)) == 1

    def test_portfolios_from_before_the_first_run_are_kept(self, registry, store, portfolio):
        lost = registry.save_run(portfolio, "a")
        age(store.portfolios_dir / f"{lost}.pkl", 2 * DAY)
        store.metadata_file.write_bytes(b"")
        registry.save_run(portfolio, "b")
        with pytest.warns(UserWarning, match="holds 1 portfolios .* from before its first one"):
            assert registry.gc() == []
        assert (store.portfolios_dir / f"{lost}.pkl").exists()

    @pytest.mark.parametrize("min_age", ["-1 day", -1, float("nan"), "soon", "NaT"])
    def test_an_age_that_means_nothing(self, registry, min_age):
        with pytest.raises(ValueError, match="min_age"):
            registry.gc(min_age)

    @pytest.mark.parametrize("min_age", [None, True, [1]])
    def test_an_age_of_the_wrong_type(self, registry, min_age):
        with pytest.raises(TypeError, match="min_age"):
            registry.gc(min_age)

    def test_portfolios_of_all_names_of_a_run_are_kept(self, registry, store):
        names = [f"{make_record().run_id}.pkl", f"{'ab' * 32}.prices.npz"]
        for name in names:
            store.artifacts.write(name, b"x")
        store.insert(RunBlock.of([{**make_record().to_dict(), "artifact": {"names": names}}]))
        assert registry.gc(min_age=0) == [] and registry.check() == []

    def test_files_that_nobody_saved_as_portfolios_are_kept(self, registry, store, portfolio):
        registry.save_run(portfolio, "a")
        mine = store.portfolios_dir / "favourite.pkl"
        mine.write_bytes(b"mine")
        assert registry.gc(min_age=0) == []
        assert mine.read_bytes() == b"mine"

    @pytest.mark.parametrize("put_aside", [False, True])
    def test_the_portfolio_of_a_damaged_record_is_kept(self, registry, store, portfolio, quiet, put_aside):
        run_id = registry.save_run(portfolio, "a")
        registry.save_run(portfolio, "b")
        edit_line(store, 2, flip)
        if put_aside:
            registry.compact()
        assert registry.get_run(run_id) is None
        assert registry.gc(min_age=0) == []
        assert (store.portfolios_dir / f"{run_id}.pkl").exists()

    def test_a_blob_that_is_taken_while_its_run_is_being_saved_is_written_again(self, store, portfolio, monkeypatch):
        insert = store.artifacts.write
        taken = []

        def write(name, content):
            insert(name, content)
            if not taken:
                taken.extend(RunRegistry(FileStore(store.base_dir)).gc(min_age=0))

        store.save_run(make_record())
        monkeypatch.setattr(store.artifacts, "write", write)
        run_id = RunRegistry(store).save_run(portfolio, "a")
        assert [garbage.kind for garbage in taken] == ["orphan_artifact"]
        assert RunRegistry(FileStore(store.base_dir)).load_portfolio(run_id) is not None

    def test_a_temporary_file_that_is_taken_while_it_is_being_written(self, store, portfolio, monkeypatch):
        replace = os.replace
        taken = []

        def take_first(source, target):
            if not taken:
                taken.extend(RunRegistry(FileStore(store.base_dir)).gc(min_age=0))
            replace(source, target)

        monkeypatch.setattr(os, "replace", take_first)
        run_id = RunRegistry(store).save_run(portfolio, "a")
        assert [garbage.kind for garbage in taken] == ["temporary_file"]
        assert RunRegistry(FileStore(store.base_dir)).load_portfolio(run_id) is not None

    def test_in_memory(self, portfolio):
        registry = RunRegistry(MemoryStore())
        registry.save_run(portfolio, "a")
        registry.store.artifacts.write(ORPHAN, b"left behind")
        assert kinds(registry, deep=True) == ["orphan_artifact"]
        assert [garbage.size for garbage in registry.gc(min_age=0)] == [11]
        assert registry.check(deep=True) == []
        assert registry.compact() == (0, 0, 0, 0, 0)


class TestCompact:
    def fill(self, store):
        """Save runs, a sweep and several deletions, and supersede some of them."""
        sweep_id = str(uuid.UUID(int=77, version=4))
        store.save_run(make_record(0))
        columns = [make_record(i, sweep_id=sweep_id, column=i, parameters={"x": i}) for i in range(1, 6)]
        store.save_runs(columns)
        store.save_runs([make_record(i) for i in range(6, 9)])
        for number in (0, 2, 2, 7):
            store.update_run(make_record(number).run_id, add_tags=f"t{number}", notes="changed")
        store.delete_runs([make_record(number).run_id for number in (3, 4, 8)])

    def test_the_same_runs_in_fewer_lines(self, registry, store):
        self.fill(store)
        before = everything(store)
        planned = registry.compact(dry_run=True)
        assert store.metadata_file.stat().st_size == planned.bytes_before
        done = registry.compact()
        content = store.metadata_file.read_bytes()
        assert done == planned
        assert (done.bytes_after, done.lines_after) == (len(content), content.count(b"\n"))
        assert done.bytes_after < done.bytes_before and done.put_aside == 0
        assert done.lines_after == 1 + 1 + 1 + 2 + 1 + 1  # header, run, sweep, runs; deleted sweep and run
        assert everything(store) == before
        assert [run.to_dict() for run in registry.list_runs()] == before[0]
        assert kinds(registry) == []

    def test_a_second_time_changes_nothing(self, registry, store):
        self.fill(store)
        registry.compact()
        content, status = store.metadata_file.read_bytes(), os.stat(store.metadata_file)
        again = registry.compact()
        assert again.bytes_before == again.bytes_after == len(content)
        assert store.metadata_file.read_bytes() == content
        assert os.stat(store.metadata_file).st_ino == status.st_ino
        assert RunRegistry(FileStore(store.base_dir)).compact() == again

    @pytest.mark.parametrize("meanwhile", ["save", "delete", "update", "compact", "gc"])
    def test_others_go_on_while_the_new_file_is_written(self, registry, store, monkeypatch, meanwhile):
        self.fill(store)
        other = RunRegistry(FileStore(store.base_dir))
        work = dict(
            save=lambda: other.store.save_run(make_record(20)),
            delete=lambda: other.delete_run(make_record(5).run_id),
            update=lambda: other.update_run(make_record(6).run_id, notes="meanwhile"),
            compact=other.compact,
            gc=lambda: other.gc(min_age=0),
        )[meanwhile]
        seen = []

        def write_fully(fd, content):
            if not seen:
                seen.append(everything(store))
                work()
                seen.append(everything(store))
            files_write_fully(fd, content)

        files_write_fully = files.write_fully
        monkeypatch.setattr(files, "write_fully", write_fully)
        done = registry.compact()
        assert (seen[0] != seen[1]) == (meanwhile in ("save", "delete", "update"))
        content = store.metadata_file.read_bytes()
        assert everything(store) == seen[1] == everything(FileStore(store.base_dir))
        assert (done.bytes_after, done.lines_after) == (len(content), content.count(b"\n"))
        assert kinds(registry) == []

    def test_what_a_newer_version_wrote_is_kept_as_it_is(self, registry, store):
        newer = [
            {
                **make_record(i, sweep_id=str(uuid.UUID(int=77, version=4)), column=i).to_dict(),
                "verdict": {"$odd": [1, 1.0, True]},
                "nothing_yet": [{}, [], "", None][i],
                "parameters": {"a": {"$newer": i}, "side": {"$enum": ["no.such:Side", "LONG", 1]}},
            }
            for i in range(4)
        ]
        store.insert(RunBlock.of(newer))
        store.update_run(newer[0]["run_id"], notes="x")
        registry.compact()
        found = {run["run_id"]: run for run in everything(store)[0]}
        for record in newer:
            for name in ("verdict", "nothing_yet", "parameters"):
                assert json.dumps(found[record["run_id"]][name]) == json.dumps(record[name])

    def test_a_run_that_has_the_id_of_a_sweep(self, registry, store):
        sweep_id = make_record(40).run_id
        store.save_runs([make_record(i, sweep_id=sweep_id, column=i) for i in range(3)])
        store.save_run(make_record(40))
        before = everything(store)
        registry.compact()
        assert everything(FileStore(store.base_dir)) == before and len(before[0]) == 4

    def test_values_that_only_python_takes_for_equal_stay_apart(self, registry, store):
        values = [1, 1.0, True]
        store.save_runs([make_record(i, parameters={"x": value}) for i, value in enumerate(values)])
        registry.delete_runs([make_record(i).run_id for i in range(3)])
        registry.compact()
        found = FileStore(store.base_dir).list_runs(Query(deleted=True, ascending=True))
        assert [repr(run.parameters["x"]) for run in found] == ["1", "1.0", "True"]

    def test_damaged_lines_are_put_aside_byte_for_byte(self, registry, store, quiet):
        self.fill(store)
        damaged = edit_line(store, 2, flip)
        in_sweep = edit_line(store, 3, flip)
        malformed = edit_line(store, 6, lambda line: line_of("run", RunBlock.of([{"run_id": "x", "tags": 5}])))
        with open(store.metadata_file, "ab") as file:
            file.write(b"\xff\xfe nonsense\n")
        store.save_run(make_record(20))
        before = everything(store)
        assert registry.compact().put_aside >= 3
        kept = store.damaged_file.read_bytes()
        assert all(line in kept for line in (damaged, in_sweep, malformed, b"\xff\xfe nonsense\n"))
        assert everything(store) == before
        aside, chain = registry.check()
        assert (aside.kind, aside.place) == ("lines_put_aside", str(store.damaged_file))
        assert chain.kind == "broken_chain"  # the malformed line has its checksum, and names no line before it
        registry.compact()
        assert store.damaged_file.read_bytes() == kept

    def test_lines_that_still_read_are_not_put_aside(self, registry, store, quiet):
        for number in range(3):
            store.save_run(make_record(number))
        before = everything(store)
        content = store.metadata_file.read_bytes()
        store.metadata_file.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
        edit_line(store, 2, lambda line: line.rstrip())  # joined with the next one
        assert registry.compact().put_aside == 0
        rewritten = store.metadata_file.read_bytes().splitlines(keepends=True)
        assert list(map(unchained, rewritten[1:])) == list(map(unchained, content.splitlines(keepends=True)[1:]))
        assert everything(store) == before and registry.check() == []

    def test_a_torn_end_does_not_come_back(self, registry, store):
        store.save_run(make_record())
        content = store.metadata_file.read_bytes()
        store.metadata_file.write_bytes(content + line_of("run", RunBlock.of([make_record(1).to_dict()]))[:-9])
        assert registry.compact().bytes_after == len(content)
        assert store.metadata_file.read_bytes() == content

    def test_the_older_layout_is_left_alone(self, registry, store):
        older = {make_record(i).run_id: {"strategy_name": "old", "timestamp": f"2020-01-0{i}"} for i in (1, 2, 3)}
        store.base_dir.mkdir()
        store.older_metadata_file.write_text(json.dumps(older))
        store.update_run(make_record(1).run_id, notes="new")
        store.update_run(make_record(1).run_id, notes="newest")
        store.delete_run(make_record(2).run_id)
        store.save_run(make_record(5))
        before, content = everything(store), store.older_metadata_file.read_bytes()
        assert registry.compact().lines_after == 4
        assert everything(store) == before
        assert store.older_metadata_file.read_bytes() == content

    @pytest.mark.parametrize("failing", ["replace", "fsync", "write"])
    def test_a_failure_leaves_the_metadata_as_it_was(self, registry, store, monkeypatch, quiet, failing):
        self.fill(store)
        edit_line(store, 2, flip)
        before, runs = store.metadata_file.read_bytes(), everything(store)

        def fail(*args):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, failing, fail)
            with pytest.raises(OSError, match="No space"):
                registry.compact()
        assert store.metadata_file.read_bytes() == before
        assert everything(store) == runs
        assert [path for path in store.base_dir.iterdir() if path.name.startswith(".tmp-")] == []
        registry.compact()
        assert everything(store) == runs
        assert store.damaged_file.read_bytes().count(b"\n") == 1

    def test_damaged_lines_are_safe_before_the_metadata_is_replaced(self, registry, store, monkeypatch, quiet):
        self.fill(store)
        damaged = edit_line(store, 2, flip)
        replace = os.replace

        def die_at_the_metadata(source, target):
            if target == store.metadata_file:
                assert damaged in store.damaged_file.read_bytes()
                raise KeyboardInterrupt
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", die_at_the_metadata)
            with pytest.raises(KeyboardInterrupt):
                registry.compact()
        assert damaged in store.metadata_file.read_bytes()
        registry.compact()
        assert store.damaged_file.read_bytes() == damaged

    def test_open_registries_read_and_write_on(self, registry, store):
        self.fill(store)
        other = RunRegistry(FileStore(store.base_dir))
        before = [run.run_id for run in other.list_runs()]
        for number in (30, 31):
            registry.compact()
            assert [run.run_id for run in other.list_runs()] == before
            other.store.save_run(make_record(number))
            before.insert(0, make_record(number).run_id)
            assert [run.run_id for run in registry.list_runs()] == before
            registry.update_run(before[0], notes="x")
            assert other.get_run(before[0]).notes == "x"

    def test_a_reader_in_the_middle_of_the_replaced_file_reads_it_to_the_end(self, registry, store, monkeypatch, quiet):
        for number in range(4):
            store.save_run(make_record(number))
        edit_line(store, 2, flip)
        other = FileStore(store.base_dir)
        take = FileStore._take

        def compact_meanwhile(self, entry):
            if self is other and not store.damaged_file.exists():
                registry.compact()
            take(self, entry)

        edit_line(store, 4, flip)
        monkeypatch.setattr(FileStore, "_take", compact_meanwhile)
        assert [run.total_trades for run in other.list_runs()] == [3, 1]
        assert [run.total_trades for run in other.list_runs()] == [3, 1]

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
    def test_permissions_are_kept(self, registry, store):
        self.fill(store)
        os.chmod(store.metadata_file, 0o664)
        registry.compact()
        assert os.stat(store.metadata_file).st_mode & 0o777 == 0o664


class TestAtTheSameTime:
    N_SAVES = 12

    def test_threads_lose_nothing(self, store, portfolio):
        errors, saved, done = [], [], threading.Event()
        store.save_run(make_record())
        store.delete_run(make_record().run_id)  # where there never was a run, nothing is garbage

        def guarded(work):
            def run():
                try:
                    work()
                except BaseException as error:
                    errors.append(error)

            return threading.Thread(target=run)

        def save():
            for _ in range(self.N_SAVES):
                run_id = RunRegistry(store).save_run(portfolio, "a")
                RunRegistry(store).update_run(run_id, notes="x")
                saved.append(run_id)
                assert store.get_run(run_id) is not None

        def read():
            while not done.is_set():
                known = list(saved)
                assert set(known) <= {run.run_id for run in store.list_runs()}

        def tidy():
            while not done.is_set():
                other = RunRegistry(FileStore(store.base_dir))
                other.gc(min_age=0)
                other.compact()

        helpers, savers = [guarded(read), guarded(tidy)], [guarded(save) for _ in range(3)]
        for thread in helpers + savers:
            thread.start()
        for thread in savers:
            thread.join()
        done.set()
        for thread in helpers:
            thread.join()
        assert errors == []
        assert len(saved) == 3 * self.N_SAVES
        fresh = RunRegistry(FileStore(store.base_dir))
        assert sorted(run.run_id for run in fresh.list_runs()) == sorted(saved)
        assert fresh.check(deep=True) == []

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_processes_lose_nothing(self, store, portfolio, tmp_path):
        store.save_run(make_record())
        store.delete_run(make_record().run_id)
        context = multiprocessing.get_context("fork")
        blob = portfolio.dumps()
        stop = context.Event()
        tidier = context.Process(target=_tidy, args=(store.base_dir, stop))
        savers = [context.Process(target=_save, args=(store.base_dir, blob, tmp_path / f"{i}.txt")) for i in range(3)]
        for process in (tidier, *savers):
            process.start()
        for process in savers:
            process.join()
        stop.set()
        tidier.join()
        assert [process.exitcode for process in (tidier, *savers)] == [0] * 4
        saved = [line for i in range(3) for line in (tmp_path / f"{i}.txt").read_text().split()]
        fresh = RunRegistry(FileStore(store.base_dir))
        assert sorted(run.run_id for run in fresh.list_runs()) == sorted(saved)
        assert len(saved) == 3 * 30
        assert fresh.check(deep=True) == []


def _save(base_dir, blob, report):
    """Save runs with a portfolio and write down the id of each that was saved."""
    store = FileStore(base_dir)
    with open(report, "a") as file:
        for _ in range(30):
            record = make_record(run_id=str(uuid.uuid4()))
            store.insert_with_blobs(
                RunBlock.of([record.to_dict()]), "pickle", {f"{record.run_id}.pkl": blob}, new_ids=True
            )
            file.write(record.run_id + "\n")


def _tidy(base_dir, stop):
    """Remove and rewrite all that can be, over and over again."""
    registry = RunRegistry(FileStore(base_dir))
    while not stop.is_set():
        registry.gc(min_age=0)
        registry.compact()
        registry.check()
