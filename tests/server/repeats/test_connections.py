"""Repeated answers keep to the order on their connection, and to what its client takes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, at_rest, request
from tests.server.repeats.repeated import (
    HANDLED,
    MIDDLE,
    SMALL,
    TIMES,
    Repeated,
    ask,
)

from riverrun.apps.files import Files
from riverrun.apps.files.sending import READ_AT_ONCE
from riverrun.http.handler import Handler
from riverrun.http.limits import KIB, MIB
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server


class Beside(Repeated):
    """A folder, and beside it a handler of what is posted, and of ``/late``."""

    repeat = Repeated.repeat

    def __init__(self, files: Files, other: Handler) -> None:
        super().__init__(files)
        self.other = other

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        if request.method == "POST" or request.path == "/late":
            return self.other(request, response)
        return super().__call__(request, response)


async def test_two_requests_that_come_together_are_two(serve: Serve, handler: Repeated) -> None:
    both = request("/small.bin") + request("/empty.bin")
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            client.push(both)
            assert [(await client.reply()).body for _ in "12"] == [SMALL, b""]
    assert handler.calls == 2 * TIMES


async def test_the_same_two_together_are_two(serve: Serve, handler: Repeated) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            client.push(2 * request("/small.bin"))
            assert [(await client.reply()).body for _ in "12"] == [SMALL, SMALL]
            assert (await ask(client)).body == SMALL


async def test_a_head_in_parts_is_the_head(serve: Serve, handler: Repeated) -> None:
    head = request("/small.bin")
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        for cut in range(1, len(head)):
            await client.send(head[:cut])
            await client.send(head[cut:])
            assert (await client.reply()).body == SMALL


async def test_what_looks_like_it_within_a_head_is_a_part_of_that(
    serve: Serve, handler: Repeated
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(b"GET /empty.bin HTTP/1.1\r\nX: ")
        await asyncio.sleep(0.05)
        client.push(request("/small.bin"))
        assert (await client.reply()).body == b""


async def test_what_looks_like_it_within_a_body_is_body(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    del folder
    head = request("/small.bin")

    async def echo(asked: Request, response: Response) -> None:
        await response.end(b"".join([chunk async for chunk in asked]))

    async with await Client.connect(await serve(Beside(handler.files, echo))) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(
            f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {2 * len(head)}\r\n\r\n".encode()
        )
        client.push(head)
        client.push(head)
        assert (await client.reply()).body == 2 * head
        assert (await ask(client)).body == SMALL


async def test_it_comes_behind_what_is_answered_late(serve: Serve, handler: Repeated) -> None:
    go_on = asyncio.Event()

    async def late(_: Request, response: Response) -> None:
        await response.write(b"be")
        await go_on.wait()
        await response.end(b"fore")

    async with await Client.connect(await serve(Beside(handler.files, late))) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(request("/late"))
        await asyncio.sleep(0.05)
        client.push(request("/small.bin"))
        await asyncio.sleep(0.05)
        go_on.set()
        assert [(await client.reply()).body for _ in "12"] == [b"before", SMALL]


async def test_it_comes_behind_what_waits_for_its_turn(serve: Serve, handler: Repeated) -> None:
    async def late(_: Request, response: Response) -> None:
        await asyncio.sleep(0.05)
        # To be looked at when this has ended, and before the next begins.
        asyncio.get_running_loop().call_soon(arrive, server, known)
        await response.end(b"before")

    known = request("/small.bin")
    server = await serve(Beside(handler.files, late))
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(request("/late") + request("/empty.bin"))
        assert [(await client.reply()).body for _ in "123"] == [b"before", b"", SMALL]


async def test_a_client_that_says_close_is_closed(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            reply = await ask(client, "/small.bin", "GET", "Connection: close")
            assert reply.closes
            assert await client.ends() == b""


async def test_a_client_that_has_ended_its_input_is_answered_and_closed(
    serve: Serve, handler: Repeated
) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            client.push(request("/small.bin"))
            client.writer.write_eof()
            assert (await client.reply()).body == SMALL
            assert await client.ends() == b""


async def test_http_1_0_is_answered_in_its_way(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            client.push(b"GET /small.bin HTTP/1.0\r\n\r\n")
            assert (await client.reply()).closes
            assert await client.ends() == b""
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            client.push(b"GET /small.bin HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = await client.reply()
            assert (reply["connection"], reply.body) == ("keep-alive", SMALL)


async def test_the_date_is_that_of_the_answer(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
        server.clock.server_fields = b"server: riverrun\r\ndate: later\r\n"
        reply = await ask(client)
    assert reply["date"] == "later"
    assert handler.calls == HANDLED


@pytest.mark.parametrize("path", ["/middle.bin", "/read.bin"])
async def test_what_nobody_takes_is_not_gathered(
    serve: Serve, handler: Repeated, folder: Path, path: str
) -> None:
    (folder / "read.bin").write_bytes(bytes(READ_AT_ONCE))
    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4 * KIB) as client:
        for _ in range(TIMES):
            await ask(client, path)
        client.stop_reading()
        (connection,) = server.connections
        for _ in range(300):
            client.push(request(path))
            await asyncio.sleep(0.001)
        assert await at_rest(lambda: connection.wire.buffered) < MIB


async def test_a_client_that_does_not_take_a_file_at_once_is_not_sent_it_from_memory(
    serve: Serve,
    handler: Repeated,
    transport_kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sendfile = os.sendfile

    def send_little(out: int, source: int, offset: int, count: int) -> int:
        return sendfile(out, source, offset, min(count, 70_000))

    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client, "/middle.bin")).body == MIDDLE
        before = handler.calls
        monkeypatch.setattr(os, "sendfile", send_little)
        for _ in range(TIMES):
            assert (await ask(client, "/middle.bin")).body == MIDDLE
        monkeypatch.setattr(os, "sendfile", sendfile)
    # Only the first of them was taken for one that goes at once.
    assert handler.calls - before == TIMES - (transport_kind == "aiofastnet")


async def test_a_file_does_not_overtake_what_waits_to_be_sent(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    content = os.urandom(READ_AT_ONCE)
    (folder / "read.bin").write_bytes(content)
    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4 * KIB) as client:
        for _ in range(TIMES):
            await ask(client, "/middle.bin")
            await ask(client, "/read.bin")
        client.stop_reading()
        (connection,) = server.connections
        count = 0
        while not connection.wire.buffered:
            client.push(request("/read.bin"))
            count += 1
            await asyncio.sleep(0.001)
        for chunk in iter(lambda: taken_at_once(client), b""):  # so that there is room again,
            client.reader.feed_data(chunk)
        arrive(server, request("/middle.bin"))
        server.turn.handle()  # and nobody has seen it yet
        client.go_on_reading()
        assert {(await client.reply()).body for _ in range(count)} == {content}
        assert (await client.reply()).body == MIDDLE


def taken_at_once(client: Client) -> bytes:
    """What has come to a client that does not read."""
    try:
        return os.read(client.writer.get_extra_info("socket").fileno(), MIB)
    except BlockingIOError:
        return b""


def arrive(server: Server, head: bytes) -> None:
    """Have something come from the server's only client."""
    (connection,) = server.connections
    server.receive_buffer[: len(head)] = head
    connection.buffer_updated(len(head))


@pytest.mark.parametrize(("path", "content"), [("/small.bin", SMALL), ("/middle.bin", MIDDLE)])
async def test_two_that_are_looked_at_in_one_turn_are_two(
    serve: Serve, handler: Repeated, path: str, content: bytes
) -> None:
    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client, path)
        for _ in "12":
            arrive(server, request(path))
        assert [(await client.reply()).body for _ in "12"] == [content, content]


async def test_a_server_that_stops_closes_behind_the_answer(
    serve: Serve, handler: Repeated
) -> None:
    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
        await server.stop()
        assert await client.ends() == b""
