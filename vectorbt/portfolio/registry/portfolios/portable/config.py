"""A value of a portfolio's configuration as JSON, and back.

Values that `vectorbt.portfolio.registry.encoding` knows are in its form. Further ones have a tag of the same kind:

| tag | type |
|---|---|
| `$scalar` | a scalar of NumPy, as an array without dimensions |
| `$repeated` | an array of one dimension that repeats one number: how often, and the number as a `$scalar` |
| `$index` | `pd.Index`, in the form of `vectorbt.portfolio.registry.portfolios.index` |
| `$offset` | a frequency of pandas, by its name |
| `$labeled` | `pd.Series` or `pd.DataFrame`: its `values`, and how they are wrapped |

How an array is *wrapped* is its `kind` (`array`, `series` or `frame`) with number of dimensions, `index`, `name` and
`columns`. An index that is the same as that of the portfolio's wrapper is null."""

import numpy as np
import pandas as pd

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding import UnknownValue, decode, encode
from vectorbt.portfolio.registry.portfolios.index import decode_index, describe_index, encode_index

if tp.TYPE_CHECKING:
    from vectorbt.base.array_wrapper import ArrayWrapper

__all__ = ["decode_value", "decode_wrapper", "describe_array", "encode_value", "encode_wrapper", "wrap_array"]

_MAX_REPEATED = 2**22
"""How often a number may be repeated: a few bytes can claim any length."""

_WRAPPER_ENTRIES = (
    *("ndim", "freq", "column_only_select", "group_select", "grouped_ndim", "group_by"),
    *("allow_enable", "allow_disable", "allow_modify"),
)


def encode_value(value: tp.Any, name: str) -> tp.Any:
    """Encode a value, so that `decode_value` returns one of the same type.

    Raises:
        TypeError: If it has no faithful encoding. The message names it."""
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        return {"$scalar": encode(np.asarray(value), name)}
    if _is_repeated(value):
        return {"$repeated": [len(value), encode_value(value[0], name)]}
    if type(value) in (pd.Series, pd.DataFrame):
        return {"$labeled": dict(describe_array(value, name), values=encode(value.to_numpy(), name))}
    if isinstance(value, pd.Index):
        return {"$index": encode_index(value)}
    if isinstance(value, pd.tseries.offsets.BaseOffset):
        if pd.tseries.frequencies.to_offset(value.freqstr) != value:
            raise TypeError(f"{name} is {value!r}, which its name does not tell")
        return {"$offset": value.freqstr}
    return encode(value, name)


def decode_value(encoded: tp.Any) -> tp.Any:
    """Decode what `encode_value` returned.

    Raises:
        ValueError: If it is malformed."""
    tag = next(iter(encoded)) if type(encoded) is dict and len(encoded) == 1 else None
    if tag == "$scalar":
        return _decode_array(encoded[tag], ndim=0)[()]
    if tag == "$repeated":
        return _decode_repeated(encoded[tag])
    if tag == "$labeled":
        described = encoded[tag]
        return wrap_array(described, _decode_array(described["values"], ndim=2 if described["kind"] == "frame" else 1))
    if tag == "$index":
        return decode_index(encoded[tag])
    if tag == "$offset":
        if not isinstance(encoded[tag], str):
            raise ValueError("a frequency without a name")
        return pd.tseries.frequencies.to_offset(encoded[tag])
    value = decode(encoded)
    if isinstance(value, UnknownValue):
        raise ValueError("a value that cannot be read")
    return value


def _is_repeated(value: tp.Any) -> bool:
    """Return whether a value is an array of the same number, bit by bit, such as the initial cash of a sweep."""
    if type(value) is not np.ndarray or value.ndim != 1 or value.dtype.str not in ("<f8", "<i8"):
        return False
    bits = value.view(np.int64)
    return 1 < len(value) <= _MAX_REPEATED and bool((bits == bits[0]).all())


def _decode_repeated(encoded: tp.Any) -> tp.Array1d:
    count, number = encoded
    number = decode_value(number)
    if type(count) is not int or not 0 <= count <= _MAX_REPEATED or not isinstance(number, np.number):
        raise ValueError("a number that is repeated too often, or none")
    return np.full(count, number)


def _decode_array(encoded: tp.Any, ndim: int) -> tp.Array:
    value = decode(encoded)
    if not isinstance(value, np.ndarray) or value.ndim != ndim:
        raise ValueError(f"a value that is no array of {ndim} dimensions")
    return value


# ############# Arrays ############# #


def describe_array(value: tp.Any, name: str, wrapper: tp.Optional["ArrayWrapper"] = None) -> tp.Dict[str, tp.Any]:
    """Return how an array is wrapped, apart from its values.

    Args:
        value (np.ndarray, pd.Series, or pd.DataFrame): Array.
        name (str): What to call it in errors.
        wrapper (ArrayWrapper): Wrapper whose index and columns are not described again.

    Raises:
        TypeError: If it is of another type, or its values have types that are not of NumPy, or several."""
    if type(value) not in (np.ndarray, pd.Series, pd.DataFrame):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected an array, a Series or a DataFrame")
    dtypes = set(value.dtypes) if isinstance(value, pd.DataFrame) else {value.dtype}
    if len(dtypes) != 1 or not all(isinstance(dtype, np.dtype) for dtype in dtypes):
        raise TypeError(f"{name} has the types {', '.join(map(str, dtypes))}; expected one type of NumPy")
    if isinstance(value, np.ndarray):
        return dict(kind="array", ndim=value.ndim)
    index = _encode_unless_same(value.index, None if wrapper is None else wrapper.index)
    if isinstance(value, pd.Series):
        return dict(kind="series", index=index, name=encode(value.name, f"the name of {name}"))
    columns = _encode_unless_same(value.columns, None if wrapper is None else wrapper.columns)
    return dict(kind="frame", index=index, columns=columns)


def wrap_array(
    described: tp.Dict[str, tp.Any], values: tp.Array, wrapper: tp.Optional["ArrayWrapper"] = None
) -> tp.ArrayLike:
    """Return the array that `describe_array` was given.

    Args:
        described (dict): What `describe_array` returned.
        values (np.ndarray): Its values. Those of one dimension may be the only column of an array of two.
        wrapper (ArrayWrapper): Wrapper that `describe_array` was given.

    Raises:
        ValueError: If the description is malformed, or does not belong to the values."""
    kind = described["kind"]
    ndim = dict(array=described.get("ndim"), series=1, frame=2).get(kind)
    if ndim == 1 and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != ndim:
        raise ValueError("an array of another shape")
    if kind == "array":
        return values
    index = _decode_unless_same(described["index"], None if wrapper is None else wrapper.index)
    if kind == "series":
        return pd.Series(values, index=index, name=decode_value(described["name"]), copy=False)
    columns = _decode_unless_same(described["columns"], None if wrapper is None else wrapper.columns)
    return pd.DataFrame(values, index=index, columns=columns, copy=False)


def _encode_unless_same(index: pd.Index, other: tp.Optional[pd.Index]) -> tp.Optional[tp.Dict[str, tp.Any]]:
    """Return an index as JSON, or None if it is the same as another one in everything that is written of it."""
    if other is None or type(index) is not type(other) or len(index) != len(other):
        return encode_index(index)
    if index is other:
        return None
    (description, ticks), (other_description, other_ticks) = describe_index(index), describe_index(other)
    if description != other_description or index.dtype != other.dtype:
        return encode_index(index)
    # The same description has ticks on both sides, or on none.
    is_same = ticks is None or other_ticks is None or np.array_equal(ticks, other_ticks)
    return None if is_same else encode_index(index)


def _decode_unless_same(encoded: tp.Any, other: tp.Optional[pd.Index]) -> pd.Index:
    return other if encoded is None and other is not None else decode_index(encoded)


# ############# The wrapper ############# #


def encode_wrapper(wrapper: "ArrayWrapper") -> tp.Dict[str, tp.Any]:
    """Encode a wrapper, apart from its index.

    Raises:
        TypeError: If it is none of vectorbt's own, or something in it has no faithful encoding. The message names
            it."""
    from vectorbt.base.array_wrapper import ArrayWrapper

    if type(wrapper) is not ArrayWrapper:
        raise TypeError(f"the wrapper is of type {type(wrapper).__name__}; expected an ArrayWrapper")
    unknown = sorted(set(wrapper.config) - {"index", "columns", *_WRAPPER_ENTRIES})
    if unknown:
        raise TypeError(f"the wrapper has an entry {unknown[0]!r}, which is not known")
    names = [name for name in wrapper.config if name in _WRAPPER_ENTRIES]
    return dict(
        columns=encode_index(wrapper.columns),
        entries={name: encode_value(wrapper.config[name], f"wrapper.{name}") for name in names},
    )


def decode_wrapper(encoded: tp.Dict[str, tp.Any], index: pd.Index) -> "ArrayWrapper":
    """Decode what `encode_wrapper` returned.

    Args:
        encoded (dict): Encoded wrapper.
        index (pd.Index): Index.

    Raises:
        ValueError: If it is malformed."""
    from vectorbt.base.array_wrapper import ArrayWrapper

    entries = {name: decode_value(entry) for name, entry in encoded["entries"].items()}
    columns = decode_index(encoded["columns"])
    if not set(entries) <= set(_WRAPPER_ENTRIES):
        raise ValueError("a wrapper with other entries")
    if type(entries["ndim"]) is not int or entries["ndim"] not in (1, 2) or len(columns) == 0:
        raise ValueError("a wrapper of another shape")
    if entries["ndim"] == 1 and len(columns) != 1:
        raise ValueError("a Series of several columns")
    wrapper = ArrayWrapper(index, columns, **entries)
    if wrapper.grouper.is_grouped():
        wrapper.grouper.get_group_lens()  # raises if the groups are not those of the columns
    return wrapper
