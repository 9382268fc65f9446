"""What prices have in common with others that they overlap: a hash for each month of them.

The fingerprint of prices says whether two runs were made on the same ones. It is another as soon as the window is moved
by a bar or the prices are multiplied by something. The blocks of prices are not:

* A block is a calendar day, a week from Monday on, a month or a year in UTC. Units are kept of which half of the blocks
  have at least 8 bars, and which have at most 600 blocks: months and years of daily bars, days and weeks of a few weeks
  of minute bars.
* The bars of a block are cut into 8 parts of equal length: part k ends at bar (k * (n - 1)) // 8 of n, counted from
  zero. The move of a part is its last price over that of the part before, less one. No bar outside of the block plays a
  part. The moves of several columns are their mean, where prices are missing that of the others.
* The moves are counted in steps of 0.0001, once rounded down from a quarter of a step above, once from three quarters.
  A change that is small beside a step, such as that to single precision, crosses a boundary of the one or of the
  other, hardly ever of both. The two sequences of integers are hashed to 16 bits each.
* A block in which no move reaches a step, or that has no bars, has no hash, and says nothing.

Two data overlap if, in any unit, at least half of the blocks of the shorter one have a hash in common with the same
block of the other one.

As kept, a unit is the first day of the first block and eight hexadecimal digits for each block from there on, zeros for
one without a hash."""

import re

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.frequency import times_of

__all__ = ["describe_blocks", "overlap"]

PARTS = 8
STEP = 1e-4
FEWEST_BARS = 8
"""Bars that half of the blocks of a unit have at least."""
MOST_BLOCKS = 600
UNITS = ("day", "week", "month", "year")

_OFFSETS = (0.25, 0.75)
_LARGEST = 1e6
"""Moves beyond it, such as those from a price of zero, count as it."""
_RUNS_AT_ONCE = 256
"""Runs whose blocks are computed together, which bounds the memory it takes."""
_KEPT = re.compile(r"(\d{4}-\d\d-\d\d) ((?:[0-9a-f]{8})+)", re.ASCII)

Described = tp.Dict[str, str]
"""Blocks as kept, by their unit."""


def describe_blocks(prices: tp.Array2d, index: pd.Index, runs: tp.Sequence[tp.Sequence[int]]) -> tp.List[Described]:
    """Return the blocks of the prices of each run, as the module's documentation defines them.

    Args:
        prices (array): Prices, one column in each row of the array.
        index (pd.Index): Index of the prices. Without times in ascending order there are no blocks.
        runs (sequence of sequence of int): For each run the rows of `prices` that it was made on."""
    described: tp.List[Described] = [{} for _ in runs]
    times = times_of(index)
    if not isinstance(times, pd.DatetimeIndex) or not times.is_monotonic_increasing or times.hasnans:
        return described
    moments = times.asi8.view(f"M8[{times.unit}]")
    for unit in UNITS:
        numbers = _block_numbers(moments, unit)
        starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
        bars = np.diff(starts, append=len(numbers))
        filled = numbers[starts] - numbers[0] if len(numbers) else numbers
        if not len(filled) or filled[-1] >= MOST_BLOCKS or np.median(bars) < FEWEST_BARS:
            continue
        cuts = starts[:, np.newaxis] + np.arange(PARTS + 1) * (bars[:, np.newaxis] - 1) // PARTS
        first_day = _first_day(numbers[0], unit)
        for start in range(0, len(runs), _RUNS_AT_ONCE):
            rows = runs[start : start + _RUNS_AT_ONCE]
            hashes = np.zeros((len(rows), filled[-1] + 1, 2), ">u2")
            hashes[:, filled] = _hashes(_moves(prices, cuts, rows))
            for run, of_run in zip(described[start:], hashes):
                run[unit] = f"{first_day} {of_run.tobytes().hex()}"
    return described


def overlap(a: tp.Mapping[str, tp.Any], b: tp.Mapping[str, tp.Any]) -> bool:
    """Return whether two data overlap: at least half of the blocks of the shorter one are blocks of the other one.

    Args:
        a (mapping): `RunRecord.data` of a run. If it has no blocks, only its fingerprint is compared.
        b (mapping): `RunRecord.data` of another run."""
    if a.get("fingerprint") is not None and a.get("fingerprint") == b.get("fingerprint"):
        return True
    return any(_overlap_in(unit, _kept(a, unit), _kept(b, unit)) for unit in UNITS)


def _overlap_in(unit: str, a: tp.Optional[str], b: tp.Optional[str]) -> bool:
    parsed_a, parsed_b = _parse(unit, a), _parse(unit, b)
    if parsed_a is None or parsed_b is None:
        return False
    (first_a, hashes_a), (first_b, hashes_b) = parsed_a, parsed_b
    fewer = min(np.count_nonzero(hashes_a.any(axis=1)), np.count_nonzero(hashes_b.any(axis=1)))
    start, end = max(first_a, first_b), min(first_a + len(hashes_a), first_b + len(hashes_b))
    if fewer == 0 or start >= end:
        return False
    shared_a, shared_b = hashes_a[start - first_a : end - first_a], hashes_b[start - first_b : end - first_b]
    same = (shared_a == shared_b).any(axis=1) & shared_a.any(axis=1) & shared_b.any(axis=1)
    return bool(2 * np.count_nonzero(same) >= fewer)


def _kept(data: tp.Mapping[str, tp.Any], unit: str) -> tp.Optional[str]:
    blocks = data.get("blocks")
    return blocks.get(unit) if isinstance(blocks, dict) else None


def _parse(unit: str, kept: tp.Any) -> tp.Optional[tp.Tuple[int, tp.Array2d]]:
    """Return the number of the first block and the hashes of all, None if there are none that could be read."""
    match = _KEPT.fullmatch(kept) if isinstance(kept, str) else None
    if match is None:
        return None
    try:
        first = int(_block_numbers(np.array([match[1]], "M8[D]"), unit)[0])
    except ValueError:  # no day of the calendar
        return None
    return first, np.frombuffer(bytes.fromhex(match[2]), ">u2").reshape(-1, 2)


def _block_numbers(moments: tp.Array1d, unit: str) -> tp.Array1d:
    """Return the number of the block of each moment, counted from 1970."""
    if unit == "week":
        return (moments.astype("M8[D]").astype(np.int64) + 3) // 7  # 1970 began on a Thursday
    return moments.astype(f"M8[{dict(day='D', month='M', year='Y')[unit]}]").astype(np.int64)


def _first_day(number: int, unit: str) -> np.datetime64:
    if unit == "week":
        return np.datetime64(int(number) * 7 - 3, "D")
    return np.datetime64(int(number), tp.cast(tp.Any, dict(day="D", month="M", year="Y")[unit])).astype("M8[D]")


def _moves(prices: tp.Array2d, cuts: tp.Array2d, runs: tp.Sequence[tp.Sequence[int]]) -> np.ndarray:
    """Return the move of each part of each block for each run."""
    moves = []
    with np.errstate(all="ignore"):
        for rows in runs:
            at_cuts = prices[np.asarray(rows)[:, np.newaxis, np.newaxis], cuts]
            moved = np.clip(at_cuts[..., 1:] / at_cuts[..., :-1] - 1, -_LARGEST, _LARGEST)
            is_known = ~np.isnan(moved)
            moves.append(np.sum(moved, axis=0, where=is_known) / is_known.sum(axis=0))
    return np.array(moves)


def _hashes(moves: np.ndarray) -> np.ndarray:
    """Return two hashes of the moves of each block, both of them zero if none of the moves reaches a step."""
    steps = np.where(np.isnan(moves), -2 * _LARGEST, moves) / STEP
    hashes = []
    for offset in _OFFSETS:
        mixed = np.zeros(moves.shape[:-1], np.uint64)
        for part in np.moveaxis(np.floor(steps + offset).astype(np.int64).view(np.uint64), -1, 0):
            mixed = _mixed(mixed + part)
        hashes.append(mixed >> np.uint64(48))
    says_something = (np.abs(moves) >= STEP).any(axis=-1)
    return np.where(says_something[..., np.newaxis], np.stack(hashes, axis=-1), 0)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Return numbers of 64 bits whose bits all depend on all bits of the given ones, as SplitMix64 does it."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
