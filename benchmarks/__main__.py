"""Runs the benchmarks one after the other: `make bench`, or `python -m benchmarks --quick` for small sizes."""

import sys

from benchmarks import portable_format, querying, saving, selection_bias

if __name__ == "__main__":
    for benchmark in (saving, querying, portable_format, selection_bias):
        benchmark.main("--quick" not in sys.argv)
