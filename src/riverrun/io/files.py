"""Files as sources and sinks.

What the page cache holds is read in place; what may wait for a disk is read, and everything is
written, in a thread of the loop's default executor. A thread cannot be cancelled, and a descriptor
must not be closed under it (its number may already be another file's), so a file is closed only
when no thread uses it any more.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

from riverrun.errors import TruncatedError
from riverrun.io.page_cache import READ_WITHOUT_WAITING
from riverrun.streams import FileRegion, Sink, Source

DEFAULT_HIGH_WATER_MARK = 64 * 1024
TEMPORARY_SUFFIX = ".part"


def open_file(
    path: str | os.PathLike[str],
    *,
    offset: int = 0,
    length: int | None = None,
    high_water_mark: int = DEFAULT_HIGH_WATER_MARK,
) -> FileSource:
    """Open a regular file as a `Readable`: `length` bytes of it from `offset`, or all the rest.

    `high_water_mark` is the size of a chunk when none is asked for. Raises `OSError` when the file
    cannot be opened, or is not a regular file.
    """
    # Without O_NONBLOCK, opening a FIFO would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    return FileSource(descriptor, offset=offset, length=length, high_water_mark=high_water_mark)


class FileSource(Source):
    """A `Readable` of an open regular file, whose descriptor it takes over.

    `length` is a promise: a file that ends before raises `TruncatedError`. Without it, the source
    ends where the file does when its end is met. Where the descriptor itself stands is neither
    looked at nor changed.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        offset: int = 0,
        length: int | None = None,
        high_water_mark: int = DEFAULT_HIGH_WATER_MARK,
    ) -> None:
        super().__init__()
        if offset < 0 or high_water_mark < 1 or (length is not None and length < 0):
            os.close(descriptor)
            raise ValueError(f"{offset=}, {length=} and {high_water_mark=} do not make sense")
        self._file = _adopt(descriptor, "rb")
        self.high_water_mark = high_water_mark
        self._start = self._offset = offset
        self._stop = None if length is None else offset + length
        self._can_try = True
        self._thread: asyncio.Future[bytes] | None = None

    def region(self) -> FileRegion | None:
        """What is left to read, as a region; None once a read has begun that is not over."""
        if self._kept or self._fetching is not None or self._file.closed:
            return None
        descriptor = self._file.fileno()
        stop = os.fstat(descriptor).st_size if self._stop is None else self._stop
        return FileRegion(descriptor, self._offset, max(0, stop - self._offset))

    def _try_fetch(self, max_bytes: int | None) -> bytes | None:
        size = self._next_size(max_bytes)
        if size == 0:
            return b""
        if READ_WITHOUT_WAITING is None or not self._can_try:
            return None
        buffer = bytearray(size)
        try:
            count = os.preadv(self._file.fileno(), [buffer], self._offset, READ_WITHOUT_WAITING)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            self._can_try = False  # the file system has no such reads
            return None
        return self._advance(bytes(memoryview(buffer)[:count]))

    async def _fetch(self, max_bytes: int | None) -> bytes:
        size = self._next_size(max_bytes)
        loop = asyncio.get_running_loop()
        self._thread = loop.run_in_executor(None, _read_at, self._file, size, self._offset)
        return self._advance(await asyncio.shield(self._thread))

    async def _release(self) -> None:
        if self._thread is not None and not self._thread.done():
            await asyncio.wait({self._thread})
        self._file.close()

    def _next_size(self, max_bytes: int | None) -> int:
        size = self.high_water_mark if max_bytes is None else min(max_bytes, self.high_water_mark)
        return size if self._stop is None else min(size, self._stop - self._offset)

    def _advance(self, chunk: bytes) -> bytes:
        self._offset += len(chunk)
        if not chunk and self._stop is not None:
            raise TruncatedError(self._stop - self._start, self._offset - self._start)
        return chunk


class FileSink(Sink):
    """A `Writable` that makes or replaces the file at `path`, or appends to it.

    The file appears under its name, whole, when `end` returns, and survives a power cut from then
    on (without `fsync`: only a crash of the program). Until then the bytes are in a temporary file
    beside it, which an abort removes. When appending, an abort cuts off what was written, so
    nobody else may be writing to the file.

    Raises `OSError` when the file cannot be opened. `write` returns when the chunk is in the file.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, append: bool = False, fsync: bool = True
    ) -> None:
        super().__init__()
        self._path = Path(path)
        self._fsync = fsync
        self._temporary: Path | None = None
        if append:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            self._file = _adopt(os.open(self._path, flags, 0o666), "ab")
        else:
            name = f".{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"
            self._temporary = self._path.with_name(name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = _adopt(os.open(self._temporary, flags, 0o666), "wb")
            with suppress(FileNotFoundError):
                os.fchmod(self._file.fileno(), stat.S_IMODE(self._path.stat().st_mode))
        self._start = os.fstat(self._file.fileno()).st_size
        self._thread: asyncio.Future[None] | None = None

    async def _accept(self, chunk: bytes) -> None:
        await self._in_thread(lambda: _write_all(self._file, chunk))

    async def _finish(self) -> None:
        await self._in_thread(self._publish)

    def _abandon(self, error: BaseException | None) -> None:  # noqa: ARG002
        if self._thread is None or self._thread.done():
            self._discard()
        else:
            self._thread.add_done_callback(lambda _: self._discard())

    async def _in_thread(self, work: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._thread = loop.run_in_executor(None, work)
        await asyncio.shield(self._thread)

    def _publish(self) -> None:
        if self._fsync:
            os.fsync(self._file.fileno())
        self._file.close()
        if self._temporary is not None:
            self._temporary.replace(self._path)
            self._temporary = None
        if self._fsync:
            sync_folder(self._path.parent)

    def _discard(self) -> None:
        with suppress(OSError):
            if self._temporary is not None:
                self._temporary.unlink(missing_ok=True)
            elif not self._file.closed:
                os.ftruncate(self._file.fileno(), self._start)
        self._file.close()


def sync_folder(path: Path) -> None:
    """Make the names in the folder `path` survive a power cut; blocking."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _adopt(descriptor: int, mode: str) -> FileIO:
    """Return the descriptor of a regular file as an object that closes it, or raise `OSError`."""
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return FileIO(descriptor, mode)
    os.close(descriptor)
    number = errno.EISDIR if stat.S_ISDIR(kind) else errno.EINVAL
    raise OSError(number, f"not a regular file: {os.strerror(number)}")


# The functions below run in threads. They take the object rather than its number: the object
# closes the descriptor when it is forgotten, and while they hold it, it is not.


def _read_at(file: FileIO, size: int, offset: int) -> bytes:
    return os.pread(file.fileno(), size, offset)


def _write_all(file: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
