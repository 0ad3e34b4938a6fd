"""Logs in memory: the contract with nothing below it, for tests and for what need not be kept.

Every change is made in one step on the event loop, so there is nothing to bring together and
nothing to recover. A log holds the chunks that were appended to it; a fork holds those of its
source, too, which are the same objects.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Self

from riverrun.logs.contracts import (
    NEVER,
    Created,
    Data,
    Expiry,
    LogInfo,
    Origin,
    Produced,
    Producer,
    Watcher,
    same_content_type,
)
from riverrun.logs.errors import (
    ContentTypeError,
    LogClosedError,
    LogExistsError,
    LogGoneError,
    LogNotFoundError,
    OffsetError,
    OrderError,
)
from riverrun.logs.producing import Last, find_repeated
from riverrun.logs.reader import LogReader
from riverrun.streams.contracts import FileRegion, Readable


class MemoryLog:
    """A `Log`; made by its store."""

    def __init__(self, store: MemoryLogStore, info: LogInfo, source: MemoryLog | None) -> None:
        self.info = info
        self.deleted = False
        self.source = source
        self.forks = 0
        self._store = store
        self._chunks: list[bytes] = []
        self._offsets: list[int] = []  # where each chunk begins
        self._expires = info.expiry.at
        self._order: str | None = None
        self._producers: dict[str, Last] = {}
        self._closed_by: Producer | None = None
        self._watchers: dict[Watcher, None] = {}
        self.touch()

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self._expires is not None and self._expires <= self._store.now()

    @property
    def gone(self) -> bool:
        """Whether it is not there any more; see `Log.gone`."""
        return self.deleted or self.expired

    async def append(self, data: Data, *, order: str | None = None, close: bool = False) -> int:
        """Add `data` at the end; see `Log.append`."""
        return self._append(await _whole(data), None, order, close=close).tail

    async def produce(
        self, data: Data, producer: Producer, *, order: str | None = None, close: bool = False
    ) -> Produced:
        """Add `data` at the end, once; see `Log.produce`."""
        return self._append(await _whole(data), producer, order, close=close)

    async def close(self) -> int:
        """Let it end where it ends; see `Log.close`."""
        return self._append(b"", None, None, close=True).tail

    def touch(self) -> None:
        """It is being used; see `Log.touch`."""
        ttl = self.info.expiry.ttl
        if ttl is not None and not self.gone:
            self._expires = self._store.now() + ttl

    def read(self, offset: int | None = None) -> Readable:
        """Everything from `offset` on; see `Log.read`."""
        return LogReader(self, offset)

    async def slices(self, start: int, stop: int) -> AsyncGenerator[FileRegion | bytes, None]:
        """What lies between two offsets; see `Log.slices`."""
        for _, piece in self.pieces(start, stop):
            yield piece

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """What lies between two offsets, each piece with its own."""
        while start < stop:
            place = bisect_right(self._offsets, start) - 1
            first = start - self._offsets[place]
            piece = self._chunks[place][first : first + stop - start]
            yield start, piece
            start += len(piece)

    def shared_chunk(self, offset: int) -> bytes | None:
        """What was appended at `offset`: all of it is at hand; see `Log.shared_chunk`."""
        place = bisect_right(self._offsets, offset) - 1
        found = place >= 0 and self._offsets[place] == offset
        return self._chunks[place] if found else None

    def watch(self, watcher: Watcher) -> None:
        """Call it after each change; see `Log.watch`."""
        self._watchers[watcher] = None

    def unwatch(self, watcher: Watcher) -> None:
        """Call it no more; see `Log.unwatch`."""
        self._watchers.pop(watcher, None)

    def begin(self, data: bytes, *, closed: bool) -> None:
        """Take what its source has before it, and `data`."""
        info = self.info
        if self.source is not None:
            for offset, piece in self.source.pieces(0, info.tail):
                self._add(piece, offset)
        self._add(data, info.tail)
        self.info = replace(info, tail=info.tail + len(data), closed=closed)

    def delete(self) -> None:
        """Be gone."""
        self.deleted = True
        self._tell()

    def _append(
        self, data: bytes, producer: Producer | None, order: str | None, *, close: bool
    ) -> Produced:
        if self.gone:
            raise LogGoneError
        info = self.info
        sequence = 0 if producer is None else producer.sequence
        if info.closed:
            if (producer is not None and producer == self._closed_by) or (close and not data):
                return Produced(info.tail, sequence, duplicate=True)
            raise LogClosedError(info.tail)
        if producer is not None:
            repeated = find_repeated(producer, self._producers.get(producer.id))
            if repeated is not None:
                return Produced(info.tail, repeated.sequence, duplicate=True)
        if order is not None:
            if self._order is not None and order <= self._order:
                raise OrderError(self._order)
            self._order = order
        if producer is not None:
            self._producers[producer.id] = Last(producer.epoch, producer.sequence)
        if close:
            self._closed_by = producer
        self._add(data, info.tail)
        self.info = replace(info, tail=info.tail + len(data), closed=close)
        self.touch()
        self._tell()
        return Produced(self.info.tail, sequence, duplicate=False)

    def _add(self, chunk: bytes, offset: int) -> None:
        if chunk:
            self._chunks.append(chunk)
            self._offsets.append(offset)

    def _tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()


class MemoryLogStore:
    """A `LogStore` in memory; `now` tells the time, in seconds of the Unix epoch.

    What has expired is let go of at the latest when another log is created. Closing it deletes all.
    """

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self._logs: dict[str, MemoryLog] = {}
        self._ids = count(1)

    async def create(
        self,
        name: str,
        *,
        content_type: str = "application/octet-stream",
        expiry: Expiry = NEVER,
        data: Data = b"",
        closed: bool = False,
    ) -> Created:
        """Begin a log; see `LogStore.create`."""
        whole = await _whole(data)
        info = LogInfo(name, 0, content_type, self.now(), expiry=expiry)
        return self._begin(info, None, whole, closed=closed)

    async def fork(
        self,
        name: str,
        source: str,
        *,
        offset: int | None = None,
        content_type: str | None = None,
        expiry: Expiry = NEVER,
        data: Data = b"",
        closed: bool = False,
    ) -> Created:
        """Begin a log with what another has; see `LogStore.fork`."""
        whole = await _whole(data)
        log = await self.find(source)
        given, held = log.info, self._logs.get(name)
        if offset is None:
            origin = None if held is None or held.source is not log else held.info.origin
            offset = given.tail if origin is None else origin.offset
        if not given.start <= offset <= given.tail:
            raise OffsetError(offset, given.start, given.tail)
        if content_type is not None and not same_content_type(content_type, given.content_type):
            raise ContentTypeError(given.content_type)
        info = LogInfo(
            name,
            0,
            given.content_type,
            self.now(),
            tail=offset,
            expiry=given.expiry if expiry == NEVER else expiry,
            origin=Origin(source, offset),
        )
        return self._begin(info, log, whole, closed=closed)

    async def find(self, name: str) -> MemoryLog:
        """The log of this name; see `LogStore.find`."""
        log = self._logs.get(name)
        if log is not None and log.expired:
            self._sweep()
            log = self._logs.get(name)
        if log is None:
            raise LogNotFoundError
        if log.deleted:
            raise LogGoneError
        return log

    async def delete(self, name: str) -> None:
        """Delete a log; see `LogStore.delete`."""
        self._remove(await self.find(name))

    async def list(self, prefix: str = "") -> AsyncIterator[LogInfo]:
        """All logs whose names begin so; see `LogStore.list`."""
        for name in sorted(self._logs):
            log = self._logs.get(name)
            if log is not None and name.startswith(prefix) and not log.gone:
                yield log.info

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.close()

    async def aclose(self) -> None:
        """Let go of everything."""
        self.close()

    def close(self) -> None:
        """As `aclose`."""
        logs, self._logs = self._logs, {}
        for log in logs.values():
            log.delete()

    def _begin(
        self, info: LogInfo, source: MemoryLog | None, data: bytes, *, closed: bool
    ) -> Created:
        self._sweep()
        found = self._logs.get(info.name)
        if found is not None:
            held = found.info
            same = same_content_type(held.content_type, info.content_type)
            asked = (source, info.origin, info.expiry, closed)
            if found.deleted or not same or asked != (
                found.source, held.origin, held.expiry, held.closed,
            ):  # fmt: skip
                raise LogExistsError
            return Created(found, new=False)
        log = MemoryLog(self, replace(info, id=next(self._ids)), source)
        log.begin(data, closed=closed)
        if source is not None:
            source.forks += 1
        self._logs[info.name] = log
        return Created(log, new=True)

    def _remove(self, log: MemoryLog) -> None:
        """Let go of a log that no fork needs, and of those above that were kept for it only."""
        if not log.deleted:
            log.delete()
        above: MemoryLog | None = log
        while above is not None and above.deleted and not above.forks:
            del self._logs[above.info.name]
            above = above.source
            if above is not None:
                above.forks -= 1

    def _sweep(self) -> None:
        for log in [log for log in self._logs.values() if log.expired and not log.deleted]:
            self._remove(log)


async def _whole(data: Data) -> bytes:
    """All of what is to be appended; what a source raises goes through."""
    if not isinstance(data, Readable):
        return bytes(data)
    return b"".join([chunk async for chunk in data])
