"""The disk engine: the contract of logs, and what a disk adds to it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.logs.log_contract import LARGE, Clock, LogContract, content

from riverrun.errors import ClosedError
from riverrun.logs import Expiry, LogGoneError, LogNotFoundError, Producer
from riverrun.logs.disk import DiskLogStore, Retention


class TestDiskLogs(LogContract):
    @pytest.fixture
    async def store(self, tmp_path: Path, clock: Clock) -> AsyncIterator[DiskLogStore]:
        store = DiskLogStore(tmp_path / "logs", now=clock)
        yield store
        await store.aclose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def files_in(folder: Path) -> list[Path]:
    return sorted((folder / "bytes").iterdir())


async def test_everything_is_there_again_when_it_is_opened_again(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    log = (await store.create("a", content_type="text/x", expiry=Expiry(ttl=3600))).log
    await log.produce(b"small ", Producer("p", 2, 0))
    await log.append(b"x" * LARGE, order="7")
    fork = (await store.fork("f", "a", offset=6)).log
    await fork.append(b"fork", close=True)
    infos = [log.info, fork.info]
    await store.aclose()

    store = DiskLogStore(tmp_path)
    found = [await store.find("a"), await store.find("f")]
    assert [log.info for log in found] == infos
    assert await content(found[1]) == b"small fork"
    assert (await found[0].produce(b"small ", Producer("p", 2, 0))).duplicate
    await store.aclose()


async def test_that_a_log_was_used_is_known_when_it_is_opened_again(
    tmp_path: Path, clock: Clock
) -> None:
    store = DiskLogStore(tmp_path, now=clock)
    log = (await store.create("a", expiry=Expiry(ttl=10))).log
    clock.now += 9
    log.touch()
    await store.aclose()
    clock.now += 9
    store = DiskLogStore(tmp_path, now=clock)
    assert not (await store.find("a")).gone
    await store.aclose()


async def test_a_store_has_one_process(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    with pytest.raises(BlockingIOError):
        DiskLogStore(tmp_path)
    await store.aclose()
    await DiskLogStore(tmp_path).aclose()


async def test_a_closed_store_refuses(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    log = (await store.create("a")).log
    await store.aclose()
    await store.aclose()
    with pytest.raises(ClosedError):
        await log.append(b"x")


async def test_deleted_logs_leave_no_files(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    log = (await store.create("a", data=b"x")).log
    await log.append(b"y" * LARGE)
    assert len(files_in(tmp_path)) == 2
    await store.fork("f", "a")
    await store.delete("a")
    assert len(files_in(tmp_path)) == 2
    await store.delete("f")
    assert files_in(tmp_path) == []
    await store.aclose()


async def test_an_append_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    log = (await store.create("a")).log
    await log.produce(b"z" * LARGE, Producer("p", 0, 0))
    assert (await log.produce(b"z" * LARGE, Producer("p", 0, 0))).duplicate
    assert len(files_in(tmp_path)) == 1
    await store.aclose()


async def test_a_log_keeps_its_last_bytes(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path, retention=Retention(size=8000))
    log = (await store.create("a")).log
    for number in range(100):
        await log.append(b"%04d" % number * 100)
    info = log.info
    assert info.tail == 40_000
    assert 8000 <= info.tail - info.start <= 9400
    kept = await content(log)
    assert kept == b"".join(b"%04d" % number * 100 for number in range(info.start // 400, 100))
    assert sum(path.stat().st_size for path in files_in(tmp_path)) == len(kept)
    await store.aclose()


async def test_a_reader_that_retention_overtakes_is_told(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path, retention=Retention(size=100))
    log = (await store.create("a")).log
    await log.append(b"x" * 50)
    async with log.read() as reader:
        for _ in range(20):
            await log.append(b"y" * 50)
        with pytest.raises(LogGoneError):
            await reader.read()
    await store.aclose()


async def test_a_log_keeps_what_is_young(tmp_path: Path, clock: Clock) -> None:
    store = DiskLogStore(tmp_path, retention=Retention(age=80), now=clock)
    log = (await store.create("a")).log
    for number in range(30):
        await log.append(b"%02d" % number)
        clock.now += 10
    assert 2 * 8 <= log.info.tail - log.info.start <= 2 * 9
    await store.aclose()


async def test_what_forks_need_is_kept(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path, retention=Retention(size=800))
    log = (await store.create("a", data=b"first" * 100)).log
    fork = (await store.fork("f", "a")).log
    for _ in range(20):
        await log.append(b"y" * 100)
    assert log.info.start > 0
    assert await content(fork) == b"first" * 100
    await store.aclose()


async def test_sweeping_removes_what_has_expired(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverrun.logs.disk.store.SWEEP_SECONDS", 0.01)
    store = DiskLogStore(tmp_path, retention=Retention(age=100), now=clock)
    await store.create("expiring", expiry=Expiry(ttl=10), data=b"x")
    old = (await store.create("old", data=b"y")).log
    read = (await store.create("read", expiry=Expiry(ttl=200))).log
    clock.now += 150
    read.touch()
    clock.now += 150
    async with asyncio.timeout(10):
        while files_in(tmp_path):
            await asyncio.sleep(0.01)
    assert old.info.start == old.info.tail == 1
    assert [info.name async for info in store.list()] == ["old", "read"]
    await store.aclose()


async def test_sweeping_goes_on_behind_what_has_to_stay(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverrun.logs.disk.store.SWEEP_SECONDS", 0.01)
    monkeypatch.setattr("riverrun.logs.disk.operations.SWEEP_LENGTH", 2)
    store = DiskLogStore(tmp_path, retention=Retention(age=100), now=clock)
    for name in "ab":
        await store.create(name, data=b"x")
        await store.fork(f"fork of {name}", name)
    last = (await store.create("z", data=b"x")).log
    clock.now += 500
    async with asyncio.timeout(10):
        while not last.info.start:
            await asyncio.sleep(0.01)
    await store.aclose()


async def test_a_log_that_is_found_and_deleted_in_one_commit_is_gone(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    await store.create("a", data=b"x")
    await store.aclose()
    store = DiskLogStore(tmp_path)
    held = asyncio.ensure_future(store.create("b"))  # the next ones share a commit
    await asyncio.sleep(0)
    found, _ = await asyncio.gather(store.find("a"), store.delete("a"))
    await held
    assert found.gone
    with pytest.raises(LogNotFoundError):
        await store.find("a")
    await store.aclose()


async def test_a_log_that_is_found_and_grows_in_one_commit_has_all_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverrun.logs.disk.store.KEPT_LOGS", 1)
    store = DiskLogStore(tmp_path, retention=Retention(size=64))
    log = (await store.create("a", data=b"one file")).log
    await store.create("b")  # there is room for one
    held = asyncio.ensure_future(store.create("c"))  # the next ones share a commit
    await asyncio.sleep(0)
    finding = asyncio.ensure_future(store.find("a"))
    appending = asyncio.ensure_future(log.append(b" and another"))
    await asyncio.sleep(0)
    appending.cancel()  # so that nobody has the log when it has grown
    await asyncio.wait({appending})
    del log, appending
    gc.collect()
    assert await content(await finding) == b"one file and another"
    await held
    await store.aclose()


async def test_bytes_beyond_the_tail_do_not_count(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    log = (await store.create("a", data=b"counts")).log
    await store.aclose()
    (path,) = files_in(tmp_path)
    with path.open("ab") as file:
        file.write(b" and this does not")
    (tmp_path / "bytes" / "orphan").write_bytes(b"nobody's")

    store = DiskLogStore(tmp_path)
    log = await store.find("a")
    await log.append(b"!")
    assert await content(log) == b"counts!"
    assert files_in(tmp_path) == [path]
    await store.aclose()


async def test_what_a_file_lost_comes_back_from_the_journal(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    log = (await store.create("a", data=b"one ")).log
    await log.append(b"two")
    # As after a power cut: the catalogue was synced, the file was not.
    (path,) = files_in(tmp_path)
    path.unlink()
    store._committer._unsettled.clear()
    await store.aclose()

    store = DiskLogStore(tmp_path)
    assert await content(await store.find("a")) == b"one two"
    await store.aclose()


async def test_the_journal_goes_when_the_files_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverrun.logs.disk.committer.JOURNAL_SIZE", 10_000)
    store = DiskLogStore(tmp_path)
    log = (await store.create("a")).log
    for _ in range(50):
        await log.append(b"x" * 1000)
    settled = store._committer._settling
    if settled is not None:
        await settled
    assert len(list(store._catalogue.journal())) < 30
    await store.aclose()
    store = DiskLogStore(tmp_path)
    assert list(store._catalogue.journal()) == []
    assert len(await content(await store.find("a"))) == 50_000
    await store.aclose()


async def test_a_name_that_never_was_is_not_found(tmp_path: Path) -> None:
    store = DiskLogStore(tmp_path)
    with pytest.raises(LogNotFoundError):
        await store.find("nothing")
    await store.aclose()
