"""What distinguishes the columns of a portfolio: the levels of the column index, as parameters."""

from collections import Counter
from functools import partial

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.labels import as_column, levels_of
from vectorbt.portfolio.registry.checks import as_text
from vectorbt.portfolio.registry.column import Column
from vectorbt.portfolio.registry.display import escaped
from vectorbt.portfolio.registry.encoding import encode, encode_mapping

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio


def column_parameters(portfolio: "Portfolio", constant: tp.Collection[str]) -> tp.Dict[str, Column]:
    """Return what distinguishes the columns or groups: their labels by the names of the levels.

    Args:
        portfolio (Portfolio): Portfolio of a whole sweep.
        constant (collection of str): Names of the parameters that all have in common.

    A portfolio that is a Series has no levels. Nor has one whose columns are all in one group, unless the group has a
    name: what vectorbt calls it says nothing about the run.

    Raises:
        TypeError: If a label has no faithful encoding.
        ValueError: If a constant parameter has the name of a level, or a column could not be selected again."""
    wrapper = portfolio.wrapper
    columns = wrapper.get_columns()
    if wrapper.ndim == 1 or (wrapper.get_ndim() == 1 and set(columns.names) == {None}):
        return {}
    names = list(encode_mapping(dict.fromkeys(level_names(columns)), "parameters"))  # which checks them
    taken = sorted(set(constant) & {*names, *(_name_of(name) for name in columns.names if name is not None)})
    if taken:
        raise ValueError(
            f"parameters[{taken[0]!r}] has the name of a level of the columns ({', '.join(map(escaped, names))}); "
            f"leave it out or rename it"
        )
    levels = levels_of(columns)
    if any(label is pd.NA for level in levels for label in level[level.isna()]):
        raise ValueError(
            "a level of the columns holds pd.NA, by which vectorbt cannot select a column; write None or NaN instead"
        )
    return {
        name: as_column(level, partial(encode, path=f"parameters[{name!r}]"))
        for name, level in zip(names, levels, strict=True)
    }


def level_names(columns: pd.Index) -> tp.List[str]:
    """Return what the levels of a column index are called as parameters.

    A level has its own name. Without one it is `column` if it is the only one, else `level_<i>` with its position.
    Names that repeat are numbered: `ma_window_0`, `ma_window_1`."""
    if columns.nlevels == 1 and columns.names[0] is None:
        return ["column"]
    names = [f"level_{i}" if name is None else _name_of(name) for i, name in enumerate(columns.names)]
    repeated = {name for name, count in Counter(names).items() if count > 1}
    seen: tp.Counter = Counter()
    numbered = []
    for name in names:
        numbered.append(f"{name}_{seen[name]}" if name in repeated else name)
        seen[name] += 1
    if len(set(numbered)) < len(numbered):
        raise ValueError(
            f"the levels of the columns have ambiguous names: {', '.join(map(escaped, names))}; rename them"
        )
    return numbered


def _name_of(level: tp.Any) -> str:
    return as_text(level) if isinstance(level, str) else str(level)
