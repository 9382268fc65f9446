"""Portable portfolios in a registry: prices once, columns alone, nothing executed, and no save that loses prices."""

import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from tests.portfolios.test_portable import check_same_portfolio, make_large_sweep
from tests.support.factories import make_portfolio, make_price, make_sweep
from vectorbt.portfolio.registry import FileStore, RunRegistry
from vectorbt.portfolio.registry.errors import (
    ArtifactCorruptedError,
    ArtifactMissingError,
    UnportablePortfolioError,
)
from vectorbt.portfolio.registry.portfolios.columns import select_column


@pytest.fixture
def registry(tmp_path):
    return RunRegistry(tmp_path / "runs", portfolio_format="portable", allow_pickle=False)


def files(registry, pattern="*"):
    return sorted(path.name for path in registry.store.portfolios_dir.glob(pattern))


def test_a_run_and_a_sweep_come_back(registry):
    run_id = registry.save_run(make_portfolio(), "x")
    check_same_portfolio(registry.load_portfolio(run_id), make_portfolio())
    assert registry.get_run(run_id).artifact["format"] == "portable"
    run_ids = registry.save_sweep(make_sweep(), "x")
    for column, run_id in enumerate(run_ids):
        check_same_portfolio(registry.load_portfolio(run_id), select_column(make_sweep(), column))
    sweep_id = registry.get_run(run_ids[0]).sweep_id
    check_same_portfolio(registry.load_sweep(sweep_id), make_sweep())


def test_a_call_can_choose_the_format(tmp_path):
    registry = RunRegistry(tmp_path / "runs")
    run_ids = [
        registry.save_run(make_portfolio(), "x", portfolio_format="portable"),
        registry.save_sweep(make_sweep(), "x", portfolio_format="portable")[0],
        make_portfolio().save_to_registry("x", registry=registry, portfolio_format="portable"),
    ]
    assert {registry.get_run(run_id).artifact["format"] for run_id in run_ids} == {"portable"}
    assert {path.rpartition(".")[2] for path in files(registry)} == {"parquet"}


def test_prices_are_stored_once(registry):
    price = make_price()
    registry.save_run(make_portfolio(), "x")
    registry.save_run(make_portfolio(fast=5), "x")
    registry.save_run(make_portfolio(price.rename("other name").rename_axis("when")), "x")
    registry.save_run(make_portfolio(price.set_axis(price.index.as_unit("s"))), "x")
    registry.save_run(make_portfolio(price.tz_localize("UTC").tz_convert("Asia/Tokyo")), "x")
    registry.save_sweep(make_sweep(), "x")
    assert len(files(registry, "prices-*")) == 1
    registry.save_run(make_portfolio(price * 2), "x")
    registry.save_run(make_portfolio(price.set_axis(price.index + pd.Timedelta("1h"))), "x")
    assert len(files(registry, "prices-*")) == 3


def test_many_symbols_are_one_file(registry):
    price = pd.concat([make_price() * (1 + i % 7) for i in range(20)], axis=1, keys=[f"s{i}" for i in range(20)])
    run_id = registry.save_run(make_portfolio(price), "x")
    assert len(files(registry)) == 2
    check_same_portfolio(registry.load_portfolio(run_id), make_portfolio(price))


def test_the_last_run_frees_the_prices(registry):
    first, second = registry.save_run(make_portfolio(), "x"), registry.save_run(make_portfolio(log=True), "x")
    assert len(files(registry)) == 4
    registry.delete_run(second, permanent=True)
    registry.gc(min_age=0)
    assert files(registry) == sorted(registry.get_run(first).artifact["names"])
    registry.load_portfolio(first)
    registry.delete_run(first, permanent=True)
    registry.gc(min_age=0)
    assert files(registry) == []


def test_gc_between_two_steps_of_a_save_loses_nothing(registry, monkeypatch):
    run_id = registry.save_run(make_portfolio(), "x")
    registry.delete_run(run_id, permanent=True)  # prices that nobody needs, until now
    insert = registry.store.write_missing

    def collect_first(blobs):
        for name in files(registry, "prices-*"):
            registry.store.artifacts.delete(name)
        insert(blobs)

    monkeypatch.setattr(registry.store, "write_missing", collect_first)
    run_id = registry.save_run(make_portfolio(), "x")
    check_same_portfolio(registry.load_portfolio(run_id), make_portfolio())


def test_a_save_that_fails_leaves_the_prices_of_others(registry, monkeypatch):
    run_id = registry.save_run(make_portfolio(), "x")
    before = files(registry)
    with monkeypatch.context() as patch:
        patch.setattr(type(registry.store), "insert", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            registry.save_run(make_portfolio(fast=4, log=True), "x")
    assert files(registry) == before
    registry.load_portfolio(run_id)


def test_what_cannot_be_written_writes_nothing(registry):
    pf = make_portfolio()
    pf.metrics["exposure"] = dict(title="Exposure", calc_func=lambda self: 1.0)
    with pytest.raises(UnportablePortfolioError, match="exposure"):
        registry.save_run(pf, "x")
    assert not registry.store.base_dir.exists()


def test_saves_and_collections_at_the_same_time(registry):
    stop, failures = threading.Event(), []

    def collect():
        while not stop.is_set():
            try:
                registry.gc(min_age=0)
            except Exception as e:
                failures.append(e)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for i in range(10):
            run_id = registry.save_run(make_portfolio(make_price() + i % 2), "x")
            check_same_portfolio(registry.load_portfolio(run_id), make_portfolio(make_price() + i % 2))
            registry.delete_run(run_id, permanent=True)
    finally:
        stop.set()
        collector.join()
    assert failures == []


def test_prices_that_were_exchanged_are_noticed(registry):
    run_id = registry.save_run(make_portfolio(), "x")
    (first,) = files(registry, "prices-*")
    registry.save_run(make_portfolio(make_price() * 2), "x")
    (second,) = set(files(registry, "prices-*")) - {first}
    folder = registry.store.portfolios_dir
    (folder / first).write_bytes((folder / second).read_bytes())
    with pytest.raises(ArtifactCorruptedError, match="prices"):
        registry.load_portfolio(run_id)
    (folder / first).unlink()
    with pytest.raises(ArtifactMissingError, match=first):
        registry.load_portfolio(run_id)


def test_export_and_merge_take_the_prices_along(registry, tmp_path):
    run_ids = [registry.save_run(make_portfolio(), "x"), *registry.save_sweep(make_sweep(log=True), "x")]
    other = RunRegistry(tmp_path / "other", allow_pickle=False)
    other.merge(registry)
    for run_id in run_ids:
        check_same_portfolio(other.load_portfolio(run_id), registry.load_portfolio(run_id))


def test_one_column_is_read_alone(registry, monkeypatch):
    sweep = make_large_sweep()
    run_ids = registry.save_sweep(sweep, "x")
    main = registry.get_run(run_ids[0]).artifact["names"][0]
    sizes = []
    read = registry.store.artifacts.read

    def count(name, start=0, end=None):
        content = read(name, start, end)
        sizes.append(len(content))
        return content

    monkeypatch.setattr(registry.store.artifacts, "read", count)
    check_same_portfolio(registry.load_portfolio(run_ids[100]), select_column(sweep, 100))
    size = registry.store.artifacts.size(main)
    assert size > 1_000_000 and 0 < sum(sizes) < size / 10


def test_a_missing_extra_is_named_before_anything_is_written(tmp_path):
    code = """
import sys
sys.modules["pyarrow.parquet"] = None
from tests.support.factories import make_portfolio
from vectorbt.portfolio.registry import RunRegistry

RunRegistry(sys.argv[1], portfolio_format="portable").save_run(make_portfolio(), "x")
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "runs"], capture_output=True, text=True)
    assert "ImportError: the portable format needs pyarrow 17 or newer" in done.stderr
    assert done.stderr.strip().endswith('pip install "vectorbt-registry[portable]"')
    assert not (tmp_path / "runs").exists()


def test_returns_are_those_of_the_portfolio(registry):
    run_ids = registry.save_sweep(make_sweep(), "x")
    returns = registry.store.load_returns(run_ids)
    assert np.array_equal(returns.to_numpy(), make_sweep().returns().to_numpy())
    assert isinstance(registry.store, FileStore)
