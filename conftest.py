"""What every test needs: the registry imported, and never the developer's own one; hypothesis without deadlines."""

import os

from hypothesis import settings

# `import vectorbt` finds an installed registry by itself, but not an editable one.
import vectorbt.portfolio.registry  # noqa: F401

# Tests must never write into the registry that the person who runs them uses.
os.environ.pop("VBT_REGISTRY", None)

# Numba compiles on the first call, so the first example may take seconds.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
