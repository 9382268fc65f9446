"""The run registry: every backtest is kept, found again, compared, and judged honestly.

```pycon
>>> import vectorbt as vbt
>>> from vectorbt.portfolio.registry import RunRegistry

>>> registry = RunRegistry()  # ./backtest_runs
>>> run_id = pf.save_to_registry("dual_sma", parameters={"fast": 10, "slow": 50})
>>> registry.get_best_runs(n=5)
```

Where things are, from what a person calls down to what everything rests on:

* `testing`: `StoreSuite`, what every store must pass, for authors of stores. Nothing imports it, since it needs pytest
* `registry`: `RunRegistry`, everything that a person calls. It delegates
* `selection_bias`: how much of the best run is luck, judged against every trial that was ever made
* `upkeep`: a registry as a whole checked, cleaned, converted, exported, merged
* `tables`: answers as DataFrames
* `stores`: where records are kept: in memory, in a folder, in a database
* `store`: `RunStore`, what each of them must do, and all that follows from it
* `portfolios`: a Portfolio as bytes, in several formats
* `query`: questions, and the language of `where`
* `run`: `RunRecord`, what one run is
* `capture`: what is read off a Portfolio: metrics, prices, versions and settings
* `artifacts`: bytes under names
* `checks`, `encoding`, `errors` and the other small modules: what all of these rest on

Imports run downwards in this order. `docs/architecture.md` tells the way of a save, of a question and of a load."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused

__version__ = "0.1.0"

# A pass of the collector through all that vectorbt has just loaded takes longer than these modules take to import.
with collection_paused():
    from vectorbt.portfolio.registry import stores
    from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
    from vectorbt.portfolio.registry.errors import *  # noqa: F403
    from vectorbt.portfolio.registry.errors import __all__ as _errors
    from vectorbt.portfolio.registry.registry import RunRegistry, save_to_registry
    from vectorbt.portfolio.registry.run import RunRecord
    from vectorbt.portfolio.registry.selection_bias.verdict import SelectionBias
    from vectorbt.portfolio.registry.store import RunStore
    from vectorbt.portfolio.registry.stores import FileStore, MemoryStore

__all__ = [
    "RunRegistry",
    "RunRecord",
    "SelectionBias",
    "RunStore",
    "ArtifactStore",
    "FileStore",
    "MemoryStore",
    *_errors,
]

__pdoc__ = {k: False for k in __all__}

# `import vectorbt` imports every module below it but these. Nobody but the author of a store needs pytest.
__blacklist__ = ["testing"]


def __getattr__(name: str) -> tp.Any:
    """Return a store that needs SQLAlchemy, which is imported for it."""
    if name not in ("SqlStore", "SqliteStore"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(stores, name)


def _announce() -> None:
    """Give `Portfolio` its method, and make the two main names known where people look for them."""
    import sys

    from vectorbt.portfolio.base import Portfolio

    Portfolio.save_to_registry = save_to_registry
    for name in ("vectorbt", "vectorbt.portfolio"):
        vars(sys.modules[name]).update(RunRegistry=RunRegistry, RunRecord=RunRecord)


_announce()
