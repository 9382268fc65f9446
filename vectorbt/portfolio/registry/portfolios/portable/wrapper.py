"""The wrapper of a portfolio as JSON: all but the labels of its index, which are stored with the prices."""

import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.portfolios.index import decode_index, encode_index
from vectorbt.portfolio.registry.portfolios.portable.entries import decode_entry, encode_entry
from vectorbt.portfolio.registry.portfolios.portable.prices import own_description

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper

_ENTRIES = (
    *("ndim", "freq", "column_only_select", "group_select", "grouped_ndim", "group_by"),
    *("allow_enable", "allow_disable", "allow_modify"),
)


def encode_wrapper(wrapper: tp.Any) -> tp.Dict[str, tp.Any]:
    """Encode a wrapper.

    Raises:
        TypeError: If it is none of vectorbt's own, or something in it has no faithful encoding. The message names
            it."""
    from vectorbt.base.array_wrapper import ArrayWrapper

    if type(wrapper) is not ArrayWrapper:
        raise TypeError(f"the wrapper is of type {type(wrapper).__name__}; expected an ArrayWrapper")
    unknown = sorted(set(wrapper.config) - {"index", "columns", *_ENTRIES})
    if unknown:
        raise TypeError(f"the wrapper has an entry {unknown[0]!r}, which is not known")
    return dict(
        index=own_description(wrapper.index),
        columns=encode_index(wrapper.columns),
        entries={
            name: encode_entry(wrapper.config[name], f"wrapper.{name}") for name in wrapper.config if name in _ENTRIES
        },
    )


def decode_wrapper(encoded: tp.Dict[str, tp.Any], index: pd.Index) -> "ArrayWrapper":
    """Decode what `encode_wrapper` returned.

    Args:
        encoded (dict): Encoded wrapper.
        index (pd.Index): Index, made of `index` in `encoded`.

    Raises:
        ValueError: If it is malformed."""
    from vectorbt.base.array_wrapper import ArrayWrapper

    entries = {name: decode_entry(entry) for name, entry in encoded["entries"].items()}
    columns = decode_index(encoded["columns"])
    if not set(entries) <= set(_ENTRIES):
        raise ValueError("a wrapper with other entries")
    if type(entries["ndim"]) is not int or entries["ndim"] not in (1, 2) or len(columns) == 0:
        raise ValueError("a wrapper of another shape")
    if entries["ndim"] == 1 and len(columns) != 1:
        raise ValueError("a Series of several columns")
    wrapper = ArrayWrapper(index, columns, **entries)
    if wrapper.grouper.is_grouped():
        wrapper.grouper.get_group_lens()  # raises if the groups are not those of the columns
    return wrapper
