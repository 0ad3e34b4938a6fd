"""Where the bytes of uploads wait until they are complete: a file for each, in one folder.

The folder lies below the one that is served, out of sight, in the same file system, so that putting
a complete file under its name copies nothing. It is held open: what is served may be moved.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

from riverrun.apps.files.confinement import STORE_FOLDER, Root
from riverrun.io.partial_file import PartialFile

FOLDER = "uploads"
PRIVATE = 0o700


class Shelf:
    """The files below `root` in which uploads grow, named by the uploads' ids.

    Raises `OSError` when they cannot be kept there, `BlockingIOError` when another process does.
    """

    def __init__(self, root: Root) -> None:
        store = root.make_folders((STORE_FOLDER,), mode=PRIVATE)
        try:
            self._lock = _lock(store)
            self.descriptor = root.make_folders((STORE_FOLDER, FOLDER), mode=PRIVATE)
            # Whoever made them may have been cut off before they were there for good.
            for descriptor in (self.descriptor, store):
                os.fsync(descriptor)
            root.sync()
        finally:
            os.close(store)

    def open(self, name: str, *, lasting: bool) -> PartialFile:
        """Open a file, making it; one that is `lasting` is there for good once it was synced."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(name, flags, 0o666, dir_fd=self.descriptor)
        new = lasting and not os.fstat(descriptor).st_size
        return PartialFile(descriptor, self._sync if new else None)

    def open_to_read(self, name: str) -> int:
        """A descriptor of a file, which is then the caller's; raises `FileNotFoundError`."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(name, flags, dir_fd=self.descriptor)

    def status(self, name: str) -> os.stat_result | None:
        """The status of a file, None if it is not there."""
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """All files that are there."""
        return os.listdir(self.descriptor)  # noqa: PTH208 - a path has no descriptor

    def truncate(self, name: str, size: int) -> None:
        """Cut a file that has more than `size` bytes."""
        with suppress(FileNotFoundError):
            descriptor = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=self.descriptor)
            try:
                if os.fstat(descriptor).st_size > size:
                    os.ftruncate(descriptor, size)
                    os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)

    def free_bytes(self) -> int:
        """How many bytes the disk has room for."""
        status = os.fstatvfs(self.descriptor)
        return status.f_bavail * status.f_frsize

    def close(self) -> None:
        """Let go of the folder, twice is once: another process may have it."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)
            os.close(self.descriptor)

    def _sync(self) -> None:
        os.fsync(self.descriptor)


def _lock(folder: int) -> int:
    """Keep other processes away for as long as the descriptor is open."""
    descriptor = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
