"""A file here that is sent: read piece by piece, and the same one from beginning to end.

A file that is written to while it is sent would arrive as a mixture, so what it was at the first
look is compared at every later one: its size, its time of modification and its inode.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

import msgspec

from riverrun.client.errors import ChangedError
from riverrun.io.threads import in_thread

READ_SIZE = 256 * 1024


class Identity(msgspec.Struct, frozen=True):
    """What tells one state of a file from another; `size` is in bytes."""

    size: int
    modified_ns: int
    inode: int


class Source:
    """An open regular file; close it in the end.

    Raises `OSError` when it cannot be read or is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A pipe would be waited for, were it opened as files are.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise OSError(f"{path} is not a file")
        self.identity = identify(status)
        self.size = status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    async def digest(self, at: Callable[[int], None]) -> bytes:
        """The SHA-256 of the file; tells `at` how far it has come. Raises `ChangedError`."""
        hasher = hashlib.sha256()

        def step(position: int) -> int:
            chunk = os.pread(self._descriptor, 4 * READ_SIZE, position)
            hasher.update(chunk)
            return len(chunk)

        position = 0
        while position < self.size:
            read = await in_thread(lambda: step(position))  # noqa: B023 - it ends in this round
            if not read:
                break
            position += read
            at(position)
        self.check()
        return hasher.digest()

    async def read(
        self, offset: int, length: int, at: Callable[[int], None]
    ) -> AsyncIterator[bytes]:
        """`length` bytes from `offset`, as they are asked for. Raises `ChangedError`.

        `at` is told the position behind what the connection has taken.
        """
        end = offset + length
        while offset < end:
            size = min(READ_SIZE, end - offset)
            chunk = await in_thread(lambda: os.pread(self._descriptor, size, offset))  # noqa: B023
            if not chunk:
                raise ChangedError(f"{self.path} became shorter while it was sent")
            yield chunk
            offset += len(chunk)
            at(offset)

    def check(self) -> None:
        """Raise `ChangedError` if it is not what it was any more."""
        if identify(os.fstat(self._descriptor)) != self.identity:
            raise ChangedError(f"{self.path} was written to while it was sent")


def identify(status: os.stat_result) -> Identity:
    """The identity of the file with this status."""
    return Identity(status.st_size, status.st_mtime_ns, status.st_ino)
