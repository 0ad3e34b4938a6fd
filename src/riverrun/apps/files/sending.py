"""Sending an answer from an open file."""

from __future__ import annotations

import os

from riverrun.apps.files.answers import decide
from riverrun.apps.files.representation import Representation
from riverrun.errors import BrokenError
from riverrun.http.ranges import ByteRange
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.streams.contracts import FileRegion

READ_AT_ONCE = 32 * 1024
"""Up to here one read and one write cost less than a sendfile (docs/decisions/0003)."""

UNCHECKED_SIZE = 4 * 1024 * 1024
"""How much is sent between two looks at whether the file was written over."""

READ_WITHOUT_WAITING = getattr(os, "RWF_NOWAIT", 0)


def send_at_once(
    request: Request, response: Response, descriptor: int, representation: Representation
) -> bool:
    """Answer a GET or HEAD from an open file if that need not wait; return whether it did.

    Raises `HTTPError` as `decide` does.
    """
    answer = decide(request.method, request.fields, representation)
    if answer.length > READ_AT_ONCE or len(answer.body) > 1:
        return False
    chunk: bytes | bytearray = b""
    if answer.body and request.method == "GET":
        (asked,) = answer.body
        assert isinstance(asked, ByteRange)
        chunk = bytearray(answer.length)
        try:
            size = os.preadv(descriptor, [chunk], asked.offset, READ_WITHOUT_WAITING)
        except OSError:
            return False
        if size != answer.length:
            return False
    response.status = answer.status
    response.prepare(answer.fields, answer.length)
    return response.try_end(chunk)


async def send_file(
    request: Request,
    response: Response,
    descriptor: int,
    status: os.stat_result,
    representation: Representation,
) -> None:
    """Answer a GET or HEAD from the open file `descriptor`, whose state is `status`.

    Raises `HTTPError` as `decide` does, `TruncatedError` when the file has become shorter, and
    `BrokenError` when it was written over: what has been sent by then stays short of what was
    announced.
    """
    answer = decide(request.method, request.fields, representation)
    response.status = answer.status
    response.prepare(answer.fields, answer.length)
    if request.method == "GET":
        for piece in answer.body:
            if isinstance(piece, ByteRange):
                await _send_range(response, descriptor, piece, status)
            else:
                await response.write(piece)
    await response.end()


async def _send_range(
    response: Response, descriptor: int, asked: ByteRange, status: os.stat_result
) -> None:
    offset = asked.offset
    while offset < asked.end:
        if offset > asked.offset and _written_over(os.fstat(descriptor), status):
            raise BrokenError("the file was written over while it was sent")
        length = min(UNCHECKED_SIZE, asked.end - offset)
        await response.write_region(FileRegion(descriptor, offset, length))
        offset += length


def _written_over(now: os.stat_result, then: os.stat_result) -> bool:
    """Whether bytes may have changed; a file that grows at its end has only got more of them."""
    return now.st_mtime_ns != then.st_mtime_ns and now.st_size <= then.st_size
