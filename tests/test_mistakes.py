"""Mistakes that people make, one line each, and what they are told: an error or one warning, in every store.

Nothing is answered with silence. A warning shows the line of whoever called, which here is a file of its own."""

import datetime
import os
import warnings

import numpy as np
import pandas as pd
import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import FileStore, MemoryStore, RunRegistry
from vectorbt.portfolio.registry.stores import open_store

LINE = "a line of the user"
SWEEP = "00000000-0000-4000-8000-00000000000a"
RUN = make_record(1).run_id
COMMIT = "abcd" * 10
RETURNS = make_record(5).run_id

QUESTIONS = [
    # Names that no run has
    ("registry.list_runs('dual_sam')", "no run has the strategy 'dual_sam'; did you mean dual_sma?"),
    ("registry.list_runs('Dual SMA')", "did you mean dual_sma?"),
    ("registry.list_runs('breakout')", "no run has the strategy 'breakout'; there is dual_sma"),
    ("registry.list_runs(tags='crypt')", "no run has a tag 'crypt'; did you mean crypto?"),
    ("registry.list_runs(parameters={'fast': 1})", "no run has a parameter 'fast'; did you mean fast_window?"),
    ("registry.list_runs(where='params.fast > 1')", "no run has a parameter 'fast'; did you mean fast_window?"),
    ("registry.list_runs(sort_by='params.fast')", "no run has a parameter 'fast'; did you mean fast_window?"),
    (f"registry.list_runs(sweep_id='{SWEEP[:8]}')", f"no run belongs to a sweep '{SWEEP[:8]}'; did you mean {SWEEP}?"),
    (f"registry.list_runs(data='{'cd' * 32}')", "no run was made on these prices"),
    ("registry.to_frame('dual_sam')", "did you mean dual_sma?"),
    ("registry.count(tags='crypt')", "did you mean crypto?"),
    ("registry.get_best_runs(strategy_name='dual_sam')", "did you mean dual_sma?"),
    ("registry.list_runs('dual_sam', strict=True)", "did you mean dual_sma?"),
    ("registry.list_runs(where='params.fast > 1 or sharpe_ratio > -9', strict=True)", "did you mean fast_window?"),
    ("registry.list_runs(strategy='dual_sma')", "unknown filter 'strategy'; did you mean strategy_name?"),
    ("registry.list_runs(where='sharp_ratio > 1')", "unknown name 'sharp_ratio'; did you mean sharpe_ratio"),
    ("registry.list_runs(sort_by='sharp_ratio')", "did you mean sharpe_ratio"),
    ("registry.get_best_runs('sharp_ratio')", "did you mean sharpe_ratio"),
    ("registry.list_runs(where='fast_window > 1')", "If it is a parameter, write params.fast_window"),
    ("registry.get_best_runs(sort_by='total_return')", "get_best_runs has no sort_by; give metric= instead"),
    ("registry.get_best_runs(limit=5)", "get_best_runs has no limit; give n= instead"),
    ("registry.get_best_runs('timestamp')", "timestamp is no metric; list_runs(sort_by='timestamp') sorts by it"),
    # Expressions in another language
    ("registry.list_runs(where='sharpe_ratio => 1')", "write >="),
    ("registry.list_runs(where='sharpe_ratio =< 1')", "write <="),
    ("registry.list_runs(where='sharpe_ratio = 1')", "compare with =="),
    ("registry.list_runs(where='sharpe_ratio <> 1')", "write != for <>"),
    ("registry.list_runs(where='sharpe_ratio > 1 AND win_rate > 1')", "write 'and' in lower case"),
    ("registry.list_runs(where='sharpe_ratio > 1 OR win_rate > 1')", "write 'or' in lower case"),
    ("registry.list_runs(where='NOT sharpe_ratio > 1')", "write 'not' in lower case"),
    ("registry.list_runs(where='win_rate IN [1]')", "write 'in' in lower case"),
    ("registry.list_runs(where='sharpe_ratio > 1 && win_rate > 1')", "write & once, or and"),
    ("registry.list_runs(where='sharpe_ratio > 1 || win_rate > 1')", "write | once, or or"),
    ("registry.list_runs(where='! sharpe_ratio > 1')", "negate with not, or compare with !="),
    ("registry.list_runs(where='sharpe_ratio is None')", "write x == none or x != none"),
    ("registry.list_runs(where='sharpe_ratio is not None')", "write x == none or x != none"),
    ("registry.list_runs(where='sharpe_ratio == null')", "whether there is a value asks x == none"),
    ("registry.list_runs(where='sharpe_ratio != NaN')", "whether there is a value asks x == none"),
    ("registry.list_runs(where='sharpe_ratio < inf')", "an infinite number is written 1e999"),
    ("registry.list_runs(where='sharpe_ratio + win_rate > 1')", "an expression does no arithmetic"),
    ("registry.list_runs(where='sharpe_ratio * 2 > 1')", "an expression does no arithmetic"),
    ("registry.list_runs(where='win_rate > 50%')", "percentages are plain numbers"),
    ("registry.list_runs(where='abs(sharpe_ratio) > 1')", "there are no functions"),
    ("""registry.list_runs(where="strategy_name like 'dual%'")""", "write 'part' in notes"),
    ("""registry.list_runs(where="strategy_name =~ 'dual.*'")""", "write 'part' in notes"),
    ("registry.list_runs(where='sharpe_ratio between 1 and 2')", "write 1 <= x <= 2"),
    ("registry.list_runs(where='strategy_name == dual_sma')", "if it is a string, put it in quotes"),
    ("registry.list_runs(where='win_rate in (1, 2)')", "a list is written in square brackets"),
    ("""registry.list_runs(where="params.symbol == 'BTC")""", "this string is not closed"),
    ("registry.list_runs(where=lambda run: run.sharpe_ratio > 1)", "must be a string, such as 'sharpe_ratio > 1'"),
    ("registry.list_runs(where='')", "write a condition, such as sharpe_ratio > 1"),
    # What cannot be meant
    ("""registry.list_runs(where="tags == 'crypto'")""", "tags is a list; write 'crypto' in tags"),
    ("""registry.list_runs(where="tags in ['crypto']")""", "tags is a list; write 'crypto' in tags"),
    (f"""registry.list_runs(where="run_id == '{RUN[:8]}'")""", f"write '{RUN[:8]}' in run_id"),
    (f"""registry.list_runs(where="sweep_id != '{SWEEP[:8]}'")""", f"write '{SWEEP[:8]}' in sweep_id"),
    ("""registry.list_runs(where="params.fast_window == '3'")""", "holds numbers, and '3' is a text; write 3 without"),
    ("""registry.list_runs(where="params.fast_window in ['1', '3']")""", "'1' is a text; write 1 without quotes"),
    ("""registry.list_runs(where="sharpe_ratio > '1'")""", "sharpe_ratio holds numbers, and '1' is a text"),
    ("registry.list_runs(where='params.fast_window == true')", "holds numbers, and True is a boolean"),
    ("registry.list_runs(parameters={'fast_window': '3'})", "holds numbers, and '3' is a text; write 3 without quotes"),
    ("registry.list_runs(parameters={'symbol': 5})", "holds texts, and 5 is a number; write 5 in quotes"),
    ("registry.list_runs(parameters={'entry': '2024-01-05'})", "holds points in time, and '2024-01-05' is a text"),
    ("registry.list_runs(parameters=['fast_window'])", "parameters must be a dict of names and values"),
    ("registry.list_runs(parameters={'fast_window': range(10**7)})", "where='1 <= params.fast_window <= 2'"),
    (
        "registry.list_runs(where='timestamp > 2024')",
        "timestamp holds points in time, and 2024 is a number; write 2024",
    ),
    # Times
    ("""registry.list_runs(where="timestamp > '01/02/2026'")""", "is no date or time; write it as ISO 8601"),
    ("""registry.list_runs(where="params.entry > 'soon'")""", "is no date or time; write it as ISO 8601"),
    ("""registry.list_runs(where="max_dd_duration > '5 bars'")""", "is no duration; write it as '90 days'"),
    ("registry.list_runs(since='01/02/2026')", "a duration before now such as '7 days', 'today' or 'yesterday'"),
    ("registry.list_runs(since='last week')", "a duration before now such as '7 days', 'today' or 'yesterday'"),
    ("registry.list_runs(since=7)", "or a text such as '2024-12-31' or '7 days', not int"),
    ("registry.list_runs(since='yesterday', until='7 days')", "is after until"),
    ("registry.list_runs(since='2024-02-01', until='2024-01-31')", "is after until"),
    ("registry.list_runs(until=5)", "until must be"),
    # Kinds of arguments
    ("registry.list_runs(['dual_sma'])", "strategy_name must be of type str or None, not list"),
    ("registry.list_runs(tags=5)", "tags must be a string or a list of strings"),
    ("registry.list_runs(deleted='yes')", "deleted must be of type bool or None, not str"),
    ("registry.list_runs(strict='yes')", "strict must be True or False"),
    ("registry.list_runs(ascending='desc')", "ascending must be True, False or None"),
    ("registry.list_runs(limit=1.5)", "the number of runs must be an integer"),
    ("registry.list_runs(data='prices.csv')", "A data fingerprint has 64 digits"),
    ("registry.delete_runs()", "to delete all runs pass where='run_id != none'"),
    ("registry.delete_runs(tags=None)", "these conditions hold for every run"),
]

IDS = [
    ("registry['nowhere']", "no run 'nowhere' in "),
    ("registry[0]", "run_id must be a string or a RunRecord, not int"),
    (f"registry['{RUN[:4]}']", "fits 6 runs: "),
    (f"registry.get_run('{RUN[:4]}')", "give more characters"),
    (f"registry.delete_run('{RUN[:4]}')", "give more characters"),
    (f"registry.delete_runs(['{RUN}', '{RUN[:4]}'])", "give more characters"),
    (f"registry.update_run('{RUN[:4]}', notes='x')", "give more characters"),
    (f"'{RUN[:4]}' in registry", "give more characters"),
    ("registry.get_run(None)", "run_id must be a string or a RunRecord, not NoneType"),
    ("registry.get_run(['a', 'b'])", "run_id must be a string or a RunRecord, not list"),
    ("registry.update_run('nowhere', notes='x')", "no run 'nowhere' in "),
    ("registry.load_returns(['nowhere', 'elsewhere'])", "no run 'nowhere', 'elsewhere' in "),
    ("registry.compare_runs(['nowhere'])", "unknown runs are left out: 'nowhere'"),
    ("registry.compare_runs(5)", "run_ids must be a list of run_ids or RunRecords, not of type int"),
    ("registry.compare_runs(registry.to_frame())", "of a DataFrame pass the index"),
    ("registry.export(registry, ['nowhere'])", "no run 'nowhere' in "),
    ("registry.convert('nowhere')", "no run 'nowhere' in "),
    ("registry.selection_bias('nowhere')", "no run 'nowhere' in "),
    (f"registry['{SWEEP}']", f"{SWEEP} is a sweep: list_runs(sweep_id=...) lists its runs"),
    (f"registry.load_portfolio('{SWEEP}')", f"load_sweep('{SWEEP}') loads its portfolio"),
    (f"registry.load_returns('{SWEEP}')", "is a sweep: list_runs(sweep_id=...) lists its runs"),
    (f"registry.load_sweep('{RUN}')", f"load_portfolio('{RUN}') loads its portfolio"),
    ("registry.load_sweep(None)", "sweep_id must be a string, not NoneType"),
    (f"registry.load_portfolio('{RETURNS}')", f"load_returns('{RETURNS}') loads them"),
    (f"registry.load_returns('{RUN}')", "save_portfolio='returns' keeps the latter"),
]

NAMES = [
    ("registry.get_best_runs('Sharp Ratio')", "did you mean sharpe_ratio"),
    ("registry.list_runs(where='Sharpe Ratio > 1')", "write sharpe_ratio"),
    ("registry.list_runs(where='Max Drawdown [%] > 1')", "a title stands in backticks: `Win Rate [%]`"),
    ("registry.list_runs(symbols='BTCC')", "no run was made on a symbol 'BTCC'; did you mean BTC?"),
    ("registry.list_runs(symbols=['BTC', 5])", "symbols[1] must be a string, not int"),
    ("registry.list_runs(symbol='BTC')", "unknown filter 'symbol'; did you mean symbols?"),
    ("""registry.list_runs(where="symbols == 'BTC'")""", "symbols is a list; write 'BTC' in symbols"),
    ("registry.list_runs(where='symbol == 1')", "did you mean symbols?"),
    ("registry.list_runs(commit='ffff')", f"no run has the git commit 'ffff'; there is {COMMIT}"),
    ("registry.list_runs(commit='main')", "commit must be four digits of a git commit at least"),
    ("registry.list_runs(commit='ab')", "commit must be four digits of a git commit at least"),
    (
        """registry.list_runs(where="bars > '100'")""",
        "bars holds numbers, and '100' is a text; write 100 without quotes",
    ),
    ("registry.list_runs(where='freq > 1')", "did you mean frequency"),
    ("registry.get_best_runs('bars')", "bars is no metric; list_runs(sort_by='bars') sorts by it"),
    ("registry.list_runs(sort_by=['strategy_name', 5])", "to sort by, not 5"),
    ("registry.list_runs(sort_by=[])", "or a list of them, to sort by, not []"),
    ("registry.list_runs(sort_by=['bars', '-sharp_ratio'])", "did you mean sharpe_ratio"),
    ("registry.list_runs(sort_by='-sharpe_ratio', ascending=False)", "give ascending or the minus"),
    ("registry.list_runs(sort_by=['bars'], ascending=[True, False])", "ascending has 2 directions for 1 names"),
    ("registry.list_runs(sort_by='sharpe_ratio desc')", "unknown name 'sharpe_ratio desc'; did you mean sharpe_ratio"),
    ("registry.get_best_runs(per='params.fast')", "no run has a parameter 'fast'; did you mean fast_window?"),
    ("registry.get_best_runs(per='symbol')", "unknown name 'symbol'; did you mean symbols?"),
    ("registry.get_best_runs(per=['symbols'])", "to sort by, not ['symbols']"),
    ("registry.list_runs(per='symbols')", "unknown filter 'per'"),
    ("registry.export('runs.csv')", "to_frame().to_csv('runs.csv')"),
    ("registry.export('runs.xlsx')", "to_frame().to_excel('runs.xlsx')"),
    ("registry.export(None)", "expected the path, URL or RunRegistry of another registry"),
    ("registry.merge('nowhere')", "nothing was ever saved there"),
    ("registry.merge('nowhere.db')", "nothing was ever saved there"),
    ("RunRegistry(5)", "store must be a path, a URL or a RunStore, not int"),
    ("RunRegistry('')", "the place of a registry is an empty string"),
    ("RunRegistry('x', path='y')", "store and path are the same; give one of them"),
    ("RunRegistry(registry, allow_pickle=False)", "options are for the store that a path makes"),
    ("RunRegistry('mongodb://host/runs')", "no store for URLs that begin with mongodb://"),
    ("RunRegistry('x', allow_pickle='no')", "allow_pickle must be True or False"),
    ("RunRegistry('x', portfolio_format='parquet')", "parquet"),
]

CALLS = QUESTIONS + IDS + NAMES


def save(registry, portfolio):
    data = {"fingerprint": "ab" * 32, "symbols": ["BTC"], "bars": 100}
    common = dict(tags=["crypto"], data=data, environment={"git": {"commit": COMMIT}})
    for i in range(3):
        parameters = {"fast_window": i, "symbol": "BTC", "entry": pd.Timestamp("2024-01-05"), "windows": (i, 5)}
        registry.store.save_run(make_record(i, parameters=parameters, **common))
    registry.store.save_run(make_record(3, sweep_id=SWEEP, column=0, parameters={"fast_window": 9}, **common))
    registry.store.save_run(make_record(4, parameters={}))
    registry.store.save_run(make_record(5, parameters={}), portfolio, "returns")


@pytest.fixture(scope="module")
def registries(tmp_path_factory, portfolio):
    pytest.importorskip("sqlalchemy", reason="needs the extra sql")
    folder = tmp_path_factory.mktemp("mistakes")
    stores = [MemoryStore(), FileStore(folder / "runs"), open_store(f"sqlite:///{folder}/runs.db")]
    registries = list(map(RunRegistry, stores))
    for registry in registries:
        save(registry, portfolio)
    yield registries
    for registry in registries:
        registry.close()


def told(call, registry):
    """Return the error and the warnings of a call as text."""
    names = dict(registry=registry, RunRegistry=RunRegistry, np=np, pd=pd, datetime=datetime, os=os)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            eval(compile(call, LINE, "eval"), names)
        except Exception as e:
            return [str(e)], []
    return [str(warning.message) for warning in caught], [warning.filename for warning in caught]


@pytest.mark.parametrize(("call", "answer"), CALLS, ids=[call for call, _ in CALLS])
def test_a_mistake_is_answered(registries, call, answer):
    before = [registry.list_runs(deleted=None) for registry in registries]
    for registry in registries:
        texts, places = told(call, registry)
        assert len(texts) == 1 and answer in texts[0], texts
        assert places in ([], [LINE])
    assert [registry.list_runs(deleted=None) for registry in registries] == before


def test_there_are_sixty_at_least():
    assert len({call for call, _ in CALLS}) == len(CALLS) >= 60
