"""A store of one's own: all runs in one JSON file that people read and git compares.

Made for the few hundred runs behind a paper or a pull request, whose diff then shows what was tried. Each change writes
the whole file anew, so a million runs are for a database.

`python examples/own_store.py` saves two backtests into `./runs.json` and asks for the better one."""

import json
from contextlib import contextmanager
from pathlib import Path

from vectorbt.portfolio.registry import RunExistsError, RunRecord, RunRegistry, RunStore
from vectorbt.portfolio.registry.artifacts.files import make_folder, write_atomically
from vectorbt.portfolio.registry.artifacts.folder import FolderArtifacts
from vectorbt.portfolio.registry.stores.file_lock import WriterLock


class JsonStore(RunStore):
    """Runs in a JSON file, portfolios in a folder beside it. Both are made by the first save.

    The file is replaced as a whole by a rename: whoever reads it finds either all of a change or nothing of it, and
    needs no lock. Writers take turns."""

    def __init__(self, path, portfolio_format="pickle", allow_pickle=True):
        self.path = Path(path).resolve()
        super().__init__(FolderArtifacts(f"{self.path}.portfolios"), portfolio_format, allow_pickle)
        self._lock = WriterLock(Path(f"{self.path}.lock"))

    def __repr__(self):
        return f"JsonStore({str(self.path)!r})"

    def exists(self):
        return self.path.exists()

    # ############# Reading ############# #

    def get(self, run_id):
        record = self._read()["runs"].get(run_id)
        return None if record is None else RunRecord.from_dict(record)

    def select(self, query):
        content = self._read()
        pools = {False: ["runs"], True: ["deleted"], None: ["runs", "deleted"]}[query.deleted]
        return query.apply(RunRecord.from_dict(record) for pool in pools for record in content[pool].values())

    def _read(self):
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"runs": {}, "deleted": {}}

    # ############# Writing ############# #

    def exclusive(self):
        make_folder(self.path.parent)
        return self._lock.hold()

    @contextmanager
    def _changed(self):
        """Give out the content of the file to be changed. It is written unless changing it has failed."""
        with self.exclusive():
            content = self._read()
            yield content
            text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
            write_atomically(self.path, f"{text}\n".encode())

    def insert(self, block, new_ids=False, deleted=False):
        with self._changed() as content:
            for run_id in block.run_ids:
                if run_id in content["runs"] or run_id in content["deleted"]:
                    raise RunExistsError(f"run {run_id} is in {self} already; a run is saved once")
            content["deleted" if deleted else "runs"].update(zip(block.run_ids, block.rows()))

    def replace(self, block, deleted=False):
        with self._changed() as content:
            for record in block.rows():
                content["runs" if deleted else "deleted"].pop(record["run_id"], None)
                content["deleted" if deleted else "runs"][record["run_id"]] = record

    def remove(self, run_ids, deletion):
        with self._changed() as content:
            removed = [content["runs"].pop(run_id) for run_id in run_ids if run_id in content["runs"]]
            content["deleted"].update({record["run_id"]: deletion.tombstone(record) for record in removed})
            return [RunRecord.from_dict(record) for record in removed]


def main():
    """Save two backtests, and ask for the better one."""
    import numpy as np
    import pandas as pd

    import vectorbt as vbt

    days = pd.date_range("2020-01-01", periods=250, freq="D")
    price = pd.Series(100 + 10 * np.sin(np.arange(250) / 20), index=days, name="wave")
    registry = RunRegistry(JsonStore("runs.json"))
    for window in (5, 50):
        average = price.rolling(window).mean()
        pf = vbt.Portfolio.from_signals(price, price > average, price < average, freq="1D")
        registry.save_run(pf, "above_average", {"window": window}, tags="example")
    print(registry.get_best_runs("total_return", n=1)[0])
    print(f"{len(registry)} runs in {registry.store.path.name}, problems found: {len(registry.check(deep=True))}")


if __name__ == "__main__":
    main()
