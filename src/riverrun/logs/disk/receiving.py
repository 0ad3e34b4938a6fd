"""What is to be appended, before it is: small data in memory, large data in a file of its own."""

from __future__ import annotations

import os
from contextlib import suppress

from riverrun.io.partial_file import PartialFile
from riverrun.io.threads import in_thread
from riverrun.logs.contracts import Data
from riverrun.logs.disk.files import NO_SPACE, LogFiles
from riverrun.logs.disk.operations import Stored
from riverrun.logs.errors import StorageError
from riverrun.streams.contracts import Readable

KIB = 1024
MIB = 1024 * KIB
WHOLE_SIZE = MIB  # what is kept in memory of one append
GATHERED_SIZE = 4 * MIB  # and of one file, until it is written
ALL_SIZE = 32 * MIB  # of all appends together; beyond it files are used earlier
SMALL_SIZE = 64 * KIB  # but not for this


class Receiver:
    """Takes in what is to be appended; memory is bounded however many append at once."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._held = 0

    async def receive(self, data: Data) -> Stored:
        """Take all of `data`. Whoever gets it calls `release` when it was appended, or was not.

        Raises `StorageError`, and what a source raises; nothing is left behind then.
        """
        if isinstance(data, Readable):
            return await self._receive_source(data)
        whole = data if isinstance(data, bytes) else bytes(memoryview(data))
        if len(whole) > WHOLE_SIZE:
            return await self._store([whole], None)
        self._held += len(whole)
        return Stored(whole, None, len(whole))

    async def release(self, stored: Stored, *, appended: bool) -> None:
        """Let go of what was received; of its file, too, unless a log has it now."""
        if stored.file is None:
            self._held -= stored.size
        elif not appended:
            file = stored.file
            await in_thread(lambda: self._files.remove((file,)))

    async def _receive_source(self, source: Readable) -> Stored:
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := await source.read():
                pieces.append(piece)
                size += len(piece)
                self._held += len(piece)
                if size > WHOLE_SIZE or (size > SMALL_SIZE and self._held > ALL_SIZE):
                    break
            else:
                return Stored(b"".join(pieces), None, size)
        except BaseException:
            self._held -= size
            raise
        self._held -= size
        return await self._store(pieces, source)

    async def _store(self, first: list[bytes], source: Readable | None) -> Stored:
        """Put it all into a file, and make that last; `first` is let go of when it is there."""
        try:
            name, file = self._files.create()  # at once: a cancel would lose what a thread opens
            try:
                await _fill(file, first, source)
            except BaseException:
                file.close()
                with suppress(OSError):
                    await in_thread(lambda: self._files.remove((name,)))
                raise
        except OSError as error:
            full = error.errno in NO_SPACE
            reason = "the disk is full" if full else os.strerror(error.errno or 0)
            raise StorageError(reason, full=full) from error
        size = file.size
        file.close()
        return Stored(b"", name, size)


async def _fill(file: PartialFile, first: list[bytes], source: Readable | None) -> None:
    await file.write(first)
    first.clear()
    gathered: list[bytes] = []
    size = 0
    while source is not None and (piece := await source.read()):
        gathered.append(piece)
        size += len(piece)
        if size >= GATHERED_SIZE:
            await file.write(gathered)
            gathered, size = [], 0
    await file.write(gathered)
    await file.sync()
