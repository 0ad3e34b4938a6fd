"""The one thread that changes the catalogue and the files: whoever asks meanwhile goes together.

While a commit waits for the disk, operations gather; the next commit takes them all. One that
comes alone is begun at once. When a transaction fails, its operations are tried one by one, so that
each bears only what it has done.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from riverrun.errors import ClosedError
from riverrun.logs.disk.catalogue import Catalogue
from riverrun.logs.disk.files import NO_SPACE, LogFiles
from riverrun.logs.disk.operations import Operation, Settle
from riverrun.logs.disk.retention import Retention
from riverrun.logs.disk.transaction import Change, Transaction
from riverrun.logs.errors import LogError, StorageError

JOURNAL_SIZE = 4 * 1024 * 1024  # then the files are synced, and the journal can go
BATCH_LENGTH = 1024  # operations of one commit
FULL = (sqlite3.SQLITE_FULL,)

ResultT = TypeVar("ResultT")
FinishedT = TypeVar("FinishedT")
logger = logging.getLogger("riverrun.logs")


class Waiting(NamedTuple):
    """An operation, and who waits for it."""

    operation: Operation[Any]
    finish: Callable[[Any], Any]
    future: asyncio.Future[Any]


class Committer:
    """Applies operations; `publish` is called with what has changed, before anybody is told.

    A disk on which an fsync has failed is not trusted any more: the kernel tells of lost bytes
    once. Everything is refused then, until the store is opened again and goes by its journal.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        files: LogFiles,
        retention: Retention,
        now: Callable[[], float],
        used: Mapping[int, float],
        publish: Callable[[Sequence[Change]], None],
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._retention = retention
        self._now = now
        self._used = used
        self._publish = publish
        self._thread = ThreadPoolExecutor(1, "riverrun-logs")
        self._waiting: list[Waiting] = []
        self._running: asyncio.Future[Any] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._unsettled: set[str] = set()
        self._journal_size = 0
        self._journal_end = 0
        self._failure: StorageError | None = None
        self._closed = False

    async def run(
        self, operation: Operation[ResultT], finish: Callable[[ResultT], FinishedT]
    ) -> FinishedT:
        """Apply `operation`; return what `finish` makes of its result, on the loop, when it lasts.

        Raises what refuses it, and `StorageError`. After a cancel it may be applied or not.
        """
        if self._closed:
            raise ClosedError("the store of logs is closed")
        future: asyncio.Future[FinishedT] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(operation, finish, future))
        if self._running is None:
            self._begin()
        return await future

    def close(self) -> None:
        """Finish what runs, refuse what waits, and settle the journal; blocking."""
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.future.done():
                each.future.set_exception(ClosedError("the store of logs is closed"))
        if self._failure is None and self._unsettled:
            self._files.sync_other(tuple(self._unsettled))
            self._catalogue.clear_journal(self._journal_end)

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:BATCH_LENGTH], self._waiting[BATCH_LENGTH:]
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(
            self._thread, self._commit, [each.operation for each in batch]
        )
        self._running.add_done_callback(lambda running: self._done(batch, running))

    def _done(self, batch: list[Waiting], running: asyncio.Future[Any]) -> None:
        self._running = None
        outcomes, changes = running.result()
        if self._waiting and not self._closed:
            self._begin()
        self._publish(changes)
        for each, outcome in zip(batch, outcomes, strict=True):
            if each.future.done():
                if not isinstance(outcome, Exception):
                    each.finish(outcome)
            elif isinstance(outcome, Exception):
                each.future.set_exception(outcome)
            else:
                each.future.set_result(each.finish(outcome))
        if self._journal_size > JOURNAL_SIZE and self._settling is None and not self._closed:
            self._settling = asyncio.ensure_future(self._settle())

    async def _settle(self) -> None:
        """Sync what the journal is for, and forget that part of it."""
        files, end = tuple(self._unsettled), self._journal_end
        self._unsettled.clear()
        self._journal_size = 0
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._files.sync_other, files)
            await self.run(Settle(end), lambda _: None)
        except OSError as error:
            self._fail(error)
        except (StorageError, ClosedError):
            self._unsettled.update(files)
        finally:
            self._settling = None

    # What runs in the thread.

    def _commit(
        self, operations: Sequence[Operation[Any]]
    ) -> tuple[list[object], Sequence[Change]]:
        try:
            return self._transact(operations)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to be told
            if len(operations) == 1:
                return [self._storage_error(error)], ()
        outcomes: list[object] = []
        changes: list[Change] = []
        for operation in operations:
            some, more = self._commit((operation,))
            outcomes += some
            changes += more
        return outcomes, changes

    def _transact(
        self, operations: Sequence[Operation[Any]]
    ) -> tuple[list[object], Sequence[Change]]:
        if self._failure is not None:
            raise self._failure
        outcomes: list[object] = []
        transaction = Transaction(
            self._catalogue, self._files, self._retention, self._now(), self._used
        )
        try:
            for operation in operations:
                try:
                    outcomes.append(operation.apply(transaction))
                except LogError as error:
                    outcomes.append(error)
            changes = transaction.commit()
        except BaseException:
            transaction.roll_back()
            raise
        if transaction.journaled:
            self._unsettled.update(transaction.journaled)
            self._journal_size += transaction.journaled_size
            self._journal_end = transaction.journal_end
        return outcomes, changes

    def _storage_error(self, error: Exception) -> Exception:
        if isinstance(error, StorageError):
            return error
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            return StorageError("the disk is full", full=True)
        if isinstance(error, sqlite3.Error):
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                return StorageError("the disk is full", full=True)
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return StorageError("another program keeps the catalogue of logs to itself")
        if isinstance(error, (OSError, sqlite3.Error)):
            return self._fail(error)
        logger.error("an operation on logs failed", exc_info=error)
        return error

    def _fail(self, error: Exception) -> StorageError:
        logger.error("the disk failed; logs take nothing until they are opened again: %s", error)
        self._failure = StorageError("the disk failed")
        return self._failure
