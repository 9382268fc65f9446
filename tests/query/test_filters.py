"""The types of filters, which editors complete, are those that a query accepts."""

import inspect
from typing import get_args, get_type_hints

import pytest

from vectorbt.portfolio.registry import RunRegistry
from vectorbt.portfolio.registry.query.query import AllFilters, Query

ORDER = {"sort_by", "ascending", "limit"}
WITHOUT = {
    "list_runs": set(),
    "to_frame": set(),
    "count": set(),
    "get_best_runs": {"sort_by", "limit"},
    "selection_bias": ORDER,
    "delete_runs": set(),
}
"""Filters that a call does not take."""


def accepted():
    hints = get_type_hints(Query.of)
    return {name: hints[name] for name in inspect.signature(Query.of).parameters if name != "unknown"}


def test_the_types_are_those_of_a_query():
    assert get_type_hints(AllFilters) == accepted()
    assert AllFilters.__required_keys__ == set()


@pytest.mark.parametrize("name", WITHOUT)
def test_a_call_names_each_filter_that_it_takes_once(name):
    call = getattr(RunRegistry, name)
    explicit = set(inspect.signature(call).parameters) & set(accepted())
    (filters,) = get_args(get_type_hints(call)["filters"])
    beside = set(get_type_hints(filters))
    assert explicit & beside == set()
    assert explicit | beside == set(accepted()) - WITHOUT[name]
