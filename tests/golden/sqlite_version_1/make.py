"""Writes the database and what is to be read from it. It was run once, with version 1 of the schema."""

from pathlib import Path

import pandas as pd

from tests.support.factories import make_record
from vectorbt.portfolio.registry import SqliteStore
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.query.query import Query

FOLDER = Path(__file__).parent
SWEEP = "00000000-0000-4000-8000-00000000abcd"


def main():
    store = SqliteStore(FOLDER / "runs.db")
    store.save_run(make_record(0, notes="first"))
    store.save_run(make_record(1, parameters={"at": pd.Timestamp("2024-01-01", tz="UTC"), "big": 2**80, "on": True}))
    store.save_runs([make_record(i, sweep_id=SWEEP, column=i - 2, environment={"python": "3.11"}) for i in (2, 3, 4)])
    store.update_run(make_record(0).run_id, add_tags="kept")
    store.delete_run(make_record(3).run_id)
    expected = {
        "runs": [record.to_dict() for record in store.select(Query())],
        "deleted": [record.to_dict() for record in store.select(Query(deleted=True))],
    }
    store.close()
    (FOLDER / "expected.json").write_bytes(dumps(expected))


if __name__ == "__main__":
    main()
