"""The one place that knows which transports and which loop are used.

aiofastnet's transports where it can be imported, asyncio's own otherwise. The rest of the server
sees `asyncio.Transport` and asks `socket_descriptor` whether it may write to the socket itself.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from types import ModuleType

aiofastnet: ModuleType | None
uvloop: ModuleType | None
try:
    import aiofastnet
except ImportError:  # pragma: no cover - a platform without it
    aiofastnet = None
try:
    import uvloop
except ImportError:  # pragma: no cover - a platform without it
    uvloop = None

BACKLOG = 1024
ACCEPTED_AT_ONCE = 16
"""Connections accepted before any of them can be turned away; see `riverrun.server.descriptors`."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The loop that measures best here (docs/decisions/0002-event-loop.md)."""
    if uvloop is not None:
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()  # pragma: no cover - a platform without uvloop


async def listen(
    listener: socket.socket,
    protocol_factory: Callable[[], asyncio.BaseProtocol],
    *,
    tls: ssl.SSLContext | None = None,
) -> asyncio.AbstractServer:
    """Accept connections on a bound socket; takes it over."""
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    if aiofastnet is not None:
        create = (
            aiofastnet.create_unix_server
            if listener.family == socket.AF_UNIX
            else aiofastnet.create_server
        )
        server: asyncio.AbstractServer = await create(
            loop, protocol_factory, sock=listener, backlog=ACCEPTED_AT_ONCE, ssl=tls
        )
        listener.listen(BACKLOG)  # how many may wait is another matter
        return server
    if listener.family == socket.AF_UNIX:
        return await loop.create_unix_server(
            protocol_factory, sock=listener, backlog=BACKLOG, ssl=tls
        )
    return await loop.create_server(protocol_factory, sock=listener, backlog=BACKLOG, ssl=tls)


def socket_descriptor(transport: asyncio.BaseTransport) -> int | None:
    """The socket to which bytes may be sent past an empty transport, or None if none may.

    aiofastnet leaves the descriptor's writer free while nothing waits in the transport; asyncio's
    own transports refuse it, and beneath TLS the bytes would not be encrypted.
    """
    if aiofastnet is None or not isinstance(transport, aiofastnet.Transport):
        return None
    if transport.get_extra_info("sslcontext") is not None:
        return None
    descriptor: int = transport.get_extra_info("socket").fileno()
    return descriptor


def copies_what_it_keeps(transport: asyncio.BaseTransport) -> bool:
    """Whether a buffer may be changed once it was written; uvloop's own transports keep it."""
    return aiofastnet is not None and isinstance(transport, aiofastnet.Transport)
