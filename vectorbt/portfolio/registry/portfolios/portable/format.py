"""What writing and reading agree on: the version, the entries of a portfolio's configuration, the names of files."""

FORMAT = "vectorbt-registry portfolio"
"""What the header of a main file says that it is."""

VERSION = 1
"""Version of the format."""

ENTRIES = ("init_cash", "cash_sharing", "fillna_close", "trades_type", "engine")
"""Entries of a portfolio's configuration that are written as JSON."""

TABLES = ("wrapper", "close", "order_records", "log_records", "call_seq")
"""Entries of a portfolio's configuration that are written in their own ways."""

MAIN, LOGS, CALL_SEQ = ".parquet", ".logs.parquet", ".calls.parquet"
"""Endings of the names of a portfolio's own files."""
