"""Portable portfolios for another version of vectorbt and pandas, and whether those of another one are read here.

Usage:

    python -m tests.support.exchange write FOLDER [NAME ...]
    python -m tests.support.exchange check FOLDER

`write` makes one folder per portfolio: its files, and `expected.json` with what it is and computes. `check` loads each
of them, whole and column by column, and compares."""

import hashlib
import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from vectorbt.portfolio.registry.portfolios.columns import select_column
from vectorbt.portfolio.registry.portfolios.formats import FORMATS, BlobReader
from vectorbt.portfolio.registry.portfolios.index import describe_index

STEM = "0b9d2c5e-0000-4000-8000-000000000000"
EXPECTED = "expected.json"
PORTABLE = FORMATS["portable"]


class Folder(BlobReader):
    """Blobs as files of a folder."""

    def __init__(self, path):
        self.path = path

    def __call__(self, name, start=0, end=None):
        return (self.path / name).read_bytes()[start:end]

    def size(self, name):
        return (self.path / name).stat().st_size


def write(folder, names=()):
    """Write portfolios, all of them unless some are named."""
    from tests.support.portfolios import ONLY_KEPT, PORTFOLIOS

    for name in names or PORTFOLIOS.keys() - ONLY_KEPT:
        pf = PORTFOLIOS[name]()
        path = Path(folder) / name
        path.mkdir(parents=True)
        blobs = PORTABLE.dump(pf, STEM)
        for blob, content in blobs.items():
            (path / blob).write_bytes(content)
        (path / EXPECTED).write_text(json.dumps(dict(names=list(blobs), **summary(pf)), indent=1) + "\n")


def check(folder):
    """Check the portfolios of a folder. Return how many there were."""
    paths = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    for path in paths:
        check_one(path)
    return len(paths)


def check_one(path):
    """Check that a portfolio is what it was, whole and column by column."""
    expected = json.loads((path / EXPECTED).read_text())
    names = expected.pop("names")
    pf = PORTABLE.load(names, Folder(path))
    found = json.loads(json.dumps(summary(pf)))
    for part in expected:
        assert _close(found[part], expected[part]), f"{path.name}: {part}\n{found[part]}\nexpected\n{expected[part]}"
    for column in range(len(pf.wrapper.get_columns())):
        alone = summary(PORTABLE.load_column(names, Folder(path), column))
        assert _close(alone, summary(select_column(pf, column))), f"{path.name}: column {column}"


def summary(pf):
    """Return what a portfolio is and computes, as JSON that no version of pandas has a say in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = pf.stats(agg_func=None)
    stats = stats.to_frame().T if isinstance(stats, pd.Series) else stats
    return dict(
        bits=dict(
            orders=_digests(pf.order_records),
            logs=_digests(pf.log_records),
            close=_digest(pf.close.to_numpy()),
            calls=None if pf.call_seq is None else _digest(pf.call_seq.to_numpy()),
        ),
        index=_axis(pf.wrapper.index),
        columns=_axis(pf.wrapper.columns),
        groups=_axis(pf.wrapper.get_columns()),
        ndim=pf.wrapper.ndim,
        freq=str(pf.wrapper.freq),
        value=_digest(pf.value().to_numpy()),
        stats={title: [_plain(value) for value in stats[title]] for title in stats},
    )


def _axis(index):
    described = describe_index(index)[0]
    shown = {name: described.get(name) for name in ("unit", "freq", "name", "names")}
    return dict(shown, labels=[_plain(label) for label in index.tolist()], zone=str(getattr(index, "tz", None)))


def _plain(value):
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, int, np.bool_, np.integer)):
        return int(value)
    return float(value) if isinstance(value, (float, np.floating)) else str(value)


def _digests(records):
    return {name: _digest(records[name]) for name in records.dtype.names}


def _digest(array):
    array = np.ascontiguousarray(array)
    return f"{array.dtype.str} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def _close(found, expected):
    """Return whether two summaries are the same, but for the last bits of what is computed."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_close(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_close, found, expected))
    if isinstance(expected, float) and isinstance(found, float):
        both_nan = math.isnan(found) and math.isnan(expected)
        return both_nan or found == expected or math.isclose(found, expected, rel_tol=1e-12)
    return found == expected


if __name__ == "__main__":
    command, folder, *names = sys.argv[1:]
    if command == "write":
        write(folder, names)
    else:
        import vectorbt as vbt

        print(f"vectorbt {vbt.__version__}, pandas {pd.__version__}: {check(folder)} portfolios are what they were")
