"""The receiving half of a connection: whether its socket is read, and why not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from riverrun.errors import HTTPError
from riverrun.flows import Flows
from riverrun.http.parser import RequestParser
from riverrun.http.request import Request
from riverrun.server.hangups import Hangups
from riverrun.streams.budget import BufferBudget
from riverrun.streams.buffer import ByteBuffer


class Hold(Enum):
    """Why the socket is not read."""

    BODY = "the buffer of a body is full"
    QUEUE = "the queue of requests is full"
    BUDGET = "the buffers of all connections together are full"


class Incoming:
    """A request whose body is being received, and how many bytes of it have come."""

    __slots__ = ("body", "cut", "high_water_mark", "received", "request")

    def __init__(self, request: Request, body: ByteBuffer, cut: Callable[[], None]) -> None:
        """`cut` closes the connection at once."""
        self.request = request
        self.body = body
        self.cut = cut
        self.high_water_mark = body.high_water_mark
        self.received = 0

    @property
    def buffered(self) -> int:
        """How many bytes wait to be read."""
        return self.body.size


class Intake:
    """Stops the parser and the socket while there is any reason to hold them.

    A socket that is not read does not tell when its client goes away, so it is watched meanwhile.
    What the parser finds wrong in what was kept is handed to `refuse`; `goes_on` tells whether the
    connection does when its input ends.
    """

    __slots__ = ("_goes_on", "_hangups", "_holds", "_refuse", "_transport", "parser")

    def __init__(
        self,
        transport: asyncio.Transport,
        parser: RequestParser,
        hangups: Hangups,
        refuse: Callable[[HTTPError], None],
        goes_on: Callable[[], bool],
    ) -> None:
        self._transport = transport
        self.parser = parser
        self._hangups = hangups
        self._refuse = refuse
        self._goes_on = goes_on
        self._holds: tuple[Hold, ...] = ()

    @property
    def held(self) -> bool:
        """Whether the socket is not read."""
        return bool(self._holds)

    def receive_body(
        self,
        request: Request,
        high_water_mark: int,
        budget: BufferBudget,
        flows: Flows,
        cut: Callable[[], None],
    ) -> Incoming:
        """Make the buffer that `request` is read from; when it is full, the socket is not read.

        A body that takes its time is a flow among `flows`, which `cut` ends badly.
        """
        body = ByteBuffer(
            high_water_mark,
            pause=self._hold_body,
            resume=self._release_body,
            budget=budget,
        )
        incoming = Incoming(request, body, cut)
        request.attach(body, flows, incoming)
        return incoming

    def hold(self, reason: Hold) -> None:
        """Stop reading for `reason`."""
        if not self._holds:
            self.parser.pause()
            self._transport.pause_reading()
            self._hangups.watch(self._transport, self._goes_on)
        if reason not in self._holds:
            self._holds += (reason,)

    def hold_for(self, budget: BufferBudget) -> None:
        """Stop reading until `budget` has room again."""
        self.hold(Hold.BUDGET)
        budget.call_when_free(self._release_budget)

    def release(self, reason: Hold) -> None:
        """`reason` is gone; read again if it was the last."""
        if reason not in self._holds:
            return
        self._holds = tuple(other for other in self._holds if other is not reason)
        if self._holds:
            return
        self._hangups.resume(self._transport)
        self._transport.resume_reading()
        try:
            self.parser.resume()
        except HTTPError as error:
            self._refuse(error)

    def drop_all(self) -> None:
        """Take no notice of anything that comes from now on, but let it come."""
        self.parser.stop()
        if self._holds:
            self._holds = ()
            self._hangups.resume(self._transport)
            self._transport.resume_reading()

    def close(self, budget: BufferBudget) -> None:
        """The connection is gone."""
        self.parser.stop()
        self._hangups.forget(self._transport)
        budget.forget(self._release_budget)

    def _hold_body(self) -> None:
        self.hold(Hold.BODY)

    def _release_body(self) -> None:
        self.release(Hold.BODY)

    def _release_budget(self) -> None:
        self.release(Hold.BUDGET)
