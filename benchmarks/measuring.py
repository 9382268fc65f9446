"""How the benchmarks time, count memory and print."""

import gc
import statistics
import time


def seconds(function, repeat=5, before=None):
    """Return the median time that a function takes. `before` runs ahead of each call, and is not timed."""
    times = []
    for _ in range(repeat):
        argument = before() if before is not None else None
        gc.collect()
        start = time.perf_counter()
        function(argument) if before is not None else function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def resident_bytes():
    """Return the memory that this process holds."""
    import psutil

    return psutil.Process().memory_info().rss


def table(title, header, rows):
    """Print rows as a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def milliseconds(value):
    """Return a time as text."""
    return f"{value * 1e3:,.2f} ms" if value < 0.1 else f"{value:,.2f} s"
