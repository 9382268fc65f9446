"""Values, names and texts as messages show them."""

import ast
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.display import escaped

CLEARS_THE_SCREEN = "\x1b[2J"


@given(st.text())
def test_what_is_escaped_can_be_printed_and_read_back(text):
    assert escaped(text).isprintable()
    if "\\" not in text:  # which stands for itself
        assert ast.literal_eval(f'"{escaped(text).replace(chr(34), chr(92) + chr(34))}"') == text


def warning_of_comparison():
    registry = RunRegistry(MemoryStore())
    for n, frequency in enumerate(["1D", CLEARS_THE_SCREEN]):
        registry.store.save_run(make_record(n, data={"frequency": frequency}))
    with pytest.warns(UserWarning, match="another frequency") as caught:
        registry.compare_runs([record.run_id for record in registry.list_runs()])
    return str(caught[0].message)


def conflict_of_merge():
    mine, theirs = RunRegistry(MemoryStore()), RunRegistry(MemoryStore())
    for registry, notes in ((mine, "the same"), (theirs, CLEARS_THE_SCREEN + "\x9b")):
        registry.store.save_run(make_record(notes=notes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mine.merge(theirs).conflicts[0].reason


@pytest.mark.parametrize(
    "shown",
    [lambda: repr(make_record(parameters={CLEARS_THE_SCREEN: 1})), warning_of_comparison, conflict_of_merge],
    ids=["record", "comparison", "merge"],
)
def test_no_message_shows_a_name_or_text_raw(shown):
    assert shown().isprintable()
