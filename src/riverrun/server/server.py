"""A server: it listens, keeps its connections, and stops without breaking what runs."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from types import TracebackType
from typing import Self

from riverrun.flows import Flows
from riverrun.http.handler import Handler, start_handler, stop_handler
from riverrun.http.repeats import repeatable
from riverrun.server.clock import Clock
from riverrun.server.connection import Connection
from riverrun.server.descriptors import TurnedAway, room_for_connections
from riverrun.server.hangups import Hangups
from riverrun.server.heap import Heap
from riverrun.server.listeners import open_listener
from riverrun.server.options import Options
from riverrun.server.repeats import Repeats
from riverrun.server.runner import RunnerPool
from riverrun.server.transports import listen
from riverrun.server.turns import Turn
from riverrun.server.vitals import Vitals
from riverrun.streams.budget import BufferBudget

RECEIVE_SIZE = 64 * 1024
"""What is taken from a socket at once, at most: it is still in the processor's cache when it is
written to a file (docs/decisions/0001)."""


class Server:
    """Serves `handler` over HTTP/1.1 from the running event loop.

    Listens on TCP (`host`, `port`; port 0 takes a free one), on a Unix socket (`unix`, a path), or
    on sockets that the caller has bound (`listeners`). As an asynchronous context manager it
    serves inside the block, and stops gracefully when it is left:

        async with Server(handler, port=0) as server:
            print(server.port)
            await server.wait_stopped()
    """

    def __init__(
        self,
        handler: Handler,
        *,
        host: str = "127.0.0.1",
        port: int = 4000,
        unix: str | None = None,
        listeners: list[socket.socket] | None = None,
        tls: ssl.SSLContext | None = None,
        options: Options | None = None,
    ) -> None:
        self.handler = handler
        self.options = options or Options()
        self.access_log = self.options.access_log
        flows = self.options.flows
        self.flows = Flows(shape=self.options.shape) if flows is None else flows
        self.vitals = Vitals() if self.options.vitals is None else self.options.vitals
        self.connections: set[Connection] = set()
        self.stopping = False
        self.port: int | None = None
        self._address = (host, port, unix)
        self._tls = tls
        self._empty = asyncio.Event()
        self._listeners = listeners
        self._accepting: list[asyncio.AbstractServer] = []

    async def start(self) -> None:
        """Begin to serve. Raises `OSError` when an address cannot be listened on."""
        self.loop = asyncio.get_running_loop()
        self.runners = RunnerPool(self.loop)
        self.hangups = Hangups(self.loop)
        self.turn = Turn(self.loop)
        handler = repeatable(self.handler)
        self.repeats = None if handler is None else Repeats(self, handler)
        self.budget = BufferBudget(self.options.limits.buffer_budget)
        most = self.options.limits.connection_count
        self.most_connections = room_for_connections() if most is None else most
        self.receive_buffer = memoryview(bytearray(RECEIVE_SIZE))
        self.vitals.watch(self.flows, self.budget)
        self.clock = Clock(self.loop, self._every_second, self.vitals.ticked)
        self._heap = Heap()
        self._stopped: asyncio.Future[None] = self.loop.create_future()
        listeners = self._listeners or [open_listener(*self._address)]
        for listener in listeners:
            if listener.family in (socket.AF_INET, socket.AF_INET6) and self.port is None:
                self.port = listener.getsockname()[1]
            self._accepting.append(await listen(listener, self._accept, tls=self._tls))
        self.clock.start()
        start_handler(self.handler)

    async def stop(self, graceful_timeout: float | None = None) -> None:
        """Refuse new connections, let running exchanges finish, then abort what is left.

        They get `graceful_timeout` seconds, or `Limits.graceful_timeout`. A cancel, and a second
        call, abort at once.
        """
        for accepting in self._accepting:
            accepting.close()
        self._accepting.clear()
        if graceful_timeout is None:
            graceful_timeout = self.options.limits.graceful_timeout
        if self.stopping:
            graceful_timeout = 0
        else:
            stop_handler(self.handler)
        self.stopping = True
        for connection in list(self.connections):
            connection.stop()
        try:
            await self._until_no_connections(graceful_timeout)
        finally:
            for connection in list(self.connections):
                connection.abort()
        await self._until_no_connections(1.0)
        self._finish()

    async def wait_stopped(self) -> None:
        """Wait until the server has stopped."""
        await asyncio.shield(self._stopped)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def connection_closed(self, connection: Connection) -> None:
        """Called by a connection when it is gone."""
        self.connections.discard(connection)
        self.vitals.connections = len(self.connections)
        if not self.connections:
            self._empty.set()

    def _accept(self) -> asyncio.BaseProtocol:
        full = len(self.connections) >= self.most_connections
        return TurnedAway() if full else Connection(self)

    async def _until_no_connections(self, seconds: float) -> None:
        if self.connections:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    def _every_second(self) -> None:
        for connection in list(self.connections):
            connection.check(self.clock.now)
        self.flows.tidy()
        self._heap.look()

    def _finish(self) -> None:
        self.clock.stop()
        self.hangups.close()
        self.runners.close()
        if self.access_log is not None:
            self.access_log.close()
        if not self._stopped.done():
            self._stopped.set_result(None)
