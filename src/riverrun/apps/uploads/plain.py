"""PUT and DELETE of a file (RFC 9110, 9.3.4 and 9.3.5), for every client there is.

What such a client has sent when its connection breaks is of no use to it: it will begin anew. So
the upload is not in the catalogue, and goes with the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riverrun.apps.uploads.checks import DigestCheck
from riverrun.apps.uploads.placing import Target
from riverrun.apps.uploads.record import Dialect
from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError
from riverrun.http.digests import parse_digests
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.structured_fields import render_dictionary
from riverrun.http.targets import Target as RequestTarget
from riverrun.http.targets import encode_path
from riverrun.io.partial_file import BodyCheck
from riverrun.io.threads import to_its_end
from riverrun.streams.contracts import Readable

CONDITIONS = (b"if-match", b"if-none-match", b"if-unmodified-since")


async def put_file(
    request: Request, response: Response, store: UploadStore, target: Target
) -> None:
    """Store the body under `target`: 201 for a new file, 204 for one that replaces another.

    Raises `HTTPError` as `UploadStore.create` does, before the body is asked for, and as
    `Upload.append` and `Upload.finish` do; then nothing is left of it.
    """
    checks = content_checks(request)
    upload = await _begin(request, store, target)
    await receive_at_once(request, store, upload, checks)
    await answer_complete(response, upload)


async def _begin(request: Request, store: UploadStore, target: Target) -> Upload:
    fields = request.fields
    if b"content-range" in fields:
        raise HTTPError(400, "A part of a file cannot be PUT.")  # RFC 9110, 14.5
    if b"content-encoding" in fields:
        raise HTTPError(415, "Send the file as it is, without a content coding.")
    return await store.create(
        Dialect.PUT,
        target,
        length=request.content_length,
        conditions=conditions_of(request),
        repr_digest=fields.get(b"repr-digest", b"").decode("latin-1"),
        owner=request.client,
        lasting=False,
    )


async def receive_at_once(
    source: Readable, store: UploadStore, upload: Upload, checks: Sequence[BodyCheck] = ()
) -> None:
    """Complete `upload` with all of `source`, or leave nothing of it."""
    try:
        await upload.take_hold(source)  # no `async with`: many wait here, and it is not for free
        try:
            await upload.append(source, 0, checks=checks)
            await upload.finish()
        finally:
            await upload.let_go()
    finally:
        if not upload.complete:
            await to_its_end(store.remove(upload))


async def delete_file(
    request: Request, response: Response, store: UploadStore, target: RequestTarget
) -> None:
    """Remove the file, or the empty folder, at `target`: 204.

    Raises `HTTPError` as `placing.remove` does.
    """
    await store.delete(target.segments, conditions_of(request), folder=target.trailing_slash)
    response.status = 204
    await response.end()


async def answer_complete(
    response: Response, upload: Upload, headers: Mapping[str, str] | None = None
) -> None:
    """Answer the request that brought the last byte: where the file is now, and its tag."""
    placed = upload.placed
    response.status = 204 if placed is None or placed.replaced else 201
    if upload.record.target:
        response.headers["location"] = encode_path(upload.record.target)
    if placed is not None:
        response.headers["etag"] = str(placed.etag)
    verified = parse_digests(upload.record.repr_digest.encode("latin-1"))
    if verified:
        response.headers["repr-digest"] = render_dictionary(verified)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    await response.end()


def content_checks(request: Request) -> tuple[DigestCheck, ...]:
    """What the body of a request must pass (RFC 9530, 2). Raises `HTTPError` 400."""
    value = request.fields.get(b"content-digest")
    check = None if value is None else DigestCheck("Content-Digest", value)
    return (check,) if check else ()


def conditions_of(request: Request) -> dict[str, str]:
    """The conditional fields of a request that changes something."""
    fields = request.fields
    return {name.decode(): fields[name].decode("latin-1") for name in CONDITIONS if name in fields}
