"""One column of a portfolio, whose metrics stay what they were in the whole."""

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio


def select_column(portfolio: "Portfolio", column: int) -> "Portfolio":
    """Return one column of a portfolio, or one group where it is grouped, by position.

    The metrics stay what they were in the whole: an initial cash that was found by looking at all columns
    (`vectorbt.portfolio.enums.InitCashMode`) is fixed before the others are left out.

    Raises:
        ArtifactCorruptedError: If there is no such column or group."""
    n_columns = len(portfolio.wrapper.get_columns())
    if not 0 <= column < n_columns:
        raise ArtifactCorruptedError(f"no column {column} among {n_columns}")
    if portfolio.wrapper.get_ndim() == 1:
        return portfolio
    init_cash = found_init_cash(portfolio)
    if init_cash is not None:
        portfolio = portfolio.replace(init_cash=init_cash)
    return portfolio.iloc[column]


def found_init_cash(portfolio: "Portfolio") -> tp.Optional[tp.Array1d]:
    """Return the initial cash that vectorbt has found by looking at all columns, None if it has not done so.

    It is in the form in which it is given to a portfolio: one value per column, or per group where cash is shared.
    What was found for a group whose columns keep their own cash is spread over them evenly, since only its sum
    counts."""
    from vectorbt.portfolio.enums import InitCashMode

    if not isinstance(portfolio._init_cash, int) or portfolio._init_cash != InitCashMode.AutoAlign:
        return None
    init_cash = np.atleast_1d(np.asarray(portfolio.get_init_cash()))
    if portfolio.wrapper.grouper.is_grouped() and not portfolio.cash_sharing:
        lengths = portfolio.wrapper.grouper.get_group_lens()
        init_cash = np.repeat(init_cash / lengths, lengths)
    return init_cash
