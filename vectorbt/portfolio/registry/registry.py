"""What a person calls: the registry of all runs. It decides nothing itself."""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Literal, Unpack, overload

from vectorbt import _typing as tp
from vectorbt.portfolio.registry._gc import collection_paused
from vectorbt.portfolio.registry.attachment import NewAttachments
from vectorbt.portfolio.registry.capture.runs import run_of, sweep_of
from vectorbt.portfolio.registry.change import Change, check_metrics, with_metrics
from vectorbt.portfolio.registry.checks import check_portfolio, check_strategy_name, id_of_run, sweep_run_ids
from vectorbt.portfolio.registry.display import as_html
from vectorbt.portfolio.registry.errors import QueryError, RegistryError, RunNotFoundError
from vectorbt.portfolio.registry.figures.luck import Luck
from vectorbt.portfolio.registry.metric_names import lower_is_better, metric_called
from vectorbt.portfolio.registry.portfolios.formats import ReturnsFormat, check_format
from vectorbt.portfolio.registry.query.query import (
    FIELDS,
    AllFilters,
    Conditions,
    Filters,
    PoolFilters,
    Query,
    first_of_each,
)
from vectorbt.portfolio.registry.reports import Compaction, Garbage, MergeReport, Problem
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.selection_bias.audit import TrialAudit
from vectorbt.portfolio.registry.selection_bias.benchmark import Benchmark
from vectorbt.portfolio.registry.selection_bias.bootstrap import BlockSize
from vectorbt.portfolio.registry.selection_bias.judge import audit, deflated_sharpe_ratios, judge, luck, timeline
from vectorbt.portfolio.registry.selection_bias.pool import Competitors
from vectorbt.portfolio.registry.selection_bias.survivors import Survivors, survivors
from vectorbt.portfolio.registry.selection_bias.trials import distinct_trials
from vectorbt.portfolio.registry.selection_bias.verdict import SelectionBias
from vectorbt.portfolio.registry.store import RunStore
from vectorbt.portfolio.registry.stores import open_store
from vectorbt.portfolio.registry.tables import inventory
from vectorbt.portfolio.registry.tables.frame import frame_of
from vectorbt.portfolio.registry.tables.run_list import HOW_TO_SAVE, RunList
from vectorbt.portfolio.registry.tables.sweeps import summarise
from vectorbt.portfolio.registry.upkeep.check import check, gc
from vectorbt.portfolio.registry.upkeep.convert import Conversion, convert
from vectorbt.portfolio.registry.upkeep.recover import recover
from vectorbt.portfolio.registry.upkeep.transfer import transfer
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

Runs = tp.Union[str, RunRecord, tp.Iterable[tp.Union[str, RunRecord]]]
"""Several runs: their ids, unique prefixes of at least four characters, or records, or one of these."""

_ON_DISPLAY = 10
_LARGE = 10_000
"""Number of runs that are not all looked at to show the registry."""

_UNREADABLE = (RegistryError, ImportError, OSError)
"""Errors of a store that cannot be read, such as a server that is down: no reason not to show which one it is."""


class RunRegistry:
    """Keeps every backtest: what was tried, on which data, with which result, and the portfolio itself.

    Args:
        store (path_like, RunStore or RunRegistry): Folder, SQLite file, URL of a database, ready store, or a registry,
            whose store it is then. A new path is a SQLite file if it ends in `.db`, `.sqlite` or `.sqlite3`, else a
            folder. Defaults to what the environment variable `VBT_REGISTRY` says, else `./backtest_runs`. It is made by
            the first save. May be called `path` as well.
        **options: Options of the store that a path makes: `artifacts`, `portfolio_format`, `allow_pickle`,
            and `lock_timeout`, the seconds that a change waits for somebody else. Portfolios of a database whose
            `artifacts` are not given lie where the environment variable `VBT_REGISTRY_ARTIFACTS` says.

    Raises:
        TypeError: If options are given with a ready store.
        NotADirectoryError: If the folder is a file.

    Usage:
        ```pycon
        >>> from vectorbt.portfolio.registry import RunRegistry

        >>> registry = RunRegistry()
        >>> run_id = registry.save_run(pf, "dual_sma", parameters={"fast": 10, "slow": 50}, tags=["spx"])
        >>> registry.get_best_runs(n=5)
        >>> registry.load_portfolio(run_id).stats()
        ```"""

    def __init__(
        self, store: tp.Union[None, str, os.PathLike, RunStore, "RunRegistry"] = None, **options: tp.Any
    ) -> None:
        if "path" in options:
            if store is not None:
                raise TypeError("store and path are the same; give one of them")
            store = options.pop("path")
        self.store: RunStore = open_store(store.store if isinstance(store, RunRegistry) else store, **options)

    # ############# Saving ############# #

    def save_run(
        self,
        portfolio: "Portfolio",
        strategy_name: str,
        parameters: tp.Optional[dict] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: str = "",
        save_portfolio: tp.Union[bool, str] = True,
        portfolio_format: tp.Optional[str] = None,
        *,
        metrics: tp.Optional[dict] = None,
        attachments: tp.Optional[dict] = None,
    ) -> str:
        """Save a backtest as one run.

        A portfolio of several columns becomes one run with the aggregate that `Portfolio.stats` makes of them. For one
        run per column there is `RunRegistry.save_sweep`. The run is durable when the call returns. Of what a save warns
        is in `docs/saving.md`.

        Args:
            portfolio (Portfolio): Portfolio.
            strategy_name (str): Name of the strategy.
            parameters (dict): Parameters of the strategy. Types survive: an integer comes back as an integer, a
                `Timestamp` as a `Timestamp`. What has named fields, such as a dataclass, is a dict of them.
            tags (list of str): Tags. A lone string is one tag.
            notes (str): Free text.
            save_portfolio (bool or str): Whether to keep the portfolio beside its metrics. `"returns"` keeps its return
                series only, a small fraction of the size. See `RunRegistry.load_returns`.
            portfolio_format (str): Format of the portfolio. Defaults to that of the store.
            metrics (dict): Metrics of your own by name, such as `{"oos_sharpe": 1.2}`. Runs are filtered and ranked by
                them as by those of vectorbt.
            attachments (dict): Files that belong to the run: contents as bytes, or paths, by name, such as
                `{"model.json": path}`. See `RunRegistry.load_attachment`.

        Returns:
            run_id of the run.

        Raises:
            TypeError: If an argument has the wrong type, or a parameter has no faithful encoding. The message names
                it by its path. Nothing is written.
            ValueError: If a metric has the name of one that vectorbt has measured.
            OSError: If the system refuses to write. Nothing is left behind."""
        check_strategy_name(strategy_name)  # before measuring, which takes a while
        portfolio_format = self._format_of(save_portfolio, portfolio_format)
        keeps_returns = save_portfolio and portfolio_format == ReturnsFormat.name
        if keeps_returns and len(check_portfolio(portfolio).wrapper.get_columns()) > 1:
            raise ValueError(
                "the aggregate of several columns has no return series to keep; save_sweep makes each column a run"
            )
        own_metrics, files = check_metrics(metrics), NewAttachments.of(attachments)
        run = with_metrics(run_of(portfolio, strategy_name, parameters, tags, notes), own_metrics)
        kept = portfolio if save_portfolio else None
        return self.store.save_block(run, kept, portfolio_format, new_ids=True, attachments=files)[0]

    def save_sweep(
        self,
        portfolio: "Portfolio",
        strategy_name: str,
        parameters: tp.Optional[dict] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: str = "",
        save_portfolio: tp.Union[bool, str] = True,
        portfolio_format: tp.Optional[str] = None,
        *,
        metrics: tp.Optional[dict] = None,
        attachments: tp.Optional[dict] = None,
        sweep_id: tp.Optional[str] = None,
    ) -> tp.List[str]:
        """Save every column of a portfolio as a run; every group, where the portfolio is grouped.

        The levels of the column index become parameters. All runs share a `sweep_id` and one stored portfolio. Either
        all of them are saved or none.

        Args:
            portfolio (Portfolio): Portfolio of a whole sweep.
            strategy_name (str): Name of the strategy.
            parameters (dict): Parameters that all columns have in common.
            tags (list of str): Tags of each run.
            notes (str): Free text of each run.
            save_portfolio (bool or str): Whether to keep the portfolio beside the metrics. `"returns"` keeps the return
                series only.
            portfolio_format (str): Format of the portfolio. Defaults to that of the store.
            metrics (dict): Metrics of your own by name: one value for all runs, or a list, array or Series with one
                for each column.
            attachments (dict): Files that belong to each of the runs: contents as bytes, or paths, by name.
            sweep_id (str): Sweep that the columns belong to, such as a grid that is extended. Defaults to a new one.

        Returns:
            run_ids in the order of the columns.

        Raises:
            TypeError: If an argument has the wrong type, or a parameter or a column label has no faithful encoding.
            ValueError: If a constant parameter has the name of a level of the columns, a metric that of one that
                vectorbt has measured, or the number of its values is not that of the columns. If the sweep that is
                to be continued is one of another strategy.
            RunNotFoundError: If there is no sweep that is to be continued.
            OSError: If the system refuses to write. Nothing is left behind.

        Usage:
            ```pycon
            >>> fast, slow = vbt.MA.run_combs(price, np.arange(2, 102), r=2, short_names=["fast", "slow"])
            >>> pf = vbt.Portfolio.from_signals(
            ...     price, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), freq="1D")
            >>> run_ids = registry.save_sweep(pf, "dual_sma", parameters={"fees": 0.001})
            >>> len(run_ids)
            4950
            ```"""
        portfolio_format = self._format_of(save_portfolio, portfolio_format)
        own_metrics, files = check_metrics(metrics), NewAttachments.of(attachments)
        number = 0 if sweep_id is None else self._number_of_save(sweep_id, strategy_name)
        runs = with_metrics(sweep_of(portfolio, strategy_name, parameters, tags, notes, sweep_id, number), own_metrics)
        kept = portfolio if save_portfolio else None
        # Two who continue a sweep at once have the same number: the second finds the ids of the first.
        is_new = sweep_id is None
        stem = None if is_new else f"{sweep_id}-{number}"
        return self.store.save_block(runs, kept, portfolio_format, is_new, files, stem)

    def _number_of_save(self, sweep_id: str, strategy_name: str) -> int:
        """Return how often a sweep was saved, having checked that it can be continued.

        Raises:
            RunNotFoundError: If there is none.
            ValueError: If it is one of another strategy."""
        runs = self.store.select(Query.of(sweep_id=sweep_id, limit=1))
        if not runs:
            raise RunNotFoundError(f"no sweep {sweep_id!r} in {self.store}; without sweep_id= a new one is made")
        if runs[0].strategy_name != strategy_name:
            raise ValueError(
                f"sweep {sweep_id} is one of {runs[0].strategy_name!r}, not of {strategy_name!r}; without sweep_id= a "
                f"new one is made"
            )
        # A deleted run keeps its id, so that of the first column tells whether there was such a save.
        number = 1
        while self.store.select(Query(prefix=sweep_run_ids(sweep_id, 1, number)[0], deleted=None)):
            number += 1
        return number

    def _format_of(self, save_portfolio: tp.Union[bool, str], portfolio_format: tp.Optional[str]) -> str:
        """Check what is to be kept of a portfolio, and return the format of it."""
        checked = check_format(self.store.portfolio_format if portfolio_format is None else portfolio_format)
        if isinstance(save_portfolio, str) and save_portfolio == "returns":
            return ReturnsFormat.name
        if not isinstance(save_portfolio, bool):
            raise TypeError(f"save_portfolio must be True, False or 'returns', not {save_portfolio!r}")
        return checked

    # ############# Asking ############# #

    def get_run(self, run_id: tp.Union[str, RunRecord]) -> tp.Optional[RunRecord]:
        """Return a run. None if there is none.

        Args:
            run_id (str or RunRecord): Id, unique prefix of at least four characters, or a record, as in everything that
                takes a run. What takes several takes them in a list, a `RunList` or whatever else holds them.

        Raises:
            AmbiguousRunIdError: If the prefix fits several runs. Lists them."""
        return self.store.get_run(run_id)

    def list_runs(
        self,
        strategy_name: tp.Optional[str] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        **filters: Unpack[Filters],
    ) -> RunList:
        """Return the runs that meet all conditions, newest first.

        Args:
            strategy_name (str): Name of the strategy.
            tags (list of str): The run has at least one of them.
            parameters (dict): Values by name: `{"fast": 10, "symbol": ["BTC", "ETH"]}`. A list, set, range or array
                means one of its items, and so does a tuple unless a run has a tuple under that name. None means that
                there is no value. Typed: 10 is 10.0, but neither "10" nor True. `risk.stop` is a leaf of nested dicts.
            where (str): Expression over the columns of `RunRegistry.to_frame`, such as
                `"sharpe_ratio > 1 and params.fast in [5, 10]"`. See `vectorbt.portfolio.registry.query.where`.
            since (datetime, date, timedelta or str): Earliest timestamp, inclusive: `"2024-12-31"`, `"2024-12"`,
                `"yesterday"`, or so long before now, `"7 days"`. A naive one is UTC.
            until (datetime, date, timedelta or str): Latest timestamp, inclusive. A bare date means the whole day.
            data (str, Series, DataFrame or Portfolio): Prices that the run was made on, or their fingerprint.
            sweep_id (str): Sweep that the run belongs to.
            symbols (list of str): The run was made on at least one of them. Of a run on many symbols the first ten are
                known.
            commit (str): Git commit of the code, or its first digits, four at least.
            deleted (bool): False for the runs that are there, True for the deleted ones, None for all.
            strict (bool): Whether a strategy, tag, parameter, sweep or data that no run has is an error. Else a
                warning says so where nothing is found, and names the nearest ones.
            sort_by (str or list of str): Field, metric or `params.<name>`, or several of them. A minus before one means
                downwards: `["strategy_name", "-sharpe_ratio"]`. Missing and infinite values come last in both
                directions.
            ascending (bool or list of bool): Direction, or one for each name. Defaults to newest first for the
                timestamp, else to ascending.
            limit (int): Number of runs at most.

        Raises:
            TypeError: If a condition has the wrong type.
            ValueError: If a condition means nothing.
            QueryError: If `where` is no expression, or a metric is unknown, or with `strict` anything else. Names the
                nearest ones."""
        runs = self.store.list_runs(Query.of(strategy_name, tags, **filters))
        sort_by = filters.get("sort_by")
        return RunList(runs, ranked_by=sort_by if isinstance(sort_by, str) else None, registry=self)

    def to_frame(
        self,
        strategy_name: tp.Optional[str] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        *,
        tz: tp.Optional[str] = "UTC",
        **filters: Unpack[Filters],
    ) -> tp.Frame:
        """Return the runs that `RunRegistry.list_runs` finds as a DataFrame.

        See `vectorbt.portfolio.registry.tables.frame.to_frame` for its columns.

        Args:
            strategy_name (str): Name of the strategy.
            tags (list of str): The run has at least one of them.
            tz (str): Zone of the `timestamp`. None gives times without a zone, in UTC, which is what Excel takes.
            **filters: Conditions, order and limit of `RunRegistry.list_runs`."""
        with collection_paused():
            return frame_of(self.store.list_rows(Query.of(strategy_name, tags, **filters)), tz)

    def count(
        self,
        strategy_name: tp.Optional[str] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        **filters: Unpack[Filters],
    ) -> int:
        """Return the number of runs that `RunRegistry.list_runs` finds."""
        return len(self.store.list_runs(Query.of(strategy_name, tags, **filters)))

    def get_best_runs(
        self,
        metric: str = "sharpe_ratio",
        n: int = 10,
        strategy_name: tp.Optional[str] = None,
        *,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        ascending: tp.Optional[bool] = None,
        deflate: bool = False,
        per: tp.Optional[str] = None,
        distinct: bool = False,
        **filters: Unpack[Conditions],
    ) -> RunList:
        """Return the best runs by a metric, the best one first.

        A run whose metric is missing or not a finite number is not among the best: a column that never traded has an
        infinite Sharpe ratio.

        Args:
            metric (str): Headline field, any key of `RunRecord.stats`, or a title such as `"Sharpe Ratio"`.
            n (int): Number of runs at most.
            strategy_name (str): Name of the strategy.
            tags (list of str): The run has at least one of them.
            ascending (bool): True if low is good. By default drawdowns, durations and fees are best when low,
                everything else when high.
            deflate (bool): Whether `to_frame()` of the list has a column `dsr`: the deflated Sharpe ratio of each run,
                after all trials of its strategy. See `RunRegistry.selection_bias`.
            per (str): Field, metric or `params.<name>`: the `n` best of each value under it.
            distinct (bool): Whether a trial that was repeated is there once: runs of a strategy on the same data whose
                returns have the same moments, such as a script that was run twice. `to_frame()` of the list has a
                column `repeats` then, which counts the runs.
            **filters: Conditions of `RunRegistry.list_runs`.

        Raises:
            QueryError: If the metric is unknown. A ValueError; it names the nearest ones.

        Usage:
            ```pycon
            >>> registry.get_best_runs("sortino_ratio", n=5, where="max_drawdown < 20")
            >>> registry.get_best_runs(n=1, per="params.symbol")
            ```"""
        if not isinstance(metric, str):
            raise TypeError(f"metric must be a string, not {type(metric).__name__}")
        metric = metric_called(metric)
        if metric in FIELDS:
            raise QueryError(f"{metric} is no metric; list_runs(sort_by={metric!r}) sorts by it")
        for name, instead in (("sort_by", "metric"), ("limit", "n")):
            if name in filters:
                raise TypeError(f"get_best_runs has no {name}; give {instead}= instead")
        if ascending is None:
            ascending = lower_is_better(metric)
        query = Query.of(strategy_name, tags, **filters).best(metric, n, ascending, per)
        repeats = None
        if distinct:
            ranked = self.store.list_runs(replace(query, per=None, limit=None))
            trials, repeats = distinct_trials(ranked)
            runs = trials[: query.limit] if query.per is None else first_of_each(trials, query.per, query.limit)
        else:
            runs = self.store.list_runs(query)
        dsr = deflated_sharpe_ratios(self.store, runs) if deflate else None
        return RunList(runs, dsr, repeats, ranked_by=metric, registry=self)

    def selection_bias(
        self,
        run_id: tp.Union[None, str, RunRecord] = None,
        *,
        pool: str = "tried",
        n_blocks: int = 16,
        benchmark: Benchmark = "hold",
        dependence: bool = True,
        seed: int = 0,
        progress: tp.Optional[bool] = None,
        **filters: Unpack[PoolFilters],
    ) -> SelectionBias:
        """Judge how much of a run's Sharpe ratio is luck, given all that was tried beside it.

        Every run that was ever saved is a trial: every column of every sweep, and the deleted runs. Trials with the
        same data, strategy and moments of returns are one, such as a script that was run twice. Runs that never traded
        and runs without a return series of their own are left out and counted. `docs/selection-bias.md` explains the
        numbers.

        Args:
            run_id (str or RunRecord): Id, unique prefix, or record. Defaults to the best run by its Sharpe ratio among
                those that the filters leave.
            pool (str): Trials to judge the run against, deleted ones included:

                * `"tried"`: all that the pick was made from. Where neither a run nor a strategy is named, that is
                    everything, since the best of everything is judged. Else it is the trials of its strategy, of every
                    strategy under which the same trial was made, and all on prices that overlap with its own.
                * `"strategy"`: those of its strategy
                * `"data"`: those of any strategy on the same prices, for trying another strategy is another trial
                * `"all"`: those of any strategy on any prices
                * `"filters"`: those that the filters leave
            n_blocks (int): Number of blocks of time for the probability of backtest overfitting. Even.
            benchmark (str or pd.Series): What the run should be better than beside zero: `"hold"` for holding the
                prices that it was made on, the id of a run, a series of returns per period, or None.
            dependence (bool): Whether to read the returns of the trials, and say what they depend on. False for a quick
                verdict from the records alone, which rests on the DSR.
            seed (int): Seed of the bootstraps.
            progress (bool): Whether to show progress bars for what takes more than two seconds. By default in a
                terminal.
            **filters: Conditions of `RunRegistry.list_runs`.

        Returns:
            SelectionBias: The verdict, which says itself in words when it is printed. What needs the returns of the
            trials, such as the p-value and the probability of backtest overfitting, is None where they were not saved.

        Raises:
            RunNotFoundError: If there is no run of the id.
            ValueError: If the run has no Sharpe ratio, is not among its pool, or the pool mixes frequencies. If `pool`
                or `n_blocks` mean nothing. If the benchmark has no return in one of the periods.
            TypeError: If filters are given that change nothing, or the benchmark is of another type.

        Usage:
            ```pycon
            >>> print(registry.selection_bias(strategy_name="dual_sma"))
            >>> registry.selection_bias(pool="data").p_value
            ```"""
        return judge(
            *(self.store, run_id, pool, n_blocks, filters),
            benchmark=benchmark,
            dependence=dependence,
            seed=seed,
            progress=progress,
        )

    def survivors(
        self,
        pool: str = "tried",
        *,
        benchmark: Benchmark = None,
        n_bootstraps: int = 1000,
        block_size: BlockSize = "auto",
        seed: int = 0,
        progress: tp.Optional[bool] = None,
        **filters: Unpack[PoolFilters],
    ) -> Survivors:
        """Find which trials are better than a benchmark, with a chance of 5 % of even one false claim.

        The test looks at the returns of all trials together, so that near-copies count as what they are. Trials whose
        returns were not saved, or are gone, add to each p-value as if they were independent.
        `docs/selection-bias.md` explains the test, `vectorbt.portfolio.registry.selection_bias.step_down_pvalues`.

        Args:
            pool (str): Trials to look at, as in `RunRegistry.selection_bias`: those beside the best run that the
                filters leave.
            benchmark (str or pd.Series): What to be better than: None for zero, `"hold"` for holding the prices of the
                trials, the id of a run, or a series of returns per period.
            n_bootstraps (int): Number of bootstraps, at least 100.
            block_size (float): Mean length of a block in rows. By default it is measured on the returns.
            seed (int): Seed. The same seed gives the same p-values.
            progress (bool): Whether to show a progress bar if it takes more than two seconds. By default in a terminal.
            **filters: Conditions of `RunRegistry.list_runs`.

        Returns:
            Survivors: Their p-values. Of the ten best trials, also intervals from the same bootstraps.

        Raises:
            ValueError: If the returns of the best run are not there, the prices are not there for `"hold"`, or a number
                is out of range.

        Usage:
            ```pycon
            >>> registry.survivors(strategy_name="dual_sma")
            >>> registry.survivors(benchmark="hold").to_frame()
            ```"""
        return survivors(
            *(self.store, pool, filters),
            benchmark=benchmark,
            n_bootstraps=n_bootstraps,
            block_size=block_size,
            seed=seed,
            progress=progress,
        )

    def audit_trials(
        self,
        run_id: tp.Union[str, RunRecord],
        pool: str = "tried",
    ) -> TrialAudit:
        """Return which trials a run competed against: how many, under which names, since when, deleted or not.

        Args:
            run_id (str or RunRecord): Id, unique prefix, or record.
            pool (str): Trials to list, see `RunRegistry.selection_bias`.

        Raises:
            RunNotFoundError: If there is no run of the id.
            ValueError: If the run has no Sharpe ratio, or `pool` means nothing.

        Usage:
            ```pycon
            >>> registry.audit_trials(run_id)
            Run 3019e969 is one of 5,010 trials under 2 names, 60 of the runs deleted.
            ...
            ```"""
        return audit(self.store, run_id, pool)

    def luck(self, run_id: tp.Union[str, RunRecord]) -> Luck:
        """Return what luck, and what holding the same prices, would have shown beside a run: Sharpe ratios a year.

        Args:
            run_id (str or RunRecord): Id, unique prefix, or record.

        Raises:
            RunNotFoundError: If there is no run of the id.
            ValueError: If the run has no Sharpe ratio."""
        return luck(self.store, run_id)

    # ############# Figures ############# #

    # Those of a list of runs are methods of `RunList`.

    def plot_equity(self, run_ids: Runs, **kwargs: tp.Any) -> tp.BaseFigure:
        """How did these runs grow, and how deep did they fall?

        Args:
            run_ids (list of str): Ids, unique prefixes, or records.
            **kwargs: See `RunList.plot_equity`."""
        return RunList(self.store.get_runs(run_ids), registry=self).plot_equity(**kwargs)

    def plot_sweep(self, sweep_id: str, metric: str = "sharpe_ratio", **kwargs: tp.Any) -> tp.BaseFigure:
        """Is the best cell of a sweep a plateau, or one bright dot below what luck would show?

        Args:
            sweep_id (str): Sweep.
            metric (str): Metric.
            **kwargs: See `RunList.plot_heatmap`."""
        return self.list_runs(sweep_id=sweep_id).plot_heatmap(metric, **kwargs)

    def plot_timeline(
        self,
        x: str = "trials",
        fig: tp.Optional[tp.BaseFigure] = None,
        layout: tp.Optional[dict] = None,
        **filters: Unpack[PoolFilters],
    ) -> tp.BaseFigure:
        """How long have I been fishing, and did the best catch grow faster than what luck would have brought?

        Deleted runs are trials, and are drawn as well.

        Args:
            x (str): `"trials"`, their number on a logarithmic scale, or `"time"`.
            fig (Figure): Figure to add to.
            layout (dict): Layout of the figure.
            **filters: Conditions of `RunRegistry.list_runs`.

        Raises:
            ValueError: If no run has a Sharpe ratio."""
        from vectorbt.portfolio.registry.figures.trials import plot_timeline

        return plot_timeline(timeline(self.store, filters), x, fig, **(layout or {}))

    def compare_runs(
        self,
        run_ids: Runs,
        *,
        only_differing: bool = False,
        metrics: tp.Union[None, str, tp.Sequence[str]] = None,
    ) -> tp.Frame:
        """Return one row per run, in the order asked.

        The first columns are `run_id`, `strategy`, `timestamp`, `total_return`, `sharpe_ratio`, `max_drawdown`,
        `total_trades` and `win_rate`, then `params.<name>` of every compared run. Unknown ids are left out, with one
        warning that lists them. Another warning says in words when the runs cannot fairly be compared. Turned by
        `.T`, so that each run is a column, the values keep their types.

        Args:
            run_ids (list): Ids, unique prefixes or records.
            only_differing (bool): Whether to leave out the columns in which all runs are the same, and to add what
                else differs: prices, period, settings, versions and code.
            metrics (list of str): Names of metrics. Defaults to the headline metrics.

        Raises:
            TypeError: If `run_ids` are no ids or records.
            QueryError: If neither vectorbt nor a run has a metric of the name.
            AmbiguousRunIdError: If a prefix fits several runs."""
        found = self.store.find_runs(run_ids)
        unknown = dict.fromkeys(run_id for run_id, record in found if record is None)
        if unknown:
            warn(f"unknown runs are left out: {', '.join(map(repr, unknown))}")
        records = [record for _, record in found if record is not None]
        return RunList(records).compare(only_differing=only_differing, metrics=metrics)

    def list_sweeps(self) -> tp.Frame:
        """Return one row per sweep, newest first: when, which strategy, how many runs, the best Sharpe ratio, and the
        varying parameters with their ranges. See `vectorbt.portfolio.registry.tables.sweeps.summarise`."""
        return summarise(self.list_runs(where="sweep_id != none"))

    def strategies(self) -> tp.Frame:
        """Return one row per strategy: how many runs, the best Sharpe ratio, the first and the last save.

        See `vectorbt.portfolio.registry.tables.inventory.strategies`."""
        return inventory.strategies(self.list_runs())

    def tags(self) -> tp.Frame:
        """Return one row per tag: how many runs, the first and the last save.

        See `vectorbt.portfolio.registry.tables.inventory.tags`."""
        return inventory.tags(self.list_runs())

    def parameter_names(self, strategy_name: tp.Optional[str] = None) -> tp.Frame:
        """Return one row per parameter: how many runs and strategies, and which values.

        See `vectorbt.portfolio.registry.tables.inventory.parameter_names`.

        Args:
            strategy_name (str): Strategy that is meant. Defaults to all."""
        return inventory.parameter_names(self.list_runs(strategy_name))

    def metric_names(self, strategy_name: tp.Optional[str] = None) -> tp.Frame:
        """Return one row per metric that `RunRegistry.get_best_runs` ranks by: how many runs, and what is best.

        See `vectorbt.portfolio.registry.tables.inventory.metric_names`.

        Args:
            strategy_name (str): Strategy that is meant. Defaults to all."""
        return inventory.metric_names(self.list_runs(strategy_name))

    # ############# Portfolios ############# #

    def load_portfolio(self, run_id: tp.Union[str, RunRecord]) -> tp.Optional["Portfolio"]:
        """Return the portfolio of a run.

        Of a run in a sweep it is its column or group alone. None for an unknown run, and for one that was saved
        without a portfolio. Warns if `vbt.settings` differ in what metrics depend on.

        Args:
            run_id (str or RunRecord): Id, unique prefix, or record.

        Raises:
            RunNotFoundError: If it is the id of a sweep, which `RunRegistry.load_sweep` loads.
            ValueError: If the run was saved with its returns only, which `RunRegistry.load_returns` loads.
            UntrustedArtifactError: If opening it would execute code and the registry was opened with
                `allow_pickle=False`.
            ArtifactMissingError: If it was saved and is gone.
            ArtifactCorruptedError: If it is not what was saved.
            ArtifactUnreadableError: If the installed versions cannot open it. Names those that wrote it."""
        return self.store.load_portfolio(run_id)

    def load_sweep(self, sweep_id: str, part: tp.Optional[int] = None) -> tp.Optional["Portfolio"]:
        """Return the whole portfolio of a sweep. None for an unknown sweep, and for one saved without a portfolio.

        Args:
            sweep_id (str): Sweep.
            part (int): Which of its parts, counted from 0, where it was saved in several. See `RunRegistry.save_sweep`.

        Raises:
            ValueError: If it is the id of a run, which `RunRegistry.load_portfolio` loads, or was saved with its
                returns only. If the sweep has several parts and `part` is None, or there is no such part: lists them.

        Raises the errors of `RunRegistry.load_portfolio`."""
        return self.store.load_sweep(sweep_id, part)

    def load_returns(self, run_ids: Runs) -> tp.Frame:
        """Return the return series of runs, saved with their portfolio or with `save_portfolio="returns"`.

        Args:
            run_ids (list): Ids, unique prefixes or records.

        Returns:
            DataFrame of returns per period: one row per bar, one column per run, named by the whole run_id. Runs with
            other bars are aligned, and are NaN where they have none.

        Raises:
            RunNotFoundError: If there is no run of an id.
            ValueError: If a run has no return series of its own."""
        return self.store.load_returns(run_ids)

    def load_attachment(self, run_id: str, name: str) -> bytes:
        """Return the content of a file that belongs to a run. `RunRecord.attachments` lists them.

        Args:
            run_id (str): Id, or a unique prefix of at least four characters.
            name (str): Name that it was given.

        Raises:
            RunNotFoundError: If there is no such run.
            ValueError: If it has no such attachment. Names those that it has.
            ArtifactMissingError: If it was saved and is gone.
            ArtifactCorruptedError: If it is not what was saved.

        Usage:
            ```pycon
            >>> run_id = registry.save_run(pf, "ridge", attachments={"model.json": "fitted/model.json"})
            >>> json.loads(registry.load_attachment(run_id, "model.json"))
            ```"""
        return self.store.load_attachment(run_id, name)

    # ############# Changing ############# #

    def update_run(
        self,
        run_id: tp.Union[str, RunRecord],
        *,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        add_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        remove_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: tp.Optional[str] = None,
        strategy_name: tp.Optional[str] = None,
        rename_parameters: tp.Optional[dict] = None,
        metrics: tp.Optional[dict] = None,
        parameters: tp.Optional[dict] = None,
        attachments: tp.Optional[dict] = None,
    ) -> RunRecord:
        """Change a run and return it. What is None stays as it is.

        What was recorded does not change: metrics, parameters and attachments can be added, not altered.

        Args:
            run_id (str or RunRecord): Id, unique prefix, or record.
            tags (list of str): New tags, instead of the old ones.
            add_tags (list of str): Tags to add.
            remove_tags (list of str): Tags to take away.
            notes (str): New notes.
            strategy_name (str): New name of the strategy.
            rename_parameters (dict): New names of parameters by the old ones.
            metrics (dict): Metrics to add, by name.
            parameters (dict): Parameters to add, by name.
            attachments (dict): Files to add: contents as bytes, or paths, by name.

        Raises:
            RunNotFoundError: If there is no such run.
            AmbiguousRunIdError: If a prefix fits several runs.
            TypeError: If something has the wrong type, or nothing is to be changed.
            ValueError: If the run has a metric, parameter or attachment already that is to be added, or lacks a
                parameter that is to be renamed. Names it.

        Usage:
            ```pycon
            >>> registry.update_run(run_id, metrics={"oos_sharpe": 1.2}, attachments={"model.json": "model.json"})
            ```"""
        return self.store.update_run(
            run_id,
            tags,
            add_tags,
            remove_tags,
            notes,
            attachments,
            strategy_name=strategy_name,
            rename_parameters=rename_parameters,
            metrics=metrics,
            parameters=parameters,
        )

    def update_runs(
        self,
        run_ids: tp.Optional[Runs] = None,
        *,
        new_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        add_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        remove_tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: tp.Optional[str] = None,
        new_strategy_name: tp.Optional[str] = None,
        rename_parameters: tp.Optional[dict] = None,
        dry_run: bool = False,
        **filters: Unpack[AllFilters],
    ) -> RunList:
        """Change runs, or those that meet the conditions of `RunRegistry.list_runs`, in one transaction.

        As everywhere else, `tags`, `strategy_name` and `parameters` are conditions: which runs are to be changed.

        Args:
            run_ids (list): Ids, unique prefixes or records.
            new_tags (list of str): New tags, instead of the old ones.
            add_tags (list of str): Tags to add.
            remove_tags (list of str): Tags to take away.
            notes (str): New notes.
            new_strategy_name (str): New name of the strategy.
            rename_parameters (dict): New names of parameters by the old ones.
            dry_run (bool): Whether to change nothing, and only return the runs as they would be.
            **filters: Conditions of `RunRegistry.list_runs`.

        Returns:
            RunList: The runs as they are now.

        Raises:
            RunNotFoundError: If there is no run of one of the ids. Lists all of them.
            TypeError: If neither ids nor conditions are given, or both, or nothing is to be changed.
            ValueError: If one of the runs lacks a parameter that is to be renamed. Then none is changed.

        Usage:
            ```pycon
            >>> registry.update_runs(strategy_name="dual_sma", rename_parameters={"fast": "fast_window"})
            ```"""
        if (run_ids is None) == (not filters):
            raise TypeError("give either run_ids or conditions; to change all runs pass where='run_id != none'")
        given = (new_tags, add_tags, remove_tags, notes, new_strategy_name, rename_parameters)
        if all(value is None for value in given):
            raise TypeError(
                "nothing to change: give new_tags, add_tags, remove_tags, notes, new_strategy_name or rename_parameters"
            )
        change = Change.of(*given)
        return RunList(self.store.update_runs(Query.of(**filters) if run_ids is None else run_ids, change, dry_run))

    def delete_run(self, run_id: tp.Union[str, RunRecord], permanent: bool = False) -> bool:
        """Delete a run by its id, a unique prefix, or a record. Return whether there was one.

        Its notes and its portfolio go into the trash, from which `RunRegistry.restore_run` brings them back.
        `RunRegistry.gc` empties that after thirty days, and only then is the disk freed. The run stays a trial in any
        case: `list_runs(deleted=True)` shows it.

        Args:
            run_id (str or RunRecord): Id, unique prefix, or record.
            permanent (bool): Whether the notes and the portfolio go for good, and the disk is freed at once.

        Raises:
            AmbiguousRunIdError: If a prefix fits several runs. Lists them; nothing is deleted."""
        return self.store.delete_run(run_id, permanent)

    @overload
    def delete_runs(
        self,
        run_ids: tp.Optional[Runs] = ...,
        *,
        permanent: bool = ...,
        dry_run: Literal[False] = ...,
        **filters: Unpack[AllFilters],
    ) -> int: ...

    @overload
    def delete_runs(
        self,
        run_ids: tp.Optional[Runs] = ...,
        *,
        permanent: bool = ...,
        dry_run: Literal[True],
        **filters: Unpack[AllFilters],
    ) -> RunList: ...

    def delete_runs(
        self,
        run_ids: tp.Optional[Runs] = None,
        *,
        permanent: bool = False,
        dry_run: bool = False,
        **filters: Unpack[AllFilters],
    ) -> tp.Union[int, RunList]:
        """Delete runs, or those that meet the conditions of `RunRegistry.list_runs`, in one transaction.

        See `RunRegistry.delete_run` for what becomes of them.

        Args:
            run_ids (list): Ids, unique prefixes or records.
            permanent (bool): Whether their notes and portfolios go for good, and not into the trash.
            dry_run (bool): Whether to delete nothing, and only return the runs that would go.
            **filters: Conditions of `RunRegistry.list_runs`.

        Returns:
            Number of runs that were deleted. With `dry_run`, the runs.

        Raises:
            TypeError: If neither ids nor conditions are given, or both.
            AmbiguousRunIdError: If a prefix fits several runs. Nothing is deleted."""
        if (run_ids is None) == (not filters):
            raise TypeError("give either run_ids or conditions; to delete all runs pass where='run_id != none'")
        if run_ids is not None and dry_run:
            return RunList([record for _, record in self.store.find_runs(run_ids) if record is not None])
        if run_ids is not None:
            return self.store.delete_runs(run_ids, permanent)
        if Query.of(**filters).is_unconditional:
            raise TypeError("these conditions hold for every run; to delete all of them pass where='run_id != none'")
        found = self.list_runs(**filters)
        if dry_run:
            return found
        if not found:  # nothing is locked, or made, for nothing
            return 0
        with self.store.exclusive():
            return self.store.delete_runs([record.run_id for record in self.list_runs(**filters)], permanent)

    def restore_run(self, run_id: tp.Union[str, RunRecord]) -> RunRecord:
        """Bring back a deleted run by its id, a unique prefix, or a record, with its notes and its portfolio.

        What is not in the trash any more is missing from it, and a warning says so.

        Returns:
            RunRecord: The run as it is now.

        Raises:
            RunNotFoundError: If there is no such deleted run.
            AmbiguousRunIdError: If a prefix fits several deleted runs.

        Usage:
            ```pycon
            >>> registry.delete_run(run_id)
            True
            >>> registry.restore_run(run_id).notes
            'the one with the stop'
            ```"""
        return self.restore_runs([run_id])[0]

    def restore_runs(self, run_ids: tp.Optional[Runs] = None, **filters: Unpack[AllFilters]) -> RunList:
        """Bring back deleted runs, or those that meet the conditions of `RunRegistry.list_runs`, in one transaction,
        and return them. See `RunRegistry.restore_run`.

        Raises:
            RunNotFoundError: If one of them is not a deleted run. Then none is restored.
            TypeError: If neither ids nor conditions are given, or both.

        Usage:
            ```pycon
            >>> registry.restore_runs(strategy_name="dual_sma")
            ```"""
        if (run_ids is None) == (not filters):
            raise TypeError("give either run_ids or conditions; to restore all runs pass where='run_id != none'")
        if run_ids is None:
            filters["deleted"] = True
            run_ids = [record.run_id for record in self.list_runs(**filters)]
        return RunList(self.store.restore_runs(run_ids))

    # ############# Upkeep ############# #

    def check(self, deep: bool = False, chain_head: tp.Optional[str] = None) -> tp.List[Problem]:
        """Return what is wrong with the registry; an empty list if it is sound.

        Changes nothing, and works on read-only media and while others write: what they are writing at that moment may
        be listed as an orphan or a temporary file.

        Args:
            deep (bool): Whether to read all portfolios and compare them with their SHA-256. Else only their sizes are
                compared.
            chain_head (str): What `RunRegistry.chain_head` returned earlier. If the registry does not go on from
                there, its end was cut off, or it was rewritten.

        Returns:
            Problems, each with its kind, its place, the run and what can be done. See
            `vectorbt.portfolio.registry.reports.Problem`.

        Usage:
            ```pycon
            >>> for problem in registry.check(deep=True):
            ...     print(problem)
            /home/me/research/backtest_runs/runs_metadata.jsonl:17: the checksum does not match. Restore it from a copy;
            compact() puts it aside
            ```"""
        return check(self.store, deep, chain_head)

    def chain_head(self) -> tp.Optional[str]:
        """Return a text that stands for all that was ever written to the registry, None if that is nothing.

        Each line of a folder's metadata carries a hash of the one before, and `RunRegistry.check` says where lines were
        removed, changed or reordered. Who computes all hashes anew, or cuts off the end, leaves no trace in the file:
        keep the head where nobody can change it, and give it to `RunRegistry.check` later.

        Usage:
            ```pycon
            >>> head = registry.chain_head()  # write it down
            >>> registry.check(chain_head=head)
            []
            ```"""
        return self.store.chain_head()

    def recover(
        self,
        sweep_id: str,
        strategy_name: tp.Optional[str] = None,
        parameters: tp.Optional[dict] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: str = "",
    ) -> tp.List[str]:
        """Bring back the runs of a sweep whose record was damaged, by measuring its stored portfolio anew.

        They have their old ids and metrics, and the parameters that the columns say. What only the record knew is to
        be given, and a warning says so. `RunRegistry.check` lists the sweeps that can be recovered. Runs that are there
        are left alone, and so are deleted ones whose record can be read.

        Args:
            sweep_id (str): Sweep.
            strategy_name (str): Name of the strategy. Defaults to what the damaged line says.
            parameters (dict): Parameters that all columns have in common.
            tags (list of str): Tags of each run.
            notes (str): Free text of each run.

        Returns:
            run_ids that are back. None of them, with a warning, if nothing was lost.

        Raises:
            RunNotFoundError: If there is no whole portfolio of the sweep.
            ValueError: If the name of the strategy is needed.

        Raises the errors of `RunRegistry.load_portfolio` as well.

        Usage:
            ```pycon
            >>> print(registry.check()[1])
            /home/me/research/backtest_runs/portfolios/0b9d....pkl: it still holds the runs of sweep 0b9d..., whose line
            in the metadata was damaged. Restore the line from a copy, or measure them anew by recover('0b9d...')
            >>> run_ids = registry.recover("0b9d...", parameters={"fees": 0.001}, tags=["spx"])
            ```"""
        return recover(self.store, sweep_id, strategy_name, parameters, tags, notes)

    def gc(
        self,
        min_age: tp.Union[str, float, timedelta] = "1 day",
        dry_run: bool = False,
        trash_age: tp.Union[str, float, timedelta] = "30 days",
    ) -> tp.List[Garbage]:
        """Empty the trash, and remove portfolios that no run refers to, and temporary files: what writers that died
        have left behind. It is what frees the disk.

        Of a deleted run whose trash is emptied the notes, the portfolio and its returns are gone. It stays a trial.

        A save that is under way loses nothing, however small `min_age` is. What a damaged line of the metadata still
        refers to is kept, and so are files that nobody saved as portfolios. Portfolios from before the first
        run, deleted ones included, are kept with a warning: metadata may have been lost.

        Args:
            min_age (str, float or timedelta): How old it must be, such as `"1 day"`, or in seconds.
            dry_run (bool): Whether to remove nothing, and only list what would be.
            trash_age (str, float or timedelta): How long ago a run must have been deleted.

        Returns:
            What was removed: its kind, place, size in bytes and age in seconds.

        Raises:
            TypeError: If `min_age` or `trash_age` is no duration.
            ValueError: If it is negative, or cannot be understood."""
        return gc(self.store, min_age, dry_run, trash_age)

    def compact(self, dry_run: bool = False) -> Compaction:
        """Rewrite the metadata without superseded lines: a run that was updated or deleted is written down once.

        Nothing is lost: neither the trials that deleted runs are, nor lines that cannot be read, which are put aside
        into a file of their own. If it is interrupted, the metadata is as it was. Others may read and write meanwhile.
        Only a folder needs it; other stores replace records in place.

        Args:
            dry_run (bool): Whether to change nothing, and only say what it would save.

        Returns:
            Size of the metadata and number of its lines, before and after."""
        return self.store.compact(dry_run)

    def convert(self, run_ids: tp.Optional[Runs] = None, to: str = "portable") -> Conversion:
        """Rewrite saved portfolios in another format, one after the other.

        The new files are read back and compared before the old ones go. After an interruption the same call goes on
        from where it stopped. The runs of a sweep share their portfolio, and are converted together.

        Args:
            run_ids (list): Ids, unique prefixes or records. Defaults to all runs.
            to (str): Name of the format: `"portable"` or `"pickle"`.

        Returns:
            run_ids that were converted, those that needed no conversion, and the failures. A portfolio that cannot be
            converted is left as it is, and a warning says why.

        Raises:
            RunNotFoundError: If one of the runs is not there.
            AmbiguousRunIdError: If a prefix fits several runs.
            ValueError: If there is no such format.

        Usage:
            ```pycon
            >>> registry.convert()
            Conversion(converted=4951, skipped=12, failures=0)
            ```"""
        chosen = None if run_ids is None else {run.run_id for run in self.store.get_runs(run_ids)}
        return convert(self.store, chosen, to)

    def export(
        self,
        path: tp.Union[str, os.PathLike, "RunRegistry", RunStore],
        run_ids: tp.Optional[Runs] = None,
    ) -> MergeReport:
        """Copy runs into another registry, with their portfolios.

        Runs that leave others behind take along how many trials they competed against, and the variance across these:
        a winner that is exported alone still has its competitors.

        The counterpart of `RunRegistry.merge`, which says what that means.

        Args:
            path (path_like, RunRegistry or RunStore): Other registry, not a table. It is made if need be.
            run_ids (list): Ids, unique prefixes or records. Defaults to all runs, the deleted ones included.

        Raises:
            RunNotFoundError: If one of the runs is not there.
            AmbiguousRunIdError: If a prefix fits several runs.
            ValueError: If the path is one of a table, such as `runs.csv`.

        Usage:
            ```pycon
            >>> registry.export("./for_alice", registry.get_best_runs(n=5))
            MergeReport(merged=5, skipped=0, conflicts=0)
            ```"""
        chosen = None if run_ids is None else {run.run_id for run in self.store.get_runs(run_ids)}
        _check_no_table(path)
        describe = None if chosen is None else Competitors(self.store).described
        return transfer(self.store, open_store(_store_of(path)), chosen, describe=describe)

    def merge(
        self, path_or_registry: tp.Union[str, os.PathLike, "RunRegistry", RunStore], *, restore: bool = False
    ) -> MergeReport:
        """Take over all runs of another registry, with their portfolios.

        Ids and timestamps stay what they are. Deleted runs come in as deleted ones, with what is in the trash. A run
        that is here already is skipped. If it is not the same on both sides, or was deleted on one of them, it is left
        alone and reported, and so is a run whose portfolio is not what was saved; all others are taken over. Nothing
        is unpickled. After an interruption the same call goes on from where it stopped.

        Args:
            path_or_registry (path_like, RunRegistry or RunStore): Other registry. It is not changed.
            restore (bool): Whether runs come back that were deleted here and are there in the other registry.

        Returns:
            run_ids that were taken over, run_ids that were here already, and the conflicts. A warning lists the
            conflicts as well.

        Raises:
            FileNotFoundError: If there is no registry at the path."""
        other = open_store(_store_of(path_or_registry), must_exist=True)
        return transfer(other, self.store, restore=restore)

    # ############# As a collection ############# #

    def close(self) -> None:
        """Let go of files and connections. A closed registry opens them again when it is used."""
        self.store.close()

    def __enter__(self) -> "RunRegistry":
        return self

    def __exit__(self, *args: tp.Any) -> None:
        self.close()

    def __len__(self) -> int:
        return self.store.count()

    def __bool__(self) -> bool:
        return True  # an empty registry is a registry

    def __contains__(self, run_id: tp.Any) -> bool:
        return isinstance(run_id, (str, RunRecord)) and self.store.get_run(run_id) is not None

    def __getitem__(self, run_id: tp.Union[str, RunRecord]) -> RunRecord:
        """Return a run that must be there.

        Raises:
            RunNotFoundError: If there is no such run. A KeyError."""
        record = self.store.get_run(run_id)
        if record is None:
            raise self.store.not_found([id_of_run(run_id)])
        return record

    def __iter__(self) -> tp.Iterator[RunRecord]:
        return iter(self.list_runs())

    def __repr__(self) -> str:
        try:
            n_runs = len(self)
            if not n_runs:
                return f"RunRegistry({self.store!r}, no runs yet: {HOW_TO_SAVE})"
            is_large = n_runs > _LARGE
            runs = self.list_runs(limit=1 if is_large else None)
        except _UNREADABLE as e:
            return f"RunRegistry({self.store!r}, cannot be read: {e})"
        names = [] if is_large else [run.strategy_name for run in runs]
        return f"RunRegistry({self.store!r}, {inventory.in_words(n_runs, runs[0] if runs else None, names)})"

    def _repr_html_(self) -> str:
        title = f"<b>{as_html(repr(self))}</b>"
        try:
            newest = RunList(self.store.select(Query(limit=_ON_DISPLAY)), registry=self)
            shown = f", the newest {_ON_DISPLAY} of them:" if len(self) > _ON_DISPLAY else ""
        except _UNREADABLE:  # the title says it
            return f"<p>{title}</p>"
        return f"<p>{title}{shown}</p>{newest._repr_html_() if newest else ''}"


_TABLES = {
    ".csv": "to_csv",
    ".xlsx": "to_excel",
    ".parquet": "to_parquet",
    ".feather": "to_feather",
    ".json": "to_json",
    ".html": "to_html",
}
"""How a DataFrame is written to a file, by the ending of its name."""


def _check_no_table(place: tp.Any) -> None:
    """Raise if a registry is to be made at a path that is one of a table."""
    path = os.fspath(place) if isinstance(place, (str, os.PathLike)) else ""
    write = _TABLES.get(os.path.splitext(path)[1].lower()) if isinstance(path, str) else None
    if write is not None and not os.path.isdir(path):
        raise ValueError(
            f"export copies runs into another registry, a folder or a database; for a table write "
            f"to_frame().{write}({path!r})"
        )


def _store_of(place: tp.Union[str, os.PathLike, "RunRegistry", RunStore]) -> tp.Union[str, os.PathLike, RunStore]:
    """Return the store or location of another registry.

    Raises:
        TypeError: If it is None, which would mean the default registry."""
    if place is None:
        raise TypeError("expected the path, URL or RunRegistry of another registry, not None")
    return place.store if isinstance(place, RunRegistry) else place


def save_to_registry(
    portfolio: "Portfolio",
    strategy_name: str,
    parameters: tp.Optional[dict] = None,
    tags: tp.Union[None, str, tp.Sequence[str]] = None,
    notes: str = "",
    registry: tp.Union[None, str, os.PathLike, RunStore, RunRegistry] = None,
    *,
    sweep: bool = False,
    save_portfolio: tp.Union[bool, str] = True,
    portfolio_format: tp.Optional[str] = None,
    **kwargs: tp.Any,
) -> tp.Union[str, tp.List[str]]:
    """Save this portfolio to a registry of runs.

    Available as `vbt.Portfolio.save_to_registry`.

    Args:
        portfolio (Portfolio): This portfolio.
        strategy_name (str): Name of the strategy.
        parameters (dict): Parameters of the strategy.
        tags (list of str): Tags. A lone string is one tag.
        notes (str): Free text.
        registry (RunRegistry, RunStore or path_like): Registry. Defaults to `RunRegistry()`.
        sweep (bool): Whether each column is a run of its own, see `RunRegistry.save_sweep`.
        save_portfolio (bool or str): Whether to keep the portfolio beside its metrics, or only its `"returns"`.
        portfolio_format (str): Format of the portfolio. Defaults to that of the registry's store.
        **kwargs: `metrics`, `attachments`, and for a sweep `sweep_id`, see `RunRegistry.save_sweep`.

    Returns:
        run_id, or with `sweep` a list of them in the order of the columns.

    Raises the errors of `RunRegistry.save_run` and `RunRegistry.save_sweep`.

    Usage:
        ```pycon
        >>> import vectorbt as vbt

        >>> run_id = pf.save_to_registry("dual_sma", parameters={"fast": 10, "slow": 50})
        ```"""
    if not isinstance(registry, RunRegistry):
        registry = RunRegistry(registry)
    save = registry.save_sweep if sweep else registry.save_run
    return save(portfolio, strategy_name, parameters, tags, notes, save_portfolio, portfolio_format, **kwargs)
