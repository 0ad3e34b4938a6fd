"""Responses on their way out: whole, at the client's pace, from memory and from files."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, at_rest, connection_of, request, until
from tests.support.stopwatch import Stopwatch

from riverrun.errors import BrokenError, TruncatedError
from riverrun.flows import Flow, FlowState, Shape, Waiting
from riverrun.http.limits import KIB, MIB, Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Options, Server
from riverrun.streams.contracts import FileRegion

CUT = (asyncio.IncompleteReadError, ConnectionError)
SIZE = 10 * MIB + 12_345
CONTENT = os.urandom(MIB) * 11
CONTENT = CONTENT[:SIZE]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@dataclass
class Sender:
    """A handler that sends a region of a file, and what can be seen of it."""

    path: Path
    offset: int = 0
    length: int = SIZE
    counted: bool = True
    before: Callable[[Response], Awaitable[None]] | None = None
    flow: Flow | None = None
    error: BaseException | None = None

    async def __call__(self, request: Request, response: Response) -> None:
        self.flow = response.flow
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            if self.counted:
                response.headers["content-length"] = str(self.length)
            if self.before is not None:
                await self.before(response)
            await response.write_region(FileRegion(descriptor, self.offset, self.length))
            await response.end()
        except BaseException as error:
            self.error = error
            raise
        finally:
            os.close(descriptor)

    @property
    def moved(self) -> int:
        return 0 if self.flow is None else self.flow.moved


@asynccontextmanager
async def asking(server: Server, *, slowly: bool = False) -> AsyncIterator[Client]:
    small = 4096 if slowly else None
    async with await Client.connect(server, receive_buffer=small, limit=2 * MIB) as client:
        await client.send(request())
        yield client


# Regions of files.


@pytest.mark.parametrize(
    ("offset", "length"),
    [
        (0, SIZE),
        (0, 0),
        (0, 1),
        (SIZE - 1, 1),
        (12_345, MIB),
        (MIB - 1, 2),
        (MIB, 4 * MIB),
        (5_000_001, 4_999_999),
    ],
)
@pytest.mark.parametrize("counted", [True, False])
async def test_a_region_arrives_as_it_is(
    serve: Serve, path: Path, offset: int, length: int, counted: bool
) -> None:
    sender = Sender(path, offset, length, counted)
    server = await serve(sender)
    async with await Client.connect(server, limit=2 * MIB) as client:
        for _ in range(2):
            reply = await client.ask()
            assert reply.body == CONTENT[offset : offset + length]
            assert sender.moved == length


async def test_regions_of_pipelined_requests_arrive_in_order(serve: Serve, path: Path) -> None:
    async def handler(request: Request, response: Response) -> None:
        sender = Sender(path, int(request.path[1:]) * 1000, 300_000)
        await sender(request, response)

    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=64 * KIB) as client:
        await client.send(b"".join(request(f"/{number}") for number in range(20)))
        for number in range(20):
            start = number * 1000
            assert (await client.reply()).body == CONTENT[start : start + 300_000]


async def test_several_regions_and_chunks_in_one_response(serve: Serve, path: Path) -> None:
    async def handler(request: Request, response: Response) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            for number in range(10):
                await response.write(b"%d" % number * 50_000)
                await response.write_region(FileRegion(descriptor, number, 300_000))
            await response.end(b"end")
        finally:
            os.close(descriptor)

    server = await serve(handler)
    async with asking(server, slowly=False) as client:
        body = (await client.reply()).body
    parts = [b"%d" % number * 50_000 + CONTENT[number : number + 300_000] for number in range(10)]
    assert body == b"".join([*parts, b"end"])


@pytest.mark.parametrize("much", [False, True], ids=["there is room", "there is none"])
async def test_a_region_comes_behind_what_the_kernel_has_not_taken_yet(
    serve: Serve, path: Path, much: bool
) -> None:
    sent = 0

    async def fill(response: Response) -> None:
        nonlocal sent
        (connection,) = server.connections
        wire = connection.wire
        while wire.has_room if much else not wire.waits_for_peer:
            assert response.try_write(b"x" * 8192)
            sent += 8192

    server = await serve(Sender(path, counted=False, before=fill))
    async with asking(server, slowly=True) as client:
        await until(lambda: sent)
        await asyncio.sleep(0.02)
        body = (await client.reply()).body
    assert len(body) == sent + SIZE
    assert body[:sent] == b"x" * sent
    assert body[sent:] == CONTENT


async def test_a_file_cut_while_it_is_sent_cuts_the_connection(serve: Serve, path: Path) -> None:
    sender = Sender(path)
    server = await serve(sender)
    async with asking(server, slowly=True) as client:
        await until(lambda: sender.moved > 0)
        os.truncate(path, sender.moved + 1000)
        with pytest.raises(CUT):
            await client.reply()
    assert isinstance(sender.error, TruncatedError)
    await until(lambda: not server.connections)


@pytest.mark.parametrize("counted", [True, False])
async def test_a_file_shorter_than_its_region_cuts_the_connection(
    serve: Serve, path: Path, counted: bool
) -> None:
    sender = Sender(path, 100, SIZE, counted)
    server = await serve(sender)
    async with asking(server) as client:
        with pytest.raises(CUT):
            await client.reply()
    assert isinstance(sender.error, TruncatedError)


async def test_a_file_that_is_not_in_the_page_cache_arrives_as_it_is(
    serve: Serve, path: Path
) -> None:
    def forget() -> None:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)

    async def cold(response: Response) -> None:
        forget()

    server = await serve(Sender(path, before=cold))
    async with asking(server) as client:
        assert (await client.reply()).body == CONTENT


async def test_a_slow_client_sets_the_pace_of_a_file(serve: Serve, path: Path) -> None:
    sender = Sender(path)
    server = await serve(sender)
    async with asking(server, slowly=True) as client:
        client.stop_reading()
        await until(lambda: sender.moved > 0)
        assert await at_rest(lambda: sender.moved) < SIZE
        assert sender.flow is not None
        assert sender.flow.waiting is Waiting.PEER
        client.go_on_reading()
        assert (await client.reply()).body == CONTENT


# Steering.


async def test_a_flow_that_is_paused_moves_nothing_until_it_resumes(
    serve: Serve, path: Path
) -> None:
    sender = Sender(path)
    server = await serve(sender)
    async with asking(server, slowly=True) as client:
        await until(lambda: sender.moved > 0)
        flow = sender.flow
        assert flow is not None
        flow.pause()
        taking = asyncio.ensure_future(client.reply())
        await until(lambda: flow.waiting is Waiting.PAUSED)
        moved = flow.moved
        await asyncio.sleep(0.05)
        assert flow.moved == moved < SIZE
        flow.resume()
        assert (await taking).body == CONTENT
        assert flow.waiting is None


async def test_a_flow_may_be_paused_before_it_begins(serve: Serve, path: Path) -> None:
    async def pause(response: Response) -> None:
        response.flow.pause()

    sender = Sender(path, before=pause)
    server = await serve(sender)
    async with asking(server) as client:
        await until(lambda: sender.flow is not None and sender.flow.waiting is Waiting.PAUSED)
        assert sender.flow is not None
        sender.flow.resume()
        assert (await client.reply()).body == CONTENT


async def test_a_flow_that_is_cancelled_is_cut(serve: Serve, path: Path) -> None:
    sender = Sender(path)
    server = await serve(sender)
    async with asking(server, slowly=True) as client:
        await until(lambda: sender.moved > 0)
        assert sender.flow is not None
        sender.flow.cancel()
        with pytest.raises(CUT):
            await client.reply()
        assert sender.flow.state is FlowState.CANCELLED
        assert sender.moved < SIZE
    # As when the client goes away: told by what it waits for, or cancelled in the middle of it.
    await until(lambda: sender.error is not None)
    assert isinstance(sender.error, BrokenError | asyncio.CancelledError)


@pytest.mark.parametrize("what", ["file", "memory"])
async def test_a_flow_is_cancelled_although_its_client_takes_nothing(
    serve: Serve, path: Path, what: str
) -> None:
    flows = []

    async def endless(request: Request, response: Response) -> None:
        flows.append(response.flow)
        while True:
            await response.write(bytes(64 * KIB))

    sender = Sender(path)
    server = await serve(sender if what == "file" else endless)
    async with asking(server, slowly=True):
        connection = await connection_of(server)
        await until(lambda: connection.wire.waits_for_peer)
        await asyncio.sleep(0.02)
        flow = sender.flow or flows[0]
        flow.cancel()
        await until(lambda: not server.connections, seconds=2)


@pytest.mark.timing  # neither too fast nor too slow
@pytest.mark.parametrize("what", ["file", "memory", "whole"])
async def test_a_rate_is_kept_to(serve: Serve, path: Path, what: str) -> None:
    rate, size = 4 * MIB, MIB

    async def handler(request: Request, response: Response) -> None:
        response.flow.shape = Shape(rate=rate)
        if what == "file":
            await Sender(path, 0, size)(request, response)
        elif what == "memory":
            for start in range(0, size, 64 * KIB):
                await response.write(CONTENT[start : start + 64 * KIB])
            await response.end()
        else:
            await response.end(CONTENT[:size])

    server = await serve(handler)
    watch = Stopwatch()
    async with asking(server) as client:
        assert (await client.reply()).body == CONTENT[:size]
    # A tenth of a second's worth may go at once.
    assert watch.passed > 0.12
    assert watch.ours < 0.6


async def test_a_rate_may_be_changed_on_the_way(serve: Serve, path: Path) -> None:
    async def slowly(response: Response) -> None:
        response.flow.shape = Shape(rate=100 * KIB)

    sender = Sender(path, before=slowly)
    server = await serve(sender)
    watch = Stopwatch()
    async with asking(server) as client:
        await until(lambda: sender.moved > 20 * KIB)
        assert sender.flow is not None
        assert sender.moved < 200 * KIB
        sender.flow.shape = None
        assert (await client.reply()).body == CONTENT
    assert watch.ours < 3


@pytest.mark.parametrize("what", ["file", "memory", "whole"])
async def test_a_servers_shape_holds_for_every_body(serve: Serve, path: Path, what: str) -> None:
    async def handler(request: Request, response: Response) -> None:
        if what == "file":
            await Sender(path, 0, 10_000)(request, response)
        elif what == "memory":
            await response.write(CONTENT[:10_000])
            await response.end()
        else:
            await response.end(CONTENT[:10_000])

    server = await serve(handler, options=Options(shape=Shape(chunk_size=1000, delay=0.01)))
    watch = Stopwatch()
    async with asking(server) as client:
        assert (await client.reply()).body == CONTENT[:10_000]
    assert watch.passed >= 0.085


# From memory.


async def test_a_buffer_may_be_used_again_once_a_write_has_returned(serve: Serve) -> None:
    digest = hashlib.sha256()
    count = 200

    async def handler(request: Request, response: Response) -> None:
        buffer = bytearray(30_000)
        for number in range(count):
            buffer[:] = bytes([number % 256]) * len(buffer)
            digest.update(buffer)
            if number % 3 == 0:
                await response.write(memoryview(buffer))
            elif number % 3 == 1 or not response.try_write(buffer):
                await response.write(buffer)
        await response.end()

    server = await serve(handler)
    async with asking(server, slowly=True) as client:
        await asyncio.sleep(0.05)
        body = (await client.reply()).body
    assert len(body) == count * 30_000
    assert hashlib.sha256(body).digest() == digest.digest()


async def test_a_slow_reader_stops_its_handler(serve: Serve) -> None:
    written = 0

    async def endless(request: Request, response: Response) -> None:
        nonlocal written
        while True:
            await response.write(bytes(16 * KIB))
            written += 16 * KIB

    server = await serve(endless)
    async with asking(server, slowly=True) as client:
        client.stop_reading()
        connection = await connection_of(server)
        await until(lambda: not connection.wire.has_room)
        await at_rest(lambda: written)
        assert connection.wire._transport.get_write_buffer_size() <= 64 * KIB + 17 * KIB


async def test_the_high_water_mark_of_responses_is_the_servers_to_set(serve: Serve) -> None:
    async def endless(request: Request, response: Response) -> None:
        while True:
            await response.write(bytes(KIB))

    server = await serve(endless, limits=Limits(response_high_water_mark=4 * KIB))
    async with asking(server, slowly=True):
        connection = await connection_of(server)
        await until(lambda: not connection.wire.has_room)
        assert connection.wire._transport.get_write_buffer_size() <= 6 * KIB


async def test_a_whole_body_larger_than_all_buffers_arrives(serve: Serve) -> None:
    async def whole(request: Request, response: Response) -> None:
        await response.end(CONTENT)

    server = await serve(whole)
    async with await Client.connect(server, receive_buffer=64 * KIB) as client:
        await client.send(request() * 3)
        for _ in range(3):
            assert (await client.reply()).body == CONTENT
