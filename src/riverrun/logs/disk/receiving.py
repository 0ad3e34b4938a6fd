"""What is to be appended, before it is: small data in memory, large data in a file of its own."""

from __future__ import annotations

import os

from riverrun.io.partial_file import PartialFile
from riverrun.io.threads import in_thread
from riverrun.logs.contracts import Data
from riverrun.logs.disk.files import NO_SPACE, LogFiles, SyncError
from riverrun.logs.disk.operations import Stored
from riverrun.logs.errors import StorageError
from riverrun.streams import IterableSource
from riverrun.streams.contracts import Readable

KIB = 1024
MIB = 1024 * KIB
WHOLE_SIZE = MIB  # what is kept in memory of one append
GATHERED_SIZE = 4 * MIB  # and of one file, until it is written
ALL_SIZE = 32 * MIB  # of all appends together; beyond it all goes to files at once
SMALL_SIZE = 64 * KIB  # but not for this


class Receiver:
    """Takes in what is to be appended; memory is bounded however many append at once.

    `held` is how many bytes of all appends are in memory.
    """

    def __init__(self, files: LogFiles) -> None:
        self.held = 0
        self._files = files

    @property
    def is_full(self) -> bool:
        """Whether no more is to be kept in memory."""
        return self.held > ALL_SIZE

    async def receive(self, data: Data) -> Stored:
        """Take all of `data`. Whoever gets it calls `release` when it was appended, or was not.

        Raises `StorageError`, and what a source raises; nothing is left behind then.
        """
        if isinstance(data, Readable):
            return await self._receive_source(data)
        whole = data if isinstance(data, bytes) else bytes(memoryview(data))
        if len(whole) > WHOLE_SIZE:
            return await self._receive_source(IterableSource(whole))
        self.held += len(whole)
        return Stored(whole, None, len(whole))

    async def release(self, stored: Stored, *, appended: bool) -> None:
        """Let go of what was received; of its file, too, unless a log has it now."""
        if stored.file is None:
            self.held -= stored.size
        elif not appended:
            file = stored.file
            await in_thread(lambda: self._files.remove((file,)))

    async def _receive_source(self, source: Readable) -> Stored:
        pieces = _Pieces(self)
        try:
            while piece := await source.read():
                pieces.add(piece)
                if pieces.size > WHOLE_SIZE or (pieces.size > SMALL_SIZE and self.is_full):
                    break
            else:
                whole = pieces.take()
                return Stored(whole, None, len(whole))
            return await self._store(pieces, source)
        finally:
            pieces.clear()

    async def _store(self, first: _Pieces, source: Readable) -> Stored:
        """Put it all into a file, and make that last; `first` is let go of when it is there."""
        try:
            name, file = self._files.create()  # at once: a cancel would lose what a thread opens
            try:
                await self._fill(file, first, source)
            except BaseException:
                file.close()
                await in_thread(lambda: self._files.remove((name,)))
                raise
        except SyncError as error:
            raise StorageError("the disk failed") from error
        except OSError as error:
            full = error.errno in NO_SPACE
            reason = "the disk is full" if full else os.strerror(error.errno or 0)
            raise StorageError(reason, full=full) from error
        size = file.size
        file.close()
        return Stored(b"", name, size)

    async def _fill(self, file: PartialFile, pieces: _Pieces, source: Readable) -> None:
        await pieces.write_to(file)
        while piece := await source.read():
            pieces.add(piece)
            if pieces.size >= GATHERED_SIZE or self.is_full:
                await pieces.write_to(file)
        await pieces.write_to(file)
        await file.sync()


class _Pieces:
    """What has come of one append and is not written yet; it counts in what all of them hold."""

    __slots__ = ("_pieces", "_receiver", "size")

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        """One more."""
        self._pieces.append(piece)
        self.size += len(piece)
        self._receiver.held += len(piece)

    def clear(self) -> None:
        """Let go of them."""
        self._receiver.held -= self.size
        self._pieces.clear()
        self.size = 0

    def take(self) -> bytes:
        """All of it, which counts until it was released; see `Receiver.release`."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return whole

    async def write_to(self, file: PartialFile) -> None:
        """Bring them to the end of `file`, and let go of them."""
        await file.write(self._pieces)
        self.clear()
