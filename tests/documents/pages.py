"""The `pycon` blocks of a page as doctests, and what may differ between a page and the run that checks it."""

import doctest
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ALTERS_EACH_TIME = {
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b": "<run_id>",
    r"\b(?=[0-9]*[a-f])[0-9a-f]{8}\b|(?<=RunRecord\()[0-9a-f]{8}|(?m:^[0-9a-f]{8}(?= ))": "<short id>",
    r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:[0-9]{2})?\b": "<time>",
}


def read_examples(page):
    """Return the examples of a page, each with the line where it stands."""
    text = page.read_text(encoding="utf-8")
    examples = []
    for block in _BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        for example in doctest.DocTestParser().get_examples(block.group(1)):
            example.lineno += lines_before
            examples.append(example)
    return examples


class PageChecker(doctest.OutputChecker):
    """Compares what a page shows with what is printed, apart from ids and the time of the run.

    A page need not show what a call returns: an example without output, such as a figure, is only run."""

    def check_output(self, want, got, optionflags):
        return not want or super().check_output(_without_ids_and_times(want), _without_ids_and_times(got), optionflags)


def _without_ids_and_times(text):
    for pattern, name in _ALTERS_EACH_TIME.items():
        text = re.sub(pattern, name, text)
    return text


def run_page(page, names):
    """Run the examples of a page one after the other, beginning with some names defined.

    Return the report of what failed, which is empty if nothing did, and the names that are defined then."""
    test = doctest.DocTest(read_examples(page), names, page.name, str(page), 0, None)
    report = []
    runner = doctest.DocTestRunner(PageChecker(), optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append, clear_globs=False)
    return "".join(report), test.globs
