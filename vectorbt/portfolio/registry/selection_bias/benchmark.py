"""What a run is compared with: holding its prices, another run, or a series of returns."""

from typing import Literal

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.selection_bias.returns import TrialReturns, returns_in, series_in
from vectorbt.portfolio.registry.store import RunStore

Benchmark = tp.Union[None, Literal["hold"], str, pd.Series]
"""`"hold"`, the id of a run, a series of returns per period, or nothing."""

HOLDING = "holding"
"""Name of holding the same prices."""


def check_benchmark(benchmark: tp.Any) -> None:
    """Raise unless it can be a benchmark."""
    if benchmark is not None and not isinstance(benchmark, (str, pd.Series)):
        raise TypeError(
            f"benchmark must be 'hold', the id of a run, a Series of returns per period or None, not "
            f"{type(benchmark).__name__}"
        )


def benchmark_returns(
    store: RunStore, benchmark: Benchmark, returns: TrialReturns
) -> tp.Optional[tp.Tuple[str, tp.Array2d]]:
    """Return the name of a benchmark, and its returns in the periods of the trials: one column, or one for each trial.

    None without a benchmark, and where the prices of the trials were not saved.

    Raises:
        RunNotFoundError: If there is no run of the id.
        ValueError: If it has no return in one of the periods."""
    if benchmark is None:
        return None
    if isinstance(benchmark, pd.Series):
        return "the series", series_in(benchmark, returns.periods, "the series")[:, None]
    if benchmark != "hold":
        record = store.get_run(benchmark)
        run_id = benchmark if record is None else record.run_id
        return f"run {run_id[:8]}", returns_in(store, run_id, returns.periods)[:, None]
    return None if returns.holding is None else (HOLDING, returns.holding)
