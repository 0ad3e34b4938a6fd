"""Streams in memory."""

import asyncio

import pytest

from riverrun.errors import BrokenError, DisconnectedError, RefusedError
from riverrun.streams import MemorySink, Readable, Writable, collect, pipe, pipeline
from riverrun.testing import Received, check_readable, check_writable

WHOLE = bytes(range(200))


def filled_pipe() -> Readable:
    writer, reader = pipe()
    for number in range(0, len(WHOLE), 50):
        assert writer.try_write(WHOLE[number : number + 50])
    ending = asyncio.ensure_future(writer.end())
    ending.add_done_callback(lambda _: None)
    return reader


def broken_pipe() -> Readable:
    writer, reader = pipe()
    writer.try_write(WHOLE)
    writer.abort()
    return reader


def pipe_with_reader() -> tuple[Writable, Received]:
    writer, reader = pipe()
    return writer, lambda: collect(reader)


async def pipe_without_reader() -> Writable:
    writer, reader = pipe()
    await reader.aclose()
    return writer


def memory(high_water_mark: int | None = None) -> tuple[Writable, Received]:
    sink = MemorySink(high_water_mark)

    async def received() -> bytes:
        got = b""
        while sink._state.value in {"open", "ending"} or sink.value:
            got += sink.take()
            await asyncio.sleep(0)
        if sink._state.value == "aborted":
            raise BrokenError
        return got

    return sink, received


async def test_the_reader_of_a_pipe_keeps_the_contract() -> None:
    await check_readable(filled_pipe, clogged=lambda: pipe()[1], broken=broken_pipe)


async def test_the_writer_of_a_pipe_keeps_the_contract() -> None:
    await check_writable(pipe_with_reader, clogged=pipe_with_reader, broken=pipe_without_reader)


async def test_a_sink_in_memory_keeps_the_contract() -> None:
    await check_writable(memory, clogged=lambda: memory(200_000))


async def test_a_write_waits_while_the_pipe_is_at_its_high_water_mark() -> None:
    writer, reader = pipe(high_water_mark=10)
    await writer.write(b"12345")
    writing = asyncio.ensure_future(writer.write(b"67890"))
    await asyncio.sleep(0)
    assert not writing.done()
    assert await reader.read() == b"12345"
    await writing
    assert writer.try_write(b"x" * 100)
    assert not writer.try_write(b"y")
    await reader.aclose()


async def test_an_aborted_pipe_gives_what_came_before_and_then_breaks() -> None:
    writer, reader = pipe()
    await writer.write(b"chunk")
    cause = RuntimeError("why")
    writer.abort(cause)
    assert await reader.read() == b"chunk"
    with pytest.raises(BrokenError) as raised:
        await reader.read()
    assert raised.value.__cause__ is cause
    await reader.aclose()


async def test_closing_the_reader_fails_a_writer_that_waits() -> None:
    writer, reader = pipe(high_water_mark=1)
    writing = asyncio.ensure_future(writer.write(b"chunk"))
    await asyncio.sleep(0)
    await reader.aclose()
    with pytest.raises(DisconnectedError):
        await writing


async def test_closing_the_reader_of_an_ended_pipe_fails_nobody() -> None:
    writer, reader = pipe()
    await writer.write(b"chunk")
    await writer.end()
    await reader.aclose()
    await writer.end()


async def test_megabytes_through_a_small_pipe_hold_no_more_than_its_mark() -> None:
    writer, reader = pipe(high_water_mark=1000)
    most = 0

    async def watched() -> bytes:
        nonlocal most
        size = 0
        async for chunk in reader:
            most = max(most, reader._writer.buffer.size)  # type: ignore[attr-defined]
            size += len(chunk)
        return b"%d" % size

    moved, size = await asyncio.gather(
        pipeline((bytes(500) for _ in range(4000)), writer), watched()
    )
    assert (moved, size) == (2_000_000, b"2000000")
    assert most < 1000
    await reader.aclose()


async def test_a_sink_in_memory_gives_up_what_it_holds() -> None:
    sink = MemorySink()
    await sink.write(b"one")
    assert sink.take() == b"one"
    await sink.write(b"two")
    assert sink.value == b"two"
    await sink.end()


async def test_collect_reads_all_within_its_limit() -> None:
    assert await collect([b"one", b"two"], limit=6) == b"onetwo"
    with pytest.raises(RefusedError):
        await collect([b"one", b"two"], limit=5)
