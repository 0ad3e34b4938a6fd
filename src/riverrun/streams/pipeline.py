"""A source, its transforms and a sink, run to the end or torn down together.

Four rules:

- the source's end ends the sink;
- the failure of the source, or of a transform, aborts the sink;
- the sink's failure closes the source;
- a cancel does both.

The first error wins and is raised; nothing is left open. The sink pulls: a chunk is fetched when
there is room for it, so the slowest part sets the pace and nothing piles up in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeAlias, TypeVar

from riverrun.streams.contracts import Chunk, Pace, RegionSink, RegionSource, Writable

In = TypeVar("In")
Out = TypeVar("Out")

Transform: TypeAlias = Callable[[AsyncIterator[In]], AsyncIterator[Out]]
"""An async generator function from chunks to chunks (or from objects to objects)."""

AnySource: TypeAlias = AsyncIterable[Any] | Iterable[Any]
"""A Readable, or any iterable of chunks (of objects, where a transform takes objects)."""

FAIR_SHARE = 1024 * 1024
"""How many bytes a pipeline moves before others have their turn."""

LEAST_COST = 1024
"""What a chunk costs of that share, however small it is."""

Closer: TypeAlias = Callable[[], Awaitable[None]]
Write: TypeAlias = Callable[[Any], Awaitable[None]]


async def pipeline(
    source: AnySource, *stages: Transform[Any, Any] | Writable, flow: Pace | None = None
) -> int:
    """Move all of `source` through the transforms into the sink, the last of `stages`.

    `source` is a `Readable` or any iterable of chunks, asynchronous or not. Returns the number of
    bytes that reached the sink. When source and sink know file regions and no transform stands
    between them, the bytes do not pass through Python.

    A `flow` (`riverrun.Flows.open`) counts what reaches the sink, and may pause, limit and cancel
    it; a chunk that it lets pass only in part is written in parts. Whoever opened it closes it.

    Raises the first error of any part; the others are dropped. A cancel leaves the source closed
    and the sink aborted.
    """
    transforms, sink = _staged(stages)
    closers: list[Closer] = []  # upstream first
    try:
        chunks = iterate(source)
        _note_closer(chunks, closers)
        moved = None if transforms or flow else await _move_region(source, sink)
        if moved is None:
            moved = await _move_chunks(chunks, transforms, _flowing(sink, flow), closers)
        await sink.end()
    except BaseException as error:
        sink.abort(error)
        await _close(closers)
        raise
    failure = await _close(closers)
    if failure is not None:
        raise failure
    return moved


def _staged(
    stages: tuple[Transform[Any, Any] | Writable, ...],
) -> tuple[list[Transform[Any, Any]], Writable]:
    *transforms, sink = stages or (None,)
    if not isinstance(sink, Writable):
        raise TypeError(f"the last stage of a pipeline must be a Writable, not {sink!r}")
    checked: list[Transform[Any, Any]] = []
    for transform in transforms:
        if isinstance(transform, Writable) or not callable(transform):
            raise TypeError(f"a transform must be an async generator function, not {transform!r}")
        checked.append(transform)
    return checked, sink


async def _move_region(source: AnySource, sink: Writable) -> int | None:
    """Move the whole of `source` as a file region, or return None if it must go by chunks."""
    if not (isinstance(sink, RegionSink) and isinstance(source, RegionSource)):
        return None
    region = source.region()
    if region is None:
        return None
    await sink.write_region(region)
    return region.length


async def _move_chunks(
    chunks: AsyncIterator[Any],
    transforms: list[Transform[Any, Any]],
    write: Write,
    closers: list[Closer],
) -> int:
    for transform in transforms:
        chunks = transform(chunks)
        _note_closer(chunks, closers)
    moved = 0
    share = FAIR_SHARE
    async for chunk in chunks:
        if not chunk:
            continue
        await write(chunk)
        moved += len(chunk)
        share -= max(len(chunk), LEAST_COST)
        if share <= 0:
            # When neither end ever has to wait, nobody else on this loop would have a turn.
            await asyncio.sleep(0)
            share = FAIR_SHARE
    return moved


def _flowing(sink: Writable, flow: Pace | None) -> Write:
    """Write to `sink` as `flow` lets."""
    if flow is None:
        return sink.write

    async def write(chunk: Chunk) -> None:
        if flow.free:
            await sink.write(chunk)
            flow.moved += len(chunk)
            return
        rest = memoryview(chunk).cast("B")
        while rest:
            granted = await flow.turn(len(rest))
            await sink.write(rest[:granted])
            flow.moved += granted
            rest = rest[granted:]

    return write


def iterate(source: AnySource) -> AsyncIterator[Any]:
    """Return an asynchronous iterator over the chunks of any source; bytes are one chunk."""
    if isinstance(source, AsyncIterable):
        return aiter(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = (source,)
    return _Stepped(iter(source))


class _Stepped(AsyncIterator[Any]):
    """An ordinary iterator as an asynchronous one."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator

    async def __anext__(self) -> Any:
        for chunk in self._iterator:
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()


def _note_closer(part: object, closers: list[Closer]) -> None:
    closer = getattr(part, "aclose", None)
    if closer is not None:
        closers.append(closer)


async def _close(closers: list[Closer]) -> BaseException | None:
    """Close everything, downstream first, whatever goes wrong; return what went wrong first."""
    first: BaseException | None = None
    while closers:
        try:
            await closers.pop()()
        except BaseException as error:  # noqa: BLE001  the rest must be closed, too
            first = first or error
    return first
