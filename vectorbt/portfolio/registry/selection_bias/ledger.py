"""What was tried elsewhere, written down in the runs that came from there.

A winner that is exported alone would be the only trial on record where it arrives. It takes along how many trials it
competed against, the mean and the variance of their Sharpe ratios, and a sketch of which ones they were, so that the
same trials are not counted twice however often and by however many ways they arrive.

The sketch are the smallest hashes of the identities of the trials, at most `SKETCH_SIZE` of them. As long as there are
no more trials than that, their union is exact. Beyond it the number is estimated from how close together the hashes
lie (Bar-Yossef et al. 2002, "Counting distinct elements in a data stream"), within about 5 %."""

import hashlib
import math

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.record_json import TRIED_ELSEWHERE

SKETCH_SIZE = 512

_DIGITS = 12
_LARGEST = 16**_DIGITS
_NAN = float("nan")


class Group(tp.NamedTuple):
    """Trials that were made somewhere, on bars of one length.

    Args:
        n_trials (int): Number of trials.
        mean (float): Mean of their Sharpe ratios per period.
        variance (float): Variance of these, with ddof 1. NaN for a single one.
        sketch (tuple of int): Smallest hashes of their identities, ascending."""

    n_trials: int
    mean: float
    variance: float
    sketch: tp.Tuple[int, ...]

    @classmethod
    def of(cls, sharpes: tp.Array1d, hashes: tp.Iterable[int]) -> "Group":
        """Return trials as a group.

        Args:
            sharpes (array): Their Sharpe ratios per period.
            hashes (iterable of int): Hashes of their identities, see `hash_of`."""
        variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else _NAN
        mean = float(np.mean(sharpes)) if len(sharpes) else _NAN
        return cls(len(sharpes), mean, variance, tuple(sorted(hashes)[:SKETCH_SIZE]))

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the group as an entry of a record."""
        return dict(
            n_trials=self.n_trials,
            mean=self.mean,
            variance=None if math.isnan(self.variance) else self.variance,
            sketch="".join(f"{number:0{_DIGITS}x}" for number in self.sketch),
        )

    @classmethod
    def from_dict(cls, entry: tp.Any) -> tp.Optional["Group"]:
        """Return the group of an entry, None if it is none."""
        try:
            sketch = entry["sketch"]
            numbers = tuple(int(sketch[i : i + _DIGITS], 16) for i in range(0, len(sketch), _DIGITS))
            n_trials, mean = int(entry["n_trials"]), float(entry["mean"])
            variance = _NAN if entry["variance"] is None else float(entry["variance"])
        except (TypeError, ValueError, KeyError, OverflowError):
            return None
        is_sound = n_trials >= len(numbers) > 0 and sorted(set(numbers)) == list(numbers) and not math.isinf(mean)
        return cls(n_trials, mean, variance, numbers) if is_sound else None


def hash_of(identity: tp.Tuple) -> int:
    """Return the hash of the identity of a trial."""
    return int(hashlib.sha256(repr(identity).encode()).hexdigest()[:_DIGITS], 16)


def united(groups: tp.Sequence[Group]) -> Group:
    """Return several groups, which may have trials in common, as one.

    The variance is that of the groups together, each weighted by its number of trials. It is exact for groups without a
    trial in common, and for groups of the same ones."""
    distinct = list({group.sketch: group for group in groups if group.n_trials}.values())
    sketch = tuple(sorted({number for group in distinct for number in group.sketch})[:SKETCH_SIZE])
    known = [group for group in distinct if math.isfinite(group.mean)]
    contained = [
        group for group in known if not any(set(group.sketch) < set(other.sketch) for other in known)
    ]  # what is part of another group is described by that one
    n_trials = _number_of(sketch, distinct)
    weights = np.array([group.n_trials for group in contained], float)
    if not len(weights):
        return Group(n_trials, _NAN, _NAN, sketch)
    means = np.array([group.mean for group in contained])
    variances = np.nan_to_num([group.variance for group in contained])
    mean = float(np.average(means, weights=weights))
    total = float(((weights - 1) * variances + weights * (means - mean) ** 2).sum())
    variance = total / (weights.sum() - 1) if weights.sum() > 1 else _NAN
    return Group(n_trials, mean, variance, sketch)


def _number_of(sketch: tp.Sequence[int], groups: tp.Sequence[Group]) -> int:
    """Return the number of trials in all groups together. It is never below that of one of them."""
    largest = max((group.n_trials for group in groups), default=0)
    if len(sketch) < SKETCH_SIZE:
        return max(len(sketch), largest)
    estimate = round((SKETCH_SIZE - 1) * _LARGEST / sketch[-1])
    return max(largest, min(estimate, sum(group.n_trials for group in groups)))


def groups_in(entries: tp.Any) -> tp.Dict[str, Group]:
    """Return what a record says of trials in other registries, by their sketches as text.

    Args:
        entries (any): What stands in its environment under `TRIED_ELSEWHERE`."""
    found = {}
    for entry in entries if isinstance(entries, list) else []:
        group = Group.from_dict(entry)
        if group is not None:
            found[entry["sketch"]] = group
    return found


def with_entry(record: tp.Mapping[str, tp.Any], group: Group) -> tp.Dict[str, tp.Any]:
    """Return the dict of a record that takes along what it competed against.

    Args:
        record (dict): Record as `RunRecord.to_dict` returns it.
        group (Group): The trials, itself among them."""
    environment = record.get("environment") or {}
    own = group.to_dict()
    groups = {**groups_in(environment.get(TRIED_ELSEWHERE)), own["sketch"]: group}
    return {**record, "environment": {**environment, TRIED_ELSEWHERE: [one.to_dict() for one in groups.values()]}}
