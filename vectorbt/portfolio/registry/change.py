"""What is to be changed about a run, checked before anything is read or written."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import Path, RunBlock
from vectorbt.portfolio.registry.checks import check_notes, check_parameters, check_strategy_name, check_tags
from vectorbt.portfolio.registry.column import Column, column_of
from vectorbt.portfolio.registry.display import text_of
from vectorbt.portfolio.registry.encoding import decode_mapping, encode, encode_mapping
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.query import FIELDS
from vectorbt.portfolio.registry.run import RunRecord

_Tags = tp.Union[None, str, tp.Sequence[str]]


@dataclass(frozen=True)
class Change:
    """What is to be changed about a run, or several. What is None, or empty, stays as it is.

    Make one with `Change.of`, which checks what people pass.

    Args:
        tags (list of str): New tags, instead of the old ones.
        added_tags (list of str): Tags to add.
        removed_tags (set of str): Tags to take away.
        notes (str): New notes.
        strategy_name (str): New name of the strategy.
        renamed (dict): New names of parameters by the old ones.
        metrics (dict): Metrics to add.
        parameters (dict): Parameters to add."""

    tags: tp.Optional[tp.List[str]] = None
    added_tags: tp.List[str] = field(default_factory=list)
    removed_tags: tp.Set[str] = field(default_factory=set)
    notes: tp.Optional[str] = None
    strategy_name: tp.Optional[str] = None
    renamed: tp.Dict[str, str] = field(default_factory=dict)
    metrics: tp.Dict[str, tp.Any] = field(default_factory=dict)
    parameters: tp.Dict[str, tp.Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tags: _Tags = None,
        add_tags: _Tags = None,
        remove_tags: _Tags = None,
        notes: tp.Optional[str] = None,
        strategy_name: tp.Optional[str] = None,
        rename_parameters: tp.Optional[tp.Mapping[str, str]] = None,
        metrics: tp.Optional[dict] = None,
        parameters: tp.Optional[dict] = None,
    ) -> "Change":
        """Return a change, having checked what is to be changed.

        Raises:
            TypeError: If an argument has the wrong type, or a value cannot be encoded.
            ValueError: If a name is empty, or a metric cannot have its name."""
        return cls(
            None if tags is None else check_tags(tags),
            check_tags(add_tags),
            set(check_tags(remove_tags)),
            None if notes is None else check_notes(notes),
            None if strategy_name is None else check_strategy_name(strategy_name),
            _check_names(rename_parameters),
            check_metrics(metrics),
            check_parameters(parameters),
        )

    def apply(self, record: RunRecord) -> RunRecord:
        """Change a record, and return it.

        Raises:
            ValueError: If it has a metric or a parameter already that is to be added, or none that is to be renamed.
                The record is as it was."""
        # What is not touched is not looked at either: decoding can lose what this process does not know.
        parameters = self._parameters_of(record) if self.renamed or self.parameters else None
        if self.metrics:
            add_metrics(record, self.metrics)
        if parameters is not None:
            record.parameters = parameters
        if self.tags is not None or self.added_tags or self.removed_tags:
            kept = record.tags if self.tags is None else self.tags
            record.tags = [tag for tag in dict.fromkeys([*kept, *self.added_tags]) if tag not in self.removed_tags]
        if self.notes is not None:
            record.notes = self.notes
        if self.strategy_name is not None:
            record.strategy_name = self.strategy_name
        record.check()
        return record

    def _parameters_of(self, record: RunRecord) -> tp.Dict[str, tp.Any]:
        """Return the parameters of a record, renamed, with those that are added."""
        parameters = self._renamed(record)
        for name, value in self.parameters.items():
            if name in parameters:
                raise ValueError(
                    f"run {record.run_id} was recorded with the parameter {name!r}, which is "
                    f"{text_of(parameters[name])}; parameters can be added and renamed, but not changed"
                )
            parameters[name] = value
        return parameters

    def _renamed(self, record: RunRecord) -> tp.Dict[str, tp.Any]:
        """Return the parameters of a record under their new names, in their order."""
        missing = [name for name in self.renamed if name not in record.parameters]
        if missing:
            known = ", ".join(map(repr, record.parameters)) or "none"
            raise ValueError(f"run {record.run_id} has no parameter {missing[0]!r} to be renamed; it has {known}")
        names = [self.renamed.get(name, name) for name in record.parameters]
        twice = [name for name in self.renamed.values() if names.count(name) > 1]
        if twice:
            raise ValueError(
                f"run {record.run_id} would have two parameters {twice[0]!r}; rename the other one as well"
            )
        return dict(zip(names, record.parameters.values()))


def _check_names(value: tp.Any) -> tp.Dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for pair in value.items() for name in pair):
        raise TypeError(
            f"rename_parameters must be a dict of old and new names, such as {{'old': 'new'}}, not {value!r}"
        )
    return {encode(old, "rename_parameters"): encode(new, "rename_parameters") for old, new in value.items()}


def check_metrics(value: tp.Any) -> tp.Dict[str, tp.Any]:
    """Return metrics of the user's own as a dict that shares nothing with `value`; None is an empty one.

    Raises:
        TypeError: If it is not a dict with string keys, or one of the values cannot be encoded.
        ValueError: If a metric has the name of a column."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(f"metrics must be a dict of names and values, not {type(value).__name__}")
    arrays = {name: one.to_numpy() if isinstance(one, pd.Series) else one for name, one in value.items()}
    metrics = decode_mapping(encode_mapping(arrays, "metrics"))
    for name in metrics:
        if not name or name in FIELDS or name == "column" or name.startswith(PARAMETER_PREFIX):
            raise ValueError(f"metrics: {name!r} is what something else is called in a table; choose another name")
    return metrics


def with_metrics(block: RunBlock, metrics: tp.Mapping[str, tp.Any]) -> RunBlock:
    """Return runs with metrics of the user's own: of a list, a tuple or an array a value for each, else the same one.

    Raises:
        ValueError: If vectorbt has measured one of that name, or the number of values is not that of the runs."""
    columns: tp.Dict[Path, Column] = {}
    for name, value in metrics.items():
        is_each = isinstance(value, (list, tuple, np.ndarray)) and len(block) > 1
        values = (value.tolist() if isinstance(value, np.ndarray) else list(value)) if is_each else [value] * len(block)
        if len(values) != len(block):
            raise ValueError(f"metrics: {name!r} has {len(values)} values for {len(block)} columns; give one for each")
        for key in encode_mapping({name: None}, "metrics"):
            if ("stats", key) in block.columns:
                raise ValueError(f"metrics: {name!r} is one that vectorbt has measured already; choose another name")
            columns["stats", key] = column_of([encode(one, f"metrics[{name!r}]") for one in values])
    return RunBlock(len(block), {**block.columns, **columns}) if columns else block


def add_metrics(record: RunRecord, metrics: tp.Mapping[str, tp.Any]) -> None:
    """Add metrics of the user's own to a record.

    Raises:
        ValueError: If it has one of that name already, such as one that vectorbt has measured."""
    known = {**record.stats, **{name: getattr(record, name) for name in HEADLINE}}
    for name in metrics:
        if name in known:
            raise ValueError(
                f"run {record.run_id} has the metric {name!r} already, which is {text_of(known[name])}; metrics can be "
                f"added, but not changed: choose another name"
            )
    if metrics:
        record.stats = {**record.stats, **metrics}
