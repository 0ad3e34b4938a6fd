from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.ranges import (
    MAX_GAP,
    MAX_RANGES,
    UNSATISFIABLE,
    ByteRange,
    Unsatisfiable,
    content_range,
    multipart_byteranges,
    parse_range,
)

BOUNDARY = "THIS_STRING_SEPARATES"


@pytest.mark.parametrize(
    ("value", "ranges"),
    [
        # The examples of RFC 9110, 14.1.2, for 10000 bytes: first and last byte, inclusive
        (b"bytes=0-499", [(0, 499)]),
        (b"bytes=500-999", [(500, 999)]),
        (b"bytes=-500", [(9500, 9999)]),
        (b"bytes=9500-", [(9500, 9999)]),
        (b"bytes=0-0,-1", [(0, 0), (9999, 9999)]),
        (b"bytes= 0-999, 4500-5499, -1000", [(0, 999), (4500, 5499), (9000, 9999)]),
        (b"bytes=500-600,601-999", [(500, 999)]),
        (b"bytes=500-700,601-999", [(500, 999)]),
        # Clipped to what there is
        (b"bytes=0-", [(0, 9999)]),
        (b"bytes=0-9999", [(0, 9999)]),
        (b"bytes=0-10000", [(0, 9999)]),
        (b"bytes=9999-99999", [(9999, 9999)]),
        (b"bytes=-10000", [(0, 9999)]),
        (b"bytes=-10001", [(0, 9999)]),
        (b"bytes=-9223372036854775807", [(0, 9999)]),
        (b"bytes=0-9223372036854775807", [(0, 9999)]),
        # The unit is case-insensitive (14.1); numerals may start with zeros.
        (b"Bytes=0-1", [(0, 1)]),
        (b"BYTES=0-1", [(0, 1)]),
        (b"bytes=000-001", [(0, 1)]),
        # Lists with room between their elements (5.6.1)
        (b"bytes=0-1 ,\t1000-1001", [(0, 1), (1000, 1001)]),
        (b"bytes=,0-1,,", [(0, 1)]),
        # Some that cannot be satisfied, some that can
        (b"bytes=0-1, 10000-", [(0, 1)]),
        (b"bytes=-0, 0-1", [(0, 1)]),
        # In the order they were asked for, joined ones at the place of the first (15.3.7.2)
        (b"bytes=5000-5001, 0-1", [(5000, 5001), (0, 1)]),
        (b"bytes=5000-5001, 0-1, 5002-5003", [(5000, 5003), (0, 1)]),
        (b"bytes=5000-5001, 0-1, 4000-4999", [(4000, 5001), (0, 1)]),
        (b"bytes=0-1, 1-2, 2-3", [(0, 3)]),
        (b"bytes=0-100, 10-20", [(0, 100)]),
        (b"bytes=0-1, 0-1, 0-1", [(0, 1)]),
        (b"bytes=0-1, 5-6", [(0, 6)]),
        (b"bytes=0-0, 80-80", [(0, 80)]),
        (b"bytes=0-0, 81-81", [(0, 0), (81, 81)]),
    ],
)
def test_ranges_are_read(value: bytes, ranges: list[tuple[int, int]]) -> None:
    parsed = parse_range(value, 10000)
    assert isinstance(parsed, list)
    assert [(asked.offset, asked.end - 1) for asked in parsed] == ranges


@pytest.mark.parametrize(
    "value",
    [
        b"bytes=10000-",
        b"bytes=10000-10000",
        b"bytes=99999-",
        b"bytes=-0",
        b"bytes=-0, 10000-, 20000-30000",
    ],
)
def test_ranges_beyond_the_end_are_unsatisfiable(value: bytes) -> None:
    assert parse_range(value, 10000) is UNSATISFIABLE


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"bytes",
        b"bytes=",
        b"bytes=,",
        b"bytes=-",
        b"bytes=--1",
        b"bytes=a-b",
        b"bytes=0",
        b"bytes=0-1-2",
        b"bytes=1-0",
        b"bytes=10001-10000",
        b"bytes=0x0-0x1",
        b"bytes=+0-1",
        b"bytes=0 - 1",
        b"bytes=0- 1",
        b"bytes=0-1;2-3",
        b"bytes=0-1,a",
        b"bytes=0-1,2",
        b"bytes=20000-, x",
        b"bytes=0-1\n",
        b"bytes =0-1",
        b" bytes=0-1",
        b"bytes:0-1",
        b"bytes=0_0-1",
        "bytes=\u0660-\u0661".encode(),
        b"bytes=0-" + b"9" * 5000,
        # Other units (14.2)
        b"items=0-1",
        b"seconds=1-2",
        b"bytesx=0-1",
    ],
)
def test_what_is_no_range_is_ignored(value: bytes) -> None:
    assert parse_range(value, 10000) is None


@pytest.mark.parametrize(
    "value", [b"bytes=0-", b"bytes=0-0", b"bytes=-1", b"bytes=-0", b"bytes=5-"]
)
def test_of_nothing_the_whole_is_sent(value: bytes) -> None:
    assert parse_range(value, 0) is None


def test_of_one_byte_there_is_one_range() -> None:
    for value in (b"bytes=0-", b"bytes=0-0", b"bytes=-1", b"bytes=-5"):
        assert parse_range(value, 1) == [ByteRange(0, 1)]
    assert parse_range(b"bytes=1-", 1) is UNSATISFIABLE


def test_too_many_ranges_are_ignored() -> None:
    most = [b"%d-%d" % (n * 1000, n * 1000) for n in range(MAX_RANGES)]
    parsed = parse_range(b"bytes=" + b",".join(most), 10**6)
    assert isinstance(parsed, list)
    assert len(parsed) == MAX_RANGES
    assert parse_range(b"bytes=" + b",".join([*most, b"99-99"]), 10**6) is None
    assert parse_range(b"bytes=" + b",".join([*most, b"-0"]), 10**6) is None


def test_ranges_together_longer_than_the_whole_are_ignored() -> None:
    assert parse_range(b"bytes=0-499, 500-999", 1000) == [ByteRange(0, 1000)]
    assert parse_range(b"bytes=0-499, 499-999", 1000) is None
    assert parse_range(b"bytes=0-, 0-", 1000) is None
    assert parse_range(b"bytes=0-99999, 1000-", 1000) == [ByteRange(0, 1000)]


@pytest.mark.parametrize(
    ("asked", "length", "value"),
    [
        # RFC 9110, 14.4
        (ByteRange(42, 1192), 1234, "bytes 42-1233/1234"),
        (ByteRange(42, 1192), None, "bytes 42-1233/*"),
        (None, 1234, "bytes */1234"),
        (ByteRange(0, 500), 1234, "bytes 0-499/1234"),
        (ByteRange(734, 500), 1234, "bytes 734-1233/1234"),
        (ByteRange(0, 1), 1, "bytes 0-0/1"),
    ],
)
def test_a_content_range_is_written(asked: ByteRange | None, length: int, value: str) -> None:
    assert content_range(asked, length) == value


def body_of(ranges: list[ByteRange], content: bytes) -> tuple[bytes, int]:
    multipart = multipart_byteranges(ranges, len(content), "application/pdf", boundary=BOUNDARY)
    parts = [
        head + content[asked.offset : asked.end]
        for head, asked in zip(multipart.heads, ranges, strict=True)
    ]
    return b"".join(parts) + multipart.tail, multipart.length


def test_several_ranges_are_sent_as_parts() -> None:
    # Arranged as the example of RFC 9110, 14.6
    body, length = body_of([ByteRange(500, 500), ByteRange(7000, 1000)], bytes(8000))
    assert body == (
        b"--THIS_STRING_SEPARATES\r\n"
        b"content-type: application/pdf\r\n"
        b"content-range: bytes 500-999/8000\r\n"
        b"\r\n" + bytes(500) + b"\r\n"
        b"--THIS_STRING_SEPARATES\r\n"
        b"content-type: application/pdf\r\n"
        b"content-range: bytes 7000-7999/8000\r\n"
        b"\r\n" + bytes(1000) + b"\r\n"
        b"--THIS_STRING_SEPARATES--\r\n"
    )
    assert length == len(body)


def test_every_multipart_has_its_own_boundary() -> None:
    ranges = [ByteRange(0, 1), ByteRange(5, 1)]
    one, other = (multipart_byteranges(ranges, 10, "text/plain") for _ in range(2))
    assert one.content_type != other.content_type
    assert one.content_type.startswith("multipart/byteranges; boundary=")
    boundary = one.content_type.partition("=")[2].encode()
    assert len(boundary) <= 70  # RFC 2046, 5.1.1
    assert all(boundary in piece for piece in (*one.heads, one.tail))


SPECS = st.builds(
    "{}-{}".format, st.integers(0, 300) | st.just(""), st.integers(0, 300) | st.just("")
)


@given(st.lists(SPECS, min_size=1, max_size=20), st.integers(0, 300))
def test_ranges_are_the_bytes_that_were_asked_for(specs: list[str], length: int) -> None:
    parsed = parse_range(f"bytes={','.join(specs)}".encode(), length)
    if not isinstance(parsed, list):
        return
    wanted: set[int] = set()
    for spec in specs:
        first, _, last = spec.partition("-")
        whole = range(length)
        wanted.update(
            whole[int(first) : int(last) + 1 if last else None]
            if first
            else whole[max(length - int(last), 0) :]
        )
    sent = [position for asked in parsed for position in range(asked.offset, asked.end)]
    assert wanted <= set(sent) <= set(range(length))
    assert len(sent) == len(set(sent))
    assert len(sent) - len(wanted) < MAX_GAP * len(specs)
    body, total = body_of(parsed, bytes(length))
    assert len(body) == total


@given(
    st.binary() | st.text("bytes=0123456789-, ").map(lambda t: b"bytes=" + t.encode()),
    st.integers(0, 2**63),
)
def test_any_value_is_ranges_or_none(value: bytes, length: int) -> None:
    parsed = parse_range(value, length)
    if isinstance(parsed, list):
        assert 0 < len(parsed) <= MAX_RANGES
        assert all(0 <= asked.offset < asked.end <= length for asked in parsed)
    else:
        assert parsed is None or isinstance(parsed, Unsatisfiable)
