"""What bodies in JSON mode cost: memory by their bytes, and the event loop in short steps."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from tests.apps.durable.conftest import JSON, OpenStreams
from tests.apps.durable.test_streams import chunk

from riverrun.apps.durable.receiving import JsonBodies, JsonBody
from riverrun.apps.durable.settings import MIB, StreamSettings
from riverrun.errors import DisconnectedError
from riverrun.streams import IterableSource
from riverrun.streams.contracts import Readable

LONGEST_STEP = 0.3  # seconds of CPU; the whole takes more, and took more than one in one step


def array_of(element: bytes, size: int) -> bytes:
    return b"[" + b",".join([element] * ((size - 2) // (len(element) + 1))) + b"]"


async def size_of(body: bytes) -> int:
    """Read a body as an append does; return how many bytes there are to be stored."""
    with JsonBody(JsonBodies(StreamSettings())) as reading:
        data = await reading.read(IterableSource(body))
        assert isinstance(data, Readable)
        size = 0
        while piece := await data.read():
            size += len(piece)
        return size


@pytest.mark.parametrize("element", [b"1", b'""', b"[" * 9 + b"]" * 9])
async def test_many_messages_do_not_hold_the_loop(element: bytes) -> None:
    longest, over = 0.0, False

    async def watch() -> None:
        nonlocal longest
        before = time.thread_time()
        while not over:
            await asyncio.sleep(0)
            longest, before = max(longest, time.thread_time() - before), time.thread_time()

    watching = asyncio.create_task(watch())
    body = array_of(element, 4 * MIB)
    messages = (len(body) - 1) // (len(element) + 1)
    assert await size_of(body) == messages * (len(element) + 2)
    over = True
    await watching
    assert longest < LONGEST_STEP


async def test_many_messages_cost_no_more_memory_than_their_bytes() -> None:
    body = array_of(b"1", MIB)
    tracemalloc.start()
    try:
        assert await size_of(body) == MIB // 2 * 3 - 3
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


async def test_large_bodies_that_stall_have_a_bound_together(open_streams: OpenStreams) -> None:
    served = await open_streams(settings=StreamSettings(json_memory=256 * 1024))
    await served.put("s", JSON)
    large = json.dumps("y" * 100 * 1024).encode()
    async with await served.begin("s", JSON) as one, await served.begin("s", JSON) as other:
        replies = [asyncio.ensure_future(client.reply("POST")) for client in (one, other)]
        for client in (one, other):
            await client.send(chunk(b'["' + b"x" * 200 * 1024))
        async with asyncio.timeout(10):
            done, waiting = await asyncio.wait(replies, return_when=asyncio.FIRST_COMPLETED)
        assert [(reply.result().status, reply.result()["retry-after"]) for reply in done] == [
            (503, "1")
        ]
        assert (await served.post("s", JSON, body=b'["small"]')).status == 204
        for stalled in waiting:
            stalled.cancel()
    async with asyncio.timeout(10):
        while (await served.post("s", JSON, body=large)).status == 503:
            pass


async def test_a_body_that_fails_gives_back_what_it_held() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(MIB)
        raise ConnectionResetError

    bodies = JsonBodies(StreamSettings())
    with pytest.raises(DisconnectedError), JsonBody(bodies) as reading:
        await reading.read(IterableSource(breaking()))
    assert bodies.held == 0
