"""Ctrl-C at an instant that a test chooses."""

import signal


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
        signal.setitimer(signal.ITIMER_REAL, delay)
        try:
            self._is_due = True
            work()
            self._is_due = False
        except KeyboardInterrupt:
            afterwards()
            return True
        return False
