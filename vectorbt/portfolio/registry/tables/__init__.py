"""Answers as tables.

* `run_list`: `RunList`, the list that `list_runs` returns, and its DataFrame
* `columns`: the values of very many runs as columns
* `compare`: runs side by side, and why they cannot be compared
* `sweeps`: one row per sweep"""
