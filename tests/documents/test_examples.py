"""Each file of examples/ runs as it stands, in a folder that has nothing else in it."""

import subprocess
import sys

import pytest

from tests.documents.pages import PROJECT

TESTED_ELSEWHERE = {
    "cluster.py": "tests/servers/test_cluster_example.py, with the servers that it needs",
    "read_portable_orders.py": "tests/portfolios/test_portable_open.py, with the file that it reads",
}
EXAMPLES = sorted(path.name for path in (PROJECT / "examples").glob("*.py"))


def run(example, folder):
    done = subprocess.run(
        [sys.executable, PROJECT / "examples" / example], cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", [name for name in EXAMPLES if name not in TESTED_ELSEWHERE | {"quickstart.py": ""}])
def test_example(example, tmp_path):
    assert run(example, tmp_path)


def test_examples_that_are_tested_elsewhere_are_there():
    assert set(TESTED_ELSEWHERE) <= set(EXAMPLES)
    assert all((PROJECT / where.partition(",")[0]).is_file() for where in TESTED_ELSEWHERE.values())


def test_quickstart_shows_the_history_of_its_first_run_in_the_second(tmp_path):
    first, second = run("quickstart.py", tmp_path), run("quickstart.py", tmp_path)
    assert "earlier runs" not in first
    assert "200 earlier runs are here" in second
    for shown in (first, second):
        assert len(shown.splitlines()) <= 40  # one screen
        assert max(map(len, shown.splitlines())) <= 100
        assert "luck" in shown
