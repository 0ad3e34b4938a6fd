"""A file and whatever is appended to it, as it is appended, until the client leaves."""

from __future__ import annotations

import asyncio
import os

from riverrun.errors import TruncatedError
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.streams.contracts import FileRegion

FIRST_LOOK = 0.02
LONGEST_LOOK = 0.5


async def follow_file(
    request: Request, response: Response, descriptor: int, content_type: str
) -> None:
    """Send the file `descriptor`, then wait for more of it; end when it has been deleted.

    HEAD is answered at once, with the fields of GET.

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
    sent = 0
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
