"""The receiving half of a connection: bodies, whether its socket is read, and why not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from riverrun.errors import ClosedError, DisconnectedError, HTTPError, StallError
from riverrun.http.parser import RequestParser
from riverrun.http.request import Request
from riverrun.io.splice import MOVE_SIZE, Splice
from riverrun.io.threads import in_thread
from riverrun.server.stalls import StallWatch
from riverrun.server.transports import socket_descriptor
from riverrun.streams.buffer import ByteBuffer

if TYPE_CHECKING:
    from riverrun.server.connection import Connection
    from riverrun.server.server import Server


class Hold(Enum):
    """Why the socket is not read."""

    BODY = "the buffer of a body is full"
    QUEUE = "the queue of requests is full"
    BUDGET = "the buffers of all connections together are full"
    MOVING = "a thread moves a body from the socket to a file"


class Incoming:
    """A request whose body is being received, and how many bytes of it have come."""

    __slots__ = ("_intake", "body", "high_water_mark", "received", "request")

    def __init__(self, request: Request, body: ByteBuffer, intake: Intake) -> None:
        self.request = request
        self.body = body
        self._intake = intake
        self.high_water_mark = body.high_water_mark
        self.received = 0

    @property
    def buffered(self) -> int:
        """How many bytes wait to be read."""
        return self.body.size

    @property
    def left(self) -> int | None:
        """How many bytes are still to come, None if nobody knows."""
        length = self.request.content_length
        return None if length is None else length - self.received

    async def move(
        self, first: Sequence[bytes], splice: Splice, most: int, wanted: Callable[[], bool]
    ) -> bool:
        """See `Intake.move`."""
        return await self._intake.move(self, first, splice, most, wanted)

    def cut(self) -> None:
        """Close the connection at once."""
        self._intake.cut()

    def discard(self) -> None:
        """Nobody wants the rest of it."""
        self.body.fail(ClosedError("the exchange is over"))
        self.body.clear()
        self.body.release()


class Intake:
    """Hands bodies to their requests, and stops the parser and the socket while there is a reason.

    A socket that is not read does not tell when its client goes away, so it is watched meanwhile.
    What the parser finds wrong in what was kept is handed to the connection.
    """

    __slots__ = ("_connection", "_holds", "_server", "_transport", "_watch", "incoming", "parser")

    def __init__(
        self, connection: Connection, transport: asyncio.Transport, server: Server
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._server = server
        self._holds: tuple[Hold, ...] = ()
        self._watch = StallWatch(server.clock.now)
        self.incoming: Incoming | None = None
        self.parser = RequestParser(connection, server.options.limits)

    # Bodies.

    def expect_body(self, request: Request) -> None:
        """Make the buffer that `request` is read from; when it is full, the socket is not read.

        A body that takes its time is a flow, and to end it badly is to cut the connection.
        """
        server = self._server
        body = ByteBuffer(
            server.options.limits.body_high_water_mark,
            pause=self._hold_body,
            resume=self._release_body,
            budget=server.budget,
        )
        self.incoming = incoming = Incoming(request, body, self)
        request.attach(body, server.flows, incoming)
        self._watch.restart(server.clock.now)

    def take(self, incoming: Incoming, chunk: bytes) -> None:
        """A piece of a body has come. Raises `HTTPError` 413 when it is longer than may be."""
        server = self._server
        incoming.received += len(chunk)
        server.vitals.received += len(chunk)
        limit = server.options.limits.body_size
        if limit is not None and incoming.received > limit:
            raise HTTPError(413)
        incoming.body.feed(chunk)
        if server.budget.spent:
            self.hold(Hold.BUDGET)
            server.budget.call_when_free(self._release_budget)

    async def move(
        self,
        incoming: Incoming,
        first: Sequence[bytes],
        splice: Splice,
        most: int,
        wanted: Callable[[], bool],
    ) -> bool:
        """Have a thread write `first`, and move up to `most` bytes of a body behind it.

        The thread goes on only while more is `wanted`. Returns False, and nothing is done, if it
        cannot be: when bytes wait in the buffer or come in chunks or encrypted, or nothing is to be
        received. Raises what `splice` raises; a cancel waits for the thread.
        """
        self._server.turn.handle()  # what has come already comes first
        most = min(most, MOVE_SIZE, self.parser.counted)
        descriptor = None if self._transport.is_closing() else socket_descriptor(self._transport)
        if incoming is not self.incoming or self._holds or descriptor is None or most <= 0:
            return False
        if incoming.buffered or not splice.possible:
            return False
        try:
            descriptor = os.dup(descriptor)  # the connection may be closed under the thread
        except OSError:
            return False
        self.hold(Hold.MOVING)
        before = splice.taken
        try:
            await in_thread(partial(splice.move, first, descriptor, most, wanted))
        finally:
            os.close(descriptor)
            self._skip(incoming, splice.taken - before)
            self.release(Hold.MOVING)
        return True

    def _skip(self, incoming: Incoming, size: int) -> None:
        """So many bytes of a body have not come this way."""
        incoming.received += size
        self._server.vitals.received += size
        self._watch.restart(self._server.clock.now)
        self.parser.skip(size)

    def let_go(self) -> Incoming | None:
        """Expect no more of the body that is being received; return it, if there is one."""
        incoming, self.incoming = self.incoming, None
        return incoming

    def check(self, now: float) -> None:
        """Give up a body whose client, when it is its turn, has sent too little for too long."""
        incoming = self.incoming
        if incoming is None or self._holds or incoming.request.waits:
            self._watch.restart(now)
            return
        limits = self._server.options.limits
        if self._watch.stalled(incoming.received, now, limits):
            self.incoming = None
            self._connection.close_after_response()
            incoming.body.fail(StallError("stall_timeout", limits.stall_timeout))

    # The socket.

    def hold(self, reason: Hold) -> None:
        """Stop reading for `reason`."""
        if not self._holds:
            self.parser.pause()
            self._transport.pause_reading()
            self._server.hangups.watch(self._transport, self._connection.goes_on)
        if reason not in self._holds:
            self._holds += (reason,)

    def release(self, reason: Hold) -> None:
        """`reason` is gone; read again if it was the last."""
        if reason not in self._holds:
            return
        self._holds = tuple(other for other in self._holds if other is not reason)
        if self._holds:
            return
        self._server.hangups.resume(self._transport)
        self._transport.resume_reading()
        try:
            self.parser.resume()
        except HTTPError as error:
            self._connection.refuse(error)

    def drop_all(self) -> None:
        """Take no notice of anything that comes from now on, but let it come."""
        self.parser.stop()
        moving = tuple(reason for reason in self._holds if reason is Hold.MOVING)
        if self._holds and not moving:
            self._server.hangups.resume(self._transport)
            self._transport.resume_reading()
        self._holds = moving  # what a thread moves is its alone

    def cut(self) -> None:
        """Close the connection at once."""
        self._connection.abort()

    def close(self) -> None:
        """The connection is gone."""
        self.parser.stop()
        self._server.hangups.forget(self._transport)
        self._server.budget.forget(self._release_budget)
        incoming = self.let_go()
        if incoming is not None:
            incoming.body.fail(DisconnectedError("the client went away"))

    def _hold_body(self) -> None:
        self.hold(Hold.BODY)

    def _release_body(self) -> None:
        self.release(Hold.BODY)

    def _release_budget(self) -> None:
        self.release(Hold.BUDGET)
