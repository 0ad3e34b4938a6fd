"""Zero-copy for wholes and for parts, and under flow control all the same."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from tests.apps.files.sending.steering import MIB, TRICKLE, SteeredSite, noise
from tests.apps.files.sites import leaving_no_descriptors
from tests.server.client import until

from riverrun.flows import Shape, Waiting

CONTENT = noise(2 * MIB + 77)
LARGE = noise(16 * MIB)
SHAPES = pytest.mark.parametrize(
    "shape",
    [
        None,
        Shape(rate=40e6),
        Shape(chunk_size=100_000),
        Shape(chunk_size=300_000, delay=0.001, rate=80e6),
    ],
    ids=["free", "rate", "chunks", "all"],
)
ASKED = pytest.mark.parametrize(
    ("lines", "stretches"),
    [
        ((), [(0, len(CONTENT))]),
        (("Range: bytes=1-",), [(1, len(CONTENT))]),
        (("Range: bytes=-1000000",), [(len(CONTENT) - 1_000_000, len(CONTENT))]),
        (("Range: bytes=77-1500000",), [(77, 1_500_001)]),
        (("Range: bytes=0-99999,1000000-1999999",), [(0, 100_000), (1_000_000, 2_000_000)]),
    ],
    ids=["whole", "from", "suffix", "part", "parts"],
)


@SHAPES
@ASKED
async def test_what_is_sent_is_what_is_in_the_file(
    steered: SteeredSite,
    shape: Shape | None,
    lines: tuple[str, ...],
    stretches: list[tuple[int, int]],
) -> None:
    steered.add("a.bin", CONTENT)
    steered.shape = shape
    reply = await steered.get("/a.bin", *lines)
    if len(stretches) == 1:
        start, end = stretches[0]
        assert reply.body == CONTENT[start:end]
    for start, end in stretches:
        assert CONTENT[start:end] in reply.body
    assert steered.flows[-1].moved == len(reply.body)


@SHAPES
@ASKED
async def test_it_is_never_copied(
    steered: SteeredSite,
    transport_kind: str,
    monkeypatch: pytest.MonkeyPatch,
    shape: Shape | None,
    lines: tuple[str, ...],
    stretches: list[tuple[int, int]],
) -> None:
    if transport_kind == "plain":
        return  # has no way to
    sent = 0
    sendfile = os.sendfile

    def counting(out: int, source: int, offset: int, count: int) -> int:
        nonlocal sent
        size = sendfile(out, source, offset, count)
        sent += size
        return size

    monkeypatch.setattr(os, "sendfile", counting)
    steered.add("a.bin", CONTENT)
    steered.shape = shape
    await steered.get("/a.bin", *lines)
    assert sent == sum(end - start for start, end in stretches)


@pytest.mark.parametrize("lines", [(), ("Range: bytes=1000000-",)], ids=["whole", "part"])
async def test_a_paused_transfer_stands_still(steered: SteeredSite, lines: tuple[str, ...]) -> None:
    steered.add("a.bin", LARGE)
    async with steered.transfer("/a.bin", *lines, receive_buffer=65536) as transfer:
        await transfer.take(1000)
        await transfer.hold()
        assert 1000 <= len(transfer.body) < transfer.length
        moved = transfer.flow.moved
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await transfer.take(1)
        assert transfer.flow.moved == moved
        assert transfer.flow.waiting is Waiting.PAUSED

        transfer.flow.resume()
        await transfer.rest()
    assert transfer.body == LARGE[-transfer.length :]


@pytest.mark.parametrize("size", [1, 1000, 40_000])
@pytest.mark.parametrize("name", ["a.bin", "a.txt"])
async def test_a_small_file_can_be_paused_too(steered: SteeredSite, name: str, size: int) -> None:
    steered.add(name, CONTENT[:size])
    steered.paused = True
    async with steered.transfer(f"/{name}") as transfer:
        await until(lambda: transfer.flow.waiting is Waiting.PAUSED)
        assert transfer.flow.moved == 0
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.body == CONTENT[:size]


@pytest.mark.parametrize("lines", [(), ("Range: bytes=0-299999",)], ids=["whole", "part"])
async def test_a_limited_transfer_keeps_to_its_rate(
    steered: SteeredSite, lines: tuple[str, ...]
) -> None:
    steered.add("a.bin", CONTENT[:300_000])
    steered.shape = Shape(rate=1_000_000)
    started = time.monotonic()
    reply = await steered.get("/a.bin", *lines)
    took = time.monotonic() - started
    assert reply.body == CONTENT[:300_000]
    assert took > 0.2 * 0.95  # the first tenth of a second's worth goes at once
    assert took < 3


async def test_a_limit_may_change_while_it_runs(steered: SteeredSite) -> None:
    steered.add("a.bin", LARGE)
    steered.shape = Shape(rate=100_000)
    async with steered.transfer("/a.bin") as transfer:
        await transfer.take(1000)
        transfer.flow.shape = None
        await transfer.rest()
    assert transfer.body == LARGE


async def test_a_free_transfer_may_be_limited_while_it_runs(steered: SteeredSite) -> None:
    steered.add("a.bin", LARGE)
    async with steered.transfer("/a.bin", receive_buffer=65536) as transfer:
        await transfer.take(1000)
        transfer.flow.shape = Shape(rate=10_000)
        await until(lambda: transfer.flow.waiting is not None)
        while transfer.flow.waiting is not Waiting.LIMIT:
            transfer.body += await transfer.client.reader.read(65536)
        assert len(transfer.body) < len(LARGE)
        transfer.flow.shape = None
        await transfer.rest()
    assert transfer.body == LARGE


@pytest.mark.parametrize("lines", [(), ("Range: bytes=5-",)], ids=["whole", "part"])
async def test_a_cancelled_transfer_is_cut(steered: SteeredSite, lines: tuple[str, ...]) -> None:
    steered.add("a.bin", LARGE)
    await steered.get("/missing")
    async with leaving_no_descriptors():
        async with steered.transfer("/a.bin", *lines, receive_buffer=65536) as transfer:
            await transfer.take(1000)
            await transfer.hold()
            transfer.flow.cancel()
            await transfer.rest()
        assert transfer.cut
        start = len(LARGE) - transfer.length
        assert transfer.body == LARGE[start : start + len(transfer.body)]


async def test_a_reader_that_stalls_stops_its_file_and_nobody_else(steered: SteeredSite) -> None:
    steered.add("a.bin", LARGE)
    steered.add("b.bin", CONTENT)
    async with steered.transfer("/a.bin", receive_buffer=4096) as transfer:
        await until(lambda: transfer.flow.waiting is Waiting.PEER)
        assert transfer.flow.moved < len(LARGE)
        for _ in range(3):
            assert (await steered.get("/b.bin")).body == CONTENT
        await transfer.rest()
    assert transfer.body == LARGE


async def test_many_readers_each_get_their_own(steered: SteeredSite) -> None:
    steered.add("a.bin", LARGE[: 4 * MIB])
    steered.add("b.bin", CONTENT)
    replies = await asyncio.gather(
        *(steered.get("/a.bin" if number % 2 else "/b.bin") for number in range(12))
    )
    for number, reply in enumerate(replies):
        assert reply.body == (LARGE[: 4 * MIB] if number % 2 else CONTENT)


async def test_a_client_that_leaves_ends_its_transfer(steered: SteeredSite) -> None:
    steered.add("a.bin", LARGE)
    await steered.get("/missing")
    for paused, shape in ((False, None), (True, None), (False, TRICKLE)):
        steered.paused, steered.shape = paused, shape
        async with leaving_no_descriptors(), steered.transfer("/a.bin", receive_buffer=4096):
            pass
