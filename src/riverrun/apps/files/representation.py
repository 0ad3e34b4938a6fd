"""What a file is to HTTP: its fields, built once for each state of the file (RFC 9110, 8)."""

from __future__ import annotations

import os
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Representation:
    """One state of a file, in one coding.

    `length` is in bytes, `last_modified` in seconds. `common_fields` are the lines that a 200, a
    206 and a 304 share; `whole` is the answer that sends all of it.
    """

    length: int
    content_type: str
    compressible: bool
    etag: EntityTag
    last_modified: int
    common_fields: bytes
    whole: Answer


def represent(name: str, status: os.stat_result, coding: str = "") -> Representation:
    """The representation of a file of this name and status; `coding` if its bytes are encoded."""
    return _represent(name, status.st_size, status.st_mtime_ns, status.st_ino, coding)


@lru_cache(maxsize=4096)
def _represent(name: str, size: int, mtime_ns: int, inode: int, coding: str) -> Representation:
    # The three together change whenever the bytes do: written in place, the time moves; renamed
    # over, the inode is another.
    etag = EntityTag(f"{mtime_ns:x}-{size:x}-{inode:x}{'-' if coding else ''}{coding}")
    last_modified = mtime_ns // 1_000_000_000
    content_type = content_type_of(name)
    common = f"etag: {etag}\r\ncache-control: no-cache\r\n"
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
