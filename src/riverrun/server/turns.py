"""What comes in one turn of the loop is handled together, and what is answered leaves together.

Between a request and its answer the kernel runs through as much code as Python does, and each finds
the processor's caches full of the other. So a turn has three parts: all sockets are read, all
requests are handled, all answers are sent (docs/decisions/0012). Only small things take part, since
what waits for its turn is held in memory; what is larger is handled and sent where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riverrun.server.connection import Connection
    from riverrun.server.wire import SocketWire

SMALL_ARRIVAL = 4 * 1024
"""Up to here what came from a socket waits for what the others have to say: most heads do."""

SMALL_ANSWER = 64 * 1024
"""Up to here an answer waits for the others."""

SMALL_REGION = 256 * 1024
"""Up to here a file's bytes, which are not in our memory, wait for the others."""

ANSWERS_TOGETHER = 32
"""So many leave without waiting for more: the first should not wait for the thousandth."""


class Turn:
    """The requests that have come in this turn of the loop, and the answers that may leave."""

    __slots__ = ("_answers", "_arrivals", "_at_end", "_loop", "handling")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrivals: list[tuple[Connection, bytes]] = []
        self._answers: list[SocketWire] = []
        self._at_end: list[Callable[[], None]] = []
        self.handling = False

    def add(self, connection: Connection, data: bytes) -> None:
        """Hand `data` to `connection` when all sockets have been read."""
        if not self._arrivals:
            self._loop.call_soon(self.handle)
        self._arrivals.append((connection, data))

    def handle(self) -> None:
        """Handle what has come, in the order in which it came, and send the answers."""
        if self.handling:
            return
        self.handling = True
        arrivals, self._arrivals = self._arrivals, []
        try:
            for connection, data in arrivals:
                connection.receive(data)
                if len(self._answers) >= ANSWERS_TOGETHER:
                    self._send()
        finally:
            self.handling = False
            at_end, self._at_end = self._at_end, []
            try:
                self._send()
            finally:  # what holds for a turn must not for the next, whatever failed
                for callback in at_end:
                    with suppress(OSError):
                        callback()

    def add_answer(self, wire: SocketWire) -> None:
        """Have `wire` send what it holds when the others do."""
        self._answers.append(wire)

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when all is handled and the answers have left.

        It may raise `OSError`, as a close does, which nobody is told.
        """
        self._at_end.append(callback)

    def _send(self) -> None:
        answers, self._answers = self._answers, []
        for wire in answers:
            wire.flush()
