"""The limits of section 7 of the design that are times, on a quick clock."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from tests.conftest import Serve
from tests.server.client import Client, connection_of, request, until
from tests.support.stopwatch import Stopwatch

from riverrun.errors import DisconnectedError, StallError
from riverrun.http.limits import KIB, Limits
from riverrun.http.request import Request
from riverrun.http.response import Response

pytestmark = [
    pytest.mark.timing,  # limits of a fifth of a second, kept to within three tenths
    pytest.mark.usefixtures("quick_clock"),
    pytest.mark.asyncio(loop_factories=["asyncio"]),
]

LIMIT = 0.2
SOON = 0.3
"""How much later than its limit something may end; the server looks every 50 ms here."""


async def hello(request: Request, response: Response) -> None:
    await response.end(b"hello")


async def trickle(client: Client, data: bytes, *, seconds: float) -> None:
    """A byte now and then, until the server has had enough."""
    end = time.monotonic() + seconds
    try:
        for offset in range(len(data)):
            await client.send(data[offset : offset + 1])
            await asyncio.sleep(0.02)
            if time.monotonic() > end:
                return
    except ConnectionError:
        return


def send_a_little_at_once(connected: socket.socket) -> None:
    """Let the kernel keep little of what is sent, however much it would."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * KIB)


@pytest.mark.parametrize("trickles", [False, True])
async def test_a_head_that_does_not_end_in_time_is_a_408(serve: Serve, trickles: bool) -> None:
    server = await serve(hello, limits=Limits(head_timeout=LIMIT))
    async with await Client.connect(server) as client:
        watch = Stopwatch()
        await client.send(b"GET / HTTP/1.1\r\n")
        sending = asyncio.ensure_future(
            trickle(client, b"X: " + b"x" * 1000 if trickles else b"", seconds=LIMIT + SOON)
        )
        reply = await client.reply()
        assert (reply.status, reply.closes) == (408, True)
        assert watch.passed >= LIMIT
        assert watch.ours < LIMIT + SOON
        assert await client.is_cut()
        await sending


async def test_the_time_for_a_head_begins_with_its_own_first_byte(serve: Serve) -> None:
    """Not with the one before it, and not while another exchange runs."""

    async def slow(request: Request, response: Response) -> None:
        await asyncio.sleep(1.5 * LIMIT)
        await response.end(b"slow")

    server = await serve(slow, limits=Limits(head_timeout=LIMIT))
    async with await Client.connect(server) as client:
        await client.send(request()[:-2])
        await asyncio.sleep(LIMIT / 2)
        await client.send(request()[-2:] + request()[:-2])
        assert (await client.reply()).body == b"slow"
        await asyncio.sleep(LIMIT / 2)
        await client.send(request()[-2:])
        assert (await client.reply()).status == 200


async def test_a_head_that_comes_in_time_in_pieces_is_served(serve: Serve) -> None:
    server = await serve(hello, limits=Limits(head_timeout=LIMIT))
    async with await Client.connect(server) as client:
        for _ in range(5):
            await client.send(request()[:-2])
            await asyncio.sleep(LIMIT / 2)
            await client.send(request()[-2:])
            assert (await client.reply()).body == b"hello"


@pytest.mark.parametrize("asks", [False, True])
async def test_an_idle_connection_is_closed_without_a_word(serve: Serve, asks: bool) -> None:
    server = await serve(hello, limits=Limits(keep_alive_timeout=LIMIT))
    async with await Client.connect(server) as client:
        if asks:
            await client.ask()
        watch = Stopwatch()
        assert await client.ends() == b""
        assert watch.passed >= LIMIT - 0.05
        assert watch.ours < LIMIT + SOON


async def test_a_connection_in_use_is_not_idle(serve: Serve) -> None:
    async def slow(request: Request, response: Response) -> None:
        await asyncio.sleep(1.5 * LIMIT)
        await response.end(b"slow")

    server = await serve(slow, limits=Limits(keep_alive_timeout=LIMIT))
    async with await Client.connect(server) as client:
        for _ in range(2):
            assert (await client.ask()).body == b"slow"
            await asyncio.sleep(LIMIT / 2)


async def test_an_empty_line_behind_a_body_begins_no_head(serve: Serve) -> None:
    """RFC 9112, 2.2: the connection is idle, and the next request on it is served."""
    server = await serve(hello, limits=Limits(head_timeout=LIMIT))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", body=b"x") + b"\r\n")
        assert (await client.reply()).body == b"hello"
        await asyncio.sleep(LIMIT + SOON)
        await client.send(request())
        assert (await client.reply()).status == 200


# Stalls.


async def test_a_body_that_stalls_is_a_408(serve: Serve) -> None:
    errors: list[Exception] = []

    async def read(request: Request, response: Response) -> None:
        try:
            await response.end(await request.body())
        except StallError as error:
            errors.append(error)
            raise

    server = await serve(read, limits=Limits(stall_timeout=LIMIT))
    async with await Client.connect(server) as client:
        watch = Stopwatch()
        await client.send(request("/", "POST", "Content-Length: 100") + b"some")
        reply = await client.reply()
        assert (reply.status, reply.closes) == (408, True)
        assert watch.passed >= LIMIT - 0.05
        assert watch.ours < LIMIT + SOON
        assert await client.is_cut()
    assert len(errors) == 1


async def test_a_body_that_trickles_does_not_stall(serve: Serve) -> None:
    async def read(request: Request, response: Response) -> None:
        await response.end(await request.body())

    server = await serve(read, limits=Limits(stall_timeout=LIMIT))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 40"))
        await trickle(client, b"x" * 40, seconds=5)
        assert (await client.reply()).body == b"x" * 40


async def test_a_body_below_the_minimum_rate_stalls(serve: Serve) -> None:
    async def read(request: Request, response: Response) -> None:
        await response.end(await request.body())

    server = await serve(read, limits=Limits(stall_timeout=LIMIT, minimum_rate=1000))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 1000"))
        sending = asyncio.ensure_future(trickle(client, b"x" * 1000, seconds=2))
        assert (await client.reply()).status == 408
        assert await client.is_cut()
        await sending


async def test_a_body_that_the_handler_is_slow_to_read_does_not_stall(serve: Serve) -> None:
    async def slow(request: Request, response: Response) -> None:
        await asyncio.sleep(2 * LIMIT)
        size = 0
        async for chunk in request:
            size += len(chunk)
        await response.end(b"%d" % size)

    limits = Limits(stall_timeout=LIMIT, body_high_water_mark=16 * KIB)
    server = await serve(slow, limits=limits)
    async with await Client.connect(server) as client:
        body = b"x" * 1000 * KIB
        sending = asyncio.ensure_future(client.send(request("/", "POST", body=body)))
        assert (await client.reply()).body == b"%d" % len(body)
        await sending


async def test_a_client_that_waits_to_be_told_to_go_on_does_not_stall(serve: Serve) -> None:
    async def slow(request: Request, response: Response) -> None:
        await asyncio.sleep(2 * LIMIT)
        await response.end(await request.body())

    server = await serve(slow, limits=Limits(stall_timeout=LIMIT))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Expect: 100-continue", "Content-Length: 5"))
        await client.reader.readuntil(b"100 Continue\r\n\r\n")
        await client.send(b"hello")
        assert (await client.reply()).body == b"hello"


@pytest.mark.parametrize("whole", [False, True])
async def test_a_client_that_takes_nothing_is_cut_off(serve: Serve, whole: bool) -> None:
    errors: list[BaseException] = []

    async def endless(request: Request, response: Response) -> None:
        try:
            if whole:
                await response.end(bytes(8_000_000))
            while True:
                await response.write(bytes(64 * KIB))
        except BaseException as error:
            errors.append(error)
            raise

    server = await serve(endless)
    server.clock.stop()  # what time it is, and when the server looks, is said here
    now, timeout = server.clock.now, server.options.limits.stall_timeout
    async with await Client.connect(server, receive_buffer=4096, limit=4096) as client:
        await client.send(request())
        connection = await connection_of(server)
        await until(lambda: connection.wire.waits_for_peer)
        (flow,) = server.flows
        taken = None
        while taken != (taken := flow.moved - connection.wire.buffered):  # nobody's buffers do
            await asyncio.sleep(0.1)
        connection.check(now)
        connection.check(now + timeout - 0.1)
        assert server.connections
        assert not errors
        connection.check(now + timeout)
        await until(lambda: not server.connections and errors)
    assert isinstance(errors[0], asyncio.CancelledError | DisconnectedError)


async def test_a_client_that_takes_a_little_now_and_then_is_not_cut_off(serve: Serve) -> None:
    """However long it takes nothing before: the server tells by the bytes, within a response."""
    size = 2_000_000

    async def handler(request: Request, response: Response) -> None:
        await response.end(bytes(size))

    server = await serve(handler)
    server.clock.stop()  # what time it is, and when the server looks, is said here
    now = server.clock.now
    async with asyncio.timeout(10), await Client.connect(server, receive_buffer=4096) as client:
        connection = await connection_of(server)
        transport = connection.wire._transport
        send_a_little_at_once(transport.get_extra_info("socket"))
        await client.send(request())
        await client.reader.readuntil(b"\r\n\r\n")
        received = looks = 0
        waiting = size
        while received < size:
            chunk = await client.reader.read(1 << 16)
            assert chunk, "it was cut off"
            received += len(chunk)
            if 0 < transport.get_write_buffer_size() < waiting:
                waiting = transport.get_write_buffer_size()
                now += server.options.limits.stall_timeout
                connection.check(now)
                looks += 1
    assert looks >= 3


async def test_a_response_that_comes_slowly_from_its_handler_does_not_stall(serve: Serve) -> None:
    async def slow(request: Request, response: Response) -> None:
        await response.write(b"a")
        await asyncio.sleep(2 * LIMIT)
        await response.end(b"b")

    server = await serve(slow, limits=Limits(stall_timeout=LIMIT))
    async with await Client.connect(server) as client:
        assert (await client.ask()).body == b"ab"


async def test_a_paused_flow_does_not_stall(serve: Serve) -> None:
    async def paused(request: Request, response: Response) -> None:
        await response.write(b"a")
        response.flow.pause()
        asyncio.get_running_loop().call_later(2 * LIMIT, response.flow.resume)
        await response.end(b"b")

    server = await serve(paused, limits=Limits(stall_timeout=LIMIT))
    async with await Client.connect(server) as client:
        assert (await client.ask()).body == b"ab"
