"""Files in a form: POST of multipart/form-data to a folder.

Every part that is a file is stored as it arrives, straight to its place; the browser's own form
needs no script. The client's names are made safe; where a browser sends a folder, its folders are
made. A file that is stored stays, even if a later one of the same form cannot be.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import msgspec

from riverrun.apps.uploads.clashes import free_name
from riverrun.apps.uploads.placing import Target
from riverrun.apps.uploads.plain import receive_at_once
from riverrun.apps.uploads.record import Dialect
from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError
from riverrun.http.filenames import safe_segments
from riverrun.http.forms import Part
from riverrun.http.negotiation import choose_media_type
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.targets import encode_path, parse_query


class Clash(Enum):
    """What becomes of a file whose name is taken."""

    REFUSE = "refuse"
    """403, unless replacing is allowed."""

    RENAME = "rename"
    """It gets a number: ``name (2).ext``."""


async def store_form(
    request: Request, response: Response, store: UploadStore, folder: Target
) -> None:
    """Store the files of a form in `folder`; ``?clash=rename`` numbers those whose name is taken.

    Browsers are led back to the folder (303), programs get what was stored as JSON (201).

    Raises `HTTPError` 400, 413, 415 and 431 as `Request.form` does, and as the store does; its
    extension ``stored`` tells what had been stored by then.
    """
    clash = _clash_of(request)
    stored: list[dict[str, Any]] = []
    try:
        async for part in request.form():
            if part.filename:  # an input that was left empty sends an empty name
                upload = await _store_part(part, store, folder, clash, request.client)
                stored.append(_told(upload))
    except HTTPError as error:
        if stored:
            error.extensions = {**(error.extensions or {}), "stored": stored}
        raise
    if not stored:
        raise HTTPError(400, "There is no file in the form.")
    if choose_media_type(request.fields.get(b"accept"), ("application/json", "text/html")) == (
        "text/html"
    ):
        response.status = 303
        response.headers["location"] = encode_path(folder, trailing_slash=True)
        await response.end()
        return
    response.status = 201
    response.headers["location"] = stored[0]["location"]
    response.headers["content-type"] = "application/json"
    await response.end(msgspec.json.encode(stored) + b"\n")


async def _store_part(
    part: Part, store: UploadStore, folder: Target, clash: Clash, owner: str
) -> Upload:
    target = (*folder, *safe_segments(part.filename or ""))
    if clash is Clash.RENAME:
        loop = asyncio.get_running_loop()
        taken = {upload.record.target for upload in store if not upload.complete}
        target = await loop.run_in_executor(None, free_name, store.root, target, taken)
    upload = await store.create(Dialect.FORM, target, owner=owner, lasting=False)
    await receive_at_once(part, store, upload)
    return upload


def _clash_of(request: Request) -> Clash:
    asked = dict(parse_query(request.url.query)).get("clash", Clash.REFUSE.value)
    try:
        return Clash(asked)
    except ValueError:
        names = " or ".join(clash.value for clash in Clash)
        raise HTTPError(400, f"clash may be {names}.") from None


def _told(upload: Upload) -> dict[str, Any]:
    placed = upload.placed
    return {
        "location": encode_path(upload.record.target),
        "size": upload.offset,
        "etag": None if placed is None else str(placed.etag),
    }
