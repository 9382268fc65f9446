"""The revision of the code: asked of real git, at each save, without ever failing one."""

import os
import shutil
import subprocess
import time

import pytest

from tests.support.factories import make_portfolio, make_sweep
from vectorbt.portfolio.registry import RunRegistry
from vectorbt.portfolio.registry.capture.environment import environment
from vectorbt.portfolio.registry.capture.git import asked_git


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder, outside of any repository."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    return tmp_path


def git(*arguments):
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    output = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout
    return output.strip()


@pytest.fixture
def repository(folder):
    """A working folder in a repository of one commit, whose hash it is."""
    git("init", "--quiet")
    (folder / "strategy.py").write_text("fast = 10\n")
    git("add", "strategy.py")
    git("commit", "--quiet", "--message", "First")
    return git("rev-parse", "HEAD")


def test_a_clean_repository(repository, folder):
    (folder / "backtest_runs").mkdir()
    (folder / "backtest_runs" / "untracked.txt").touch()
    assert environment()["git"] == dict(commit=repository, dirty=False)


def test_a_dirty_repository(repository, folder):
    (folder / "strategy.py").write_text("fast = 11\n")
    assert environment()["git"] == dict(commit=repository, dirty=True)


def test_a_staged_change_is_dirty(repository, folder):
    (folder / "new.py").touch()
    git("add", "new.py")
    assert environment()["git"]["dirty"] is True


def test_a_folder_inside_of_a_repository(repository, folder, monkeypatch):
    (folder / "notebooks").mkdir()
    monkeypatch.chdir(folder / "notebooks")
    assert environment()["git"] == dict(commit=repository, dirty=False)


def test_a_repository_without_commits(folder):
    git("init", "--quiet")
    assert environment()["git"] == dict(commit=None, dirty=False)


def test_a_git_hook_does_not_change_the_repository(repository, folder, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(folder / "elsewhere"))
    assert environment()["git"] == dict(commit=repository, dirty=False)


def test_every_save_records_the_code_as_it_is_then(repository, folder, monkeypatch):
    registry, pf = RunRegistry(folder / "backtest_runs"), make_portfolio()

    def saved():
        return registry.get_run(registry.save_run(pf, "x", save_portfolio=False)).environment["git"]

    assert saved() == dict(commit=repository, dirty=False)
    (folder / "strategy.py").write_text("fast = 11\n")
    assert saved() == dict(commit=repository, dirty=True)
    git("commit", "--quiet", "--all", "--message", "Second")
    second = git("rev-parse", "HEAD")
    assert saved() == dict(commit=second, dirty=False)
    git("checkout", "--quiet", repository)
    assert saved() == dict(commit=repository, dirty=False)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    git("init", "--quiet")
    assert saved() == dict(commit=None, dirty=False)
    shutil.rmtree(folder / "elsewhere" / ".git")
    assert saved() == dict(commit=repository, dirty=False)


@pytest.fixture
def asked(monkeypatch):
    """The folders that git is asked about."""
    folders = []
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *args, **kwargs: folders.append(kwargs["cwd"]) or start(*args, **kwargs)
    )
    return folders


def test_a_save_asks_once_and_a_load_never(repository, folder, asked):
    registry = RunRegistry(folder / "backtest_runs")
    run_id = registry.save_run(make_portfolio(), "x")
    assert asked == [folder]
    run_ids = registry.save_sweep(make_sweep(), "x")
    assert asked == [folder] * 2
    registry.load_portfolio(run_id)
    registry.load_portfolio(run_ids[0])
    assert asked == [folder] * 2


def test_no_repository_starts_no_process(folder, asked):
    assert environment()["git"] is None
    assert asked == []


def test_git_that_is_missing(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert environment()["git"] is None


def test_git_that_does_not_answer(repository, folder, monkeypatch):
    slow_git(folder, monkeypatch)
    assert environment()["git"] is None
    assert_killed(folder)


def test_git_is_stopped_where_nobody_waits_for_it(repository, folder, monkeypatch):
    slow_git(folder, monkeypatch)
    with pytest.raises(KeyError), asked_git():
        while not (folder / "pid").exists() or not (folder / "pid").read_text():
            time.sleep(0.01)
        raise KeyError("measuring failed")
    assert_killed(folder)


def slow_git(folder, monkeypatch):
    """Let git be a program that takes a minute."""
    slow = folder / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho $$ > {folder / 'pid'}\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)


def assert_killed(folder):
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_a_repository_that_git_refuses(repository, folder):
    (folder / ".git" / "HEAD").write_text("nonsense")
    assert environment()["git"] is None


def test_a_working_folder_that_is_gone(folder):
    (folder / "gone").mkdir()
    os.chdir(folder / "gone")
    shutil.rmtree(folder / "gone")
    assert environment()["git"] is None


def test_a_program_that_the_repository_names_is_not_run(repository, folder):
    (folder / "hook.sh").write_text(f"#!/bin/sh\ntouch {folder / 'ran'}\n")
    (folder / "hook.sh").chmod(0o755)
    git("config", "core.fsmonitor", str(folder / "hook.sh"))
    assert environment()["git"]["commit"] == repository
    assert not (folder / "ran").exists()
