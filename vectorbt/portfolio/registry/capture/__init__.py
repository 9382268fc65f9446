"""What is read off a Portfolio when it is saved. With `portfolios`, the only room that looks inside of one.

* `metrics`: what `Portfolio.stats` says, and the moments of the returns, in one pass for any number of columns
* `columns`: the labels of the columns as parameters
* `provenance`: the prices, the versions and the settings that a result depends on
* `git`: the revision of the code
* `quiet`: the warnings of libraries, silenced meanwhile"""
