"""Reading a log from an offset on, and what comes; for every engine.

At the tail a reader is handed the chunk that all are handed. Whoever was too slow for that reads
what was stored, at its own pace, until it is at the tail again.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing

from riverrun.io.threads import in_thread
from riverrun.logs.contracts import Log, LogInfo
from riverrun.logs.errors import LogGoneError, OffsetError
from riverrun.streams import Source
from riverrun.streams.contracts import FileRegion

CHUNK_SIZE = 64 * 1024


class LogReader(Source):
    """A `Readable` of a log; see `Log.read`. `offset` is where the next fetch begins."""

    def __init__(self, log: Log, offset: int | None = None) -> None:
        super().__init__()
        info = log.info
        self.offset = info.start if offset is None else offset
        if not info.start <= self.offset <= info.tail:
            raise OffsetError(self.offset, info.start, info.tail)
        self._log = log
        self._grown: asyncio.Future[None] | None = None

    def _try_fetch(self, max_bytes: int | None) -> bytes | None:  # noqa: ARG002 - the base keeps
        info = self._check()
        if self.offset < info.tail:
            chunk = self._log.shared_chunk(self.offset)
            if chunk is not None:
                self.offset += len(chunk)
            return chunk
        return b"" if info.closed else None

    async def _fetch(self, max_bytes: int | None) -> bytes:
        # It may have changed since this was begun, as a task of its own.
        while (chunk := self._try_fetch(max_bytes)) is None and self.offset == self._log.info.tail:
            await self._wait()
        if chunk is not None:
            return chunk
        chunk = await read_some(self._log, self.offset, min(max_bytes or CHUNK_SIZE, CHUNK_SIZE))
        self.offset += len(chunk)
        return chunk

    async def _wait(self) -> None:
        self._grown = asyncio.get_running_loop().create_future()
        self._log.watch(self._wake)
        try:
            await self._grown
        finally:
            self._log.unwatch(self._wake)

    def _check(self) -> LogInfo:
        info = self._log.info
        if self._log.gone or self.offset < info.start:
            raise LogGoneError
        return info

    def _wake(self) -> None:
        if self._grown is not None and not self._grown.done():
            self._grown.set_result(None)


async def read_some(log: Log, offset: int, size: int) -> bytes:
    """Some of what lies between `offset` and the tail: at least a byte, at most `size`.

    Raises `LogGoneError` when it is not kept any more.
    """
    async with aclosing(log.slices(offset, min(offset + size, log.info.tail))) as slices:
        async for piece in slices:
            return await _bytes_of(piece)
    raise LogGoneError


async def read_range(log: Log, start: int, stop: int) -> bytes:
    """All that lies between two offsets, in memory. Raises `LogGoneError` as `read_some`."""
    async with aclosing(log.slices(start, stop)) as slices:
        return b"".join([await _bytes_of(piece) async for piece in slices])


async def _bytes_of(piece: FileRegion | bytes) -> bytes:
    if isinstance(piece, bytes):
        return piece
    # To its end: the region is not the file's any more once this was cancelled.
    chunk = await in_thread(lambda: os.pread(piece.descriptor, piece.length, piece.offset))
    if len(chunk) < piece.length:
        raise LogGoneError
    return chunk
