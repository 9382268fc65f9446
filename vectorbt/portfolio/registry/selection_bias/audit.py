"""The trials that a run competed against, in a table: how many, under which names, since when, deleted or not."""

import html
from dataclasses import dataclass

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.selection_bias.pool import TrialPool
from vectorbt.portfolio.registry.selection_bias.trials import Trial


@dataclass(frozen=True, eq=False, repr=False)
class TrialAudit:
    """The trials that a run competed against.

    `vectorbt.portfolio.registry.registry.RunRegistry.audit_trials` makes it."""

    run_id: str
    """Run that they are the competitors of."""

    n_trials: int
    """Number of distinct trials, N, as `SelectionBias.n_trials`."""

    n_runs: int
    """Number of runs among which they are."""

    table: tp.Frame
    """One row for each strategy on the same prices."""

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        names = self.table["strategy_name"].nunique()
        deleted = int(self.table["deleted"].sum())
        under = f"under {names:,} name{'' if names == 1 else 's'}"
        if self.n_trials == 1:
            return f"Run {self.run_id[:8]} is the only trial on record, {under}."
        return f"Run {self.run_id[:8]} is one of {self.n_trials:,} trials {under}, {deleted:,} of the runs deleted."

    def to_frame(self) -> tp.Frame:
        """Return the trials by strategy and prices.

        The columns are `strategy_name`, `prices` (fingerprint), `symbols`, `runs`, `trials` (distinct ones), `deleted`
        (runs), `first_saved`, `last_saved` and `origin`: `here`, or what is known of another registry."""
        return self.table.copy()

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return what was found as a dict, the table as a list of dicts."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        return dict(run_id=self.run_id, n_trials=self.n_trials, n_runs=self.n_runs, sentence=self.sentence, trials=rows)

    def __repr__(self) -> str:
        shown = self.table.assign(
            strategy_name=self.table["strategy_name"].map(escaped), prices=self.table["prices"].str[:8]
        )
        return f"{self.sentence}\n\n{shown.to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(self.sentence)}</b></p>{self.table.to_html(escape=True, index=False)}"


def audit_of(trial: Trial, pool: TrialPool) -> TrialAudit:
    """Return the trials of a pool as a table."""
    runs = pd.DataFrame(
        {
            "strategy_name": [run.record.strategy_name for run in pool.runs],
            "prices": [run.fingerprint or "unknown" for run in pool.runs],
            "symbols": [_symbols(run) for run in pool.runs],
            "identity": [run.identity if run.is_judgeable else None for run in pool.runs],
            "deleted": [run.is_deleted for run in pool.runs],
            "saved": pd.DatetimeIndex([run.record.timestamp for run in pool.runs]),
        }
    )
    table = (
        runs.groupby(["strategy_name", "prices", "symbols"], sort=False)
        .agg(
            runs=("deleted", "size"),
            trials=("identity", "nunique"),
            deleted=("deleted", "sum"),
            first_saved=("saved", "min"),
            last_saved=("saved", "max"),
        )
        .reset_index()
        .sort_values("first_saved", kind="stable", ignore_index=True)
        .assign(origin="here")
    )
    if pool.n_elsewhere:
        table.loc[len(table)] = {
            **dict.fromkeys(table.columns),
            "strategy_name": "",
            "prices": "unknown",
            "symbols": "",
            "runs": 0,
            "trials": pool.n_elsewhere,
            "deleted": 0,
            "origin": "another registry",
        }
    return TrialAudit(trial.record.run_id, pool.n_trials, len(pool.runs), table)


def _symbols(trial: Trial) -> str:
    symbols = trial.data.get("symbols")
    named = symbols if isinstance(symbols, list) else []
    return ", ".join(escaped(symbol) for symbol in named[:3] if isinstance(symbol, str))
