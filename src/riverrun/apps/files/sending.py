"""Sending an answer from an open file."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from time import monotonic

from riverrun.apps.files.answers import DECIDING_FIELDS, decide
from riverrun.apps.files.open_file import OpenFile
from riverrun.apps.files.representation import Representation
from riverrun.http.handler import FINISHED
from riverrun.http.ranges import ByteRange
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.io.page_cache import is_resident, read_resident
from riverrun.streams.contracts import FileRegion

READ_AT_ONCE = 32 * 1024
"""Up to here one read and one write cost less than a sendfile (docs/decisions/0003)."""

SENT_AT_ONCE = 1024 * 1024
"""Up to here a file is sent right after it was opened, if nothing slows it down."""

RESIDENT_SECONDS = 1.0
"""How long a file that was read is taken to be in the page cache: that keeps what is in use."""


def send(
    request: Request, response: Response, file: OpenFile, representation: Representation
) -> Awaitable[None]:
    """Answer a GET or HEAD from `file`, at once or else as `send_file`; it is closed in any case.

    Raises `HTTPError` as `decide` does.
    """
    try:
        at_once = send_at_once(request, response, file.descriptor, representation)
    except BaseException:
        file.close()
        raise
    if not at_once:
        return send_file(request, response, file, representation)
    file.close()
    return FINISHED


def send_at_once(
    request: Request, response: Response, descriptor: int, representation: Representation
) -> bool:
    """Answer a GET or HEAD from an open file if that need not wait; return whether it did.

    A file that was read a moment ago is taken to be in the page cache still: asking costs as much
    as reading.

    Raises `HTTPError` as `decide` does.
    """
    fields = request.fields
    if DECIDING_FIELDS.isdisjoint(fields):
        answer = representation.whole
    else:
        answer = decide(request.method, fields, representation)
    if answer.length > SENT_AT_ONCE or len(answer.body) > 1:
        return False
    chunk = b""
    if answer.body and request.method == "GET":
        (asked,) = answer.body
        assert isinstance(asked, ByteRange)
        now = monotonic()
        if answer.length > READ_AT_ONCE:
            if not is_at_hand(descriptor, asked, representation, now):
                return False
            response.status = answer.status
            response.prepare(answer.fields, answer.length)
            return response.try_end_region(descriptor, *asked)
        chunk = read_at_hand(descriptor, asked, representation, now)
        if len(chunk) != asked.length:
            return False
    response.status = answer.status
    response.prepare(answer.fields, answer.length)
    return response.try_end(chunk)


def is_at_hand(
    descriptor: int, asked: ByteRange, representation: Representation, now: float
) -> bool:
    """Whether a part of a file can be sent without waiting for a disk, as far as is known.

    `now` is a time of `time.monotonic`.
    """
    if now < representation.resident_until:
        return True
    if not is_resident(descriptor, asked.offset + asked.length - 1):
        return False
    _note_resident(asked, representation, now)
    return True


def read_at_hand(
    descriptor: int, asked: ByteRange, representation: Representation, now: float
) -> bytes:
    """Read a part of a file, or less than all of it if a disk would be waited for."""
    if now < representation.resident_until:
        return os.pread(descriptor, asked.length, asked.offset)
    chunk = read_resident(descriptor, bytearray(asked.length), asked.offset)
    if len(chunk) == asked.length:
        _note_resident(asked, representation, now)
    return chunk


def _note_resident(asked: ByteRange, representation: Representation, now: float) -> None:
    if asked.length == representation.length:
        representation.resident_until = now + RESIDENT_SECONDS


async def send_file(
    request: Request, response: Response, file: OpenFile, representation: Representation
) -> None:
    """Answer a GET or HEAD from `file`, and close it; go on if `send_at_once` has begun to.

    Raises `HTTPError` as `decide` does, `TruncatedError` when the file has become shorter, and
    `BrokenError` when it was written over: what has been sent by then stays short of what was
    announced.
    """
    # One coroutine for all of it: a thousand stalled readers wait in here.
    try:
        answer = decide(request.method, request.fields, representation)
        if not response.started:
            response.status = answer.status
            response.prepare(answer.fields, answer.length)
        begun = response.body_sent
        if answer.length > SENT_AT_ONCE or not response.flow.free:
            file.remember_end()  # there is time for it to change
        for piece in answer.body if request.method == "GET" else ():
            if isinstance(piece, ByteRange):
                region = FileRegion(file.descriptor, *piece, file.check)
                if begun:  # then this is the only piece
                    region = region.part(piece.offset + begun, piece.length - begun)
                await response.write_region(region)
            else:
                await response.write(piece)
        await response.end()
    finally:
        file.close()
