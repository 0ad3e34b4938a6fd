"""What every engine keeps: the contract of logs, as tests. An engine's tests derive from it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator

import pytest

from riverrun.errors import DisconnectedError
from riverrun.logs import (
    ContentTypeError,
    EpochError,
    Expiry,
    FencedError,
    GapError,
    Log,
    LogClosedError,
    LogExistsError,
    LogGoneError,
    LogNotFoundError,
    LogStore,
    OffsetError,
    OrderError,
    Produced,
    Producer,
)
from riverrun.streams import FileRegion, IterableSource

LARGE = 3 * 1024 * 1024 + 1


class Clock:
    """The time, as a test wants it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def content(log: Log) -> bytes:
    """All that is in a log now."""
    pieces = []
    async for piece in log.slices(log.info.start, log.info.tail):
        if isinstance(piece, FileRegion):
            pieces.append(os.pread(piece.descriptor, piece.length, piece.offset))
        else:
            pieces.append(piece)
    return b"".join(pieces)


class LogContract:
    """Derive from it, with a fixture `store` that begins empty and goes by `clock`."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    async def log(self, store: LogStore) -> Log:
        return (await store.create("chat", content_type="text/plain")).log

    # Appending.

    async def test_a_log_holds_what_was_appended_in_order(self, log: Log) -> None:
        assert await log.append(b"one ") == 4
        assert await log.append(b"two") == 7
        assert await content(log) == b"one two"
        assert (log.info.start, log.info.tail) == (0, 7)

    async def test_concurrent_appends_are_whole_and_none_is_lost(self, log: Log) -> None:
        words = [b"%03d;" % number for number in range(100)]
        tails = await asyncio.gather(*map(log.append, words))
        assert sorted(tails) == [4 * count for count in range(1, 101)]
        assert sorted((await content(log)).split(b";")[:-1]) == [word[:3] for word in words]

    @pytest.mark.parametrize("size", [1, 70_000, LARGE])
    async def test_a_source_is_appended_whole(self, log: Log, size: int) -> None:
        data = bytes(range(256)) * (size // 256 + 1)
        assert await log.append(IterableSource((data[:size],))) == size
        assert await log.append(b"!") == size + 1
        assert await content(log) == data[:size] + b"!"

    async def test_a_source_that_fails_leaves_nothing(self, log: Log) -> None:
        async def breaking(size: int) -> AsyncIterator[bytes]:
            yield b"x" * size
            raise ConnectionResetError

        for size in (10, LARGE):
            with pytest.raises(DisconnectedError):
                await log.append(IterableSource(breaking(size)))
        assert log.info.tail == 0
        await log.append(b"y")
        assert await content(log) == b"y"

    async def test_what_is_closed_takes_nothing_and_closing_twice_is_once(self, log: Log) -> None:
        assert await log.append(b"last", close=True) == 4
        assert log.info.closed
        assert await log.close() == 4
        with pytest.raises(LogClosedError) as raised:
            await log.append(b"more")
        assert raised.value.tail == 4
        with pytest.raises(LogClosedError):
            await log.append(b"more", close=True)
        assert await content(log) == b"last"

    async def test_an_order_has_to_rise(self, log: Log) -> None:
        await log.append(b"a", order="2")
        for order in ("2", "10", ""):
            with pytest.raises(OrderError):
                await log.append(b"b", order=order)
        await log.append(b"c", order="20")
        await log.append(b"d")
        assert await content(log) == b"acd"

    # Producers.

    async def test_a_repeated_append_of_a_producer_is_stored_once(self, log: Log) -> None:
        first = Producer("p", 0, 0)
        assert await log.produce(b"a", first) == Produced(1, 0, duplicate=False)
        assert await log.produce(b"b", Producer("p", 0, 1)) == Produced(2, 1, duplicate=False)
        assert await log.produce(b"a", first) == Produced(2, 1, duplicate=True)
        assert await content(log) == b"ab"

    async def test_repeats_at_the_same_time_are_stored_once(self, log: Log) -> None:
        produced = await asyncio.gather(
            *(log.produce(b"a", Producer("p", 0, 0)) for _ in range(20))
        )
        assert [each.duplicate for each in produced].count(False) == 1
        assert await content(log) == b"a"

    async def test_producers_do_not_know_each_other(self, log: Log) -> None:
        for name in ("p", "q"):
            assert not (await log.produce(b"a", Producer(name, 3, 0))).duplicate
        assert await content(log) == b"aa"

    async def test_a_gap_in_a_producers_appends_is_told(self, log: Log) -> None:
        with pytest.raises(GapError):
            await log.produce(b"b", Producer("p", 0, 1))
        await log.produce(b"a", Producer("p", 0, 0))
        with pytest.raises(GapError) as raised:
            await log.produce(b"c", Producer("p", 0, 2))
        assert (raised.value.expected, raised.value.received) == (1, 2)
        assert await content(log) == b"a"

    async def test_a_new_epoch_begins_at_zero_and_shuts_the_old_one_out(self, log: Log) -> None:
        await log.produce(b"a", Producer("p", 0, 0))
        with pytest.raises(EpochError):
            await log.produce(b"b", Producer("p", 1, 5))
        await log.produce(b"b", Producer("p", 1, 0))
        with pytest.raises(FencedError) as raised:
            await log.produce(b"c", Producer("p", 0, 1))
        assert raised.value.epoch == 1
        assert await content(log) == b"ab"

    async def test_a_repeated_close_of_a_producer_is_a_duplicate(self, log: Log) -> None:
        last = Producer("p", 0, 0)
        await log.produce(b"end", last, close=True)
        assert (await log.produce(b"end", last, close=True)).duplicate
        with pytest.raises(LogClosedError):
            await log.produce(b"more", Producer("p", 0, 1))

    # Creating, finding, deleting.

    async def test_a_log_is_begun_once(self, store: LogStore, log: Log) -> None:
        again = await store.create("chat", content_type="text/plain", data=b"not added")
        assert again == (log, False)
        other_case = await store.create("chat", content_type="Text/Plain; charset=utf-8")
        assert other_case == (log, False)
        assert log.info.tail == 0
        for other in (
            {"content_type": "text/html"},
            {"content_type": "text/plain", "expiry": Expiry(ttl=5)},
            {"content_type": "text/plain", "closed": True},
        ):
            with pytest.raises(LogExistsError):
                await store.create("chat", **other)

    async def test_a_log_can_begin_with_data_and_closed(self, store: LogStore) -> None:
        log = (await store.create("done", data=b"all", closed=True)).log
        assert (log.info.closed, await content(log)) == (True, b"all")

    async def test_what_is_deleted_is_gone_for_who_holds_it(
        self, store: LogStore, log: Log
    ) -> None:
        reader = log.read()
        waiting = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0)
        await store.delete("chat")
        with pytest.raises(LogGoneError):
            await waiting
        with pytest.raises(LogGoneError):
            await log.append(b"x")
        with pytest.raises(LogNotFoundError):
            await store.find("chat")
        with pytest.raises(LogNotFoundError):
            await store.delete("chat")
        await reader.aclose()

    async def test_a_name_that_is_free_again_has_another_log(
        self, store: LogStore, log: Log
    ) -> None:
        await log.append(b"old")
        await store.delete("chat")
        new = (await store.create("chat")).log
        assert new.info.id != log.info.id
        assert await content(new) == b""

    async def test_logs_are_listed_in_the_order_of_their_names(self, store: LogStore) -> None:
        for name in ("b/1", "a", "b/2", "c"):
            await store.create(name)
        assert [info.name async for info in store.list()] == ["a", "b/1", "b/2", "c"]
        assert [info.name async for info in store.list("b/")] == ["b/1", "b/2"]

    # Reading.

    async def test_a_reader_gets_what_is_there_and_what_comes_to_the_end(self, log: Log) -> None:
        await log.append(b"one ")
        async with log.read() as reader:
            assert await reader.read() == b"one "
            waiting = asyncio.ensure_future(reader.read())
            await asyncio.sleep(0)
            await log.append(b"two", close=True)
            assert await waiting == b"two"
            assert await reader.read() == b""

    async def test_a_reader_misses_nothing_that_comes_before_it_waits(self, log: Log) -> None:
        async with log.read() as reader:
            reading = asyncio.ensure_future(reader.read())
            await asyncio.sleep(0)
            await log.close()
            async with asyncio.timeout(10):
                assert await reading == b""

    async def test_all_who_wait_are_handed_the_same_chunk(self, log: Log) -> None:
        readers = [log.read() for _ in range(10)]
        waiting = [asyncio.ensure_future(reader.read()) for reader in readers]
        await asyncio.sleep(0)
        await log.append(b"for everybody")
        chunks = await asyncio.gather(*waiting)
        assert all(chunk is chunks[0] for chunk in chunks)
        for reader in readers:
            await reader.aclose()

    async def test_who_falls_behind_gets_everything_and_nothing_waits_for_it(
        self, log: Log
    ) -> None:
        async with log.read() as slow:
            waiting = asyncio.ensure_future(slow.read(1))
            await asyncio.sleep(0)
            for number in range(200):
                await log.append(b"%04d" % number * 250)
            await log.close()
            received = [await waiting]
            received += [chunk async for chunk in slow]
        assert b"".join(received) == await content(log)

    async def test_an_offset_that_is_not_there_is_refused(self, log: Log) -> None:
        await log.append(b"abc")
        for offset in (-1, 4):
            with pytest.raises(OffsetError):
                log.read(offset)
        async with log.read(2) as reader:
            assert await reader.read() == b"c"

    async def test_a_watcher_is_called_for_each_change_until_it_is_not(self, log: Log) -> None:
        seen: list[tuple[int, bytes | None, bool]] = []

        def watcher() -> None:
            seen.append((log.info.tail, log.shared_chunk(3 * len(seen)), log.info.closed))

        log.watch(watcher)
        await log.append(b"abc")
        await log.append(b"def")
        await log.close()
        log.unwatch(watcher)
        assert seen == [(3, b"abc", False), (6, b"def", False), (6, None, True)]

    # Forks.

    async def test_a_fork_has_what_came_before_and_goes_its_own_way(
        self, store: LogStore, log: Log
    ) -> None:
        await log.append(b"shared|old")
        fork = (await store.fork("fork", "chat", offset=7)).log
        await log.append(b" source")
        await fork.append(b"new")
        assert await content(fork) == b"shared|new"
        assert await content(log) == b"shared|old source"
        assert fork.info.content_type == "text/plain"
        assert fork.info.origin is not None
        assert (fork.info.origin.name, fork.info.origin.offset) == ("chat", 7)

    async def test_a_fork_of_a_fork_reads_through_all_of_them(
        self, store: LogStore, log: Log
    ) -> None:
        await log.append(b"a" * 10)
        names = ["chat", "f1", "f2", "f3"]
        for source, name in itertools.pairwise(names):
            fork = (await store.fork(name, source)).log
            await fork.append(name.encode())
        assert await content(fork) == b"a" * 10 + b"f1f2f3"
        early = (await store.fork("early", "f3", offset=4)).log
        assert await content(early) == b"aaaa"

    async def test_a_closed_log_can_be_forked_and_the_fork_is_open(
        self, store: LogStore, log: Log
    ) -> None:
        await log.append(b"end", close=True)
        fork = (await store.fork("fork", "chat")).log
        assert await fork.append(b"less") == 7

    async def test_a_fork_is_made_once(self, store: LogStore, log: Log) -> None:
        await log.append(b"abc")
        assert (await store.fork("fork", "chat", offset=2)).new
        assert not (await store.fork("fork", "chat", offset=2)).new
        with pytest.raises(LogExistsError):
            await store.fork("fork", "chat", offset=1)
        with pytest.raises(LogExistsError):
            await store.create("fork", content_type="text/plain")

    async def test_what_cannot_be_forked(self, store: LogStore, log: Log) -> None:
        with pytest.raises(LogNotFoundError):
            await store.fork("fork", "nothing")
        with pytest.raises(OffsetError):
            await store.fork("fork", "chat", offset=1)
        with pytest.raises(ContentTypeError):
            await store.fork("fork", "chat", content_type="text/html")

    async def test_a_deleted_log_stays_for_its_forks_and_goes_with_the_last(
        self, store: LogStore, log: Log
    ) -> None:
        await log.append(b"kept")
        for source, name in (("chat", "f1"), ("f1", "f2")):
            await store.fork(name, source)
        await store.delete("chat")
        await store.delete("f1")
        with pytest.raises(LogGoneError):
            await store.find("chat")
        with pytest.raises(LogExistsError):
            await store.create("chat")
        with pytest.raises(LogGoneError):
            await store.fork("f3", "chat")
        assert await content(await store.find("f2")) == b"kept"
        assert [info.name async for info in store.list()] == ["f2"]
        await store.delete("f2")
        for name in ("chat", "f1", "f2"):
            with pytest.raises(LogNotFoundError):
                await store.find(name)

    # Expiry.

    async def test_a_log_goes_when_it_was_not_used_for_its_time(
        self, store: LogStore, clock: Clock
    ) -> None:
        log = (await store.create("short", expiry=Expiry(ttl=10))).log
        clock.now += 9
        await log.append(b"used")
        clock.now += 9
        log.touch()
        clock.now += 9
        assert await store.find("short") is log
        assert not (await store.create("short", expiry=Expiry(ttl=10))).new
        assert await log.append(b" again") == 10
        clock.now += 9
        clock.now += 1
        assert log.gone
        with pytest.raises(LogNotFoundError):
            await store.find("short")
        assert (await store.create("short")).new

    async def test_a_log_goes_at_its_time_however_it_is_used(
        self, store: LogStore, clock: Clock
    ) -> None:
        log = (await store.create("until", expiry=Expiry(at=clock.now + 10))).log
        clock.now += 9
        await log.append(b"used")
        log.touch()
        clock.now += 1
        with pytest.raises(LogGoneError):
            await log.append(b"late")
        with pytest.raises(LogNotFoundError):
            await store.find("until")

    async def test_a_fork_inherits_an_expiry_unless_it_has_its_own(
        self, store: LogStore, clock: Clock
    ) -> None:
        at = Expiry(at=clock.now + 10)
        await store.create("source", expiry=at)
        assert (await store.fork("same", "source")).log.info.expiry == at
        own = Expiry(ttl=60)
        fork = (await store.fork("own", "source", expiry=own)).log
        assert fork.info.expiry == own
        clock.now += 11
        assert await store.find("own") is fork
