"""What a file is to HTTP: its fields, built once for each state of the file (RFC 9110, 8)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from riverrun.http.dates import format_date
from riverrun.http.entity_tags import EntityTag
from riverrun.http.media_types import content_type_of, is_compressible
from riverrun.http.ranges import ByteRange


class Answer(NamedTuple):
    """A response to be: `fields` are rendered lines with a Content-Length of `length` bytes.

    The body is made of bytes and of ranges of the file, so that the whole, one part, several parts
    and nothing at all are the same thing to who sends them.
    """

    status: int
    fields: bytes
    length: int
    body: tuple[bytes | ByteRange, ...]


@dataclass(slots=True)
class Representation:
    """One state of a file, in one coding.

    `length` is in bytes, `last_modified` in seconds, None when it is to come. `common_fields` are
    the lines that a 200, a 206 and a 304 share; `whole` is the answer that sends all of it.
    `resident_until` is the time of `time.monotonic` up to which all of it is taken to be in the
    page cache, because it was read a moment ago. `digests` are the Repr-Digest fields that were
    calculated, by algorithm.
    """

    length: int
    content_type: str
    compressible: bool
    etag: EntityTag
    last_modified: int | None
    common_fields: bytes
    whole: Answer
    resident_until: float = 0.0
    digests: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def represent(
    name: str, size: int, modified_ns: int, inode: int, coding: str = ""
) -> Representation:
    """The representation of a file of this name and state; `coding` if its bytes are encoded."""
    # The three together change whenever the bytes do: written in place, the time moves; renamed
    # over, the inode is another.
    etag = EntityTag(f"{modified_ns:x}-{size:x}-{inode:x}{'-' if coding else ''}{coding}")
    last_modified = _past_second(modified_ns)
    content_type = content_type_of(name)
    common = f"etag: {etag}\r\ncache-control: no-cache\r\n"
    if last_modified is not None:
        common += f"last-modified: {format_date(last_modified)}\r\n"
    if coding:
        common += f"content-encoding: {coding}\r\n"
    whole = (
        f"content-type: {content_type}\r\n"
        f"content-length: {size}\r\n"
        "accept-ranges: bytes\r\n"
        "x-content-type-options: nosniff\r\n"
    )
    return Representation(
        size,
        content_type,
        not coding and is_compressible(content_type),
        etag,
        last_modified,
        common.encode(),
        Answer(200, (whole + common).encode(), size, (ByteRange(0, size),)),
    )


def _past_second(modified_ns: int) -> int | None:
    """The second of a time of modification; one to come is no Last-Modified (RFC 9110, 8.8.2.1)."""
    second = modified_ns // 1_000_000_000
    return second if second <= time.time() else None
