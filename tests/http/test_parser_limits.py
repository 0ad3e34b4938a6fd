"""The limits of section 7 of the design that a parser keeps, each met exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from tests.http.recorder import bytewise, halves, parse, split_at

from riverrun.http.limits import KIB, Limits

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
Feeding = Callable[[bytes], Iterable[bytes]]


def whole(data: bytes) -> Iterable[bytes]:
    return [data]


def in_segments(data: bytes) -> Iterable[bytes]:
    """As it comes over a network."""
    return split_at(data, range(0, len(data), 1448))


def in_two(data: bytes) -> Iterable[bytes]:
    return split_at(data, [len(data) - 3])


each_feeding = pytest.mark.parametrize("feeding", [whole, bytewise, in_segments, in_two])


def head_of(size: int) -> bytes:
    """A head of this many bytes, most of them in one field."""
    frame = HEAD + b"X: " + b"\r\n\r\n"
    return HEAD + b"X: " + b"x" * (size - len(frame)) + b"\r\n\r\n"


def many_fields_of(size: int) -> bytes:
    field = b"X: " + b"x" * 200 + b"\r\n"
    count = (size - len(HEAD) - 400) // len(field)
    start = HEAD + field * count
    return start + b"Y: " + b"y" * (size - len(start) - 7) + b"\r\n\r\n"


def target_of(size: int) -> bytes:
    """A head of this many bytes, most of them in the target."""
    frame = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    return b"GET /" + b"x" * (size - len(frame)) + b" HTTP/1.1\r\nHost: a\r\n\r\n"


@each_feeding
@pytest.mark.parametrize("make", [head_of, many_fields_of, target_of])
def test_a_head_of_16_kib_is_accepted(make: Callable[[int], bytes], feeding: Feeding) -> None:
    data = make(16 * KIB)
    assert len(data) == 16 * KIB
    outcome = parse(feeding(data))
    assert outcome.refused is None
    assert len(outcome.messages) == 1


@each_feeding
@pytest.mark.parametrize(
    ("make", "status"), [(head_of, 431), (many_fields_of, 431), (target_of, 414)]
)
@pytest.mark.parametrize("excess", [1, 2, 3, 4, 1000, 100_000])
def test_a_larger_head_is_refused(
    make: Callable[[int], bytes], status: int, excess: int, feeding: Feeding
) -> None:
    data = make(16 * KIB + excess)
    outcome = parse(feeding(data))
    assert outcome.messages == []
    # What does not fit may be no more than the empty line behind the target.
    accepted = (status, 431) if excess <= len(b" HTTP/1.1\r\nHost: a\r\n\r\n") else (status,)
    assert outcome.refused in accepted


def test_a_head_that_never_ends_is_refused_as_soon_as_it_is_too_large() -> None:
    for never in (b"GET /" + b"x" * 16 * KIB, b"\r\n" * 8 * KIB + b"G"):
        outcome = parse([never])
        assert outcome.refused in (414, 431)


@each_feeding
def test_the_size_of_a_head_is_not_counted_from_the_one_before(feeding: Feeding) -> None:
    outcome = parse(feeding(head_of(16 * KIB) * 3))
    assert outcome.refused is None
    assert len(outcome.messages) == 3


@each_feeding
def test_a_body_does_not_count_as_head(feeding: Feeding) -> None:
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
    outcome = parse(feeding(data + head_of(16 * KIB)))
    assert outcome.refused is None
    assert [len(message.body) for message in outcome.messages] == [20_000, 0]


def fields(count: int, *, repeated: bool) -> bytes:
    if repeated:
        return b"x: y\r\n" * count
    return b"".join(b"x-%d: y\r\n" % number for number in range(count))


@each_feeding
@pytest.mark.parametrize("repeated", [True, False])
def test_a_hundred_fields_are_accepted_and_no_more(repeated: bool, feeding: Feeding) -> None:
    for count, refused in ((99, None), (100, 431)):
        head = HEAD + fields(count, repeated=repeated) + b"\r\n"
        assert parse(feeding(head)).refused == refused
        if refused is None:
            assert parse(feeding(head * 2)).refused is None


@each_feeding
@pytest.mark.parametrize("repeated", [True, False])
def test_a_hundred_trailers_are_accepted_and_no_more(repeated: bool, feeding: Feeding) -> None:
    for count, refused in ((100, None), (101, 431)):
        data = CHUNKED + b"5\r\nhello\r\n0\r\n" + fields(count, repeated=repeated) + b"\r\n"
        assert parse(feeding(data)).refused == refused
        if refused is None:
            assert parse(feeding(data * 2)).refused is None


def trailers_of(size: int, count: int) -> bytes:
    """`count` trailer fields of `size` bytes together."""
    each, rest = divmod(size, count)
    lines = [
        b"t-%02d: " % number + b"x" * (each - len("t-00: \r\n")) + b"\r\n"
        for number in range(count)
    ]
    return b"".join(lines)[:-2] + b"x" * rest + b"\r\n"


@each_feeding
@pytest.mark.parametrize("count", [1, 2, 50])
def test_trailers_of_8_kib_are_accepted_and_no_more(count: int, feeding: Feeding) -> None:
    for size, refused in ((8 * KIB, None), (8 * KIB + 1, 431)):
        trailers = trailers_of(size, count)
        assert len(trailers) == size
        data = CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n"
        assert parse(feeding(data)).refused == refused


@pytest.mark.parametrize("excess", [10_000, 100_000])
@each_feeding
@pytest.mark.parametrize("count", [1, 50])
def test_trailers_far_too_large_are_refused_as_trailers(
    count: int, feeding: Feeding, excess: int
) -> None:
    data = CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers_of(8 * KIB + excess, count) + b"\r\n"
    assert parse(feeding(data)).refused == 431


def test_trailers_may_be_cut_from_the_body_anywhere() -> None:
    data = CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers_of(6 * KIB, 1) + b"\r\n"
    for cut in range(len(CHUNKED), len(data), 500):
        assert parse(split_at(data, [cut])).refused is None, cut


@each_feeding
def test_a_chunk_extension_of_4_kib_is_accepted_and_a_larger_one_is_not(
    feeding: Feeding,
) -> None:
    """The parser is told of no extension, so a few bytes more than the limit may pass."""
    for size, refused in ((4 * KIB, None), (4 * KIB + 100, 413), (40 * KIB, 413)):
        data = CHUNKED + b"5;" + b"x" * (size - 1) + b"\r\nhello\r\n0\r\n\r\n"
        assert parse(feeding(data)).refused == refused


@each_feeding
def test_an_extension_of_the_last_chunk_counts_too(feeding: Feeding) -> None:
    for size, refused in ((4 * KIB, None), (4 * KIB + 100, 413), (40 * KIB, 413)):
        data = CHUNKED + b"5\r\nhello\r\n0;" + b"x" * (size - 1) + b"\r\n\r\n"
        assert parse(feeding(data)).refused == refused


@each_feeding
@pytest.mark.parametrize("each", [10, 100, 1000])
def test_all_chunk_extensions_of_a_body_count_together(each: int, feeding: Feeding) -> None:
    chunk = b"5;" + b"x" * (each - 1) + b"\r\nhello\r\n"
    for total, refused in ((4 * KIB - each, None), (12 * KIB, 413)):
        data = CHUNKED + chunk * (total // each) + b"0\r\n\r\n"
        assert parse(feeding(data)).refused == refused


@each_feeding
def test_many_small_chunks_are_no_extensions(feeding: Feeding) -> None:
    data = CHUNKED + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n"
    outcome = parse(feeding(data))
    assert outcome.refused is None
    assert outcome.messages[0].body == b"x" * 5000


def test_limits_are_the_servers_to_set() -> None:
    limits = Limits(head_size=100, field_count=2, trailers_size=20, chunk_extensions_size=10)
    assert parse([head_of(100)], limits).refused is None
    assert parse([head_of(101)], limits).refused == 431
    assert parse([HEAD + b"X: y\r\n\r\n"], limits).refused is None
    assert parse([HEAD + b"X: y\r\nZ: y\r\n\r\n"], limits).refused == 431
    small = CHUNKED + b"0\r\nX: 456789012345678\r\n\r\n"
    for pieces in halves(small):
        assert parse(pieces, limits).refused is None
    assert parse([CHUNKED + b"0\r\nX: 4567890123456789\r\n\r\n"], limits).refused == 431
