"""Where received bytes go: what a download needs of it, and the simplest one.

A sink knows which version its bytes are of and how many it has. `begin` takes back what it has;
one that cannot, because the bytes have left already, raises `ChangedError`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import select
import stat
from collections.abc import Callable
from typing import Protocol

from riverrun.client.errors import ChangedError
from riverrun.client.versions import Version
from riverrun.io.threads import in_thread


class Sink(Protocol):
    """Takes the bytes of one file, in order.

    Raises `OSError` when they cannot be written; `size` then counts those that were.
    """

    version: Version | None
    size: int
    lasting: bool
    """Whether what was written is of use when the transfer has been cancelled."""

    async def begin(self, version: Version) -> None:
        """Forget what was received; what comes is of `version`."""

    async def write(self, chunks: list[bytes]) -> None:
        """Take these; after a cancel they have been taken."""

    async def digest(self, at: Callable[[int], None]) -> bytes:
        """The SHA-256 of all that was received; `at` is told how far it has come."""


class DescriptorSink:
    """Writes to a descriptor that is open already, such as standard output. Does not close it.

    It waits for a reader that is slow, as long as that takes; a cancel ends the waiting at once.
    """

    lasting = False

    def __init__(self, descriptor: int) -> None:
        self.version: Version | None = None
        self.size = 0
        self._descriptor = descriptor
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._hasher = hashlib.sha256()

    async def begin(self, version: Version) -> None:
        """Remember `version`. Raises `ChangedError` if bytes of another have been written."""
        if self.size:
            raise ChangedError(f"it has changed when {self.size} bytes had been written")
        self.version = version

    async def write(self, chunks: list[bytes]) -> None:
        """Write these; after a cancel, some of them."""
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                written = await self._write(rest)
                self._hasher.update(rest[:written])
                self.size += written
                rest = rest[written:]

    async def digest(self, at: Callable[[int], None]) -> bytes:
        """The SHA-256 of all that was written."""
        at(self.size)
        return self._hasher.digest()

    async def _write(self, rest: memoryview) -> int:
        if self._is_file:
            return await in_thread(lambda: os.write(self._descriptor, rest))
        # The descriptor is shared with other programs, so it cannot be made non-blocking. But a
        # pipe that is ready has room for so much, and does not block (POSIX, write).
        if not self._poll.poll(0):
            await self._until_ready()
        return os.write(self._descriptor, rest[: select.PIPE_BUF])

    async def _until_ready(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._descriptor)


def write_all(descriptor: int, chunk: bytes) -> None:
    """Write `chunk` to the end of it; blocking."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
