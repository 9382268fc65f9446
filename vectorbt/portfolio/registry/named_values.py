"""What runs that are kept as columns hold under a name: a field, a metric or `params.<name>`."""

import operator

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.block import RunBlock
from vectorbt.portfolio.registry.column import ABSENT, Coded, Ids, Numbers
from vectorbt.portfolio.registry.encoding import decode, decode_mapping
from vectorbt.portfolio.registry.lazy import lazy
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.record_json import parse_timestamp

__all__ = [
    "MAX_EXACT",
    "ORIGINS",
    "NumericValues",
    "Values",
    "fingerprints_of",
    "parameter_of",
    "parameters_of",
    "values_at",
    "values_of",
]


def _frequency(data: tp.Mapping[str, tp.Any]) -> tp.Any:
    """Return the frequency of the bars, as a duration where it is a fixed one."""
    frequency = data.get("frequency")
    try:
        return pd.Timedelta(frequency) if isinstance(frequency, str) else frequency
    except ValueError:
        return frequency


def _git_commit(environment: tp.Mapping[str, tp.Any]) -> tp.Any:
    git = environment.get("git")
    return git.get("commit") if isinstance(git, dict) else None


ORIGINS: tp.Dict[str, tp.Tuple[str, tp.Callable[[tp.Mapping[str, tp.Any]], tp.Any]]] = {
    "symbols": ("data", lambda data: data.get("symbols")),
    "bars": ("data", lambda data: data.get("bars")),
    "frequency": ("data", _frequency),
    "git_commit": ("environment", _git_commit),
    "vectorbt": ("environment", lambda environment: environment.get("vectorbt")),
}
"""Names of where a result comes from: the field of a record that knows it, and how it is found there."""

MAX_EXACT = 2**53
"""Integers up to here are the same as floats."""

_ARRAY_OPERATORS: tp.Dict[str, tp.Callable] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Values:
    """What the rows of a block hold under a name: different values and which of them each row has.

    Args:
        distinct (list): Different values.
        codes (np.ndarray): For each row the position of its value."""

    def __init__(self, distinct: tp.List[tp.Any], codes: tp.Array1d) -> None:
        self.distinct = distinct
        self.codes = codes

    def spread(self, holds: tp.Callable[[tp.Any], bool]) -> tp.Array1d:
        """Return for each row whether a condition holds for its value."""
        return np.fromiter(map(holds, self.distinct), bool, len(self.distinct))[self.codes]

    def take(self, rows: tp.Array1d) -> tp.List[tp.Any]:
        """Return the values of some rows."""
        return [self.distinct[code] for code in self.codes[rows].tolist()]

    def each(self) -> tp.List[tp.Any]:
        """Return the value of each row."""
        return self.take(np.arange(len(self.codes)))

    def distinct_of(self, rows: tp.Optional[tp.Array1d]) -> tp.List[tp.Any]:
        """Return the different values of some rows, of all if it is None."""
        codes = self.codes if rows is None else self.codes[rows]
        return [self.distinct[code] for code in np.unique(codes).tolist()]


class NumericValues(Values):
    """Numbers, which are asked as an array.

    Args:
        numbers (np.ndarray): Array of float64 or int64."""

    def __init__(self, numbers: tp.Array1d) -> None:
        self.numbers = numbers

    @lazy
    def _unique(self) -> tp.Tuple[tp.Array1d, tp.Array1d]:
        return np.unique(self.numbers, return_inverse=True)

    @property
    def distinct(self) -> tp.List[tp.Any]:  # type: ignore[override]  # made when it is asked for
        return self._unique[0].tolist()

    @property
    def codes(self) -> tp.Array1d:  # type: ignore[override]
        return self._unique[1]

    def take(self, rows: tp.Array1d) -> tp.List[tp.Any]:
        return self.numbers[rows].tolist()

    def each(self) -> tp.List[tp.Any]:
        return self.numbers.tolist()

    def compared(self, operation: str, number: tp.Union[int, float]) -> tp.Optional[tp.Array1d]:
        """Return the comparison of each row with a number, None if the array cannot do it exactly."""
        if self.numbers.dtype.kind == "i":
            if type(number) is float and not self._are_exact:
                return None
            if type(number) is int and not -(2**63) <= number < 2**63:
                return None
        elif type(number) is int and abs(number) > MAX_EXACT:
            return None
        holds = _ARRAY_OPERATORS[operation](self.numbers, number)
        return holds & (self.numbers == self.numbers) if operation == "!=" else holds  # NaN compares with nothing

    @lazy
    def _are_exact(self) -> bool:
        return bool((np.abs(self.numbers) <= MAX_EXACT).all()) if len(self.numbers) else True


def values_of(block: RunBlock, name: str) -> Values:
    """Return what the runs of a block hold under a name, as `vectorbt.portfolio.registry.query.query.value_of` does."""
    if name.startswith(PARAMETER_PREFIX):
        return parameters_of(block, name.removeprefix(PARAMETER_PREFIX))
    if name in HEADLINE:
        return _headline(block, name)
    if name in ORIGINS:
        field, read = ORIGINS[name]
        column = tp.cast(Coded, block.column(field))
        return Values([read(value) if type(value) is dict else None for value in column.decoded], column.codes)
    if name == "timestamp":
        moments = tp.cast(Coded, block.columns["timestamp",])
        return Values([parse_timestamp(value) for value in moments.distinct], moments.codes)
    if name in _DEFAULTS:
        found = values_at(block, (name,))
        if isinstance(found, NumericValues):
            return found
        return Values([_DEFAULTS[name]() if value is None else value for value in found.distinct], found.codes)
    return values_at(block, ("stats", name))


_DEFAULTS: tp.Dict[str, tp.Callable[[], tp.Any]] = dict(
    run_id=str,
    strategy_name=str,
    tags=list,
    notes=str,
    sweep_id=lambda: None,
    column=lambda: None,
)
"""Fields, and what they hold where nothing is said."""


def values_at(block: RunBlock, path: tp.Tuple[str, ...]) -> Values:
    """Return what the runs of a block hold at a place of their records, None where there is nothing."""
    column = block.column(*path)
    if isinstance(column, Numbers):
        return NumericValues(column.values)
    if isinstance(column, Ids):
        return Values(column.to_json(), np.arange(len(block)))
    return Values(column.decoded, column.codes)


def parameter_of(parameters: tp.Mapping[tp.Any, tp.Any], name: str) -> tp.Any:
    """Return the value of a parameter, None if there is none.

    `risk.stop` is the parameter of that name or else what is called `stop` in the dict that is called `risk`, at any
    depth.

    Args:
        parameters (mapping): Values by name.
        name (str): Name of a parameter, or of a leaf of one."""
    if name in parameters:
        return parameters[name]
    for outer, inner in _splits(name):
        if type(parameters.get(outer)) is dict:
            found = parameter_of(parameters[outer], inner)
            if found is not None:
                return found
    return None


def parameters_of(block: RunBlock, name: str) -> Values:
    """Return what the runs of a block have for a parameter, as `parameter_of` does."""
    if not any(("parameters", outer) in block.columns for outer, _ in _splits(name)):
        return values_at(block, ("parameters", name))
    names = [name, *(outer for outer, _ in _splits(name))]
    columns = {one: block.column("parameters", one) for one in names if ("parameters", one) in block.columns}
    held = [{one: column.at(row) for one, column in columns.items()} for row in range(len(block))]
    present = [{one: value for one, value in row.items() if value is not ABSENT} for row in held]
    return Values([parameter_of(decode_mapping(row), name) for row in present], np.arange(len(block)))


def _splits(name: str) -> tp.Iterator[tp.Tuple[str, str]]:
    """Yield a name cut at each of its points."""
    for place, character in enumerate(name):
        if character == ".":
            yield name[:place], name[place + 1 :]


def fingerprints_of(block: RunBlock) -> Values:
    """Return the fingerprints of the data of the runs."""
    column = tp.cast(Coded, block.column("data"))
    described = [value.get("fingerprint") if type(value) is dict else None for value in column.distinct]
    return Values(list(decode(described)), column.codes)


def _headline(block: RunBlock, name: str) -> Values:
    """Return the values of a headline metric. What is no number is NaN."""
    found = values_at(block, ("stats", name))
    if isinstance(found, NumericValues):
        return found
    return Values([value if isinstance(value, (int, float)) else float("nan") for value in found.distinct], found.codes)
