"""The disk engine: keeps logs in a folder."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Self, TypeVar
from weakref import WeakValueDictionary

from riverrun.errors import ClosedError
from riverrun.io.threads import to_its_end
from riverrun.logs.contracts import NEVER, Created, Data, Expiry, LogInfo
from riverrun.logs.disk.catalogue import Catalogue
from riverrun.logs.disk.committer import Committer
from riverrun.logs.disk.files import LogFiles
from riverrun.logs.disk.log import DiskLog
from riverrun.logs.disk.operations import (
    Create,
    Delete,
    Find,
    Fork,
    Known,
    Operation,
    Page,
    Stored,
    Sweep,
)
from riverrun.logs.disk.receiving import Receiver
from riverrun.logs.disk.recovery import recover
from riverrun.logs.disk.retention import PARTS, Retention
from riverrun.logs.disk.transaction import Change
from riverrun.logs.errors import StorageError

KEPT_LOGS = 1024  # that nobody holds: known without asking the catalogue
SWEEP_SECONDS = 10.0

ResultT = TypeVar("ResultT")
FinishedT = TypeVar("FinishedT")
KEEP_ALL = Retention()


class DiskLogStore:
    """A `LogStore` in the folder `path`, which is made if need be.

    `retention` is how much of every log is kept; without it, everything. Opening it is blocking:
    what a crash has left is put in order. Raises `OSError` and `sqlite3.Error` when the folder
    cannot be used, `BlockingIOError` when another process does.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        retention: Retention = KEEP_ALL,
        now: Callable[[], float] = time.time,
    ) -> None:
        folder = os.fspath(path)
        self.now = now
        self.files = LogFiles(folder)
        try:
            self._catalogue = Catalogue(os.path.join(folder, "logs.db"))  # noqa: PTH118
            try:
                recover(self._catalogue, self.files)
            except BaseException:
                self._catalogue.close()
                raise
        except BaseException:
            self.files.close()
            raise
        self._retention = retention
        self._receiver = Receiver(self.files)
        self._used: dict[int, float] = {}  # until when logs have time, if that is not stored yet
        self._committer = Committer(
            self._catalogue, self.files, retention, now, self._used, self._publish
        )
        self._logs: WeakValueDictionary[int, DiskLog] = WeakValueDictionary()
        self._named: OrderedDict[str, DiskLog] = OrderedDict()
        self._watched: set[DiskLog] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._sweep: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def commits(self) -> int:
        """How many transactions were brought to the disk; appends that come together share one."""
        return self._committer.commits

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
        return await self._create(
            data, lambda stored: Create(name, content_type, expiry, stored, closed)
        )

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
        """Begin a log that has another's bytes; see `LogStore.fork`."""
        return await self._create(
            data,
            lambda stored: Fork(name, source, offset, content_type, expiry, stored, closed),
        )

    async def find(self, name: str) -> DiskLog:
        """The log of this name; see `LogStore.find`."""
        log = self._named.get(name)
        if log is not None and not log.gone:
            self._named.move_to_end(name)
            return log
        return await self._committer.run(Find(name), self._known)

    async def delete(self, name: str) -> None:
        """Delete a log; see `LogStore.delete`."""
        await self.run(Delete(name))

    async def list(self, prefix: str = "") -> AsyncIterator[LogInfo]:
        """All logs, as they are; see `LogStore.list`."""
        after = ""
        while page := await self.run(Page(after, prefix)):
            for info in page:
                yield info
            after = page[-1].name

    async def run(self, operation: Operation[ResultT]) -> ResultT:
        """Apply an operation; see `Committer.run`."""
        return await self._committer.run(operation, lambda result: result)

    async def storing(
        self,
        data: Data,
        operation: Callable[[Stored], Operation[ResultT]],
        was_stored: Callable[[ResultT], bool],
    ) -> ResultT:
        """Receive `data`, and apply the operation that stores it; tells whether it did."""
        return await self._storing(data, operation, was_stored, lambda result: result)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Finish what was begun and let go of everything."""
        if not self._closed:
            self._stop()
            await to_its_end(self._close_later())

    def close(self) -> None:
        """As `aclose`, where no event loop runs any more; blocking. Twice is once."""
        if not self._closed:
            self._stop()
            self._close()

    def used(self, log: DiskLog) -> None:
        """A log with a sliding expiry was read; its new time lasts from the next sweep on."""
        if log.expires is not None and not self._closed:
            self._used[log.info.id] = log.expires
            self._sweep_later()

    def watched(self, log: DiskLog) -> None:
        """Somebody follows a log."""
        self._watched.add(log)
        self._sweep_later()

    def _stop(self) -> None:
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._committer.stop()

    async def _close_later(self) -> None:
        await self._committer.settled()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        try:
            self._committer.close(dict(self._used))
        finally:
            self._catalogue.close()
            self.files.close()

    async def _create(self, data: Data, operation: Callable[[Stored], Operation[Known]]) -> Created:
        def created(known: Known) -> Created:
            return Created(self._known(known), known.new)

        return await self._storing(data, operation, lambda result: result.new, created)

    async def _storing(
        self,
        data: Data,
        operation: Callable[[Stored], Operation[ResultT]],
        was_stored: Callable[[FinishedT], bool],
        finish: Callable[[ResultT], FinishedT],
    ) -> FinishedT:
        stored = await self._receiver.receive(data)
        work = self._store(stored, operation(stored), was_stored, finish)
        return await (work if stored.file is None else to_its_end(work))

    async def _store(
        self,
        stored: Stored,
        operation: Operation[ResultT],
        was_stored: Callable[[FinishedT], bool],
        finish: Callable[[ResultT], FinishedT],
    ) -> FinishedT:
        appended = False
        try:
            result = await self._committer.run(operation, finish)
            appended = was_stored(result)
        except StorageError as error:
            appended = not error.full  # it may have been; that is known when the store opens again
            raise
        finally:
            await self._receiver.release(stored, appended=appended)
        self._sweep_later()
        return result

    def _known(self, known: Known) -> DiskLog:
        row = known.row
        log = self._logs.get(row.id)
        if log is None:
            log = self._logs[row.id] = DiskLog(self, row, known.last_segment)
        self._named[row.name] = log
        self._named.move_to_end(row.name)
        if len(self._named) > KEPT_LOGS:
            self._named.popitem(last=False)
        self._sweep_later()
        return log

    def _publish(self, changes: Sequence[Change]) -> None:
        for change in changes:
            log = self._logs.get(change.log)
            if log is None:
                continue
            if change.gone and self._named.get(change.info.name) is log:
                del self._named[change.info.name]
            log.change(change)

    def _sweep_later(self) -> None:
        if self._sweeping is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._sweeping = loop.call_later(SWEEP_SECONDS, self._begin_sweep)

    def _begin_sweep(self) -> None:
        self._sweeping = None
        self._sweep = asyncio.ensure_future(self._sweep_now())

    async def _sweep_now(self) -> None:
        """Remove what has expired, drop what is too old, and forget what nobody watches."""
        self._watched = {log for log in self._watched if log.forget_chunks()}
        age = self._retention.age
        oldest = None if age is None else self.now() - age * (1 + 1 / PARTS)
        used = dict(self._used)
        with suppress(StorageError, ClosedError):
            after: int | None = 0
            while after is not None:
                after = await self.run(Sweep(used, oldest, after))
            for log, expires in used.items():
                if self._used.get(log) == expires:
                    del self._used[log]
        self._sweep_later()
