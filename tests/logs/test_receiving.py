"""What is received before it is appended: in memory, within bounds, or in a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from riverrun.errors import DisconnectedError
from riverrun.logs.disk.files import LogFiles
from riverrun.logs.disk.receiving import KIB, WHOLE_SIZE, Receiver
from riverrun.streams import IterableSource


async def whole(size: int) -> AsyncIterator[bytes]:
    yield bytes(size)


async def cut_off(size: int) -> AsyncIterator[bytes]:
    yield bytes(size)
    raise DisconnectedError("the client went away")


async def test_large_data_that_is_cut_off_leaves_the_bound_of_memory_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverrun.logs.disk.receiving.ALL_SIZE", 256 * KIB)
    files = LogFiles(str(tmp_path))
    receiver = Receiver(files)
    with pytest.raises(DisconnectedError):
        await receiver.receive(IterableSource(cut_off(WHOLE_SIZE + 1)))
    first = await receiver.receive(IterableSource(whole(200 * KIB)))
    second = await receiver.receive(IterableSource(whole(200 * KIB)))
    assert first.file is None
    assert second.file is not None
    files.close()


async def test_appends_that_stall_hold_no_more_than_is_allowed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = 4 * WHOLE_SIZE
    monkeypatch.setattr("riverrun.logs.disk.receiving.ALL_SIZE", allowed)
    files = LogFiles(str(tmp_path))
    receiver = Receiver(files)
    goes_on, arrived, stalled = asyncio.Event(), 0, asyncio.Event()
    count = 10

    async def stalling() -> AsyncIterator[bytes]:
        nonlocal arrived
        for _ in range(40):
            yield bytes(64 * KIB)
        arrived += 1
        if arrived == count:
            stalled.set()
        await goes_on.wait()
        yield b"."

    appends = [
        asyncio.ensure_future(receiver.receive(IterableSource(stalling()))) for _ in range(count)
    ]
    async with asyncio.timeout(30):
        await stalled.wait()
    assert receiver.held <= allowed + count * 64 * KIB
    goes_on.set()
    received = await asyncio.gather(*appends)
    assert {stored.size for stored in received} == {40 * 64 * KIB + 1}
    assert receiver.held == 0
    files.close()
