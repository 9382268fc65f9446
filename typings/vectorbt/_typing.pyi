"""What the registry uses of `vectorbt._typing`. vectorbt has no types that a checker would read.

There is no `__init__.pyi` beside this file, so it is added to vectorbt's package and does not stand for it."""

from typing import *  # noqa: F403
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from plotly.basedatatypes import BaseFigure as BaseFigure

T = TypeVar("T")

Array: TypeAlias = np.ndarray
Array1d: TypeAlias = np.ndarray
Array2d: TypeAlias = np.ndarray
RecordArray: TypeAlias = np.ndarray
Index: TypeAlias = pd.Index
Series: TypeAlias = pd.Series
Frame: TypeAlias = pd.DataFrame
SeriesFrame: TypeAlias = pd.Series | pd.DataFrame
ArrayLike: TypeAlias = Any
MaybeArray: TypeAlias = T | np.ndarray
