"""What README and docs show of a Python session is what such a session prints."""

import pytest

import vectorbt as vbt
from tests.documents.pages import PAGES, read_examples, run_page

README, *DOCS = PAGES


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The report of README's session, and the names that it has defined. The pages of docs go on from there."""
    year_freq = vbt.settings.returns["year_freq"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("session"))
        patch.setenv("COLUMNS", "120")  # tables are as wide as the terminal
        yield run_page(README, {})
    vbt.settings.returns["year_freq"] = year_freq


def test_readme(session):
    report, _ = session
    assert not report, report


@pytest.mark.parametrize("page", [page for page in DOCS if read_examples(page)], ids=lambda page: page.name)
def test_docs(session, page):
    _, names = session
    report, _ = run_page(page, names)
    assert not report, report


def test_pages_are_read():
    assert len(read_examples(README)) > 10
