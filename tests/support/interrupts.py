"""Ctrl-C at an instant that a test chooses, and what it may interrupt."""

import itertools
import signal

from tests.support.factories import make_record
from vectorbt.portfolio.registry.checks import new_run_ids


class Interrupter:
    """Raises KeyboardInterrupt at an instant of a call, as Ctrl-C does: between any two steps of the interpreter.

    It goes off by a timer, and once per call at most."""

    def __enter__(self):
        self._is_due = False
        self._previous = signal.signal(signal.SIGALRM, self._interrupt)
        return self

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._previous)

    def _interrupt(self, *_):
        if self._is_due:
            self._is_due = False
            raise KeyboardInterrupt

    def __call__(self, delay, work, afterwards):
        """Call `work`, and `afterwards` if that was interrupted. Return whether it was.

        The traceback is still there then, with all that its frames hold, as in a notebook."""
        try:
            self._is_due = True  # before the timer goes off, which may be at once
            signal.setitimer(signal.ITIMER_REAL, delay)
            work()
            self._is_due = False
        except KeyboardInterrupt:
            afterwards()
            return True
        return False


def changes(store):
    """Return the changes of a store, each as a function that prepares one and returns it."""
    numbers = itertools.count(1)

    def new_runs(n):
        sweep_id, *run_ids = new_run_ids(n + 1)
        sweep = None if n == 1 else sweep_id
        return [make_record(next(numbers), run_id=run_id, sweep_id=sweep) for run_id in run_ids]

    def save_run():
        (run,) = new_runs(1)
        return lambda: store.save_run(run, new_ids=True)

    def save_brought_runs():
        runs = new_runs(3)
        return lambda: store.save_runs(runs)

    def update_run():
        (run,) = new_runs(1)
        store.save_run(run)
        return lambda: store.update_run(run.run_id, add_tags="new")

    def delete_runs():
        run_ids = store.save_runs(new_runs(2))
        return lambda: store.delete_runs(run_ids)

    return [save_run, save_brought_runs, update_run, delete_runs]
