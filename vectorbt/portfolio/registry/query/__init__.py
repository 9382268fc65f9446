"""Questions: which runs match, and in which order. There is one meaning, which stores may speed up and never change.

* `query`: `Query`, the filters and orders of `RunRegistry.list_runs`
* `where`, `parser`: the language of `where`, its meaning and its grammar
* `comparing`: how values compare"""
