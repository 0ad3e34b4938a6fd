"""How many connections there is room for.

A process that has run out of descriptors can neither accept a connection, to say so, nor open the
files that others ask for. So it takes half as many connections as it may have descriptors: each of
them may have a file open.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import cast

from riverrun.server.transports import ACCEPTED_AT_ONCE

OUR_OWN = 64  # listeners, logs, databases, the loop's own
TURNS = 5  # of the loop, from a connection's being accepted to its being closed again
SPARE = OUR_OWN + TURNS * ACCEPTED_AT_ONCE
FEWEST = 8
MOST_DESCRIPTORS = 1 << 16
TOO_MANY = b'{"title":"Service Unavailable","status":503,"detail":"Too many connections are open."}'
REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b"
) % (len(TOO_MANY), TOO_MANY)


class TurnedAway(asyncio.Protocol):
    """The protocol of a connection that is one too many: it is told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not from here: the transport goes on to watch its socket, closed by then or not.
        asyncio.get_running_loop().call_soon(self._refuse, cast("asyncio.Transport", transport))

    def _refuse(self, transport: asyncio.Transport) -> None:
        transport.write(REFUSAL)
        transport.close()


def room_for_connections() -> int:
    """How many connections may be open at once."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        limit = MOST_DESCRIPTORS
    return max((limit - SPARE) // 2, FEWEST)


def allow_many_descriptors() -> None:
    """Let this process have as many as the system lets it, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
