"""What the tests of more than one room share."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from hypothesis import settings
from playwright.async_api import Browser
from tests.support.browser import launched
from tests.support.crowd import crowded
from tests.support.judges import installed

from riverrun.http.handler import Handler
from riverrun.http.limits import Limits
from riverrun.server import Options, Server

Serve: TypeAlias = Callable[..., Awaitable[Server]]

# A shell starts what is to run in the background without Ctrl-C, and so would all that we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What a case takes depends on what else the machine does; tests that measure time say so.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def judges() -> Path:
    """The folder of the judges that come by npm."""
    return installed()


@pytest.fixture(scope="session")
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 100,000 files."""
    return crowded(request, tmp_path_factory)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser for tests that run in their module's loop; each has pages of its own."""
    async with launched() as browser:
        yield browser


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
