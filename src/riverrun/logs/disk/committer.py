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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from riverrun.errors import ClosedError
from riverrun.logs.disk.catalogue import Catalogue
from riverrun.logs.disk.files import NO_SPACE, LogFiles, SyncError
from riverrun.logs.disk.operations import Operation, Settle
from riverrun.logs.disk.retention import Retention
from riverrun.logs.disk.transaction import Change, Transaction
from riverrun.logs.errors import LogError, StorageError

JOURNAL_SIZE = 4 * 1024 * 1024  # then the files are synced, and the journal can go
BATCH_LENGTH = 1024  # operations of one commit

ResultT = TypeVar("ResultT")
FinishedT = TypeVar("FinishedT")
logger = logging.getLogger("riverrun.logs")


class Outcome(NamedTuple):
    """What became of some operations: results or refusals, changes, and what the journal got."""

    results: list[object]
    changes: list[Change]
    files: list[str]
    size: int
    journal_end: int


class Waiting(NamedTuple):
    """An operation, and who waits for it."""

    operation: Operation[Any]
    finish: Callable[[Any], Any]
    future: asyncio.Future[Any]


class Committer:
    """Applies operations; `publish` is called with what has changed, before anybody is told.

    A disk on which an fsync has failed is not trusted any more: the kernel tells of lost bytes
    once. Everything is refused then, until the store is opened again and goes by its journal.
    `commits` counts the transactions that were brought to the disk.
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
        self._running = False
        self._settling: asyncio.Task[None] | None = None
        self._unsettled: set[str] = set()
        self._journal_size = 0
        self._journal_end = 0
        self._failure: StorageError | None = None
        self._closed = False
        self.commits = 0

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
        if not self._running:
            self._begin()
        return await future

    def stop(self) -> None:
        """Take nothing more, and refuse what waits; what runs goes on."""
        self._closed = True
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            # Its loop may have ended, or be another thread's.
            with suppress(RuntimeError):
                each.future.get_loop().call_soon_threadsafe(_refuse, each.future)

    async def settled(self) -> None:
        """Wait until files are not being synced any more."""
        if self._settling is not None:
            await asyncio.wait({self._settling})

    def close(self, used: Mapping[int, float]) -> None:
        """Finish what runs, note how long logs have time, and settle the journal; blocking.

        When that fails nothing is lost: the journal has it.
        """
        self.stop()
        self._thread.shutdown()
        if self._failure is not None:
            return
        # The end first: `_done` may run on the loop beside this, and it adds the files first.
        end, files = self._journal_end, tuple(self._unsettled)
        try:
            self._catalogue.extend(used)
            if self._settling is None and files:
                self._files.sync_other(files)
                self._catalogue.clear_journal(end)
        except (OSError, SyncError, sqlite3.Error) as error:
            self._fail(error)

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:BATCH_LENGTH], self._waiting[BATCH_LENGTH:]
        loop = asyncio.get_running_loop()
        operations = [each.operation for each in batch]
        self._running = True

        def told(committed: Future[Outcome]) -> None:
            with suppress(RuntimeError):  # nobody waits any more when the loop is closed
                loop.call_soon_threadsafe(self._done, batch, committed.result())

        self._thread.submit(self._commit, operations).add_done_callback(told)

    def _done(self, batch: list[Waiting], outcome: Outcome) -> None:
        # Here, not in the thread: files and the end of the journal have to go together.
        self._unsettled.update(outcome.files)
        self._journal_size += outcome.size
        self._journal_end = max(self._journal_end, outcome.journal_end)
        self._running = False
        if self._waiting and not self._closed:
            self._begin()
        results = [
            result if isinstance(result, Exception) else each.finish(result)
            for each, result in zip(batch, outcome.results, strict=True)
        ]
        # Behind that: what was found is told, too, what the same commit has made of it.
        self._publish(outcome.changes)
        for each, result in zip(batch, results, strict=True):
            if each.future.done():
                continue
            if isinstance(result, Exception):
                each.future.set_exception(result)
            else:
                each.future.set_result(result)
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
        except (OSError, SyncError) as error:
            self._fail(error)
        except (StorageError, ClosedError):
            self._unsettled.update(files)
        # Not after a cancel: whether the files were synced is not known, and the journal stays.
        self._settling = None

    # What runs in the thread.

    def _commit(self, operations: Sequence[Operation[Any]]) -> Outcome:
        try:
            return self._transact(operations)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to be told
            if len(operations) == 1 or _is_failure(error):
                told = self._storage_error(error)
                return Outcome([told for _ in operations], [], [], 0, 0)
        parts = [self._commit((operation,)) for operation in operations]
        return Outcome(
            [result for part in parts for result in part.results],
            [change for part in parts for change in part.changes],
            [file for part in parts for file in part.files],
            sum(part.size for part in parts),
            max(part.journal_end for part in parts),
        )

    def _transact(self, operations: Sequence[Operation[Any]]) -> Outcome:
        if self._files.failed and self._failure is None:
            self._fail(SyncError("the names of files may have been lost"))
        if self._failure is not None:
            raise self._failure
        results: list[object] = []
        transaction = Transaction(
            self._catalogue, self._files, self._retention, self._now(), self._used
        )
        try:
            for operation in operations:
                try:
                    results.append(operation.apply(transaction))
                except LogError as error:
                    results.append(error)
            changes = transaction.commit()
        except BaseException:
            transaction.roll_back()
            raise
        self.commits += 1
        journaled, size = transaction.journaled, transaction.journaled_size
        return Outcome(results, changes, journaled, size, transaction.journal_end)

    def _storage_error(self, error: Exception) -> Exception:
        if isinstance(error, StorageError):
            return error
        if _is_failure(error):
            return self._fail(error)
        if _sqlite_code(error) == sqlite3.SQLITE_BUSY:
            return StorageError("another program keeps the catalogue of logs to itself")
        if isinstance(error, (OSError, sqlite3.Error)):
            return StorageError("the disk is full", full=True)
        logger.error("an operation on logs failed", exc_info=error)
        return error

    def _fail(self, error: Exception) -> StorageError:
        logger.error("the disk failed; logs take nothing until they are opened again: %s", error)
        self._failure = StorageError("the disk failed")
        return self._failure


def _refuse(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(ClosedError("the store of logs is closed"))


def _is_failure(error: Exception) -> bool:
    """Whether the disk is not to be trusted after this; being full or busy is no failure."""
    if isinstance(error, OSError):
        return error.errno not in NO_SPACE
    if isinstance(error, sqlite3.Error):
        return _sqlite_code(error) not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
    return isinstance(error, SyncError)


def _sqlite_code(error: Exception) -> int | None:
    """What SQLite says; errors of the module itself have no code."""
    return getattr(error, "sqlite_errorcode", None)
