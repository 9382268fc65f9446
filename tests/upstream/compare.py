"""Run vectorbt's own tests without the registry and with it, and compare the outcomes test by test.

Runs in an environment that has vectorbt and pytest, and installs the given distribution there for the second run:
`python tests/upstream/compare.py dist/*.whl`. The tests come out of the source distribution of the vectorbt that is
installed, fetched from the package index. A test that fails both times is vectorbt's own affair and only counted."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent

# The tests of settings, configs, and the Portfolio class: its config, pickling, indexing and stats among them.
TEST_FILES = ["tests/test_settings.py", "tests/test_utils.py", "tests/test_portfolio.py"]
SELECTION = "TestSettings or TestConfig or TestPortfolio"

# Fewer than this, and the comparison would hardly say anything.
MIN_PASSED = 40


def pip(*args):
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *args, "-qq"], check=True)


def fetch_tests(folder):
    """Unpack vectorbt's tests into a folder and add what its source distribution lacks."""
    pip("download", f"vectorbt=={version('vectorbt')}", "--no-deps", "--no-binary", "vectorbt", "-d", str(folder))
    (archive,) = folder.glob("vectorbt-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    root = folder / "root"
    shutil.copytree(folder / archive.name.removesuffix(".tar.gz") / "tests", root / "tests")
    shutil.copy(HERE / "supplied_utils.py", root / "tests" / "utils.py")
    shutil.copy(HERE / "supplied_conftest.py", root / "conftest.py")
    return root


def check_registry(root, installed):
    """Stop unless `import vectorbt` brings the registry exactly if it should."""
    code = "import sys, vectorbt; print('vectorbt.portfolio.registry' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True).stdout
    if output.split()[-1] != str(installed):
        sys.exit(f"`import vectorbt` should{'' if installed else ' not'} have imported the registry")


def run_tests(root, report):
    """Run the selected tests and return the outcome of each."""
    # fmt: off
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--disable-warnings", "--tb=no",
        f"--junitxml={report}", "-k", SELECTION, *TEST_FILES,
    ]
    # fmt: on
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # The registry compiles nothing and alters nothing that is compiled. Compiling takes six times as long as the tests.
    environment["NUMBA_DISABLE_JIT"] = "1"
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"vectorbt's tests did not run:\n{result.stdout}{result.stderr}")
    print(f"  {result.stdout.splitlines()[-1]}", flush=True)
    return read_outcomes(report)


def read_outcomes(report):
    """Map each test in a JUnit report to `passed`, or to what is reported below it."""
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        marks = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = " and ".join(marks) or "passed"
    return outcomes


def compare(without, with_registry):
    """List the tests whose outcomes differ."""
    return [
        f"{test}: {without.get(test, 'absent')} without the registry, {with_registry.get(test, 'absent')} with it"
        for test in sorted(without.keys() | with_registry.keys())
        if without.get(test) != with_registry.get(test)
    ]


def main(path):
    # An interrupted comparison may have left it installed.
    pip("uninstall", "-y", "vectorbt-registry")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = fetch_tests(folder)
        print(f"vectorbt {version('vectorbt')}, its own tests without the registry:", flush=True)
        check_registry(root, installed=False)
        without = run_tests(root, folder / "without.xml")
        pip("install", path)
        print("with it:", flush=True)
        check_registry(root, installed=True)
        with_registry = run_tests(root, folder / "with.xml")
        pip("uninstall", "-y", "vectorbt-registry")
    differences = compare(without, with_registry)
    if differences:
        sys.exit("\n".join(["Outcomes differ:", *differences]))
    counts = Counter(without.values())
    if counts["passed"] < MIN_PASSED:
        sys.exit(f"Only {counts['passed']} tests passed; at least {MIN_PASSED} must, or the comparison says nothing")
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    print(f"the same outcome of all {len(without)} tests: {summary}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the wheel or sdist to install")
    main(Path(sys.argv[1]).resolve())
