"""A pickle that is acknowledged can be opened by another process; one that cannot is refused before it is written."""

import enum
import pickle
import subprocess
import sys
import textwrap
import threading
import types

import dill
import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from tests.support.factories import make_price
from vectorbt.portfolio.registry import RunRegistry, UnportablePortfolioError
from vectorbt.portfolio.registry.portfolios.pickled_names import unimportable_name

SCRIPT = """
    import abc, dataclasses, enum, sys, types, typing
    import numba, pandas as pd, vectorbt as vbt
    from vectorbt.portfolio.registry import RunRegistry, UnportablePortfolioError

    class Side(enum.Enum):
        LONG = 1
    class Level(enum.IntEnum):
        LOW = 1
    class Plain:
        pass
    class Abstract(abc.ABC):
        pass
    class Pair(typing.NamedTuple):
        a: int = 1
    @dataclasses.dataclass(frozen=True)
    class Setting:
        side: typing.Any = 1
    class Sentinel:
        def __reduce__(self):
            return "SENTINEL"
    SENTINEL = Sentinel()
    class Itself:
        pass
    Itself.one = Itself()
    T = typing.TypeVar("T")
    class Generic(typing.Generic[T]):
        pass
    @numba.njit
    def compiled(x):
        return x
    def function(x):
        return Side.LONG
    def local():
        class Local:
            pass
        return Local()
    made = types.ModuleType("made_by_hand")
    exec("class Made: pass", made.__dict__)
    sys.modules["made_by_hand"] = made

    labels = dict(
        enum=Side.LONG, int_enum=Level.LOW, plain=Plain(), abstract=Abstract(), pair=Pair(), setting=Setting(),
        setting_of_enum=Setting(Side.LONG), sentinel=SENTINEL, itself=Itself(), generic=Generic(), compiled=compiled,
        function=function, anonymous=lambda x: x, local=local(), made=made.Made(), text="a", inside=(1, Side.LONG),
    )
    registry = RunRegistry(sys.argv[1])
    prices = pd.Series([1.0, 2.0, 3.0], index=pd.date_range("2020-01-01", periods=3))
    for name, label in labels.items():
        columns = pd.Index([label, 0], dtype=object, tupleize_cols=False)
        pf = vbt.Portfolio.from_holding(pd.concat([prices, prices], axis=1).set_axis(columns, axis=1), freq="1D")
        before = set(registry.store.artifacts.list()) if registry.store.exists() else set()
        with open(f"{sys.argv[1]}-{name}.pkl", "wb") as f:
            f.write(pf.dumps())
        try:
            print(name, registry.save_run(pf, name))
        except UnportablePortfolioError as e:
            assert len(registry.list_runs(name)) == 0
            print(name, "refused", str(e).partition("refer to ")[2].partition(" ")[0])
"""

OPENER = """
    import sys
    import vectorbt as vbt
    for name in sys.argv[2:]:
        try:
            vbt.Portfolio.load(f"{sys.argv[1]}-{name}.pkl")
            print(name, True)
        except Exception:
            print(name, False)
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *arguments]
    return [
        line.split() for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    ]


def test_what_is_refused_is_exactly_what_another_process_cannot_open(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    folder = str(tmp_path / "runs")
    output = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), folder], check=True, capture_output=True, text=True
    ).stdout
    answers = [line.split() for line in output.splitlines()]
    opened = {name: outcome == "True" for name, outcome in run(OPENER, folder, *(answer[0] for answer in answers))}
    assert {name: answer[0] != "refused" for name, *answer in answers} == opened
    refused = {name: answer[1] for name, *answer in answers if answer[0] == "refused"}
    assert refused == {
        "enum": "__main__.Side",
        "int_enum": "__main__.Level",
        "setting_of_enum": "__main__.Side",
        "inside": "__main__.Side",
        "sentinel": "__main__.SENTINEL",
        "itself": "__main__.Itself",
        "generic": "__main__.T",
        "made": "made_by_hand.Made",
    }


@pytest.mark.parametrize("kind", ["portfolio", "sweep"])
def test_portfolios_of_vectorbt_refer_to_nothing_of_this_process(kind, request):
    assert unimportable_name(request.getfixturevalue(kind).dumps()) is None


class Direction(enum.Enum):
    """It can be imported from the module of these tests."""

    LONG = 1
    SHORT = 2


def with_labels(*labels):
    columns = pd.Index(labels, dtype=object, name="side")
    prices = pd.concat([make_price()] * len(labels), axis=1).set_axis(columns, axis=1)
    return vbt.Portfolio.from_holding(prices, freq="1D")


def test_members_of_an_enum_that_can_be_imported_are_kept(tmp_path):
    registry = RunRegistry(tmp_path)
    ids = registry.save_sweep(with_labels(Direction.LONG, Direction.SHORT), "x")
    assert registry.load_portfolio(ids[1]).wrapper.name is Direction.SHORT


def test_what_cannot_be_pickled_at_all_is_refused(tmp_path):
    class Local(enum.Enum):
        A = 1

    registry = RunRegistry(tmp_path / "runs")
    with pytest.raises(UnportablePortfolioError, match=r"cannot be pickled: .*Local"):
        registry.save_run(with_labels(Local.A, 1), "x")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_names_are_found_in_every_protocol(protocol, monkeypatch):
    module = types.ModuleType("made_by_hand")
    module.Made = type("Made", (), {"__module__": "made_by_hand"})
    monkeypatch.setitem(sys.modules, "made_by_hand", module)
    content = [Direction.LONG, np.arange(3), [module.Made, "x", module.Made()], threading.Thread]
    assert unimportable_name(pickle.dumps(content, protocol)) == "made_by_hand.Made"
    nested = dill.dumps({"inside": pickle.dumps(content, protocol)}, protocol)
    assert unimportable_name(nested) == "made_by_hand.Made"
    assert unimportable_name(pickle.dumps([Direction.LONG, np.arange(3)], protocol)) is None


def test_bytes_that_only_look_like_a_pickle_are_let_through():
    assert unimportable_name(pickle.dumps([b"\x80\x04\xff\xff.", b"\x80.", b"."])) is None
