"""Processes that save at once, and one that dies with the lock: the same measurement for whatever can save.

Imports nothing but the standard library, so that it runs in the environments of others."""

import os
import signal
import statistics
import time

WRITERS = (1, 2, 4, 8)
PARAMETERS = {"fast": 10, "slow": 50, "fees": 0.001, "symbol": "SPX"}
METRICS = {f"metric_{i}": 1.5 + i for i in range(28)}


def measure(make, folder, saves, kills):
    """Return saves per second by number of writers, and the seconds from a kill to the next save."""
    per_second = {str(n): throughput(make, folder / f"{n}", saves, n) for n in WRITERS}
    return dict(name=make.name, per_second=per_second, recovery=recovery(make, folder / "killed", kills))


def throughput(make, folder, saves, writers):
    """Return how many saves per second several processes do together."""
    make(folder).save()  # makes the files
    ready, go = os.pipe(), os.pipe()
    children = [fork(lambda: save_many(make, folder, saves // writers, ready, go)) for _ in range(writers)]
    for _ in children:
        os.read(ready[0], 1)
    start = time.perf_counter()
    os.write(go[1], b"g" * writers)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        assert status == 0, f"a writer of {make.name} failed"
    return saves // writers * writers / (time.perf_counter() - start)


def save_many(make, folder, saves, ready, go):
    registry = make(folder)
    registry.save()
    os.write(ready[1], b"r")
    os.read(go[0], 1)
    for _ in range(saves):
        registry.save()


def recovery(make, folder, kills):
    """Return the median time from the death of a writer that held the lock to the next save."""
    registry = make(folder)
    registry.save()
    times = []
    for _ in range(kills):
        ready = os.pipe()
        pid = fork(lambda ready=ready: die_with_the_lock(make, folder, ready))
        os.read(ready[0], 1)
        os.kill(pid, signal.SIGKILL)
        start = time.perf_counter()
        registry.save()
        times.append(time.perf_counter() - start)
        os.waitpid(pid, 0)
    return statistics.median(times)


def die_with_the_lock(make, folder, ready):
    registry = make(folder)
    registry.hold_lock()
    os.write(ready[1], b"r")
    signal.pause()


def fork(function):
    pid = os.fork()
    if pid:
        return pid
    try:
        function()
        os._exit(0)
    finally:
        os._exit(1)
