"""Streams in memory: a sink that keeps what it is given, and a pipe between two tasks."""

from __future__ import annotations

from riverrun.errors import BrokenError, DisconnectedError, RefusedError
from riverrun.streams.buffer import ByteBuffer
from riverrun.streams.contracts import Readable, Writable
from riverrun.streams.lifecycle import Wakeup
from riverrun.streams.pipeline import AnySource, pipeline
from riverrun.streams.readable import Source
from riverrun.streams.writable import BufferedSink

DEFAULT_HIGH_WATER_MARK = 64 * 1024


class MemorySink(BufferedSink):
    """A `Writable` that keeps what it is given, until it is taken.

    With a `high_water_mark`, in bytes, writes wait while it holds that many or more. With a
    `limit`, it fails with `RefusedError` rather than hold more.
    """

    def __init__(self, high_water_mark: int | None = None, *, limit: int | None = None) -> None:
        super().__init__()
        self.high_water_mark = high_water_mark
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0
        self._taken = Wakeup()

    @property
    def value(self) -> bytes:
        """What it holds."""
        return b"".join(self._chunks)

    def take(self) -> bytes:
        """Return what it holds and forget it, which makes room."""
        value = self.value
        self._chunks.clear()
        self._size = 0
        self._taken.call()
        return value

    def _full(self) -> bool:
        return self.high_water_mark is not None and self._size >= self.high_water_mark

    def _try_accept(self, chunk: bytes) -> bool:
        if self._limit is not None and self._size + len(chunk) > self._limit:
            raise RefusedError("the number of bytes held in memory", self._limit)
        if self._full():
            return False
        self._chunks.append(chunk)
        self._size += len(chunk)
        return True

    async def _drain(self) -> None:
        while self._full():
            await self._taken.wait()


async def collect(source: AnySource, *, limit: int | None = None) -> bytes:
    """Read all of `source` into memory, and close it.

    Raises `RefusedError` when it has more than `limit` bytes.
    """
    sink = MemorySink(limit=limit)
    await pipeline(source, sink)
    return sink.value


def pipe(high_water_mark: int = DEFAULT_HIGH_WATER_MARK) -> tuple[Writable, Readable]:
    """Return the two ends of a pipe: what is written to the first is read from the second.

    A write waits while `high_water_mark` bytes wait to be read, until half of them have been.
    `end` returns at once; what was written may still be read. An abort is raised by reads, once
    what came before it has been read, as a `BrokenError`; closing the reader makes writes raise
    `DisconnectedError`.
    """
    writer = _PipeWriter(high_water_mark)
    return writer, _PipeReader(writer)


class _PipeWriter(BufferedSink):
    def __init__(self, high_water_mark: int) -> None:
        super().__init__()
        self._room = Wakeup()
        self._clogged = False
        self.buffer = ByteBuffer(high_water_mark, pause=self._clog, resume=self._unclog)

    def disconnect(self) -> None:
        """The reader is gone, and what it has not read with it."""
        self.buffer.clear()
        self._fail(DisconnectedError("the reader was closed"))

    def _clog(self) -> None:
        self._clogged = True

    def _unclog(self) -> None:
        self._clogged = False
        self._room.call()

    def _full(self) -> bool:
        return self._clogged

    def _try_accept(self, chunk: bytes) -> bool:
        if self._clogged:
            return False
        self.buffer.feed(chunk)
        return True

    async def _drain(self) -> None:
        while self._clogged:
            await self._room.wait()

    async def _finish(self) -> None:
        self.buffer.feed_end()

    def _abandon(self, error: BaseException | None) -> None:
        failure = BrokenError("the writer aborted")
        failure.__cause__ = error
        self.buffer.fail(failure)


class _PipeReader(Source):
    def __init__(self, writer: _PipeWriter) -> None:
        super().__init__()
        self._writer = writer

    def _try_fetch(self, max_bytes: int | None) -> bytes | None:
        return self._writer.buffer.read_nowait(max_bytes)

    async def _fetch(self, max_bytes: int | None) -> bytes:
        return await self._writer.buffer.read(max_bytes)

    async def _release(self) -> None:
        self._writer.disconnect()
