"""Uploads that consist of others, sent in parallel (tus 1.0.0, Concatenation).

Parts have no place. When all of them are complete, one request makes the final upload of them, and
it stands under its name before that request is answered. Then the parts go. The answer may be lost,
so the same request made again is told of what it made the first time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riverrun.apps.uploads.placing import Target
from riverrun.apps.uploads.record import Dialect
from riverrun.apps.uploads.store import UploadStore
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError
from riverrun.io.threads import to_its_end

PARTIAL = "partial"


async def concatenate(
    store: UploadStore,
    ids: Sequence[str],
    target: Target | None,
    *,
    owner: str,
    rename: bool,
    details: Mapping[str, str],
) -> Upload:
    """The upload that consists of the parts `ids`, in their order, complete.

    Raises `HTTPError` 404 for a part that is not there, 400 for one that is none, 409 for one that
    is not complete, and as `UploadStore.create` and `Upload.finish` do. After an error the parts
    are as they were; after a cancel too, unless all was done.
    """
    try:
        parts = [_part(store, upload_id) for upload_id in ids]
        async with parts[0].hold():  # where the same request, made again, waits
            upload = await store.create(
                Dialect.TUS,
                target,
                length=sum(part.offset for part in parts),
                owner=owner,
                rename=rename,
                details=details,
            )
            await _make(store, upload, parts)
            return upload
    except HTTPError:
        made = _made_before(store, details)
        if made is None:
            raise
        return made


async def _make(store: UploadStore, upload: Upload, parts: Sequence[Upload]) -> None:
    try:
        async with upload.hold():
            await upload.concatenate(parts)
            await upload.finish()
    finally:
        used = parts if upload.complete else [upload]
        await to_its_end(_remove(store, used))


def _part(store: UploadStore, upload_id: str) -> Upload:
    part = store.find(upload_id)
    if part.record.details.get("upload-concat") != PARTIAL:
        raise HTTPError(400, "One of the uploads was not begun as a part.")
    if not part.complete:
        raise HTTPError(409, "One of the parts is not complete.")
    return part


def _made_before(store: UploadStore, details: Mapping[str, str]) -> Upload | None:
    for upload in store:
        if upload.complete and upload.record.details == details:
            return upload
    return None


async def _remove(store: UploadStore, uploads: Sequence[Upload]) -> None:
    for upload in dict.fromkeys(uploads):
        await store.remove(upload)
