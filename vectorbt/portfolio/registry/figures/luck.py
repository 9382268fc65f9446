"""The hurdles beside a winner: what luck and what holding would have shown."""

from vectorbt import _typing as tp


class Luck(tp.NamedTuple):
    """Sharpe ratios a year that need no skill.

    What the best of so many trials is expected to show follows Bailey and Lopez de Prado (2014), "The Deflated Sharpe
    Ratio", see `vectorbt.portfolio.registry.selection_bias.sharpe.expected_max_sharpe`."""

    n_trials: int
    """Number of trials."""
    worthless: float
    """What the best of as many trials is expected to show whose true Sharpe ratio is zero."""
    around_mean: float
    """What the best of them is expected to show where their true Sharpe ratio is the mean of all trials."""
    holding: float = float("nan")
    """What holding the same prices showed. NaN if nobody knows."""

    @property
    def is_usable(self) -> bool:
        """Whether there are trials enough for luck to have a size."""
        return self.n_trials > 1 and self.worthless > 0
