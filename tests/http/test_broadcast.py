"""One source to many responses: who is sent what, and what one that stalls costs the others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from tests.http.event_streams import dechunked
from tests.http.wires import RecordingWire, respond

from riverrun.errors import BrokenError, ClosedError, DisconnectedError
from riverrun.flows import FlowState, Shape
from riverrun.http import broadcast
from riverrun.http.broadcast import Broadcast
from riverrun.http.response import Response


@pytest.fixture(autouse=True)
def no_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a send to three may take long, too: here none does."""
    monkeypatch.setattr(broadcast, "perf_counter", lambda: 0.0)


@dataclass
class Source:
    """What is broadcast, and kept for those who come late."""

    broadcast: Broadcast = field(default_factory=Broadcast)
    kept: bytearray = field(default_factory=bytearray)

    def publish(self, chunk: bytes) -> None:
        self.kept += chunk
        self.broadcast.publish(chunk)


@dataclass
class Reader:
    """A handler that follows a source from its beginning, and what it went through."""

    source: Source
    response: Response
    wire: RecordingWire
    caught_up: list[int] = field(default_factory=list)

    @classmethod
    async def of(
        cls, source: Source, wire: RecordingWire | None = None, *, http_1_0: bool = False
    ) -> Reader:
        response, wire = respond(wire=wire, http_1_0=http_1_0)
        reader = cls(source, response, wire)
        reader.task = asyncio.ensure_future(reader.run())
        await turns()
        return reader

    def __post_init__(self) -> None:
        self.task: asyncio.Future[None]

    async def run(self) -> None:
        channel, position = self.source.broadcast, 0
        while position < channel.position or not channel.ended:
            if position < channel.position:
                self.caught_up.append(position)
                chunk = bytes(self.source.kept[position:])
                position += len(chunk)
                await self.response.write(chunk)
            position = await channel.follow(self.response, position)
        await self.response.end()

    @property
    def received(self) -> bytes:
        return dechunked(self.wire.answer.body)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_chunk_reaches_everybody_before_publish_returns() -> None:
    source = Source()
    readers = [await Reader.of(source) for _ in range(3)]
    assert source.broadcast.readers == 3
    source.publish(b"hello")
    assert [reader.received for reader in readers] == [b"hello"] * 3
    source.publish(b"x" * 300)
    assert [reader.received for reader in readers] == [b"hello" + b"x" * 300] * 3
    source.broadcast.end()
    await asyncio.gather(*(reader.task for reader in readers))
    assert all(reader.wire.answer.body.endswith(b"\r\n0\r\n\r\n") for reader in readers)


async def test_one_send_for_each_chunk() -> None:
    source = Source()
    reader = await Reader.of(source)
    sends = reader.wire.sends
    source.publish(b"one")
    source.publish(b"two")
    assert reader.wire.sends == sends + 2
    source.broadcast.abort()
    with pytest.raises(BrokenError):
        await reader.task


async def test_who_comes_late_gets_all_of_it_once() -> None:
    source = Source()
    source.publish(b"before ")
    reader = await Reader.of(source)
    source.publish(b"after")
    assert reader.received == b"before after"
    source.broadcast.end()
    await reader.task
    assert reader.caught_up == [0]


async def test_who_has_no_room_is_let_go_of_and_catches_up_by_itself() -> None:
    source = Source()
    quick, slow = await Reader.of(source), await Reader.of(source)
    source.publish(b"one")
    slow.wire.has_room = False
    source.publish(b"two")
    source.publish(b"three")
    assert (quick.received, slow.received) == (b"onetwothree", b"one")
    await turns()
    assert source.broadcast.readers == 1
    assert slow.received == b"one"  # it waits for the client, and nothing waits for it
    slow.wire.make_room()
    await turns()
    assert slow.received == b"onetwothree"
    assert slow.caught_up == [3]
    source.publish(b"four")
    assert slow.received == quick.received == b"onetwothreefour"
    source.broadcast.end()
    await asyncio.gather(quick.task, slow.task)


async def test_nothing_may_wait_in_a_connection_that_follows() -> None:
    source = Source()
    reader = await Reader.of(source)
    assert reader.wire.passage is not None
    source.broadcast.end()
    await reader.task
    assert reader.wire.passage is None


async def test_what_is_paused_has_no_room_and_goes_on_when_it_is_resumed() -> None:
    source = Source()
    reader = await Reader.of(source)
    reader.response.flow.pause()
    source.publish(b"one")
    await turns()
    source.publish(b"two")
    assert reader.received == b""
    reader.response.flow.resume()
    await turns()
    assert reader.received == b"onetwo"
    source.broadcast.end()
    await reader.task


async def test_a_limited_reader_is_sent_what_its_rate_allows_and_the_rest_later() -> None:
    source = Source()
    wire = RecordingWire(shape=Shape(rate=20_000))  # 2,000 bytes at once
    reader = await Reader.of(source, wire)
    source.publish(b"a" * 1500)
    assert reader.received == b"a" * 1500
    source.publish(b"b" * 1500)
    assert reader.received == b"a" * 1500
    async with asyncio.timeout(5):
        while len(reader.received) < 3000:
            await asyncio.sleep(0.01)
    assert reader.received == b"a" * 1500 + b"b" * 1500
    source.broadcast.end()
    await reader.task


async def test_what_passes_is_accounted() -> None:
    source = Source()
    reader = await Reader.of(source)
    source.publish(b"x" * 100)
    assert (reader.response.flow.moved, reader.response.moved) == (100, 100)
    source.broadcast.end()
    await reader.task
    assert (reader.response.moved, reader.response.body_sent) == (100, 100)


async def test_an_old_client_is_sent_no_framing() -> None:
    source = Source()
    reader = await Reader.of(source, http_1_0=True)
    source.publish(b"one")
    source.publish(b"two")
    assert reader.wire.answer.body == b"onetwo"
    source.broadcast.end()
    await reader.task


async def test_a_declared_length_is_kept_to() -> None:
    source = Source()
    response, wire = respond()
    response.headers["content-length"] = "6"
    reader = Reader(source, response, wire)
    reader.task = asyncio.ensure_future(reader.run())
    await turns()
    source.publish(b"one")
    await turns()
    source.publish(b"two")
    await turns()
    assert wire.answer.body == b"onetwo"
    source.broadcast.end()
    await reader.task


async def test_a_client_that_left_is_let_go_of() -> None:
    source = Source()
    stays, leaves = await Reader.of(source), await Reader.of(source)
    leaves.response.lose()
    leaves.task.cancel()
    source.publish(b"one")
    assert stays.received == b"one"
    with pytest.raises(asyncio.CancelledError):
        await leaves.task
    assert source.broadcast.readers == 1
    source.broadcast.end()
    await stays.task


async def test_a_client_that_leaves_while_it_is_behind() -> None:
    source = Source()
    reader = await Reader.of(source)
    reader.wire.has_room = False
    source.publish(b"one")
    await turns()
    reader.wire.gone = True
    reader.wire.make_room()
    with pytest.raises(DisconnectedError):
        await reader.task


async def test_a_response_that_was_aborted_is_let_go_of() -> None:
    source = Source()
    reader = await Reader.of(source)
    reader.response.abort()
    source.publish(b"one")
    assert source.broadcast.readers == 0
    with pytest.raises(ClosedError):
        await reader.task


async def test_an_abort_reaches_everybody_and_is_told_apart_from_an_end() -> None:
    source = Source()
    reader = await Reader.of(source)
    reason = RuntimeError("the camera is gone")
    source.broadcast.abort(reason)
    with pytest.raises(BrokenError) as raised:
        await reader.task
    assert raised.value.__cause__ is reason
    with pytest.raises(BrokenError):
        await (await Reader.of(source)).task
    source.broadcast.end()  # too late to be an end
    with pytest.raises(BrokenError):
        await (await Reader.of(source)).task


async def test_after_the_end_nothing_is_published_and_the_rest_is_still_to_be_had() -> None:
    source = Source()
    source.publish(b"all of it")
    source.broadcast.end()
    source.broadcast.end()
    with pytest.raises(ClosedError):
        source.broadcast.publish(b"more")
    late = await Reader.of(source)
    await late.task
    assert late.received == b"all of it"


async def test_positions_are_the_publishers() -> None:
    channel = Broadcast(position=10)
    response, wire = respond()
    following = asyncio.ensure_future(channel.follow(response, 10))
    await turns()
    channel.publish(b"data: rendered\n\n", position=12)
    wire.has_room = False
    channel.publish(b"data: more\n\n", position=13)
    wire.make_room()
    assert await following == 12
    assert channel.position == 13
    assert await channel.follow(response, 12) == 12  # at once
    with pytest.raises(ValueError, match="not yet"):
        await channel.follow(response, 14)
    with pytest.raises(ValueError, match="back"):
        channel.publish(b"", position=12)
    channel.publish(b"", position=14)  # the source went on without a byte to send
    assert channel.position == 14


async def test_a_cancelled_flow_ends_its_reader_only() -> None:
    source = Source()
    cut, other = await Reader.of(source), await Reader.of(source)
    cut.response.flow.cancel()
    assert cut.response.flow.state is FlowState.CANCELLED
    source.publish(b"one")
    assert (other.received, cut.received) == (b"one", b"")
    with pytest.raises(BrokenError):
        await cut.task
    source.broadcast.end()
    await other.task


async def test_what_cannot_be_published_is_sent_by_everybody_itself() -> None:
    source = Source()
    reader = await Reader.of(source)
    source.publish(b"one")
    source.kept += b"two"
    source.broadcast.release(6)
    assert (source.broadcast.readers, reader.received) == (0, b"one")
    await turns()
    assert (source.broadcast.readers, reader.received) == (1, b"onetwo")
    source.broadcast.release()  # nothing new: they look, and follow again
    await turns()
    assert source.broadcast.readers == 1
    assert reader.caught_up == [3]
    source.broadcast.end()
    await reader.task
