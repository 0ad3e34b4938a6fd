"""A server with something that flows, and its flows at an address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.conftest import Serve
from tests.server.client import PATIENCE, Client, Reply, until

from riverrun.apps.flows import Access, Steering
from riverrun.apps.mounts import Mounts
from riverrun.flows import Flow, Flows
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Options, Server

JSON = "Content-Type: application/json"
PIECE = b"x" * 8192


async def river(request: Request, response: Response) -> None:
    """GET runs without an end; POST takes what comes, and says how much it was."""
    if request.method == "POST":
        taken = 0
        async for chunk in request:
            taken += len(chunk)
        await response.end(str(taken).encode())
    while True:
        await response.write(PIECE)


@dataclass
class River:
    """What is served, and its flows."""

    server: Server
    flows: Flows

    async def ask(
        self, method: str, path: str = "/~/flows", *lines: str, body: object = None
    ) -> Reply:
        """Ask about flows, on a connection of its own; `body` is sent as JSON."""
        encoded = None if body is None else json.dumps(body).encode()
        if body is not None:
            lines = (JSON, *lines)
        async with await Client.connect(self.server) as client:
            return await client.ask(path, method, *lines, body=encoded)

    async def tell(self, path: str = "/~/flows") -> Any:
        """What is told there."""
        reply = await self.ask("GET", path)
        assert (reply.status, reply["content-type"]) == (200, "application/json")
        return json.loads(reply.body)

    @asynccontextmanager
    async def running(self, *lines: str) -> AsyncIterator[tuple[Client, Flow]]:
        """A client that takes what runs, and the flow of it."""
        before = {flow.id for flow in self.flows}
        async with await Client.connect(self.server) as client:
            await client.send(
                "\r\n".join(("GET /river HTTP/1.1", "Host: a", *lines, "", "")).encode()
            )
            await client.reader.readuntil(b"\r\n\r\n")
            await until(lambda: {flow.id for flow in self.flows} - before)
            (flow,) = [flow for flow in self.flows if flow.id not in before]
            draining = asyncio.ensure_future(drain(client))
            try:
                yield client, flow
            finally:
                draining.cancel()
                await asyncio.gather(draining, return_exceptions=True)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Events]:
        """The events of the flows."""
        async with await Client.connect(self.server, limit=1 << 22) as client:
            await client.send(
                b"GET /~/flows HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"
            )
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert b"content-type: text/event-stream" in head.lower()
            yield Events(client)


@dataclass
class Events:
    """Server-sent events in a chunked body."""

    client: Client

    async def next(self) -> tuple[str, Any]:
        """The next event and its data."""
        async with asyncio.timeout(PATIENCE):
            size = int(await self.client.reader.readuntil(b"\r\n"), 16)
            assert size, "the stream has ended"
            event = (await self.client.reader.readexactly(size)).decode()
            await self.client.reader.readexactly(2)
        name, data, empty, end = event.split("\n")
        assert (empty, end) == ("", "")
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def until(self, wanted: str) -> Any:
        """The data of the next event in which `wanted` is a member."""
        while True:
            _, data = await self.next()
            if wanted in data:
                return data

    async def ends(self) -> None:
        """Read to the end of the stream."""
        async with asyncio.timeout(PATIENCE):
            await self.client.reader.readuntil(b"0\r\n\r\n")


async def drain(client: Client) -> None:
    while await client.reader.read(1 << 16):
        pass


async def serve_river(serve: Serve, access: Access | None = None, **limits: Any) -> River:
    """Serve a river that is steered from this machine, unless `access` says otherwise."""
    flows = Flows(**limits)
    steering = Steering(flows, access or Access(steer=True))
    server = await serve(Mounts(river, {"/~/flows": steering}), options=Options(flows=flows))
    return River(server, flows)
