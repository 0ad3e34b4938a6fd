from __future__ import annotations

from calendar import timegm
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.dates import EARLIEST, LATEST, format_date, parse_date

EXAMPLE = 784111777  # the one of RFC 9110, 5.6.7: 1994-11-06 08:49:37
NOW = timegm((2026, 7, 1, 0, 0, 0))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (951782400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (2**31, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (LATEST, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (LATEST + 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (2**63, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (EARLIEST, "Mon, 01 Jan 0001 00:00:00 GMT"),
        (-(2**63), "Mon, 01 Jan 0001 00:00:00 GMT"),
    ],
)
def test_a_time_is_written_as_an_imf_fixdate(seconds: int, text: str) -> None:
    assert format_date(seconds) == text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        # The three forms of RFC 9110, 5.6.7
        (b"Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE),
        (b"Sun Nov  6 08:49:37 1994", EXAMPLE),
        (b"Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86400),
        (b"Wednesday, 16-Nov-94 08:49:37 GMT", EXAMPLE + 10 * 86400),
        # The day's name is not held against the rest.
        (b"Mon, 06 Nov 1994 08:49:37 GMT", EXAMPLE),
        # A leap second
        (b"Sat, 31 Dec 2016 23:59:60 GMT", timegm((2017, 1, 1, 0, 0, 0))),
        (b"Tue, 29 Feb 2000 00:00:00 GMT", 951782400),
        # No dates
        (b"", None),
        (b"0", None),
        (b"784111777", None),
        (b"Tue, 30 Feb 2000 00:00:00 GMT", None),
        (b"Thu, 29 Feb 2001 00:00:00 GMT", None),
        (b"Sun, 00 Nov 1994 08:49:37 GMT", None),
        (b"Sun, 06 Nov 0000 08:49:37 GMT", None),
        (b"Sun, 06 Nov 1994 24:00:00 GMT", None),
        (b"Sun, 06 Nov 1994 08:60:00 GMT", None),
        (b"Sun, 06 Nov 1994 08:49:61 GMT", None),
        # The grammar is exact, and case-sensitive.
        (b"sun, 06 nov 1994 08:49:37 gmt", None),
        (b"Sun, 6 Nov 1994 08:49:37 GMT", None),
        (b"Sun,  06 Nov 1994 08:49:37 GMT", None),
        (b"Sun, 06 Nov 1994 08:49:37 UTC", None),
        (b"Sun, 06 Nov 1994 08:49:37 +0000", None),
        (b"Sun, 06 Nov 1994 08:49:37", None),
        (b"Sun, 06 Nov 1994 08:49:37 GMT ", None),
        (b"Sun, 06 Nov 1994 08:49:37 GMT\n", None),
        (b"Sun, 06 Nov 94 08:49:37 GMT", None),
        (b"Sun, 06-Nov-94 08:49:37 GMT", None),
        (b"Sunday, 06-Nov-1994 08:49:37 GMT", None),
        (b"Sun Nov 6 08:49:37 1994", None),
        (b"Sun Nov  6 08:49:37 1994 GMT", None),
        ("Sun, 0\u0666 Nov 1994 08:49:37 GMT".encode(), None),
    ],
)
def test_a_date_is_read_in_three_forms(value: bytes, seconds: int | None) -> None:
    assert parse_date(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("now", "year", "meant"),
    [
        (2026, 94, 1994),
        (2026, 26, 2026),
        (2026, 75, 2075),
        (2026, 77, 1977),
        (2026, 0, 2000),
        (1999, 0, 1900),
        (1999, 99, 1999),
        (2060, 0, 2000),
    ],
)
def test_a_year_of_two_digits_is_at_most_50_years_ahead(now: int, year: int, meant: int) -> None:
    value = f"Monday, 01-Jan-{year:02} 00:00:00 GMT".encode()
    assert parse_date(value, now=timegm((now, 7, 1, 0, 0, 0))) == timegm((meant, 1, 1, 0, 0, 0))


def test_the_present_is_asked_for_when_it_is_not_given() -> None:
    assert parse_date(b"Sunday, 06-Nov-94 08:49:37 GMT") == EXAMPLE


@given(st.integers(EARLIEST, LATEST))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_date(format_date(seconds).encode()) == seconds


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_the_standard_library_reads_what_is_written(moment: datetime) -> None:
    seconds = timegm(moment.timetuple())
    assert parsedate_to_datetime(format_date(seconds)).timestamp() == seconds


@given(st.binary(max_size=64) | st.text("SunMonFebGMT, :-0123456789", max_size=40).map(str.encode))
def test_anything_else_is_no_date(value: bytes) -> None:
    seconds = parse_date(value, now=NOW)
    assert seconds is None or EARLIEST <= seconds <= LATEST + 1


@given(st.integers(0, 99), st.integers(1, 31), st.integers(EARLIEST, LATEST))
def test_any_present_will_do(year: int, day: int, now: int) -> None:
    parse_date(f"Friday, {day:02}-Feb-{year:02} 00:00:00 GMT".encode(), now=now)
