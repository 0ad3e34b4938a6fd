"""``Expect: 100-continue`` is answered when the handler first reads (RFC 9110, 10.1.1)."""

from __future__ import annotations

import asyncio

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request

from riverrun.errors import HTTPError
from riverrun.http.request import Request
from riverrun.http.response import Response

EXPECTING = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


async def echo(request: Request, response: Response) -> None:
    await response.end(await request.body())


async def test_it_is_sent_with_the_first_read_and_once(serve: Serve) -> None:
    read = asyncio.Event()
    ready = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        ready.set()
        await read.wait()
        chunks = [await request.read(1) for _ in range(6)]
        await response.end(b"".join(chunks))

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(EXPECTING)
        await ready.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.read(1), 0.05)
        read.set()
        assert await client.reader.readuntil(b"\r\n\r\n") == GO_ON
        await client.send(b"hello")
        reply = await client.reply()
        assert (reply.status, reply.body, reply.interim) == (200, b"hello", [])


async def test_the_connection_is_kept_when_the_body_was_read(serve: Serve) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        for _ in range(2):
            await client.send(EXPECTING)
            assert await client.reader.readuntil(b"\r\n\r\n") == GO_ON
            await client.send(b"hello")
            reply = await client.reply()
            assert (reply.body, reply.closes) == (b"hello", False)


async def test_a_chunked_body_may_be_waited_for_too(serve: Serve) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        await client.send(
            request("/", "POST", "Expect: 100-Continue", "Transfer-Encoding: chunked")
        )
        assert await client.reader.readuntil(b"\r\n\r\n") == GO_ON
        await client.send(b"5\r\nhello\r\n0\r\n\r\n")
        assert (await client.reply()).body == b"hello"


async def test_a_handler_that_does_not_read_answers_at_once_and_closes(serve: Serve) -> None:
    """Who knows whether the body comes all the same? So the next request cannot be told from it."""

    async def refuse(request: Request, response: Response) -> None:
        raise HTTPError(403)

    server = await serve(refuse)
    async with await Client.connect(server) as client:
        await client.send(EXPECTING)
        reply = await client.reply()
        assert (reply.status, reply.interim, reply.closes) == (403, [], True)
        assert await client.ends() == b""


async def test_a_client_that_does_not_wait_is_served(serve: Serve) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        await client.send(EXPECTING + b"hello")
        reply = await client.reply()
        assert (reply.status, reply.body) == (200, b"hello")
        assert [interim.status for interim in reply.interim] in ([], [100])


async def test_http_1_0_is_sent_no_100(serve: Serve) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        await client.send(EXPECTING.replace(b"1.1", b"1.0") + b"hello")
        reply = await client.reply()
        assert (reply.body, reply.interim) == (b"hello", [])


async def test_without_a_body_there_is_nothing_to_wait_for(serve: Serve) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        reply = await client.ask("/", "GET", "Expect: 100-continue")
        assert (reply.status, reply.interim, reply.closes) == (200, [], False)


async def test_a_body_read_behind_the_start_of_the_response_needs_no_100(serve: Serve) -> None:
    """A final response has begun: a 100 behind it would be taken for part of it."""

    async def handler(request: Request, response: Response) -> None:
        await response.write(b"first, ")
        await response.end(await request.body())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(EXPECTING + b"hello")
        reply = await client.reply()
        assert (reply.body, reply.interim) == (b"first, hello", [])


async def test_a_pipelined_request_waits_for_its_turn_to_be_told(serve: Serve) -> None:
    go = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        if request.path == "/first":
            await go.wait()
        await response.end(await request.body())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/first") + EXPECTING)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.read(1), 0.05)
        go.set()
        first = await client.reply()
        assert (first.interim, first.body, first.closes) == ([], b"", False)
        assert await client.reader.readuntil(b"\r\n\r\n") == GO_ON
        await client.send(b"hello")
        assert (await client.reply()).body == b"hello"
