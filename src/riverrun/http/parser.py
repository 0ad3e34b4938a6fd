"""From bytes to requests. Knows no socket and never waits.

llhttp decides what the bytes mean; it is fed strictly, and its callbacks only record. What it
leaves open is decided here, when a head is complete: the Host field, the version, the sizes.

One message is never fed together with the next. A head, a chunked body and its trailers all end
with an empty line, so the input is split behind every empty line, and a counted body at its end.
The split is only a hint, since llhttp is right wherever it falls; what it buys is that the parser
can stop between two pipelined requests, and that the size of a head is known before it is parsed.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import NoReturn, Protocol

import httptools

from riverrun.errors import HTTPError
from riverrun.http.chunk_framing import ChunkFraming
from riverrun.http.headers import Fields
from riverrun.http.hosts import check_host
from riverrun.http.limits import Limits
from riverrun.http.parser_refusals import refusal_of
from riverrun.http.repeated_heads import KnownHead, know_head
from riverrun.http.request import Request

EMPTY_LINE = b"\r\n\r\n"
NAMES = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
METHODS = {name.encode(): name for name in NAMES}  # as `http.HTTPMethod`, which loads longer
FEW_FIELDS = 16  # with so many there is no need to count


class Reading(Enum):
    """What the next byte belongs to."""

    HEAD = "head"
    COUNTED = "counted body"
    CHUNKED = "chunked body"
    NOTHING = "nothing"  # after an error, or behind the last request of a connection


HEAD, COUNTED, CHUNKED, NOTHING = Reading  # looked up faster than members, and often


class Receiver(Protocol):
    """Who is told what was parsed, in order."""

    def head_received(self, request: Request) -> None:
        """A head is complete; its body, if it has one, follows."""

    def body_received(self, chunk: bytes) -> None:
        """A piece of the body, never empty."""

    def body_ended(self, trailers: Fields) -> None:
        """The body is complete. Not called for a request without a body."""


class RequestParser:
    """Parses the requests of one connection and tells `receiver`.

    `feed` raises `HTTPError` for what must be refused: 400, 413, 414, 431, 501 or 505. Nothing
    may be fed after that.
    """

    __slots__ = (
        "_blank_size",
        "_complete",
        "_fields",
        "_framing",
        "_head_limit",
        "_head_size",
        "_host",
        "_http_1_0",
        "_keep_alive",
        "_known",
        "_limits",
        "_method",
        "_parser",
        "_position",
        "_reading",
        "_receiver",
        "_remaining",
        "_repeated",
        "_rest",
        "_tail",
        "_target",
        "paused",
    )

    def __init__(self, receiver: Receiver, limits: Limits) -> None:
        self._receiver = receiver
        self._limits = limits
        self._head_limit = limits.head_size
        self._host = b" "  # the last one that was checked, and found valid
        self._known: KnownHead | None = None  # the last one, if it may come again
        self._parser: httptools.HttpRequestParser | None = None
        self.paused = False
        self._rest = b""
        self._position = 0
        self._reading = HEAD
        self._head_size = 0
        self._blank_size = 0  # of empty lines before a request (RFC 9112, 2.2)
        self._framing: ChunkFraming | None = None  # of a chunked body
        self._method: bytes | None = None  # known once the head is complete
        self._keep_alive = True
        self._http_1_0 = False
        self._target = b""
        self._fields: Fields = {}
        self._repeated = 0
        self._complete = False
        self._tail = b""  # of an unfinished message: its empty line may come in two parts

    @property
    def within_head(self) -> bool:
        """Whether part of a head has come and the rest has not."""
        return self._head_size > self._blank_size and self._reading is HEAD

    @property
    def at_rest(self) -> bool:
        """Whether what comes next is the beginning of a head, and would be parsed at once."""
        return self._reading is HEAD and not (self._head_size or self.paused)

    @property
    def counted(self) -> int:
        """How many bytes come next that belong to a counted body, and were not fed yet."""
        return self._remaining if self._reading is COUNTED and not self._rest else 0

    def skip(self, size: int) -> None:
        """Take so many bytes of a counted body for received, although they are not fed."""
        if size and self._reading is COUNTED:
            self._remaining -= size
            self._end_counted()

    def pause(self) -> None:
        """Stop before the next message or piece of a body; what was fed already is kept."""
        self.paused = True

    def resume(self) -> None:
        """Go on with what was kept. Raises what `feed` raises."""
        self.paused = False
        if self._rest:
            rest, self._rest = self._rest, b""
            self.feed(rest, self._position)

    def rest(self) -> None:
        """Free what is only needed to parse, between two messages; `feed` makes it anew."""
        if self._reading is HEAD and self._head_size == 0:
            self._parser = None
            self._known = None

    def stop(self) -> None:
        """Take no notice of anything that follows."""
        self._reading = NOTHING
        self._rest = b""

    def feed(self, data: bytes, position: int = 0) -> None:
        """Parse `data` from `position`, telling the receiver; once paused, keep what is left."""
        size = len(data)
        while position < size:
            if self.paused:
                self._keep(data, position)
                return
            reading = self._reading
            if reading is COUNTED:
                end = min(size, position + self._remaining)
            else:
                found = data.find(EMPTY_LINE, position)
                end = size if found < 0 else found + len(EMPTY_LINE)
                if self._tail:
                    end = self._straddling(data, position) or end
            piece = data if position == 0 and end == size else data[position:end]
            position = end
            if reading is HEAD:
                self._read_head(piece)
            elif reading is COUNTED:
                self._take_counted(piece)
            elif reading is CHUNKED:
                self._parse_chunked(piece)
            else:
                return

    def _keep(self, data: bytes, position: int) -> None:
        """Hold back what may not be parsed yet, in order."""
        if self._rest:
            data, position = self._rest[self._position :] + data[position:], 0
        self._rest = data
        self._position = position

    def _straddling(self, data: bytes, position: int) -> int | None:
        """Where an empty line ends that began in what came before, if there is one."""
        found = (self._tail + data[position : position + 3]).find(EMPTY_LINE)
        return None if found < 0 else position + found + len(EMPTY_LINE) - len(self._tail)

    def _read_head(self, piece: bytes) -> None:
        known = None if self._head_size else self._known
        request = None if known is None else known.request(piece, self._limits)
        if request is None:
            self._parse_head(piece)
        else:
            self._receiver.head_received(request)

    def _parse_head(self, piece: bytes) -> None:
        self._head_size += len(piece)
        if self._head_size > self._head_limit:
            self._refuse_large_head(piece)
        parser = self._parser
        if parser is None:
            self._parser = parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._decline_upgrade()
        except httptools.HttpParserError as error:
            raise refusal_of(error, piece, whole=self._head_size == len(piece)) from None
        method = self._method
        if method is None:
            if self._blank_size + len(piece) == self._head_size and not piece.strip(b"\r\n"):
                self._blank_size = self._head_size
            self._tail = (self._tail + piece[-3:])[-3:]
            return
        fields = self._fields
        if fields.get(b"host") != self._host or self._repeated or len(fields) > FEW_FIELDS:
            self._check_fields(fields)
        length: int | None = 0
        self._known = None
        if not self._complete:
            length = self._start_body(fields)
        elif self._head_size == len(piece) and self._keep_alive:
            self._known = know_head(piece, fields)
        request = Request(
            METHODS.get(method) or method.decode(),
            self._target,
            fields,
            length,
            self._keep_alive,
            self._http_1_0,
            self._limits,
        )
        self._complete = False
        self._method = None
        self._fields = {}
        self._target = self._tail = b""
        self._head_size = self._blank_size = self._repeated = 0
        self._receiver.head_received(request)

    def _check_fields(self, fields: Fields) -> None:
        if len(fields) + self._repeated > self._limits.field_count:
            raise HTTPError(431, "Too many header fields.")
        host = fields.get(b"host")
        if host is None:
            if not self._http_1_0:
                raise HTTPError(400, "The Host field is missing.")
        elif not check_host(host):
            raise HTTPError(400, "The Host field is not valid.")
        else:
            self._host = host

    def _start_body(self, fields: Fields) -> int | None:
        """Expect a body; return its length in bytes, or None if it is chunked."""
        if b"transfer-encoding" in fields:
            self._check_transfer_encoding()
            self._reading = CHUNKED
            self._framing = ChunkFraming(self._limits)
            return None
        length = int(fields[b"content-length"])
        if self._limits.body_size is not None and length > self._limits.body_size:
            raise HTTPError(413)
        self._parser = None  # it waits for a body, and will see none
        self._reading = COUNTED
        self._remaining = length
        return length

    def _take_counted(self, piece: bytes) -> None:
        """Hand on a piece of a counted body, which llhttp would only copy; it never sees it."""
        self._remaining -= len(piece)
        self._receiver.body_received(piece)
        self._end_counted()

    def _end_counted(self) -> None:
        if not self._remaining and self._reading is COUNTED:
            self._reading = HEAD
            self._receiver.body_ended({})

    def _parse_chunked(self, piece: bytes) -> None:
        parser, framing = self._parser, self._framing
        assert parser is not None
        assert framing is not None
        try:
            parser.feed_data(piece)
        except httptools.HttpParserError as error:
            raise refusal_of(error, piece, whole=False) from None
        if len(self._fields) + self._repeated > self._limits.field_count:
            raise HTTPError(431, "Too many trailer fields.")
        framing.check(len(piece), complete=self._complete)
        self._tail = (self._tail + piece[-3:])[-3:]
        if chunk := framing.take():
            self._receiver.body_received(chunk)
        if self._complete and self._reading is not NOTHING:
            self._complete = False
            self._reading = HEAD
            self._framing = None
            self._tail = b""
            self._repeated = 0
            trailers, self._fields = self._fields, {}
            self._receiver.body_ended(trailers)

    def _refuse_large_head(self, piece: bytes) -> NoReturn:
        """Tell 414 from 431 by parsing what is within the limit."""
        excess = self._head_size - self._limits.head_size
        parser = self._parser or httptools.HttpRequestParser(self)
        with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
            parser.feed_data(piece[:-excess])
        only_target = not self._fields and len(self._target) > self._limits.head_size // 2
        raise HTTPError(414 if only_target else 431)

    def _check_transfer_encoding(self) -> None:
        if self._http_1_0:
            # RFC 9112, 6.1: the message may be framed wrongly; it is not to be trusted.
            raise HTTPError(400, "HTTP/1.0 has no Transfer-Encoding.")
        if self._fields[b"transfer-encoding"].strip().lower() != b"chunked":
            raise HTTPError(501, "The only transfer coding here is chunked.")

    def _decline_upgrade(self) -> None:
        """Go on in HTTP/1.1, as RFC 9110, 7.8 allows.

        llhttp takes a request to upgrade for the last one of a connection and skips its body. A
        fresh parser that is told only how the body is framed reads on as if nothing was asked.
        """
        target, fields = self._target, self._fields
        framing = b"".join(
            name + b": " + fields[name] + b"\r\n"
            for name in (b"content-length", b"transfer-encoding")
            if name in fields
        )
        method, keep_alive, http_1_0 = self._method, self._keep_alive, self._http_1_0
        self._fields = {}
        self._complete = False
        self._parser = parser = httptools.HttpRequestParser(self)
        parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")
        self._target, self._fields = target, fields
        self._method, self._keep_alive, self._http_1_0 = method, keep_alive, http_1_0

    # What llhttp calls. Exceptions reach `_feed` wrapped, so only `HTTPError` is raised here.

    def on_url(self, url: bytes) -> None:
        self._target = self._target + url if self._target else url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        value = value.rstrip(b" \t")  # llhttp leaves the blanks behind a value (RFC 9110, 5.5)
        fields = self._fields
        if name in fields:
            if name == b"host":
                raise HTTPError(400, "The Host field is repeated.")
            self._repeated += 1
            fields[name] += (b"; " if name == b"cookie" else b", ") + value
        else:
            fields[name] = value
        if self._framing is not None:
            self._framing.trailer_received(name, value)

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        self._method = parser.get_method()
        self._keep_alive = parser.should_keep_alive()
        # Without a Connection field, only HTTP/1.1 keeps alive; asking for the version is slower.
        if self._keep_alive and b"connection" not in self._fields:
            self._http_1_0 = False
        else:
            version = parser.get_http_version()
            if version not in ("1.0", "1.1"):
                raise HTTPError(505)
            self._http_1_0 = version == "1.0"

    def on_body(self, body: bytes) -> None:
        if self._framing is not None:
            self._framing.body_received(body)

    def on_chunk_header(self) -> None:
        if self._framing is not None:
            self._framing.chunk_begins()

    def on_chunk_complete(self) -> None:
        if self._framing is not None:
            self._framing.chunk_ends()

    def on_message_complete(self) -> None:
        self._complete = True
