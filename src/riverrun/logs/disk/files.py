"""The files in which the bytes of logs lie, in one folder, named at random.

Written by one thread, read by whoever opens them.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from riverrun.errors import ClosedError
from riverrun.io.partial_file import VECTOR_LENGTH, PartialFile

OPEN_FILES = 128
PRIVATE = 0o700
FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))

logger = logging.getLogger("riverrun.logs")


class SyncError(Exception):
    """An fsync has failed: what was lost is not known, and the kernel tells of it only once."""


class LogFiles:
    """The files in the folder `path`, which is made if need be.

    `failed` is whether names of files may have been lost; it stays so. Raises `OSError` when they
    cannot be kept there, `BlockingIOError` when another process does.
    """

    def __init__(self, path: str) -> None:
        _make_folder(path)
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._lock = -1
        try:
            self._lock = os.open("lock", FLAGS, 0o600, dir_fd=self._folder)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileExistsError):
                os.mkdir("bytes", PRIVATE, dir_fd=self._folder)
            self._bytes = os.open("bytes", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._folder)
            os.fsync(self._folder)
        except BaseException:
            self._close(self._folder, self._lock)
            raise
        self._open: OrderedDict[str, int] = OrderedDict()  # those that were written last
        self._new_names = False
        self.failed = False

    def write(self, file: str, position: int, data: Sequence[bytes]) -> None:
        """Put `data` at `position`, making the file; raises `OSError`, a part may be there then."""
        descriptor = self._descriptor(file)
        for first in range(0, len(data), VECTOR_LENGTH):
            pieces = data[first : first + VECTOR_LENGTH]
            size = sum(map(len, pieces))
            written = os.pwritev(descriptor, pieces, position)
            if written < size:
                rest = memoryview(b"".join(pieces))[written:]
                while rest:
                    count = os.pwrite(descriptor, rest, position + written)
                    rest, written = rest[count:], written + count
            position += size

    def sync(self, file: str) -> None:
        """Make what was written to a file last, and its name. Raises `SyncError`."""
        descriptor = self._descriptor(file)
        _sync(descriptor)
        if self._new_names:
            self.sync_names()
            self._new_names = False

    def sync_names(self) -> None:
        """Make the names of all files last. Raises `SyncError`, and ever after."""
        if self.failed:
            raise SyncError("the names of files may have been lost")
        try:
            os.fsync(self._folder_of_bytes)
        except OSError as error:
            self.failed = True
            raise SyncError(str(error)) from error

    def sync_other(self, files: Sequence[str]) -> None:
        """Make files last that somebody may be writing; those that are gone need not.

        Raises `SyncError`, and `OSError` when a file cannot be opened.
        """
        for file in files:
            with suppress(FileNotFoundError):
                descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC, dir_fd=self._folder_of_bytes)
                try:
                    _sync(descriptor)
                finally:
                    os.close(descriptor)
        self.sync_names()

    def open_to_read(self, file: str) -> int:
        """A descriptor of a file, which is then the caller's; raises `FileNotFoundError`."""
        return os.open(
            file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._folder_of_bytes
        )

    def new_name(self) -> str:
        """A name that no file has."""
        return secrets.token_hex(10)

    def create(self) -> tuple[str, PartialFile]:
        """A new file and its name; it is there for good once it was synced."""
        name = self.new_name()
        descriptor = os.open(name, FLAGS | os.O_EXCL, 0o600, dir_fd=self._folder_of_bytes)
        return name, PartialFile(descriptor, self.sync_names)

    def remove(self, files: Sequence[str]) -> None:
        """Remove files; those who read them still may.

        One that cannot be removed stays until the next time that they are looked through.
        """
        for file in files:
            descriptor = self._open.pop(file, None)
            if descriptor is not None:
                os.close(descriptor)
            try:
                os.unlink(file, dir_fd=self._folder_of_bytes)
            except FileNotFoundError:
                pass
            except OSError as error:
                logger.warning("a file that no log needs cannot be removed: %s", error)

    def names(self) -> Iterator[str]:
        """All files that are there."""
        with os.scandir(self._folder_of_bytes) as entries:
            for entry in entries:
                yield entry.name

    def close(self) -> None:
        """Let go of everything. What is asked for afterwards raises `ClosedError`."""
        bytes_, self._bytes = self._bytes, -1
        self._close(*self._open.values(), bytes_, self._folder, self._lock)
        self._open.clear()

    @property
    def _folder_of_bytes(self) -> int:
        if self._bytes < 0:
            raise ClosedError("the store of logs is closed")
        return self._bytes

    def _descriptor(self, file: str) -> int:
        descriptor = self._open.get(file)
        if descriptor is not None:
            self._open.move_to_end(file)
            return descriptor
        try:
            descriptor = os.open(file, FLAGS & ~os.O_CREAT, dir_fd=self._folder_of_bytes)
        except FileNotFoundError:
            self._new_names = True
            descriptor = os.open(file, FLAGS, 0o600, dir_fd=self._folder_of_bytes)
        self._open[file] = descriptor
        if len(self._open) > OPEN_FILES:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    @staticmethod
    def _close(*descriptors: int) -> None:
        for descriptor in descriptors:
            if descriptor >= 0:
                os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    except OSError as error:
        raise SyncError(str(error)) from error


def _make_folder(path: str) -> None:
    """Make a folder and those above it, if need be, so that a power cut leaves them there."""
    above = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120
    if not os.path.isdir(above):  # noqa: PTH112
        _make_folder(above)
    with suppress(FileExistsError):
        os.mkdir(path, PRIVATE)  # noqa: PTH102
    # Also if it was there: who made it may not have come as far as this.
    with suppress(PermissionError):  # a folder that may be entered, but not listed
        descriptor = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
