"""The framing of responses, and what never reaches the wire (RFC 9112, 6 and 7)."""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.wires import RecordingWire, respond

from riverrun.errors import BusyError, ClosedError, DisconnectedError, HTTPError, LengthError
from riverrun.flows import FlowState, Shape
from riverrun.http.response_state import ResponseState
from riverrun.streams.contracts import Chunk, FileRegion

LENGTH = b"content-length"
CODING = b"transfer-encoding"
CONNECTION = b"connection"


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


# Framing: counted when the length is known, chunked when it is not, until the close for HTTP/1.0.


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("body", [b"", b"hello"])
@pytest.mark.parametrize("http_1_0", [False, True])
async def test_a_body_given_whole_is_counted(method: str, body: bytes, http_1_0: bool) -> None:
    response, wire = respond(method, http_1_0=http_1_0)
    await response.end(body)
    answer = wire.answer
    assert answer.status_line == b"HTTP/1.1 200 OK"
    assert (answer[LENGTH], answer[CODING], answer.body) == (b"%d" % len(body), None, body)
    assert (wire.closes, wire.sends) == (False, 1)


async def test_a_body_given_in_pieces_is_chunked() -> None:
    response, wire = respond()
    await response.write(b"hello")
    await response.write(b"x" * 300)
    await response.end(b"!")
    answer = wire.answer
    assert (answer[LENGTH], answer[CODING]) == (None, b"chunked")
    assert answer.body == b"5\r\nhello\r\n12c\r\n" + b"x" * 300 + b"\r\n1\r\n!\r\n0\r\n\r\n"
    assert not wire.closes


async def test_for_http_1_0_a_body_given_in_pieces_ends_with_the_connection() -> None:
    response, wire = respond(http_1_0=True)
    await response.write(b"hello")
    await response.end(b" world")
    answer = wire.answer
    assert (answer[LENGTH], answer[CODING], answer[CONNECTION]) == (None, None, b"close")
    assert answer.body == b"hello world"
    assert wire.closes


@pytest.mark.parametrize("http_1_0", [False, True])
async def test_a_declared_length_is_sent_and_kept_to(http_1_0: bool) -> None:
    response, wire = respond(http_1_0=http_1_0)
    response.headers["Content-Length"] = "11"
    await response.write(b"hello")
    await response.write(b" ")
    await response.end(b"world")
    answer = wire.answer
    assert (answer[LENGTH], answer[CODING], answer.body) == (b"11", None, b"hello world")
    assert not wire.closes


async def test_prepared_fields_declare_the_length() -> None:
    response, wire = respond()
    response.prepare(b"content-type: text/plain\r\ncontent-length: 5\r\n", 5)
    await response.write(b"he")
    await response.end(b"llo")
    answer = wire.answer
    assert (answer[LENGTH], answer[b"content-type"], answer.body) == (b"5", b"text/plain", b"hello")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("body", [b"", b"hello"])
@pytest.mark.parametrize("in_pieces", [False, True])
async def test_a_status_without_a_body_has_none(status: int, body: bytes, in_pieces: bool) -> None:
    response, wire = respond()
    response.status = status
    if in_pieces:
        await response.write(body)
        await response.end()
    else:
        await response.end(body)
    answer = wire.answer
    assert (answer[LENGTH], answer[CODING], answer.body) == (None, None, b"")
    assert not wire.closes


async def test_304_may_say_the_length_that_200_would_have() -> None:
    response, wire = respond()
    response.status = 304
    response.headers["content-length"] = "1000"
    await response.end()
    assert (wire.answer[LENGTH], wire.answer.body, wire.closes) == (b"1000", b"", False)


async def test_204_never_has_a_length() -> None:
    """RFC 9110, 8.6: a server must not send one."""
    response, wire = respond()
    response.status = 204
    response.headers["content-length"] = "0"
    await response.end()
    assert wire.answer[LENGTH] is None


async def test_head_is_answered_as_get_but_for_the_body() -> None:
    response, wire = respond("HEAD")
    await response.end(b"hello")
    assert (wire.answer[LENGTH], wire.answer.body, wire.closes) == (b"5", b"", False)


async def test_head_may_declare_a_length_and_write_nothing() -> None:
    response, wire = respond("HEAD")
    response.headers["content-length"] = "1000"
    await response.end()
    assert (wire.answer[LENGTH], wire.answer.body, wire.closes) == (b"1000", b"", False)


async def test_head_with_nothing_written_says_no_length() -> None:
    response, wire = respond("HEAD")
    await response.end()
    assert (wire.answer[LENGTH], wire.answer.body, wire.closes) == (None, b"", False)


async def test_head_of_a_body_in_pieces_says_no_length() -> None:
    response, wire = respond("HEAD")
    await response.write(b"hello")
    await response.end(b"world")
    assert (wire.answer[LENGTH], wire.answer.body, wire.closes) == (None, b"", False)


async def test_an_empty_write_sends_the_head_and_no_chunk() -> None:
    response, wire = respond()
    await response.write(b"")
    assert response.started
    assert wire.answer.body == b""
    await response.end()
    assert wire.answer.body == b"0\r\n\r\n"


async def test_a_head_and_the_first_bytes_are_one_write() -> None:
    response, wire = respond()
    await response.write(b"hello")
    assert wire.sends == 1


@pytest.mark.parametrize("status", [200, 404, 299, 460, 599])
async def test_a_status_with_or_without_a_phrase(status: int) -> None:
    response, wire = respond()
    response.status = status
    await response.end()
    assert wire.answer.status_line.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("status", [0, 99, 100, 101, 103, 199, 600, 1000, -200])
async def test_a_status_that_is_not_final_is_refused(status: int) -> None:
    """To the client 1xx is not the answer yet: it would take the next response for this one's."""
    response, wire = respond()
    response.status = status
    with pytest.raises(ValueError, match="status"):
        await response.end()
    assert wire.sent == b""


@pytest.mark.parametrize("chunks", [1, 2])
async def test_a_coding_of_the_handlers_never_contradicts_the_framing(chunks: int) -> None:
    response, wire = respond()
    try:
        response.headers["transfer-encoding"] = "chunked"
        for _ in range(chunks):
            await response.write(b"hello")
        await response.end()
    except ValueError:
        assert wire.sent == b""
    else:
        assert (wire.answer[CODING], wire.answer[LENGTH]) == (b"chunked", None)


async def test_server_fields_are_sent_once() -> None:
    response, wire = respond()
    await response.end()
    assert wire.answer[b"server"] == b"test"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_every_kind_of_chunk_is_sent(kind: type[Chunk]) -> None:
    response, wire = respond()
    await response.write(kind(b"hello"))
    assert response.try_write(kind(b" "))
    await response.end(kind(b"world"))
    assert wire.answer.body == b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"


async def test_a_view_of_larger_items_is_measured_in_bytes_or_refused() -> None:
    view = memoryview(array("I", [1, 2, 3]))
    for declared in (None, view.nbytes):
        response, wire = respond()
        if declared is not None:
            response.headers["content-length"] = str(declared)
        try:
            await response.write(view)
            await response.end()
        except (TypeError, ValueError):
            continue
        body = wire.answer.body
        whole = bytes(view)
        assert body in (whole, b"%x\r\n%b\r\n0\r\n\r\n" % (len(whole), whole))


# Persistence.


@pytest.mark.parametrize(
    ("http_1_0", "keep_alive", "last", "field"),
    [
        (False, True, False, None),
        (False, False, False, b"close"),
        (False, True, True, b"close"),
        (True, True, False, b"keep-alive"),
        (True, False, False, b"close"),
        (True, True, True, b"close"),
    ],
)
async def test_whether_the_connection_is_kept_is_said(
    http_1_0: bool, keep_alive: bool, last: bool, field: bytes | None
) -> None:
    response, wire = respond(
        http_1_0=http_1_0, keep_alive=keep_alive, wire=RecordingWire(last_response=last)
    )
    await response.end(b"hello")
    assert wire.answer[CONNECTION] == field
    assert wire.closes is (field == b"close")


@pytest.mark.parametrize("value", ["close", "Close", "CLOSE", "foo, close"])
async def test_a_handler_may_close_the_connection(value: str) -> None:
    response, wire = respond()
    response.headers["Connection"] = value
    await response.end(b"hello")
    assert wire.answer[CONNECTION] == b"close"
    assert wire.closes


# Lengths.


@pytest.mark.parametrize("whole", [False, True])
async def test_a_byte_too_many_is_refused_and_none_of_its_chunk_is_sent(whole: bool) -> None:
    response, wire = respond()
    response.headers["content-length"] = "5"
    if not whole:
        await response.write(b"hell")
    before = bytes(wire.sent)
    with pytest.raises(LengthError) as raised:
        await response.write(b"hello!" if whole else b"o!")
    assert (raised.value.declared, raised.value.written) == (5, 6)
    assert wire.sent == before
    with pytest.raises(LengthError):
        response.try_write(b"hello!")
    with pytest.raises(LengthError):
        await response.end(b"hello!")
    assert wire.sent == before


async def test_a_region_too_long_is_refused(descriptor: int) -> None:
    response, wire = respond()
    response.headers["content-length"] = "9"
    with pytest.raises(LengthError):
        await response.write_region(FileRegion(descriptor, 0, 10))
    assert wire.sent == b""


@pytest.mark.parametrize("how", ["write", "end", "region", "nothing"])
async def test_a_byte_too_few_cuts_the_connection(how: str, descriptor: int) -> None:
    response, wire = respond()
    response.headers["content-length"] = "5"
    if how == "write":
        await response.write(b"hell")
    if how == "region":
        await response.write_region(FileRegion(descriptor, 0, 4))
    with pytest.raises(LengthError) as raised:
        await response.end(b"hell" if how == "end" else b"")
    assert raised.value.declared == 5
    assert wire.was_cut
    assert response.state is ResponseState.ABORTED


@pytest.mark.parametrize("value", ["", "-1", "+5", "5.0", "0x5", "five", "5, 5", "\u0665", "1_0"])
async def test_a_length_that_is_no_number_is_refused(value: str) -> None:
    response, wire = respond()

    async def declare() -> None:
        response.headers["content-length"] = value
        await response.write(b"hello")

    with pytest.raises(ValueError):  # noqa: PT011 - the field check's or the length's
        await declare()
    assert wire.sent == b""


# States: ended, aborted, broken, busy.


async def test_what_is_written_behind_the_end_is_refused(descriptor: int) -> None:
    response, wire = respond()
    await response.end(b"hello")
    before = bytes(wire.sent)
    for late in (response.write(b"x"), response.write_region(FileRegion(descriptor, 0, 1))):
        with pytest.raises(ClosedError):
            await late
    with pytest.raises(ClosedError):
        response.try_write(b"x")
    with pytest.raises(ClosedError):
        await response.end(b"x")
    await response.end()  # twice is once
    response.abort()
    assert bytes(wire.sent) == before
    assert not wire.was_cut


@pytest.mark.parametrize("started", [False, True])
async def test_an_abort_cuts_and_nothing_may_follow(started: bool) -> None:
    response, wire = respond()
    if started:
        await response.write(b"hello")
    response.abort()
    response.abort()
    assert wire.was_cut
    with pytest.raises(ClosedError):
        await response.write(b"x")
    with pytest.raises(ClosedError):
        response.try_write(b"x")
    with pytest.raises(ClosedError):
        await response.end()


@pytest.mark.parametrize("started", [False, True])
async def test_when_the_client_went_away_writers_are_told(started: bool) -> None:
    response, _ = respond()
    if started:
        await response.write(b"hello")
    response.lose()
    with pytest.raises(DisconnectedError):
        await response.write(b"x")
    with pytest.raises(DisconnectedError):
        response.try_write(b"x")
    with pytest.raises(DisconnectedError):
        await response.end()
    response.abort()
    assert response.state is ResponseState.BROKEN


async def test_a_block_that_raises_aborts_and_one_that_does_not_ends() -> None:
    response, wire = respond()
    async with response:
        await response.write(b"hello")
    assert wire.answer.body.endswith(b"0\r\n\r\n")
    response, wire = respond()
    with pytest.raises(RuntimeError):
        async with response:
            raise RuntimeError
    assert wire.was_cut


async def test_a_write_waits_while_there_is_no_room_and_another_is_busy() -> None:
    response, wire = respond(wire=RecordingWire(has_room=False))
    writing = asyncio.ensure_future(response.write(b"hello"))
    await asyncio.sleep(0)
    assert not writing.done()
    with pytest.raises(BusyError):
        await response.write(b"x")
    with pytest.raises(BusyError):
        response.try_write(b"x")
    wire.make_room()
    await writing
    await response.end()
    assert wire.answer.body == b"5\r\nhello\r\n0\r\n\r\n"


async def test_try_write_refuses_without_room_and_takes_nothing() -> None:
    response, wire = respond(wire=RecordingWire(has_room=False))
    assert response.try_write(b"hello") is False
    assert wire.sent == b""
    wire.make_room()
    assert response.try_write(b"hello") is True


@pytest.mark.parametrize("started", [False, True])
async def test_try_end_finishes_as_end_does_when_it_need_not_wait(started: bool) -> None:
    response, wire = respond()
    if started:
        await response.write(b"hello ")
    assert response.try_end(b"world") is True
    assert response.state is ResponseState.ENDED
    chunked = b"6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"
    assert wire.answer.body == (chunked if started else b"world")
    assert response.try_end() is True  # twice is once
    with pytest.raises(ClosedError):
        response.try_end(b"x")


@pytest.mark.parametrize("why", ["no room", "paused", "shaped"])
async def test_try_end_refuses_and_takes_nothing_when_it_would_wait(why: str) -> None:
    shape = Shape(chunk_size=1) if why == "shaped" else None
    response, wire = respond(wire=RecordingWire(has_room=why != "no room", shape=shape))
    if why == "paused":
        response.flow.pause()
    assert response.try_end(b"hello") is False
    assert wire.sent == b""
    assert response.state is ResponseState.HEAD


async def test_try_end_keeps_to_a_declared_length() -> None:
    response, wire = respond()
    response.headers["content-length"] = "5"
    with pytest.raises(LengthError):
        response.try_end(b"hello!")
    assert wire.sent == b""
    with pytest.raises(LengthError):
        response.try_end(b"hell")
    assert wire.was_cut


async def test_the_end_waits_for_room() -> None:
    response, wire = respond(wire=RecordingWire(has_room=False))
    ending = asyncio.ensure_future(response.end(b"hello"))
    await asyncio.sleep(0)
    assert not ending.done()
    wire.make_room()
    await ending


async def test_a_cancelled_write_was_sent_whole_and_others_may_follow() -> None:
    response, wire = respond(wire=RecordingWire(has_room=False))
    writing = asyncio.ensure_future(response.write(b"hello"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing})
    wire.make_room()
    await response.end(b"!")
    assert wire.answer.body == b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"


# Trailers.


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_trailers_follow_a_chunked_body(in_pieces: bool, body: bytes) -> None:
    response, wire = respond()
    if in_pieces:
        await response.write(body)
        await response.end(trailers={"Digest": "abc", "x-more": "1"})
    else:
        await response.end(body, trailers={"Digest": "abc", "x-more": "1"})
    chunk = b"5\r\nhello\r\n" if body else b""
    assert wire.answer[CODING] == b"chunked"
    assert wire.answer.body == chunk + b"0\r\ndigest: abc\r\nx-more: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "http_1_0", "declared"),
    [("GET", True, None), ("GET", False, "5"), ("HEAD", False, None)],
)
async def test_trailers_are_dropped_where_none_may_follow(
    method: str, http_1_0: bool, declared: str | None
) -> None:
    response, wire = respond(method, http_1_0=http_1_0)
    if declared:
        response.headers["content-length"] = declared
    await response.write(b"hello")
    await response.end(trailers={"digest": "abc"})
    assert b"digest" not in wire.sent


@pytest.mark.parametrize("trailers", [{"a b": "c"}, {"a": "b\r\nc: d"}, {"": "x"}])
async def test_trailers_that_may_not_be_sent_never_reach_the_wire(
    trailers: dict[str, str],
) -> None:
    response, wire = respond()
    await response.write(b"hello")
    with pytest.raises(ValueError):  # noqa: PT011
        await response.end(trailers=trailers)
    assert wire.answer.body == b"5\r\nhello\r\n"
    assert response.state is ResponseState.BODY


# Informational responses.


@pytest.mark.parametrize(("status", "phrase"), [(103, b"Early Hints"), (102, b"Processing")])
async def test_informational_responses_come_before_the_head(status: int, phrase: bytes) -> None:
    response, wire = respond()
    await response.inform(status, {"Link": "</a>; rel=preload"})
    assert wire.sent == b"HTTP/1.1 %d %b\r\nlink: </a>; rel=preload\r\n\r\n" % (status, phrase)
    assert not response.started
    wire.sent.clear()
    await response.end(b"hello")
    assert wire.answer.status_line == b"HTTP/1.1 200 OK"
    assert wire.answer[b"link"] is None


async def test_an_informational_status_without_a_phrase_is_sent_all_the_same() -> None:
    response, wire = respond()
    await response.inform(104, {"upload-offset": "100"})
    assert wire.answer.status_line.startswith(b"HTTP/1.1 104 ")
    assert wire.answer[b"upload-offset"] == b"100"


async def test_informational_responses_are_not_sent_to_http_1_0() -> None:
    response, wire = respond(http_1_0=True)
    await response.inform(103)
    assert wire.sent == b""


async def test_informational_responses_are_not_sent_behind_the_head() -> None:
    response, wire = respond()
    await response.write(b"hello")
    before = bytes(wire.sent)
    await response.inform(103)
    assert wire.sent == before


@pytest.mark.parametrize("status", [100, 101, 200, 99, 404])
async def test_other_statuses_do_not_inform(status: int) -> None:
    response, wire = respond()
    with pytest.raises(ValueError, match="informational"):
        await response.inform(status)
    assert wire.sent == b""


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"link": "x\r\n\r\nHTTP/1.1 200 OK"}])
async def test_an_informational_response_takes_no_injection(headers: dict[str, str]) -> None:
    response, wire = respond()
    with pytest.raises(ValueError):  # noqa: PT011
        await response.inform(103, headers)
    assert wire.sent == b""


# Failing before the head.


async def test_a_failure_replaces_what_was_prepared() -> None:
    response, wire = respond()
    response.status = 200
    response.headers["content-length"] = "1000"
    response.headers["set-cookie"] = "secret"
    response.prepare(b"etag: x\r\n", 1000)
    response.fail(HTTPError(405, "Not so.", headers={"Allow": "GET"}))
    answer = wire.answer
    assert answer.status_line.startswith(b"HTTP/1.1 405 ")
    assert answer[b"allow"] == b"GET"
    assert answer[b"content-type"] == b"application/problem+json"
    assert answer[b"set-cookie"] is answer[b"etag"] is None
    assert answer[LENGTH] == b"%d" % len(answer.body)
    assert b"Not so." in answer.body
    assert response.state is ResponseState.ENDED


async def test_a_failure_carries_what_its_problem_type_defines() -> None:
    response, wire = respond()
    problem_type = "https://example.com/probs/offset"
    extensions = {"type": problem_type, "expected-offset": 100}
    response.fail(HTTPError(409, "Elsewhere.", extensions=extensions))
    assert msgspec.json.decode(wire.answer.body) == {
        "type": problem_type,
        "title": "Conflict",
        "status": 409,
        "detail": "Elsewhere.",
        "expected-offset": 100,
    }


async def test_a_failure_of_head_has_no_body() -> None:
    response, wire = respond("HEAD")
    response.fail(HTTPError(404))
    assert wire.answer.body == b""
    assert int(wire.answer[LENGTH] or 0) > 0


# Regions.


@pytest.mark.parametrize(
    ("method", "http_1_0", "declared", "body"),
    [
        ("GET", False, "4", b"3456"),
        ("GET", False, None, b"4\r\n3456\r\n0\r\n\r\n"),
        ("GET", True, None, b"3456"),
        ("HEAD", False, "4", b""),
    ],
)
async def test_a_region_is_framed_like_any_body(
    method: str, http_1_0: bool, declared: str | None, body: bytes, descriptor: int
) -> None:
    response, wire = respond(method, http_1_0=http_1_0)
    if declared:
        response.headers["content-length"] = declared
    await response.write_region(FileRegion(descriptor, 3, 4))
    await response.end()
    assert wire.answer.body == body
    assert wire.regions == (1 if body else 0)


@pytest.mark.parametrize("declared", [None, "2"])
async def test_an_empty_region_changes_nothing(declared: str | None, descriptor: int) -> None:
    response, wire = respond()
    if declared:
        response.headers["content-length"] = declared
    await response.write_region(FileRegion(descriptor, 3, 0))
    await response.end(b"ok")
    assert wire.answer.body == (b"ok" if declared else b"2\r\nok\r\n0\r\n\r\n")


async def test_regions_and_chunks_follow_one_another(descriptor: int) -> None:
    response, wire = respond()
    await response.write(b"a")
    await response.write_region(FileRegion(descriptor, 0, 2))
    await response.write(b"b")
    await response.write_region(FileRegion(descriptor, 8, 2))
    await response.end()
    assert wire.answer.body == (b"1\r\na\r\n2\r\n01\r\n1\r\nb\r\n2\r\n89\r\n0\r\n\r\n")


# The flow.


async def test_a_flow_counts_what_was_sent_and_what_is_expected(descriptor: int) -> None:
    response, _ = respond()
    response.headers["content-length"] = "12"
    await response.write(b"hello ")
    assert (response.flow.moved, response.flow.expected) == (6, 12)
    await response.write_region(FileRegion(descriptor, 0, 5))
    assert response.flow.moved == response.body_sent == 11
    await response.end(b"!")
    assert response.moved == 12


async def test_a_body_given_whole_is_counted_without_a_flow() -> None:
    response, _ = respond()
    await response.end(b"hello")
    assert response.moved == 5


async def test_a_flow_asked_for_before_the_first_write_counts_all() -> None:
    response, _ = respond()
    flow = response.flow
    await response.end(b"hello")
    assert (flow.moved, flow.state) == (5, FlowState.RUNNING)


@pytest.mark.parametrize("declared", [None, "26"])
@pytest.mark.parametrize("whole", [False, True])
async def test_a_shape_slices_the_body_and_keeps_its_framing(
    declared: str | None, whole: bool
) -> None:
    letters = b"abcdefghijklmnopqrstuvwxyz"
    response, wire = respond(wire=RecordingWire(shape=Shape(chunk_size=10)))
    if declared:
        response.headers["content-length"] = declared
    if whole:
        await response.end(letters)
    else:
        await response.write(letters)
        await response.end()
    expected = letters
    if not declared and not whole:
        expected = b"a\r\nabcdefghij\r\na\r\nklmnopqrst\r\n6\r\nuvwxyz\r\n0\r\n\r\n"
    assert wire.answer.body == expected
    assert wire.sends >= 3


async def test_a_paused_flow_lets_nothing_move_until_it_resumes() -> None:
    response, wire = respond()
    await response.write(b"a")
    before = bytes(wire.sent)
    response.flow.pause()
    assert response.try_write(b"b") is False
    writing = asyncio.ensure_future(response.write(b"b"))
    await asyncio.sleep(0)
    assert bytes(wire.sent) == before
    assert not writing.done()
    response.flow.resume()
    await writing
    assert wire.sent == before + b"1\r\nb\r\n"


# Injection.

fields = st.text(max_size=20)


@given(name=fields, value=fields)
async def test_no_field_ends_its_line(name: str, value: str) -> None:
    """Invariant: whatever is set, the head has the lines that were asked for and no more."""
    response, wire = respond()
    try:
        response.headers[name] = value
        response.headers.add(name, value)
    except ValueError:
        return
    if name.lower() in ("content-length", "transfer-encoding", "connection"):
        return
    await response.end()
    head = bytes(wire.sent).removesuffix(b"\r\n\r\n")
    assert head.count(b"\r") == head.count(b"\n") == 4
    assert b"\0" not in head


async def test_the_head_does_not_wait_for_a_limit() -> None:
    response, wire = respond(wire=RecordingWire(shape=Shape(rate=1000)))
    await response.write(b"")
    assert wire.answer[CODING] == b"chunked"
