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
from riverrun.http.media_types import content_type_of
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
    headers["content-type"] = content_type_of(upload.record.target[-1])
    headers["cache-control"] = "no-store"
    headers["x-content-type-options"] = "nosniff"
    if request.method == "HEAD":
        await response.end()
        return
    try:
        descriptor = store.open_to_read(upload)
    except FileNotFoundError:
        raise HTTPError(404) from None
    try:
        asked = _range_of(request, upload)
        if asked is None:
            await _follow(response, upload, descriptor)
        else:
            await _send_part(response, upload, descriptor, asked)
    finally:
        os.close(descriptor)


async def _follow(response: Response, upload: Upload, descriptor: int) -> None:
    await response.write(b"")  # the head: the client knows that it is following
    sent = 0
    while True:
        size = upload.offset
        if size > sent:
            await response.write_region(FileRegion(descriptor, sent, size - sent))
            sent = size
        elif upload.state is UploadState.COMPLETE:
            await response.end()
            return
        elif upload.state is UploadState.GONE or size < sent:
            raise BrokenError("the upload was given up")
        else:
            await upload.changed()


async def _send_part(response: Response, upload: Upload, descriptor: int, asked: ByteRange) -> None:
    response.status = 206
    response.headers["content-range"] = content_range(asked, upload.record.length)
    response.headers["content-length"] = str(asked.length)
    await response.write_region(FileRegion(descriptor, *asked))
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
