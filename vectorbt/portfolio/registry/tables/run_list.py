"""The list of runs that a registry answers with, which is a table as well."""

import shutil
import weakref
from typing import SupportsIndex, Unpack, overload

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import as_html
from vectorbt.portfolio.registry.errors import QueryError, RegistryError
from vectorbt.portfolio.registry.metric_names import lower_is_better, metric_called
from vectorbt.portfolio.registry.query.comparing import Kind, classify, is_missing
from vectorbt.portfolio.registry.query.explaining import NAMES, problems_of
from vectorbt.portfolio.registry.query.query import PoolFilters, Query, value_of
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.compare import compare, reasons_not_to_compare
from vectorbt.portfolio.registry.tables.frame import to_frame
from vectorbt.portfolio.registry.tables.overview import Overview
from vectorbt.portfolio.registry.tables.plots import RunPlots
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.registry import RunRegistry

__all__ = ["HOW_TO_SAVE", "RunList", "to_frame"]

HOW_TO_SAVE = 'registry.save_run(portfolio, "my_strategy", parameters={"fast": 10}) saves a run'
"""What to do where there is no run yet."""

_CONDITIONS = frozenset(PoolFilters.__optional_keys__) - {"deleted"}
"""Conditions of `RunRegistry.list_runs` that can be asked of a record itself."""


class RunList(RunPlots, list[RunRecord]):
    """A list of `vectorbt.portfolio.registry.run.RunRecord`, that is also a table.

    In a notebook or a terminal it shows what tells its first runs apart, and how good they were; `RunList.to_frame` has
    everything. Slices, sums, copies and what `RunList.filter` and `RunList.best` leave are such lists again.

    Args:
        records (iterable of RunRecord): Runs.
        dsr (dict): Deflated Sharpe ratios by run_id, if they were asked for.
        ranked_by (str): Metric that the runs were ranked by, if any.
        registry (RunRegistry): Registry that the runs are from.

    Usage:
        ```pycon
        >>> runs = registry.list_runs(strategy_name="dual_sma")
        >>> runs[0].sharpe_ratio
        0.4215
        >>> runs.filter("max_drawdown < 20").best("sortino_ratio", 5).compare()
        >>> runs.to_frame()["params.fast"].value_counts()
        ```"""

    _registry: tp.Optional["weakref.ref[RunRegistry]"] = None
    """Kept weakly: a list in a notebook's history holds no files open. A pickle has none."""

    def __init__(
        self,
        records: tp.Iterable[RunRecord] = (),
        dsr: tp.Optional[tp.Dict[str, float]] = None,
        repeats: tp.Optional[tp.Dict[str, int]] = None,
        *,
        ranked_by: tp.Optional[str] = None,
        registry: tp.Optional["RunRegistry"] = None,
    ) -> None:
        super().__init__(records)
        self.dsr = dsr
        """Deflated Sharpe ratios by run_id, if they were asked for."""
        self.repeats = repeats
        """How many runs are the same trial by run_id, if only distinct trials were asked for."""
        self.ranked_by = ranked_by
        """Metric that the runs were ranked by, if any."""
        if registry is not None:
            self._registry = weakref.ref(registry)

    @property
    def registry(self) -> tp.Optional["RunRegistry"]:
        """Registry that the runs are from. None if there is none, it is gone, or the list was pickled."""
        return None if self._registry is None else self._registry()

    @property
    def run_ids(self) -> tp.List[str]:
        """The ids of the runs."""
        return [record.run_id for record in self]

    # ############# Choosing ############# #

    def filter(
        self,
        condition: tp.Union[None, str, tp.Callable[[RunRecord], tp.Any]] = None,
        **conditions: Unpack[PoolFilters],
    ) -> "RunList":
        """Return the runs that meet all conditions, in the order that they have here.

        Args:
            condition (str or callable): Expression as `where` of `RunRegistry.list_runs`, or a function of a record.
            **conditions: Conditions of `RunRegistry.list_runs`: `strategy_name`, `tags`, `parameters`, ...

        Raises:
            TypeError: If a condition has the wrong type, or cannot be asked of a record: whether a run is `deleted`,
                only the registry knows.
            QueryError: If the expression cannot be read, or a metric is unknown, or with `strict` anything else.
                Without it, a warning names what no run has.

        Usage:
            ```pycon
            >>> runs.filter("sharpe_ratio > 1 and params.fast < 20")
            >>> runs.filter(lambda run: run.total_trades > 30, tags="crypto")
            ```"""
        wrong = sorted(set(conditions) - _CONDITIONS)
        if wrong:
            raise TypeError(f"a list cannot be filtered by {wrong[0]}; it can by {', '.join(sorted(_CONDITIONS))}")
        if isinstance(condition, str):
            if conditions.get("where") is not None:
                raise TypeError("give one expression, either as the condition or as where=")
            conditions["where"] = condition
        elif condition is not None and not callable(condition):
            raise TypeError(f"condition must be an expression or a function, not {type(condition).__name__}")
        query, held = Query.of(**conditions), _Held(self)
        query.check_names(self._metric_names)
        query.check_times(held.select)
        query = query.with_choices(held.kinds)
        found = [record for record in self if query.matches(record)]
        problems = problems_of(query, found, held) if self else []
        if problems and query.strict:
            raise QueryError(". ".join(problems))
        if problems:
            warn(f"in this list {'. '.join(problems)}")
        return self._like([record for record in found if condition(record)] if callable(condition) else found)

    def best(self, metric: str = "sharpe_ratio", n: int = 10, ascending: tp.Optional[bool] = None) -> "RunList":
        """Return the best of these runs by a metric, the best one first. See `RunRegistry.get_best_runs`.

        Args:
            metric (str): Headline field, or any key of `RunRecord.stats`.
            n (int): Number of runs at most.
            ascending (bool): True if low is good. By default drawdowns, durations and fees are best when low.

        Raises:
            QueryError: If the metric is unknown. Names the nearest ones."""
        if not isinstance(metric, str):
            raise TypeError(f"metric must be a string, not {type(metric).__name__}")
        metric = metric_called(metric)
        query = Query().best(metric, n, lower_is_better(metric) if ascending is None else ascending)
        query.check_names(self._metric_names)
        best = self._like(query.apply(self))
        best.ranked_by = metric
        return best

    def _metric_names(self) -> tp.Set[str]:
        return {name for record in self for name in record.stats}

    # ############# Using ############# #

    def to_frame(self, tz: tp.Optional[str] = "UTC") -> tp.Frame:
        """Return the runs as a DataFrame. See `vectorbt.portfolio.registry.tables.frame.to_frame`.

        With a column `dsr` beside the Sharpe ratio if `RunRegistry.get_best_runs` was called with `deflate`, and a
        column `repeats` if it was called with `distinct`.

        Args:
            tz (str): Zone of the `timestamp`. None gives times without a zone, in UTC, which is what Excel takes."""
        frame = to_frame(self, tz)
        if self.dsr is not None:
            frame = frame.drop(columns="dsr", errors="ignore")
            at = list(frame.columns).index("sharpe_ratio") + 1
            frame.insert(at, "dsr", frame.index.map(self.dsr).astype(float))
        if self.repeats is not None:
            frame = frame.drop(columns="repeats", errors="ignore")
            frame.insert(list(frame.columns).index("win_rate") + 1, "repeats", frame.index.map(self.repeats))
        return frame

    def compare(
        self, *, only_differing: bool = False, metrics: tp.Union[None, str, tp.Sequence[str]] = None
    ) -> tp.Frame:
        """Return one row per run. See `RunRegistry.compare_runs`.

        Args:
            only_differing (bool): Whether to leave out what is the same in all runs, and to show whatever else differs.
            metrics (list of str): Names of metrics. Defaults to the headline metrics.

        Raises:
            QueryError: If neither vectorbt nor a run has a metric of the name."""
        compared = compare(self, only_differing, metrics)
        reasons = reasons_not_to_compare(self)
        if reasons:
            warn(f"these runs cannot fairly be compared: {'; '.join(reasons)}")
        return compared

    def load_returns(self) -> tp.Frame:
        """Return the return series of the runs. See `RunRegistry.load_returns`.

        Raises:
            RegistryError: If the list came from no registry, or the registry is gone."""
        if self._registry is None:
            raise RegistryError(
                "this list came from no registry; give its ids to one: registry.load_returns(runs.run_ids)"
            )
        registry = self.registry
        if registry is None:
            raise RegistryError(
                "the registry that this list came from is gone; keep it in a variable beside the list, as in "
                "registry = RunRegistry(...); runs = registry.list_runs()"
            )
        return registry.load_returns(self.run_ids)

    # ############# As a list ############# #

    def _like(self, records: tp.Iterable[RunRecord]) -> "RunList":
        """Return other runs as a list of the same origin."""
        return RunList(records, self.dsr, self.repeats, ranked_by=self.ranked_by, registry=self.registry)

    @overload
    def __getitem__(self, key: SupportsIndex) -> RunRecord: ...

    @overload
    def __getitem__(self, key: slice) -> "RunList": ...

    def __getitem__(self, key: tp.Any) -> tp.Any:
        got = super().__getitem__(key)
        return self._like(got) if isinstance(key, slice) else got

    def __add__(self, other: tp.Any) -> "RunList":  # type: ignore[override]  # of lists that hold no runs there is no sum
        if not isinstance(other, list):
            return NotImplemented
        runs = [*self, *other]
        if not isinstance(other, RunList):
            return self._like(runs)
        if not self or not other:  # an empty list says nothing about the runs, as in sum(lists, RunList())
            return (self if self else other)._like(runs)
        dsr = None if self.dsr is None and other.dsr is None else {**(self.dsr or {}), **(other.dsr or {})}
        ranked_by = self.ranked_by if self.ranked_by == other.ranked_by else None
        repeats = (
            None
            if self.repeats is None and other.repeats is None
            else {**(self.repeats or {}), **(other.repeats or {})}
        )
        registry = self.registry if self.registry is other.registry else None
        return RunList(runs, dsr, repeats, ranked_by=ranked_by, registry=registry)

    def __radd__(self, other: tp.Any) -> "RunList":
        return self._like([*other, *self]) if isinstance(other, list) else NotImplemented

    def copy(self) -> "RunList":
        """Return a list of the same records."""
        return self._like(self)

    __copy__ = copy

    def __getstate__(self) -> tp.Dict[str, tp.Any]:
        return {name: value for name, value in vars(self).items() if name != "_registry"}

    # ############# Showing ############# #

    def __repr__(self) -> str:
        if not self:
            return self._why_empty()
        return Overview(self, self.ranked_by, self.dsr).as_text(shutil.get_terminal_size().columns)

    def _repr_html_(self) -> str:
        return Overview(self, self.ranked_by, self.dsr).as_html() if self else f"<p>{as_html(self._why_empty())}</p>"

    def _why_empty(self) -> str:
        """Return what to do about there being no run here."""
        registry = self.registry
        if registry is None:
            return "No runs."
        try:
            n_runs = len(registry)
        except (RegistryError, ImportError, OSError):  # a server that is down is no reason to show nothing
            return "No runs."
        if not n_runs:
            return f"No runs yet: {HOW_TO_SAVE}."
        return f"No runs: none of the {n_runs:,} in the registry meets the conditions."


class _Held(tp.NamedTuple):
    """The runs of a list, for what asks a store why nothing was found."""

    records: tp.Sequence[RunRecord]

    def exists(self) -> bool:
        """Return whether anything was ever saved here."""
        return True

    def select(self, query: Query) -> tp.List[RunRecord]:
        """Return the runs that a query asks for."""
        return query.apply(self.records)

    def names(self, what: str) -> tp.Set[str]:
        """Return the names that runs have."""
        return {name for record in self.records for name in NAMES[what](record) if name is not None}

    def kinds(self, name: str) -> tp.Set[Kind]:
        """Return the kinds of values that runs hold under a name."""
        values = (value_of(record, name) for record in self.records)
        return {classify(value)[0] for value in values if not is_missing(value)}
