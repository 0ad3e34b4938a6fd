"""A response: a Writable whose head is sent with its first bytes.

The framing is chosen when the head is sent, and never changes: counted when the length is known,
chunked when it is not, until the connection closes for HTTP/1.0, nothing where no body may follow.
A response that cannot be finished as it was framed is cut, so that its reader knows.

Everything goes through a `Wire`, which knows the connection; this module knows the protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from riverrun.errors import BusyError, ClosedError, DisconnectedError, HTTPError, LengthError
from riverrun.flows import Direction, Flow, FlowState
from riverrun.http.events import HEARTBEAT, Events
from riverrun.http.framing import CHUNKED, COUNTED, NONE, size_of
from riverrun.http.headers import Headers
from riverrun.http.heads import LINE_END, declared_length, render_head, render_informational
from riverrun.http.passage import Passage
from riverrun.http.problems import answer_of
from riverrun.http.request import Request
from riverrun.http.response_state import ABORTED, BODY, BROKEN, ENDED, HEAD, UNFINISHED
from riverrun.http.wire import Wire, send_paced, wait_for_room
from riverrun.streams.contracts import Chunk, FileRegion, Writable


class Response(Writable):
    """The answer to one request.

    Set `status` and `headers` before the first `write`; with it they are sent. Without a
    ``content-length`` among them, a body that is given whole to `end` is counted, and any other
    is chunked. Give a ``content-length`` and it is kept to: `LengthError` is raised for a byte too
    many, and at the end for one too few, and the response is cut.

    `opened_flow` is its flow if it has needed one so far: a small answer does not.
    """

    __slots__ = (
        "_at_end",
        "_declared",
        "_framing",
        "_headers",
        "_prepared",
        "_request",
        "_reusable",
        "_wire",
        "_written",
        "body_sent",
        "opened_flow",
        "state",
        "status",
        "writing",
    )

    _at_end: Callable[[], None] | None

    def __init__(self, wire: Wire, request: Request) -> None:
        self._wire = wire
        self._request = request
        self._headers: Headers | None = None
        self._prepared = b""
        self._declared: int | None = None
        self.opened_flow: Flow | None = None
        self.writing = False
        self._written: asyncio.Future[None] | None = None  # for who ends while another writes
        self.status = 200
        self.state = HEAD
        self.body_sent = 0

    @property
    def headers(self) -> Headers:
        """The fields to send; changing them after the head was sent does nothing."""
        if self._headers is None:
            self._headers = Headers()
        return self._headers

    @property
    def started(self) -> bool:
        """Whether the head has been sent: nothing in it can be changed any more."""
        return self.state is not HEAD

    @property
    def open(self) -> bool:
        """Whether more can be written."""
        return self.state in UNFINISHED

    @property
    def flow(self) -> Flow:
        """This transfer, to see and to steer; a handler may name it and limit it."""
        if self.opened_flow is not None:
            return self.opened_flow
        return self._open_flow() if self.state in UNFINISHED else Flow(expected=self._declared)

    @property
    def paused(self) -> bool:
        """Whether an operator has paused it."""
        return self.opened_flow is not None and self.opened_flow.state is FlowState.PAUSED

    @property
    def closing(self) -> bool:
        """Whether its connection will close, as when the server stops: end what has no end."""
        return self._wire.last_response

    @property
    def moved(self) -> int:
        """How many bytes of the body have been handed on so far."""
        return self.body_sent if self.opened_flow is None else self.opened_flow.moved

    def settle(self) -> None:
        """The exchange is over: its flow, if there is one, has come to its end."""
        if self.opened_flow is not None:
            self.opened_flow.close()
            if self._at_end is not None:
                self._at_end()
                self._at_end = None

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the exchange is over; only one is kept."""
        if self.flow.ended_at is None:
            self._at_end = callback

    def events(self, *, heartbeat: float | None = HEARTBEAT, retry: float | None = None) -> Events:
        """Make this an event stream and send its head; set other headers before.

        There are never `heartbeat` seconds in which nothing is sent, unless it is None; the client
        is told to come again `retry` seconds after it was cut off, or decides that by itself.
        """
        return Events(self, self._request, heartbeat, retry)

    def prepare(self, field_lines: bytes, length: int) -> None:
        """Send these rendered field lines, which hold a Content-Length of `length`, in the head.

        For handlers that answer with the same fields many times over.
        """
        self._prepared = field_lines
        self._declared = length

    def take_up(self, status: int, length: int, sent: int) -> None:
        """Go on with what was begun: a head, and `sent` bytes of a body of `length`, have gone."""
        self.status = status
        self._declared = length
        self._framing = COUNTED
        self._reusable = True
        self.body_sent = sent
        self.state = BODY
        self._wire.flows.take_back(self.flow, length - sent)

    async def inform(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """Send an informational response (RFC 9110, 15.2), such as 103 with ``link``.

        Does nothing for HTTP/1.0, or once the head has been sent.
        """
        if not 101 < status < 200:
            raise ValueError(f"{status} is not an informational status to send")
        if self.started or self._request.http_1_0:
            return
        self._wire.send((render_informational(status, headers),))

    async def write(self, chunk: Chunk) -> None:
        """Send `chunk`, and the head before it if it is the first; see `Writable.write`.

        Raises `LengthError` when it goes beyond the declared length; nothing of it is sent.
        """
        size = size_of(chunk)
        self._check_writable(size)
        self.writing = True
        try:
            flow = self.flow
            if flow.free or not size:
                self._send_body(chunk)
            else:
                await send_paced(chunk, flow, self._send_body, self._wire)
            if not self._wire.has_room:
                await wait_for_room(self._wire, flow)
        except DisconnectedError:
            if self.state is ABORTED:
                raise ClosedError("the response is aborted") from None
            raise
        finally:
            self._stop_writing()

    def try_write(self, chunk: Chunk) -> bool:
        """Send `chunk` if it need not wait; see `Writable.try_write`."""
        size = size_of(chunk)
        self._check_writable(size)
        if size and not (self._wire.has_room and (self.flow.free or self.flow.try_turn(size))):
            return False
        self._send_body(chunk)
        return True

    async def passage(self) -> Passage:
        """Send the head, and open the way for chunks that others are sent too."""
        await self.write(b"")
        framing = self._framing if self._declared is None else COUNTED
        return Passage(self, self._wire, self.flow, framing)

    async def write_region(self, region: FileRegion) -> None:
        """Send a region of a file without reading it; see `RegionSink.write_region`."""
        self._check_writable(region.length)
        if self.state is HEAD:
            self._wire.send((self._begin(None),))
        if self._framing is NONE or not region.length:
            return
        flow, wire = self.flow, self._wire
        self.writing = True
        try:
            if self._framing is CHUNKED:
                wire.send((b"%x\r\n" % region.length,))
            rest = region.length
            while rest:
                granted = rest
                if not flow.free:
                    granted = await flow.turn(rest)
                    if region.check is not None:
                        region.check()
                offset = region.offset + region.length - rest
                part = region if granted == region.length else region.part(offset, granted)
                sent = await wire.send_region(part, flow)
                rest -= sent
                self.body_sent += sent
            if self._framing is CHUNKED:
                wire.send((LINE_END,))
        finally:
            self._stop_writing()

    def try_end_region(self, descriptor: int, offset: int, length: int) -> bool:
        """Send the head and a region that is the whole body, and finish, if that need not wait.

        Returns whether it did. If not, `body_sent` bytes of the region have gone, maybe none; the
        rest is for `write_region`.
        """
        wire = self._wire
        if self.opened_flow is not None or not wire.has_room:
            return False
        if wire.flows.limited and not wire.flows.admits(self._request.client, length):
            return False
        self._check_writable(length)
        head = self._begin(length)
        if self._framing is COUNTED:
            self.body_sent = wire.try_send_region(head, descriptor, offset, length)
            if self.body_sent < length:
                wire.flows.take_back(self.flow, length - self.body_sent)
                return False
        else:
            wire.send((head,))
        self._finish(None)
        return True

    async def end(self, chunk: Chunk = b"", *, trailers: Mapping[str, str] | None = None) -> None:
        """Send `chunk` as the last, then finish; see `Writable.end`.

        `trailers` are sent when the response is chunked, and dropped when it is not.

        Raises `LengthError` when fewer bytes were written than declared; the response is cut.
        """
        while self.writing:
            self._written = asyncio.get_running_loop().create_future()
            await self._written
        if trailers or not self.try_end(chunk):
            size = size_of(chunk)
            self._check_writable(size)
            if self.state is HEAD:
                self._wire.send((self._begin(None if trailers else size),))
            if size:
                await self.write(chunk)
            self._finish(trailers)
        if not self._wire.has_room:
            await wait_for_room(self._wire, self.opened_flow or self._open_flow())
        self.settle()

    def _stop_writing(self) -> None:
        self.writing = False
        if self._written is not None and not self._written.done():
            self._written.set_result(None)

    def try_end(self, chunk: Chunk = b"") -> bool:
        """Send `chunk` as the last and finish, if that need not wait; return whether it did.

        Raises what `end` raises.
        """
        if self.state is ENDED and not chunk:
            return True
        wire = self._wire
        size = len(chunk) if type(chunk) is bytes else size_of(chunk)
        self._check_writable(size)
        if not wire.has_room:
            return False
        if self.opened_flow is not None:
            if size and not self.opened_flow.free:
                return False
        elif wire.flows.limited and not wire.flows.admits(self._request.client, size):
            return False
        self._end_at_once(chunk, size)
        return True

    def abort(self, error: BaseException | None = None) -> None:  # noqa: ARG002 - the contract's
        """Cut the connection; the client can tell it from an end."""
        if self.state in UNFINISHED:
            self.state = ABORTED
            self._wire.cut()

    def fail(self, error: HTTPError, *, accept: bytes | None = None) -> None:
        """Answer `error` instead of what was prepared; only before the head was sent."""
        self._headers, body = answer_of(error, self._headers, accept=accept)
        self.status = error.status
        self._prepared = b""
        self._declared = None
        self._end_at_once(body, len(body))

    def lose(self) -> None:
        """The client went away: whoever still writes is told with `DisconnectedError`."""
        if self.state in UNFINISHED:
            self.state = BROKEN

    def _check_writable(self, size: int) -> None:
        if self.state not in UNFINISHED:
            if self.state is BROKEN:
                raise DisconnectedError("the client went away")
            raise ClosedError(f"the response is {self.state.value}")
        if self.writing:
            raise BusyError("another task is writing")
        if self._declared is None and self._headers is not None and not self.started:
            self._declared = declared_length(self._headers)
        if self._declared is not None and self.body_sent + size > self._declared:
            raise LengthError(self._declared, self.body_sent + size)

    def _end_at_once(self, chunk: Chunk, size: int) -> None:
        if self.state is HEAD:
            head = self._begin(size)
            self.body_sent = size
            if self.opened_flow is not None:
                self.opened_flow.moved += size
            whole = size and self._framing is COUNTED
            self._wire.send_last((head, chunk) if whole else (head,))
            if self._declared == size and self._reusable:
                self.state = ENDED  # what `_finish` would come to
                return
        elif size:
            self._send_body(chunk)
        self._finish(None)

    def _begin(self, length: int | None) -> bytes:
        """Settle the head, and how a body of `length`, if that is known, goes behind it."""
        request, wire = self._request, self._wire
        head, self._framing, self._declared, self._reusable = render_head(
            request,
            self.status,
            self._headers,
            self._prepared,
            wire.clock.server_fields,
            self._declared,
            length,
            request.keep_alive and not wire.last_response,
        )
        self.state = BODY
        if self.opened_flow is not None and self.opened_flow.expected is None:
            self.opened_flow.expected = self._declared
        return head

    def _open_flow(self) -> Flow:
        wire = self._wire
        self._at_end = None
        self.opened_flow = flow = wire.flows.open(
            Direction.OUT, subject=self._request, expected=self._declared, carrier=wire
        )
        flow.moved = self.body_sent
        return flow

    def _send_body(self, chunk: Chunk) -> None:
        pieces: list[Chunk] = []
        if self.state is HEAD:
            pieces.append(self._begin(None))
        size = size_of(chunk)
        self.body_sent += size
        if self.opened_flow is not None:
            self.opened_flow.moved += size
        if size and self._framing is CHUNKED:
            pieces += (b"%x\r\n" % size, chunk, LINE_END)
        elif size and self._framing is not NONE:
            pieces.append(chunk)
        if pieces:
            self._wire.send(pieces)

    def _finish(self, trailers: Mapping[str, str] | None) -> None:
        short = self._declared is not None and self.body_sent != self._declared
        if short and self._framing is not NONE:
            self.abort()
            raise LengthError(self._declared or 0, self.body_sent)
        if self._framing is CHUNKED:
            last = Headers(trailers).render() if trailers else b""
            self._wire.send((b"0\r\n", last, LINE_END))
        self.state = ENDED
        if not self._reusable:
            self._wire.close_after_response()
