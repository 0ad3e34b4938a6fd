"""A file that is being answered from."""

from __future__ import annotations

import os
import stat

from riverrun.errors import BrokenError


class OpenFile:
    """An open descriptor and what was known of it when it was opened.

    `close` lets go of it, twice is once; so does dropping the last reference, since a coroutine
    that was to close it may be cancelled before it has begun.
    """

    __slots__ = ("descriptor", "inode", "mode", "modified_ns", "size")

    def __init__(self, descriptor: int, status: os.stat_result) -> None:
        self.descriptor = descriptor
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

    @property
    def is_regular(self) -> bool:
        """Whether it has bytes of its own, and an end."""
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        """Whether it has entries."""
        return stat.S_ISDIR(self.mode)

    def check(self) -> None:
        """Raise `BrokenError` if bytes may have changed since it was opened.

        A file that has become longer has, as far as anyone can tell, been appended to.
        """
        now = os.fstat(self.descriptor)
        if now.st_mtime_ns != self.modified_ns and now.st_size <= self.size:
            raise BrokenError("the file was written over while it was sent")

    def close(self) -> None:
        """Let go of the file."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()
