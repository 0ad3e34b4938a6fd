"""What the disk engine does when the disk is full or fails, and what it does first."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.logs.log_contract import LARGE, content

from riverrun.logs import Log, LogGoneError, StorageError
from riverrun.logs.disk import DiskLogStore
from riverrun.logs.disk.catalogue import Catalogue
from riverrun.logs.disk.files import LogFiles
from riverrun.logs.disk.transaction import JOURNALED_SIZE

FULL = OSError(errno.ENOSPC, "full")
BROKEN = OSError(errno.EIO, "broken")
MIDDLING = JOURNALED_SIZE + 1


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskLogStore]:
    store = DiskLogStore(tmp_path)
    yield store
    await store.aclose()


@pytest.fixture
async def log(store: DiskLogStore) -> Log:
    return (await store.create("a", data=b"before ")).log


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("size", [10, MIDDLING, LARGE])
async def test_a_full_disk_takes_nothing_until_there_is_room(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwritev", failing(FULL))
        with pytest.raises(StorageError) as raised:
            await log.append(bytes(size))
        assert raised.value.full
    assert log.info.tail == 7
    assert len(list((tmp_path / "bytes").iterdir())) == 1
    await log.append(b"after")
    assert await content(log) == b"before after"


async def test_a_catalogue_without_room_takes_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = sqlite3.OperationalError("full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with monkeypatch.context() as patched:
        patched.setattr(Catalogue, "add_to_journal", failing(full))
        with pytest.raises(StorageError) as raised:
            await log.append(b"lost")
        assert raised.value.full
    await log.append(b"after")
    assert await content(log) == b"before after"


async def test_who_has_room_is_not_refused_with_who_has_not(
    store: DiskLogStore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = (await store.create("b")).log
    write = os.pwritev

    def some(descriptor: int, buffers: Sequence[bytes], offset: int) -> int:
        if b"too much" in buffers:
            raise FULL
        return write(descriptor, buffers, offset)

    monkeypatch.setattr(os, "pwritev", some)
    held = asyncio.ensure_future(log.append(b"first "))  # the next ones share a commit
    await asyncio.sleep(0)
    outcomes = await asyncio.gather(
        log.append(b"too much"), other.append(b"fits"), log.append(b"too"),
        return_exceptions=True,
    )  # fmt: skip
    await held
    assert isinstance(outcomes[0], StorageError)
    assert await content(other) == b"fits"
    assert await content(log) == b"before first too"


async def test_a_disk_that_fails_is_not_trusted_until_it_is_opened_again(
    store: DiskLogStore,
    log: Log,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", failing(BROKEN))
        with pytest.raises(StorageError) as raised:
            await log.append(bytes(MIDDLING))
        assert not raised.value.full
    with pytest.raises(StorageError):
        await log.append(b"never")
    assert "until they are opened again" in caplog.text
    assert await content(log) == b"before "
    await store.aclose()
    again = DiskLogStore(tmp_path)
    found = await again.find("a")
    await found.append(b"after")
    assert await content(found) == b"before after"
    await again.aclose()


@pytest.mark.parametrize(
    ("size", "synced"),
    [
        (10, ["commit"]),
        (MIDDLING, ["file", "folder", "commit"]),
        (LARGE, ["file", "folder", "commit"]),
    ],
)
async def test_what_is_acknowledged_was_synced_and_small_appends_are_once(
    store: DiskLogStore, monkeypatch: pytest.MonkeyPatch, size: int, synced: list[str]
) -> None:
    log = (await store.create("a")).log
    seen: list[str] = []

    def syncing(what: str, sync: Callable[[int], None], descriptor: int) -> None:
        seen.append(what)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", partial(syncing, "file", os.fdatasync))
    monkeypatch.setattr(os, "fsync", partial(syncing, "folder", os.fsync))
    execute = store._catalogue.execute

    def noting(statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            seen.append("commit")
        return execute(statement, *values)

    store._catalogue.execute = noting
    await log.append(bytes(size))
    assert seen == synced


async def test_appends_of_many_logs_share_a_commit(
    store: DiskLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [(await store.create(f"log {number}")).log for number in range(50)]
    commits = 0
    execute = store._catalogue.execute

    def counting(statement: str, *values: Any) -> sqlite3.Cursor:
        nonlocal commits
        commits += statement == "COMMIT"
        return execute(statement, *values)

    store._catalogue.execute = counting
    await asyncio.gather(*(log.append(b"x") for log in logs for _ in range(4)))
    assert commits == 2  # one for the first, which does not wait, and one for all others


async def test_a_cancel_leaves_the_log_whole(store: DiskLogStore, log: Log, tmp_path: Path) -> None:
    for size in (10, MIDDLING, LARGE):
        for turns in range(6):
            appending = asyncio.ensure_future(log.append(bytes([65 + turns]) * size))
            for _ in range(turns):
                await asyncio.sleep(0)
            appending.cancel()
            await asyncio.wait({appending})
    end = await log.append(b"end")
    stored = await content(log)
    assert len(stored) == end
    assert stored.startswith(b"before ")
    assert stored.endswith(b"end")
    files = {path.name for path in (tmp_path / "bytes").iterdir()}
    known = {name for (name,) in store._catalogue.execute("SELECT file FROM segments")}
    assert files == known


async def test_a_file_that_has_gone_is_told(log: Log, tmp_path: Path) -> None:
    (path,) = (tmp_path / "bytes").iterdir()
    path.unlink()
    with pytest.raises(LogGoneError):
        await content(log)


def failing_once(number: int) -> Callable[[int], None]:
    """An fsync that fails as the kernel has it: it tells once, and all seems well again."""
    sync, told = os.fdatasync, False

    def fail(descriptor: int) -> None:
        nonlocal told
        if not told:
            told = True
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    return fail


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("together", [1, 2])
async def test_a_sync_that_failed_is_not_tried_again(
    store: DiskLogStore, log: Log, monkeypatch: pytest.MonkeyPatch, number: int, together: int
) -> None:
    held = asyncio.ensure_future(store.create("b"))  # the next ones share a commit
    await asyncio.sleep(0)
    monkeypatch.setattr(os, "fdatasync", failing_once(number))
    appends = (log.append(bytes(MIDDLING)) for _ in range(together))
    outcomes = await asyncio.gather(*appends, return_exceptions=True)
    await held
    assert [type(outcome) for outcome in outcomes] == [StorageError] * together
    with pytest.raises(StorageError):
        await log.append(b"never")
    assert await content(log) == b"before "


class Syncs:
    """What was synced, and which files the journal forgot that were not."""

    def __init__(self, store: DiskLogStore, patch: pytest.MonkeyPatch) -> None:
        self.lost: set[str] = set()
        self._synced: set[str] = set()
        self._sync = store.files.sync_other
        self._catalogue = store._catalogue
        self._clear = self._catalogue.clear_journal
        patch.setattr(store.files, "sync_other", self.sync)
        patch.setattr(self._catalogue, "clear_journal", self.clear)
        self.before_end: Callable[[], None] = lambda: None

    def sync(self, names: Sequence[str]) -> None:
        self._sync(names)
        self.before_end()
        self._synced.update(names)

    def clear(self, last: int) -> None:
        forgotten = {entry.file for entry in self._catalogue.journal() if entry.id <= last}
        self.lost |= forgotten - self._synced
        self._clear(last)


async def test_closing_keeps_in_the_journal_what_is_acknowledged_meanwhile(
    store: DiskLogStore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = (await store.create("b")).log
    syncs = Syncs(store, monkeypatch)
    done, told = store._committer._done, asyncio.Event()
    syncing, acknowledged = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def sync_slowly() -> None:
        loop.call_soon_threadsafe(syncing.set)
        assert acknowledged.wait(10)

    def done_later(*outcome: Any) -> None:
        monkeypatch.setattr(store._committer, "_done", done)
        outcomes.append(outcome)
        told.set()

    outcomes: list[Any] = []
    syncs.before_end = sync_slowly
    monkeypatch.setattr(store._committer, "_done", done_later)
    appending = asyncio.ensure_future(other.append(b"small"))
    async with asyncio.timeout(10):
        await told.wait()  # it is in the commit, and nobody has been told
    closing = asyncio.ensure_future(store.aclose())
    async with asyncio.timeout(10):
        await syncing.wait()
    done(*outcomes[0])
    assert await appending == 5
    acknowledged.set()
    await closing
    assert not syncs.lost


async def test_closing_keeps_the_journal_when_a_sync_was_given_up(
    store: DiskLogStore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = (await store.create("b")).log
    monkeypatch.setattr("riverrun.logs.disk.committer.JOURNAL_SIZE", 1)
    syncs = Syncs(store, monkeypatch)
    given_up = threading.Event()

    def never_end() -> None:
        if not given_up.is_set():
            assert given_up.wait(10)
            raise BROKEN

    syncs.before_end = never_end
    await log.append(b"x")
    settling = store._committer._settling
    assert settling is not None
    await other.append(b"y")
    settling.cancel()  # as at the end of a loop
    await asyncio.wait({settling})
    given_up.set()
    store.close()
    assert not syncs.lost


def test_the_folders_of_a_new_store_are_synced_into_those_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    sync = os.fsync

    def noting(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    LogFiles(str(tmp_path / "new" / "logs")).close()
    assert {path.stat().st_ino for path in (tmp_path, tmp_path / "new")} <= synced
