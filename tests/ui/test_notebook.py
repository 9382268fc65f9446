"""What a notebook shows, in a browser: nothing is wider than a page, and no name runs a script."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import MemoryStore, RunRegistry
from vectorbt.portfolio.registry.tables.run_list import RunList

playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra ui-test")

PAGE_WIDTH = 1200
NOTEBOOK = """<!doctype html><html><head><meta charset="utf-8"><style>
body { margin: 0; font-family: system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; font-size: 14px }
.output { padding: 12px 0 }
body.dark { background: #111; color: #eee }
</style></head><body></body></html>"""
"""As in JupyterLab, whose letters are smaller."""

EVIL = "<img src=x onerror='hit=1'><script>hit=1</script>\"'><b onmouseover=hit=1>\x1b[2J\u202e</td></table>"
LONG = "a_name_without_end_" * 20
BROAD = "WMWM" * 20
WIDE = "移動平均線交差戦略" * 10


def make_runs(
    n, names=("fast_window", "slow_window", "stop_loss", "universe"), strategy="dual_moving_average", **fields
):
    """Return a list of runs with four parameters, ranked by one metric and with deflated Sharpe ratios."""
    runs = [
        make_record(
            i,
            run_id=f"{i * 0x9E3779B1 % 2**32:08x}-0000-4000-8000-000000000000",
            strategy_name=f"{strategy}_{i % 3}",
            parameters=dict(zip(names, (10 + i, 120 + 7 * i, 0.0125 * (i % 5), f"S&P 500 of {2000 + i}"))),
            total_return=1234.5 / (i + 1),
            sharpe_ratio=1.234 - i / 20,
            win_rate=45.6,
            **{
                "tags": ["walk-forward", "long-only"] if i % 2 else ["daily"],
                "stats": {"sortino_ratio": 1.87 - i / 10, "max_dd_duration": pd.Timedelta(days=1710 + i)},
                **fields,
            },
        )
        for i in range(n)
    ]
    return RunList(runs, {run.run_id: 0.95 - i / 40 for i, run in enumerate(runs)}, ranked_by="sortino_ratio")


def make_whole_record(name="SPX"):
    return make_record(
        1,
        parameters={"fast_window": 50, "slow_window": 200, "stop_loss": 0.05, name: name},
        stats={
            **{"sortino_ratio": 1.87, "max_dd_duration": pd.Timedelta(days=1710), "profit_factor": 2.31},
            **{"best_trade": 23.4, "worst_trade": -8.7, "expectancy": 5.46, "calmar_ratio": float("nan"), name: name},
        },
        data=dict(
            symbols=[name],
            start=pd.Timestamp("1999-01-04"),
            end=pd.Timestamp("2018-12-31"),
            bars=5031,
            frequency="1 days",
            fingerprint="40f7d2bd" * 8,
        ),
        environment=dict(
            git=dict(commit="64e0261c0ffee", dirty=True), vectorbt="1.2.0", pandas="3.1.1", numpy="2.4.6", python=name
        ),
        notes=f"Crosses are late in 2008.\nTry a stop: {name}",
        tags=["index", name],
    )


def make_registry():
    registry = RunRegistry(MemoryStore())
    for run in make_runs(12):
        registry.store.save_run(run)
    return registry


SHOWN = {
    "twenty runs": lambda: make_runs(40),
    "no deflation": lambda: RunList(make_runs(3)),
    "one run": lambda: make_runs(1),
    "eight parameters": lambda: RunList(
        make_record(i, parameters={f"parameter_{k}": i * k / 7 for k in range(12)}) for i in range(5)
    ),
    "long names": lambda: make_runs(4, [f"{k}{LONG}" for k in range(4)], LONG, notes=LONG),
    "wide letters": lambda: make_runs(4, [f"{k}{WIDE}" for k in range(4)], WIDE, notes=WIDE),
    "broad letters": lambda: make_runs(4, [f"{k}{BROAD}" for k in range(4)], BROAD, tags=[BROAD]),
    "hostile names": lambda: make_runs(4, [f"{k}{EVIL}" for k in range(4)], EVIL, stats={EVIL: EVIL}, notes=EVIL),
    "a record": make_whole_record,
    "a long record": lambda: make_whole_record(LONG),
    "a wide record": lambda: make_whole_record(WIDE),
    "a hostile record": lambda: make_whole_record(EVIL),
    "a registry": make_registry,
    "an empty registry": lambda: RunRegistry(MemoryStore()),
    "no runs": lambda: RunRegistry(MemoryStore()).list_runs(),
}


@pytest.fixture(scope="module")
def page():
    """A page as wide as that of a notebook. VBT_SCREENSHOTS names a folder for pictures of what is shown."""
    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("needs Debian's chromium")
    with playwright.sync_playwright() as started:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = started.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport=dict(width=PAGE_WIDTH, height=800))
        page.set_content(NOTEBOOK)
        yield page
        browser.close()


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_what_is_shown_fits_a_page_and_runs_nothing(page, make, request):
    requests, errors = [], []
    page.on("request", lambda asked: requests.append(asked.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    # As a notebook does it: innerHTML alone would leave scripts alone.
    page.evaluate(
        """html => {
            window.hit = 0
            document.body.innerHTML = ''
            const output = document.createElement('div')
            output.className = 'output'
            document.body.append(output)
            output.append(document.createRange().createContextualFragment(html))
        }""",
        make()._repr_html_(),
    )
    folder = os.environ.get("VBT_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{request.node.callspec.id.replace(' ', '_')}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PAGE_WIDTH
    widths = page.evaluate("[...document.querySelectorAll('table')].map(one => one.getBoundingClientRect().width)")
    assert all(width <= PAGE_WIDTH for width in widths), widths
    assert page.evaluate("document.querySelectorAll('script, img, [onerror], [onmouseover]').length") == 0
    assert (page.evaluate("window.hit"), requests, errors) == (0, [], [])
