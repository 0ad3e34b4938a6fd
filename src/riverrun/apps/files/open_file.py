"""A file that is being answered from."""

from __future__ import annotations

import os
import stat

from riverrun.apps.files.representation import Representation, represent
from riverrun.errors import BrokenError
from riverrun.io.page_cache import read_resident

END_SIZE = 64


def identity_of(status: os.stat_result) -> tuple[int, int, int]:
    """What is another whenever the bytes are.

    Written in place, the time moves; renamed over, the inode is another.
    """
    return status.st_ino, status.st_size, status.st_mtime_ns


class OpenFile:
    """An open descriptor and what was known of it when it was opened.

    `close` lets go of it, twice is once; so does dropping the last reference, since a coroutine
    that was to close it may be cancelled before it has begun.
    """

    __slots__ = ("_end", "descriptor", "inode", "mode", "modified_ns", "size")

    def __init__(self, descriptor: int, status: os.stat_result) -> None:
        self.descriptor = descriptor
        self._end = b""
        self.mode = status.st_mode
        self.size = status.st_size
        self.modified_ns = status.st_mtime_ns
        self.inode = status.st_ino

    @classmethod
    def of(cls, descriptor: int) -> OpenFile:
        """Take over `descriptor`; it is closed if this raises."""
        try:
            return cls(descriptor, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise

    def represent(self, name: str, coding: str = "") -> Representation:
        """What it is to HTTP under this name; `coding` if its bytes are encoded."""
        return represent(name, self.size, self.modified_ns, self.inode, coding)

    @property
    def is_regular(self) -> bool:
        """Whether it has bytes of its own, and an end."""
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        """Whether it has entries."""
        return stat.S_ISDIR(self.mode)

    @property
    def identity(self) -> tuple[int, int, int]:
        """See `identity_of`."""
        return self.inode, self.size, self.modified_ns

    def remember_end(self) -> None:
        """Keep the last bytes, by which `check` tells an append from a longer new content."""
        self._end = self._read_end()

    def check(self) -> None:
        """Raise `BrokenError` if bytes may have changed since it was opened.

        A file that has become longer was appended to, unless the end it had is another now.
        """
        now = os.fstat(self.descriptor)
        if now.st_mtime_ns == self.modified_ns:
            return
        if now.st_size <= self.size or (self._end and self._end != self._read_end()):
            raise BrokenError("the file was written over while it was sent")

    def _read_end(self) -> bytes:
        """The last bytes of the size it had, or none where a disk would be waited for."""
        chunk = bytearray(min(END_SIZE, self.size))
        return read_resident(self.descriptor, chunk, self.size - len(chunk))

    def close(self) -> None:
        """Let go of the file."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()
