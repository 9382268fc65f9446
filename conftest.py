"""What every test needs: the registry imported, and never the developer's own one; hypothesis without deadlines.

And two backtests, which are made once: compiling takes longer than all tests."""

import os

import pytest
from hypothesis import settings

# `import vectorbt` finds an installed registry by itself, but not an editable one.
import vectorbt.portfolio.registry  # noqa: F401

# The suite that every store passes is shipped, so pytest does not take it for a file of tests by itself.
pytest.register_assert_rewrite("vectorbt.portfolio.registry.testing")

# Tests must never write into the registry that the person who runs them uses.
os.environ.pop("VBT_REGISTRY", None)

# Numba compiles on the first call, so the first example may take seconds.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def portfolio():
    """A small backtest."""
    from tests.support.factories import make_portfolio

    return make_portfolio()


@pytest.fixture(scope="session")
def sweep():
    """A small sweep of three columns."""
    from tests.support.factories import make_sweep

    return make_sweep()
