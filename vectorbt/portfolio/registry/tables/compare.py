"""Runs side by side, and what makes them incomparable."""

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import as_printable, escaped, text_of
from vectorbt.portfolio.registry.errors import QueryError
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX, vectorbt_metrics
from vectorbt.portfolio.registry.query.comparing import equal, is_missing
from vectorbt.portfolio.registry.query.query import value_of
from vectorbt.portfolio.registry.query.where import nearest
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.columns import as_array, as_objects, as_timestamps, is_of_objects
from vectorbt.portfolio.registry.tables.frame import symbols_text

_FEE_TOLERANCE = 0.01
"""Relative difference of two fee rates that are called the same: minimum fees and rounding leave that much."""


class Comparison(pd.DataFrame):
    """Runs side by side: a DataFrame of which each value keeps its type when rows and columns change places."""

    @property
    def _constructor(self) -> tp.Callable:
        return Comparison

    def transpose(self, *args: tp.Any, **kwargs: tp.Any) -> tp.Frame:  # type: ignore[override]
        """Return the values with rows and columns exchanged, as objects: pandas would make floats of integers."""
        return pd.DataFrame(self).astype(object).transpose(*args, **kwargs)

    T = property(transpose)


def compare(
    records: tp.Sequence[RunRecord],
    only_differing: bool = False,
    metrics: tp.Union[None, str, tp.Sequence[str]] = None,
) -> tp.Frame:
    """Return one row per run, in the order given.

    The first columns are `run_id`, `strategy`, `timestamp` and the metrics, then `params.<name>` of every run. With
    `only_differing` the columns in which all runs are the same are left out, but for the `run_id`. What else differs
    follows: prices (the first digits of their fingerprint as `data`), `symbols`, period and frequency, initial cash,
    `settings.<name>`, versions, and the git revision.

    A value is as its record has it: integers stay integers where some are missing.

    Args:
        records (sequence of RunRecord): Runs.
        only_differing (bool): Whether to leave out what is the same in all runs.
        metrics (list of str): Names of metrics. Defaults to the headline metrics.

    Raises:
        TypeError: If `metrics` are no names.
        QueryError: If neither vectorbt nor a run has a metric of the name."""
    names = _checked(metrics, records)
    columns: tp.Dict[str, tp.Any] = {
        "run_id": [record.run_id for record in records],
        "strategy": [record.strategy_name for record in records],
        "timestamp": as_timestamps([record.timestamp for record in records]),
    }
    for name in names:
        columns[name] = [as_printable(value_of(record, name)) for record in records]
    for name in dict.fromkeys(name for record in records for name in record.parameters):
        values = [as_printable(record.parameters.get(name)) for record in records]
        columns[f"{PARAMETER_PREFIX}{name}"] = values
    if only_differing:
        circumstances = [_circumstances(record) for record in records]
        for name in dict.fromkeys(name for described in circumstances for name in described):
            columns.setdefault(name, [described.get(name) for described in circumstances])
        columns = {name: values for name, values in columns.items() if name == "run_id" or _differ(list(values))}
    index = pd.RangeIndex(len(records))
    return Comparison({name: _as_series(values, index) for name, values in columns.items()}, index=index)


def _checked(metrics: tp.Union[None, str, tp.Sequence[str]], records: tp.Sequence[RunRecord]) -> tp.Sequence[str]:
    """Return the names of metrics that a comparison shows."""
    if metrics is None:
        return HEADLINE
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    known = {*HEADLINE, *vectorbt_metrics(), *(name for record in records for name in record.stats)}
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"metrics must be names of metrics, not {type(name).__name__}")
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {' or '.join(map(escaped, near))}?" if near else ""
            raise QueryError(f"none of the runs has a metric {name!r}{hint}")
    return list(dict.fromkeys(names))


def _as_series(values: tp.Any, index: pd.Index) -> tp.Series:
    """Return values in one type if that changes none of them, as objects otherwise."""
    if isinstance(values, list):
        has_integers = any(type(value) is int for value in values)
        values = as_objects(values) if has_integers and any(map(is_missing, values)) else as_array(values)
    return pd.Series(values, index=index, dtype=object if is_of_objects(values) else None)


def _circumstances(record: RunRecord) -> tp.Dict[str, tp.Any]:
    """Return what a result depends on beside the parameters, by the names of the columns of a comparison."""
    data, environment = record.data, record.environment
    settings, git = environment.get("settings"), environment.get("git")
    found = {
        "data": _fingerprint(record),
        "symbols": symbols_text(data),
        **{name: data.get(name) for name in ("start", "end", "bars")},
        "frequency": _frequency(record),
        "start_value": record.stats.get("start_value"),
    }
    if isinstance(settings, dict):
        found.update((f"settings.{name}", value) for name, value in settings.items())
    found.update((name, value) for name, value in environment.items() if isinstance(value, str))
    if isinstance(git, dict):
        found.update((f"git_{name}", value) for name, value in git.items())
    return {name: as_printable(value) for name, value in found.items()}


def _differ(values: tp.List[tp.Any]) -> bool:
    """Return whether not all values are the same. A missing value is the same as a missing value."""
    missing = [is_missing(value) for value in values]
    if all(missing):
        return False
    return any(missing) or not all(equal(values[0], value) for value in values[1:])


def reasons_not_to_compare(records: tp.Sequence[RunRecord]) -> tp.List[str]:
    """Return in words why runs cannot fairly be compared. An empty list if they can, as far as their records tell."""
    reasons = []
    for what, values in _CONDITIONS.items():
        known = [value for value in map(values, records) if not is_missing(value)]
        if _differ(known):
            shown = list(dict.fromkeys(escaped(text_of(value, str)) for value in known))
            reasons.append(f"{what} ({', '.join(shown[:3])}{', ...' if len(shown) > 3 else ''})")
    fees = [fee for fee in (record.returns_stats.get("fee_rate") for record in records) if isinstance(fee, float)]
    fees = [fee for fee in fees if not is_missing(fee)]
    if fees and max(fees) - min(fees) > _FEE_TOLERANCE * max(map(abs, fees)):
        reasons.append(f"realised fees ({min(fees):.4%} to {max(fees):.4%} of the value traded)")
    return reasons


def _fingerprint(record: RunRecord) -> tp.Optional[str]:
    """Return the first digits of the fingerprint of the prices."""
    return str(record.data.get("fingerprint") or "")[:8] or None


def _frequency(record: RunRecord) -> tp.Any:
    """Return the frequency of the bars. That there was none is known of a run whose prices are."""
    return record.data.get("frequency") or ("none" if record.data.get("fingerprint") else None)


def _year_freq(record: RunRecord) -> tp.Any:
    settings = record.environment.get("settings")
    return settings.get("year_freq") if isinstance(settings, dict) else None


_CONDITIONS: tp.Dict[str, tp.Callable[[RunRecord], tp.Any]] = {
    "other prices": _fingerprint,
    "another first bar": lambda record: record.data.get("start"),
    "another last bar": lambda record: record.data.get("end"),
    "another frequency": _frequency,
    "another initial cash": lambda record: record.stats.get("start_value"),
    "another year length for annualisation": _year_freq,
}
