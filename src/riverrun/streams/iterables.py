"""Streams out of what Python already has: an iterable as a source, a function as a sink."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from riverrun.streams.lifecycle import owned
from riverrun.streams.pipeline import AnySource, iterate
from riverrun.streams.readable import Source
from riverrun.streams.writable import Sink


class IterableSource(Source):
    """A `Readable` of the chunks of an iterable, asynchronous or not; bytes are one chunk.

    Each chunk of an asynchronous iterable is fetched in a task of its own. Closing the source
    closes a generator, where it stands. An exception of the iterable is raised by `read` as a
    `BrokenError` whose cause it is.
    """

    def __init__(self, iterable: AnySource) -> None:
        super().__init__()
        self._chunks = iterate(iterable)

    async def _fetch(self, max_bytes: int | None) -> bytes:  # noqa: ARG002
        async for chunk in self._chunks:
            if chunk:
                return owned(chunk)
        return b""

    async def _release(self) -> None:
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


class FunctionSink(Sink):
    """A `Writable` that awaits `function` with every chunk, and `finish` at its end."""

    def __init__(
        self,
        function: Callable[[bytes], Awaitable[object]],
        *,
        finish: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__()
        self._function = function
        self._at_end = finish

    async def _accept(self, chunk: bytes) -> None:
        await self._function(chunk)

    async def _finish(self) -> None:
        if self._at_end is not None:
            await self._at_end()
