"""The revision of the code: asked of real git, once, in the background, without ever failing a save."""

import os
import shutil
import subprocess

import pytest

from vectorbt.portfolio.registry.capture import git as git_module
from vectorbt.portfolio.registry.capture.git import start_git
from vectorbt.portfolio.registry.capture.provenance import environment


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder, outside of any repository, that git has not been asked about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(git_module, "_questions", {})
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


def test_no_repository_starts_no_process(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(git_module._Question, "ask", lambda self: asked.append(self) or self._settled.set())
    start_git()
    assert environment()["git"] is None
    assert asked == []


def test_git_is_asked_once_per_folder(repository, folder, monkeypatch):
    asked = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: asked.append(kwargs["cwd"]) or run(*args, **kwargs))
    start_git()
    start_git()
    found = environment()["git"]
    found["dirty"] = "changed by the caller"
    assert environment()["git"] == dict(commit=repository, dirty=False)
    (folder / "notebooks").mkdir()
    monkeypatch.chdir(folder / "notebooks")
    assert environment()["git"]["commit"] == repository
    assert asked == [str(folder), str(folder / "notebooks")]


def test_git_that_is_missing(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert environment()["git"] is None


def test_git_that_does_not_answer(repository, folder, monkeypatch):
    monkeypatch.setattr(git_module, "_TIMEOUT", 0.05)
    slow = folder / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    assert environment()["git"] is None
    (question,) = git_module._questions.values()
    assert question._settled.wait(10), "git must be killed"


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_asks_for_itself(repository, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(git_module._Question, "ask", lambda self: None)
        start_git()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if environment()["git"] == dict(commit=repository, dirty=False) else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
