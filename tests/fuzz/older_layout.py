"""The reader of the older layout, one JSON file for all runs.

Promise: whatever the bytes, a folder is read, with a `CorruptedRecordWarning` for what does not read; runs are the same
after a compaction, and beside a new one."""

from tests.fuzz.altering import alter_json
from tests.fuzz.promises import Folder, check_folder
from tests.fuzz.reader import GOLDEN, Reader

NAME = "runs_metadata.json"


def check(data):
    with Folder(NAME, data) as folder:
        check_folder(folder, data)


TOKENS = (
    *("run_id", "timestamp", "strategy_name", "parameters", "stats", "portfolio_path", "tags", "notes", "NaN"),
    *("Infinity", "-Infinity", "sharpe_ratio", "total_trades", "sweep_id", "column", "artifact", "returns_stats"),
    *("data", "environment", "00000000-0000-4000-8000-000000000001", "2023-05-01T10:20:30.123456", "c:\\x\\y.pkl"),
    *("../../x.pkl", "/", "$float", "$enum", "[[[[[[[[", "1e999", "\\ud800"),
)


def seeds():
    return [(GOLDEN / "older_layout" / NAME).read_bytes(), b"{}"]


READER = Reader(check, seeds, TOKENS, lambda data, chance: alter_json(data, chance, TOKENS))
