"""The receiving half of a connection: whether its socket is read, and why not."""

from __future__ import annotations

import asyncio
from enum import Enum

from riverrun.http.parser import RequestParser
from riverrun.server.hangups import Hangups


class Hold(Enum):
    """Why the socket is not read."""

    BODY = "the buffer of a body is full"
    QUEUE = "the queue of requests is full"
    BUDGET = "the buffers of all connections together are full"


class Intake:
    """Stops the parser and the socket while there is any reason to hold them.

    A socket that is not read does not tell when its client goes away, so it is watched meanwhile.
    """

    __slots__ = ("_hangups", "_holds", "_transport", "parser")

    def __init__(
        self, transport: asyncio.Transport, parser: RequestParser, hangups: Hangups
    ) -> None:
        self._transport = transport
        self.parser = parser
        self._hangups = hangups
        self._holds: tuple[Hold, ...] = ()

    @property
    def held(self) -> bool:
        """Whether the socket is not read."""
        return bool(self._holds)

    def hold(self, reason: Hold) -> None:
        """Stop reading for `reason`."""
        if not self._holds:
            self.parser.pause()
            self._transport.pause_reading()
            self._hangups.watch(self._transport)
        if reason not in self._holds:
            self._holds += (reason,)

    def release(self, reason: Hold) -> None:
        """`reason` is gone; read again if it was the last.

        Raises `HTTPError`, as the parser does, for what it finds in what was kept.
        """
        if reason not in self._holds:
            return
        self._holds = tuple(other for other in self._holds if other is not reason)
        if not self._holds:
            self._hangups.forget(self._transport)
            self._transport.resume_reading()
            self.parser.resume()

    def drop_all(self) -> None:
        """Take no notice of anything that comes from now on, but let it come."""
        self.parser.stop()
        if self._holds:
            self._holds = ()
            self._hangups.forget(self._transport)
            self._transport.resume_reading()

    def close(self) -> None:
        """The connection is gone."""
        self.parser.stop()
        self._hangups.forget(self._transport)
