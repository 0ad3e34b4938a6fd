"""The events in which a stream is followed (Durable Streams, 5.8), as bytes.

Text and JSON go as they are, anything else in base64. A reader may come in the middle of things:
where a piece is cut so that it can be shown is decided here.
"""

from __future__ import annotations

import re
from binascii import b2a_base64

import msgspec

from riverrun.apps.durable.fields import is_json, media_type_of
from riverrun.apps.durable.messages import SEPARATOR
from riverrun.apps.durable.offsets import format_offset

LINE_END = re.compile(rb"\r\n|\r|\n")
LONGEST_CHARACTER = 4


class Control(msgspec.Struct, rename="camel", omit_defaults=True):
    """Where a reader stands."""

    stream_next_offset: str
    stream_cursor: str | None = None
    up_to_date: bool = False
    stream_closed: bool = False


def needs_base64(content_type: str) -> bool:
    """Whether the bytes of such a stream cannot be shown as text."""
    return not (is_json(content_type) or media_type_of(content_type).startswith("text/"))


def data_event(content_type: str, chunk: bytes) -> bytes:
    """A piece of a stream as an event; of JSON, whole messages."""
    if needs_base64(content_type):
        payload = b2a_base64(chunk, newline=False)
    elif is_json(content_type):
        payload = b"[" + chunk[: -len(SEPARATOR)] + b"]"
    else:
        payload = chunk.decode(errors="replace").encode()
    return b"event: data\n" + b"".join(map(_line, LINE_END.split(payload))) + b"\n"


def control_event(offset: int, cursor: int, *, at_tail: bool, closed: bool) -> bytes:
    """Where the reader stands now; its id is what a browser comes back with."""
    token = format_offset(offset)
    control = Control(token, up_to_date=at_tail, stream_closed=closed)
    if not closed:
        control.stream_cursor = str(cursor)
    return b"event: control\ndata:%b\nid:%b\n\n" % (msgspec.json.encode(control), token.encode())


def presentable(content_type: str, chunk: bytes, *, is_last: bool) -> int:
    """How many bytes of `chunk` can be shown now; `is_last` if nothing comes behind them.

    Of JSON that is whole messages, of text whole characters.
    """
    if is_json(content_type):
        return chunk.rfind(b"\n") + 1
    if needs_base64(content_type) or is_last:
        return len(chunk)
    for length in range(1, min(LONGEST_CHARACTER, len(chunk) + 1)):
        byte = chunk[-length]
        if byte & 0xC0 != 0x80:  # where a character begins
            needs = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(chunk) - length if needs > length else len(chunk)
    return len(chunk)


def _line(line: bytes) -> bytes:
    """A line of data; who reads it takes one space off, so that one of its own needs another."""
    return b"data:%b%b\n" % (b" " if line[:1] == b" " else b"", line)
