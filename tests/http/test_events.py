"""A response as an event stream: its head, its pace, its heartbeats and its ends."""

from __future__ import annotations

import asyncio

import pytest
from tests.http.event_streams import Event, EventStream, dechunked
from tests.http.wires import RecordingWire, respond

from riverrun.errors import ClosedError, DisconnectedError
from riverrun.flows import Shape
from riverrun.http.request import Request
from riverrun.http.response import Response

SOON = 0.02
LONG = 3600.0


def stream_of(wire: RecordingWire) -> EventStream:
    return EventStream.parse(dechunked(wire.answer.body))


async def until_sent(wire: RecordingWire, what: bytes) -> None:
    async with asyncio.timeout(5):
        while what not in wire.sent:
            await asyncio.sleep(SOON / 4)


async def test_the_head_is_sent_at_once() -> None:
    response, wire = respond()
    events = response.events()
    assert wire.answer[b"content-type"] == b"text/event-stream"
    assert wire.answer[b"cache-control"] == b"no-store"
    assert wire.answer[b"transfer-encoding"] == b"chunked"
    await events.end()


async def test_what_a_handler_has_said_stays() -> None:
    response, wire = respond()
    response.headers["cache-control"] = "no-cache"
    async with response.events():
        assert wire.answer[b"cache-control"] == b"no-cache"


async def test_events_come_as_they_were_sent_each_in_one_piece() -> None:
    response, wire = respond()
    async with response.events(retry=3) as events:
        sends = wire.sends
        await events.send("one")
        await events.send("two\nlines", event="pair", id="2")
        await events.comment("nobody sees this")
        assert events.try_send(b"three")
        assert wire.sends == sends + 4
    stream = stream_of(wire)
    assert stream.events == [
        Event("one"),
        Event("two\nlines", "pair", "2"),
        Event("three", last_event_id="2"),
    ]
    assert stream.reconnection_time == 3000
    assert wire.answer.body.endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "seen"),
    [(None, None), (b"", ""), (b"12", "12"), ("ž".encode(), "ž"), (b"\xff", "\ufffd")],
)
async def test_the_last_event_id_of_the_request(sent: bytes | None, seen: str | None) -> None:
    wire = RecordingWire()
    request = Request("GET", b"/", {} if sent is None else {b"last-event-id": sent})
    async with Response(wire, request).events() as events:
        assert events.last_event_id == seen


async def test_a_slow_client_makes_the_sender_wait() -> None:
    response, wire = respond()
    events = response.events()
    wire.has_room = False
    assert not events.try_send("refused")
    sending = asyncio.ensure_future(events.send("waits"))
    await asyncio.sleep(0)
    assert not sending.done()
    wire.make_room()
    await sending
    await events.end()
    assert [event.data for event in stream_of(wire).events] == ["waits"]


async def test_a_retry_is_not_lost_with_an_event_that_had_no_room() -> None:
    response, wire = respond()
    events = response.events(retry=1)
    wire.has_room = False
    assert not events.try_send("refused")
    wire.make_room()
    await events.send("sent")
    assert stream_of(wire).reconnection_time == 1000


async def test_while_nothing_is_sent_a_comment_is() -> None:
    response, wire = respond()
    events = response.events(heartbeat=SOON)
    await until_sent(wire, b":\n\n")
    await until_sent(wire, b":\n\n\r\n3\r\n:\n\n")
    await events.end()
    assert stream_of(wire).events == []
    assert wire.closes is False


async def test_while_something_is_sent_no_comment_is() -> None:
    response, wire = respond()
    events = response.events(heartbeat=1.0)
    loop = asyncio.get_running_loop()
    stop = loop.time() + 1.6  # three looks
    while loop.time() < stop:
        await events.send("busy")
        await asyncio.sleep(0.01)
    await events.end()
    assert stream_of(wire).comments == []


async def test_a_client_without_room_gets_no_comment() -> None:
    response, wire = respond()
    events = response.events(heartbeat=SOON)
    wire.has_room = False
    await asyncio.sleep(SOON * 3)
    assert wire.answer.body == b""
    wire.make_room()
    await until_sent(wire, b":\n\n")
    events.abort()


async def test_a_comment_goes_to_a_client_whose_rate_is_limited() -> None:
    response, wire = respond(wire=RecordingWire(shape=Shape(rate=4096)))
    events = response.events(heartbeat=SOON)
    await until_sent(wire, b":\n\n")
    events.abort()


@pytest.mark.parametrize("ending", ["end", "abort", "settle"])
async def test_after_the_end_nothing_beats(ending: str) -> None:
    response, wire = respond()
    events = response.events(heartbeat=SOON)
    if ending == "end":
        await events.end()
    elif ending == "abort":
        events.abort()
    else:  # the handler left it open, and its server has cut it
        response.abort()
        response.settle()
    sends = wire.sends
    await asyncio.sleep(SOON * 3)
    assert wire.sends == sends
    with pytest.raises(ClosedError):
        await events.send("too late")


async def test_a_failure_in_the_block_cuts_the_stream() -> None:
    response, wire = respond()
    with pytest.raises(RuntimeError):
        async with response.events(heartbeat=LONG):
            raise RuntimeError
    assert wire.was_cut


async def test_a_client_that_left_is_told_to_the_sender() -> None:
    response, _ = respond()
    events = response.events(heartbeat=SOON)
    response.lose()
    with pytest.raises(DisconnectedError):
        await events.send("nobody")
    await asyncio.sleep(SOON * 2)  # nor does a heartbeat fail
