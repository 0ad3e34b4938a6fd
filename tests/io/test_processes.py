"""Processes as sources and sinks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from riverrun.errors import BrokenError
from riverrun.io import ProcessSource, processes, read_process, write_process
from riverrun.streams import Readable, Writable, collect, pipeline
from riverrun.testing import Received, check_readable, check_writable

WHOLE = b"x" * 100_000


async def test_what_a_process_prints_keeps_the_contract() -> None:
    async def whole() -> Readable:
        return await read_process("head", "-c", "100000", "/dev/zero")

    async def silent() -> Readable:
        return await read_process("sleep", "100")

    async def failing() -> Readable:
        return await read_process("sh", "-c", "echo some; exit 3")

    await check_readable(whole, clogged=silent, broken=failing)


async def test_what_a_process_is_fed_keeps_the_contract(tmp_path: Path) -> None:
    count = 0

    async def fed() -> tuple[Writable, Received]:
        nonlocal count
        count += 1
        begin, arrived = tmp_path / f"begin{count}", tmp_path / f"arrived{count}"
        # Reads nothing until it is told to, so that its pipe can be filled.
        script = f"until test -e {begin}; do sleep 0.01; done; exec cat > {arrived}"
        sink = await write_process("sh", "-c", script)

        async def received() -> bytes:
            begin.touch()
            if await sink.process.wait():
                raise BrokenError
            return arrived.read_bytes()

        return sink, received

    async def failing() -> Writable:
        return await write_process("sh", "-c", "exit 3")

    await check_writable(fed, clogged=fed, broken=failing)


async def test_a_process_that_fails_after_its_output_breaks_the_stream() -> None:
    source = await read_process("sh", "-c", "echo some; exit 3")
    assert await source.read() == b"some\n"
    with pytest.raises(BrokenError, match="exit status 3"):
        await source.read()
    await source.aclose()


async def test_a_process_killed_by_a_signal_breaks_the_stream() -> None:
    with pytest.raises(BrokenError, match="signal 9"):
        await collect(await read_process("sh", "-c", "kill -9 $$"))


async def test_a_process_that_dies_while_it_is_fed_says_how_it_ended() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"chunk" * 1000

    with pytest.raises(BrokenError, match="exit status 3"):
        await pipeline(endless(), await write_process("sh", "-c", "head -c 10; exit 3", stdout=-3))


async def test_a_process_that_fails_at_the_end_of_its_input_says_so() -> None:
    with pytest.raises(BrokenError, match="exit status 3"):
        await pipeline([b"chunk"], await write_process("sh", "-c", "cat > /dev/null; exit 3"))


async def test_a_process_may_end_well_without_reading_everything() -> None:
    sink = await write_process("true")
    await sink.process.wait()
    await sink.end()


async def test_closing_the_source_ends_the_process() -> None:
    source = await read_process("yes")
    assert (await source.read()).startswith(b"y\n")
    await source.aclose()
    assert source.process.returncode is not None


async def stubborn() -> ProcessSource:
    source = await read_process("sh", "-c", "trap '' TERM; echo deaf; exec sleep 100")
    assert await source.read() == b"deaf\n"
    return source


async def test_a_process_that_does_not_end_is_killed_after_a_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.01)
    source = await stubborn()
    await source.aclose()
    assert source.process.returncode == -9


async def test_a_process_is_killed_when_its_closing_is_cancelled() -> None:
    source = await stubborn()
    closing = asyncio.ensure_future(source.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert await source.process.wait() == -9


async def test_a_process_that_cannot_be_started_is_told_and_leaves_nothing_open() -> None:
    with pytest.raises(FileNotFoundError):
        await read_process("/no/such/program")
    with pytest.raises(FileNotFoundError):
        await write_process("/no/such/program")


async def test_aborting_the_sink_kills_the_process() -> None:
    sink = await write_process("cat", stdout=-3)
    sink.abort()
    assert await sink.process.wait() == -9


async def test_the_input_of_a_read_process_is_empty() -> None:
    assert await collect(await read_process("cat")) == b""
