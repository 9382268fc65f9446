"""One run as HTML."""

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.display import as_html, escaped, text_of
from vectorbt.portfolio.registry.metric_names import HEADLINE
from vectorbt.portfolio.registry.readable import cut, metric_text, moment_text, parameter_text

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.registry.run import RunRecord

__all__ = ["card_of"]

_MAX_WIDTH = 60
"""Characters that a name or value may take."""

_MAX_NOTES = 1_000

_VERSIONS = ("vectorbt", "pandas", "numpy", "python")

_NAME = "opacity:.65"
_PAIR = "display:inline-block;margin:0 1.4em 0 0;white-space:nowrap"
_ROW = "text-align:left;vertical-align:top;border-bottom:1px solid #8883;padding:3px 10px 3px 0"


def card_of(record: "RunRecord") -> str:
    """Return a record as a table of what it is, what it gave, and where that comes from."""
    rows = {
        "run": f"<code>{as_html(record.run_id)}</code>",
        "saved": as_html(f"{moment_text(record.timestamp)} UTC"),
        "parameters": _pairs({name: parameter_text(value) for name, value in record.parameters.items()}),
        "result": _pairs({name: metric_text(name, getattr(record, name)) for name in HEADLINE}, strong=True)
        + _mean_of(record.data),
        "metrics": _pairs({name: metric_text(name, value) for name, value in record.stats.items()}),
        "data": _joined(_data_of(record.data)),
        "code": _joined(_code_of(record.environment)),
        "tags": _joined([_text(tag) for tag in record.tags]),
        "notes": "<br>".join(map(as_html, cut(record.notes, _MAX_NOTES).splitlines())),
        "sweep": f"column {record.column} of <code>{as_html(record.sweep_id)}</code>" if record.sweep_id else "",
        "portfolio": as_html(record.portfolio_path or ""),
    }
    body = "".join(
        f'<tr><th style="{_ROW};{_NAME};font-weight:normal">{name}</th>'
        f'<td style="{_ROW};white-space:normal;overflow-wrap:anywhere">{content}</td></tr>'
        for name, content in rows.items()
        if content
    )
    title = as_html(cut(escaped(record.strategy_name), _MAX_WIDTH))
    return (
        f'<div style="max-width:900px"><b>{title}</b>'
        f'<table style="border-collapse:collapse;border:none;width:100%"><tbody>{body}</tbody></table></div>'
    )


def _pairs(texts: tp.Mapping[str, str], strong: bool = False) -> str:
    """Return names and values, one beside the other."""
    opening, closing = ("<b>", "</b>") if strong else ("", "")
    return " ".join(
        f'<span style="{_PAIR}"><span style="{_NAME}">{_text(name)}</span> {opening}{_text(text)}{closing}</span>'
        for name, text in texts.items()
    )


def _mean_of(data: tp.Mapping[str, tp.Any]) -> str:
    """Return what the metrics of an aggregate are."""
    columns = data.get("columns")
    return f'<span style="{_NAME}">mean of {columns:,} columns</span>' if isinstance(columns, int) else ""


def _text(text: str) -> str:
    return as_html(cut(escaped(text), _MAX_WIDTH))


def _joined(parts: tp.Sequence[str]) -> str:
    return " · ".join(parts)


def _data_of(data: tp.Mapping[str, tp.Any]) -> tp.List[str]:
    """Return what is known of the prices: symbols, period and bars."""
    parts = []
    symbols, total = data.get("symbols"), data.get("n_symbols")
    if isinstance(symbols, list) and symbols:
        names = ", ".join(_text(text_of(symbol, str)) for symbol in symbols)
        parts.append(f"{names} and {total - len(symbols):,} more" if isinstance(total, int) else names)
    if data.get("start") is not None and data.get("end") is not None:
        parts.append(f"{_text(parameter_text(data['start']))} to {_text(parameter_text(data['end']))}")
    if isinstance(data.get("bars"), int):
        frequency = data.get("frequency")
        of_what = f" of {_text(text_of(frequency, str))}" if frequency else ", no frequency"
        parts.append(f"{data['bars']:,} bars{of_what}")
    if data.get("fingerprint"):
        parts.append(f"prices <code>{_text(text_of(data['fingerprint'], str)[:8])}</code>")
    return parts


def _code_of(environment: tp.Mapping[str, tp.Any]) -> tp.List[str]:
    """Return what is known of the code: its revision, and the versions of what it uses."""
    git, parts = environment.get("git"), []
    if isinstance(git, dict) and git.get("commit"):
        changed = ", changed since" if git.get("dirty") else ""
        parts.append(f"git <code>{_text(text_of(git['commit'], str)[:10])}</code>{changed}")
    parts += [f"{name} {_text(text_of(environment[name], str))}" for name in _VERSIONS if environment.get(name)]
    return parts
