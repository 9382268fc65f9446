"""How much of the best one is luck.

What is imported from here are pure functions of numbers and arrays: none of them needs a registry. The other modules
judge a run of a registry against its trials.

* `sharpe`, `standard_error`, `overfitting`, `bootstrap`, `step_down`, `residuals`, `dependence`, `multiple_testing`:
    the statistics
* `trials`, `returns`, `return_matrix`, `benchmark`: which trials a run competed against, and their return series
* `judge`, `comparison`, `verdict`, `words`, `caveats`: one run against its trials, in numbers and in words
* `survivors`: which of the trials are better than a benchmark"""

from vectorbt.portfolio.registry.selection_bias.bootstrap import (
    bootstrap_intervals,
    mean_block_size,
    stationary_bootstrap,
)
from vectorbt.portfolio.registry.selection_bias.dependence import (
    LjungBoxTest,
    autocorrelations,
    cluster_sharpe_ratios,
    effective_number_of_trials,
    ljung_box_test,
    lo_adjusted_sharpe,
)
from vectorbt.portfolio.registry.selection_bias.multiple_testing import (
    DataSnoopingTest,
    adjust_pvalues,
    haircut_sharpe,
    reality_check,
    spa_test,
)
from vectorbt.portfolio.registry.selection_bias.overfitting import PBOResult, probability_of_backtest_overfitting
from vectorbt.portfolio.registry.selection_bias.residuals import residual_returns
from vectorbt.portfolio.registry.selection_bias.sharpe import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    min_backtest_length,
    min_track_record_length,
    probabilistic_sharpe_ratio,
)
from vectorbt.portfolio.registry.selection_bias.standard_error import (
    robust_probabilistic_sharpe_ratio,
    sharpe_standard_error,
)
from vectorbt.portfolio.registry.selection_bias.step_down import step_down_pvalues

__all__ = [
    "step_down_pvalues",
    "stationary_bootstrap",
    "mean_block_size",
    "bootstrap_intervals",
    "residual_returns",
    "robust_probabilistic_sharpe_ratio",
    "sharpe_standard_error",
    "probabilistic_sharpe_ratio",
    "min_track_record_length",
    "expected_max_sharpe",
    "deflated_sharpe_ratio",
    "min_backtest_length",
    "probability_of_backtest_overfitting",
    "PBOResult",
    "effective_number_of_trials",
    "cluster_sharpe_ratios",
    "lo_adjusted_sharpe",
    "autocorrelations",
    "ljung_box_test",
    "LjungBoxTest",
    "adjust_pvalues",
    "haircut_sharpe",
    "reality_check",
    "spa_test",
    "DataSnoopingTest",
]

__pdoc__ = {k: False for k in __all__}
