"""Valid requests: however they are cut into pieces, the same is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.recorder import Message, Recorder, bytewise, halves, parse, split_at

from riverrun.errors import HTTPError
from riverrun.http.limits import Limits
from riverrun.http.parser import RequestParser

GET = b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n"
COUNTED = b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;name=value\r\n world\r\n0\r\n\r\n"
)
TRAILERS = (
    b"PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n"
    b"5\r\nhello\r\n0\r\nDigest: abc\r\nX-More: 1\r\nX-More: 2\r\n\r\n"
)
EMPTY_LINES_IN_BODY = (
    b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
)
EMPTY_LINES_IN_CHUNKS = (
    b"POST /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\n\r\n\r\n\r\n2\r\n\r\n\r\n7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"
)
REQUEST_IN_BODY = (
    b"POST /g HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n"
    b"GET /not/one HTTP/1.1\r\nHost: b\r\n\r\n.."
)
OLD = b"GET /h HTTP/1.0\r\n\r\n"
OLD_KEPT = b"GET /i HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
OPTIONS = b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
ABSOLUTE = b"GET http://example.com/j HTTP/1.1\r\nHost: example.com\r\n\r\n"
CONNECT = b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
UPGRADE = b"GET /k HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
UPGRADE_COUNTED = (
    b"POST /l HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)
UPGRADE_CHUNKED = (
    b"POST /m HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nDigest: abc\r\n\r\n"
)
LEADING_LINES = b"\r\n\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n"
NO_BODY = b"POST /o HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
EMPTY_CHUNKED = b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"

VALID = {
    "no body": GET,
    "counted": COUNTED,
    "chunked": CHUNKED,
    "trailers": TRAILERS,
    "empty lines in a counted body": EMPTY_LINES_IN_BODY,
    "empty lines in chunks": EMPTY_LINES_IN_CHUNKS,
    "a request in a body": REQUEST_IN_BODY,
    "HTTP/1.0 kept alive": OLD_KEPT,
    "asterisk form": OPTIONS,
    "absolute form": ABSOLUTE,
    "authority form": CONNECT,
    "upgrade": UPGRADE,
    "upgrade with a counted body": UPGRADE_COUNTED,
    "upgrade with a chunked body": UPGRADE_CHUNKED,
    "empty lines before": LEADING_LINES,
    "a length of 0": NO_BODY,
    "no chunk": EMPTY_CHUNKED,
}
STREAM = b"".join(VALID.values())

each_valid = pytest.mark.parametrize("data", VALID.values(), ids=VALID.keys())


def only(data: bytes) -> Message:
    outcome = parse([data])
    assert outcome.refused is None
    (message,) = outcome.messages
    assert message.ended
    return message


# What is told.


def test_a_request_without_a_body() -> None:
    assert only(GET) == Message(
        "GET",
        b"/a?b=c",
        {b"host": b"example.com", b"accept": b"*/*"},
        content_length=0,
        keep_alive=True,
        http_1_0=False,
        ended=True,
    )


def test_a_counted_body_has_its_length() -> None:
    message = only(COUNTED)
    assert (message.content_length, message.body) == (11, b"hello world")
    assert message.trailers == {}


def test_a_chunked_body_has_no_length_and_is_told_without_its_framing() -> None:
    message = only(CHUNKED)
    assert (message.content_length, message.body) == (None, b"hello world")


def test_trailers_are_told_apart_from_fields_and_joined_when_repeated() -> None:
    message = only(TRAILERS)
    assert message.trailers == {b"digest": b"abc", b"x-more": b"1, 2"}
    assert b"digest" not in message.fields


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (EMPTY_LINES_IN_BODY, b"\r\n" * 6),
        (EMPTY_LINES_IN_CHUNKS, b"\r\n\r\n" + b"\r\n" + b"0\r\n\r\n\r\n"),
        (REQUEST_IN_BODY, b"GET /not/one HTTP/1.1\r\nHost: b\r\n\r\n.."),
    ],
)
def test_what_looks_like_framing_within_a_body_is_body(data: bytes, body: bytes) -> None:
    assert only(data).body == body


@pytest.mark.parametrize(
    ("data", "http_1_0", "keep_alive"),
    [
        (GET, False, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", False, False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", False, False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n", False, False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", False, True),
        (OLD, True, False),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", True, False),
        (OLD_KEPT, True, True),
        (b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n", True, False),
    ],
)
def test_version_and_persistence(data: bytes, http_1_0: bool, keep_alive: bool) -> None:
    message = only(data)
    assert (message.http_1_0, message.keep_alive) == (http_1_0, keep_alive)


@pytest.mark.parametrize(
    ("data", "method", "target"),
    [
        (GET, "GET", b"/a?b=c"),
        (ABSOLUTE, "GET", b"http://example.com/j"),
        (CONNECT, "CONNECT", b"example.com:443"),
        (OPTIONS, "OPTIONS", b"*"),
        (b"PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n", "PROPFIND", b"/x"),
    ],
)
def test_the_four_forms_of_target_are_passed_on_as_sent(
    data: bytes, method: str, target: bytes
) -> None:
    message = only(data)
    assert (message.method, message.target) == (method, target)


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        (b"X: a\r\n", b"x", b"a"),
        (b"X:a\r\n", b"x", b"a"),
        (b"X: \t a\r\n", b"x", b"a"),
        (b"X: a \t \r\n", b"x", b"a"),  # RFC 9110, 5.5: whitespace around is not the value's
        (b"X:\r\n", b"x", b""),
        (b"X: \r\n", b"x", b""),
        (b"X: a  b\r\n", b"x", b"a  b"),
        (b"X: caf\xc3\xa9\r\n", b"x", b"caf\xc3\xa9"),
        (b"X: a\r\nx: b\r\nX: c\r\n", b"x", b"a, b, c"),
        (b"Cookie: a=1\r\nCookie: b=2\r\n", b"cookie", b"a=1; b=2"),  # RFC 6265, 5.4
        (b"!#$%&'*+-.^_`|~09aZ: a\r\n", b"!#$%&'*+-.^_`|~09az", b"a"),
    ],
)
def test_field_values(lines: bytes, name: bytes, value: bytes) -> None:
    data = b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"
    assert only(data).fields[name] == value
    assert parse(bytewise(data)) == parse([data])


@pytest.mark.parametrize(
    ("field", "value"),
    [(b"Host", b"example.com"), (b"Content-Length", b"0"), (b"Expect", b"100-continue")],
)
def test_whitespace_behind_a_value_that_the_server_reads_does_no_harm(
    field: bytes, value: bytes
) -> None:
    host = b"" if field == b"Host" else b"Host: a\r\n"
    message = only(b"POST / HTTP/1.1\r\n" + host + field + b": " + value + b" \t\r\n\r\n")
    assert message.fields[field.lower()] == value


def test_an_upgrade_is_declined_and_its_request_served_as_it_is() -> None:
    assert only(UPGRADE).fields[b"upgrade"] == b"websocket"
    assert only(UPGRADE_COUNTED).body == b"hello"
    chunked = only(UPGRADE_CHUNKED)
    assert (chunked.body, chunked.trailers) == (b"hello", {b"digest": b"abc"})
    assert (chunked.method, chunked.target) == ("POST", b"/m")


# However it is fed.


@each_valid
def test_a_request_cut_in_two_anywhere_is_the_same(data: bytes) -> None:
    whole = parse([data])
    assert whole.refused is None
    for pieces in halves(data):
        assert parse(pieces) == whole


@each_valid
def test_a_request_one_byte_at_a_time_is_the_same(data: bytes) -> None:
    assert parse(bytewise(data)) == parse([data])


@each_valid
def test_a_request_is_the_same_with_others_before_and_behind_it(data: bytes) -> None:
    alone = only(data)
    outcome = parse([GET + data + COUNTED + data + CHUNKED])
    assert outcome.refused is None
    assert [message == alone for message in outcome.messages] == [
        alone == only(GET),
        True,
        alone == only(COUNTED),
        True,
        alone == only(CHUNKED),
    ]


@given(st.lists(st.integers(0, len(STREAM)), max_size=40), st.booleans())
def test_a_pipeline_cut_and_paused_anywhere_is_the_same(cuts: list[int], pause: bool) -> None:
    whole = parse([STREAM])
    assert whole.refused is None
    assert len(whole.messages) == len(VALID)
    assert parse(split_at(STREAM, cuts), pause_always=pause) == whole


def test_a_pipeline_one_byte_at_a_time_is_the_same() -> None:
    assert parse(bytewise(STREAM)) == parse([STREAM])
    assert parse(bytewise(STREAM), pause_always=True) == parse([STREAM])


# Pausing and stopping.


def test_a_paused_parser_keeps_what_it_is_fed_and_tells_nothing() -> None:
    recorder = Recorder()
    parser = RequestParser(recorder, Limits())
    parser.pause()
    for piece in bytewise(STREAM):
        parser.feed(piece)
    assert recorder.messages == []
    parser.resume()
    assert recorder.messages == parse([STREAM]).messages


def test_a_receiver_that_pauses_is_told_one_thing_at_a_time() -> None:
    recorder = Recorder(pause_always=True)
    recorder.parser = parser = RequestParser(recorder, Limits())
    parser.feed(GET + COUNTED)
    assert [message.target for message in recorder.messages] == [b"/a?b=c"]
    parser.resume()
    assert [message.body for message in recorder.messages] == [b"", b""]
    parser.resume()
    assert recorder.messages[1].body == b"hello world"


def test_what_was_kept_is_refused_when_the_parser_resumes() -> None:
    recorder = Recorder(pause_always=True)
    recorder.parser = parser = RequestParser(recorder, Limits())
    parser.feed(GET + b"nonsense\r\n\r\n")
    with pytest.raises(HTTPError) as raised:
        parser.resume()
    assert raised.value.status == 400


@pytest.mark.parametrize("rest", [GET, b"nonsense\r\n\r\n", b"\0" * 20_000])
def test_a_stopped_parser_takes_no_notice(rest: bytes) -> None:
    recorder = Recorder()
    parser = RequestParser(recorder, Limits())
    parser.feed(GET)
    parser.stop()
    parser.feed(rest)
    assert len(recorder.messages) == 1


def test_a_parser_that_is_stopped_while_paused_forgets_what_it_kept() -> None:
    recorder = Recorder()
    parser = RequestParser(recorder, Limits())
    parser.pause()
    parser.feed(GET)
    parser.stop()
    parser.resume()
    assert recorder.messages == []


@pytest.mark.parametrize(
    ("data", "within"),
    [(b"", False), (b"G", True), (GET[:-1], True), (GET, False), (COUNTED[:-1], False)],
)
def test_whether_a_head_has_begun_and_not_ended(data: bytes, within: bool) -> None:
    parser = RequestParser(Recorder(), Limits())
    parser.feed(data)
    assert parser.within_head is within


def test_empty_lines_between_requests_do_not_begin_a_head() -> None:
    """RFC 9112, 2.2: some clients send one behind a body; the connection is idle all the same."""
    parser = RequestParser(Recorder(), Limits())
    parser.feed(COUNTED + b"\r\n")
    assert not parser.within_head
