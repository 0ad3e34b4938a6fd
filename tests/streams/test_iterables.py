"""Streams out of iterables and functions."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from riverrun.errors import BrokenError, ClosedError
from riverrun.streams import Chunk, FunctionSink, IterableSource, Writable, pipeline
from riverrun.testing import Received, check_readable, check_writable

CHUNKS: list[Chunk] = [b"river", b"", bytearray(b"run, "), memoryview(b"past Eve and Adam's")]


async def generated() -> AsyncIterator[Chunk]:
    for chunk in CHUNKS:
        await asyncio.sleep(0)
        yield chunk


async def stuck() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b"never"


async def failing() -> AsyncIterator[bytes]:
    yield b"chunk"
    raise ValueError("of the iterable's own")


def failing_at_once() -> Iterator[bytes]:
    yield b"chunk"
    raise ValueError("of the iterable's own")


async def test_a_source_from_an_asynchronous_iterable_keeps_the_contract() -> None:
    await check_readable(
        lambda: IterableSource(generated()),
        clogged=lambda: IterableSource(stuck()),
        broken=lambda: IterableSource(failing()),
    )


async def test_a_source_from_an_ordinary_iterable_keeps_the_contract() -> None:
    await check_readable(
        lambda: IterableSource(CHUNKS), broken=lambda: IterableSource(failing_at_once())
    )


async def test_bytes_are_one_chunk() -> None:
    assert await IterableSource(b"riverrun").read() == b"riverrun"


async def test_the_exception_of_the_iterable_is_the_cause_of_ours() -> None:
    source = IterableSource(failing())
    assert await source.read() == b"chunk"
    with pytest.raises(BrokenError, match="of the iterable's own") as raised:
        await source.read()
    assert isinstance(raised.value.__cause__, ValueError)
    await source.aclose()


@pytest.mark.parametrize("reads", [0, 1, 2])
async def test_closing_closes_the_generator_where_it_stands(reads: int) -> None:
    state = ["not started"]

    async def chunks() -> AsyncIterator[bytes]:
        state[0] = "open"
        try:
            yield b"chunk"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            state[0] = "closed"

    source = IterableSource(chunks())
    readings = []
    for _ in range(reads):
        readings.append(asyncio.ensure_future(source.read()))
        for _ in range(5):
            await asyncio.sleep(0)
    await source.aclose()
    assert state[0] == ("closed" if reads else "not started")
    if reads == 2:
        with pytest.raises(ClosedError):
            await readings[1]


async def test_what_is_no_chunk_is_a_failure() -> None:
    with pytest.raises(BrokenError):
        await IterableSource(["text"]).read()


def to_function(gate: asyncio.Event) -> tuple[Writable, Received]:
    got: list[bytes] = []
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def function(chunk: bytes) -> None:
        await gate.wait()
        got.append(chunk)

    async def finish() -> None:
        finished.set_result(None)

    class Watched(FunctionSink):
        def _abandon(self, error: BaseException | None) -> None:
            finished.cancel()

    async def received() -> bytes:
        gate.set()
        await asyncio.wait({finished})
        if finished.cancelled():
            raise BrokenError
        return b"".join(got)

    return Watched(function, finish=finish), received


def set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_a_sink_from_a_function_keeps_the_contract() -> None:
    async def fails(_: bytes) -> None:
        raise ValueError("of the function's own")

    await check_writable(
        lambda: to_function(set_event()),
        clogged=lambda: to_function(asyncio.Event()),
        broken=lambda: FunctionSink(fails),
    )


async def test_the_function_is_awaited_with_one_chunk_at_a_time() -> None:
    got: list[bytes] = []

    async def function(chunk: bytes) -> None:
        await asyncio.sleep(0)
        got.append(chunk)

    assert await pipeline([b"one", b"two"], FunctionSink(function)) == 6
    assert got == [b"one", b"two"]
