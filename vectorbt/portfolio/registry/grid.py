"""Runs as cells of a grid: one axis for each parameter in which they differ.

What is near a run, and whether it is alone there, is said by `Grid.neighbourhood`."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.metric_names import PARAMETER_PREFIX

__all__ = ["Axis", "Grid", "Neighbourhood", "finite_values", "numbers_of"]

MISSING = "none"
"""Label of a run that lacks the parameter of an axis."""


class Axis:
    """The values of one parameter, in their natural order.

    Args:
        name (str): Name of the parameter.
        values (Series): Its value for each run."""

    def __init__(self, name: str, values: pd.Series) -> None:
        self.name = name
        self.is_numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if self.is_numeric:
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
            self.values: tp.List[tp.Any] = np.unique(numbers[~np.isnan(numbers)]).tolist()
            places = {value: place for place, value in enumerate(self.values)}
            keys: tp.List[tp.Any] = numbers.tolist()
        else:
            keys = [MISSING if _is_missing(value) else text_of(value) for value in values]
            self.values = _in_natural_order(dict(zip(keys, values)))
            places = {value: place for place, value in enumerate(self.values)}
        self.places = np.array([places.get(key, -1) for key in keys], dtype=np.int64)
        """For each run the place of its value among the values, -1 where it is missing."""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_even(self) -> bool:
        """Whether the values are numbers in steps of one size, which an axis in their unit shows side by side."""
        if not self.is_numeric or len(self.values) < 2:
            return False
        steps = np.diff(self.values)
        return bool(np.allclose(steps, steps[0]))

    @property
    def labels(self) -> tp.List[str]:
        """The values as text, escaped."""
        return [f"{value:.10g}" if self.is_numeric else escaped(str(value)) for value in self.values]

    @property
    def ticks(self) -> tp.List[tp.Any]:
        """What a figure puts along the axis: numbers where these lie evenly, else the labels as categories."""
        return self.values if self.is_even else self.labels


class Neighbourhood(tp.NamedTuple):
    """What the runs around one of them show.

    Every number is of the neighbours alone, without the run itself."""

    run_id: str
    """Run in the middle."""
    metric: str
    """Metric that is compared."""
    value: float
    """Metric of the run in the middle."""
    radius: int
    """Steps of the grid in each direction: ranks among the values that were tried, not units of the parameter."""
    n_neighbours: int
    """Number of neighbours that have the metric."""
    median: float
    """Median of the neighbours."""
    mean: float
    """Mean of the neighbours."""
    best: float
    """Best of the neighbours."""
    worst: float
    """Worst of the neighbours."""
    rank: float
    """Share of all runs, the one in the middle included, that are no better than the mean of the neighbours."""
    is_complete: bool
    """Whether the run lies so far inside that a neighbour was tried on each side."""
    places: tp.Dict[str, tp.Tuple[int, int]]
    """First and last place on each axis that count as near."""

    @property
    def share(self) -> float:
        """Median of the neighbours over the run in the middle, which says something where both have the same sign."""
        return self.median / self.value if self.value else float("nan")


class Grid:
    """Runs by the parameters in which they differ.

    Args:
        frame (DataFrame): Runs as `RunList.to_frame` returns them.

    The axes come in the order of their number of values, most of them first."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.run_ids = list(frame.index)
        names = [name for name in frame.columns if name.startswith(PARAMETER_PREFIX)]
        axes = [Axis(name.removeprefix(PARAMETER_PREFIX), frame[name]) for name in names]
        varying = [axis for axis in axes if len(axis) > 1 or (len(axis) == 1 and (axis.places < 0).any())]
        self.axes = {axis.name: axis for axis in sorted(varying, key=len, reverse=True)}
        self.constants = {axis.name: axis.labels[0] for axis in axes if len(axis) == 1 and axis not in varying}
        """Parameters that all runs have in common, as text."""

    def label(self, place: int) -> str:
        """Return how a run differs from the others, such as `fast 10, slow 50`."""
        parts = [
            f"{escaped(axis.name)} {axis.labels[axis.places[place]]}"
            for axis in self.axes.values()
            if axis.places[place] >= 0
        ]
        return ", ".join(parts)

    def neighbourhood(
        self, values: tp.Array1d, place: int, radius: int = 1, lower_is_better: bool = False, metric: str = ""
    ) -> Neighbourhood:
        """Return what the runs around one of them show.

        A neighbour lies at most `radius` steps away on every axis of numbers, and has the same value on every other.

        Args:
            values (array): Metric of each run. NaN where there is none.
            place (int): Place of the run in the middle.
            radius (int): Steps of the grid.
            lower_is_better (bool): Whether low values are good.
            metric (str): Name of the metric."""
        near = np.ones(len(self.run_ids), dtype=bool)
        bounds = {}
        is_complete = True
        for axis in self.axes.values():
            own = int(axis.places[place])
            reach = radius if axis.is_numeric and own >= 0 else 0
            near &= np.abs(axis.places - own) <= reach
            if reach:
                near &= axis.places >= 0
                is_complete &= 0 < own < len(axis) - 1
            bounds[axis.name] = max(own - reach, 0), min(own + reach, len(axis) - 1)
        near[place] = False
        around = values[near & np.isfinite(values)]
        good, bad = (np.min, np.max) if lower_is_better else (np.max, np.min)
        mean = float(np.mean(around)) if len(around) else float("nan")
        known = values[np.isfinite(values)]
        no_better = known >= mean if lower_is_better else known <= mean
        return Neighbourhood(
            run_id=self.run_ids[place],
            metric=metric,
            value=float(values[place]),
            radius=radius,
            n_neighbours=len(around),
            median=float(np.median(around)) if len(around) else float("nan"),
            mean=mean,
            best=float(good(around)) if len(around) else float("nan"),
            worst=float(bad(around)) if len(around) else float("nan"),
            rank=float(np.mean(no_better)) if len(around) else float("nan"),
            is_complete=bool(is_complete and len(around)),
            places=bounds,
        )


def finite_values(frame: pd.DataFrame, metric: str) -> tp.Array1d:
    """Return a metric of each run, durations in days, and NaN where it is no finite number.

    Raises:
        ValueError: If it is one for none of them."""
    if metric not in frame:
        raise ValueError(f"none of these runs has a {metric}")
    values = numbers_of(frame[metric])
    values = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(values).all():
        raise ValueError(f"none of these runs has a finite {metric}")
    return values


def numbers_of(column: pd.Series) -> tp.Array1d:
    """Return a column as floats, durations in days, and NaN for what is no number."""
    if pd.api.types.is_timedelta64_dtype(column):
        return column.dt.total_seconds().to_numpy(dtype=float) / 86_400
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _is_missing(value: tp.Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _in_natural_order(values: tp.Mapping[str, tp.Any]) -> tp.List[str]:
    """Return texts in the order of the values that they stand for, or of the texts where these have no order."""
    texts = [text for text in values if text != MISSING]
    try:
        ordered = sorted(texts, key=values.__getitem__)
    except (TypeError, ValueError):
        ordered = sorted(texts)
    return ordered + [MISSING] * (MISSING in values)
