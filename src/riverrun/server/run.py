"""Serving from a program's main thread until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from riverrun.http.handler import Handler, close_handler
from riverrun.server.server import Server
from riverrun.server.transports import new_event_loop


def run(
    handler: Handler, *, started: Callable[[Server], None] | None = None, **arguments: Any
) -> None:
    """Serve `handler` until SIGINT or SIGTERM, then stop gracefully; a second signal aborts.

    What the handler has open is closed behind that (`riverrun.http.handler.Closable`). `arguments`
    are those of `Server`; `started` is called once the server listens. Raises `OSError` when an
    address cannot be listened on.
    """
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_serve(Server(handler, **arguments), started))
    finally:
        close_handler(handler)


async def _serve(server: Server, started: Callable[[Server], None] | None) -> None:
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        stopping.add(loop.create_task(server.stop()))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await server.start()
    if started is not None:
        started(server)
    await server.wait_stopped()
    await asyncio.gather(*stopping)
