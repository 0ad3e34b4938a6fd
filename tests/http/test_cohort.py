"""Those who are sent the same without being asked: whatever may change that is noticed in time."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.http.event_streams import dechunked
from tests.http.test_broadcast import Reader, Source, turns
from tests.http.wires import RecordingWire, respond

from riverrun.errors import BrokenError
from riverrun.flows import Flow, Shape
from riverrun.http import broadcast
from riverrun.http.broadcast import Broadcast
from riverrun.streams.contracts import FileRegion


@pytest.fixture(autouse=True)
def no_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a send to three may take long, too: here none does."""
    monkeypatch.setattr(broadcast, "perf_counter", lambda: 0.0)


class FillingWire(RecordingWire):
    """A wire that has no room behind any chunk that holds an x."""

    def pass_on(self, chunk: bytes) -> None:
        super().pass_on(chunk)
        if b"x" in chunk:
            self.has_room = False


class RegionWire(RecordingWire):
    """A wire on which a region waits until it may go."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.may_go = asyncio.Event()

    async def send_region(self, region: FileRegion, flow: Flow) -> int:
        await self.may_go.wait()
        return await super().send_region(region, flow)


async def riding(count: int, wire: RecordingWire | None = None) -> tuple[Source, list[Reader]]:
    """Readers, the first of whom may have a wire of its own, who were all sent a chunk before."""
    source = Source()
    readers = [await Reader.of(source, wire if i == 0 else None) for i in range(count)]
    source.publish(b"one ")
    return source, readers


def pause(reader: Reader) -> None:
    reader.response.flow.pause()


def fill(reader: Reader) -> None:
    reader.wire.has_room = False


def lose(reader: Reader) -> None:
    reader.wire.gone = True
    reader.response.lose()


@pytest.mark.parametrize(
    "happens",
    [pause, fill, lose, lambda reader: reader.response.abort(),
     lambda reader: reader.response.flow.cancel(), lambda reader: reader.response.try_end()],
    ids=["paused", "full", "lost", "aborted", "cancelled", "ended"],
)  # fmt: skip
async def test_who_was_sent_a_chunk_is_not_sent_one_that_it_cannot_have(
    happens: Callable[[Reader], object],
) -> None:
    source, (first, second) = await riding(2)
    happens(first)
    before = bytes(first.wire.sent)
    source.publish(b"two")
    assert bytes(first.wire.sent) == before
    assert second.received == b"one two"
    assert source.broadcast.readers == 1
    assert (first.response.moved, second.response.moved) == (4, 7)
    first.task.cancel()
    source.broadcast.end()
    await asyncio.wait([first.task, second.task])


async def test_who_has_no_room_behind_a_chunk_had_it_and_is_let_go_of_at_the_next() -> None:
    source, (first, second) = await riding(2, FillingWire())
    source.publish(b"x ")
    assert first.received == second.received == b"one x "
    source.publish(b"three")
    assert (first.received, second.received) == (b"one x ", b"one x three")
    first.wire.make_room()
    await turns()
    assert first.received == second.received
    assert first.caught_up == [6]
    source.broadcast.end()
    await asyncio.gather(first.task, second.task)


async def test_who_has_room_again_in_time_rides_on() -> None:
    source, (first, second) = await riding(2, FillingWire())
    source.publish(b"x ")
    first.wire.make_room()
    source.publish(b"three")
    assert first.received == second.received == b"one x three"
    assert first.caught_up == []
    source.broadcast.end()
    await asyncio.gather(first.task, second.task)


async def test_a_pause_that_is_over_before_the_next_chunk_costs_nothing() -> None:
    source, (reader,) = await riding(1)
    reader.response.flow.pause()
    reader.response.flow.resume()
    source.publish(b"two")
    assert reader.received == b"one two"
    assert reader.caught_up == []
    source.broadcast.end()
    await reader.task


async def test_who_is_limited_meanwhile_is_sent_what_its_rate_allows() -> None:
    source, (reader,) = await riding(1)
    reader.response.flow.rate = 20_000  # 2,000 bytes at once
    for letter in (b"a", b"b"):
        source.publish(letter * 1500)
    assert reader.received == b"one " + b"a" * 1500
    reader.task.cancel()
    await asyncio.wait([reader.task])


async def test_a_limited_one_rides_when_its_limit_is_taken_away() -> None:
    source, (reader,) = await riding(1, RecordingWire(shape=Shape(rate=100_000)))
    source.publish(b"two ")
    reader.response.flow.shape = None
    for word in (b"three ", b"four"):
        source.publish(word)
    assert reader.received == b"one two three four"
    assert reader.response.flow.moved == len(reader.received)
    source.broadcast.end()
    await reader.task


async def test_each_counts_what_it_was_sent_itself() -> None:
    source, (first,) = await riding(1)
    second = await Reader.of(source)
    source.publish(b"two ")
    first.response.try_write(b"only one ")
    source.publish(b"three")
    assert first.received == b"one two only one three"
    assert second.received == b"one two three"
    for reader in (first, second):
        assert reader.response.flow.moved == len(reader.received)
    source.broadcast.end()
    await asyncio.gather(first.task, second.task)
    for reader in (first, second):
        assert reader.response.body_sent == len(reader.received)


async def test_nothing_passes_within_a_region_that_another_task_sends(tmp_path: Path) -> None:
    wire, source = RegionWire(), Broadcast()
    response, _ = respond(wire=wire)
    following = asyncio.ensure_future(source.follow(response, 0))
    await turns()
    source.publish(b"one")
    path = tmp_path / "region"
    path.write_bytes(b"a region")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        other = asyncio.ensure_future(response.write_region(FileRegion(descriptor, 0, 8)))
        await turns()
        source.publish(b"two")
        assert await following == 3
        wire.may_go.set()
        await other
    finally:
        os.close(descriptor)
    assert dechunked(wire.answer.body) == b"onea region"


async def test_who_left_is_forgotten_though_nothing_is_published() -> None:
    source, (first, second) = await riding(2)
    gone = weakref.ref(first.response)
    first.task.cancel()
    first.wire.gone = True
    first.response.lose()
    await asyncio.wait([first.task])
    del first
    gc.collect()
    assert gone() is None
    source.broadcast.abort()
    with pytest.raises(BrokenError):
        await second.task
