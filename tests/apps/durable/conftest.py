"""Streams that are served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.conftest import Serve
from tests.server.client import Client, Reply, request

import riverrun
from riverrun.server import Server

TEXT = "Content-Type: text/plain"
JSON = "Content-Type: application/json"
BYTES = "Content-Type: application/octet-stream"


class Served:
    """A server of streams, and requests to it."""

    def __init__(self, streams: riverrun.Streams, server: Server) -> None:
        self.streams = streams
        self.server = server

    async def ask(self, method: str, name: str, *lines: str, body: bytes | None = None) -> Reply:
        """Ask for a stream by its name, on a connection of its own."""
        async with await Client.connect(self.server, limit=1 << 26) as client:
            return await client.ask(f"/v1/stream/{name}", method, *lines, body=body)

    async def put(self, name: str, *lines: str, body: bytes = b"") -> Reply:
        return await self.ask("PUT", name, *lines, body=body)

    async def post(self, name: str, *lines: str, body: bytes = b"") -> Reply:
        return await self.ask("POST", name, *lines, body=body)

    async def get(self, name: str, query: str = "", *lines: str) -> Reply:
        return await self.ask("GET", f"{name}?{query}" if query else name, *lines)

    async def begin(self, name: str, *lines: str) -> Client:
        """Begin a request whose body comes in chunks."""
        client = await Client.connect(self.server)
        await client.send(
            request(f"/v1/stream/{name}", "POST", "Transfer-Encoding: chunked", *lines)
        )
        return client


OpenStreams: TypeAlias = Callable[..., Awaitable[Served]]


@pytest.fixture
async def open_streams(tmp_path: Path, serve: Serve) -> AsyncIterator[OpenStreams]:
    """Serves streams: ``await open_streams(settings=..., retention=...)``."""
    async with AsyncExitStack() as stack:

        async def start(retention: riverrun.Retention | None = None, **options: Any) -> Served:
            logs = riverrun.open_logs(tmp_path / "logs", retention=retention)
            streams = riverrun.Streams(logs, **options)
            server = await serve(streams)

            async def stop() -> None:
                await server.stop(0)
                streams.close()

            stack.push_async_callback(stop)
            return Served(streams, server)

        yield start


@pytest.fixture
async def served(open_streams: OpenStreams) -> Served:
    """Streams with the usual settings."""
    return await open_streams()
