"""Values of Python, NumPy and pandas as strict JSON, and back.

JSON's own types stand for themselves. Every other value is a dict with one key, its tag, which starts with "$":

| Tag | Type | Example |
|---|---|---|
| `$float` | a float that is not finite | `"nan"`, `"inf"`, `"-inf"` |
| `$int` | an integer of more than 64 bits, hexadecimal | `"0x100000000000000000000"` |
| `$decimal` | `decimal.Decimal` | `"0.10"` |
| `$pandas` | `pd.NaT`, `pd.NA` | `"NaT"`, `"NA"` |
| `$tuple`, `$set`, `$frozenset` | the container | `[1, 2]` |
| `$dict` | a dict with keys that are not str or start with "$": keys and values in turn | `[1, "a", 2, "b"]` |
| `$timestamp` | `pd.Timestamp` | `"2020-01-31"`, `"2020-01-31T14:30Z[Europe/Berlin] us"` |
| `$timedelta` | `pd.Timedelta` | `"60D"`, `"-90m us"` |
| `$datetime` | `datetime.datetime` | `"2020-01-31T15:30:00+01:00[Europe/Berlin]"` |
| `$date`, `$time` | `datetime.date`, `datetime.time` | `"2020-01-31"`, `"15:30:00"` |
| `$pytimedelta` | `datetime.timedelta`, in microseconds | `"86400000000"` |
| `$datetime64`, `$timedelta64` | the NumPy scalar: its integer, then its unit | `"18292D"`, `"2*15m"`, `"NaTns"` |
| `$enum` | a member of an Enum: class, name, value | `["package.module:Side", "LONG", 1]` |
| `$path` | a path of `pathlib`: class, text | `["PosixPath", "data/spx.csv"]` |
| `$ndarray` | an array: dtype, shape, base64 of its bytes in C order | `["<f8", [1], "AAAAAAAA8D8="]` |

What follows the space of a `$timestamp` or a `$timedelta` is its resolution, which is nanoseconds where none is named.
A `$timestamp` with a zone is the instant in UTC; a `$datetime` is the wall time. Other NumPy scalars become Python's,
and an instance of a subclass comes back as its base class. Time zones of pytz come back as those of `zoneinfo` of the
same name.

Decoding never imports a module, never evaluates text, and never fails: what it cannot read, such as a value that a
newer version wrote, is an `UnknownValue`, which is encoded again as it was."""

# Importing a module of types registers them.
from vectorbt.portfolio.registry.encoding import (  # noqa: F401
    arrays,
    containers,
    enums,
    numpy_scalars,
    paths,
    plain,
    times,
)
from vectorbt.portfolio.registry.encoding.core import (
    MAX_DEPTH,
    UnknownValue,
    decode,
    decode_mapping,
    encode,
    encode_mapping,
)
from vectorbt.portfolio.registry.encoding.json_text import dumps, loads, loads_again, loads_lenient

__all__ = [
    "encode",
    "encode_mapping",
    "decode",
    "decode_mapping",
    "dumps",
    "loads",
    "loads_again",
    "loads_lenient",
    "UnknownValue",
    "MAX_DEPTH",
]

__pdoc__ = {k: False for k in __all__}
