"""Pausing the garbage collector while many records are built."""

import gc
from contextlib import contextmanager

from vectorbt import _typing as tp


@contextmanager
def collection_paused() -> tp.Iterator[None]:
    """Keep Python's cyclic garbage collector from running.

    Records have no cycles. While a hundred thousand of them are made, the collector starts over and over again to look
    for some, through everything that vectorbt and its dependencies have loaded, and takes several times as long as
    the making itself."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
