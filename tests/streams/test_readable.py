"""What the base of sources promises beyond the contract, which the conformance check tries."""

import asyncio

import pytest

from riverrun.errors import BrokenError, BusyError, ClosedError, RefusedError
from riverrun.streams import Source
from riverrun.testing import check_readable

WHOLE = bytes(range(256)) * 4


class Slow(Source):
    """Gives its bytes by and by, after as many turns of the loop as the chunk is long."""

    def __init__(self, size: int = 5) -> None:
        super().__init__()
        self.size = size
        self.offset = 0
        self.fetches = 0
        self.released = 0

    async def _fetch(self, max_bytes: int | None) -> bytes:
        self.fetches += 1
        for _ in range(self.size):
            await asyncio.sleep(0)
        chunk = WHOLE[self.offset : self.offset + self.size]
        self.offset += len(chunk)
        return chunk

    async def _release(self) -> None:
        self.released += 1


class Quick(Slow):
    """Gives every other chunk without waiting."""

    def _try_fetch(self, max_bytes: int | None) -> bytes | None:
        if self.offset // self.size % 2 or self.offset >= len(WHOLE):
            return None
        chunk = WHOLE[self.offset : self.offset + self.size]
        self.offset += len(chunk)
        return chunk


class Stuck(Slow):
    async def _fetch(self, max_bytes: int | None) -> bytes:
        await asyncio.Event().wait()
        return b""


class Failing(Slow):
    async def _fetch(self, max_bytes: int | None) -> bytes:
        if self.offset > 20:
            raise OSError(5, "Input/output error", "/a/path")
        return await super()._fetch(max_bytes)


@pytest.mark.parametrize("make", [Slow, Quick, lambda: Slow(300), lambda: Quick(1)])
async def test_the_contract_is_kept(make: type[Source]) -> None:
    await check_readable(make, clogged=Stuck, broken=Failing)


async def test_a_cancelled_read_leaves_its_fetch_running_and_keeps_what_it_brings() -> None:
    source = Slow()
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    assert await source.read(2) == WHOLE[:2]
    assert await source.read() == WHOLE[2:5]
    assert source.fetches == 1
    await source.aclose()


async def test_a_paused_source_is_not_asked_but_gives_what_was_on_its_way() -> None:
    source = Slow()
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    source.pause()
    assert await reading == WHOLE[:5]
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    assert source.fetches == 1
    source.resume()
    assert await reading == WHOLE[5:10]
    await source.aclose()


async def test_closing_cancels_a_fetch_and_releases_once_behind_it() -> None:
    order: list[str] = []

    class Watched(Stuck):
        async def _fetch(self, max_bytes: int | None) -> bytes:
            try:
                return await super()._fetch(max_bytes)
            finally:
                await asyncio.sleep(0)
                order.append("fetch over")

        async def _release(self) -> None:
            order.append("released")

    source = Watched()
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.gather(source.aclose(), source.aclose())
    await source.aclose()
    assert order == ["fetch over", "released"]
    with pytest.raises(ClosedError):
        await reading


async def test_a_cancelled_close_still_releases() -> None:
    source = Stuck()
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(source.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    with pytest.raises(ClosedError):
        await reading
    for _ in range(3):
        await asyncio.sleep(0)
    assert source.released == 1


async def test_a_read_that_has_just_been_woken_is_still_the_only_one() -> None:
    source = Slow(1)
    first = asyncio.ensure_future(source.read())
    while source._kept == b"":
        await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await source.read()
    assert await first == WHOLE[:1]
    await source.aclose()


async def test_a_failure_names_no_path_and_has_its_cause() -> None:
    source = Failing()
    with pytest.raises(BrokenError, match=r"^Input/output error$") as raised:
        async for _ in source:
            pass
    assert isinstance(raised.value.__cause__, OSError)
    await source.aclose()


@pytest.mark.parametrize("quick", [True, False])
async def test_our_own_exceptions_are_raised_as_they_are(quick: bool) -> None:
    class Limited(Source):
        def _try_fetch(self, max_bytes: int | None) -> bytes | None:
            if quick:
                raise RefusedError("everything", 0)
            return None

        async def _fetch(self, max_bytes: int | None) -> bytes:
            raise RefusedError("everything", 0)

    source = Limited()
    for _ in range(2):
        with pytest.raises(RefusedError):
            await source.read()


async def test_a_fetch_that_is_cancelled_from_elsewhere_is_a_failure() -> None:
    class Cancelled(Source):
        async def _fetch(self, max_bytes: int | None) -> bytes:
            raise asyncio.CancelledError

    with pytest.raises(BrokenError):
        await Cancelled().read()
