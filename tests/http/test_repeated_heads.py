"""Requests with the fields of the one before: each is what it would be as the first of all."""

from __future__ import annotations

from itertools import product

import pytest
from tests.http.recorder import Message, Outcome, Recorder, parse

from riverrun.http.limits import Limits
from riverrun.http.parser import RequestParser

LINES = [
    b"GET / HTTP/1.1\r\n",
    b"GET /a/b%20c.png?d=e&f=[1] HTTP/1.1\r\n",
    b"HEAD /a HTTP/1.1\r\n",
    b"DELETE /a HTTP/1.1\r\n",
    b"POST /a HTTP/1.1\r\n",
    b"GET /a HTTP/1.0\r\n",
    b"GET /a HTTP/1.2\r\n",
    b"GET /a\r\n",
    b"GET /a HTTP/1.1\n",
    b"GET /a HTTP/1.1 \r\n",
    b"GET  /a HTTP/1.1\r\n",
    b" GET /a HTTP/1.1\r\n",
    b"\r\nGET /a HTTP/1.1\r\n",
    b"get /a HTTP/1.1\r\n",
    b"GOT /a HTTP/1.1\r\n",
    b"GET a HTTP/1.1\r\n",
    b"GET http://b/a HTTP/1.1\r\n",
    b"CONNECT b:1 HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"GET /a#b HTTP/1.1\r\n",
    b"GET /\xc3\xa4 HTTP/1.1\r\n",
    b"GET /a\x00 HTTP/1.1\r\n",
    b"GET /a\tb HTTP/1.1\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n",
    b"",
]

LINES_BEHIND = [
    b"Host: b\r\n\r\n",
    b"Host: b\r\nAccept: image/webp\r\nCookie: c=d\r\nCookie: e=f\r\n\r\n",
    b"host:c \r\n\r\n",
    b"Host: b\r\nHost: b\r\n\r\n",
    b"Host: b c\r\n\r\n",
    b"\r\n",
    b"Host: b\r\nConnection: close\r\n\r\n",
    b"Host: b\r\nConnection: keep-alive\r\n\r\n",
    b"Host: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"Host: b\r\nContent-Length: 0\r\n\r\n",
    b"Host: b\r\nContent-Length: 4\r\n\r\nbody",
    b"Host: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Host: b\r\nExpect: 100-continue\r\n\r\n",
    b"Host: b\r\nA: 1\r\n 2\r\n\r\n",
    b"Host: b\nA: 1\r\n\r\n",
    b"Host: b\r\nA B: 1\r\n\r\n",
    b"Host: b\r\n" + b"A: 1\r\n" * 200 + b"\r\n",
]


def one_by_one(requests: list[bytes]) -> Outcome:
    """What each request is to a parser of its own, up to the last that a connection takes."""
    messages: list[Message] = []
    for request in requests:
        outcome = parse([request])
        messages += outcome.messages
        if outcome.refused is not None:
            return Outcome(messages, outcome.refused)
        if any(not message.keep_alive for message in outcome.messages):
            break
    return Outcome(messages, None)


def check(requests: list[bytes]) -> None:
    expected = one_by_one(requests)
    for pieces in (requests, [b"".join(requests)]):
        whole = parse(pieces)
        told = len(expected.messages)
        assert whole.messages[:told] == expected.messages
        if expected.refused is not None:
            assert whole.refused == expected.refused


@pytest.mark.parametrize("lines", LINES_BEHIND)
def test_what_came_before_does_not_matter(lines: bytes) -> None:
    for before, line in product(LINES, LINES):
        check([LINES[0] + lines, before + lines, line + lines])


@pytest.mark.parametrize("lines", LINES_BEHIND)
def test_fields_are_those_that_came_and_not_those_before(lines: bytes) -> None:
    for others in LINES_BEHIND:
        check([LINES[0] + lines, LINES[1] + others, LINES[2] + lines, LINES[1] + others])


def test_the_end_of_a_head_that_looks_like_a_whole_one() -> None:
    """A field's value may be anything, and a head may come in pieces."""
    request = LINES[0] + LINES_BEHIND[0]
    begun = LINES[1] + b"A: "
    alone, with_field = parse([request]).messages[0], parse([begun + request]).messages[0]
    assert b"a" in with_field.fields
    assert parse([begun, request, request]).messages == [with_field, alone]
    assert parse([request, begun, request, request]).messages == [alone, with_field, alone]
    assert parse([request, b"X", request]) == Outcome([alone], refused=400)
    assert parse([request, b"\r\n", request, request]).messages == [alone] * 3


def test_a_request_that_closes_is_the_last() -> None:
    closing = LINES[0] + b"Host: b\r\nConnection: close\r\n\r\n"
    told = parse([closing]).messages
    assert parse([closing, closing]) == Outcome(told, refused=400)
    usual = LINES[0] + LINES_BEHIND[0]
    assert parse([usual, closing, usual]) == Outcome(parse([usual]).messages + told, refused=400)


def test_each_request_has_fields_of_its_own() -> None:
    recorder = Recorder()
    parser = RequestParser(recorder, Limits())
    for _ in range(3):
        parser.feed(LINES[0] + LINES_BEHIND[0])
        assert recorder.messages[-1].fields == {b"host": b"b"}
        recorder.messages[-1].fields[b"host"] = b"changed"
