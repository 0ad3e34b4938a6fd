"""The bytes of a stream that a server may still want again: a window that moves on as they count.

What was sent is kept until the server has said that it has it for good; beyond the size of the
window nothing is read, so that whoever writes the stream has to wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from riverrun.client.errors import AnswerError

SLICE: Final = 64 * 1024


class Window:
    """`chunks`, of which at most `size` bytes and a chunk are kept; `close` it in the end.

    `start` is the offset of the first byte that is kept, `end` that behind the last one that has
    been read; `ended` is whether the stream has come to its end there.
    """

    def __init__(
        self, chunks: AsyncIterator[bytes], size: int, show: Callable[[bytes], None]
    ) -> None:
        """`show` is shown every chunk, once."""
        self.size = size
        self.start = 0
        self.end = 0
        self.ended = False
        self._chunks = chunks
        self._show = show
        self._kept = bytearray()  # chunks may be of a byte each
        self._reading: asyncio.Task[bytes] | None = None

    def confirm(self, offset: int) -> None:
        """What lies before `offset` will not be wanted again.

        Raises `AnswerError` for an offset that is not within the window: it cannot be gone on from.
        """
        if not self.start <= offset <= self.end:
            raise AnswerError(
                f"the server has {offset} bytes, and only {self.start} to {self.end} are at hand"
            )
        del self._kept[: offset - self.start]
        self.start = offset

    async def more(self, offset: int, patience: float | None = None) -> bool:
        """Wait until there is something behind `offset`; False at the end, or after `patience`.

        Raises what reading raises. A cancel loses nothing.
        """
        if offset < self.end:
            return True
        if self.ended:
            return False
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._next())
        await asyncio.wait({self._reading}, timeout=patience)
        if not self._reading.done():
            return False
        chunk = self._reading.result()
        self._reading = None
        self.ended = not chunk
        self._show(chunk)
        self._kept += chunk
        self.end += len(chunk)
        return not self.ended

    async def read(self, patience: float, at: Callable[[int], None]) -> AsyncIterator[bytes]:
        """All from `start` on, to the end of the window, or until nothing comes for `patience`.

        `at` is told the offset behind what the connection has taken.
        """
        offset = self.start
        while offset - self.start < self.size and await self.more(offset, patience):
            begin = offset - self.start
            chunk = bytes(self._kept[begin : begin + SLICE])
            yield chunk
            offset += len(chunk)
            at(offset)

    async def close(self) -> None:
        """Read no further."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _next(self) -> bytes:
        return await anext(self._chunks, b"")
