"""Optuna's journal and MLflow with SQLite, for `benchmarks.durability`. Runs in an environment that has the two.

A save of theirs is the nearest thing to a record: a finished trial or run with 4 parameters and 28 metrics."""

import json
import sys
import time
from pathlib import Path

from benchmarks.writers import METRICS, PARAMETERS, measure


class OptunaJournal:
    """Optuna's `JournalStorage(JournalFileBackend)`: an append-only file under a lock of its own."""

    name = "Optuna JournalStorage"

    def __init__(self, folder):
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = str(folder / "journal.log")
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(self._path)), study_name="study", load_if_exists=True
        )

    def save(self):
        from optuna.distributions import CategoricalDistribution
        from optuna.trial import create_trial

        distributions = {name: CategoricalDistribution([value]) for name, value in PARAMETERS.items()}
        self._study.add_trial(
            create_trial(params=PARAMETERS, distributions=distributions, value=1.5, user_attrs=METRICS)
        )

    def hold_lock(self):
        from optuna.storages.journal import JournalFileSymlinkLock

        JournalFileSymlinkLock(self._path).acquire()


class MlflowSqlite:
    """MLflow with SQLite."""

    name = "MLflow with SQLite"

    def __init__(self, folder):
        from mlflow.tracking import MlflowClient

        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "mlflow.db"
        self._client = MlflowClient(tracking_uri=f"sqlite:///{self._path}")

    def save(self):
        from mlflow.entities import Metric, Param

        run_id = self._client.create_run("0").info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, 0) for name, value in METRICS.items()]
        params = [Param(name, str(value)) for name, value in PARAMETERS.items()]
        self._client.log_batch(run_id, metrics=metrics, params=params)
        self._client.set_terminated(run_id)

    def hold_lock(self):
        import sqlite3

        self._connection = sqlite3.connect(self._path)
        self._connection.execute("BEGIN IMMEDIATE")


def main(folder, saves, kills):
    rivals = (OptunaJournal, MlflowSqlite)
    measured = [measure(rival, folder / rival.__name__, saves, kills) for rival in rivals]
    print(json.dumps(measured))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
