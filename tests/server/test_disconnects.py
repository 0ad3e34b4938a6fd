"""A client that goes away cancels its handler, whatever that is doing (within 100 ms)."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, connection_of, request, until
from tests.support.stopwatch import Stopwatch

from riverrun.errors import BrokenError, ClosedError, DisconnectedError
from riverrun.http.limits import KIB, MIB, Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.streams.contracts import FileRegion

pytestmark = pytest.mark.timing  # a handler is to hear of it within a tenth of a second

SOON = 0.1
Leaving = Callable[[Client], None]


def closes(client: Client) -> None:
    client.writer.transport.abort()


def resets(client: Client) -> None:
    client.writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    client.writer.transport.abort()


each_leaving = pytest.mark.parametrize("leave", [closes, resets])


class Witness:
    """Sees how a handler ends, and when."""

    def __init__(self, work: Callable[[Request, Response], Awaitable[None]]) -> None:
        self.work = work
        self.begun = asyncio.Event()
        self.over = asyncio.Event()
        self.error: BaseException | None = None

    async def __call__(self, request: Request, response: Response) -> None:
        self.begun.set()
        try:
            await self.work(request, response)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.over.set()

    async def sees(self, leave: Leaving, client: Client) -> None:
        """Let the client leave; the handler must be over soon."""
        watch = Stopwatch()
        leave(client)
        async with asyncio.timeout(5):
            await self.over.wait()
        assert watch.ours < SOON


@each_leaving
async def test_a_handler_that_waits_for_something_else_is_cancelled(
    serve: Serve, leave: Leaving
) -> None:
    async def work(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    witness = Witness(work)
    server = await serve(witness)
    async with await Client.connect(server) as client:
        await client.send(request())
        await witness.begun.wait()
        await witness.sees(leave, client)
    assert isinstance(witness.error, asyncio.CancelledError)
    await until(lambda: not server.connections)


@each_leaving
async def test_a_handler_that_reads_is_told_or_cancelled(serve: Serve, leave: Leaving) -> None:
    async def work(request: Request, response: Response) -> None:
        async for _ in request:
            pass
        pytest.fail("a body that was cut short looked whole")

    witness = Witness(work)
    server = await serve(witness)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 100") + b"some")
        await witness.begun.wait()
        await witness.sees(leave, client)
    assert isinstance(witness.error, asyncio.CancelledError | DisconnectedError)


@each_leaving
async def test_a_handler_is_cancelled_while_its_body_is_full_and_nothing_is_read(
    serve: Serve, leave: Leaving
) -> None:
    async def work(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    witness = Witness(work)
    server = await serve(witness, limits=Limits(body_high_water_mark=16 * KIB))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", f"Content-Length: {MIB}") + b"x" * 20 * KIB)
        await until(lambda: server.budget.level >= 16 * KIB)
        await asyncio.sleep(0.06)
        await witness.sees(leave, client)
    assert isinstance(witness.error, asyncio.CancelledError)
    await until(lambda: not server.connections and server.budget.level == 0)


@each_leaving
async def test_a_handler_is_cancelled_while_requests_queue_behind_it(
    serve: Serve, leave: Leaving
) -> None:
    async def work(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    witness = Witness(work)
    server = await serve(witness)
    async with await Client.connect(server) as client:
        await client.send(request() * 20)
        await witness.begun.wait()
        await asyncio.sleep(0.06)
        await witness.sees(leave, client)
    assert isinstance(witness.error, asyncio.CancelledError)
    await until(lambda: not server.connections)


@each_leaving
async def test_a_handler_that_waits_for_room_to_send_is_told_or_cancelled(
    serve: Serve, leave: Leaving
) -> None:
    async def work(request: Request, response: Response) -> None:
        while True:
            await response.write(b"x" * 64 * KIB)

    witness = Witness(work)
    server = await serve(witness)
    async with await Client.connect(server, receive_buffer=4096) as client:
        await client.send(request())
        connection = await connection_of(server)
        await until(lambda: not connection.wire.has_room)
        await asyncio.sleep(0.02)
        await witness.sees(leave, client)
    assert isinstance(witness.error, asyncio.CancelledError | DisconnectedError)
    await until(lambda: not server.connections)


@each_leaving
async def test_a_handler_that_sends_a_file_is_told_or_cancelled(
    serve: Serve, leave: Leaving, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    size = 16 * MIB
    path.write_bytes(bytes(size))

    async def work(request: Request, response: Response) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            response.headers["content-length"] = str(size)
            await response.write_region(FileRegion(descriptor, 0, size))
            await response.end()
        finally:
            os.close(descriptor)

    witness = Witness(work)
    server = await serve(witness)
    async with await Client.connect(server, receive_buffer=4096) as client:
        await client.send(request())
        connection = await connection_of(server)
        await until(lambda: connection.wire.waits_for_peer)
        await asyncio.sleep(0.02)
        await witness.sees(leave, client)
    assert isinstance(witness.error, asyncio.CancelledError | DisconnectedError)
    await until(lambda: not server.connections)


async def test_everything_below_a_cancelled_handler_is_closed(serve: Serve) -> None:
    closed = []

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.001)
        finally:
            closed.append("source")

    async def work(request: Request, response: Response) -> None:
        chunks = source()
        try:
            async for chunk in chunks:
                await response.write(chunk)
        finally:
            await chunks.aclose()

    witness = Witness(work)
    server = await serve(witness)
    async with await Client.connect(server) as client:
        await client.send(request())
        await client.reader.readuntil(b"\r\n\r\n")
        await witness.sees(closes, client)
    assert closed == ["source"]


async def test_a_handler_may_clean_up_while_it_is_cancelled(serve: Serve) -> None:
    cleaned = asyncio.Event()

    async def work(request: Request, response: Response) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    server = await serve(work)
    async with await Client.connect(server) as client:
        await client.send(request())
        await asyncio.sleep(0.02)
        closes(client)
        async with asyncio.timeout(1):
            await cleaned.wait()


async def test_a_handler_that_goes_on_all_the_same_is_told_when_it_writes(serve: Serve) -> None:
    errors: list[BaseException] = []
    over = asyncio.Event()

    async def stubborn(request: Request, response: Response) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        for late in (response.write(b"x"), response.end(), request.read()):
            try:
                await late
            except BrokenError as error:
                errors.append(error)
        over.set()

    server = await serve(stubborn)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 5"))
        await asyncio.sleep(0.02)
        closes(client)
        async with asyncio.timeout(1):
            await over.wait()
    assert [type(error) for error in errors] == [DisconnectedError] * 3


async def test_requests_queued_behind_it_are_never_started(serve: Serve) -> None:
    paths = []

    async def wait(request: Request, response: Response) -> None:
        paths.append(request.path)
        await asyncio.Event().wait()

    server = await serve(wait)
    async with await Client.connect(server) as client:
        await client.send(request("/a") + request("/b"))
        await until(lambda: paths)
        closes(client)
        await until(lambda: not server.connections)
    await asyncio.sleep(0.01)
    assert paths == ["/a"]


async def test_a_client_that_goes_away_within_a_head_leaves_nothing(serve: Serve) -> None:
    async def never(request: Request, response: Response) -> None:
        pytest.fail("the handler was called")

    server = await serve(never)
    async with await Client.connect(server) as client:
        await client.send(request()[:-3])
        await until(lambda: server.connections)
        closes(client)
        await until(lambda: not server.connections)


async def test_after_a_client_went_away_others_are_served(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        if request.path == "/waits":
            await asyncio.Event().wait()
        await response.end(b"served")

    server = await serve(handler)
    for _ in range(5):
        async with await Client.connect(server) as leaving:
            await leaving.send(request("/waits"))
            await asyncio.sleep(0.005)
        async with await Client.connect(server) as staying:
            assert (await staying.ask()).body == b"served"


# A client that only stops sending.


async def test_a_client_that_stops_sending_still_gets_what_is_being_sent(serve: Serve) -> None:
    size = 8 * MIB

    async def handler(request: Request, response: Response) -> None:
        response.headers["content-length"] = str(size)
        for _ in range(size // (64 * KIB)):
            await response.write(b"x" * 64 * KIB)
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4096) as client:
        await client.send(request())
        connection = await connection_of(server)
        await until(lambda: not connection.wire.has_room)
        client.writer.write_eof()
        await asyncio.sleep(0.1)
        assert len((await client.reply()).body) == size


@pytest.mark.parametrize("waits", [0.0, 0.005])
async def test_a_client_that_stops_sending_at_once_is_answered_if_it_is_soon(
    serve: Serve, waits: float
) -> None:
    async def handler(request: Request, response: Response) -> None:
        if waits:
            await asyncio.sleep(waits)
        await response.end(request.path.encode())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        client.push(request("/first"))
        client.writer.write_eof()
        assert (await client.reply()).body == b"/first"
        assert await client.ends() == b""


async def test_a_client_that_stops_sending_has_nothing_changed_without_it(serve: Serve) -> None:
    changed = False

    async def handler(request: Request, response: Response) -> None:
        nonlocal changed
        await asyncio.sleep(0.005)
        changed = True
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        client.push(request("/", "DELETE"))
        client.writer.write_eof()
        assert await client.ends() == b""
        await asyncio.sleep(0.02)
        assert not changed


async def test_a_client_that_stops_sending_still_gets_its_file(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    content = os.urandom(8 * MIB)
    path.write_bytes(content)

    async def handler(request: Request, response: Response) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            response.headers["content-length"] = str(len(content))
            await response.write_region(FileRegion(descriptor, 0, len(content)))
            await response.end()
        finally:
            os.close(descriptor)

    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4096) as client:
        await client.send(request())
        connection = await connection_of(server)
        await until(lambda: connection.wire.waits_for_peer)
        client.writer.write_eof()
        await asyncio.sleep(0.1)
        assert (await client.reply()).body == content


async def test_a_client_that_stops_sending_gets_its_answer_although_its_queue_is_full(
    serve: Serve,
) -> None:
    """The socket is not read then, and the end of input is seen another way; it means the same."""
    size = 8 * MIB

    async def handler(request: Request, response: Response) -> None:
        await response.end(bytes(size))

    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4096) as client:
        await client.send(request() * 20)
        connection = await connection_of(server)
        await until(lambda: not connection.wire.has_room)
        client.writer.write_eof()
        await asyncio.sleep(0.1)
        assert len((await client.reply()).body) == size


async def test_an_abort_of_the_handler_is_seen_by_the_client(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.write(b"some")
        response.abort()
        with pytest.raises(ClosedError):
            await response.write(b"more")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request())
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()
        await until(lambda: not server.connections)
