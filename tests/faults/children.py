"""Child processes that are forked from the warm test process: a fresh one takes seconds to import vectorbt."""

import gc
import os
import signal
import traceback
from ast import literal_eval


def fork(function, *args):
    """Run a function in a forked child. Return its process id and the end of a pipe that it may write lines to.

    The child calls `function(report, *args)`, where `report(text)` writes a line at once. An exception is reported as
    a line that starts with `!`."""
    reading, writing = os.pipe()
    gc.freeze()  # a collection would copy all memory into the child
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 1
    try:
        gc.disable()
        os.close(reading)
        function(lambda text: os.write(writing, f"{text}\n".encode()), *args)
        status = 0
    except BaseException:
        os.write(writing, f"!{traceback.format_exc()!r}\n".encode())
    finally:
        os._exit(status)


def finish(pid, reading):
    """Wait for a child to end. Return the lines that it reported, and the signal that killed it or None.

    What went wrong in the child goes wrong here."""
    with open(reading, "rb") as pipe:
        lines = pipe.read().decode().split("\n")[:-1]
    _, status = os.waitpid(pid, 0)
    errors = [line[1:] for line in lines if line.startswith("!")]
    assert not errors, "\n".join(map(literal_eval, errors))
    return lines, os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


def run_in_child(function, *args):
    """Run a function in a forked child and return the lines that it reported."""
    lines, killed = finish(*fork(function, *args))
    assert killed is None
    return lines


def kill(pid):
    os.kill(pid, signal.SIGKILL)
