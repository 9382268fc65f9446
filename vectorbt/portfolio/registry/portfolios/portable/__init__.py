"""The portable format: a portfolio as files that are small, safe to open, and readable by others.

The main file is a Parquet file of the orders; its header holds everything else that a portfolio is made of. Prices and
index are a second file, which portfolios on the same prices share. Log records and the sequence of calls are further
files, where there are any. `docs/portable-format.md` describes all of them.

* `writing`, `reading`: a portfolio to files, and all of it or one column from them
* `prices`, `records`, `call_seq`, `matrices`, `entries`, `wrapper`: the parts of a portfolio
* `parquet_file`, `parquet_footer`, `parquet_pages`: as much of Parquet as that takes, read with bounds"""

__pdoc__ = {}
