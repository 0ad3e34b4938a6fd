"""The decoder of ``multipart/form-data``, on the push parser of the library `multipart`.

The library finds the delimiters. What it leaves open is decided here, and so that the same body
means the same however it is cut into chunks: what may come before the first delimiter (line ends
only), what may follow the last one (anything, ignored: RFC 2046, 5.1.1), and what a header line is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import multipart  # type: ignore[import-untyped]

from riverrun.errors import HTTPError
from riverrun.http.fields import is_token
from riverrun.http.forms.decoding import End, Event, PartHead
from riverrun.http.forms.disposition import parse_disposition
from riverrun.http.headers import Fields
from riverrun.http.limits import Limits

# RFC 2046, 5.1.1: 1 to 70 characters, the last of them no space
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
NOT_IN_A_LINE = re.compile(rb"[\r\n\0]")
DEFAULT_TYPE = "text/plain"  # RFC 7578, 4.4


class MultipartDecoder:
    """Decodes one form; `boundary` is as the Content-Type says."""

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        """Raises `HTTPError` 400 if `boundary` is none (RFC 2046, 5.1.1)."""
        if BOUNDARY.fullmatch(boundary) is None:
            raise HTTPError(400, "The boundary of the form is missing or not valid.")
        self._parser = _Parser(boundary, limits)
        self._opening: bytes | None = b"--" + boundary  # None once it has come
        self._start = b""  # what came of it
        self._parts_left = limits.part_count

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Decode `chunk`; see `Decoder.feed`."""
        if self._opening is not None and chunk:
            chunk = self._opened(self._opening, chunk)
            if not chunk:
                return
        if self._parser.complete:
            return
        try:
            for event in self._parser.parse(chunk):
                if event is None:
                    yield End.PART
                elif isinstance(event, bytes):
                    yield event
                else:
                    yield self._head(event.headerlist)
        except multipart.ParserLimitReached:  # the others are without limits
            raise HTTPError(431, "The header of a part is too large.") from None
        except multipart.MultipartError as error:
            raise HTTPError(400, f"The form is malformed: {error.args[0]}.") from None

    def _opened(self, opening: bytes, chunk: bytes) -> bytes:
        """What there is to parse, which begins with the first delimiter; nothing before that."""
        self._start = (self._start + chunk).lstrip(b"\r\n")
        if not opening.startswith(self._start[: len(opening)]):
            raise HTTPError(400, "The form does not begin with its boundary.")
        if len(self._start) < len(opening):
            return b""
        chunk, self._start, self._opening = self._start, b"", None
        return chunk

    def _head(self, lines: list[tuple[str, str]]) -> PartHead:
        if not self._parts_left:
            raise HTTPError(413, "The form has too many parts.")
        self._parts_left -= 1
        fields: Fields = {}
        for name, value in lines:
            key = name.lower().encode()
            if key in fields:
                raise HTTPError(400, f"A part of the form repeats its {name}.")
            fields[key] = value.strip(" \t").encode()
        try:
            name, filename = parse_disposition(fields.get(b"content-disposition", b"").decode())
        except ValueError as error:
            raise HTTPError(400, f"The form is malformed: {error}.") from None
        content_type = fields.get(b"content-type", b"").decode() or DEFAULT_TYPE
        return PartHead(name, filename, content_type, fields)


class _Parser(multipart.PushMultipartParser):  # type: ignore[misc]
    """The library's parser, except that heads are left as they are, and no line is two."""

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        super().__init__(
            boundary,
            # The parser counts the CR of a line whose LF has not come yet.
            max_header_size=limits.part_field_size + 1,
            max_header_count=limits.part_field_count,
            strict=True,
        )

    @property
    def complete(self) -> bool:
        """Whether the last delimiter has come; `closed` tells only that something was wrong."""
        return self._state is multipart._COMPLETE  # noqa: SLF001 - it tells nobody otherwise

    def _on_segment_headerline(self, line: bytes) -> None:
        # Whether the parser takes a bare LF for the end of a line depends on the chunks.
        if NOT_IN_A_LINE.search(line):
            raise multipart.ParserError("a header line holds what none may")
        if len(line) >= self.max_header_size:
            raise multipart.ParserLimitReached("a header line is too long")
        name = line.partition(b":")[0].decode("latin-1")
        if not is_token(name):
            raise multipart.ParserError("the name of a header field is not valid")
        super()._on_segment_headerline(line)

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> multipart.MultipartSegment:
        segment = multipart.MultipartSegment([])  # which interprets nothing
        segment.headerlist = headerlist
        return segment
