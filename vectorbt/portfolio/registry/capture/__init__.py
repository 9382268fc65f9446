"""What is read off a Portfolio when it is saved. With `portfolios`, the only room that looks inside of one.

* `runs`: a portfolio as runs, out of all that follows
* `metrics`: what `Portfolio.stats` says, and the moments of the returns, in one pass for any number of columns
* `frequency`: how long a bar is
* `year`: how many bars a year has
* `caveats`: what makes the figures of a portfolio mean less than they seem to
* `columns`: the labels of the columns as parameters
* `data`: the prices of a run, their period and their symbols
* `fingerprint`: what two runs on the same prices have in common
* `data_blocks`: what prices have in common that overlap
* `distinct_columns`: which columns of an array are the same
* `labels`: labels and other values of a backtest as a record can hold them
* `environment`: the versions and the settings that a result depends on
* `git`: the revision of the code
* `quiet`: the warnings of libraries, silenced meanwhile"""
