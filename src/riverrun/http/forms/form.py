"""A form as its handler sees it: an asynchronous iterator of parts.

The parts share one body, so one of them is read at a time: the next one begins where the one
before ends, and asking for it closes that one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from riverrun.errors import BusyError, HTTPError
from riverrun.http.fields import split_parameters
from riverrun.http.forms.decoding import Decoder, End, Event, PartFields, PartHead
from riverrun.http.forms.multipart import MultipartDecoder
from riverrun.http.forms.urlencoded import UrlencodedDecoder
from riverrun.http.headers import Fields
from riverrun.http.limits import Limits
from riverrun.http.whole import decode_text, read_whole
from riverrun.streams.readable import Source

MULTIPART = b"multipart/form-data"
URLENCODED = b"application/x-www-form-urlencoded"
ACCEPT = f"{MULTIPART.decode()}, {URLENCODED.decode()}"


class Body(Protocol):
    """What a form is read from: a request."""

    async def read(self) -> bytes: ...

    def read_nowait(self) -> bytes | None: ...

    async def gather(self, least: int, patience: float) -> None: ...

    def lend(self, size: int) -> None: ...


class Part(Source):
    """One field of a form, or one file; reading it reads its bytes from the request.

    Its chunks are as they came from the client. `filename` is None unless the client sent a file;
    it is the client's claim, which may hold a path and any character: see
    `riverrun.http.filenames`. A file input that was left empty sends an empty name and no bytes.
    `content_type` is what the client says, ``text/plain`` if it says nothing (RFC 7578, 4.4), and
    `headers` are the fields of the part, of which an urlencoded form has none.

    After the next part was asked for, reading this one raises `ClosedError`. It raises
    `DisconnectedError` when the client went away, and `HTTPError` when the form turns out to be
    malformed (400) or beyond a limit (413, 431).
    """

    def __init__(self, head: PartHead, events: _Events, text_limit: int) -> None:
        super().__init__()
        self.name = head.name
        self.filename = head.filename
        self.content_type = head.content_type
        self.headers = PartFields(head.fields)
        self._events = events
        self._text_limit = text_limit

    def __repr__(self) -> str:
        return f"<Part {self.name!r} filename={self.filename!r}>"

    @property
    def waiting(self) -> bool:
        """Whether a task waits in `read`."""
        return self._wakeup.waiting

    async def text(self) -> str:
        """What is left of the part as text in UTF-8, whatever its content type says.

        Raises `HTTPError` 413 when it is longer than `Limits.text_field_size`, and 400 if it is
        not UTF-8. After a cancel, what was read until then is lost.
        """
        return decode_text(await read_whole(self, self._text_limit), "text of a field")

    async def read_chunks(self, least: int, patience: float) -> list[bytes]:
        """Chunks of `least` bytes together, or what comes of them within `patience` seconds.

        At least one; none at the end. Raises as `read`. They count in the budget of all buffers
        until the next ones are asked for, or the exchange is over. After a cancel, what was read
        until then is lost.
        """
        chunks: list[bytes] = []
        size = 0
        self._events.lend(0)
        while size < least and (not chunks or await self._events.gather(least - size, patience)):
            chunk = await self.read()
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
        self._events.lend(size)
        return chunks

    def _try_fetch(self, max_bytes: int | None) -> bytes | None:  # noqa: ARG002 - a hint
        event = self._events.next_nowait()
        return None if event is None else _chunk(event)

    async def _fetch(self, max_bytes: int | None) -> bytes:  # noqa: ARG002 - a hint
        return _chunk(await self._events.next())


class Form(AsyncIterator[Part]):
    """The parts of a form, in the order in which the client sent them.

    Going on to the next part passes over what was not read of the one before. Raises what reading
    a part raises, and `BusyError` when two tasks ask for a part, or another one is reading. After
    a cancel the same part comes next.
    """

    def __init__(self, body: Body, decoder: Decoder, text_limit: int) -> None:
        self._events = _Events(body, decoder)
        self._text_limit = text_limit
        self._part: Part | None = None
        self._asked = False

    async def __anext__(self) -> Part:
        if self._asked or (self._part is not None and self._part.waiting):
            raise BusyError("another task is reading the form")
        self._asked = True
        try:
            if self._part is not None:
                await self._part.aclose()
            while not isinstance(event := await self._events.next(), PartHead):
                if event is End.FORM:
                    raise StopAsyncIteration
            self._part = Part(event, self._events, self._text_limit)
            return self._part
        finally:
            self._asked = False


class _Events:
    """The events of a form, as its body comes; a failure is raised again by every later call."""

    def __init__(self, body: Body, decoder: Decoder) -> None:
        self._body = body
        self.lend = body.lend
        self._decoder = decoder
        self._decoded: Iterator[Event] = iter(())
        self._next: Event | None = None  # decoded already, to know whether there is one
        self._ended = False
        self._failure: HTTPError | None = None

    async def next(self) -> Event:
        """Wait for the next event; `End.FORM` at the end, and ever after. A cancel loses none."""
        while (event := self.next_nowait()) is None:
            self._feed(await self._body.read())
        return event

    def next_nowait(self) -> Event | None:
        """Return what `next` would, or None if it would have to wait."""
        event, self._next = self._next, None
        while event is None:
            event = self._next_decoded()
            if event is None and self._ended:
                return End.FORM
            if event is None:
                chunk = self._body.read_nowait()
                if chunk is None:
                    return None
                self._feed(chunk)
        return event

    async def gather(self, least: int, patience: float) -> bool:
        """Wait for so many bytes of the body, so long; return whether an event has come."""
        if (event := self.next_nowait()) is None:
            await self._body.gather(least, patience)
            event = self.next_nowait()
        self._next = event
        return event is not None

    def _next_decoded(self) -> Event | None:
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._decoded, None)
        except HTTPError as error:
            self._failure = error
            raise

    def _feed(self, chunk: bytes) -> None:
        self._decoded = self._decoder.feed(chunk)
        self._ended = not chunk


def read_form(body: Body, fields: Fields, content_length: int | None, limits: Limits) -> Form:
    """The form that `body` is, as the header `fields` of its request describe it.

    Raises `HTTPError` 415 if it is none, 400 if it has no valid boundary, and 413 if it is
    urlencoded and longer than `Limits.whole_body_size`.
    """
    media_type, parameters = split_parameters(fields.get(b"content-type", b""))
    decoder: Decoder
    if media_type.lower() == MULTIPART:
        decoder = MultipartDecoder(parameters.get(b"boundary", b""), limits)
    elif media_type.lower() == URLENCODED:
        if content_length is not None and content_length > limits.whole_body_size:
            raise HTTPError(413)
        decoder = UrlencodedDecoder(limits)
    else:
        # RFC 9110, 15.5.16 and 12.5.1
        raise HTTPError(415, "This is not a form.", headers={"accept": ACCEPT})
    return Form(body, decoder, limits.text_field_size)


def _chunk(event: Event) -> bytes:
    """The bytes of an event within a part; none at the part's end."""
    return event if isinstance(event, bytes) else b""
