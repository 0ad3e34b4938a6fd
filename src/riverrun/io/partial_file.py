"""The bytes of what is still being received: one file, written at its end, by threads.

A write may wait for the disk, and so may `fsync`; neither is done on the event loop. A cancel waits
for the thread that is at work, so that what is known of the file stays true.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from functools import partial
from io import FileIO
from itertools import islice
from typing import Protocol

from riverrun.io.threads import in_thread

READ_SIZE = 1024 * 1024
FEED_SIZE = 16 * 1024 * 1024  # what others wait for at most
COPY_SIZE = 64 * 1024 * 1024  # what a cancel waits for at most
# Not everywhere can the kernel copy: other file systems, old ones, sandboxes.
NO_COPY = frozenset((errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM))
VECTOR_LENGTH = 512  # of one writev; the kernel takes up to IOV_MAX, 1024


class BodyCheck(Protocol):
    """Something to be known of bytes that are being received, such as their digest."""

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes into account; called in threads, one at a time."""

    def verify(self) -> None:
        """Raise if the bytes are not what they were said to be."""


class PartialFile:
    """An open file that grows; takes over its `descriptor`.

    `size` is how many bytes have been written, after an error and a cancel too; `durable` how many
    of them survive a power cut. `sync_name` makes the file's name survive one as well; it is called
    in a thread, once, with the first `sync`.
    """

    __slots__ = ("_failure", "_file", "_sync_name", "durable", "size")

    def __init__(self, descriptor: int, sync_name: Callable[[], None] | None = None) -> None:
        self._file = FileIO(descriptor, "r+")
        self.size = os.fstat(descriptor).st_size
        self.durable = 0
        self._sync_name = sync_name
        self._failure: OSError | None = None

    async def write(self, chunks: Sequence[bytes], checks: Sequence[BodyCheck] = ()) -> None:
        """Show `chunks` to each of `checks`, and add them at the end.

        Raises `OSError` when the disk is full; a part may have been added then.
        """
        await in_thread(partial(self.write_now, chunks, checks))

    async def copy(self, source: FileIO) -> None:
        """Add all of another file, which its caller closes. Raises as `write`."""
        copied = 0
        while count := await in_thread(partial(self._copy_some, source, copied)):
            copied += count

    async def sync(self) -> int:
        """Make what has been written survive a power cut; return how much that is.

        May be called while a write runs; what that writes does not count. Raises `OSError` when
        something may have been lost, and ever after: the kernel tells of that only once.
        """
        if self._failure is not None:
            raise self._failure
        size = self.size
        if size > self.durable or self._sync_name is not None:
            try:
                await in_thread(self._sync)
            except OSError as error:
                self._failure = error
                raise
            self.durable = max(self.durable, size)
        return self.durable

    async def truncate(self, size: int) -> None:
        """Take back what lies beyond `size`."""
        try:
            await in_thread(partial(self._truncate, size))
        finally:
            self.size = size
            self.durable = min(self.durable, size)

    async def feed(self, check: BodyCheck) -> None:
        """Show all of it to `check`, in slices: others want the threads too."""
        offset = 0
        while count := await in_thread(partial(self._feed_some, check, offset)):
            offset += count

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    # What runs in threads.

    def write_now(self, chunks: Sequence[bytes], checks: Sequence[BodyCheck] = ()) -> None:
        """`write`, and wait for the disk."""
        for check in checks:
            for chunk in chunks:
                check.update(chunk)
        waiting = iter(chunks)
        while batch := list(islice(waiting, VECTOR_LENGTH)):
            size = sum(map(len, batch))
            written = os.pwritev(self._file.fileno(), batch, self.size)
            self.size += written
            if written < size:
                self._write_rest(memoryview(b"".join(batch))[written:])

    def drain(self, pipe: int, size: int) -> None:
        """Add `size` bytes, which are in `pipe`, and wait for the disk. Raises as `write`."""
        while size:
            try:
                moved = os.splice(pipe, self._file.fileno(), size, offset_dst=self.size)
            except OSError as error:
                if error.errno not in NO_COPY:
                    raise
                chunk = os.read(pipe, size)
                self._write_rest(memoryview(chunk))
                moved = len(chunk)
            else:
                self.size += moved
            size -= moved

    def _write_rest(self, rest: memoryview) -> None:
        while rest:
            written = os.pwritev(self._file.fileno(), (rest,), self.size)
            self.size += written
            rest = rest[written:]

    def _copy_some(self, source: FileIO, offset: int) -> int:
        """Add the next bytes of `source`, at most `COPY_SIZE`; return how many, 0 at its end."""
        try:
            copied = os.copy_file_range(
                source.fileno(), self._file.fileno(), COPY_SIZE, offset, self.size
            )
        except (AttributeError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in NO_COPY:
                raise
            chunk = os.pread(source.fileno(), READ_SIZE, offset)
            self._write_rest(memoryview(chunk))
            return len(chunk)
        self.size += copied
        return copied

    def _sync(self) -> None:
        os.fdatasync(self._file.fileno())
        if self._sync_name is not None:
            self._sync_name()
            self._sync_name = None

    def _truncate(self, size: int) -> None:
        os.ftruncate(self._file.fileno(), size)
        os.fdatasync(self._file.fileno())

    def _feed_some(self, check: BodyCheck, offset: int) -> int:
        """Show the next bytes to `check`, at most `FEED_SIZE`; return how many, 0 at the end."""
        fed = 0
        while fed < FEED_SIZE:
            chunk = os.pread(self._file.fileno(), READ_SIZE, offset + fed)
            if not chunk:
                break
            check.update(chunk)
            fed += len(chunk)
        return fed
