"""A folder that can be written, as a handler: what is read goes to `Files`, what changes it here.

Which dialect a request speaks is told by its method, its address and a few fields; beneath all of
them is one store. The addresses below ``/~/`` are the dialects' own; no file has them.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from riverrun.apps.files import Files
from riverrun.apps.files.confinement import STORE_FOLDER
from riverrun.apps.files.listing import Enhancement
from riverrun.apps.files.missing import not_found
from riverrun.apps.uploads.form import store_form
from riverrun.apps.uploads.growing import send_growing
from riverrun.apps.uploads.limits import Permissions, UploadLimits
from riverrun.apps.uploads.overview import send_entry, send_overview
from riverrun.apps.uploads.plain import delete_file, put_file
from riverrun.apps.uploads.resumable import (
    append_to_upload,
    begin_upload,
    give_up_upload,
    is_resumable,
    limits_of,
    tell_offset,
)
from riverrun.apps.uploads.store import CompleteHook, UploadStore
from riverrun.apps.uploads.tus import Tus
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError
from riverrun.http.origins import check_origin, check_reader, own_names
from riverrun.http.repeats import Repeat
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.resumable_uploads import PARTIAL_UPLOAD
from riverrun.http.targets import Target

OWN: Final = "~"
READING_METHODS: Final = ("GET", "HEAD")
UPLOADS: Final = "uploads"
TUS: Final = "tus"


class Uploads:
    """Serves the folder `root`, to be read and changed as `permissions` say.

    GET and HEAD are those of `Files`, which `hidden`, `cors` and `enhancement` are for; a file that
    is still being uploaded can be read as it grows. PUT stores a file, DELETE removes one; see the
    guide for forms, tus and resumable uploads. Pages change something under an address or a name
    that is only known here, or one of `names`, or if `cors` is their origin. `on_complete` is
    awaited with each upload that has come to stand under its name, before its client is answered.

    Raises `OSError` when `root` is no folder that can be written, `BlockingIOError` when another
    process takes uploads into it.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        permissions: Permissions | None = None,
        limits: UploadLimits | None = None,
        hidden: bool = False,
        cors: str | None = None,
        enhancement: Callable[[], Enhancement] | None = None,
        names: Collection[str] = (),
        on_complete: CompleteHook | None = None,
    ) -> None:
        permissions = permissions or Permissions(upload=True)
        self._files = Files(
            root,
            hidden=hidden,
            cors=cors,
            changes=_methods_of(permissions),
            enhancement=enhancement,
        )
        self._hidden = hidden
        self._cors = cors
        self._names = own_names(names, cors)
        self.store = UploadStore(
            self._files.root,
            permissions=permissions,
            limits=limits or UploadLimits(),
            on_complete=on_complete,
        )
        self._tus = Tus(self.store, cors=cors, names=self._names)

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer; reading costs what it costs without uploads."""
        if request.method in READING_METHODS and not _may_be_own(request.target):
            return self._read(request, response)
        return self._answer(request, response)

    def repeat(self, request: Request) -> Repeat | None:
        """What `Files` says of what it has; see `Repeatable`."""
        if request.method not in READING_METHODS or _may_be_own(request.target):
            return None
        return self._files.repeat(request)

    def start(self) -> None:
        """From now on what expires is removed; see `riverrun.http.handler.Startable`."""
        self._files.start()
        self.store.start()

    def stop(self) -> None:
        """The server stops; see `riverrun.http.handler.Stoppable`."""
        self._files.stop()

    def close(self) -> None:
        """Let go of the store; unfinished uploads can be resumed when it is opened again."""
        self.store.close()

    def _read(self, request: Request, response: Response) -> Awaitable[None]:
        try:
            return self._files(request, response)
        except HTTPError as error:
            if error.status != 404:
                raise
            return self._read_growing(request, response, error)

    async def _read_growing(self, request: Request, response: Response, missing: HTTPError) -> None:
        segments = request.url.segments
        upload = self.store.receiving(segments) if self._may_be_named(segments) else None
        if upload is None:
            raise missing
        await send_growing(request, response, self.store, upload)

    def _answer(self, request: Request, response: Response) -> Awaitable[None]:
        # No coroutine of its own: a thousand slow senders would wait in it.
        target = request.url
        segments = target.segments
        if request.method not in (*READING_METHODS, "OPTIONS"):
            check_origin(request, self._cors, self._names)
        if segments[:1] == (OWN,):
            return self._answer_own(request, response, target)
        if request.method in READING_METHODS:
            return self._read(request, response)
        if not self._may_be_named(segments):
            raise HTTPError(403, "A name may not begin with a dot here.")
        return self._change(request, response, target)

    def _change(self, request: Request, response: Response, target: Target) -> Awaitable[None]:
        permissions = self.store.permissions
        match request.method:
            case "PUT" | "POST" if permissions.takes_files and is_resumable(request):
                return begin_upload(request, response, self.store, _file_of(target))
            case "POST" if permissions.takes_files:
                return store_form(request, response, self.store, target.segments)
            case "PUT" if permissions.takes_files:
                return put_file(request, response, self.store, _file_of(target))
            case "DELETE" if permissions.delete:
                return delete_file(request, response, self.store, target)
            case _:
                if permissions.takes_files:
                    response.headers["upload-limit"] = limits_of(self.store).render()
                    response.headers["accept-patch"] = PARTIAL_UPLOAD
                return self._files(request, response)

    async def _answer_own(self, request: Request, response: Response, target: Target) -> None:
        match target.segments[1:]:
            case (name,) if name == UPLOADS:
                self._only_reading(request)
                if self._cors != "*":
                    check_reader(request, self._names)  # whoever knows an id may go on with it
                await send_overview(request, response, self.store)
            case (name, *below) if name == TUS:
                await self._tus.answer(request, response, tuple(below))
            case (name, upload_id) if name == UPLOADS:
                await self._answer_upload(request, response, self.store.find(upload_id))
            case _:
                accept = request.fields.get(b"accept")
                raise not_found(self._files.root, target, accept=accept, hidden=self._hidden)

    async def _answer_upload(self, request: Request, response: Response, upload: Upload) -> None:
        match request.method:
            case "GET":
                await send_entry(request, response, upload)
            case "HEAD":
                await tell_offset(request, response, self.store, upload)
            case "PATCH":
                await append_to_upload(request, response, self.store, upload)
            case "DELETE":
                await give_up_upload(request, response, self.store, upload)
            case _:
                raise HTTPError(405, headers={"allow": "GET, HEAD, PATCH, DELETE"})

    def _only_reading(self, request: Request) -> None:
        if request.method not in READING_METHODS:
            raise HTTPError(405, headers={"allow": "GET, HEAD"})

    def _may_be_named(self, segments: tuple[str, ...]) -> bool:
        """Whether uploads may have this name: nothing out of sight, nor of ours."""
        if segments and segments[0].lower() == STORE_FOLDER:  # some file systems fold case
            return False
        return self._hidden or not any(name.startswith(".") for name in segments)


def _methods_of(permissions: Permissions) -> tuple[str, ...]:
    """What ordinary addresses can be asked to change."""
    methods: tuple[str, ...] = ()
    if permissions.takes_files:
        methods += ("PUT", "POST")
    if permissions.delete:
        methods += ("DELETE",)
    return methods


def _file_of(target: Target) -> tuple[str, ...]:
    if target.trailing_slash or not target.segments:
        raise HTTPError(409, "A folder is no file; give it a name.")
    return target.segments


def _may_be_own(raw_target: bytes) -> bool:
    """Whether a target may lead below ``/~/``: quick, and true rather too often."""
    return b"~" in raw_target or b"%7" in raw_target
