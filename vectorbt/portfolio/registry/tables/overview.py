"""A list of runs at a glance, in a terminal or a notebook: what tells the runs apart, and how good they were.

Nothing in a column is cut but texts. Where a table would be too wide, whole columns leave it, and a line below it names
them."""

import textwrap

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import as_html, escaped
from vectorbt.portfolio.registry.metric_names import HEADLINE, PARAMETER_PREFIX
from vectorbt.portfolio.registry.query.query import FIELDS, value_of
from vectorbt.portfolio.registry.readable import (
    MISSING,
    cut,
    metric_text,
    moment_text,
    parameter_text,
    percent_text,
    width_of,
)
from vectorbt.portfolio.registry.run import RunRecord

__all__ = ["Overview"]

MAX_ROWS = 20
"""Rows that are shown. The rest is counted."""

_MAX_PARAMETERS = 8
_MAX_TEXT = 24
"""Width of a text, such as the name of a strategy or of a parameter."""

_NARROWER = (20, 16, 12)
"""Widths that texts are cut to before a column leaves."""

_MAX_TITLE = 300
_MAX_NAMED = 6
"""Names and values that the line below a table lists of one kind."""

_PAGE = 132
"""Characters of a table in a notebook, padding included, that fit into 1,200 pixels."""

_GAP = 2
_EM, _EM_OF_SHORT = 0.6, 0.8
"""Width of a character in the units of its height, of a long text and of a short one, in nearly all fonts."""

_CELL = "padding:3px 8px;border-bottom:1px solid #8883;white-space:nowrap"


class _Column(tp.NamedTuple):
    """A column of an overview."""

    name: str
    cells: tp.List[str]
    is_text: bool = False
    is_rank: bool = False
    leaves: int = 0
    """When it leaves a table that is too wide: the lowest number first, 0 never."""

    whole: tp.Optional[tp.List[str]] = None
    """What the cells say in full."""

    is_long: bool = False
    """Whether the cells are texts that may be cut."""

    @property
    def header(self) -> tp.List[str]:
        """The name in two lines, if it is wider than all cells."""
        name = cut(escaped(self.name), _MAX_TEXT)
        widest = max(map(width_of, self.cells), default=0)
        places = [i + 1 for i, character in enumerate(name) if character in "_ -." and 0 < i < len(name) - 1]
        if width_of(name) <= widest or not places:
            return [name]
        at = min(places, key=lambda place: max(width_of(name[:place]), width_of(name[place:])))
        return [name[:at].rstrip(), name[at:]]

    @property
    def width(self) -> int:
        """Characters that it takes."""
        return max(map(width_of, [*self.header, *self.cells]))

    def narrowed(self, width: int) -> "_Column":
        """Return the column with its long texts cut further. Ids, numbers and times are not."""
        return self._replace(cells=[cut(cell, width) for cell in self.whole or ()]) if self.is_long else self


class Overview:
    """Columns of the first runs of a list, and a line on what they leave out.

    Args:
        runs (sequence of RunRecord): Runs.
        ranked_by (str): Metric that the runs were ranked by, if any.
        dsr (dict): Deflated Sharpe ratios by run_id, if they were asked for."""

    def __init__(
        self,
        runs: tp.Sequence[RunRecord],
        ranked_by: tp.Optional[str] = None,
        dsr: tp.Optional[tp.Mapping[str, float]] = None,
    ) -> None:
        max_rows = pd.get_option("display.max_rows") or MAX_ROWS
        self._runs = runs[: max(1, min(MAX_ROWS, max_rows))]
        self._total = len(runs)
        self._ranked_by = ranked_by
        self._dsr = dsr
        self._constants: tp.Dict[str, str] = {}
        self._omitted: tp.List[str] = []
        self._columns = [*self._described(), *self._measured(), *self._tags()]

    # ############# Columns ############# #

    def _described(self) -> tp.Iterator[_Column]:
        """Yield the columns that say which runs these are."""
        yield _Column("run", [run.run_id[:8] for run in self._runs], True, whole=[run.run_id for run in self._runs])
        saved = _Column("saved (UTC)", [moment_text(run.timestamp) for run in self._runs], True, leaves=3)
        strategy = _of_texts("strategy", [run.strategy_name for run in self._runs], leaves=4)
        yield from (column for column in (saved, strategy) if self._tells_apart(column))
        yield from self._parameters()

    def _parameters(self) -> tp.Iterator[_Column]:
        """Yield the parameters in which runs differ, those with the most values first."""
        names = dict.fromkeys(name for run in self._runs for name in run.parameters)
        found = []
        for name in names:
            values = [run.parameters.get(name) for run in self._runs]
            column = _of_texts(name, list(map(parameter_text, values)), leaves=6)
            if self._tells_apart(column):
                is_text = any(isinstance(value, str) for value in values)
                found.append(column._replace(is_text=is_text, is_long=is_text or column.width > _NARROWER[-1]))
        found.sort(key=lambda column: -len(set(column.whole or ())))
        self._omitted += [column.name for column in found[_MAX_PARAMETERS:]]
        for place, column in enumerate(found[:_MAX_PARAMETERS]):
            yield column._replace(leaves=6 + _MAX_PARAMETERS - place)

    def _measured(self) -> tp.Iterator[_Column]:
        """Yield the metric that the runs were ranked by, the deflated Sharpe ratio, and the headline metrics."""
        ranked_by = self._ranked_by
        is_metric = ranked_by is not None and ranked_by not in FIELDS and not ranked_by.startswith(PARAMETER_PREFIX)
        if ranked_by is not None and is_metric:
            yield self._metric(ranked_by)._replace(is_rank=True)
        if self._dsr is not None:
            ratios = [self._dsr.get(run.run_id, float("nan")) for run in self._runs]
            yield _Column("dsr", [percent_text(100 * ratio) for ratio in ratios])
        for name in ("sharpe_ratio", *(name for name in HEADLINE if name != "sharpe_ratio")):
            if name != ranked_by:
                yield self._metric(name)._replace(leaves=1 if name in ("total_trades", "win_rate") else 5)

    def _metric(self, name: str) -> _Column:
        texts = [metric_text(name, value_of(run, name)) for run in self._runs]
        return _Column(name, [cut(text, _MAX_TEXT) for text in texts])

    def _tags(self) -> tp.Iterator[_Column]:
        if any(run.tags for run in self._runs):
            tags = _of_texts("tags", [", ".join(run.tags) for run in self._runs], leaves=2)
            if self._tells_apart(tags):
                yield tags

    def _tells_apart(self, column: _Column) -> bool:
        """Return whether a column tells runs apart. What is the same in all of them is said once, below the table."""
        whole = column.whole or column.cells
        if len(whole) < 2 or len(set(whole)) > 1:
            return True
        if whole[0] not in ("", MISSING):
            self._constants[column.name] = column.cells[0]
        return False

    def _fitting(self, width: int) -> tp.Tuple[tp.List[_Column], tp.List[str]]:
        """Return the columns that fit into a width, and the names of those that do not."""
        columns, left = list(self._columns), list(self._omitted)
        for narrower in _NARROWER:
            if _width_of(columns) > width:
                columns = [column.narrowed(narrower) for column in columns]
        while _width_of(columns) > width:
            leaving = [column for column in columns if column.leaves]
            if not leaving:
                break
            first = min(column.leaves for column in leaving)
            gone = [column for column in leaving if column.leaves == first][-1]
            columns.remove(gone)
            left.insert(0, gone.name)
        return columns, left

    def _remarks(self, left: tp.Sequence[str]) -> tp.List[str]:
        """Return what the table does not show."""
        shown, total = len(self._runs), self._total
        remarks = [f"{shown} of {total:,} runs" if shown < total else f"{total:,} run{'' if total == 1 else 's'}"]
        if self._ranked_by is not None:
            remarks[0] += f" by {cut(escaped(self._ranked_by), _MAX_TEXT)}"
        if self._constants:
            same = [f"{cut(escaped(name), _MAX_TEXT)}={text}" for name, text in self._constants.items()]
            remarks.append(f"the same in {'these' if shown < total else 'all'}: {_listed(same)}")
        if left:
            remarks.append(f"not shown: {_listed([cut(escaped(name), _MAX_TEXT) for name in left])}")
        return [*remarks, "everything: .to_frame()"]

    # ############# Showing ############# #

    def as_text(self, width: int) -> str:
        """Return the table for a terminal.

        Args:
            width (int): Columns of the terminal."""
        columns, left = self._fitting(width)
        n_lines = max(len(column.header) for column in columns)
        lines = [[""] * (n_lines - len(column.header)) + column.header + column.cells for column in columns]
        rows = zip(*(map(_padded(column), texts) for column, texts in zip(columns, lines)))
        table = "\n".join((" " * _GAP).join(row).rstrip() for row in rows)
        footer = textwrap.fill(" · ".join(self._remarks(left)), max(width, 40), break_on_hyphens=False)
        return f"{table}\n{footer}"

    def as_html(self) -> str:
        """Return the table for a notebook, within 1,200 pixels, and without a script or a style from elsewhere."""
        columns, left = self._fitting(_PAGE)
        header = "".join(_header_cell(column) for column in columns)
        body = "".join(
            f"<tr>{''.join(_body_cell(column, row) for column in columns)}</tr>" for row in range(len(self._runs))
        )
        footer = as_html(" · ".join(self._remarks(left)))
        return (
            '<table style="border-collapse:collapse;border:none;font-variant-numeric:tabular-nums">'
            f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
            f'<div style="font-size:smaller;opacity:.75;max-width:1100px;overflow-wrap:anywhere">{footer}</div>'
        )


def _of_texts(name: str, texts: tp.List[str], leaves: int) -> _Column:
    """Return a column of texts that may be long."""
    whole = [escaped(text) for text in texts]
    return _Column(name, [cut(text, _MAX_TEXT) for text in whole], True, leaves=leaves, whole=whole, is_long=True)


def _width_of(columns: tp.Sequence[_Column]) -> int:
    """Return how many characters columns take beside each other."""
    return sum(column.width + _GAP for column in columns) - _GAP


def _listed(texts: tp.Sequence[str]) -> str:
    more = [f"and {len(texts) - _MAX_NAMED} more"] if len(texts) > _MAX_NAMED else []
    return ", ".join([*texts[:_MAX_NAMED], *more])


def _padded(column: _Column) -> tp.Callable[[str], str]:
    """Return a function that brings a text to the width of a column: texts begin together, numbers end together."""
    width, is_text = column.width, column.is_text

    def pad(text: str) -> str:
        space = " " * (width - width_of(text))
        return f"{text}{space}" if is_text else f"{space}{text}"

    return pad


def _style(column: _Column, is_bound: bool) -> str:
    """Return the style of a cell. Texts may be of letters that are wider than most."""
    side = "left" if column.is_text else "right"
    em = column.width * (_EM if column.width > _NARROWER[-1] else _EM_OF_SHORT)
    bound = f";max-width:{em:.1f}em;overflow:hidden;text-overflow:ellipsis" if is_bound else ""
    return f"{_CELL};text-align:{side}{bound}"


def _header_cell(column: _Column) -> str:
    lines = "<br>".join(map(as_html, column.header))
    mark = ";text-decoration:underline" if column.is_rank else ""
    return (
        f'<th style="{_style(column, column.leaves > 0)};vertical-align:bottom{mark}" '
        f'title="{as_html(cut(column.name, _MAX_TITLE))}">{lines}</th>'
    )


def _body_cell(column: _Column, row: int) -> str:
    text = column.cells[row]
    whole = text if column.whole is None else column.whole[row]
    title = "" if whole == text else f' title="{as_html(cut(whole, _MAX_TITLE))}"'
    shown = as_html(text)
    if column.name == "run":
        shown = f"<code>{shown}</code>"
    elif column.is_rank:
        shown = f"<b>{shown}</b>"
    return f'<td style="{_style(column, column.is_long)}"{title}>{shown}</td>'
