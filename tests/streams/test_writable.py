"""What the base of sinks promises beyond the contract, which the conformance check tries."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from riverrun.errors import BrokenError, ClosedError, RefusedError
from riverrun.streams import BufferedSink, Sink
from riverrun.testing import Received, check_writable


class Slow(Sink):
    """Takes some turns of the loop for each chunk, or until its gate is opened."""

    def __init__(self, *, open_gate: bool = True) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        if open_gate:
            self.gate.set()
        self.chunks: list[bytes] = []
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def _accept(self, chunk: bytes) -> None:
        await self.gate.wait()
        for _ in range(3):
            await asyncio.sleep(0)
        self.chunks.append(chunk)

    async def _finish(self) -> None:
        await asyncio.sleep(0)
        self.outcome.set_result(None)

    def _abandon(self, error: BaseException | None) -> None:
        self.outcome.cancel()

    async def received(self) -> bytes:
        self.gate.set()
        try:
            await self.outcome
        except asyncio.CancelledError:
            raise BrokenError from None
        return b"".join(self.chunks)


class Failing(Slow):
    async def _accept(self, chunk: bytes) -> None:
        if len(self.chunks) == 2:
            raise OSError(28, "No space left on device", "/a/path")
        await super()._accept(chunk)


def slow() -> tuple[Sink, Received]:
    sink = Slow()
    return sink, sink.received


def clogged() -> tuple[Sink, Received]:
    sink = Slow(open_gate=False)
    return sink, sink.received


async def test_the_contract_is_kept() -> None:
    await check_writable(slow, clogged=clogged, broken=Failing)


async def started(call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.ensure_future(call)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def cancelled(call: Coroutine[Any, Any, None]) -> None:
    task = await started(call)
    task.cancel()
    await asyncio.wait({task})


async def test_what_a_cancelled_write_left_behind_comes_before_the_next_chunk() -> None:
    sink = Slow(open_gate=False)
    await cancelled(sink.write(b"first"))
    assert sink.try_write(b"refused") is False
    second = await started(sink.write(b"second"))
    sink.gate.set()
    await second
    await sink.end()
    assert sink.chunks == [b"first", b"second"]


async def test_a_chunk_is_written_as_it_was_when_it_was_given() -> None:
    sink = Slow(open_gate=False)
    chunk = bytearray(b"before")
    await cancelled(sink.write(chunk))
    chunk[:] = b"after!"
    await asyncio.gather(sink.received(), sink.end())
    assert sink.chunks == [b"before"]


async def test_the_failure_of_a_cancelled_write_is_raised_by_the_next_call() -> None:
    sink = Failing()
    await sink.write(b"1")
    await sink.write(b"2")
    await cancelled(sink.write(b"3"))
    for call in (sink.write(b"4"), sink.end()):
        with pytest.raises(BrokenError, match=r"^No space left on device$"):
            await call
    assert sink.outcome.cancelled()


async def test_several_may_wait_for_the_end() -> None:
    sink = Slow()
    await asyncio.gather(sink.end(), sink.end())
    await sink.end()


async def test_a_cancelled_end_goes_on_and_can_be_waited_for_again_or_aborted() -> None:
    for abort in (False, True):
        sink = Slow(open_gate=False)
        writing = await started(sink.write(b"chunk"))
        await cancelled(sink.end())
        with pytest.raises(ClosedError):
            await writing
        if abort:
            sink.abort()
            with pytest.raises(ClosedError):
                await sink.end()
        else:
            sink.gate.set()
            await sink.end()
            assert sink.chunks == [b"chunk"]


async def test_an_abort_while_the_end_is_waited_for_wins() -> None:
    sink = Slow(open_gate=False)
    writing = await started(sink.write(b"chunk"))
    ending = await started(sink.end())
    sink.abort()
    for call in (writing, ending):
        with pytest.raises(ClosedError):
            await call
    assert sink.outcome.cancelled()


async def test_an_end_that_fails_is_a_failure_that_stays() -> None:
    class Unfinished(Slow):
        async def _finish(self) -> None:
            raise OSError(5, "Input/output error")

    sink = Unfinished()
    for _ in range(2):
        with pytest.raises(BrokenError):
            await sink.end()
    with pytest.raises(BrokenError):
        await sink.write(b"chunk")
    sink.abort()
    assert sink.outcome.cancelled()


async def test_our_own_exceptions_are_raised_as_they_are() -> None:
    class Limited(Slow):
        def _try_accept(self, chunk: bytes) -> bool:
            raise RefusedError("everything", 0)

    sink = Limited()
    for _ in range(2):
        with pytest.raises(RefusedError):
            await sink.write(b"chunk")


class NeverDrained(BufferedSink):
    def _try_accept(self, chunk: bytes) -> bool:
        return False

    def _full(self) -> bool:
        return True


@pytest.mark.parametrize("incomplete", [Sink, BufferedSink, NeverDrained])
def test_a_sink_that_does_not_say_how_it_accepts_cannot_be_made(incomplete: type[Sink]) -> None:
    with pytest.raises(TypeError, match="abstract"):
        incomplete()


@pytest.mark.parametrize("wrong", ["text", 5])
async def test_what_is_no_chunk_is_refused_and_changes_nothing(wrong: Any) -> None:
    sink = Slow()
    with pytest.raises(TypeError):
        await sink.write(wrong)
    await sink.end()
    assert sink.chunks == []
