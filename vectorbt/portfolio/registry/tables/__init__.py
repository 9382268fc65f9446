"""Answers as tables.

* `run_list`: `RunList`, the list that `list_runs` returns
* `overview`: that list at a glance, in a terminal or a notebook
* `frame`: runs as a DataFrame to work with
* `columns`: the values of very many runs as columns
* `compare`: runs side by side, and why they cannot be compared
* `sweeps`: one row per sweep
* `inventory`: one row per strategy, tag, parameter or metric"""
