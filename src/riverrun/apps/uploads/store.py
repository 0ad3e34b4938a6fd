"""The uploads of one folder: what has begun, what is complete, and where their bytes wait.

Below the folder, out of sight, lie the catalogue and one file for each unfinished upload. What the
catalogue does not know is removed when the store opens; what it knows is there again, however the
process ended.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from riverrun.apps.files.confinement import STORE_FOLDER, Root
from riverrun.apps.uploads.admission import check_details, check_target
from riverrun.apps.uploads.catalogue import Catalogue
from riverrun.apps.uploads.checks import repr_check
from riverrun.apps.uploads.clashes import free_name
from riverrun.apps.uploads.limits import Permissions, UploadLimits
from riverrun.apps.uploads.placing import (
    Located,
    Placed,
    Target,
    check_place,
    check_way,
    look_up,
    place,
    remove,
)
from riverrun.apps.uploads.record import Dialect, Record, UploadState
from riverrun.apps.uploads.refusals import telling_of_a_full_disk
from riverrun.apps.uploads.shelf import Shelf
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError
from riverrun.io.partial_file import PartialFile
from riverrun.io.threads import in_thread, to_its_end

SWEEP_SECONDS = 60.0
NOTHING: Mapping[str, str] = {}  # one for all: ten thousand uploads have no conditions

CompleteHook = Callable[[Upload], Awaitable[None]]


class UploadStore:
    """The uploads into the folder `root`.

    `on_complete` is awaited with each upload that has come to stand under its name, before its
    client is answered. Raises `OSError` or `sqlite3.Error` when the folder cannot be written,
    `BlockingIOError` when another process has it.
    """

    def __init__(
        self,
        root: Root,
        *,
        permissions: Permissions,
        limits: UploadLimits,
        on_complete: CompleteHook | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.root = root
        self.permissions = permissions
        self.limits = limits
        self._on_complete = on_complete
        self.now = now
        self._shelf = Shelf(root)
        self._catalogue = Catalogue(os.path.join(root.path, STORE_FOLDER, "uploads.db"))  # noqa: PTH118
        self._uploads: dict[str, Upload] = {}
        self._by_target: dict[Target, Upload] = {}
        self._remembered: dict[str, Upload] = {}  # those that stand under their names, oldest first
        # Between a condition and what depends on it nothing may change.
        self._placing = asyncio.Lock()
        self._sweeping: asyncio.TimerHandle | None = None
        self._sweep: asyncio.Task[None] | None = None
        self._recover()

    def start(self) -> None:
        """Remove what expires from now on, and what has; from the event loop."""
        self._sweep_later()

    def __iter__(self) -> Iterator[Upload]:
        """All of them, in the order in which they began."""
        return iter(tuple(self._uploads.values()))

    def find(self, upload_id: str) -> Upload:
        """The upload of this id; raises `HTTPError` 404 if there is none."""
        self._sweep_later()
        upload = self._uploads.get(upload_id)
        if upload is None or self._has_expired(upload):
            raise HTTPError(404, "There is no such upload, or it has expired.")
        return upload

    def receiving(self, target: Target) -> Upload | None:
        """The newest upload that is to stand at `target` and does not yet."""
        self._sweep_later()
        return self._by_target.get(target)

    async def create(
        self,
        dialect: Dialect,
        target: Target | None,
        *,
        length: int | None = None,
        conditions: Mapping[str, str] | None = None,
        repr_digest: str = "",
        owner: str = "",
        lasting: bool = True,
        rename: bool = False,
        details: Mapping[str, Any] | None = None,
    ) -> Upload:
        """Begin an upload of `length` bytes to `target`, or to no place at all if that is empty.

        Without a `target` the file is named as the upload is; with `rename` it takes a free name
        when another file has that one. A `lasting` upload is in the catalogue when this returns,
        and can be resumed.

        Raises `HTTPError`: 400 for what is no name, 403, 409 and 412 as `check_place` does, 413 and
        507 when `length` bytes are too many, 429 when too many are unfinished.
        """
        upload_id = secrets.token_hex(16)
        target = (upload_id,) if target is None else target
        check_target(target)
        if target and rename:
            target = await self._free_name(target, taken=self._by_target)
        if length is not None and self.limits.size is not None and length > self.limits.size:
            raise HTTPError(413, f"An upload may have {self.limits.size} bytes.")
        conditions = conditions or NOTHING
        if target:
            status = look_up(self.root, target)
            if status is None:
                check_way(self.root, target)
            check_place(status, target, self.permissions, conditions)
        self._check_number()
        check_details(conditions, repr_digest, details or NOTHING)
        self.check_room(length or 0)
        if repr_digest:
            repr_check(repr_digest)  # refuses it now if it is none
        now = self.now()
        record = Record(
            id=upload_id,
            dialect=dialect,
            target=target,
            length=length,
            created=now,
            expires=now + self.limits.expiry,
            owner=owner,
            conditions=conditions,
            repr_digest=repr_digest,
            rename=rename,
            details=details or NOTHING,
        )
        upload = Upload(self, record, lasting=lasting)
        self._uploads[record.id] = upload
        if target:
            self._by_target[target] = upload
        try:
            with telling_of_a_full_disk:
                self._shelf.open(upload.id, lasting=False).close()  # it can be read from now on
            await self.save(upload)
        except BaseException:
            await to_its_end(self.remove(upload))
            raise
        self._sweep_later()
        return upload

    async def save(self, upload: Upload) -> None:
        """Make changes to the record of `upload` last."""
        if upload.lasting:
            await self._catalogue.save(upload.record)

    async def remove(self, upload: Upload) -> None:
        """Let go of an upload and of its bytes, unless it is complete: then of its record only.

        Whoever calls it holds the upload, or nobody can. Raises `HTTPError` 503 and 507 when it
        cannot be forgotten; it is still there then.
        """
        if upload.lasting:  # first, or a crash would leave it known, and without its bytes
            try:
                await self._catalogue.remove(upload.id)
            except HTTPError as error:
                if error.status != 507 or upload.stands:
                    raise
                await in_thread(partial(self._shelf.truncate, upload.id, 0))  # that makes room
                await self._catalogue.remove(upload.id)
        self._uploads.pop(upload.id, None)
        self._remembered.pop(upload.id, None)
        self._forget_target(upload)
        if not upload.stands:
            upload.record.state = UploadState.GONE
            upload.forget_file()
            await in_thread(partial(self._shelf.remove, upload.id))
        upload.notify()

    async def finish(self, upload: Upload, file: PartialFile) -> None:
        """Verify all of `file`, and put it under its name; see `Upload.finish`."""
        record = upload.record
        if record.repr_digest:
            check = repr_check(record.repr_digest)
            await file.feed(check)
            check.verify()
        upload.durable = await file.sync()
        record.length = file.size
        if not record.target:  # still to be used, as a part of another
            record.state = UploadState.COMPLETE
            record.expires = self.now() + self.limits.expiry
            await self.save(upload)
            return
        record.state = UploadState.COMPLETING
        try:
            await self.save(upload)
            upload.placed = await self._place(upload)
        except BaseException:
            record.state = UploadState.RECEIVING
            raise
        upload.forget_file()
        record.state = UploadState.COMPLETE
        record.expires = self.now() + self.limits.memory
        self._forget_target(upload)
        with suppress(HTTPError, sqlite3.Error):
            await self.save(upload)  # it stands: if this fails, a start finds that out
        await self._remember(upload)
        if self._on_complete is not None:
            await self._on_complete(upload)

    async def delete(
        self, target: Target, conditions: Mapping[str, str], *, folder: bool = False
    ) -> None:
        """Remove the file, or the empty folder, at `target`. Raises as `placing.remove` does."""
        async with self._placing:
            await in_thread(
                partial(remove, self.root, target, self.permissions, conditions, folder=folder)
            )

    def check_room(self, length: int) -> None:
        """Raise `HTTPError` 507 unless `length` bytes more leave the disk what it is to have."""
        if self._shelf.free_bytes() - length < self.limits.free_space:
            raise HTTPError(507, "There is not enough room on the disk.")

    def stored_size(self, upload: Upload) -> int:
        """How many bytes of an upload lie in the store; for a complete one, how many it had."""
        if upload.complete and upload.record.length is not None:
            return upload.record.length
        status = self._shelf.status(upload.id)
        return 0 if status is None else status.st_size

    def open_partial(self, upload: Upload) -> PartialFile:
        """Open the file that an upload grows in."""
        return self._shelf.open(upload.id, lasting=upload.lasting)

    def open_to_read(self, upload: Upload) -> int:
        """A descriptor of that file, which is then the caller's; `FileNotFoundError` without."""
        return self._shelf.open_to_read(upload.id)

    async def sweep(self) -> None:
        """Remove what has expired."""
        for upload in self:
            if self._has_expired(upload):
                with suppress(HTTPError):  # gone meanwhile, or the disk is full: the next sweep
                    async with upload.hold():
                        await self.remove(upload)

    def close(self) -> None:
        """Let go of the catalogue; unfinished uploads can be resumed when it is opened again.

        Twice is once.
        """
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._catalogue.close()
        self._shelf.close()

    async def _place(self, upload: Upload) -> Placed:
        async with self._placing:
            if upload.record.rename:
                await self._rename(upload)
            record = upload.record
            source = Located(self._shelf.descriptor, upload.id)
            return await in_thread(
                partial(
                    place, source, self.root, record.target, self.permissions, record.conditions
                )
            )

    async def _remember(self, upload: Upload) -> None:
        """Keep what is known of an upload that stands, and of so many others."""
        if not upload.lasting:
            self._uploads.pop(upload.id, None)
            return
        self._remembered[upload.id] = upload
        while len(self._remembered) > self.limits.remembered:
            oldest = next(iter(self._remembered.values()))
            self._remembered.pop(oldest.id)
            self._uploads.pop(oldest.id, None)
            with suppress(HTTPError, sqlite3.Error):
                await self._catalogue.remove(oldest.id)

    async def _rename(self, upload: Upload) -> None:
        """Take a free name if a file has come to stand under the one that was free."""
        record = upload.record
        target = await self._free_name(record.target)
        if target != record.target:
            self._forget_target(upload)
            record.target = target
            await self.save(upload)

    async def _free_name(self, target: Target, taken: Container[Target] = ()) -> Target:
        return await in_thread(partial(free_name, self.root, target, taken))

    def _check_number(self) -> None:
        if len(self._uploads) - len(self._remembered) >= self.limits.unfinished:
            raise HTTPError(429, "Too many uploads are unfinished.", headers={"retry-after": "60"})

    def _forget_target(self, upload: Upload) -> None:
        if self._by_target.get(upload.record.target) is upload:
            del self._by_target[upload.record.target]

    def _has_expired(self, upload: Upload) -> bool:
        return not upload.held and upload.record.expires <= self.now()

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            loop = asyncio.get_running_loop()
            self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweeping = None
        self._sweep = asyncio.ensure_future(self.sweep())
        self._sweep_later()

    def _recover(self) -> None:
        """Load the catalogue; settle what a crash left between two states."""
        unknown = set(self._shelf.names())
        for record in self._catalogue.load():
            upload = Upload(self, record, lasting=True)
            unknown.discard(record.id)
            if record.state is UploadState.COMPLETING:
                self._settle(upload)
            if record.unverified_from is not None:
                self._shelf.truncate(record.id, record.unverified_from)
                record.unverified_from = None
            if not upload.complete:
                status = self._shelf.status(record.id)
                if status is not None:  # it lives from its last byte
                    record.expires = max(record.expires, status.st_mtime + self.limits.expiry)
            self._uploads[record.id] = upload
            if upload.stands:
                self._remembered[record.id] = upload
            elif record.target:
                self._by_target[record.target] = upload
        for name in unknown:
            self._shelf.remove(name)

    def _settle(self, upload: Upload) -> None:
        """It was being placed: it was, if its own file has gone, or has that name too."""
        waits = self._shelf.status(upload.id)
        stands = look_up(self.root, upload.record.target)
        if waits is not None and (stands is None or not os.path.samestat(waits, stands)):
            upload.record.state = UploadState.RECEIVING
            return
        self._shelf.remove(upload.id)
        upload.record.state = UploadState.COMPLETE
