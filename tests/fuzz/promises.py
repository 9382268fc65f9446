"""What holds of every folder, whatever its metadata says."""

import shutil
import tempfile
import warnings
import zlib
from pathlib import Path

import orjson

from tests.fuzz.encoding import check_use
from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.encoding import dumps
from vectorbt.portfolio.registry.errors import CorruptedRecordWarning, SchemaVersionError, StoreError
from vectorbt.portfolio.registry.query.query import Query
from vectorbt.portfolio.registry.run import RunRecord

_MEMORY = Path("/dev/shm")


class Folder:
    """A registry of which one file has given content. It lies in memory where the system has such a folder.

    Args:
        name (str): Name of the file.
        content (bytes): Its content."""

    def __init__(self, name, content):
        self._file, self._content = name, content

    def __enter__(self):
        self._path = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self.write(self._content)
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CorruptedRecordWarning)
        return self

    def __exit__(self, *args):
        self._warnings.__exit__(*args)
        shutil.rmtree(self._path, ignore_errors=True)

    def write(self, content):
        (self._path / self._file).write_bytes(content)

    def store(self):
        """Return a store that has read nothing yet."""
        return FileStore(self._path)

    def runs(self, store=None):
        """Return the JSON of each run that there is, and of each deleted one, by their ids."""
        store = store or self.store()
        found = [store.select(Query(deleted=deleted, sort_by="run_id", ascending=True)) for deleted in (False, True)]
        for records in found:
            assert len({record.run_id for record in records}) == len(records), "a run is there twice"
        return [{record.run_id: content_of(record) for record in records} for records in found]


def content_of(record):
    """Return a record as what is compared. In which order its metrics stand is no promise."""
    return orjson.dumps(record.to_dict(), option=orjson.OPT_SORT_KEYS)


def check_folder(folder, content):
    """Check that a folder is read, and of some that it is shown and changed as well, which takes longer.

    Raises anything but the documented errors.

    Args:
        folder (Folder): Folder.
        content (bytes): What decides whether it is one of them.

    Returns:
        What `Folder.runs` returns, or None if the metadata is that of another format or too long."""
    store, lot = folder.store(), zlib.crc32(content)
    try:
        runs = folder.runs(store)
    except (SchemaVersionError, StoreError):
        return None
    records = store.select(Query(deleted=None))
    for record in records:
        check_record(record)
    if lot % 10 == 0:
        check_tables(RunRegistry(store), records)
    if lot % 3 == 0:
        check_changes(folder, store, [dict(found) for found in runs])
    return runs


def check_changes(folder, store, expected):
    """Check that the runs are the same after a compaction, and beside a new one."""
    store.compact()
    assert folder.runs() == expected
    added = make_record(999)
    if added.run_id not in expected[0] and added.run_id not in expected[1]:
        store.save_run(added)
        expected[0][added.run_id] = content_of(added)
    assert folder.runs(store) == expected


def check_record(record):
    """Check that a record reads back from what it is written as, and that everything in it can be used."""
    written = dumps(record.to_dict())
    assert dumps(RunRecord.from_json(written).to_dict()) == written
    for values in (record.parameters, record.stats, record.returns_stats, record.data, record.environment):
        for value in values.values():
            check_use(value)
    assert repr(record).isprintable()


def check_tables(registry, records):
    """Ask a registry what people ask. Warnings are answers: they say why there is nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for record in records[:2]:
            record._repr_html_()
        runs = registry.list_runs(deleted=None)
        repr(runs), runs._repr_html_(), str(registry.to_frame())
        registry.get_best_runs(), registry.list_sweeps()
        for problem in registry.check():
            assert str(problem).isprintable()
