"""The bytes of an upload that is not complete: one file, written at its end, by threads.

A write may wait for the disk, and so may `fsync`; neither is done on the event loop. A thread
cannot be cancelled, so a file is closed only when no thread uses it any more; each call holds the
file object, whose descriptor stays open as long as somebody does.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from io import FileIO
from itertools import islice
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

READ_SIZE = 1024 * 1024
COPY_SIZE = 64 * 1024 * 1024  # what a cancel waits for at most
# Not everywhere can the kernel copy: other file systems, old ones, sandboxes.
NO_COPY = frozenset((errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM))
VECTOR_LENGTH = 512  # of one writev; the kernel takes up to IOV_MAX, 1024


class BodyCheck(Protocol):
    """Something to be known of bytes that are being received, such as their digest."""

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes into account; called in threads, one at a time."""

    def verify(self) -> None:
        """Raise `HTTPError` if the bytes are not what they were said to be."""


class PartialFile:
    """An open file that grows; made when it is not there.

    `size` is how many bytes have been written, `durable` how many of them survive a power cut.
    Raises `OSError` when it cannot be opened.
    """

    __slots__ = ("_behind", "_failure", "_file", "_folder", "_loop", "_writing", "durable", "size")

    def __init__(self, path: str, *, lasting: bool = True) -> None:
        """`lasting`: it is to be found by this name after a power cut, once it was synced."""
        self._loop = asyncio.get_running_loop()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self._file = FileIO(descriptor, "r+")
        self.size = os.fstat(descriptor).st_size
        self.durable = 0
        self._folder = os.path.dirname(path) if lasting and not self.size else ""  # noqa: PTH120
        self._behind = False
        self._failure: OSError | None = None
        self._writing: asyncio.Future[Any] | None = None

    @property
    def descriptor(self) -> int:
        """What it can be read by, until it is closed."""
        return self._file.fileno()

    async def write(self, chunks: Sequence[bytes], checks: Sequence[BodyCheck] = ()) -> None:
        """Show `chunks` to each of `checks`, and add them at the end.

        Raises `OSError` when the disk is full; then, and after a cancel, `size` is behind what was
        written until `measure`.
        """
        self._behind = True
        self.size = await self._in_thread(_write_all, self._file, chunks, self.size, checks)
        self._behind = False

    async def copy(self, source: FileIO) -> None:
        """Add all of another file, which its caller closes.

        Raises, and is behind after a cancel, as `write`; the source is used no more then.
        """
        self._behind = True
        copied = 0
        try:
            while count := await self._in_thread(_copy_some, source, self._file, copied, self.size):
                copied += count
                self.size += count
        except asyncio.CancelledError:
            await self.measure()
            raise
        self._behind = False

    async def sync(self) -> int:
        """Make what has been written survive a power cut; return how much that is.

        May be called while a write runs; what that writes does not count. Raises `OSError` when
        something may have been lost, and ever after: the kernel tells of that only once.
        """
        if self._failure is not None:
            raise self._failure
        size = self.size
        if size > self.durable:
            syncing = self._loop.run_in_executor(None, _sync, self._file, self._folder)
            try:
                await asyncio.shield(syncing)
            except OSError as error:
                self._failure = error
                raise
            self._folder = ""
            self.durable = max(self.durable, size)
        return self.durable

    async def measure(self) -> None:
        """Wait for a write that was left alone, and find out how much has been written."""
        if not self._behind:
            return
        if self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})
        self.size = await self._in_thread(_size, self._file)
        self._behind = False

    async def truncate(self, size: int) -> None:
        """Take back what lies beyond `size`."""
        try:
            await self._in_thread(_truncate, self._file, size)
        finally:
            self.size = size
            self.durable = min(self.durable, size)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        writing = self._loop.run_in_executor(None, work, *arguments)
        self._writing = writing
        return await asyncio.shield(writing)

    async def feed(self, check: BodyCheck) -> None:
        """Show all of it to `check`."""
        await self._in_thread(_feed, self._file, check)

    def close(self) -> None:
        """Let go of it; nothing may be running."""
        self._file.close()


# The functions below run in threads.


def _write_all(
    file: FileIO, chunks: Sequence[bytes], offset: int, checks: Sequence[BodyCheck]
) -> int:
    for check in checks:
        for chunk in chunks:
            check.update(chunk)
    descriptor = file.fileno()
    waiting = iter(chunks)
    while batch := list(islice(waiting, VECTOR_LENGTH)):
        written = os.pwritev(descriptor, batch, offset)
        offset += written
        size = sum(map(len, batch))
        if written < size:
            rest = memoryview(b"".join(batch))[written:]
            while rest:
                written = os.pwrite(descriptor, rest, offset)
                offset += written
                rest = rest[written:]
    return offset


def _copy_some(source: FileIO, file: FileIO, offset: int, size: int) -> int:
    """Copy the next bytes of `source`, at most `COPY_SIZE`, to the end of `file`; 0 at its end."""
    try:
        return os.copy_file_range(source.fileno(), file.fileno(), COPY_SIZE, offset, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in NO_COPY:
            raise
    chunk = os.pread(source.fileno(), READ_SIZE, offset)
    return _write_all(file, (chunk,), size, ()) - size if chunk else 0


def _sync(file: FileIO, folder: str) -> None:
    os.fdatasync(file.fileno())
    if folder:  # it is new there
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _size(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _truncate(file: FileIO, size: int) -> None:
    os.ftruncate(file.fileno(), size)
    os.fdatasync(file.fileno())


def _feed(file: FileIO, check: BodyCheck) -> None:
    offset = 0
    while chunk := os.pread(file.fileno(), READ_SIZE, offset):
        check.update(chunk)
        offset += len(chunk)
