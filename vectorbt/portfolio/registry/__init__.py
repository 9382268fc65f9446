"""The run registry: every backtest is kept, found again, compared, and judged honestly.

```pycon
>>> import vectorbt as vbt
>>> from vectorbt.portfolio.registry import RunRegistry

>>> registry = RunRegistry()  # ./backtest_runs
>>> run_id = pf.save_to_registry("dual_sma", parameters={"fast": 10, "slow": 50})
>>> registry.get_best_runs(n=5)
```

The modules, from what a person calls down to what everything rests on:

* `registry`: `RunRegistry`, which delegates
* `sweep`, `comparison`, `upkeep`, `transfer`, `conversion`: what is done with many runs
* `judgement`, `verdict`, `caveats`, `figures`, `trials`, `trial_returns`: a run judged against every trial
* `stores`, `store`, `opening`: where runs are kept, what a store must do, and how a stored portfolio is opened
* `artifacts`, `remote_artifacts`, `serialization`, `portable`, `axes`: portfolios as bytes under names
* `query`, `where`, `where_parser`, `table`, `columns`, `reports`: questions and answers
* `run`, `record_json`, `inputs`: `RunRecord`, its JSON, and what is checked before it is one
* `metrics`, `provenance`, `git`: what is measured, and where it comes from
* `selection_bias`, `overfitting`, `trial_dependence`, `multiple_testing`, `return_matrix`: pure statistics
* `values`, `encoding`, `bulk`, `errors`"""

from vectorbt.portfolio.registry._gc import collection_paused

__version__ = "0.1.0"

# A pass of the collector through all that vectorbt has just loaded takes longer than these modules take to import.
with collection_paused():
    from vectorbt.portfolio.registry.artifacts.store import ArtifactStore
    from vectorbt.portfolio.registry.errors import *  # noqa: F403
    from vectorbt.portfolio.registry.errors import __all__ as _errors
    from vectorbt.portfolio.registry.registry import RunRegistry, save_to_registry
    from vectorbt.portfolio.registry.run import RunRecord
    from vectorbt.portfolio.registry.selection_bias.verdict import SelectionBias
    from vectorbt.portfolio.registry.store import RunStore
    from vectorbt.portfolio.registry.stores import FileStore, MemoryStore, SqliteStore, SqlStore

__all__ = [
    "RunRegistry",
    "RunRecord",
    "SelectionBias",
    "RunStore",
    "ArtifactStore",
    "FileStore",
    "MemoryStore",
    "SqliteStore",
    "SqlStore",
    *_errors,
]

__pdoc__ = {k: False for k in __all__}


def _announce() -> None:
    """Give `Portfolio` its method, and make the two main names known where people look for them."""
    import sys

    from vectorbt.portfolio.base import Portfolio

    Portfolio.save_to_registry = save_to_registry
    for name in ("vectorbt", "vectorbt.portfolio"):
        module = sys.modules[name]
        module.RunRegistry, module.RunRecord = RunRegistry, RunRecord


_announce()
