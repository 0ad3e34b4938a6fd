"""A source that is faster than its audience can be sent to: the loop is shared, nothing is lost."""

from __future__ import annotations

import asyncio

import pytest
from tests.http.test_broadcast import Reader, Source, turns
from tests.http.wires import RecordingWire

from riverrun.http import broadcast

LONG_SEND = 0.08  # seconds; the rest behind it is a part of that


class Clock:
    """Time that passes only while something is sent."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class SlowWire(RecordingWire):
    """A wire on which a send takes long, as a thousand sends do."""

    clock_of_sends: Clock

    def pass_on(self, chunk: bytes) -> None:
        self.clock_of_sends.now += LONG_SEND
        super().pass_on(chunk)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> SlowWire:
    wire = SlowWire()
    wire.clock_of_sends = Clock()
    monkeypatch.setattr(broadcast, "perf_counter", wire.clock_of_sends)
    return wire


async def received(reader: Reader, whole: bytes) -> None:
    async with asyncio.timeout(10):
        while reader.received != whole:
            await asyncio.sleep(0.001)


async def test_what_comes_right_behind_a_long_send_goes_out_together(wire: SlowWire) -> None:
    source = Source()
    reader = await Reader.of(source, wire)
    source.publish(b"one ")
    sends = wire.sends
    for word in (b"two ", b"three ", b"four"):
        source.publish(word)
    assert reader.received == b"one "
    await received(reader, b"one two three four")
    assert wire.sends == sends + 1
    source.broadcast.end()
    await reader.task
    assert reader.caught_up == []


async def test_behind_the_rest_a_chunk_goes_at_once(wire: SlowWire) -> None:
    source = Source()
    reader = await Reader.of(source, wire)
    source.publish(b"one ")
    wire.clock_of_sends.now += LONG_SEND
    source.publish(b"two")
    assert reader.received == b"one two"
    source.broadcast.end()
    await reader.task


async def test_no_more_is_gathered_than_is_allowed(wire: SlowWire) -> None:
    source = Source()
    reader = await Reader.of(source, wire)
    source.publish(b"one ")
    source.publish(b"x" * broadcast.MOST_GATHERED)
    assert len(reader.received) == 4
    source.publish(b"y")
    assert len(reader.received) == 4 + broadcast.MOST_GATHERED
    await received(reader, bytes(source.kept))
    source.broadcast.end()
    await reader.task


async def test_who_comes_meanwhile_gets_everything_once(wire: SlowWire) -> None:
    source = Source()
    reader = await Reader.of(source, wire)
    source.publish(b"one ")
    source.publish(b"two ")
    late = await Reader.of(source)
    source.publish(b"three")
    for each in (reader, late):
        await received(each, b"one two three")
    source.broadcast.end()
    await asyncio.gather(reader.task, late.task)


async def test_who_has_no_room_meanwhile_is_sent_it_from_where_it_was(wire: SlowWire) -> None:
    source = Source()
    reader = await Reader.of(source, wire)
    source.publish(b"one ")
    source.publish(b"two ")
    wire.has_room = False
    source.publish(b"three")
    await asyncio.sleep(LONG_SEND)
    assert reader.received == b"one "
    wire.make_room()
    await received(reader, b"one two three")
    assert reader.caught_up == [4]
    source.broadcast.end()
    await reader.task


@pytest.mark.parametrize("ending", ["end", "release", "cancel"])
async def test_whoever_is_let_go_of_has_what_was_published(wire: SlowWire, ending: str) -> None:
    source = Source()
    reader = await Reader.of(source, wire)
    source.publish(b"one ")
    source.publish(b"two")
    assert reader.received == b"one "
    if ending == "cancel":
        reader.task.cancel()
    else:
        getattr(source.broadcast, ending)()
    await turns()
    assert reader.received == b"one two"
    source.broadcast.end()
    await asyncio.wait({reader.task})
