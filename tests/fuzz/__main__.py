"""Fuzzes the readers, guided by coverage: `make fuzz`, or `python -m tests.fuzz [READER ...] --seconds 30`.

`python -m tests.fuzz READER --again FILE` reads one input again, without atheris, and shows what it raises."""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.reader import NAMES, reader_of

KEPT = Path(".fuzz")
"""Where inputs are kept."""


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the readers, guided by coverage.")
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"one of {', '.join(NAMES)}; all by default")
    parser.add_argument("--seconds", type=int, default=30, help="how long, for each reader")
    parser.add_argument("--jobs", type=int, default=2, help="how many readers at a time")
    parser.add_argument("--again", type=Path, metavar="FILE", help="read this input only, by the one reader")
    options = parser.parse_args()
    for name in options.readers:
        if name not in NAMES:
            parser.error(f"no reader {name!r}; choose from {', '.join(NAMES)}")
    if options.again is not None:
        if len(options.readers) != 1:
            parser.error("--again needs one reader")
        reader_of(options.readers[0]).check(options.again.read_bytes())
        print("no promise was broken")
        return
    with ThreadPoolExecutor(options.jobs) as pool:
        passed = list(pool.map(lambda name: fuzz(name, options.seconds), options.readers or NAMES))
    sys.exit(not all(passed))


def fuzz(name, seconds):
    """Fuzz a reader, say what came of it, and return whether all promises were kept."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    earlier = set(folder.glob("*-*"))  # broken-, and what the engine names crash-, timeout-, oom-
    command = [sys.executable, "-m", "tests.fuzz.engine", name, str(seconds), str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    (folder / "log").write_text(done.stdout)
    if done.returncode == 0:
        print(f"{name}: no promise was broken by {summary(done.stdout)}", flush=True)
        return True
    print(f"{name}: FAILED, exit code {done.returncode}. The end of {folder / 'log'}:\n{excerpt(done.stdout)}")
    for path in sorted(set(folder.glob("*-*")) - earlier):
        print(f"The input is {path}; read it again: python -m tests.fuzz {name} --again {path}")
    print(f"Once it is mended, keep the input in tests/fuzz/found/{name}", flush=True)
    return False


def summary(log):
    """Return how much was tried, in words."""
    tried, speed, memory = (
        re.search(rf"^stat::{name}: +(\d+)", log, re.MULTILINE)[1]
        for name in ("number_of_executed_units", "average_exec_per_sec", "peak_rss_mb")
    )
    covered = re.findall(r" cov: (\d+) ", log)[-1]
    return f"{tried} inputs, {speed} a second, which took {covered} branches and up to {memory} MB"


def excerpt(log):
    """Return the exception, or the last lines."""
    start = log.find("\nTraceback (most recent call last)")
    return log[start:].strip() if start >= 0 else "\n".join(log.splitlines()[-40:])


if __name__ == "__main__":
    main()
