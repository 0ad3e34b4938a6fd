"""One log of the disk engine, as everybody in the process shares it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from riverrun.logs.contracts import Data, LogInfo, Produced, Producer, Watcher
from riverrun.logs.disk.catalogue import Row, Segment
from riverrun.logs.disk.operations import Append, Locate, Place, Stored
from riverrun.logs.errors import LogClosedError, LogGoneError
from riverrun.logs.reader import LogReader
from riverrun.logs.shared_chunks import SharedChunks
from riverrun.streams.contracts import FileRegion, Readable

if TYPE_CHECKING:
    from riverrun.logs.disk.store import DiskLogStore
    from riverrun.logs.disk.transaction import Change


class DiskLog:
    """A `Log`; made by its store, one for each log that somebody uses."""

    def __init__(self, store: DiskLogStore, row: Row, last_segment: Segment | None) -> None:
        self._store = store
        self._info = row.info()
        self._last_segment = last_segment
        self._gone = row.deleted
        self._watchers: set[Watcher] = set()
        self._chunks: SharedChunks | None = None
        self.expires = row.expires

    @property
    def info(self) -> LogInfo:
        """What is known of it; see `Log.info`."""
        return self._info

    @property
    def gone(self) -> bool:
        """Whether it is not there any more; see `Log.gone`."""
        return self._gone or self.expired

    @property
    def expired(self) -> bool:
        """Whether its time is over, if it was not removed yet."""
        return self.expires is not None and self.expires <= self._store.now()

    async def append(self, data: Data, *, order: str | None = None, close: bool = False) -> int:
        """Add `data` at the end; see `Log.append`."""
        if self._info.closed and not close:
            raise LogClosedError(self._info.tail)
        return (await self._append(data, None, order, close=close)).tail

    async def produce(
        self, data: Data, producer: Producer, *, order: str | None = None, close: bool = False
    ) -> Produced:
        """Add `data` at the end, once; see `Log.produce`."""
        return await self._append(data, producer, order, close=close)

    async def close(self) -> int:
        """Let it end where it ends; see `Log.close`."""
        return await self.append(b"", close=True)

    def touch(self) -> None:
        """It is being used; see `Log.touch`."""
        ttl = self._info.expiry.ttl
        if ttl is not None and not self.gone:
            self.expires = self._store.now() + ttl
            self._store.used(self)

    def read(self, offset: int | None = None) -> Readable:
        """Everything from `offset` on; see `Log.read`."""
        return LogReader(self, offset)

    async def slices(self, start: int, stop: int) -> AsyncGenerator[FileRegion | bytes, None]:
        """What lies between two offsets; see `Log.slices`."""
        while start < stop:
            place = self._place_of(start)
            if place is None:
                place = await self._store.run(Locate(self._info.id, start))
            length = min(stop, place.stop) - start
            try:
                descriptor = self._store.files.open_to_read(place.file)
            except FileNotFoundError:
                raise LogGoneError from None
            try:
                yield FileRegion(descriptor, place.position, length)
            finally:
                os.close(descriptor)
            start += length

    def shared_chunk(self, offset: int) -> bytes | None:
        """What was appended at `offset` a moment ago; see `Log.shared_chunk`."""
        return None if self._chunks is None else self._chunks.get(offset)

    def watch(self, watcher: Watcher) -> None:
        """Call it after each change; see `Log.watch`."""
        self._watchers.add(watcher)
        self._store.watched(self)

    def unwatch(self, watcher: Watcher) -> None:
        """Call it no more; see `Log.unwatch`."""
        self._watchers.discard(watcher)

    def forget_chunks(self) -> bool:
        """Let go of shared chunks if nobody watches; return whether somebody does."""
        if not self._watchers:
            self._chunks = None
        return bool(self._watchers)

    def change(self, change: Change) -> None:
        """Become what the store has made durable, and tell who watches."""
        self._info = change.info
        self._last_segment = change.last_segment
        self._gone = self._gone or change.gone
        if change.expires is None or self.expires is None or change.expires > self.expires:
            self.expires = change.expires
        if self._watchers and change.chunk:
            if self._chunks is None:
                self._chunks = SharedChunks()
            self._chunks.add(change.offset, change.chunk)
        for watcher in tuple(self._watchers):
            watcher()

    async def _append(
        self, data: Data, producer: Producer | None, order: str | None, *, close: bool
    ) -> Produced:
        if self.gone:
            raise LogGoneError

        def appending(stored: Stored) -> Append:
            return Append(self._info.id, stored, producer, order, close)

        return await self._store.storing(data, appending, lambda produced: not produced.duplicate)

    def _place_of(self, offset: int) -> Place | None:
        last = self._last_segment
        if last is None or offset < last.start:
            return None
        return Place(last.file, offset - last.start, self._info.tail)
