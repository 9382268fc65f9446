"""The reader of encoded values.

Promise: bytes are JSON or a `ValueError`; JSON always decodes; what was decoded is encoded in one way, which reads back
the same; and it can be compared, sorted and shown."""

import datetime as dt
import decimal
import enum
import pathlib

import numpy as np
import pandas as pd

from tests.fuzz.altering import alter_json
from tests.fuzz.reader import Reader
from tests.support.equivalence import VALUES
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.encoding import DECODERS, decode, decode_mapping, dumps, encode, loads
from vectorbt.portfolio.registry.query.comparing import classify, compare, equal, sort_key


class Side(enum.Enum):
    """What a strategy may have as a parameter."""

    LONG = 1


def check(data):
    try:
        encoded = loads(data)
    except ValueError:
        return
    content = dumps(encoded)
    value = decode(encoded)
    assert dumps(encoded) == content, "decoding has changed what it read"
    written = dumps(encode(value))
    again = decode(loads(written))
    assert dumps(encode(again)) == written
    if type(encoded) is dict:
        decode_mapping(encoded)
    check_use(value)


def check_use(value):
    """Compare a value, sort it and show it, as tables and questions do."""
    classify(value), equal(value, value), compare(value, value)
    assert not sort_key(value) < sort_key(value)
    for other in (1, 1.5, "2024-01-01", "1 day", None, (1, "a")):
        equal(value, other), compare(value, other), compare(other, value)
    assert escaped(text_of(value)).isprintable()
    text_of(value, str)


MORE = (
    dt.datetime(2024, 3, 31, 2, 30, tzinfo=dt.UTC),
    pd.Timestamp("2024-01-01 12:00", tz="Europe/Berlin"),
    pd.Timestamp("2024-01-01").as_unit("us"),
    pd.Timedelta(days=1).as_unit("s"),
    dt.time(12, 30),
    dt.timedelta(days=-1, microseconds=1),
    np.datetime64("2024-01", "M"),
    np.timedelta64(30, "Y"),
    np.arange(3.0),
    np.array([("a", 1)], [("name", "U3"), ("count", "<i8", (1,))]),
    np.array(["a", "bc"]),
    np.array("2024-01-01", "M8[ns]"),
    Side.LONG,
    frozenset({1, ("a", 2)}),
    {1: {"$a": (None,)}, ("x",): {2}},
    pathlib.PurePosixPath("/a/b"),
    pathlib.PureWindowsPath("c:\\a"),
    decimal.Decimal("1E+3"),
    pd.NA,
)

TOKENS = (
    *DECODERS,
    *("<f8", "|b1", "<U3", "|V8", "<M8[ns]", "<m8[2D]", ">i2", "names", "formats", "offsets", "itemsize"),
    *("2024-01-01T00:00Z[Europe/Berlin] us", "2024-01-01T00:00:00+01:00[Europe/Berlin]", "60D", "NaTns", "2*15m"),
    *("9223372036854775807ns", "-9223372036854775808", "0x8000000000000000", "sNaN", "1E+999999999", "+23:59"),
    *("re:RegexFlag", "tests.fuzz.encoding:Side", "enum:Enum", "os:environ", "signal:Signals", "PosixPath", "UTC"),
    *("AAAAAAAA8D8=", "LONG", "generic", "NaT", "9999-12-31", "0001-01-01", "23:59:59.999999"),
)


def seeds():
    return [dumps(encode(value)) for value in (*VALUES, *MORE, list(VALUES), {"a": list(MORE)})]


READER = Reader(check, seeds, TOKENS, lambda data, chance: alter_json(data, chance, TOKENS))
