"""What is refused, and with which status: smuggling, the Host field, versions (RFC 9112)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.recorder import bytewise, halves, parse, split_at

from riverrun.http.limits import Limits

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED: dict[str, tuple[int, bytes]] = {
    # RFC 9112, 6.1 and 6.3: how long is the body?
    "length then chunked": (
        400,
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked then length": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (400, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    "the same length twice": (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "a list of lengths": (400, POST + b"Content-Length: 5, 5\r\n\r\nhello"),
    "a signed length": (400, POST + b"Content-Length: +5\r\n\r\nhello"),
    "a negative length": (400, POST + b"Content-Length: -5\r\n\r\nhello"),
    "a hexadecimal length": (400, POST + b"Content-Length: 0x5\r\n\r\nhello"),
    "a length with a space": (400, POST + b"Content-Length: 1 0\r\n\r\nhello"),
    "a length with an underscore": (400, POST + b"Content-Length: 1_0\r\n\r\nhellohello"),
    "an empty length": (400, POST + b"Content-Length:\r\n\r\nhello"),
    "a length beyond 64 bits": (400, POST + b"Content-Length: 18446744073709551617\r\n\r\nh"),
    "a length in other digits": (400, POST + b"Content-Length: \xd9\xa5\r\n\r\nhello"),
    # RFC 9112, 7: transfer codings.
    "a coding that is not known": (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "chunked, and something behind": (
        400,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    "chunked twice": (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked in two fields": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "a coding before chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "identity": (400, POST + b"Transfer-Encoding: identity\r\n\r\n"),
    "identity in another field": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    "chunked in quotes": (400, POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    "chunked behind a vertical tab": (
        400,
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked before a NUL": (400, POST + b"Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"),
    "an empty coding": (400, POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    "chunked in HTTP/1.0": (
        400,
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked and length in HTTP/1.0": (
        400,
        b"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked in HTTP/1.0 that is kept alive": (
        400,
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    # RFC 9112, 7.1: chunks.
    "a chunk size that is no number": (400, CHUNKED + b"g\r\nhello\r\n0\r\n\r\n"),
    "a chunk size of nothing": (400, CHUNKED + b"\r\nhello\r\n0\r\n\r\n"),
    "a signed chunk size": (400, CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size with a prefix": (400, CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size with a space behind": (400, CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": (400, CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    "a chunk longer than its size": (400, CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n"),
    "a chunk that ends in LF": (400, CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    "a chunk size that ends in LF": (400, CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    "a chunk extension that ends in LF": (400, CHUNKED + b"5;a\nhello\r\n0\r\n\r\n"),
    "a chunk size that ends in CR": (400, CHUNKED + b"5\rhello\r\n0\r\n\r\n"),
    "a last chunk that ends in LF": (400, CHUNKED + b"0\n\r\n"),
    "trailers that end in LF": (400, CHUNKED + b"0\r\nA: b\n\r\n"),
    "a length in trailers": (400, CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
    # RFC 9112, 2.2: line ends.
    "a request line that ends in LF": (400, b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
    "a field that ends in LF": (400, b"GET / HTTP/1.1\r\nHost: a\n\r\n"),
    "a head that ends in LF": (400, b"GET / HTTP/1.1\r\nHost: a\r\n\n"),
    "LF only": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "a bare CR in a value": (400, GET + b"X: a\rb\r\n\r\n"),
    "a bare CR behind the request line": (400, b"GET / HTTP/1.1\rHost: a\r\n\r\n"),
    "a bare LF in a value": (400, GET + b"X: a\nTransfer-Encoding: chunked\r\n\r\n"),
    # RFC 9112, 5: fields.
    "a space before the colon": (400, GET + b"X : a\r\n\r\n"),
    "a tab before the colon": (400, GET + b"X\t: a\r\n\r\n"),
    "a space before the colon of a length": (400, POST + b"Content-Length : 5\r\n\r\nhello"),
    "a folded line": (400, GET + b"X: a\r\n b\r\n\r\n"),
    "a line folded with a tab": (400, GET + b"X: a\r\n\tb\r\n\r\n"),
    "a folded coding": (400, POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "a space before the first field": (400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    "a field without a colon": (400, GET + b"X\r\n\r\n"),
    "a field without a name": (400, GET + b": a\r\n\r\n"),
    "a NUL in a value": (400, GET + b"X: a\0b\r\n\r\n"),
    "a control character in a value": (400, GET + b"X: a\x08b\r\n\r\n"),
    "a NUL in a name": (400, GET + b"X\0: a\r\n\r\n"),
    "a name that is no token": (400, GET + b"X(y): a\r\n\r\n"),
    "a name beyond ASCII": (400, GET + b"X\xe9: a\r\n\r\n"),
    # RFC 9112, 3: the request line.
    "no target": (400, b"GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a space": (400, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a tab": (400, b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a NUL": (400, b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target with a control character": (400, b"GET /a\x7fb HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target beyond ASCII": (400, b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target in no form": (400, b"GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a method in lower case": (400, b"get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "no method": (400, b"/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a space before the method": (400, b" GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "nonsense": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # a TLS greeting
    "nothing but NUL": (400, b"\0\0\0\0"),
    # RFC 9112, 2.3: the version.
    "version 0.9": (505, b"GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
    "version 1.2": (505, b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    "version 2.0": (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "version 3.0": (505, b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
    "version 9.9": (505, b"GET / HTTP/9.9\r\nHost: a\r\n\r\n"),
    "no version": (505, b"GET /\r\n\r\n"),  # which is HTTP/0.9
    "a version of two digits": (400, b"GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
    "another protocol": (400, b"GET / ICE/1.0\r\nHost: a\r\n\r\n"),
    "a version in lower case": (400, b"GET / http/1.1\r\nHost: a\r\n\r\n"),
    # RFC 9112, 3.2: the Host field.
    "no Host": (400, b"GET / HTTP/1.1\r\nX: a\r\n\r\n"),
    "no fields": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "Host twice": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "the same Host twice": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    "Host twice in HTTP/1.0": (400, b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    "an empty Host": (400, b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    "a list of hosts": (400, b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    "a Host with a path": (400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "a Host with a user": (400, b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    "a Host with a bad port": (400, b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    "a bad Host in HTTP/1.0": (400, b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
    "no Host for an absolute target": (400, b"GET http://a/ HTTP/1.1\r\nX: y\r\n\r\n"),
    "no Host for an upgrade": (
        400,
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ),
    # RFC 9112, 3.1: a method that is well formed and not known.
    "an unknown method": (501, b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
}
each_refused = pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED.keys())
NOT_KNOWN_UNTIL_WHOLE = (501,)
"""An unknown method is refused with its first wrong letter, when it may still be nonsense."""


@each_refused
def test_it_is_refused(status: int, data: bytes) -> None:
    outcome = parse([data])
    assert outcome.refused == status
    assert [message for message in outcome.messages if message.ended] == []


@each_refused
def test_it_is_refused_one_byte_at_a_time(status: int, data: bytes) -> None:
    outcome = parse(bytewise(data))
    accepted = (status, 400) if status in NOT_KNOWN_UNTIL_WHOLE else (status,)
    assert outcome.refused in accepted
    assert [message for message in outcome.messages if message.ended] == []


@each_refused
def test_it_is_refused_cut_in_two_anywhere(status: int, data: bytes) -> None:
    accepted = (status, 400) if status in NOT_KNOWN_UNTIL_WHOLE else (status,)
    for pieces in halves(data):
        assert parse(pieces).refused in accepted, pieces


@each_refused
def test_it_is_refused_behind_another_request(status: int, data: bytes) -> None:
    before = GET + b"\r\n"
    outcome = parse([before + data])
    assert outcome.refused == status
    assert [message.ended for message in outcome.messages][:1] == [True]


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_any_bytes_are_parsed_or_refused(data: bytes, cuts: list[int]) -> None:
    """Invariant: nothing but `HTTPError` leaves the parser, and the cuts decide nothing."""
    whole, cut = parse([data]), parse(split_at(data, cuts))
    assert (whole.refused is None) == (cut.refused is None)


PIECES = [
    b"GET / HTTP/1.1\r\n",
    b"POST / HTTP/1.1\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n",
    b"Connection: close\r\n",
    b"\r\n",
    b"\n",
    b"5\r\nhello\r\n",
    b"0\r\n",
    b"X: y\r\n",
    b"hello",
    b" ",
]


@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=12),
    cuts=st.lists(st.integers(0, 300), max_size=5),
)
def test_requests_made_of_bits_are_parsed_or_refused_wherever_they_are_cut(
    pieces: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(pieces)
    whole, cut = parse([data]), parse(split_at(data, cuts))
    assert whole.refused == cut.refused
    assert whole.messages == cut.messages or whole.refused


def test_a_length_beyond_the_limit_of_bodies_is_refused_with_its_head() -> None:
    limits = Limits(body_size=1000)
    head = POST + b"Content-Length: %d\r\n\r\n"
    assert parse([head % 1000], limits).refused is None
    assert parse([head % 1001], limits).refused == 413
    assert parse(bytewise(head % 1001), limits).refused == 413
