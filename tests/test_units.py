import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.units import (
    LARGEST,
    UnitError,
    format_duration,
    format_rate,
    format_size,
    parse_duration,
    parse_rate,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000", 1000),
        ("1000B", 1000),
        ("1 kB", 1000),
        ("1.5MB", 1_500_000),
        ("2GB", 2 * 10**9),
        ("1TB", 10**12),
        ("1KiB", 1024),
        ("64 KiB", 65536),
        ("1.5 MiB", 1_572_864),
        ("1GiB", 2**30),
        ("1TiB", 2**40),
        ("0.3kB", 300),
        ("0.0004 MB", 400),
        ("1.1KiB", 1126),
        (" 12 ", 12),
        (str(LARGEST), LARGEST),
    ],
)
def test_a_size_is_bytes_unless_it_has_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("0s", 0.0),
        ("10ms", 0.01),
        ("10 ms", 0.01),
        ("1.5s", 1.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("0.5ms", 0.0005),
    ],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("0", 0.0),
        ("500 kB/s", 500_000.0),
        ("500kB/s", 500_000.0),
        ("1MiB/s", 1_048_576.0),
        ("8Mbit/s", 1_000_000.0),
        ("1Gbit/s", 125_000_000.0),
        ("56 kbit/s", 7000.0),
        ("1bit/s", 0.125),
        ("100B/s", 100.0),
    ],
)
def test_a_rate_is_bytes_a_second(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_size, "", "'' is not a size; write 1000, 64KiB or 1.5MB"),
        (parse_size, "abc", "'abc' is not a size; write 1000, 64KiB or 1.5MB"),
        (parse_size, "-1", "'-1' is not a size; write 1000, 64KiB or 1.5MB"),
        (parse_size, "٣", "'٣' is not a size; write 1000, 64KiB or 1.5MB"),
        (parse_size, "1KB", "'1KB' has an unknown unit; did you mean kB?"),
        (parse_size, "1mb", "'1mb' has an unknown unit; did you mean MB?"),
        (parse_size, "1e3", ("'1e3' has an unknown unit; "
         "the units are B, kB, MB, GB, TB, KiB, MiB, GiB, TiB")),
        (parse_size, "9999999TiB", "'9999999TiB' is too large"),
        (parse_size, "1" * 30, "'111111111111111111111111111111' has too many digits"),
        (parse_size, "x" * 99, f"'{'x' * 37}...' is not a size; write 1000, 64KiB or 1.5MB"),
        (parse_duration, "10", "'10' has no unit; write 10ms, 1.5s or 2m"),
        (parse_duration, "2M", "'2M' has an unknown unit; did you mean m?"),
        (parse_duration, "5 parsecs", "'5 parsecs' has an unknown unit; the units are ms, s, m, h"),
        (parse_duration, "soon", "'soon' is not a duration; write 10ms, 1.5s or 2m"),
        (parse_rate, "500", "'500' has no unit; write 500kB/s, 1MiB/s or 8Mbit/s"),
        (parse_rate, "500kB", "'500kB' has an unknown unit; did you mean kB/s?"),
        (parse_rate, "8mbit/s", "'8mbit/s' has an unknown unit; did you mean Mbit/s?"),
        (parse_rate, "fast", "'fast' is not a rate; write 500kB/s, 1MiB/s or 8Mbit/s"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_would_be_right(
    parse: Callable[[str], float], text: str, message: str
) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (format_size(1), "1 B"),
        (format_size(0), "0 B"),
        (format_size(1000), "1 kB"),
        (format_size(1500), "1500 B"),
        (format_size(65536), "64 KiB"),
        (format_duration(0.01), "10 ms"),
        (format_duration(1.5), "1500 ms"),
        (format_duration(30.0), "30 s"),
        (format_duration(120.0), "2 m"),
        (format_duration(0.0005), "0.5 ms"),
        (format_rate(500_000.0), "500 kB/s"),
        (format_rate(1_000_000.0), "1 MB/s"),
        (format_rate(125.0), "125 B/s"),
        (format_rate(0.125), "0.125 B/s"),
        (format_rate(1 / 3), "0.333 B/s"),
    ],
)
def test_quantities_are_written_in_their_plainest_unit(written: str, expected: str) -> None:
    assert written == expected


@given(st.integers(0, LARGEST))
def test_a_size_that_was_written_is_read_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 2**50))
def test_a_duration_that_was_written_is_read_back(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(0, 2**50))
def test_a_rate_that_was_written_is_read_back(bits: int) -> None:
    assert parse_rate(format_rate(bits / 8)) == bits / 8


WRITTEN = st.text() | st.from_regex(r"[0-9.]{0,25} ?[A-Za-z/]{0,8}", fullmatch=True)


@pytest.mark.parametrize("parse", [parse_size, parse_duration, parse_rate])
@given(text=WRITTEN)
def test_any_text_is_a_quantity_or_one_short_line(parse: Callable[[str], float], text: str) -> None:
    try:
        amount = parse(text)
    except UnitError as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) < 300
    else:
        assert 0 <= amount < math.inf
