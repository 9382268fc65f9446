"""The portable format: a portfolio as files that are small, safe to open, and readable by others.

The main file is a Parquet file of the orders; its header holds everything else that a portfolio is made of. Prices and
index are a second file, which portfolios on the same prices share. Log records and the sequence of calls are further
files, where there are any. `docs/portable-format.md` describes all of them.

* `format`: names, versions and entries that writing and reading agree on
* `writing`, `reading`: a portfolio to files, and all of it or one column from them
* `prices`, `records`, `config`: the parts of a portfolio
* `table`: one table as a Parquet file, by pyarrow, read in parts and with bounds"""

from vectorbt import _typing as tp

__blacklist__ = ["prices", "reading", "records", "table", "writing"]
"""Modules that need pyarrow, which the extra `portable` installs. `import vectorbt` leaves them out."""

__pdoc__: tp.Dict[str, bool] = {}
