"""What `import vectorbt` loads because the registry is installed."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.packaging

PROJECT = Path(__file__).parents[2]

# vectorbt imports every module below it that pkgutil finds. Hidden from pkgutil at first, the registry is then imported
# the same way, after all that vectorbt loads by itself.
LIST_LOADED_MODULES = """
import json, pkgutil, sys

registry = "vectorbt.portfolio.registry"
find_modules = pkgutil.iter_modules
pkgutil.iter_modules = lambda *args: (found for found in find_modules(*args) if found.name != registry)
import vectorbt
pkgutil.iter_modules = find_modules

from vectorbt.utils.module_ import import_submodules
vectorbts_own = set(sys.modules)
modules = import_submodules(registry)
print(json.dumps({"modules": sorted(modules), "loaded": sorted(set(sys.modules) - vectorbts_own)}))
"""


@pytest.fixture(scope="module")
def imported():
    output = subprocess.run([sys.executable, "-c", LIST_LOADED_MODULES], check=True, capture_output=True, text=True)
    return json.loads(output.stdout.splitlines()[-1])


def packages_we_require():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return {Requirement(requirement).name for requirement in project["dependencies"]}


def test_every_module_is_imported_after_vectorbts_own(imported):
    assert "vectorbt.portfolio.registry.errors" in imported["modules"]
    assert {"vectorbt.portfolio.registry", *imported["modules"]} <= set(imported["loaded"])


def test_the_suite_of_stores_is_not_loaded(imported):
    assert "vectorbt.portfolio.registry.testing" not in imported["loaded"]


def test_no_optional_dependency_is_loaded(imported):
    packages = {name.split(".")[0] for name in imported["loaded"]}
    assert packages - sys.stdlib_module_names <= {"vectorbt"} | packages_we_require()


def test_what_needs_an_optional_dependency_is_not_loaded(imported):
    stores = "vectorbt.portfolio.registry.stores"
    assert f"{stores}.file_store" in imported["loaded"]
    assert not [name for name in imported["loaded"] if name.startswith((f"{stores}.sql.", f"{stores}.sqlite_store"))]


@pytest.mark.parametrize("statement", ["from vectorbt.portfolio.registry import *", "from {stores} import *"])
def test_a_star_takes_nothing_that_needs_sqlalchemy(statement):
    script = f"""
import sys
sys.modules["sqlalchemy"] = None
{statement.format(stores="vectorbt.portfolio.registry.stores")}
FileStore, MemoryStore
"""
    subprocess.run([sys.executable, "-c", script], check=True)


SQL_STORES = [
    "from vectorbt.portfolio.registry import SqlStore",
    "from vectorbt.portfolio.registry import SqliteStore",
    "from vectorbt.portfolio.registry.stores import SqlStore",
    "from vectorbt.portfolio.registry.stores.sqlite_store import SqliteStore",
    "from vectorbt.portfolio.registry.stores.sql.store import SqlStore",
]


@pytest.mark.parametrize("missing", [True, False])
def test_the_stores_in_databases_are_imported_on_first_use(missing):
    if not missing:
        pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    script = f"""
import sys
if {missing}:
    sys.modules["sqlalchemy"] = None
for statement in {SQL_STORES}:
    try:
        exec(statement)
    except ImportError as e:
        print(e)
"""
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    expected = ['SQLAlchemy is not installed; pip install "vectorbt-registry[sql]"'] * len(SQL_STORES)
    assert shown.splitlines() == (expected if missing else [])
