"""What one run is: the record of a backtest, without its portfolio.

A record has two forms. In Python it is a `RunRecord` with native values. As a dict (`RunRecord.to_dict`) it is strict
JSON: the values are encoded by `vectorbt.portfolio.registry.encoding`, the five headline metrics stand under `stats`
beside the others, and a store may write the dict down as it is."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter, index

import numpy as np

from vectorbt import _typing as tp
from vectorbt.portfolio.registry import record_json
from vectorbt.portfolio.registry.artifact import Artifact
from vectorbt.portfolio.registry.block import Row, RunBlock
from vectorbt.portfolio.registry.card import card_of
from vectorbt.portfolio.registry.checks import (
    as_text,
    as_utc,
    check_notes,
    check_parameters,
    check_run_id,
    check_strategy_name,
    check_tags,
    is_run_id,
    new_run_ids,
    now,
)
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.encoding import dumps, encode, encode_mapping, loads, loads_again
from vectorbt.portfolio.registry.metric_names import HEADLINE, vectorbt_metrics
from vectorbt.portfolio.registry.named_values import values_of
from vectorbt.portfolio.registry.record_json import CONTAINERS, DETAILS, Detail

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio


class Json(tp.NamedTuple):
    """The JSON of a record, and what it shares with others."""

    source: bytes
    shared: tp.Mapping[str, tp.Any]

    def parse(self) -> tp.Mapping[str, tp.Any]:
        """Return the record as a dict of JSON, which is not to be changed."""
        own = loads_again(self.source)
        return {**self.shared, **own} if self.shared else own


_Known = tp.Dict[tp.Tuple[str, int], tp.Any]
"""Encoded details by their name and the `id` of what was encoded."""


@dataclass(eq=False, repr=False, slots=True)
class RunRecord:
    """One run: what was tried, on which data, with which result.

    Two records are equal when their dicts are, NaN being equal to NaN. A record is a value: changing it changes
    nothing in the registry that it came from, use `vectorbt.portfolio.registry.registry.RunRegistry.update_run`.

    Every field has a default. Only a record without a `strategy_name` cannot be saved.

    Args:
        run_id (str): Lower-case UUID. File names are made of it. Defaults to a new one.
        timestamp (datetime): When the run was saved, in UTC. A naive datetime is read as UTC. Defaults to now.
        strategy_name (str): Name of the strategy.
        parameters (dict): Parameters as the user gave them, of any type that
            `vectorbt.portfolio.registry.encoding` can represent.
        total_return (float): Total return in percent.
        sharpe_ratio (float): Annualised Sharpe ratio. NaN if the portfolio has no frequency.
        max_drawdown (float): Maximum drawdown in percent, positive.
        total_trades (int or float): Number of trades. Fractional only as the mean over several columns.
        win_rate (float): Share of winning trades in percent.
        portfolio_path (str): Where the portfolio lies: a path or URL on a record that a registry hands out,
            relative to the registry's folder on disk. None if no portfolio was saved.
        tags (list of str): Tags. A lone string is one tag.
        notes (str): Free text.
        stats (dict): Every other metric of `vectorbt.portfolio.base.Portfolio.stats`, by vectorbt's own metric name.
        returns_stats (dict): Moments of the run's return series per period.
            See `vectorbt.portfolio.registry.capture.metrics`.
        sweep_id (str): Sweep that the run belongs to, if any.
        column (int): Position of the run's column or group in the portfolio of its sweep.
        data (dict): Fingerprint and extent of the prices.
            See `vectorbt.portfolio.registry.capture.data.describe_data`.
        environment (dict): Versions, git revision, and the settings that metrics depend on.
            See `vectorbt.portfolio.registry.capture.environment.environment`.
        artifact (dict): Format, size in bytes, SHA-256 and file names of the stored portfolio.
        attachments (dict): Size in bytes and SHA-256 of each file that belongs to the run, by name. See
            `vectorbt.portfolio.registry.registry.RunRegistry.load_attachment`.
        deleted_at (datetime): When the run was deleted, in UTC. None if it was not, or nobody knows when.
        restorable (bool): Whether a deleted run can be restored with its notes and its portfolio, because they are in
            the trash. None if the run was not deleted.

    Raises:
        TypeError: If a field has the wrong type.
        ValueError: If `run_id` or `sweep_id` is not a UUID.

    Usage:
        ```pycon
        >>> record = RunRecord.from_portfolio(pf, "dual_sma", parameters={"fast": 10, "slow": 50})
        >>> record.sharpe_ratio
        0.4215
        >>> record.sortino_ratio  # any metric of record.stats
        0.6023
        ```"""

    _source: tp.Union[None, tp.Mapping[str, tp.Any], Row, Json] = field(default=None, init=False)
    """What the details are decoded from: a row of a block, JSON, or the parsed dict."""

    run_id: str = field(default_factory=lambda: new_run_ids(1)[0])
    timestamp: datetime = field(default_factory=now)
    strategy_name: str = ""
    parameters: tp.Dict[str, tp.Any] = field(default_factory=dict)
    total_return: float = float("nan")
    sharpe_ratio: float = float("nan")
    max_drawdown: float = float("nan")
    total_trades: tp.Union[int, float] = float("nan")
    win_rate: float = float("nan")
    portfolio_path: tp.Optional[str] = None
    tags: tp.List[str] = field(default_factory=list)
    notes: str = ""
    stats: tp.Dict[str, tp.Any] = field(default_factory=dict)
    returns_stats: tp.Dict[str, tp.Any] = field(default_factory=dict)
    sweep_id: tp.Optional[str] = None
    column: tp.Optional[int] = None
    data: tp.Dict[str, tp.Any] = field(default_factory=dict)
    environment: tp.Dict[str, tp.Any] = field(default_factory=dict)
    artifact: tp.Optional[tp.Dict[str, tp.Any]] = None
    attachments: tp.Dict[str, tp.Dict[str, tp.Any]] = field(default_factory=dict)
    deleted_at: tp.Optional[datetime] = None
    restorable: tp.Optional[bool] = None

    _unknown: tp.Dict[str, tp.Any] = field(default_factory=dict, init=False)
    """What a newer version has written beside the fields above, encoded."""
    _root: tp.Optional[str] = field(default=None, init=False)
    """Where the portfolios lie, for when the details are asked for."""

    def __post_init__(self) -> None:
        self.check(may_be_unnamed=True)
        self.run_id = as_text(self.run_id)
        self.timestamp = as_utc(self.timestamp)
        self.strategy_name = as_text(self.strategy_name)
        self.parameters = check_parameters(self.parameters)
        self.tags = check_tags(self.tags)
        self.notes = check_notes(self.notes)
        if self.column is not None:
            self.column = index(self.column)

    def check(self, may_be_unnamed: bool = False) -> None:
        """Check the fields that every store takes for granted.

        Args:
            may_be_unnamed (bool): Whether the strategy may be without a name: it is given before the record is saved.

        Raises:
            TypeError: If one of them has the wrong type.
            ValueError: If one of them has a value that means nothing."""
        check_run_id(self.run_id)
        if not isinstance(self.timestamp, datetime):
            raise TypeError(f"timestamp must be a datetime, not {type(self.timestamp).__name__}")
        check_strategy_name(self.strategy_name, may_be_empty=may_be_unnamed)
        if self.sweep_id is not None and not is_run_id(self.sweep_id):
            raise ValueError(f"sweep_id must be a lower-case UUID, not {self.sweep_id!r}")
        if self.column is not None and not hasattr(self.column, "__index__"):
            raise TypeError(f"column must be an integer, not {type(self.column).__name__}")
        for name in HEADLINE:
            if not isinstance(getattr(self, name), (int, float)):
                raise TypeError(f"{name} must be a number, not {type(getattr(self, name)).__name__}")
        if self.artifact is not None:
            record_json.check_artifact(self.run_id, self.artifact)

    # ############# Making ############# #

    @classmethod
    def from_portfolio(
        cls,
        portfolio: "Portfolio",
        strategy_name: str = "",
        parameters: tp.Optional[dict] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: str = "",
    ) -> "RunRecord":
        """Measure a portfolio and describe where its result comes from.

        A portfolio of several columns becomes one record with vectorbt's own aggregate.

        Args:
            portfolio (Portfolio): Portfolio of any shape.
            strategy_name (str): Name of the strategy. Without one the record cannot be saved.
            parameters (dict): Parameters of the strategy.
            tags (list of str): Tags.
            notes (str): Free text.

        Raises:
            TypeError: If an argument has the wrong type, or a parameter cannot be encoded."""
        from vectorbt.portfolio.registry.capture.runs import run_of

        return records_of(run_of(portfolio, strategy_name, parameters, tags, notes), np.arange(1))[0]

    @classmethod
    def from_columns(
        cls,
        portfolio: "Portfolio",
        strategy_name: str,
        parameters: tp.Optional[dict] = None,
        tags: tp.Union[None, str, tp.Sequence[str]] = None,
        notes: str = "",
    ) -> tp.List["RunRecord"]:
        """Measure each column of a portfolio, or each group where it is grouped, and return their records in order.

        All share a timestamp and a `sweep_id`, from which their ids follow. What distinguishes the columns, the levels
        of the column index, becomes parameters. The metrics of all are computed in one pass.

        Args:
            portfolio (Portfolio): Portfolio of a whole sweep.
            strategy_name (str): Name of the strategy.
            parameters (dict): Parameters that all columns have in common.
            tags (list of str): Tags of each run.
            notes (str): Free text of each run.

        Raises:
            TypeError: If an argument has the wrong type, or a parameter or column label cannot be encoded.
            ValueError: If a constant parameter has the name of a level of the columns, or a column could not be
                selected again."""
        from vectorbt.portfolio.registry.capture.runs import sweep_of

        block = sweep_of(portfolio, strategy_name, parameters, tags, notes)
        return records_of(block, np.arange(len(block)))

    @classmethod
    def from_dict(cls, dct: tp.Mapping[str, tp.Any]) -> "RunRecord":
        """Make a record of a dict as `RunRecord.to_dict` returns it. Keys that are not known are kept.

        Raises:
            TypeError: If the dict holds what is not JSON.
            ValueError: If a field is missing or malformed."""
        return cls.from_json(dumps(dct))

    @classmethod
    def from_json(cls, source: bytes, shared: tp.Mapping[str, tp.Any] = {}) -> "RunRecord":  # noqa: B006
        """Make a record of the JSON of its dict, merged over what it shares with others.

        All but a few fields stay JSON until they are asked for.

        Raises:
            ValueError: If it is not JSON, or a field is missing or malformed."""
        dct = loads(source)
        if not isinstance(dct, dict):
            raise ValueError(f"a record must be a JSON object, not {type(dct).__name__}")
        record = cls._from_summary({**shared, **dct} if shared else dct)
        record._source = Json(source, shared)
        return record

    @classmethod
    def _from_summary(cls, dct: tp.Mapping[str, tp.Any]) -> "RunRecord":
        """Check a dict, and take over what is needed of nearly every record."""
        record_json.check(dct)
        record = cls.__new__(cls)
        record.run_id = dct["run_id"]
        record.timestamp = record_json.parse_timestamp(dct.get("timestamp"))
        record.strategy_name = dct["strategy_name"]
        record.sweep_id = dct.get("sweep_id")
        record.column = dct.get("column")
        metric, as_number = dct.get("stats", {}).get, record_json.as_number
        record.total_return = as_number(metric("total_return"))
        record.sharpe_ratio = as_number(metric("sharpe_ratio"))
        record.max_drawdown = as_number(metric("max_drawdown"))
        record.total_trades = as_number(metric("total_trades"))
        record.win_rate = as_number(metric("win_rate"))
        record._root = None
        return record

    @property
    def source(self) -> tp.Union[None, tp.Mapping[str, tp.Any], Row, Json]:
        """What the details are decoded from, as long as nobody has set one."""
        return self._source

    def decode_detail(self, name: str) -> tp.Any:
        """Return a detail that nobody has asked for yet."""
        if name == "portfolio_path" and self._root is not None:
            return _locate(self._root, self)
        return record_json.decode_detail(name, self._parsed())

    def _parsed(self) -> tp.Mapping[str, tp.Any]:
        """Return the dict that the details are decoded from, which is empty if the record was not read from JSON."""
        if isinstance(self._source, (Row, Json)):
            self._source = self._source.parse()
        return {} if self._source is None else self._source

    def locate(self, root: str) -> None:
        """Resolve `portfolio_path` against the place where the portfolios of a registry lie.

        It is the name of the artifact that counts: what the metadata says about folders is not trusted."""
        self._root = root
        if self._source is None:
            self.portfolio_path = _locate(root, self)

    # ############# Reading ############# #

    def to_dict(self) -> tp.Dict[str, tp.Any]:
        """Return the record as a dict of strict JSON, the inverse of `RunRecord.from_dict`.

        Raises:
            TypeError: If a value that was put into the record has no faithful encoding."""
        return self._to_dict({})

    def _to_dict(self, known: _Known) -> tp.Dict[str, tp.Any]:
        """Return the record as a dict. Details that are known already are taken from there."""
        # A detail that nobody has decoded is passed on as it is: decoding can lose what this process does not know,
        # such as the class of an Enum. It is copied, since records of one sweep share parts of it.
        source = loads_again(dumps(self._parsed()))
        details = {name: self._encoded_detail(name, source, known) for name in DETAILS}
        for name in record_json.RARE:
            if details[name] in (None, {}):
                del details[name]
        headline = {name: encode(getattr(self, name), name) for name in HEADLINE}
        return {
            "run_id": self.run_id,
            "timestamp": record_json.timestamp_text(self.timestamp),
            "strategy_name": as_text(self.strategy_name),
            "sweep_id": self.sweep_id,
            "column": self.column,
            **details.pop("_unknown"),
            **details,
            "stats": {**headline, **details["stats"]},
        }

    def _encoded_detail(self, name: str, source: tp.Mapping[str, tp.Any], known: _Known) -> tp.Any:
        """Return a detail as JSON."""
        if name == "portfolio_path" and self._root is not None:
            return source.get(name)  # where the registry lies today is no part of the record
        if self._source is not None and not _is_set(self, name):
            if name == "_unknown":
                return record_json.unknown_of(source)
            if name == "stats":
                return record_json.without_headline(source.get(name, {}))
            return source.get(name, CONTAINERS[name]() if name in CONTAINERS else None)
        value = getattr(self, name)
        if name == "notes":
            return check_notes(value)
        if name == "deleted_at":
            return None if value is None else record_json.timestamp_text(value)
        if name in CONTAINERS:
            key = name, id(value)
            if key not in known:
                known[key] = check_tags(value) if name == "tags" else encode_mapping(value, name)
            return known[key]
        return value if name == "_unknown" else encode(value, name)

    def json_of(self, name: str) -> tp.Any:
        """Return a detail that is a dict as JSON, without decoding what nobody has asked for.

        It is not to be changed. The headline metrics may be among the `stats`."""
        if self._source is None or _is_set(self, name):
            return encode_mapping(getattr(self, name), name)
        return self._parsed().get(name, {})

    def as_json(self) -> tp.Mapping[str, tp.Any]:
        """Return the record as a dict of JSON, which is neither to be changed nor kept by the record.

        For a record that is as it was read it takes no more than parsing. What it leaves out is what
        `RunRecord.from_dict` takes for granted."""
        return self._source.parse() if isinstance(self._source, (Row, Json)) else self.to_dict()

    def copy(self) -> "RunRecord":
        """Return a record that shares nothing changeable with this one."""
        return _restored(dumps(self.to_dict()), self._root)

    def shallow_copy(self) -> "RunRecord":
        """Return a cheap copy that shares the undecoded JSON.

        Stores hand out copies so that callers cannot change what they hold."""
        if self._source is None:
            return self.copy()
        copy = object.__new__(RunRecord)
        (
            copy._source,
            copy.run_id,
            copy.timestamp,
            copy.strategy_name,
            copy.total_return,
            copy.sharpe_ratio,
            copy.max_drawdown,
            copy.total_trades,
            copy.win_rate,
            copy.sweep_id,
            copy.column,
            copy._root,
        ) = _summary_of(self)
        return copy

    def __getattr__(self, name: str) -> tp.Any:
        """Return a metric by its name.

        One of vectorbt's own that was not measured is NaN, as a headline metric is: most of them need a frequency."""
        if name.startswith("_") or name in _FIELDS:
            raise AttributeError(name, name=name, obj=self)
        if name in self.stats:
            return self.stats[name]
        if name in vectorbt_metrics():
            return float("nan")
        raise AttributeError(
            f"a run has no attribute {name!r}, and run {self.run_id[:8]} no such metric; its metrics are in .stats, "
            f"its parameters in .parameters",
            name=name,
            obj=self,
        )

    def __dir__(self) -> tp.List[str]:
        return sorted({*_FIELDS, *_METHODS, *(name for name in self.stats if name.isidentifier())})

    def __eq__(self, other: tp.Any) -> bool:
        if not isinstance(other, RunRecord):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # a record can be changed; typeshed has no way to say so

    def __reduce__(self) -> tp.Tuple:
        return _restored, (dumps(self.to_dict()), self._root)

    def __repr__(self) -> str:
        parameters = ", ".join(f"{escaped(k)}={text_of(v)}" for k, v in self.parameters.items())
        if len(parameters) > 80:
            parameters = parameters[:77] + "..."
        strategy_name = self.strategy_name if len(self.strategy_name) <= 40 else self.strategy_name[:37] + "..."
        return (
            f"RunRecord({self.run_id[:8]}, {strategy_name!r}, {self.timestamp:%Y-%m-%d %H:%M:%S}, "
            f"{{{parameters}}}, total_return={text_of(self.total_return, '{:.2f}'.format)} %, "
            f"sharpe_ratio={text_of(self.sharpe_ratio, '{:.2f}'.format)}, "
            f"max_drawdown={text_of(self.max_drawdown, '{:.2f}'.format)} %, "
            f"total_trades={text_of(self.total_trades, '{:,}'.format)}{self._aggregation()})"
        )

    def _aggregation(self) -> str:
        """Say of how many columns the metrics are the mean, if they are one."""
        columns = self.data.get("columns")
        return f", mean of {columns} columns" if isinstance(columns, int) and columns > 1 else ""

    def _repr_html_(self) -> str:
        """Show what the run is, what it gave, and where that comes from."""
        return card_of(self)


for _name in DETAILS:
    setattr(RunRecord, _name, Detail(_name, getattr(RunRecord, _name)))

_FIELDS = frozenset(f.name for f in fields(RunRecord) if not f.name.startswith("_"))
_METHODS = ("copy", "from_columns", "from_dict", "from_portfolio", "to_dict")
"""Methods for people. The others are for stores."""

_summary_of = attrgetter(*(f.name for f in fields(RunRecord) if f.name not in DETAILS))


_SUMMARY = ("run_id", "timestamp", "strategy_name", "sweep_id", "column", *HEADLINE)
"""Names of the fields that nearly every record is asked for."""


def records_of(block: RunBlock, rows: tp.Array1d) -> tp.List[RunRecord]:
    """Return some of the runs of a block as records, whose details stay columns until they are asked for."""
    paths: tp.List[tp.Tuple[str, ...]] = [("stats", name) if name in HEADLINE else (name,) for name in _SUMMARY]
    asked = {path: block.column(*path) for path in paths}
    if len(rows) < len(block):  # what nobody asks for is not decoded
        asked = {path: column.take(rows) for path, column in asked.items()}
        few = RunBlock(len(rows), asked)
        columns = [values_of(few, name).each() for name in _SUMMARY]
    else:
        columns = [values_of(block, name).take(rows) for name in _SUMMARY]
    records = []
    for i, summary in zip(rows.tolist(), zip(*columns)):
        record = object.__new__(RunRecord)
        (
            record.run_id,
            record.timestamp,
            record.strategy_name,
            record.sweep_id,
            record.column,
            record.total_return,
            record.sharpe_ratio,
            record.max_drawdown,
            record.total_trades,
            record.win_rate,
        ) = summary
        record._source = Row(block, i)
        record._root = None
        records.append(record)
    return records


def to_dicts(records: tp.Sequence[RunRecord]) -> tp.List[tp.Dict[str, tp.Any]]:
    """Return records as dicts, see `RunRecord.to_dict`. What is one object in several of them is one in the dicts.

    The runs of a sweep have their environment in common, and those on the same prices what describes them."""
    known: _Known = {}
    return [record._to_dict(known) for record in records]


def _restored(source: bytes, root: tp.Optional[str]) -> RunRecord:
    record = RunRecord.from_json(source)
    if root is not None:
        record.locate(root)
    return record


def _is_set(record: RunRecord, name: str) -> bool:
    """Return whether a detail was decoded or set already."""
    return getattr(RunRecord, name).is_set(record)


def _locate(root: str, record: RunRecord) -> tp.Optional[str]:
    artifact = Artifact.of(record)
    return None if artifact is None else f"{root}/{artifact.main.rpartition('/')[2]}"
