"""Pausing the garbage collector while many records are built."""

import gc
import io

from vectorbt import _typing as tp


def collection_paused() -> tp.ContextManager:
    """Return a context in which Python's cyclic garbage collector does not run.

    Records have no cycles. While a hundred thousand of them are made, the collector starts over and over again to look
    for some, through everything that vectorbt and its dependencies have loaded, and takes several times as long as
    the making itself."""
    return _Pause()


class _Pause(io.IOBase):
    """A pause that ends whenever Ctrl-C comes.

    Before its first line, an `__exit__` in Python can be interrupted. That of `io.IOBase` is C, which no signal enters,
    and calls `close`."""

    closed = True  # for the finalizer, which would close it once more

    def __init__(self) -> None:
        restore: tp.Callable = gc.enable if gc.isenabled() else gc.isenabled
        self.close = restore  # type: ignore[method-assign]

    def __enter__(self) -> "_Pause":
        try:
            gc.disable()
            return self
        except BaseException:
            self.close()
            raise
