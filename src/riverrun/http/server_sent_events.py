"""Server-sent events as bytes (HTML Standard, 9.2.5 and 9.2.6).

Pure: what is to be told comes in, the lines of the event stream come out. What the format cannot
carry is refused rather than sent as something else; a line break in the data is not among that,
since each line is a field of its own.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

CONTENT_TYPE: Final = "text/event-stream"

Data: TypeAlias = str | bytes
"""What an event carries: text, or the UTF-8 of one."""

_LINE_END = b"\r\n|\n|\r"


def render_event(
    data: Data | None,
    *,
    event: str | None = None,
    id: str | None = None,  # noqa: A002 - the field's name
    retry: float | None = None,
) -> bytes:
    r"""One event, with the empty line that lets the client dispatch it.

    `event` is its type, "message" if there is none. `id` is what the client says in Last-Event-ID
    when it comes again; an empty one makes it say nothing. `retry` is how many seconds it waits
    before that. Without `data` nothing is dispatched: what else is given only takes effect.

    A client sees every line break in `data` as ``"\n"``, whichever of the three it was.

    Raises `ValueError` for a line break in `event` or `id`, a NUL in `id`, a negative `retry`.
    """
    lines = b""
    if event is not None:
        lines += _field(b"event", event)
    if id is not None:
        if "\0" in id:
            raise ValueError("a client ignores an id with a NUL")
        lines += _field(b"id", id)
    if retry is not None:
        lines += render_retry(retry)
    if data is not None:
        encoded = data.encode() if isinstance(data, str) else data
        if b"\n" in encoded or b"\r" in encoded:
            encoded = re.sub(_LINE_END, b"\ndata: ", encoded)
        lines += b"data: %b\n" % encoded
    return lines + b"\n"


def render_retry(seconds: float) -> bytes:
    """The line that tells how long to wait before coming again, to the millisecond."""
    if not 0 <= seconds < 1e9:
        raise ValueError(f"retry is a number of seconds, not {seconds}")
    return b"retry: %d\n" % round(seconds * 1000)


def render_comment(text: str = "") -> bytes:
    """Lines that a client ignores, and that keep what lies between from closing the connection."""
    if not text:
        return b":\n\n"
    return b": %b\n\n" % re.sub(_LINE_END, b"\n: ", text.encode())


def _field(name: bytes, value: str) -> bytes:
    encoded = value.encode()
    if b"\n" in encoded or b"\r" in encoded:
        raise ValueError(f"a line break cannot be in the field {name.decode()}: {value!r}")
    return b"%b: %b\n" % (name, encoded)
