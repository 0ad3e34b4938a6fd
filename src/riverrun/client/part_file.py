"""A file while it is being received, so that whoever comes later goes on from it.

For ``big.iso`` the bytes are in ``.big.iso.part`` beside it, and what they are of in
``.big.iso.part.json``. The bytes are emptied before the version is written, and the version is
written before the first byte: whenever the program is killed, the bytes are of that version or of
none. After a power cut a file may hold zeros where bytes were on their way to the disk, so of the
bytes of an earlier boot only those count that are known to have been synced.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Self

import msgspec

from riverrun.client.locked_files import is_at, open_locked, write_whole
from riverrun.client.sinks import write_all
from riverrun.client.versions import Version
from riverrun.io.files import sync_folder
from riverrun.io.threads import in_thread

LONGEST_NAME = 240  # bytes, of the 255 that file systems take; the rest is for what is added
SYNC_EVERY = 64 * 1024 * 1024
READ_SIZE = 1024 * 1024
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Sidecar(msgspec.Struct):
    """What the second file says: whose bytes these are, and how many have surely been kept."""

    version: Version
    boot: str = ""
    synced: int = 0


class PartFile:
    """The bytes of `path` that have come so far; a `Sink`.

    `size` counts them, `version` says what they are of; None if they are of no use. Close it in
    the end: what has been received stays, unless `finish` has made it the file.
    """

    lasting = True

    def __init__(self, path: Path, descriptor: int, sidecar: int) -> None:
        self.path = path
        self._part, self._known = part_names(path)
        self._descriptor = descriptor
        self._sidecar = sidecar
        self._hasher = hashlib.sha256()
        self._hashed = 0
        self._synced = 0
        self.size = os.fstat(descriptor).st_size
        self.version: Version | None = None

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open what there is of `path` by now, if anything.

        Raises `BusyError` when another program receives it, `OSError` when it cannot be written.
        """
        return await in_thread(lambda: cls._open(path))

    @classmethod
    def _open(cls, path: Path) -> Self:
        if path.is_dir():  # or it would turn out when all has come
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        part, known = part_names(path)
        descriptor = open_locked(part)
        try:
            sidecar = os.open(known, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except BaseException:
            os.close(descriptor)
            raise
        opened = cls(path, descriptor, sidecar)
        opened._recall()
        return opened

    async def begin(self, version: Version) -> None:
        """Empty it; what comes is of `version`."""

        def work() -> None:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            self.size = self._hashed = self._synced = 0
            self._hasher = hashlib.sha256()
            self.version = version
            self._remember()

        await in_thread(work)

    async def write(self, chunks: list[bytes]) -> None:
        """Add these; after a cancel they have been added."""
        is_checked = self.version is not None and self.version.digest is not None

        def work() -> None:
            for chunk in chunks:
                try:
                    write_all(self._descriptor, chunk)
                finally:  # a disk that becomes full has taken some of it
                    self.size = os.lseek(self._descriptor, 0, os.SEEK_CUR)
                if is_checked and self._hashed == self.size - len(chunk):
                    self._hasher.update(chunk)
                    self._hashed = self.size
            if self.size - self._synced >= SYNC_EVERY:
                os.fdatasync(self._descriptor)
                self._synced = self.size
                self._remember()

        await in_thread(work)

    async def digest(self, at: Callable[[int], None]) -> bytes:
        """The SHA-256 of all of it; reads what an earlier run has received, and tells `at`."""
        while self._hashed < self.size:
            await in_thread(self._hash_more)
            at(self._hashed)
        at(self.size)
        return self._hasher.digest()

    async def finish(self) -> None:
        """Make it the file: synced, with the server's time of modification, renamed."""

        def work() -> None:
            if self.version is not None and self.version.modified is not None:
                os.utime(self._descriptor, (self.version.modified, self.version.modified))
            os.fsync(self._descriptor)
            self._part.rename(self.path)
            self._known.unlink()
            sync_folder(self.path.parent)

        await in_thread(work)

    async def discard(self) -> None:
        """Remove it: its bytes are no good."""

        def work() -> None:
            self._known.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)

        await in_thread(work)

    def close(self) -> None:
        """Let go of it. One that nothing came of leaves nothing behind."""
        if not self.size:
            with suppress(OSError):
                if is_at(self._part, self._descriptor):
                    self._known.unlink()
                    self._part.unlink()
        os.close(self._sidecar)
        os.close(self._descriptor)

    # What follows runs in threads.

    def _recall(self) -> None:
        content = os.pread(self._sidecar, READ_SIZE, 0)
        try:
            known = msgspec.json.decode(content, type=Sidecar)
        except (msgspec.DecodeError, UnicodeDecodeError):
            known = None
        if known is not None:
            self.version = known.version
            self._synced = known.synced
            if known.boot != _boot_id():
                self.size = min(self.size, known.synced)
                os.ftruncate(self._descriptor, self.size)
        os.lseek(self._descriptor, self.size, os.SEEK_SET)

    def _remember(self) -> None:
        assert self.version is not None
        known = Sidecar(self.version, _boot_id(), self._synced)
        write_whole(self._sidecar, msgspec.json.encode(known))

    def _hash_more(self) -> None:
        chunk = os.pread(self._descriptor, READ_SIZE, self._hashed)
        if not chunk:
            raise OSError(f"{self._part} became shorter")
        self._hasher.update(chunk)
        self._hashed += len(chunk)


def part_names(path: Path) -> tuple[Path, Path]:
    """Where the bytes of `path` are kept until it is whole, and where what they are of."""
    name = path.name
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return path.with_name(f".{name}.part"), path.with_name(f".{name}.part.json")


@lru_cache(maxsize=1)
def _boot_id() -> str:
    """What is another after each start of the machine; empty where it does not tell."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
