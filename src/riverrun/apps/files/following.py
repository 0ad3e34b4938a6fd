"""A file and whatever is appended to it, as it is appended, until the client leaves."""

from __future__ import annotations

import asyncio
import os

from riverrun.errors import HTTPError, TruncatedError
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.streams.contracts import FileRegion

FIRST_LOOK = 0.02
LONGEST_LOOK = 0.5
LONGEST_NUMBER = 18  # digits: more bytes than there are


async def follow_file(
    request: Request, response: Response, descriptor: int, content_type: str, start: int = 0
) -> None:
    """Send the file `descriptor`, then wait for more of it; end when it has been deleted.

    It is sent from the byte `start`, which counts from the end if it is negative, and lies within
    what is there. HEAD is answered at once, with the fields of GET.

    Raises `TruncatedError` when it becomes shorter than what was sent. A cancel leaves the
    response unfinished.
    """
    response.headers["content-type"] = content_type
    response.headers["cache-control"] = "no-store"
    response.headers["x-content-type-options"] = "nosniff"
    if request.method == "HEAD":
        await response.end()
        return
    await response.write(b"")  # the head: the client knows that it is following
    size = os.fstat(descriptor).st_size
    sent = max(0, size + start) if start < 0 else min(start, size)
    pause = FIRST_LOOK
    while True:
        status = os.fstat(descriptor)
        if status.st_size > sent:
            await response.write_region(FileRegion(descriptor, sent, status.st_size - sent))
            sent = status.st_size
            pause = FIRST_LOOK
        elif status.st_size < sent:
            raise TruncatedError(sent, status.st_size)
        elif status.st_nlink == 0:
            await response.end()
            return
        else:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)


def parse_start(value: str) -> int:
    """The value of ``?follow=``: a number of bytes, from the end if negative; without one, 0.

    Raises `HTTPError` 400 for anything else.
    """
    if not value:
        return 0
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_NUMBER):
        raise HTTPError(400, "The parameter follow is a number of bytes, if it has a value.")
    return int(value)
