"""The buffer between a producer that cannot wait and a consumer that can."""

import asyncio
from collections.abc import Callable

import pytest

from riverrun.errors import BrokenError, BusyError
from riverrun.streams import ByteBuffer


class Producer:
    def __init__(self, high_water_mark: int = 10, low_water_mark: int | None = None) -> None:
        self.calls: list[str] = []
        self.buffer = ByteBuffer(
            high_water_mark,
            pause=lambda: self.calls.append("pause"),
            resume=lambda: self.calls.append("resume"),
            low_water_mark=low_water_mark,
        )


async def test_the_producer_is_paused_at_the_high_mark_and_resumed_at_the_low_one() -> None:
    producer = Producer(high_water_mark=10, low_water_mark=4)
    producer.buffer.feed(b"123456789")
    assert producer.calls == []
    producer.buffer.feed(b"0")
    producer.buffer.feed(b"what had already arrived")
    assert producer.calls == ["pause"]
    await producer.buffer.read()
    await producer.buffer.read()
    assert producer.calls == ["pause"]
    await producer.buffer.read(20)
    assert (producer.buffer.size, producer.calls) == (4, ["pause", "resume"])


async def test_a_chunk_is_cut_to_size_without_losing_the_rest() -> None:
    buffer = Producer().buffer
    buffer.feed(b"riverrun")
    buffer.feed_end()
    assert [await buffer.read(3), await buffer.read(100), await buffer.read()] == [
        b"riv",
        b"errun",
        b"",
    ]
    assert buffer.ended


async def test_what_came_before_a_failure_is_read_before_it_is_raised() -> None:
    buffer = Producer().buffer
    buffer.feed(b"chunk")
    buffer.fail(BrokenError("first"))
    buffer.fail(BrokenError("second"))
    assert await buffer.read() == b"chunk"
    for _ in range(2):
        with pytest.raises(BrokenError, match="first"):
            await buffer.read()


async def test_one_reader_at_a_time_even_when_it_has_just_been_woken() -> None:
    buffer = Producer().buffer
    reading = asyncio.ensure_future(buffer.read())
    await asyncio.sleep(0)
    buffer.feed(b"chunk")
    with pytest.raises(BusyError):
        await buffer.read()
    with pytest.raises(BusyError):
        buffer.read_nowait()
    assert await reading == b"chunk"


def test_read_nowait_tells_waiting_from_the_end() -> None:
    buffer = Producer().buffer
    assert buffer.read_nowait() is None
    buffer.feed(b"")
    assert buffer.read_nowait() is None
    buffer.feed(b"chunk")
    assert buffer.read_nowait(2) == b"ch"
    assert buffer.read_nowait() == b"unk"
    buffer.feed_end()
    assert buffer.read_nowait() == b""


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_read_of_less_than_a_byte_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Producer().buffer.read_nowait(wrong)


def test_a_mark_below_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Producer(high_water_mark=0)


async def test_a_held_producer_stays_paused_until_it_is_released() -> None:
    producer = Producer(high_water_mark=10, low_water_mark=4)
    producer.buffer.hold()
    producer.buffer.feed(b"1234567890")
    assert await producer.buffer.read() == b"1234567890"
    assert producer.calls == ["pause"]
    producer.buffer.release()
    assert producer.calls == ["pause", "resume"]


def test_dropping_what_waits_lets_the_producer_go_on() -> None:
    producer = Producer()
    producer.buffer.feed(b"1234567890")
    producer.buffer.clear()
    assert (producer.buffer.size, producer.calls) == (0, ["pause", "resume"])


PATIENCE, LONG = 0.01, 60.0


@pytest.mark.parametrize(
    ("finish", "found"),
    [
        (lambda buffer: buffer.feed(b"3"), 3),
        (lambda buffer: buffer.feed_end(), 2),
        (lambda buffer: buffer.fail(BrokenError("cut")), 2),
    ],
    ids=["enough", "end", "failure"],
)
async def test_it_gathers_until_there_is_enough_or_no_more(
    finish: Callable[[ByteBuffer], None], found: int
) -> None:
    buffer = Producer().buffer
    gathering = asyncio.ensure_future(buffer.gather(3, LONG))
    for chunk in (b"1", b"2"):
        await asyncio.sleep(0)
        buffer.feed(chunk)
    await asyncio.sleep(0)
    assert not gathering.done()
    finish(buffer)
    await gathering
    assert buffer.size == found
    await buffer.gather(3, LONG) if found == 2 else None  # behind the end nothing is waited for


async def test_it_gathers_for_as_long_as_it_has_patience() -> None:
    buffer = Producer().buffer
    buffer.feed(b"1")
    await buffer.gather(3, PATIENCE)
    assert buffer.read_nowait() == b"1"
    reading = asyncio.ensure_future(buffer.read())
    await asyncio.sleep(0)
    buffer.feed(b"2")  # which is enough again
    assert await reading == b"2"


async def test_it_gathers_no_more_than_lets_the_producer_go_on() -> None:
    buffer = Producer(high_water_mark=10).buffer
    gathering = asyncio.ensure_future(buffer.gather(100, LONG))
    await asyncio.sleep(0)
    buffer.feed(b"1234567890")
    await gathering
