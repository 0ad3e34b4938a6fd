"""A request: a Readable of its body, with its head as fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from riverrun.errors import ClosedError, HTTPError
from riverrun.flows import Carrier, Direction, Flow, Flows, FlowState, Waiting
from riverrun.http.headers import Fields, FieldView
from riverrun.http.limits import Limits
from riverrun.http.targets import Target, parse_target
from riverrun.http.whole import decode_text, read_whole
from riverrun.streams.buffer import ByteBuffer
from riverrun.streams.contracts import Readable

if TYPE_CHECKING:
    from riverrun.http.forms import Form
    from riverrun.io.splice import Splice

T = TypeVar("T")
DEFAULT_LIMITS = Limits()

SMALL_BODY = 16 * 1024
"""Up to here a body is waited for once before it counts as a transfer."""


class BodyCarrier(Carrier, Protocol):
    """What carries the body of a request."""

    async def move(
        self, first: Sequence[bytes], splice: Splice, most: int, wanted: Callable[[], bool]
    ) -> bool:
        """Have a thread write `first` and move what comes next, while it is `wanted`.

        That is up to `most` bytes. Returns False, and nothing is done, if that cannot be. A cancel
        waits for the thread.
        """


class Request(Readable):
    """One request; reading it reads its body.

    Reading stops at the high-water mark of the body's buffer, which stops the client. A body that
    is not read is not fetched: a client that waits for ``100 Continue`` gets it with the first
    read, and one that does not may see its connection closed behind the response.

    `opened_flow` is the flow of its body if it has needed one so far: a small body does not.
    """

    __slots__ = (
        "_body",
        "_carrier",
        "_closed",
        "_flows",
        "_limits",
        "client",
        "content_length",
        "fields",
        "http_1_0",
        "keep_alive",
        "method",
        "on_first_read",
        "opened_flow",
        "target",
        "trailers",
    )

    def __init__(
        self,
        method: str,
        target: bytes,
        fields: Fields,
        content_length: int | None = 0,
        keep_alive: bool = True,
        http_1_0: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """`content_length` is in bytes: 0 without a body, None when the body is chunked."""
        self.method = method
        self.target = target
        self.fields = fields
        self.content_length = content_length
        self.keep_alive = keep_alive
        self.http_1_0 = http_1_0
        self.client = ""
        self.trailers: FieldView | None = None
        self.on_first_read: Callable[[], None] | None = None
        self._limits = limits
        self._body: ByteBuffer | None = None
        self.opened_flow: Flow | None = None
        self._closed = False

    def attach(
        self, body: ByteBuffer, flows: Flows | None = None, carrier: BodyCarrier | None = None
    ) -> None:
        """Read the body from `body`; one that does not come at once is a flow among `flows`."""
        self._body = body
        self._flows = flows
        self._carrier = carrier

    @property
    def flow(self) -> Flow:
        """The transfer of the body, to see and to steer; a handler may name it and limit it."""
        if self.opened_flow is not None:
            return self.opened_flow
        return Flow(expected=self.content_length) if self._body is None else self._open_flow()

    @property
    def waits(self) -> bool:
        """Whether it is not for its client to send: nobody wants it yet, or it was paused."""
        paused = self.opened_flow is not None and self.opened_flow.state is FlowState.PAUSED
        return self.on_first_read is not None or paused

    @property
    def headers(self) -> FieldView:
        """The header fields as text."""
        return FieldView(self.fields)

    @property
    def url(self) -> Target:
        """The target, parsed (RFC 9112, 3.2): path, segments, query.

        Raises `HTTPError` 400 if it is not valid.
        """
        return parse_target(self.method, self.target)

    @property
    def path(self) -> str:
        """The path, percent-decoded, as text."""
        return self.url.path

    async def read(self, max_bytes: int | None = None) -> bytes:
        """The next chunk of the body, as it came; see `Readable.read`.

        Raises `DisconnectedError` when the client went away before the body's end.
        """
        chunk = self.read_nowait(max_bytes)
        return await self._read_later(max_bytes) if chunk is None else chunk

    def read_nowait(self, max_bytes: int | None = None) -> bytes | None:
        """Return what `read` would, or None if it would have to wait. Raises as `read`."""
        if self._closed:
            raise ClosedError("the request's body was closed")
        if self._body is None:
            if max_bytes is not None and max_bytes < 1:
                raise ValueError(f"max_bytes must be at least 1, not {max_bytes}")
            return b""
        self._ask()
        if self.opened_flow is not None and not self.opened_flow.free:
            return None
        chunk = self._body.read_nowait(max_bytes)
        if chunk:
            self._note(len(chunk))
        return chunk

    async def read_chunks(self, least: int = 1, patience: float = 0.0) -> list[bytes]:
        """All chunks that wait to be read, at least one; none at the end. Raises as `read`.

        When they are not `least` bytes, more are waited for, `patience` seconds at most. They
        count in the budget of all buffers until the next ones are asked for, or the exchange is
        over.
        """
        body = self._body
        if body is not None:
            body.settle()
            if body.size < least and patience:
                await self._wait_for_a_byte(body)
                await self.gather(least, patience)
        chunk = self.read_nowait()
        if chunk is None:
            chunk = await self._read_later(None)
        if not chunk or body is None:
            return []
        chunks, rest = [chunk], 0
        if body.size and (self.opened_flow is None or self.opened_flow.free):
            rest = body.size
            chunks += body.take_all()
            self._note(rest)
        body.lend(len(chunk) + rest)
        return chunks

    async def gather(self, least: int, patience: float) -> None:
        """Wait until `least` bytes wait to be read, or none follow; `patience` seconds at most.

        Nothing is waited for while the body is steered, or has not needed a flow so far.
        """
        body, flow = self._body, self.opened_flow
        if body is not None and flow is not None and flow.free:
            flow.waiting = Waiting.PEER
            try:
                await body.gather(least, patience)
            finally:
                flow.waiting = None

    def lend(self, size: int) -> None:
        """Have `size` bytes that were read count in the budget of all buffers, and no others."""
        if self._body is not None:
            self._body.settle()
            self._body.lend(size)

    def take_rest(self) -> list[bytes]:
        """What has come and will be read by nobody else, as when the handler was cancelled."""
        return [] if self._body is None else self._body.take_all()

    async def move(self, first: Sequence[bytes], splice: Splice, most: int) -> bool:
        """Write `first` and up to `most` bytes that come next, which need not pass through here.

        `first` is all that was read last. Returns False, and nothing is done, when the body must be
        read: it is steered, chunked or encrypted, or some of it waits to be read. Raises what the
        file of `splice` raises; a cancel comes when what was begun is over.
        """
        flow, body = self.opened_flow, self._body
        if flow is None or not flow.free or body is None or self._carrier is None or self._closed:
            return False
        taken = splice.taken
        try:
            return await self._carrier.move(
                first, splice, most, lambda: flow.free and not self._closed
            )
        finally:
            flow.moved += splice.taken - taken
            if body.ended and not body.size:
                flow.close()

    def pause(self) -> None:
        """Stop the client: its socket is not read until `resume`."""
        if self._body is not None:
            self._body.hold()

    def resume(self) -> None:
        """Let the client send again."""
        if self._body is not None:
            self._body.release()

    async def aclose(self) -> None:
        """Refuse the rest of the body."""
        if not self._closed:
            self._closed = True
            if self._body is not None:
                self._body.clear()
                self._body.fail(ClosedError("the request's body was closed"))
            if self.opened_flow is not None:
                self.opened_flow.resume()  # who waits for its turn, in a pause too, is told
        self._close_flow()

    def discard(self) -> None:
        """Free what was received and not read: nobody will read it any more."""
        if self._body is not None:
            self._body.clear()
        self._close_flow()

    def _ask(self) -> None:
        """Let the client send if it waits to be asked."""
        if self.on_first_read is not None:
            on_first_read, self.on_first_read = self.on_first_read, None
            on_first_read()

    async def _wait_for_a_byte(self, body: ByteBuffer) -> None:
        """Wait until there is something to be read, unless that may not be read now."""
        flow = self.opened_flow
        if flow is None or not flow.free:
            return
        self._ask()
        flow.waiting = Waiting.PEER
        try:
            while not body.readable:
                await body.wait()
        finally:
            flow.waiting = None

    async def _read_later(self, max_bytes: int | None) -> bytes:
        """Read what is not here yet, or may not be read yet."""
        body, flow = self._body, self.opened_flow
        assert body is not None
        if flow is None:
            if self.content_length is not None and self.content_length <= SMALL_BODY:
                first = await body.read(max_bytes)
                if first:
                    self._note(len(first))
                return first
            flow = self._open_flow()
        while True:
            if not body.readable:
                flow.waiting = Waiting.PEER
                try:
                    await body.wait()
                finally:
                    flow.waiting = None
            size = body.size if max_bytes is None else min(body.size, max_bytes)
            granted = size if flow.free or not size else await flow.turn(size)
            if self._closed:  # what has come since then lies behind a gap
                raise ClosedError("the request's body was closed")
            chunk = body.read_nowait(granted or None)
            if chunk:
                flow.give_back(granted - len(chunk))
                self._note(len(chunk))
            if chunk is not None:  # it may have been cleared meanwhile
                return chunk

    def _note(self, size: int) -> None:
        """`size` bytes have been read; if more is to come, the body is a flow from now on."""
        flow, body = self.opened_flow, self._body
        assert body is not None
        over = body.ended and not body.size
        if flow is None:
            if over:
                return
            flow = self._open_flow()
        flow.moved += size
        if over:
            flow.close()

    def _open_flow(self) -> Flow:
        if self._flows is None:
            self.opened_flow = Flow(expected=self.content_length)
        else:
            self.opened_flow = self._flows.open(
                Direction.IN, subject=self, expected=self.content_length, carrier=self._carrier
            )
        return self.opened_flow

    def _close_flow(self) -> None:
        if self.opened_flow is not None:
            self.opened_flow.close()

    async def body(self) -> bytes:
        """The whole body, in memory.

        Raises `HTTPError` 413 when it is longer than `Limits.whole_body_size`.
        """
        limit = self._limits.whole_body_size
        if self.content_length is not None and self.content_length > limit:
            raise HTTPError(413)
        return await read_whole(self, limit)

    async def text(self) -> str:
        """The whole body as text in UTF-8; raises `HTTPError` 400 if it is not, 413 as `body`."""
        return decode_text(await self.body(), "body")

    def form(self) -> Form:
        """The parts of the form that the body is, multipart or urlencoded, as they come.

        For example::

            async for part in request.form():
                if part.filename is None:
                    fields[part.name] = await part.text()
                else:
                    await pipeline(part, FileSink(folder / safe_name(part.filename)))

        Every `Part` is a Readable and is read before the next one; see `riverrun.http.forms`.

        Raises `HTTPError` 415 if the body is no form, 400 if it has no valid boundary, and 413 as
        `body` if it is urlencoded. What else is wrong with it is raised where the parts are read.
        """
        from riverrun.http.forms import read_form  # noqa: PLC0415 - few requests are forms

        return read_form(self, self.fields, self.content_length, self._limits)

    @overload
    async def json(self) -> Any: ...
    @overload
    async def json(self, kind: type[T]) -> T: ...
    async def json(self, kind: Any = Any) -> Any:
        """The whole body as JSON, checked against `kind` (a type that msgspec knows).

        Raises `HTTPError` 400 if it is not JSON, 422 if it is not a `kind`, 413 as `body`.
        """
        import msgspec  # noqa: PLC0415 - few requests are JSON

        body = await self.body()
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            raise HTTPError(422, str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HTTPError(400, f"The body is not JSON: {error}.") from None
        except RecursionError:
            raise HTTPError(400, "The JSON is nested too deeply.") from None
