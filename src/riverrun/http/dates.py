"""HTTP dates (RFC 9110, 5.6.7), to and from whole seconds since 1970.

One form is written, three are read. The name of the day is not held against the rest of a date:
it says nothing that the rest does not.
"""

from __future__ import annotations

import re
import time
from datetime import date
from functools import lru_cache

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EPOCH = date(1970, 1, 1).toordinal()
SECONDS_PER_DAY = 86_400
FIFTY_YEARS = 50 * 365 * SECONDS_PER_DAY + 12 * SECONDS_PER_DAY
EARLIEST = (date.min.toordinal() - EPOCH) * SECONDS_PER_DAY
LATEST = (date.max.toordinal() + 1 - EPOCH) * SECONDS_PER_DAY - 1

_DAY = "(?:" + "|".join(DAYS) + ")"
_LONG_DAY = "(?:" + "|".join(LONG_DAYS) + ")"
_MONTH = "(?P<month>" + "|".join(MONTHS) + ")"
_TIME = "(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
IMF_FIXDATE = f"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT".encode()
RFC_850 = f"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT".encode()
ASCTIME = f"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})".encode()
LONGEST = len("Wednesday, 09-Nov-94 08:49:37 GMT")


@lru_cache(maxsize=4096)
def format_date(seconds: int) -> str:
    """A time as an IMF-fixdate; one outside the years 1 to 9999 as the nearest inside them."""
    days, second = divmod(min(max(seconds, EARLIEST), LATEST), SECONDS_PER_DAY)
    day = date.fromordinal(EPOCH + days)
    return (
        f"{DAYS[day.weekday()]}, {day.day:02} {MONTHS[day.month - 1]} {day.year:04} "
        f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} GMT"
    )


def parse_date(value: bytes, *, now: int | None = None) -> int | None:
    """The time that a date field names, or None if it is not valid.

    `now`, the current time unless given, decides the century of a year of two digits.
    """
    if len(value) > LONGEST:
        return None
    seconds = _parse_with_century(value)
    if seconds is None and (match := re.fullmatch(RFC_850, value)):
        return _in_nearest_century(match, int(time.time()) if now is None else now)
    return seconds


@lru_cache(maxsize=4096)
def _parse_with_century(value: bytes) -> int | None:
    match = re.fullmatch(IMF_FIXDATE, value) or re.fullmatch(ASCTIME, value)
    return _seconds(match, int(match["year"])) if match else None


def _in_nearest_century(match: re.Match[bytes], now: int) -> int | None:
    """More than 50 years ahead means the last such year of the past (RFC 9110, 5.6.7)."""
    century = date.fromordinal(EPOCH + now // SECONDS_PER_DAY).year // 100 * 100
    year = century + int(match["year"])
    seconds = _seconds(match, year)
    if seconds is None or seconds > now + FIFTY_YEARS:
        return _seconds(match, year - 100)
    return seconds


def _seconds(match: re.Match[bytes], year: int) -> int | None:
    month = MONTHS.index(match["month"].decode()) + 1
    try:
        days = date(year, month, int(match["day"])).toordinal() - EPOCH
    except ValueError:  # such as 30 February
        return None
    clock = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
    return days * SECONDS_PER_DAY + clock
