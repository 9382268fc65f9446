"""The example of a store of one's own holds what every store promises, in the size that its documentation says."""

import inspect
import json

import pytest

from examples import own_store
from vectorbt.portfolio.registry.testing import StoreSuite, make_record


class TestJsonStore(StoreSuite):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: own_store.JsonStore(tmp_path / "runs.json")


def test_it_is_short():
    assert len(inspect.getsource(own_store).splitlines()) < 120


def test_people_can_read_the_file(tmp_path):
    store = own_store.JsonStore(tmp_path / "runs.json")
    store.save_runs([make_record(i, notes="größer") for i in range(2)])
    text = (tmp_path / "runs.json").read_text(encoding="utf-8")
    assert "größer" in text and len(text.splitlines()) > 20
    assert list(json.loads(text)["runs"]) == [make_record(i).run_id for i in range(2)]
