"""Requests and responses over sockets keep the contracts of streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request

from riverrun.flows import Shape
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Options, Server
from riverrun.testing import Received, check_readable, check_writable

WHOLE = bytes(range(256)) * 2000
Exchange = tuple[Request, Response]


class Exchanges:
    """Hands the two ends of every exchange out of its handler, which waits until its end."""

    def __init__(self) -> None:
        self.ready: asyncio.Queue[Exchange] = asyncio.Queue()
        self.over = asyncio.Event()
        self.clients: list[Client] = []
        self.sending: list[asyncio.Task[None]] = []

    async def handler(self, request: Request, response: Response) -> None:
        self.ready.put_nowait((request, response))
        await self.over.wait()

    async def ask(self, server: Server, data: bytes, **arguments: int) -> tuple[Exchange, Client]:
        client = await Client.connect(server, **arguments)
        self.clients.append(client)
        self.sending.append(asyncio.ensure_future(client.send(data)))
        return await self.ready.get(), client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.over.set()
        for client in self.clients:
            await client.__aexit__()
        await asyncio.gather(*self.sending, return_exceptions=True)


async def test_a_request_is_a_readable(serve: Serve) -> None:
    exchanges = Exchanges()
    server = await serve(exchanges.handler)

    async def make() -> Request:
        (asked, _), _ = await exchanges.ask(server, request("/", "POST", body=WHOLE))
        return asked

    async def clogged() -> Request:
        (asked, _), _ = await exchanges.ask(server, request("/", "POST", "Content-Length: 5"))
        return asked

    async def broken() -> Request:
        unfinished = request("/", "POST", "Content-Length: 50") + b"some"
        (asked, _), client = await exchanges.ask(server, unfinished)
        client.writer.write_eof()
        return asked

    async with exchanges:
        await check_readable(make, clogged=clogged, broken=broken)


def taking(client: Client) -> Received:
    async def received() -> bytes:
        return (await client.reply()).body

    return received


@pytest.mark.parametrize("shape", [None, Shape(chunk_size=5, delay=0.0005)], ids=["free", "shaped"])
async def test_a_response_is_a_writable(serve: Serve, shape: Shape | None) -> None:
    exchanges = Exchanges()
    server = await serve(exchanges.handler, options=Options(shape=shape))

    def maker(**arguments: int) -> Callable[[], Awaitable[tuple[Response, Received]]]:
        async def make() -> tuple[Response, Received]:
            (_, response), client = await exchanges.ask(server, request(), **arguments)
            return response, taking(client)

        return make

    async def broken() -> Response:
        (_, response), client = await exchanges.ask(server, request())
        client.writer.transport.abort()
        return response

    clogged = None if shape else maker(receive_buffer=4096)
    async with exchanges:
        await check_writable(maker(), clogged=clogged, broken=broken)
