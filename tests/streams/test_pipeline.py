"""The four rules of a pipeline, with each part failing at each moment."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from riverrun.errors import BrokenError
from riverrun.streams import (
    FileRegion,
    IterableSource,
    MemorySink,
    Sink,
    Source,
    Transform,
    Writable,
    pipe,
    pipeline,
)

CHUNKS = [b"river", b"", b"run, ", b"past Eve"]
WHOLE = b"riverrun, past Eve"


class BoomError(Exception):
    pass


class Log(list[str]):
    """What happened, in order."""


class LoggedSource(Source):
    def __init__(self, log: Log, fails_at: int | None = None) -> None:
        super().__init__()
        self.log = log
        self.fails_at = fails_at
        self.count = 0

    async def _fetch(self, max_bytes: int | None) -> bytes:
        if self.count == self.fails_at:
            raise BrokenError("source")
        self.count += 1
        return b"%d" % self.count if self.count <= 3 else b""

    async def _release(self) -> None:
        self.log.append("source closed")


class LoggedSink(Sink):
    def __init__(self, log: Log, fails_at: int | None = None) -> None:
        super().__init__()
        self.log = log
        self.fails_at = fails_at
        self.chunks: list[bytes] = []

    async def _accept(self, chunk: bytes) -> None:
        if len(self.chunks) == self.fails_at:
            raise BrokenError("sink")
        self.chunks.append(chunk)

    async def _finish(self) -> None:
        if len(self.chunks) == self.fails_at:
            raise BrokenError("sink")
        self.log.append("sink ended")

    def _abandon(self, error: BaseException | None) -> None:
        self.log.append(f"sink aborted: {error}")


def logged(log: Log, name: str, fails_at: int | None = None) -> Transform[bytes, bytes]:
    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        count = 0
        try:
            async for chunk in chunks:
                if count == fails_at:
                    raise BoomError(name)
                count += 1
                yield chunk
            if count == fails_at:
                raise BoomError(name)
        finally:
            log.append(f"{name} closed")

    return transform


async def generated() -> AsyncIterator[bytes]:
    for chunk in CHUNKS:
        yield chunk


async def upper(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk.upper()


@pytest.mark.parametrize(
    "make_source",
    [
        generated,
        lambda: CHUNKS,
        lambda: iter(CHUNKS),
        lambda: (chunk for chunk in CHUNKS),
        lambda: IterableSource(CHUNKS),
        lambda: WHOLE,
        lambda: bytearray(WHOLE),
        lambda: memoryview(WHOLE),
        lambda: [bytearray(b"river"), memoryview(b"run, past Eve")],
    ],
)
async def test_any_source_of_chunks_reaches_the_sink(make_source: Callable[[], Any]) -> None:
    sink = MemorySink()
    assert await pipeline(make_source(), sink) == len(WHOLE)
    assert sink.value == WHOLE


async def test_transforms_are_applied_from_left_to_right_and_the_count_is_what_the_sink_got() -> (
    None
):
    async def exclaim(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk + b"e!"

    sink = MemorySink()
    assert await pipeline([b"a", b"b"], exclaim, upper, sink) == 6
    assert sink.value == b"AE!BE!"


@pytest.mark.parametrize(
    ("stages", "blamed"),
    [
        ((), "the last stage"),
        ((upper,), "the last stage"),
        ((MemorySink(), MemorySink()), "a transform"),
        ((b"chunks", MemorySink()), "a transform"),
    ],
)
async def test_stages_that_make_no_pipeline_are_refused(stages: Any, blamed: str) -> None:
    with pytest.raises(TypeError, match=blamed):
        await pipeline([], *stages)


async def test_the_end_of_the_source_ends_the_sink_and_closes_downstream_first() -> None:
    log = Log()
    await pipeline(LoggedSource(log), logged(log, "first"), logged(log, "last"), LoggedSink(log))
    assert log == ["first closed", "last closed", "sink ended", "source closed"]


@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize("transforms", [0, 1, 2])
async def test_the_failure_of_the_source_aborts_the_sink(moment: int, transforms: int) -> None:
    log = Log()
    between = [logged(log, f"transform {number}") for number in range(transforms)]
    sink = LoggedSink(log)
    with pytest.raises(BrokenError, match="source"):
        await pipeline(LoggedSource(log, fails_at=moment), *between, sink)
    assert len(sink.chunks) == moment
    assert set(log) == {
        "sink aborted: source",
        "source closed",
        *(f"transform {number} closed" for number in range(transforms)),
    }


@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize("failing", ["first", "last"])
async def test_the_failure_of_a_transform_aborts_the_sink_and_closes_the_source(
    moment: int, failing: str
) -> None:
    log = Log()
    between = [
        logged(log, name, fails_at=moment if name == failing else None)
        for name in ("first", "last")
    ]
    with pytest.raises(BoomError, match=failing):
        await pipeline(LoggedSource(log), *between, LoggedSink(log))
    assert sorted(log) == [
        "first closed",
        "last closed",
        f"sink aborted: {failing}",
        "source closed",
    ]


@pytest.mark.parametrize("moment", range(4))
async def test_the_failure_of_the_sink_closes_the_source(moment: int) -> None:
    log = Log()
    sink = LoggedSink(log, fails_at=moment)
    with pytest.raises(BrokenError, match="sink"):
        await pipeline(LoggedSource(log), logged(log, "first"), logged(log, "last"), sink)
    assert len(sink.chunks) == moment
    assert sorted(log) == ["first closed", "last closed", "sink aborted: sink", "source closed"]
    if moment < 3:  # while all of them were still at it
        assert log[1:] == ["last closed", "first closed", "source closed"]


async def test_a_transform_that_cannot_be_made_aborts_the_sink_and_closes_the_source() -> None:
    log = Log()

    def unmakeable(_: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        raise BoomError

    with pytest.raises(BoomError):
        await pipeline(LoggedSource(log), logged(log, "unstarted"), unmakeable, LoggedSink(log))
    assert log == ["sink aborted: ", "source closed"]


async def test_a_source_that_is_no_source_aborts_the_sink() -> None:
    log = Log()
    with pytest.raises(TypeError):
        await pipeline(5, LoggedSink(log))  # type: ignore[arg-type]
    assert len(log) == 1


class Waiting:
    """Marks where a pipeline waits, so that it can be cancelled there."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def forever(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()


async def run_until(waiting: Waiting, running: asyncio.Task[int]) -> None:
    await waiting.reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_cancel_while_the_source_is_waited_for_closes_both() -> None:
    log, waiting = Log(), Waiting()

    class Stuck(LoggedSource):
        async def _fetch(self, max_bytes: int | None) -> bytes:
            await waiting.forever()
            return b""

    running = asyncio.ensure_future(pipeline(Stuck(log), logged(log, "transform"), LoggedSink(log)))
    await run_until(waiting, running)
    assert log == ["transform closed", "sink aborted: ", "source closed"]


async def test_a_cancel_while_a_transform_waits_closes_both() -> None:
    log, waiting = Log(), Waiting()

    async def stuck(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            await waiting.forever()
            yield chunk

    running = asyncio.ensure_future(
        pipeline(LoggedSource(log), logged(log, "transform"), stuck, LoggedSink(log))
    )
    await run_until(waiting, running)
    assert log == ["sink aborted: ", "transform closed", "source closed"]


@pytest.mark.parametrize("moment", ["accept", "finish"])
async def test_a_cancel_while_the_sink_is_waited_for_closes_both(moment: str) -> None:
    log, waiting = Log(), Waiting()

    class Stuck(LoggedSink):
        async def _accept(self, chunk: bytes) -> None:
            if moment == "accept":
                await waiting.forever()

        async def _finish(self) -> None:
            await waiting.forever()

    running = asyncio.ensure_future(
        pipeline(LoggedSource(log), logged(log, "transform"), Stuck(log))
    )
    await run_until(waiting, running)
    assert sorted(log) == ["sink aborted: ", "source closed", "transform closed"]


async def test_the_first_error_wins_over_those_of_the_closing() -> None:
    closed = []

    async def bad_to_close(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            closed.append("transform")
            raise BoomError("while closing")

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"chunk"
        finally:
            closed.append("source")

    with pytest.raises(BrokenError, match="sink"):
        await pipeline(source(), bad_to_close, LoggedSink(Log(), fails_at=0))
    assert closed == ["transform", "source"]


async def test_an_error_of_the_closing_alone_is_raised() -> None:
    class BadToClose(LoggedSource):
        async def _release(self) -> None:
            raise BoomError

    with pytest.raises(BoomError):
        await pipeline(BadToClose(Log()), MemorySink())


async def test_a_transform_that_ends_early_ends_the_sink_and_closes_what_is_above_it() -> None:
    log = Log()

    async def first(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk
            return

    sink = LoggedSink(log)
    assert await pipeline(LoggedSource(log), logged(log, "above"), first, sink) == 1
    assert log == ["sink ended", "above closed", "source closed"]


async def test_a_synchronous_generator_is_closed() -> None:
    closed = []

    def chunks() -> Any:
        try:
            while True:
                yield b"chunk"
        finally:
            closed.append(True)

    with pytest.raises(BrokenError):
        await pipeline(chunks(), LoggedSink(Log(), fails_at=3))
    assert closed == [True]


async def test_the_slowest_part_sets_the_pace() -> None:
    fetched = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal fetched
        while True:
            fetched += 1
            yield b"chunk"

    writer, reader = pipe(high_water_mark=10)
    running = asyncio.ensure_future(pipeline(endless(), upper, writer))
    for _ in range(50):
        await asyncio.sleep(0)
    assert fetched == 2
    assert await reader.read() == b"CHUNK"
    for _ in range(50):
        await asyncio.sleep(0)
    assert fetched == 3
    await reader.aclose()
    with pytest.raises(BrokenError):
        await running


@pytest.mark.parametrize("chunk", [bytes(64 * 1024), b"x"])
async def test_others_have_their_turn_although_neither_end_waits(chunk: bytes) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.ensure_future(other())
    await pipeline((chunk for _ in range(5000)), MemorySink())
    running.cancel()
    assert turns >= 4


class InAFile(LoggedSource):
    def region(self) -> FileRegion | None:
        return FileRegion(7, 1, 100)


class TakesRegions(LoggedSink):
    def __init__(self, log: Log, error: Exception | None = None) -> None:
        super().__init__(log)
        self.error = error

    async def write_region(self, region: FileRegion) -> None:
        if self.error is not None:
            raise self.error
        self.log.append(f"region of {region.length}")


async def test_a_file_region_goes_past_python() -> None:
    log = Log()
    assert await pipeline(InAFile(log), TakesRegions(log)) == 100
    assert log == ["region of 100", "sink ended", "source closed"]


async def test_a_region_that_fails_aborts_the_sink_and_closes_the_source() -> None:
    log = Log()
    with pytest.raises(BrokenError):
        await pipeline(InAFile(log), TakesRegions(log, BrokenError("short")))
    assert log == ["sink aborted: short", "source closed"]


class InNoFile(InAFile):
    def region(self) -> None:
        return None


@pytest.mark.parametrize(
    ("source", "sink", "transforms"),
    [
        (InNoFile, TakesRegions, []),
        (InAFile, TakesRegions, [upper]),
        (InAFile, LoggedSink, []),
        (LoggedSource, TakesRegions, []),
    ],
)
async def test_without_a_region_or_with_a_transform_the_bytes_go_chunk_by_chunk(
    source: type[LoggedSource], sink: type[LoggedSink], transforms: list[Any]
) -> None:
    log = Log()
    writable: Writable = sink(log)
    assert await pipeline(source(log), *transforms, writable) == 3
    assert log == ["sink ended", "source closed"]
