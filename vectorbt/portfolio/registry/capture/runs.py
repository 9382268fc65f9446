"""A portfolio as runs: what was tried, on which data, with which result, in the columns that a store keeps."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import Path, RunBlock
from vectorbt.portfolio.registry.capture.caveats import caveats
from vectorbt.portfolio.registry.capture.columns import column_parameters
from vectorbt.portfolio.registry.capture.data import describe_columns, describe_data
from vectorbt.portfolio.registry.capture.environment import environment
from vectorbt.portfolio.registry.capture.git import asked_git
from vectorbt.portfolio.registry.capture.metrics import Measured, measure, measure_columns
from vectorbt.portfolio.registry.checks import (
    check_notes,
    check_parameters,
    check_portfolio,
    check_strategy_name,
    check_tags,
    new_run_ids,
    now,
    sweep_run_ids,
)
from vectorbt.portfolio.registry.column import Coded, Column, Numbers, column_of, constant, ids_of
from vectorbt.portfolio.registry.encoding import encode_mapping
from vectorbt.portfolio.registry.metric_names import HEADLINE
from vectorbt.portfolio.registry.record_json import timestamp_text
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

__all__ = ["run_of", "sweep_of"]


def run_of(
    portfolio: "Portfolio",
    strategy_name: str = "",
    parameters: tp.Optional[dict] = None,
    tags: tp.Union[None, str, tp.Sequence[str]] = None,
    notes: str = "",
) -> RunBlock:
    """Describe a portfolio as one run. See `vectorbt.portfolio.registry.run.RunRecord.from_portfolio`."""
    check_portfolio(portfolio)
    described: tp.Dict[str, tp.Any] = dict(
        strategy_name=check_strategy_name(strategy_name, may_be_empty=True),
        tags=check_tags(tags),
        notes=check_notes(notes),
    )
    given = check_parameters(parameters)
    for caveat in caveats(portfolio, as_one_run=True):
        warn(caveat)
    with asked_git() as git:  # it looks at the files while the portfolio is measured
        measured, data = measure(portfolio), [describe_data(portfolio)]
        described["environment"] = environment(portfolio, git)
    return _block(described, given, {}, measured, data, new_run_ids(1))


def sweep_of(
    portfolio: "Portfolio",
    strategy_name: str,
    parameters: tp.Optional[dict] = None,
    tags: tp.Union[None, str, tp.Sequence[str]] = None,
    notes: str = "",
    sweep_id: tp.Optional[str] = None,
    save: int = 0,
) -> RunBlock:
    """Describe each column of a portfolio, or each group where it is grouped, as a run.

    See `vectorbt.portfolio.registry.run.RunRecord.from_columns`. The ids follow from the `sweep_id`, which is a new one
    unless it is given, and the number of the save."""
    check_portfolio(portfolio)
    described: tp.Dict[str, tp.Any] = dict(
        strategy_name=check_strategy_name(strategy_name),
        tags=check_tags(tags),
        notes=check_notes(notes),
        sweep_id=sweep_id or new_run_ids(1)[0],
    )
    given = check_parameters(parameters)
    levels = column_parameters(portfolio, given)
    for caveat in caveats(portfolio):
        warn(caveat)
    with asked_git() as git:  # it looks at the files while the portfolio is measured
        measured, data = measure_columns(portfolio), describe_columns(portfolio)
        described["environment"] = environment(portfolio, git)
    run_ids = sweep_run_ids(described["sweep_id"], len(data), save)
    block = _block(described, given, levels, measured, data, run_ids)
    return RunBlock(len(block), {**block.columns, ("column",): Numbers(np.arange(len(block)))})


def _block(
    described: tp.Dict[str, tp.Any],
    given: tp.Dict[str, tp.Any],
    levels: tp.Mapping[str, Column],
    measured: Measured,
    data: tp.Sequence[tp.Dict[str, tp.Any]],
    run_ids: tp.List[str],
) -> RunBlock:
    """Return runs as a block.

    Args:
        described (dict): What all have in common, by its key.
        given (dict): Parameters that all have in common.
        levels (mapping): Parameters that differ.
        measured (Measured): Metrics.
        data (sequence of dict): What describes the prices of each run.
        run_ids (list of str): Ids."""
    n = len(run_ids)
    columns: tp.Dict[Path, Column] = {("run_id",): ids_of(run_ids, n)}
    described = {"timestamp": timestamp_text(now()), **described}
    columns.update(((name,), constant(value, n)) for name, value in encode_mapping(described, "run").items())
    parameters = {**{name: constant(v, n) for name, v in encode_mapping(given, "parameters").items()}, **levels}
    nested = dict(parameters=parameters, stats=measured.stats, returns_stats=measured.returns_stats)
    for name, found in nested.items():
        inner = encode_mapping(dict.fromkeys(found), name)  # which checks the names
        columns.update(((name, key), column) for key, column in zip(inner, found.values()))
    descriptions = {id(one): one for one in data}  # few for thousands of runs
    encoded = {key: encode_mapping(one, "data") for key, one in descriptions.items()}
    columns["data",] = column_of([encoded[id(one)] for one in data])
    _check_headline(measured.stats)
    return RunBlock(n, columns)


def _check_headline(stats: tp.Mapping[str, Column]) -> None:
    for name in HEADLINE:
        column = stats[name]
        if isinstance(column, Coded) and not all(isinstance(value, (int, float)) for value in column.decoded):
            raise TypeError(f"{name} must be a number, not {column.decoded[0]!r}")
