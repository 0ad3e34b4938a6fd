"""What closing a store makes of what runs, what waits, and what fails meanwhile."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.logs.log_contract import LARGE, content
from tests.logs.test_faults import BROKEN, failing

from riverrun.errors import ClosedError
from riverrun.logs import Expiry, Log, LogNotFoundError, StorageError
from riverrun.logs.disk import DiskLogStore
from riverrun.logs.disk.catalogue import Catalogue


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskLogStore]:
    store = DiskLogStore(tmp_path)
    yield store
    await store.aclose()


@pytest.fixture
async def log(store: DiskLogStore) -> Log:
    return (await store.create("a", data=b"before ")).log


async def test_what_runs_is_finished_and_what_waits_is_refused(
    store: DiskLogStore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.get_running_loop().set_debug(True)  # tells of what another thread does to it
    write, goes_on = os.pwritev, threading.Event()

    def write_slowly(*values: Any) -> int:
        assert goes_on.wait(10)
        return write(*values)

    monkeypatch.setattr(os, "pwritev", write_slowly)
    running = asyncio.ensure_future(log.append(b"runs"))
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(log.append(b"waits"))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(store.aclose())
    with pytest.raises(ClosedError):
        await waiting
    goes_on.set()
    assert await running == 11
    await closing
    asyncio.get_running_loop().set_debug(False)


async def test_that_logs_were_used_is_stored_in_one_commit(
    store: DiskLogStore, tmp_path: Path
) -> None:
    logs = [(await store.create(f"log {n}", expiry=Expiry(ttl=60))).log for n in range(20)]
    for log in logs:
        log.touch()
    statements: list[str] = []
    store._catalogue._database.set_trace_callback(statements.append)
    await store.aclose()
    changes = [each for each in statements if each.startswith(("BEGIN", "UPDATE", "COMMIT"))]
    assert (changes[0], changes[-1], len(changes)) == ("BEGIN IMMEDIATE", "COMMIT", 22)


async def test_logs_may_be_used_while_a_store_closes(
    store: DiskLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [(await store.create(f"log {n}", expiry=Expiry(ttl=60))).log for n in range(3)]
    logs[0].touch()
    extend = Catalogue.extend

    def used_meanwhile(self: Catalogue, *values: Any) -> None:
        for log in logs:
            log.touch()
        extend(self, *values)

    monkeypatch.setattr(Catalogue, "extend", used_meanwhile)
    await store.aclose()


async def test_a_last_sync_that_fails_leaves_nothing_locked_and_loses_nothing(
    store: DiskLogStore,
    log: Log,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await log.append(b"kept")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing(BROKEN))
        await store.aclose()
    assert "the disk failed" in caplog.text
    again = DiskLogStore(tmp_path)
    assert await content(await again.find("a")) == b"before kept"
    await again.aclose()


async def test_a_file_that_cannot_be_removed_does_not_undo_what_is_durable(
    store: DiskLogStore,
    log: Log,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = (await store.create("b")).log
    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", failing(PermissionError(errno.EACCES, "no")))
        held = asyncio.ensure_future(store.find("a"))  # the next ones share a commit
        await asyncio.sleep(0)
        await asyncio.gather(store.delete("a"), other.append(b"once"))
        await held
    assert "cannot be removed" in caplog.text
    with pytest.raises(LogNotFoundError):
        await store.find("a")
    assert await other.append(b" more") == 9
    await store.aclose()
    again = DiskLogStore(tmp_path)
    assert len(list((tmp_path / "bytes").iterdir())) == 1
    await again.aclose()


async def test_when_the_names_of_files_may_be_lost_nothing_is_taken(
    store: DiskLogStore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing(BROKEN))
        with pytest.raises(StorageError):
            await log.append(bytes(LARGE))
    for size in (10, LARGE):
        with pytest.raises(StorageError) as raised:
            await log.append(bytes(size))
        assert not raised.value.full
    assert await content(log) == b"before "


async def test_a_closed_store_gives_and_takes_nothing(store: DiskLogStore, log: Log) -> None:
    await store.aclose()
    with pytest.raises(ClosedError):
        await content(log)
    for size in (10, LARGE):
        with pytest.raises(ClosedError):
            await log.append(bytes(size))
    async with log.read() as reader:
        with pytest.raises(ClosedError):
            await reader.read()
