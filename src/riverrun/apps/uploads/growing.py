"""Reading a file while it is still being uploaded.

What has come is sent at once, the rest as it comes. When the upload ends well so does the
response; when it is given up, the response is cut. A range gets what is there of it.
"""

from __future__ import annotations

import os

from riverrun.apps.uploads.record import UploadState
from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import BrokenError, HTTPError
from riverrun.http.media_types import SANDBOX, content_type_of, is_script
from riverrun.http.ranges import UNSATISFIABLE, ByteRange, content_range, parse_range
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.streams.contracts import FileRegion


async def send_growing(
    request: Request, response: Response, store: UploadStore, upload: Upload
) -> None:
    """Answer a GET or HEAD of the file that `upload` is going to be.

    Raises `HTTPError` 416 for a range of which nothing is there yet, `BrokenError` when the upload
    is given up; the response is short then.
    """
    headers = response.headers
    content_type = content_type_of(upload.record.target[-1])
    headers["content-type"] = content_type
    if is_script(content_type):
        headers["content-security-policy"] = SANDBOX
    headers["cache-control"] = "no-store"
    headers["x-content-type-options"] = "nosniff"
    if request.method == "HEAD":
        await response.end()
        return
    asked = _range_of(request, upload)
    try:
        growth = Growth(upload, store.open_to_read(upload))
    except FileNotFoundError:
        raise HTTPError(404) from None
    try:
        if asked is None:
            await _follow(response, growth)
        else:
            await _send_part(response, growth, asked)
    finally:
        growth.close()


class Growth:
    """An upload as one reader sees it: what was there when it began must go on to count."""

    def __init__(self, upload: Upload, descriptor: int) -> None:
        self.upload = upload
        self._descriptor = descriptor
        self._taken_back = upload.taken_back

    def check(self) -> None:
        """Raise `BrokenError` when bytes were taken back that may have been sent."""
        if self.upload.taken_back != self._taken_back:
            raise BrokenError("a part of the upload was taken back")
        if self.upload.state is UploadState.GONE:
            raise BrokenError("the upload was given up")

    def region(self, offset: int, length: int) -> FileRegion:
        """A part of it, to be sent."""
        return FileRegion(self._descriptor, offset, length, self.check)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


async def _follow(response: Response, growth: Growth) -> None:
    await response.write(b"")  # the head: the client knows that it is following
    sent, upload = 0, growth.upload
    while True:
        size = upload.offset
        if size > sent:
            await response.write_region(growth.region(sent, size - sent))
            sent = size
        growth.check()
        if upload.offset > sent:
            continue
        if upload.complete:
            await response.end()
            return
        await upload.changed()


async def _send_part(response: Response, growth: Growth, asked: ByteRange) -> None:
    response.status = 206
    response.headers["content-range"] = content_range(asked, growth.upload.record.length)
    response.headers["content-length"] = str(asked.length)
    await response.write_region(growth.region(*asked))
    growth.check()
    await response.end()


def _range_of(request: Request, upload: Upload) -> ByteRange | None:
    """The part that is asked for, as far as it is there; None for everything."""
    value = request.fields.get(b"range")
    if value is None or b"if-range" in request.fields:
        return None
    if value.lower().startswith(b"bytes=-"):
        return None  # its end has not come yet
    ranges = parse_range(value, upload.offset)
    if ranges is UNSATISFIABLE:
        whole = content_range(None, upload.record.length)
        raise HTTPError(416, headers={"content-range": whole})
    return ranges[0] if ranges is not None and len(ranges) == 1 else None
