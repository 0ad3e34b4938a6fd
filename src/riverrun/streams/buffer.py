"""The byte buffer between a producer that cannot wait and a consumer that can.

A producer that is a callback (a parser, a transport) cannot be made to wait by an ``await``, so it
is told: above the high-water mark `pause` is called, at the low-water mark `resume`. Between the
two nothing is called, so a consumer that takes small bites does not switch the producer on and off
with every one. The buffer pauses its producer rather than cap what it accepts: bytes that have
already arrived have nowhere else to go.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from riverrun.errors import BusyError
from riverrun.streams.budget import BufferBudget
from riverrun.streams.lifecycle import Wakeup


class ByteBuffer:
    """A queue of chunks with a high and a low mark, in bytes.

    The producer calls `feed`, `feed_end` and `fail`; one consumer awaits `read`.
    """

    __slots__ = (
        "_budget",
        "_chunks",
        "_ended",
        "_error",
        "_held",
        "_least",
        "_lent",
        "_offset",
        "_pause",
        "_paused",
        "_resume",
        "_wakeup",
        "high_water_mark",
        "low_water_mark",
        "size",
    )

    def __init__(
        self,
        high_water_mark: int,
        *,
        pause: Callable[[], None],
        resume: Callable[[], None],
        low_water_mark: int | None = None,
        budget: BufferBudget | None = None,
    ) -> None:
        if high_water_mark < 1:
            raise ValueError(f"high_water_mark must be positive, not {high_water_mark}")
        self.high_water_mark = high_water_mark
        self.low_water_mark = high_water_mark // 2 if low_water_mark is None else low_water_mark
        self.size = 0
        self._budget = budget
        self._pause = pause
        self._resume = resume
        self._paused = False
        self._held = False
        self._least = 0
        self._lent = 0
        self._chunks: deque[bytes] | None = None  # an empty one takes 760 bytes
        self._offset = 0  # how much of the first chunk has been read
        self._ended = False
        self._error: BaseException | None = None
        self._wakeup = Wakeup()

    @property
    def ended(self) -> bool:
        """Whether the producer has finished; chunks may still wait to be read."""
        return self._ended

    def feed(self, chunk: bytes) -> None:
        """Add a chunk; pauses the producer when that reaches the high-water mark."""
        if not chunk:
            return
        if self._chunks is None:
            self._chunks = deque()
        self._chunks.append(chunk)
        self._count(len(chunk))
        if self.size >= self.high_water_mark:
            self._pause_producer()
        if self.size >= self._least:
            self._wakeup.call()

    def feed_end(self) -> None:
        """No chunk will follow."""
        self._ended = True
        self._wakeup.call()

    def fail(self, error: BaseException) -> None:
        """No chunk will follow: reads give what has come, and then raise `error` ever after."""
        if self._error is None and not self._ended:
            self._error = error
            self._wakeup.call()

    def hold(self) -> None:
        """Pause the producer however little waits, until `release`; what waits may be read."""
        self._held = True
        self._pause_producer()

    def release(self) -> None:
        """Let the producer go on once what waits is down to the low-water mark."""
        self._held = False
        self._resume_at_low_water()

    def clear(self) -> None:
        """Drop what waits or was lent, and let the producer go on if it was paused."""
        self._chunks = None
        self._offset = 0
        self._count(-self.size)
        self.settle()
        self._resume_at_low_water()

    async def read(self, max_bytes: int | None = None) -> bytes:
        """Return the next chunk, at most `max_bytes` of it; ``b""`` at the end.

        Raises `BusyError` when another task is already waiting. A cancel loses nothing.
        """
        while (chunk := self.read_nowait(max_bytes)) is None:
            await self._wakeup.wait()
        return chunk

    def read_nowait(self, max_bytes: int | None = None) -> bytes | None:
        """Return what `read` would, or None if it would have to wait."""
        if max_bytes is not None and max_bytes < 1:
            raise ValueError(f"max_bytes must be at least 1, not {max_bytes}")
        if self._wakeup.waiting:
            raise BusyError("another task is reading")
        if self._chunks:
            return self._take(self._chunks, max_bytes)
        if self._error is not None:
            raise self._error
        return b"" if self._ended else None

    @property
    def readable(self) -> bool:
        """Whether `read` would not have to wait."""
        return bool(self._chunks) or self._ended or self._error is not None

    def wait(self) -> Awaitable[None]:
        """Wait until the producer has fed, ended or failed, once; for when it is not `readable`.

        Raises `BusyError` as `read` does.
        """
        return self._wakeup.wait()

    async def gather(self, least: int, patience: float) -> None:
        """Wait until `least` bytes wait to be read, `patience` seconds at most.

        Nothing is waited for behind an end or a failure. Raises `BusyError` as `read` does.
        """
        self._least = min(least, self.high_water_mark)
        if self.size >= self._least or self._ended or self._error is not None:
            self._least = 0
            return
        timer = asyncio.get_running_loop().call_later(patience, self._wakeup.call)
        try:
            await self._wakeup.wait()
        finally:
            timer.cancel()
            self._least = 0

    def take_all(self) -> list[bytes]:
        """Return every chunk that waits, maybe none."""
        if not self._chunks:
            return []
        chunks = list(self._chunks)
        if self._offset:
            chunks[0] = chunks[0][self._offset :]
        self.clear()
        return chunks

    def lend(self, size: int) -> None:
        """Have `size` bytes that were taken count in the budget until `settle`: they are in use."""
        self._lent += size
        if self._budget is not None:
            self._budget.add(size)

    def settle(self) -> None:
        """What was lent is in use no more."""
        if self._lent and self._budget is not None:
            self._budget.add(-self._lent)
        self._lent = 0

    def _take(self, chunks: deque[bytes], max_bytes: int | None) -> bytes:
        chunk = chunks[0]
        stop = len(chunk) if max_bytes is None else min(self._offset + max_bytes, len(chunk))
        piece = chunk[self._offset : stop]
        if stop == len(chunk):
            chunks.popleft()
            self._offset = 0
            if not chunks:
                self._chunks = None
        else:
            self._offset = stop
        self._count(-len(piece))
        self._resume_at_low_water()
        return piece

    def _count(self, size: int) -> None:
        self.size += size
        if self._budget is not None:
            self._budget.add(size)

    def _pause_producer(self) -> None:
        if not self._paused:
            self._paused = True
            self._pause()

    def _resume_at_low_water(self) -> None:
        if self._paused and not self._held and self.size <= self.low_water_mark:
            self._paused = False
            self._resume()
