"""The heads of responses, as bytes, and with each the framing of the body behind it.

Pure: what is known of the request, the response and the connection comes in; the rendered head
comes out, with what was decided. Every response passes here once, so the way through is one
function, and makes nothing that is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from riverrun.http.framing import CHUNKED, COUNTED, NONE, UNTIL_CLOSE, Framing
from riverrun.http.headers import Headers
from riverrun.http.request import Request
from riverrun.http.statuses import TITLES

LINE_END = b"\r\n"
CONTENT_LENGTH = b"content-length: %d\r\n"
BODYLESS_STATUSES = frozenset((204, 304))

# The framing is ours, and whether the connection is kept is said once, by us.
OURS = frozenset(("connection", "transfer-encoding"))
OURS_IN_204 = OURS | {"content-length"}  # RFC 9110, 8.6


def render_head(
    request: Request,
    status: int,
    headers: Headers | None,
    prepared: bytes,
    server_fields: bytes,
    declared: int | None,
    length: int | None,
    keep_alive: bool,
) -> tuple[bytes, Framing, int | None, bool]:
    """Choose the framing of the response to `request`, and render its head.

    `prepared` and `server_fields` are field lines. `declared` is the Content-Length that is among
    the fields, `length` that of the body, each None if there is none; `keep_alive` is whether
    another request may follow.

    Returns the head, the framing, the length that the body has to have, None if any will do, and
    whether another request may follow still. Raises `ValueError` for a status that is not final.
    """
    status_line = FINAL_STATUS_LINES.get(status)
    if status_line is None:
        if not 200 <= status <= 599:
            raise ValueError(f"{status} is not the status of a response")
        status_line = _status_line(status)
    given = said = b""
    if headers is not None:
        given = headers.render(without=OURS_IN_204 if status == 204 else OURS)
        keep_alive = keep_alive and not _closes(headers)
    if request.method == "HEAD" or status in BODYLESS_STATUSES:
        framing = NONE
        # An empty body for HEAD says nothing about the one that GET would get.
        if declared is None and length and status not in BODYLESS_STATUSES:
            declared = length
            said = CONTENT_LENGTH % length
    elif declared is not None:
        framing = COUNTED
    elif length is not None:
        framing = COUNTED
        declared = length
        said = CONTENT_LENGTH % length
    elif request.http_1_0:
        framing = UNTIL_CLOSE
        keep_alive = False
    else:
        framing = CHUNKED
        said = b"transfer-encoding: chunked\r\n"
    if not keep_alive:
        end = b"connection: close\r\n\r\n"
    elif request.http_1_0:
        end = b"connection: keep-alive\r\n\r\n"
    else:
        end = LINE_END
    head = b"".join((status_line, server_fields, given, prepared, said, end))
    return head, framing, declared, keep_alive


def render_informational(status: int, headers: Mapping[str, str] | None) -> bytes:
    """An informational response, which is all head (RFC 9110, 15.2)."""
    return b"".join((_status_line(status), Headers(headers).render(), LINE_END))


def declared_length(headers: Headers) -> int | None:
    """The length that the fields declare. Raises `ValueError` if it is no number of bytes."""
    value = headers.get("content-length")
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal()):
        raise ValueError(f"content-length must be a number of bytes, not {value!r}")
    return int(value)


def _closes(headers: Headers) -> bool:
    return "connection" in headers and "close" in headers["connection"].lower()


def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {TITLES.get(status, '')}\r\n".encode()


FINAL_STATUS_LINES = {status: _status_line(status) for status in TITLES if status >= 200}
