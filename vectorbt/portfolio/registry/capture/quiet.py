"""Silencing the warnings of libraries in one thread, while a portfolio is measured.

`warnings.catch_warnings` swaps the filters of the whole process: two threads that save at once could leave everybody's
warnings switched off, and each use makes Python repeat the warnings that it shows once. Here a single filter is added,
which then stays. Its category asks the thread whether it wants to be quiet, so that it tells threads apart."""

import re
import threading
import warnings
from contextlib import contextmanager

import numpy as np

from vectorbt import _typing as tp


class _Quiet(threading.local):
    depth = 0


_quiet = _Quiet()


class _InQuietThread(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return _quiet.depth > 0


class _QuietWarning(Warning, metaclass=_InQuietThread):
    """Category that every warning belongs to in a thread that is inside of `quiet`, and none in other threads."""


_LIBRARIES = r"(vectorbt|pandas|numpy|numba|scipy)(\.|$)"

_QUIET_FILTER = ("ignore", None, _QuietWarning, re.compile(_LIBRARIES), 0)
"""What `warnings.filters` holds once `quiet` was used."""


@contextmanager
def quiet() -> tp.Iterator[None]:
    """Silence the warnings that are attributed to vectorbt, pandas, NumPy, Numba and SciPy, in this thread only.

    Warnings from a user's own code, such as the function of a custom metric, are shown as ever."""
    if not (warnings.filters and warnings.filters[0] == _QUIET_FILTER):
        warnings.filterwarnings("ignore", category=_QuietWarning, module=_LIBRARIES)
    _quiet.depth += 1
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _quiet.depth -= 1
