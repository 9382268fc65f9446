"""What a run is as one of many attempts: its moments, and the prices that it was made on."""

import math

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.encoding import decode
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.record_json import TRIED_ELSEWHERE
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias.sharpe import lowest_kurtosis
from vectorbt.portfolio.registry.store import RunStore

_SAME_DIGITS = 10
"""Significant digits in which moments agree that were computed from the same returns, be it on two machines."""


_SAME_LENGTH = 0.05
"""Share of the bars of a year by which two trials may differ that have bars of one length: markets have holidays."""


class Trial(tp.NamedTuple):
    """A run as one of many attempts: its record, and the moments of its returns per period."""

    record: RunRecord
    is_deleted: bool
    fingerprint: tp.Optional[str]
    frequency: tp.Optional[str]
    has_own_returns: bool
    artifact: tp.Optional[Artifact]
    data: tp.Mapping[str, tp.Any]
    elsewhere: tp.Any
    sharpe: float
    n_obs: float
    skew: float
    kurtosis: float
    periods_per_year: float
    bars_in_market: float
    benchmark_sharpe: float

    @classmethod
    def of(cls, record: RunRecord, is_deleted: bool = False) -> "Trial":
        """Read from a record what makes it a trial."""
        # A hundred thousand records fit into memory because they stay as they are on disk: the twin is decoded.
        details = record.shallow_copy()
        moments, data = details.json_of("returns_stats"), details.json_of("data")
        trial = cls(
            record,
            is_deleted,
            _as_text(data.get("fingerprint")),
            _as_text(data.get("frequency")),
            bool(moments),
            Artifact.of(details),
            data,
            details.json_of("environment").get(TRIED_ELSEWHERE),
            *(_as_float(moments.get(name)) for name in cls._fields[8:]),
        )
        can_be = 0 < trial.periods_per_year < float("inf")
        return trial if can_be else trial._replace(periods_per_year=float("nan"))

    @property
    def has_traded(self) -> bool:
        """Whether it has a Sharpe ratio, and moments that some series of returns has: an altered record may say
        anything, and must not keep all others from being judged."""
        moments = (self.sharpe, self.n_obs, self.skew, self.kurtosis)
        if not all(map(math.isfinite, moments)) or self.bars_in_market == 0:
            return False
        return self.n_obs >= 2 and self.kurtosis >= lowest_kurtosis(self.skew)

    @property
    def holding_sharpe_ratio(self) -> float:
        """Annualised Sharpe ratio of holding the same prices. NaN where it was not recorded."""
        return self.benchmark_sharpe * math.sqrt(self.periods_per_year)

    @property
    def traces(self) -> tp.Tuple[bool, bool]:
        """What its returns can be found by: its own artifact, or that of its sweep."""
        return self.artifact is not None, self.record.sweep_id is not None

    @property
    def is_judgeable(self) -> bool:
        """Whether it has returns of its own, and a Sharpe ratio."""
        return self.has_own_returns and self.has_traded

    @property
    def identity(self) -> tp.Tuple[str, ...]:
        """What two runs on the same prices have in common that are the same trial, whatever their names."""
        moments = (self.sharpe, self.n_obs, self.skew, self.kurtosis)
        return tuple(f"{value:.{_SAME_DIGITS}g}" for value in moments)

    @property
    def bars_per_year(self) -> float:
        """Number of bars in a calendar year, counted from their labels. NaN if nobody knows."""
        return _as_float(self.data.get("bars_per_year"))

    @property
    def n_columns(self) -> int:
        """Number of columns that a run is the mean of, 1 for a run of its own."""
        columns = self.data.get("columns")
        return columns if type(columns) is int and columns > 1 else 1

    def has_bars_of(self, other: "Trial") -> bool:
        """Return whether the bars of another trial are as long, so that Sharpe ratios per period have one variance.

        A frequency is a label that anybody can give, so the bars of a year are counted where their labels allow it."""
        own, others = self.bars_per_year, other.bars_per_year
        if math.isnan(own) or math.isnan(others):
            return self.frequency == other.frequency
        return abs(own - others) <= _SAME_LENGTH * max(own, others)


def best_trial(store: RunStore, query: Query) -> Trial:
    """Return the trial with the best Sharpe ratio among the runs that a query asks for.

    Raises:
        ValueError: If none of them has a Sharpe ratio."""
    # One of the first is nearly always a trial of its own; aggregates of several columns are not.
    for limit in (10, None):
        runs = store.list_runs(query.best("sharpe_ratio", limit, ascending=False))
        for trial in map(Trial.of, runs):
            if trial.is_judgeable:
                return trial
        if limit is not None and len(runs) < limit:
            break
    raise ValueError(
        "no run that the filters leave has an annualised Sharpe ratio of its own to be the best by; "
        "name a run_id, or see list_runs() with the same filters"
    )


def distinct_trials(records: tp.Iterable[RunRecord]) -> tp.Tuple[tp.List[RunRecord], tp.Dict[str, int]]:
    """Return the first record of each trial, and how many of the records are that trial, by run_id.

    A run of which nobody knows what trial it is, such as an aggregate of several columns, is one of its own."""
    first: tp.Dict[tp.Any, RunRecord] = {}
    counts: tp.Dict[str, int] = {}
    for trial in map(Trial.of, records):
        kept = first.setdefault(
            (trial.fingerprint, *trial.identity) if trial.is_judgeable else trial.record.run_id, trial.record
        )
        counts[kept.run_id] = counts.get(kept.run_id, 0) + 1
    return list(first.values()), counts


def _as_text(value: tp.Any) -> tp.Optional[str]:
    """Return a text, None where there is none."""
    return value if type(value) is str else None


def _as_float(value: tp.Any) -> float:
    """Return a number that may be encoded, NaN where there is none: a record that was altered may hold anything."""
    if type(value) is float:
        return value
    value = decode(value)
    try:
        return float(value) if isinstance(value, (int, float)) else float("nan")
    except OverflowError:
        return float("nan")
