"""The layout of before: all runs in one JSON file, portfolios as `portfolios/<run_id>.pkl`."""

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import dumps, encode_mapping, loads_lenient
from vectorbt.portfolio.registry.run import RunRecord
from vectorbt.portfolio.registry.stores.journal import Damage
from vectorbt.portfolio.registry.stores.lines import whole_content


def read_older_layout(path: Path) -> tp.Tuple[tp.List[RunRecord], tp.List[Damage]]:
    """Return the runs of a file in the older layout, and what of it cannot be read.

    Raises:
        StoreError: If it is too long to be read."""
    content = whole_content(path)
    try:
        runs = loads_lenient(content)
    except ValueError as e:
        return [], [Damage(1, f"{path.name} is no JSON: {e}", content)]
    if not isinstance(runs, dict):
        return [], [Damage(1, f"{path.name} is not an object of runs", content)]
    records, damages = [], []
    for run_id, run in runs.items():
        try:
            records.append(_convert(run_id, run))
        except (ValueError, TypeError) as e:
            content = str(run).encode("utf-8", "backslashreplace")  # JSON may hold half of a surrogate pair
            damages.append(Damage(1, f"run {run_id!r} in {path.name}: {e}", content))
    return records, damages


def _convert(run_id: str, run: tp.Any) -> RunRecord:
    """Return a run of the older layout, whose values are plain JSON with the bare tokens NaN and Infinity."""
    if not isinstance(run, dict):
        raise ValueError("expected an object")
    fields = {**run, "run_id": run_id, "artifact": _artifact(run.get("portfolio_path")), "portfolio_path": None}
    for name in ("parameters", "stats"):
        fields[name] = encode_mapping(fields.get(name) or {}, name)
    return RunRecord.from_json(dumps({name: value for name, value in fields.items() if value is not None}))


def _artifact(portfolio_path: tp.Optional[str]) -> tp.Optional[tp.Dict[str, tp.Any]]:
    """Return how a record refers to a portfolio of the older layout.

    Wherever the path says, the portfolio is looked for in this registry's own folder, by its name."""
    if not portfolio_path:
        return None
    flavour = PureWindowsPath if re.search(r"\\", portfolio_path) else PurePosixPath
    return dict(format="pickle", size=None, sha256=None, names=[flavour(portfolio_path).name])
