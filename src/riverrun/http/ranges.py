"""Byte ranges (RFC 9110, 14): which parts were asked for, and how parts are sent.

A Range field may always be ignored (14.2). It is when it is not valid, when it asks for more than
it could need (`MAX_RANGES`, or more bytes than there are), and when there are no bytes at all, so
that a client that always asks for ``bytes=0-`` gets its empty file instead of an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

MAX_RANGES = 16
MAX_GAP = 80  # two parts cost about as much as sending so many bytes between them (15.3.7.2)
UNIT = b"bytes="  # in any case (14.1)
SPEC = rb"([0-9]{0,19})-([0-9]{0,19})"


class ByteRange(NamedTuple):
    """`length` bytes, at least one, from `offset`."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset behind the last byte."""
        return self.offset + self.length


class Unsatisfiable(Enum):
    """The type of `UNSATISFIABLE`."""

    UNSATISFIABLE = 416


UNSATISFIABLE: Final = Unsatisfiable.UNSATISFIABLE
"""No range that was asked for has a byte: answer 416 and ``content_range(None, length)``."""


class Multipart(NamedTuple):
    """The frame of a multipart/byteranges body (RFC 9110, 14.6).

    The body is, for each range, its head from `heads` and then its bytes, and at last `tail`;
    `length` is that of all of it.
    """

    content_type: str
    heads: tuple[bytes, ...]
    tail: bytes
    length: int


def parse_range(value: bytes, length: int) -> list[ByteRange] | Unsatisfiable | None:
    """The ranges of `length` bytes that a Range field asks for, or None to send the whole.

    They are clipped to what there is and in the order they were asked for; those that overlap or
    nearly touch are one, at the place of the first (RFC 9110, 15.3.7.2).
    """
    if value[: len(UNIT)].lower() != UNIT or not length:
        return None
    specs = [spec for part in value[len(UNIT) :].split(b",") if (spec := part.strip(b" \t"))]
    if not 0 < len(specs) <= MAX_RANGES:
        return None
    ranges: list[ByteRange] = []
    for spec in specs:
        bounds = _bounds(spec, length)
        if bounds is None:
            return None
        start, end = bounds
        if start < end:
            ranges.append(ByteRange(start, end - start))
    if not ranges:
        return UNSATISFIABLE
    if len(ranges) == 1:
        return ranges
    if sum(asked.length for asked in ranges) > length:
        return None
    return _coalesce(ranges)


def content_range(asked: ByteRange | None, length: int | None) -> str:
    """The Content-Range of a part, or with None that of a 416 (RFC 9110, 14.4).

    `length` is that of the whole, None when it is not known yet.
    """
    whole = "*" if length is None else length
    if asked is None:
        return f"bytes */{whole}"
    return f"bytes {asked.offset}-{asked.end - 1}/{whole}"


def multipart_byteranges(
    ranges: Sequence[ByteRange],
    length: int | None,
    content_type: str,
    *,
    boundary: str | None = None,
) -> Multipart:
    """Frame several ranges of a representation of `content_type` as one body.

    The boundary is random unless given: it must not occur in the parts.
    """
    boundary = boundary or os.urandom(16).hex()
    heads: list[bytes] = []
    for asked in ranges:
        line_end = "\r\n" if heads else ""
        head = (
            f"{line_end}--{boundary}\r\n"
            f"content-type: {content_type}\r\n"
            f"content-range: {content_range(asked, length)}\r\n\r\n"
        )
        heads.append(head.encode("latin-1"))
    tail = f"\r\n--{boundary}--\r\n".encode("latin-1")
    total = sum(map(len, heads)) + sum(asked.length for asked in ranges) + len(tail)
    return Multipart(f"multipart/byteranges; boundary={boundary}", tuple(heads), tail, total)


def _bounds(spec: bytes, length: int) -> tuple[int, int] | None:
    """Where a range of `length` bytes starts and ends, or None if it is not valid.

    One that cannot be satisfied is empty (RFC 9110, 14.1.2).
    """
    match = re.fullmatch(SPEC, spec)
    if match is None:
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), int(last) + 1 if last else length
        return (start, min(end, length)) if start < end or not last else None
    if last:
        return max(length - int(last), 0), length
    return None


def _coalesce(ranges: list[ByteRange]) -> list[ByteRange]:
    """Join ranges less than `MAX_GAP` apart, each at the place of its first part."""
    joined: list[tuple[int, ByteRange]] = []  # place and range, by offset
    for place, current in sorted(enumerate(ranges), key=lambda entry: entry[1]):
        if joined and current.offset - joined[-1][1].end < MAX_GAP:
            first_place, last = joined[-1]
            end = max(last.end, current.end)
            joined[-1] = min(place, first_place), ByteRange(last.offset, end - last.offset)
        else:
            joined.append((place, current))
    return [current for _, current in sorted(joined)]
