"""The distributions hold our package, the licence, and nothing of vectorbt's."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.packaging

PROJECT = Path(__file__).parents[2]
PACKAGE = "vectorbt/portfolio/registry"
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "backtest_runs")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Folder with the sdist, and the wheel built out of it."""
    folder = tmp_path_factory.mktemp("distributions")
    source = shutil.copytree(PROJECT, folder / "source", ignore=NOT_SOURCE)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    (path,) = distributions.glob("*.whl")
    with zipfile.ZipFile(path) as file:
        yield file


@pytest.fixture(scope="module")
def sdist_names(distributions):
    """Names in the sdist, without its top folder."""
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as file:
        return {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in file.getnames()}


def modules_of_project():
    return {path.relative_to(PROJECT).as_posix() for path in (PROJECT / PACKAGE).rglob("*.py")}


MARKER_OF_TYPES = f"{PACKAGE}/py.typed"
"""Without it, type checkers do not read the annotations of an installed package."""


def test_wheel_holds_every_module_the_marker_of_types_and_nothing_else(wheel):
    names = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert names == {*modules_of_project(), MARKER_OF_TYPES}


def test_wheel_holds_the_licence(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE.md")]
    assert wheel.read(name) == (PROJECT / "LICENSE.md").read_bytes()


def test_sdist_holds_every_module_and_none_of_vectorbts(sdist_names):
    assert {
        name for name in sdist_names if name.startswith("vectorbt/") and name.endswith(".py")
    } == modules_of_project()
    assert MARKER_OF_TYPES in sdist_names


@pytest.mark.parametrize("name", ["vectorbt/__init__.py", "vectorbt/portfolio/__init__.py"])
def test_tree_leaves_vectorbts_packages_to_vectorbt(name):
    assert not (PROJECT / name).exists()
