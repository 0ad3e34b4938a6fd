"""The request target: what is asked for (RFC 9112, 3.2; RFC 3986).

A `Target` has the path in three forms: as it was sent, for whoever passes it on; as decoded text,
to compare and to show; and as a tuple of decoded segments, the one form to look something up with,
since each segment stands for one name and no sequence of them climbs. They are refused with 400
when one of them

- is ``.`` or ``..``, however encoded: clients resolve those before they ask (RFC 3986, 5.2.4);
- is empty, unless it is the last: ``//`` would be a second address for the same thing;
- holds a slash or a NUL that came percent-encoded: no file name has one, and a segment with a
  slash would be two;
- holds a backslash as it is, which some clients and proxies take for a slash;
- has a percent sign without two hex digits behind it.

An encoded backslash is a character like any other: a room that maps segments to names on a system
where it separates them must refuse it. Bytes that are no UTF-8 are kept as surrogate escapes, as
`os.fsdecode` does, since a file name may be any bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from riverrun.errors import HTTPError
from riverrun.http.hosts import parse_host

REMEMBERED_LENGTH = 256  # longer targets are parsed each time, to bound what the cache holds
RARELY_REPEATED = ("PUT", "DELETE")  # what is stored or removed is seldom so twice
# Browsers send some characters as they are that RFC 3986 wants encoded, so every visible one will
# do. A fragment is the client's own and is never sent (RFC 9112, 3.2).
VISIBLE = re.compile(rb'[!"$-~]+')
ABSOLUTE = rb"(?i:https?)://(?P<authority>[^/?]*)(?P<rest>.*)"
BROKEN_ESCAPE = rb"%(?![0-9A-Fa-f]{2})"
SLASH = 0x2F
NO_NAMES = frozenset(("", ".", ".."))
SEGMENT_SAFE = "!$()*+,=@"  # besides the unreserved: safe in HTML and in relative links too


class Form(Enum):
    """The four forms of a request target (RFC 9112, 3.2)."""

    ORIGIN = "origin"
    ABSOLUTE = "absolute"
    AUTHORITY = "authority"
    ASTERISK = "asterisk"


@dataclass(frozen=True, slots=True)
class Target:
    """A request target, taken apart.

    `raw_path` and `query` are as sent; the query is without its question mark. `path` is decoded,
    and may hold anything. `authority` is that of an absolute target, which then counts instead of
    the Host field (RFC 9112, 3.2.2), or what CONNECT names; otherwise None. `trailing_slash` tells
    ``/a/`` from ``/a``, which have the same segments, and is true for ``/``, which has none.
    """

    raw: bytes
    form: Form
    raw_path: bytes
    path: str
    query: bytes
    authority: bytes | None
    trailing_slash: bool
    _segments: tuple[str, ...] | str  # or why there are none

    @property
    def segments(self) -> tuple[str, ...]:
        """The decoded segments: none is empty, ``.`` or ``..``, none holds a slash or a NUL.

        Raises `HTTPError` (400) when the path has no such form.
        """
        if isinstance(self._segments, str):
            raise HTTPError(400, self._segments)
        return self._segments


def parse_target(method: str, raw: bytes) -> Target:
    """Take the target of a request apart.

    Raises `HTTPError` (400) when `raw` is none of the forms that `method` may have. Whether its
    path is one that can be looked up is told by `Target.segments`.
    """
    if method in RARELY_REPEATED or len(raw) > REMEMBERED_LENGTH:
        return _parse(method, raw)
    return _remembered(method, raw)


def parse_query(query: bytes) -> list[tuple[str, str]]:
    """The names and values of a query, in order, as an HTML form encodes them.

    Blank values are kept, a plus is a space, and bytes that are no UTF-8 become U+FFFD. Nothing
    is refused. A target parses no query: whoever wants its parameters asks for them here.
    """
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")


def encode_segment(segment: str) -> str:
    """A name as one segment of a path, for a link beside it; takes surrogate escapes back."""
    return quote(segment, safe=SEGMENT_SAFE, errors="surrogateescape")


def encode_path(segments: Iterable[str], *, trailing_slash: bool = False) -> str:
    """The absolute path of these segments, for links and for Location; undoes `Target.segments`.

    Raises `ValueError` for an empty or dot segment, which would mean another place.
    """
    names = tuple(segments)
    if any(name in NO_NAMES for name in names):
        raise ValueError(f"no path leads to {names!r}")
    path = "/" + "/".join(map(encode_segment, names))
    return path + "/" if trailing_slash and names else path


def _parse(method: str, raw: bytes) -> Target:
    if VISIBLE.fullmatch(raw) is None:
        raise HTTPError(400, "The request target holds a character that must be encoded.")
    if method == "CONNECT":
        host = parse_host(raw)
        if host is None or not host.port:
            raise HTTPError(400, "CONNECT wants a host and a port.")
        return _without_path(raw, Form.AUTHORITY, raw)
    if raw[0] == SLASH:
        return _with_path(raw, Form.ORIGIN, raw, None)
    if raw == b"*" and method == "OPTIONS":
        return _without_path(raw, Form.ASTERISK, None)
    match = re.fullmatch(ABSOLUTE, raw)
    if match is None or parse_host(match["authority"]) is None:
        raise HTTPError(400, f"The request target is not one that {method} can have.")
    authority, rest = match["authority"], match["rest"]
    if not rest and method == "OPTIONS":
        # The server as a whole, asked for by way of a proxy (RFC 9112, 3.2.4).
        return _without_path(raw, Form.ASTERISK, authority)
    return _with_path(raw, Form.ABSOLUTE, rest, authority)


_remembered = lru_cache(maxsize=2048)(_parse)


def _without_path(raw: bytes, form: Form, authority: bytes | None) -> Target:
    return Target(raw, form, b"", "", b"", authority, trailing_slash=False, _segments=())


def _with_path(raw: bytes, form: Form, path_and_query: bytes, authority: bytes | None) -> Target:
    raw_path, _, query = path_and_query.partition(b"?")
    raw_path = raw_path or b"/"  # RFC 9110, 4.2.3
    return Target(
        raw,
        form,
        raw_path,
        _decode(raw_path),
        query,
        authority,
        trailing_slash=raw_path[-1] == SLASH,
        _segments=_split(raw_path),
    )


def _decode(encoded: bytes) -> str:
    decoded = unquote_to_bytes(encoded) if b"%" in encoded else encoded
    return decoded.decode("utf-8", "surrogateescape")


def _split(raw_path: bytes) -> tuple[str, ...] | str:
    """The decoded segments of an absolute path, or why it is refused."""
    if b"\\" in raw_path:
        return "A backslash in the path must be encoded."
    names = raw_path[1:].removesuffix(b"/").split(b"/") if raw_path != b"/" else []
    segments = tuple(map(_decode, names))
    if not NO_NAMES.isdisjoint(segments):
        return "The path has an empty or a dot segment."
    if b"%" in raw_path:
        if re.search(BROKEN_ESCAPE, raw_path):
            return "A percent sign in the path is not followed by two hex digits."
        if any("/" in segment or "\0" in segment for segment in segments):
            return "A segment of the path holds a slash or a NUL."
    return segments
