"""The engine in memory keeps the contract of logs, and forgets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.logs.log_contract import Clock, LogContract, content

from riverrun.logs import Expiry, LogGoneError
from riverrun.logs.memory import MemoryLogStore


class TestMemoryLogs(LogContract):
    @pytest.fixture
    async def store(self, clock: Clock) -> AsyncIterator[MemoryLogStore]:
        async with MemoryLogStore(now=clock) as store:
            yield store


async def test_what_a_fork_has_of_its_source_is_not_copied() -> None:
    async with MemoryLogStore() as store:
        log = (await store.create("a")).log
        await log.append(b"shared")
        await log.append(b" and cut")
        fork = (await store.fork("f", "a", offset=10)).log
        assert fork.shared_chunk(0) is log.shared_chunk(0)
        assert await content(fork) == b"shared and"


async def test_what_has_expired_is_not_told_and_its_name_is_free() -> None:
    clock = Clock()
    async with MemoryLogStore(now=clock) as store:
        log = (await store.create("a", expiry=Expiry(ttl=5))).log
        clock.now += 5
        assert [info async for info in store.list()] == []
        other = (await store.create("a")).log
        assert other.info.id != log.info.id


async def test_what_waits_is_told_that_all_is_closed() -> None:
    store = MemoryLogStore()
    log = (await store.create("a")).log
    told: list[bool] = []
    log.watch(lambda: told.append(log.gone))
    await store.aclose()
    assert told == [True]
    with pytest.raises(LogGoneError):
        await log.append(b"x")
