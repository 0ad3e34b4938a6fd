"""The requests of tus: POST begins an upload, PATCH adds to it, HEAD tells how far it has come.

An upload is put under its name by whichever request finds that all of it is there. That is mostly
the PATCH with the last byte; it is a HEAD when that PATCH was lost behind its last byte, since a
client that sees the offset at the length asks for nothing more.

What the fields mean is in `fields`, how parts become one upload in `concatenation`; that the newest
request wins, and that what is told is on the disk, is in `Upload.hold`.
"""

from __future__ import annotations

from collections.abc import Collection

from riverrun.apps.uploads.plain import conditions_of
from riverrun.apps.uploads.record import Dialect
from riverrun.apps.uploads.refusals import BeyondLengthError, OffsetError, OvertakenError
from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.tus.capabilities import VERSION, open_to_origin, tell_options
from riverrun.apps.uploads.tus.concatenation import concatenate
from riverrun.apps.uploads.tus.fields import (
    ChecksumCheck,
    parse_checksum,
    parse_concatenation,
    parse_metadata,
    parse_new_length,
    parse_number,
    target_of,
    wants_other_name,
)
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError
from riverrun.http.dates import format_date
from riverrun.http.origins import check_origin
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.io.threads import to_its_end

MEDIA_TYPE = "application/offset+octet-stream"
FOLDER = "/~/tus/"

CREATION_METHODS = "OPTIONS, POST"
UPLOAD_METHODS = "OPTIONS, HEAD, PATCH, DELETE"


class Tus:
    """The uploads of tus into `store`.

    Pages of the origin `cors` may make them, ``*`` for all, and ours under one of `names`.
    """

    def __init__(
        self, store: UploadStore, *, cors: str | None = None, names: Collection[str] = ()
    ) -> None:
        self._store = store
        self._cors = cors
        self._names = names

    async def answer(self, request: Request, response: Response, segments: tuple[str, ...]) -> None:
        """Answer a request for what lies at `segments` below the address of creation.

        Raises `HTTPError` with the fields that tus wants in every answer.
        """
        response.headers["tus-resumable"] = VERSION
        if self._cors is not None:
            open_to_origin(response, self._cors)
        try:
            await self._answer(request, response, segments)
        except HTTPError as error:
            error.headers.setdefault("tus-resumable", VERSION)
            error.headers.setdefault("cache-control", "no-store")
            if error.status == 413 and self._store.limits.size is not None:
                error.headers["tus-max-size"] = str(self._store.limits.size)
            raise

    async def _answer(
        self, request: Request, response: Response, segments: tuple[str, ...]
    ) -> None:
        fields, limit = request.fields, self._store.limits.size
        allowed = UPLOAD_METHODS if segments else CREATION_METHODS
        method = fields.get(b"x-http-method-override", request.method.encode()).decode("latin-1")
        # A browser shows its page why it was refused only when it was let through to ask.
        preflight = method == "OPTIONS" and b"access-control-request-method" in fields
        if not (preflight or self._store.permissions.takes_files):
            raise HTTPError(403, "Nothing may be uploaded here.")
        if method == "OPTIONS":
            await tell_options(response, allow=allowed, max_size=limit, cors=self._cors)
            return
        if method != "HEAD":
            check_origin(request, self._cors, self._names)
        if method not in allowed.split(", "):
            raise HTTPError(405, headers={"allow": allowed})
        if fields.get(b"tus-resumable") != VERSION.encode():
            raise HTTPError(
                412, f"This is tus {VERSION}; say so.", headers={"tus-version": VERSION}
            )
        if not segments:
            await self._create(request, response)
            return
        upload = self._find(segments)
        if method == "HEAD":
            await self._tell_offset(response, upload)
        elif method == "PATCH":
            await self._append(request, response, upload)
        else:
            await self._terminate(response, upload)

    def _find(self, segments: tuple[str, ...]) -> Upload:
        upload = self._store.find("/".join(segments))
        if upload.record.dialect is not Dialect.TUS:
            raise HTTPError(404, "That upload is not one of tus.")
        return upload

    async def _create(self, request: Request, response: Response) -> None:
        fields = request.fields
        metadata = parse_metadata(fields.get(b"upload-metadata", b""))
        concatenation = parse_concatenation(fields.get(b"upload-concat"))
        details = {
            name: fields[name.encode()].decode("latin-1")
            for name in ("upload-metadata", "upload-concat")
            if fields.get(name.encode())
        }
        rename = wants_other_name(metadata)
        if concatenation is not None and concatenation.final:
            _check_bare(request)
            upload = await concatenate(
                self._store,
                concatenation.parts,
                target_of(metadata),
                owner=request.client,
                rename=rename,
                details=details,
            )
        else:
            length = parse_new_length(fields)
            checks = parse_checksum(fields.get(b"upload-checksum"))
            with_upload = request.content_length != 0
            if with_upload:
                _check_media_type(request)
            upload = await self._store.create(
                Dialect.TUS,
                target_of(metadata) if concatenation is None else (),
                length=length,
                conditions=conditions_of(request),
                owner=request.client,
                rename=rename,
                details=details,
            )
            if with_upload or length == 0:
                await self._receive_first(request, upload, checks)
            if with_upload:
                response.headers["upload-offset"] = str(upload.offset)
        response.status = 201
        response.headers["location"] = FOLDER + upload.id
        self._tell_expiry(response, upload)
        await response.end()

    async def _receive_first(
        self, request: Request, upload: Upload, checks: list[ChecksumCheck]
    ) -> None:
        async with upload.hold(request):
            try:
                await self._receive(request, upload, checks)
            except OvertakenError:
                raise
            except HTTPError:  # the client does not learn where the upload is
                await to_its_end(self._store.remove(upload))
                raise

    async def _append(self, request: Request, response: Response, upload: Upload) -> None:
        fields = request.fields
        if _is_final(upload):
            raise HTTPError(403, "An upload made of others is as long as they are.")
        _check_media_type(request)
        offset = parse_number(fields, b"upload-offset")
        if offset is None:
            raise HTTPError(400, "A PATCH wants Upload-Offset.")
        length = parse_number(fields, b"upload-length")
        checks = parse_checksum(fields.get(b"upload-checksum"))
        async with upload.hold(request):
            if offset != upload.offset:
                raise OffsetError(upload.offset, offset)
            if length is not None:
                await self._set_length(upload, length)
            await self._receive(request, upload, checks)
        response.status = 204
        response.headers["upload-offset"] = str(upload.offset)
        self._tell_expiry(response, upload)
        await response.end()

    async def _set_length(self, upload: Upload, length: int) -> None:
        record, limit = upload.record, self._store.limits.size
        if record.length == length:
            return
        if record.length is not None:
            raise HTTPError(400, f"The upload was said to have {record.length} bytes.")
        if length < upload.offset:
            raise HTTPError(400, f"{upload.offset} bytes have come already.")
        if limit is not None and length > limit:
            raise HTTPError(413, f"An upload may have {limit} bytes.")
        record.length = length
        await self._store.save(upload)

    async def _receive(self, request: Request, upload: Upload, checks: list[ChecksumCheck]) -> None:
        """Add the body to `upload`, and put it under its name when that was the rest of it."""
        offset, length = upload.offset, upload.record.length
        announced = request.content_length
        if length is not None and announced is not None and offset + announced > length:
            raise BeyondLengthError(length)
        if upload.complete:
            if await request.read():
                raise BeyondLengthError(offset)
            return
        if announced != 0:
            upload.explain(request.flow)
        await upload.append(request, offset, checks=checks)
        await _finish_if_whole(upload)

    async def _tell_offset(self, response: Response, upload: Upload) -> None:
        async with upload.hold():
            if not _is_final(upload):
                await _finish_if_whole(upload)
        headers, record = response.headers, upload.record
        headers["cache-control"] = "no-store"
        if upload.complete or not _is_final(upload):
            headers["upload-offset"] = str(upload.offset)
        if record.length is None:
            headers["upload-defer-length"] = "1"
        else:
            headers["upload-length"] = str(record.length)
        for name, value in record.details.items():
            headers[name] = value
        self._tell_expiry(response, upload)
        await response.end()

    async def _terminate(self, response: Response, upload: Upload) -> None:
        """The upload is known no more; a file that stands under its name stays."""
        async with upload.hold():
            await to_its_end(self._store.remove(upload))
        response.status = 204
        await response.end()

    def _tell_expiry(self, response: Response, upload: Upload) -> None:
        """When what has come is removed, unless it stands under its name."""
        if not (upload.complete and upload.record.target):
            response.headers["upload-expires"] = format_date(int(upload.record.expires))


async def _finish_if_whole(upload: Upload) -> None:
    if not upload.complete and upload.offset == upload.record.length:
        await upload.finish()


def _is_final(upload: Upload) -> bool:
    return str(upload.record.details.get("upload-concat", "")).startswith("final")


def _check_media_type(request: Request) -> None:
    value = request.fields.get(b"content-type", b"").decode("latin-1")
    if value.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise HTTPError(
            415, f"The body must be {MEDIA_TYPE}.", headers={"accept-patch": MEDIA_TYPE}
        )
    if b"content-encoding" in request.fields:
        raise HTTPError(415, "Send the file as it is, without a content coding.")


def _check_bare(request: Request) -> None:
    """Whether a request brings nothing but a list of parts."""
    if b"upload-length" in request.fields or b"upload-defer-length" in request.fields:
        raise HTTPError(400, "An upload made of others is as long as they are.")
    if request.content_length != 0:
        raise HTTPError(400, "An upload made of others has no bytes of its own.")
