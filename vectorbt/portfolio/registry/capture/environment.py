"""The circumstances of a run: versions, the state of the code, and the settings that its metrics depend on."""

import platform
from functools import lru_cache

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt._settings import settings
from vectorbt.portfolio.registry.capture.git import git_state
from vectorbt.portfolio.registry.capture.labels import duration_text
from vectorbt.portfolio.registry.capture.quiet import quiet

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio

__all__ = ["differences", "environment", "metric_settings"]

_ALWAYS_RECORDED = ("year_freq", "trades_type")
"""Settings that an environment has even if they are vectorbt's defaults."""


def environment(
    portfolio: tp.Optional["Portfolio"] = None,
    git: tp.Optional[tp.Callable[[], tp.Optional[tp.Dict[str, tp.Any]]]] = None,
) -> tp.Dict[str, tp.Any]:
    """Describe what the metrics of a run depend on besides its portfolio.

    Args:
        portfolio (Portfolio): Portfolio that is measured, whose own settings precede vectorbt's global ones.
        git (callable): What `vectorbt.portfolio.registry.capture.git.asked_git` has given, if git is asked already.

    Returns:
        A dict of strings `python`, `vectorbt`, `numpy`, `pandas` (versions) and `platform`, and:

        * `git`: dict of `commit` (None before the first one) and `dirty`, whether tracked files differ from it. None
            if the working folder is in no repository, or git does not answer.
        * `settings`: what `metric_settings` returns."""
    return dict(**_versions(), git=(git or git_state)(), settings=metric_settings(portfolio))


def metric_settings(portfolio: tp.Optional["Portfolio"] = None) -> tp.Dict[str, tp.Any]:
    """Return the settings that `Portfolio.stats` depends on.

    Args:
        portfolio (Portfolio): Portfolio that is measured, whose own settings precede vectorbt's global ones.

    Returns:
        Values by name. `year_freq` and `trades_type` are always there, others if they differ from the defaults that
        vectorbt ships."""
    return {
        name: value
        for name, value in _all_metric_settings(settings, portfolio).items()
        if name in _ALWAYS_RECORDED or name not in _SHIPPED_SETTINGS or value != _SHIPPED_SETTINGS[name]
    }


def differences(
    recorded: tp.Mapping[str, tp.Any], current: tp.Mapping[str, tp.Any]
) -> tp.Dict[str, tp.Tuple[tp.Any, tp.Any]]:
    """Return the settings that metrics depend on and that are not now what they were when a run was saved.

    Args:
        recorded (mapping): What `environment` returned when the run was saved. If it tells no settings, as in a
            record of the older layout, nothing is known to differ.
        current (mapping): What `metric_settings` returns now.

    Returns:
        The recorded and the current value by the name of the setting."""
    if "settings" not in recorded:
        return {}
    then, now = ({**_SHIPPED_SETTINGS, **values} for values in (recorded["settings"], current))
    names = dict.fromkeys([*then, *now])
    return {name: (then.get(name), now.get(name)) for name in names if then.get(name) != now.get(name)}


@lru_cache(maxsize=1)
def _versions() -> tp.Dict[str, str]:
    from vectorbt._version import __version__

    return dict(
        python=platform.python_version(),
        vectorbt=__version__,
        numpy=np.__version__,
        pandas=pd.__version__,
        platform=f"{platform.system()}-{platform.machine()}",
    )


def _all_metric_settings(config: tp.Mapping, portfolio: tp.Optional["Portfolio"] = None) -> tp.Dict[str, tp.Any]:
    """Return all settings in `config` that `Portfolio.stats` depends on, in the order in which vectorbt merges them."""
    stats_settings = config["portfolio"]["stats"]
    values = dict(
        config["returns"]["defaults"],
        year_freq=config["returns"]["year_freq"],
        freq=config["array_wrapper"]["freq"],
        engine=config.get("engine"),
        fillna_close=config["portfolio"]["fillna_close"],
        trades_type=config["portfolio"]["trades_type"],
    )
    if portfolio is not None:
        values.update(fillna_close=portfolio.fillna_close, trades_type=portfolio.trades_type)
        values["engine"] = getattr(portfolio, "engine", None) or values["engine"]
        if portfolio.wrapper.config["freq"] is not None:  # which precedes vectorbt's
            values["freq"] = None
    values.update(config["stats_builder"]["settings"])
    values.update(stats_settings["settings"])
    for metric_settings in (config["stats_builder"]["metric_settings"], stats_settings.get("metric_settings", {})):
        for metric, overrides in metric_settings.items():
            values.update({f"{metric}.{name}": value for name, value in overrides.items()})
    return {name: _setting(name, value) for name, value in values.items()}


def _setting(name: str, value: tp.Any) -> tp.Any:
    """Return the value of a setting, the same for equal settings however they are written."""
    from vectorbt.portfolio.enums import TradesType
    from vectorbt.utils.datetime_ import freq_to_timedelta
    from vectorbt.utils.enum_ import map_enum_fields

    name = name.rpartition(".")[2]
    if value is None or isinstance(value, bool):
        return value
    if name in ("freq", "year_freq"):
        with quiet():
            return duration_text(freq_to_timedelta(value))
    if name == "trades_type":
        return TradesType._fields[map_enum_fields(value, TradesType)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, int, float)):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__)


# Taken when the module is imported: a later `settings.make_checkpoint()` replaces what vectorbt shipped.
_SHIPPED_SETTINGS = _all_metric_settings(settings.reset_dct_)
