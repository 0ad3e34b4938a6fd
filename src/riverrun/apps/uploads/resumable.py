"""Resumable uploads of the IETF: any PUT or POST that says Upload-Complete can be gone on with.

The fields and the checks are those of `riverrun.http.resumable_uploads`; here they meet the store.
An upload resource has the address ``/~/uploads/<id>``: HEAD tells how much it has, PATCH appends,
DELETE gives it up. What is told in an interim 104 is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from riverrun.apps.uploads.checks import DigestCheck
from riverrun.apps.uploads.placing import Target
from riverrun.apps.uploads.plain import answer_complete, conditions_of, content_checks
from riverrun.apps.uploads.record import Dialect
from riverrun.apps.uploads.refusals import BeyondLengthError
from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import DisconnectedError, HTTPError
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.resumable_uploads import (
    AnnouncedLimits,
    UploadRequest,
    check_append,
    check_bare,
    check_creation,
    inconsistent_length,
    interim_fields,
    parse_upload_request,
    upload_fields,
)

FOLDER = "/~/uploads/"


def is_resumable(request: Request) -> bool:
    """Whether a request to an ordinary address begins a resumable upload."""
    fields = request.fields
    return (
        b"upload-complete" in fields or b"upload-draft-interop-version" in fields
    ) and parse_upload_request(fields, request.content_length).resumable


def limits_of(store: UploadStore) -> AnnouncedLimits:
    """What a client should know before it begins."""
    return AnnouncedLimits(max_size=store.limits.size, max_age=int(store.limits.expiry))


async def begin_upload(
    request: Request, response: Response, store: UploadStore, target: Target
) -> None:
    """Begin an upload to `target` with the body of `request`, which may be all of it.

    Raises `HTTPError` as `check_creation`, `UploadStore.create`, `Upload.append` and
    `Upload.finish` do. What came before the connection broke can be gone on with.
    """
    asked = parse_upload_request(request.fields, request.content_length)
    limits = limits_of(store)
    length = check_creation(asked, limits)
    checks = content_checks(request)
    upload = await store.create(
        Dialect.RESUMABLE,
        target,
        length=length,
        conditions=conditions_of(request),
        repr_digest=request.fields.get(b"repr-digest", b"").decode("latin-1"),
        owner=request.client,
    )
    location = FOLDER + upload.id
    announced = interim_fields(asked, location=location, limits=limits)
    if announced is not None:
        await response.inform(104, announced)
    async with upload.hold(request):
        await _receive(request, response, store, upload, asked, 0, checks)
    if upload.complete:
        await answer_complete(response, upload, upload_fields(asked.version, complete=True))
        return
    response.status = 201
    response.headers["location"] = location
    await _answer_incomplete(response, upload, asked, limits)


async def append_to_upload(
    request: Request, response: Response, store: UploadStore, upload: Upload
) -> None:
    """Add the body of a PATCH to `upload`.

    Raises `HTTPError` as `check_append`, `Upload.append` and `Upload.finish` do.
    """
    asked = parse_upload_request(request.fields, request.content_length)
    limits = limits_of(store)
    if not store.permissions.takes_files:
        raise HTTPError(403, "Nothing may be uploaded here.")
    if not upload.lasting:
        raise HTTPError(409, "This upload goes with the request that it came with.")
    checks = content_checks(request)
    async with upload.hold(request):
        offset = upload.offset
        length = check_append(
            asked, limits, offset=offset, length=upload.record.length, complete=upload.complete
        )
        if not upload.complete:
            if length != upload.record.length:
                upload.record.length = length
                await store.save(upload)
            await _receive(request, response, store, upload, asked, offset, checks)
    if upload.complete:
        await answer_complete(response, upload, upload_fields(asked.version, complete=True))
        return
    response.status = asked.version.appended
    await _answer_incomplete(response, upload, asked, limits)


async def tell_offset(
    request: Request, response: Response, store: UploadStore, upload: Upload
) -> None:
    """Answer a HEAD: how much of `upload` there is for good."""
    asked = parse_upload_request(request.fields, request.content_length)
    check_bare(asked)
    if upload.lasting:
        async with upload.hold():
            pass  # what an older request has brought is durable now, and it brings no more
    fields = upload_fields(
        asked.version,
        complete=upload.complete,
        offset=upload.offset,
        length=upload.record.length,
        limits=limits_of(store),
    )
    response.status = 204
    response.headers["cache-control"] = "no-store"
    for name, value in fields.items():
        response.headers[name] = value
    await response.end()


async def give_up_upload(
    request: Request, response: Response, store: UploadStore, upload: Upload
) -> None:
    """Answer a DELETE: `upload` and its bytes are gone, though not the file of a complete one."""
    check_bare(parse_upload_request(request.fields, request.content_length))
    if not (store.permissions.takes_files or store.permissions.delete):
        raise HTTPError(403, "Nothing may be removed here.")
    async with upload.hold():
        await store.remove(upload)
    response.status = 204
    await response.end()


async def _receive(
    request: Request,
    response: Response,
    store: UploadStore,
    upload: Upload,
    asked: UploadRequest,
    offset: int,
    checks: tuple[DigestCheck, ...],
) -> None:
    if request.content_length != 0:
        upload.explain(request.flow)
    async with _telling_progress(response, upload, asked):
        try:
            await upload.append(request, offset, checks=checks)
        except BeyondLengthError:
            await store.remove(upload)  # it is not to be trusted (Upload Append)
            raise inconsistent_length(asked.version, upload.offset) from None
    if not asked.completes:
        return
    if upload.record.length not in (None, upload.offset):
        raise inconsistent_length(asked.version, upload.offset)
    await upload.finish()


@asynccontextmanager
async def _telling_progress(
    response: Response, upload: Upload, asked: UploadRequest
) -> AsyncIterator[None]:
    """Send a 104 whenever more has become durable."""
    if not asked.interim or not asked.version.progress:
        yield
        return
    telling = asyncio.ensure_future(_tell_progress(response, upload, asked))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait({telling})  # a cancel of who waits here is not that of `telling`
    if not telling.cancelled():
        telling.result()


async def _tell_progress(response: Response, upload: Upload, asked: UploadRequest) -> None:
    told = upload.durable
    with suppress(DisconnectedError):
        while True:
            await upload.changed()
            if upload.durable > told:
                told = upload.durable
                fields = interim_fields(asked, offset=told)
                if fields is not None:
                    await response.inform(104, fields)


async def _answer_incomplete(
    response: Response, upload: Upload, asked: UploadRequest, limits: AnnouncedLimits
) -> None:
    fields = upload_fields(asked.version, complete=False, offset=upload.offset, limits=limits)
    for name, value in fields.items():
        response.headers[name] = value
    await response.end()
