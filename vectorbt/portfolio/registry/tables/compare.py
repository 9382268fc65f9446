"""Runs side by side, and what makes them incomparable."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.comparing import equal, is_missing
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.tables.run_list import to_frame

_COLUMNS = (
    "strategy_name",
    "timestamp",
    "total_return",
    "sharpe_ratio",
    "max_drawdown",
    "total_trades",
    "win_rate",
)
_FEE_TOLERANCE = 0.01
"""Relative difference of two fee rates that are called the same: minimum fees and rounding leave that much."""


def compare(records: tp.Sequence[RunRecord], only_differing: bool = False) -> tp.Frame:
    """Return one row per run, in the order given.

    The first columns are `run_id`, `strategy`, `timestamp` and the headline metrics, then `params.<name>` of every
    run. With `only_differing` the columns in which all runs are the same are left out, but for the `run_id`."""
    frame = to_frame(records)
    parameters = [name for name in frame.columns if name.startswith(PARAMETER_PREFIX)]
    frame = frame[[*_COLUMNS, *parameters]].rename(columns={"strategy_name": "strategy"}).reset_index()
    if only_differing:
        frame = frame[[name for name in frame if name == "run_id" or _differ(list(frame[name]))]]
    return frame


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


def _frequency(record: RunRecord) -> tp.Any:
    """Return the frequency of the bars. That there was none is known of a run whose prices are."""
    return record.data.get("frequency") or ("none" if record.data.get("fingerprint") else None)


def _year_freq(record: RunRecord) -> tp.Any:
    settings = record.environment.get("settings")
    return settings.get("year_freq") if isinstance(settings, dict) else None


_CONDITIONS: tp.Dict[str, tp.Callable[[RunRecord], tp.Any]] = {
    "other prices": lambda record: str(record.data.get("fingerprint") or "")[:8] or None,
    "another first bar": lambda record: record.data.get("start"),
    "another last bar": lambda record: record.data.get("end"),
    "another frequency": _frequency,
    "another initial cash": lambda record: record.stats.get("start_value"),
    "another year length for annualisation": _year_freq,
}
