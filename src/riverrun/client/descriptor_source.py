"""What comes in on a descriptor that is open already, such as standard input, as it comes.

While what was read is being sent, more is read, up to a high-water mark; then whoever writes it has
to wait.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Final

from riverrun.io.threads import in_thread
from riverrun.streams.buffer import ByteBuffer

HIGH_WATER_MARK: Final = 64 * 1024
READ_SIZE: Final = 32 * 1024


class DescriptorSource:
    """Reads a descriptor, which it does not close; `stop` in the end, at any time."""

    def __init__(self, descriptor: int, high_water_mark: int = HIGH_WATER_MARK) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._watched = False
        self._buffer = ByteBuffer(high_water_mark, pause=self._unwatch, resume=self._watch)
        try:
            self._watch()
        except PermissionError:  # a file is always ready, and epoll knows none
            self._is_file = True
        else:
            self._is_file = False

    async def read(self) -> bytes:
        """All that has come, at least a byte; ``b""`` at the end. Raises `OSError`.

        A cancel loses nothing of what comes from a pipe.
        """
        if self._is_file:
            if self._buffer.ended:
                return b""
            return await in_thread(lambda: os.read(self._descriptor, HIGH_WATER_MARK))
        while not self._buffer.readable:
            await self._buffer.wait()
        chunks = self._buffer.take_all()
        return b"".join(chunks) if chunks else self._buffer.read_nowait() or b""

    async def chunks(self) -> AsyncIterator[bytes]:
        """What `read` gives, to the end."""
        while chunk := await self.read():
            yield chunk

    def stop(self) -> None:
        """Read no further: behind what has been read is the end."""
        self._unwatch()
        self._buffer.feed_end()

    def _receive(self) -> None:
        try:
            chunk = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:  # somebody else who has it open was faster
            return
        except OSError as error:
            self._unwatch()
            self._buffer.fail(error)
            return
        if chunk:
            self._buffer.feed(chunk)
        else:
            self.stop()

    def _watch(self) -> None:
        if not self._watched and not self._buffer.ended:
            self._loop.add_reader(self._descriptor, self._receive)
            self._watched = True

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._descriptor)
