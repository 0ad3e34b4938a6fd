"""Every upload, whatever dialect it came in, as JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.upload import Upload
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.targets import encode_path


class Entry(msgspec.Struct, omit_defaults=True):
    """What is told of an upload: bytes, and times as in RFC 3339.

    `durable` is how many of its `offset` bytes are known to survive a power cut.
    """

    id: str
    dialect: str
    state: str
    receiving: bool
    offset: int
    durable: int
    length: int | None
    created: str
    expires: str
    owner: str
    target: str = ""


def describe(upload: Upload) -> Entry:
    """What is told of `upload`."""
    record = upload.record
    return Entry(
        id=record.id,
        dialect=record.dialect.value,
        state=record.state.value,
        receiving=upload.receiving,
        offset=upload.offset,
        durable=upload.offset if upload.complete else upload.durable,
        length=record.length,
        created=_time(record.created),
        expires=_time(record.expires),
        owner=record.owner,
        target=encode_path(record.target) if record.target else "",
    )


async def send_overview(
    request: Request,  # noqa: ARG001 - the shape of all that answer
    response: Response,
    store: UploadStore,
) -> None:
    """Answer with all uploads, in the order in which they began, as one JSON array."""
    response.headers["content-type"] = "application/json"
    response.headers["cache-control"] = "no-store"
    separator = b"["
    for upload in store:
        await response.write(separator + msgspec.json.encode(describe(upload)))
        separator = b",\n"
    await response.end(b"]\n" if separator != b"[" else b"[]\n")


async def send_entry(request: Request, response: Response, upload: Upload) -> None:  # noqa: ARG001
    """Answer with one upload."""
    response.headers["content-type"] = "application/json"
    response.headers["cache-control"] = "no-store"
    await response.end(msgspec.json.encode(describe(upload)) + b"\n")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
