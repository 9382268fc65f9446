"""Runs the benchmarks one after the other: `make bench`, or `python -m benchmarks --quick` for small sizes."""

import sys

from benchmarks import querying, saving

if __name__ == "__main__":
    for benchmark in (saving, querying):
        benchmark.main("--quick" not in sys.argv)
