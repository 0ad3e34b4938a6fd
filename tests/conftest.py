"""What the tests of more than one room share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

import pytest

from riverrun.http.handler import Handler
from riverrun.http.limits import Limits
from riverrun.server import Options, Server

Serve: TypeAlias = Callable[..., Awaitable[Server]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers on free ports, ``await serve(handler, limits=...)``, until the test's end."""
    async with AsyncExitStack() as servers:

        async def start(
            handler: Handler,
            *,
            limits: Limits | None = None,
            options: Options | None = None,
            **arguments: Any,
        ) -> Server:
            options = options or Options(limits=limits or Limits())
            server = Server(handler, options=options, **{"port": 0, **arguments})
            await server.start()
            servers.push_async_callback(server.stop, 0)
            return server

        yield start
