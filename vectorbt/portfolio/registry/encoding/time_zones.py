"""Time zones by their names in the time zone database, and offsets."""

import datetime
import re
from zoneinfo import ZoneInfo

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.encoding.core import PathT, display, match_text, type_name

_OFFSET = re.compile(r"[+-]\d\d:\d\d(?::\d\d(?:\.\d{6})?)?", re.ASCII)
_ZONE_NAME = re.compile(r"[A-Za-z][\w+/-]*", re.ASCII)


def zone_name(tz: datetime.tzinfo, path: PathT) -> tp.Optional[str]:
    """Name of a zone in the time zone database, or None for a fixed offset."""
    # pytz is not imported: pandas 3 does without it.
    is_pytz = type(tz).__module__.partition(".")[0] == "pytz"
    if isinstance(tz, datetime.timezone) or (is_pytz and tz.zone is None):
        return None
    if not is_pytz and not isinstance(tz, ZoneInfo):
        raise TypeError(
            f"{display(path)} has a time zone of type {type_name(tz)}, which cannot be stored; convert it to a "
            "zoneinfo.ZoneInfo or a datetime.timezone"
        )
    name = tz.zone if is_pytz else tz.key
    try:
        parse_zone(name)
    except (TypeError, ValueError, LookupError, OSError):
        raise TypeError(
            f"{display(path)} has the time zone {tz!r}, which zoneinfo does not find by its name; convert it to one "
            "of the time zone database, or install tzdata"
        ) from None
    return name


def offset_text(offset: datetime.timedelta) -> str:
    """An offset from UTC such as "+01:00", or "" for UTC itself."""
    return str(datetime.timezone(offset)).removeprefix("UTC")


def parse_zone(text: str) -> datetime.tzinfo:
    """Time zone of a name or an offset. `zoneinfo` is never asked for what does not look like a name."""
    if _OFFSET.fullmatch(text):
        return datetime.datetime.fromisoformat(f"2000-01-01T00:00{text}").tzinfo
    return ZoneInfo(match_text(_ZONE_NAME, text).group())
