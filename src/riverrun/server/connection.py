"""One connection: requests in, responses out, in order.

The intake tells what came, the wire sends what goes, and here is decided what happens next. One
exchange runs at a time; requests that come meanwhile wait in a short queue. When the queue is full,
or a body's buffer, or the budget of all buffers, the socket is not read, and so the client waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, cast

from riverrun.errors import HTTPError
from riverrun.http.handler import FINISHED, Handler
from riverrun.http.headers import Fields, FieldView
from riverrun.http.preconditions import READING_METHODS
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.response_state import ENDED
from riverrun.server.exchange import Exchange, fail
from riverrun.server.intake import Hold, Incoming, Intake
from riverrun.server.phase import CLOSED, DRAINING, IDLE, LINGERING, RUNNING
from riverrun.server.turns import SMALL_ARRIVAL
from riverrun.server.wire import SocketWire

if TYPE_CHECKING:
    from riverrun.server.server import Server

ABOUT_TO_ANSWER = 0.025  # seconds, for a client that has ended its input (decision 0005)

UNREADABLE = Request("GET", b"", {}, keep_alive=False)


class Connection(asyncio.BufferedProtocol):
    """The protocol of one accepted socket."""

    __slots__ = (
        "_arrived",
        "_begun",
        "_dropped",
        "_exchange",
        "_head_since",
        "_intake",
        "_phase",
        "_queue",
        "_refusal",
        "_since",
        "_transport",
        "client",
        "server",
        "wire",
    )

    def __init__(self, server: Server) -> None:
        self.server = server
        self._phase = IDLE
        self._since = server.clock.now
        self._head_since: float | None = None
        self._exchange: Exchange | None = None
        self._queue: deque[Request] | None = None
        self._refusal: HTTPError | None = None
        self._dropped = 0
        self._arrived = b""  # what came last, if it is the beginning of a head
        self._begun: Handler | None = None  # what is to send the rest of an answer

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self.server
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else ""
        self.wire = SocketWire(self, self._transport)
        self._intake = Intake(self, self._transport, server)
        server.connections.add(self)
        server.vitals.accepted += 1
        server.vitals.connections += 1

    def get_buffer(self, _size_hint: int) -> memoryview:
        """Lend the one buffer that all connections receive into; `buffer_updated` empties it.

        A buffer of its own for each arrival would be mapped and unmapped by the allocator: as many
        system calls again as a small answer needs.
        """
        return self.server.receive_buffer

    def buffer_updated(self, size: int) -> None:
        server = self.server
        data = bytes(server.receive_buffer[:size])
        if size <= SMALL_ARRIVAL:
            server.turn.add(self, data)
        else:
            server.turn.handle()  # this may be what goes on behind something small
            self.receive(data)

    def receive(self, data: bytes) -> None:
        """Take what has come from the client. Whatever goes wrong is this connection's alone."""
        repeats = self.server.repeats
        if self._phase is not IDLE or self._queue or not self._intake.parser.at_rest:
            repeats = None
        try:
            if repeats is None:
                self._intake.parser.feed(data)
            elif repeats.answer(self, data):
                self._since = self.server.clock.now
            else:
                self._arrived = data
                self._intake.parser.feed(data)
        except HTTPError as error:
            self.refuse(error)
        except Exception as error:  # noqa: BLE001 - told as the loop tells what its callbacks raise
            context = {"message": "a connection failed", "exception": error, "protocol": self}
            self.server.loop.call_exception_handler(context)
            self.abort()
        self._arrived = b""

    def go_on(self, data: bytes, rest: Handler) -> None:
        """The answer to the request in `data` was begun, and is `rest`'s to finish."""
        self._begun = rest  # for `_start`, which is called while a whole head is fed
        try:
            self._intake.parser.feed(data)
        finally:
            self._begun = None

    def eof_received(self) -> bool:
        """Go on sending to a client that has only stopped sending."""
        self.server.turn.handle()
        if not self.goes_on():
            if self._exchange is None or self._exchange.request.method not in READING_METHODS:
                return False
            self.server.loop.call_later(ABOUT_TO_ANSWER, self._close_unless_it_goes_on)
        self._intake.parser.stop()
        if self._queue:
            self._queue[-1].keep_alive = False
        else:
            self.wire.last_response = True
        return True

    def goes_on(self) -> bool:
        """Whether the client is still there although its input has ended (decision 0005)."""
        exchange = self._exchange
        return (
            exchange is not None
            and self._intake.incoming is None
            and exchange.response.started
            and self.wire.waits_for_peer
        )

    def _close_unless_it_goes_on(self) -> None:
        if self._phase is not CLOSED and not self.goes_on():
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.server.turn.handle()
        self._phase = CLOSED
        self.server.connection_closed(self)
        self._intake.close()
        self.wire.lose()
        for request in self._queue or ():
            request.discard()
        if self._exchange is not None:
            self._exchange.disconnect()

    def pause_writing(self) -> None:
        self.wire.pause_writing()

    def resume_writing(self) -> None:
        self.wire.resume_writing()

    # What the parser calls.

    def head_received(self, request: Request) -> None:
        """Start its exchange, or queue it behind the one that runs."""
        request.client = self.client
        self._head_since = None
        if request.content_length != 0:
            self._expect_body(request)
        elif not request.keep_alive:
            self._intake.parser.stop()
        if self._exchange is None and not self._queue:
            self._start(request)
            return
        if self._queue is None:
            self._queue = deque()
        self._queue.append(request)
        if len(self._queue) >= self.server.options.limits.pipelined_requests:
            self._intake.hold(Hold.QUEUE)

    def body_received(self, chunk: bytes) -> None:
        incoming = self._intake.incoming
        if incoming is None:
            self._drop(len(chunk))
        else:
            self._intake.take(incoming, chunk)

    def body_ended(self, trailers: Fields) -> None:
        incoming = self._intake.let_go()
        if incoming is not None:
            if trailers:
                incoming.request.trailers = FieldView(trailers)
            incoming.body.feed_end()
            if not incoming.request.keep_alive:
                self._intake.parser.stop()
        elif self._phase is DRAINING:
            self._next()

    # What an exchange and its wire call.

    def close_after_response(self) -> None:
        """Take no more requests; close when the exchange that runs is over."""
        self.wire.last_response = True
        if self._intake.incoming is None:
            self._intake.parser.stop()

    def exchange_over(self, exchange: Exchange) -> None:
        """The handler is done with it, well or badly."""
        server = self.server
        server.vitals.settle(exchange.response)
        if server.access_log is not None:
            server.access_log.add(
                self.client, exchange.request, exchange.response, exchange.started_at
            )
        self._exchange = None
        if exchange.request.content_length != 0:
            exchange.request.discard()
        if self._phase is CLOSED:
            return
        incoming = self._intake.incoming
        if incoming is not None and incoming.request is exchange.request:
            self._leave_body(incoming)
        else:
            self._next()

    # What the server calls.

    def stop(self) -> None:
        """Close when the exchange that runs is over, and at once if there is none."""
        self.close_after_response()
        if self._phase is IDLE:
            self._close()

    def abort(self) -> None:
        """Close at once."""
        self.wire.cut()

    def check(self, now: float) -> None:
        """Look for what has taken too long; called about once a second."""
        limits = self.server.options.limits
        if self._phase in (DRAINING, LINGERING):
            if now - self._since >= limits.linger_timeout:
                self._transport.abort()
            return
        self._intake.check(now)
        exchange = self._exchange
        if self.wire.stalled(None if exchange is None else exchange.response, now):
            self._transport.abort()
        if exchange is not None:
            return
        if not self._intake.parser.within_head:
            self._head_since = None
            if now - self._since >= limits.keep_alive_timeout:
                self._close()
        elif self._head_since is None:
            self._head_since = now
        elif now - self._head_since >= limits.head_timeout:
            self.refuse(HTTPError(408))

    # What happens next.

    def _expect_body(self, request: Request) -> None:
        expectation = request.fields.get(b"expect")
        if expectation is not None and not request.http_1_0:
            if expectation.lower() != b"100-continue":
                raise HTTPError(417)
            request.on_first_read = self._continue
        self._intake.expect_body(request)

    def _continue(self) -> None:
        """The handler wants the body that the client is holding back."""
        exchange = self._exchange
        assert exchange is not None
        self.wire.last_response = self.server.stopping
        if self._intake.incoming is not None and not exchange.response.started:
            self.wire.send((b"HTTP/1.1 100 Continue\r\n\r\n",))

    def _start(self, request: Request) -> None:
        """Call the handler; run on in an exchange of its own unless it is done already."""
        server = self.server
        if request.on_first_read is not None:
            # Unless the handler reads, who knows whether the body will follow (RFC 9110, 10.1.1)?
            self.wire.last_response = True
        response = Response(self.wire, request)
        access_log = server.access_log
        started_at = 0.0 if access_log is None else monotonic()
        handler = self._begun or server.handler
        try:
            handling = handler(request, response)
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            handling = fail(error)
        if (
            handling is FINISHED
            and response.state is ENDED
            and request.content_length == 0
            and not (self.wire.last_response or self._queue or self._refusal)
        ):
            # Nothing of it is left, and nothing else is to be done.
            server.vitals.settle(response)
            if access_log is not None:
                access_log.add(self.client, request, response, started_at)
            self._since = server.clock.now
            if self._arrived and server.repeats is not None:
                server.repeats.answered(self._arrived, request)
            return
        self._phase = RUNNING
        self._exchange = exchange = Exchange(self, request, response, started_at)
        exchange.run(handling)
        if self._exchange is exchange:
            self._intake.parser.rest()  # it may take long

    def _next(self) -> None:
        """Turn to what waits, or wait for the client."""
        self._phase = IDLE
        self._since = self.server.clock.now
        if self._queue:
            # Not from here: a queue of handlers that never wait would nest.
            self.server.loop.call_soon(self._start_queued)
        elif self.wire.last_response:
            self._close()
        elif self._refusal is not None:
            self._answer_refusal(self._refusal)

    def _start_queued(self) -> None:
        if self._phase is not IDLE or not self._queue:
            return
        if self.wire.last_response:
            self._close()
            return
        self._start(self._queue.popleft())
        if not self._queue:
            self._intake.release(Hold.QUEUE)

    def refuse(self, error: HTTPError) -> None:
        """Answer `error` after the exchanges that came before it, and close."""
        self._intake.parser.stop()
        incoming = self._intake.let_go()
        if incoming is not None:
            self.wire.last_response = True
            incoming.body.fail(error)
        elif self._exchange is not None or self._queue:
            self._refusal = error
        elif self._phase is IDLE:
            self._answer_refusal(error)
        else:
            self._linger()

    def _answer_refusal(self, error: HTTPError) -> None:
        response = Response(self.wire, UNREADABLE)
        response.fail(error)
        self.server.vitals.settle(response)
        self._linger()

    def _leave_body(self, incoming: Incoming) -> None:
        """The handler did not read the whole body: drop what is left, if that is little."""
        self._intake.let_go()
        self._dropped = 0
        left = incoming.left
        too_much = left is not None and left > self.server.options.limits.linger_size
        if self.wire.last_response or too_much:
            self._linger()
        else:
            self._phase = DRAINING
            self._since = self.server.clock.now
        incoming.discard()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > self.server.options.limits.linger_size:
            self._linger()

    def _close(self) -> None:
        self.wire.flush()
        self._transport.close()

    def _linger(self) -> None:
        """Close, but let a client that is still sending read the answer first (RFC 9112, 9.6)."""
        if self._phase in (LINGERING, CLOSED):
            return
        self._phase = LINGERING
        self._since = self.server.clock.now
        self._intake.drop_all()
        if not self.wire.end_output():
            self._transport.close()
