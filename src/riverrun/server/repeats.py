"""Answering what was answered before, byte for byte, without parsing or handling it.

A small file that many want is asked for in few ways: by each kind of client with the same bytes.
What comes a second time is remembered, with what the handler says answers it; from the third time
on that answer is given for as long as it holds (docs/decisions/0018).
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from riverrun.http.limits import KIB, MIB
from riverrun.http.parser import EMPTY_LINE
from riverrun.http.repeats import Repeat, Repeatable, nothing_left
from riverrun.http.request import Request

if TYPE_CHECKING:
    from riverrun.server.access_log import Told
    from riverrun.server.connection import Connection
    from riverrun.server.server import Server

logger = logging.getLogger("riverrun.server")

LONGEST_HEAD: Final = 2 * KIB
"""Longer heads are not remembered: few clients send the same one."""

REMEMBERED: Final = 2 * MIB
"""Bytes that are remembered, more or less; when there are more, remembering begins anew."""

ENTRY_SIZE: Final = KIB
"""Bytes that an answer takes up, beside the head that it is remembered for."""

REFUSED_SECONDS: Final = 10.0
"""How long a handler is not asked again about a request that takes it."""

SEEN: Final = 1024
"""So many hashes of heads that have come are kept, to tell what comes again."""


class Known(NamedTuple):
    """What answers a request that may come again, and what the access log tells of it."""

    repeat: Repeat
    told: Told | None


class Repeats:
    """The requests of one server that have come more than once."""

    __slots__ = ("_handler", "_known", "_refused", "_seen", "_server", "_size")

    def __init__(self, server: Server, handler: Repeatable) -> None:
        self._server = server
        self._handler = handler
        self._seen = [0] * SEEN
        self._known: dict[bytes, Known] = {}
        self._refused: dict[bytes, float] = {}  # until when
        self._size = 0

    def answer(self, connection: Connection, data: bytes) -> bool:
        """Answer what came on a connection at rest, if it is known; return whether it was."""
        known = self._known.get(data)
        if known is None:
            return False
        server = self._server
        repeat = known.repeat
        access_log = server.access_log
        started_at = 0.0 if access_log is None else monotonic()
        if not connection.wire.may_send_at_once(repeat.length if repeat.region else 0):
            return False
        rest = repeat.send(connection.wire, server.clock.now)
        if rest is None:
            del self._known[data]
            self._size -= len(data) + ENTRY_SIZE
            return False
        if rest is not nothing_left:
            connection.go_on(data, rest)
            return True
        vitals = server.vitals
        vitals.answered[repeat.status // 100] += 1
        vitals.sent += repeat.length
        if access_log is not None and known.told is not None:
            access_log.add_repeat(connection.client, known.told, started_at)
        return True

    def answered(self, data: bytes, request: Request) -> None:
        """`request` came in `data`, on a connection at rest, and was answered at once."""
        hashed = hash(data)
        slot = hashed % SEEN
        if self._seen[slot] != hashed:
            self._seen[slot] = hashed  # the bytes of what never comes again are not kept
        elif (
            data not in self._known
            and self._refused.get(data, 0.0) <= self._server.clock.now
            and _is_one_head(data)
        ):
            self._learn(data, request)

    def _learn(self, data: bytes, request: Request) -> None:
        try:
            repeat = self._handler.repeat(request)
        except OSError:  # which may pass
            return
        except Exception:
            logger.exception("%s %s: no repeat", request.method, request.target.decode("latin-1"))
            repeat = None
        size = len(data) + ENTRY_SIZE
        if self._size + size > REMEMBERED:
            self._known.clear()
            self._refused.clear()
            self._size = 0
        if repeat is None:
            self._size += 0 if data in self._refused else size
            self._refused[data] = self._server.clock.now + REFUSED_SECONDS
            return
        self._size += size
        access_log = self._server.access_log
        told = (
            None if access_log is None else access_log.tell(request.method, request.target, repeat)
        )
        self._known[data] = Known(repeat, told)


def _is_one_head(data: bytes) -> bool:
    """Whether `data`, which begins with a whole head, is that and nothing else."""
    return len(data) <= LONGEST_HEAD and data.find(EMPTY_LINE) == len(data) - len(EMPTY_LINE)
