"""Figures: what was tried, beside what luck and what holding would have shown.

Each function draws data that it is given, and nothing else; `vectorbt.portfolio.registry.registry.RunRegistry` and
`vectorbt.portfolio.registry.tables.run_list.RunList` collect these. All figures are plotly's, in vectorbt's style:

* `equity`: runs over time
* `calendar`: runs by month and year
* `sweep`: a metric over the parameters that were tried
* `trials`: what was tried as a whole, against luck
* `pairs`: columns of the table of runs against each other
* `correlation`: how alike the returns of runs are

None but `sweep.plot_volume` needs WebGL, which is missing in many browsers that are remote or without a screen."""
