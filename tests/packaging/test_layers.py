"""Imports run one way: each room imports only rooms below its own, and no module imports one that imports it."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = "vectorbt.portfolio.registry"
FOLDER = PROJECT / PACKAGE.replace(".", "/")

NOT_SHIPPED = {"tests", "benchmarks", "examples", "conftest"}

LAYERS = [
    {"testing"},
    {"registry"},
    {"selection_bias", "upkeep", "stores", "tables"},
    {"store", "figures"},
    {"change"},
    {"portfolios", "query"},
    {"run"},
    {"artifact", "attachment", "card", "deletion", "named_values"},
    {"artifacts", "capture"},
    {"block"},
    {"record_json"},
    {"checks", "column", "readable"},
    {"grid"},
    {"display", "encoding", "reports", "metric_names", "locations", "errors", "warning", "lazy", "_gc"},
]
"""Rooms from the top down: the folders and the modules beside them. Rooms of one layer do not import each other."""


def modules():
    """Return the path of each module by its dotted name below the package."""
    found = {}
    for path in sorted(FOLDER.rglob("*.py")):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(name):
    """Return the modules below the package that a module imports, be it inside of a function, apart from type hints."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for_types = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in for_types and (node.module or "").startswith(PACKAGE):
            module = node.module.removeprefix(PACKAGE).removeprefix(".")
            names = {f"{module}.{alias.name}".lstrip(".") for alias in node.names}
            found |= {one for one in names if one in MODULES} or {module}
        elif isinstance(node, ast.Import) and node not in for_types:
            found |= {alias.name.removeprefix(f"{PACKAGE}.") for alias in node.names if alias.name.startswith(PACKAGE)}
    return found - {name, ""}


IMPORTS = {name: imports_of(name) for name in MODULES if name}


def room_of(name):
    return name.partition(".")[0]


def test_every_room_has_a_layer():
    listed = [room for layer in LAYERS for room in layer]
    assert sorted(listed) == sorted({room_of(name) for name in IMPORTS})


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_imports_run_downwards(name):
    depth = {room: depth for depth, layer in enumerate(LAYERS) for room in layer}
    upwards = {
        imported
        for imported in IMPORTS[name]
        if room_of(imported) != room_of(name) and depth[room_of(imported)] <= depth[room_of(name)]
    }
    assert not upwards


def test_no_modules_import_each_other():
    try:
        tuple(TopologicalSorter(IMPORTS).static_order())
    except CycleError as e:
        pytest.fail(f"a circle: {' -> '.join(e.args[1])}")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_that_is_shipped_needs_what_is_not(name):
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in imported}.isdisjoint(NOT_SHIPPED)
