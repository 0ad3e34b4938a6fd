"""The uploads of one folder: what has begun, what is complete, and where their bytes wait.

Below the folder, out of sight, lie the catalogue and one file for each unfinished upload. What the
catalogue does not know is removed when the store opens; what it knows is there again, however the
process ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping
from contextlib import suppress
from typing import Any

from riverrun.apps.files.confinement import Root
from riverrun.apps.uploads.catalogue import Catalogue
from riverrun.apps.uploads.checks import DigestCheck
from riverrun.apps.uploads.clashes import NAME_SIZE, free_name
from riverrun.apps.uploads.limits import Permissions, UploadLimits
from riverrun.apps.uploads.partial_file import PartialFile
from riverrun.apps.uploads.placing import Placed, Target, check_place, look_up, place
from riverrun.apps.uploads.record import Dialect, Record, UploadState
from riverrun.apps.uploads.upload import Upload
from riverrun.errors import HTTPError

STORE_FOLDER = ".riverrun"
SWEEP_SECONDS = 60.0
RESERVED = (("~",), (STORE_FOLDER,))  # at the top: addresses that are not files, and the store

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
        self._folder = os.path.join(root.path, STORE_FOLDER, "uploads")  # noqa: PTH118
        os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103
        self._lock = _lock(os.path.join(root.path, STORE_FOLDER, "lock"))  # noqa: PTH118
        self._catalogue = Catalogue(os.path.join(root.path, STORE_FOLDER, "uploads.db"))  # noqa: PTH118
        self._uploads: dict[str, Upload] = {}
        self._by_target: dict[Target, Upload] = {}
        self._placing: asyncio.Lock | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._recover()

    def __iter__(self) -> Iterator[Upload]:
        """All of them, in the order in which they began."""
        return iter(tuple(self._uploads.values()))

    def find(self, upload_id: str) -> Upload:
        """The upload of this id; raises `HTTPError` 404 if there is none."""
        upload = self._uploads.get(upload_id)
        if upload is None or self._has_expired(upload):
            raise HTTPError(404, "There is no such upload, or it has expired.")
        return upload

    def receiving(self, target: Target) -> Upload | None:
        """The newest upload that is to stand at `target` and does not yet."""
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
        self._check_target(target)
        if target and rename:
            target = await self._free_name(target, taken=self._by_target)
        if length is not None and self.limits.size is not None and length > self.limits.size:
            raise HTTPError(413, f"An upload may have {self.limits.size} bytes.")
        conditions = dict(conditions or {})
        if target:
            check_place(look_up(self.root, target), target, self.permissions, conditions)
        self._check_number()
        self.check_room(length or 0)
        if repr_digest:
            DigestCheck(
                "Repr-Digest", repr_digest.encode("latin-1")
            )  # refuse it now if it is wrong
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
            details=dict(details or {}),
        )
        upload = Upload(self, record, lasting=lasting)
        if lasting:
            await self._catalogue.save(record)
        self._uploads[record.id] = upload
        if target:
            self._by_target[target] = upload
        self._sweep_later()
        return upload

    async def save(self, upload: Upload) -> None:
        """Make changes to the record of `upload` last."""
        if upload.lasting:
            await self._catalogue.save(upload.record)

    async def remove(self, upload: Upload) -> None:
        """Let go of an upload and of its bytes, unless it is complete: then of its record only."""
        has_bytes = not (upload.complete and upload.record.target)
        if has_bytes:
            upload.record.state = UploadState.GONE
            upload.forget_file()
        self._uploads.pop(upload.id, None)
        self._forget_target(upload)
        upload.notify()
        if upload.lasting:  # first, or a crash would leave it known, and without its bytes
            await self._catalogue.remove(upload.id)
        if has_bytes:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, _unlink, self._path(upload))

    async def finish(self, upload: Upload, file: PartialFile) -> None:
        """Verify all of `file`, and put it under its name; see `Upload.finish`."""
        record = upload.record
        if record.repr_digest:
            check = DigestCheck("Repr-Digest", record.repr_digest.encode("latin-1"))
            await file.feed(check)
            check.verify()
        upload.durable = await file.sync()
        record.length = file.size
        if record.target:
            record.state = UploadState.COMPLETING
            try:
                await self.save(upload)
                upload.placed = await self._place(upload)
            except BaseException:
                record.state = UploadState.RECEIVING
                raise
            upload.forget_file()
        record.state = UploadState.COMPLETE
        # One without a place is still to be used, as a part of another.
        lives = self.limits.memory if record.target else self.limits.expiry
        record.expires = self.now() + lives
        await self.save(upload)
        self._forget_target(upload)
        if not upload.lasting:
            self._uploads.pop(upload.id, None)
        if record.target and self._on_complete is not None:
            await self._on_complete(upload)

    def check_room(self, length: int) -> None:
        """Raise `HTTPError` 507 unless `length` bytes more leave the disk what it is to have."""
        status = os.statvfs(self._folder)
        free = status.f_bavail * status.f_frsize
        if free - length < self.limits.free_space:
            raise HTTPError(507, "There is not enough room on the disk.")

    def stored_size(self, upload: Upload) -> int:
        """How many bytes of an upload lie in the store; for a complete one, how many it had."""
        if upload.complete and upload.record.length is not None:
            return upload.record.length
        try:
            return os.stat(self._path(upload)).st_size  # noqa: PTH116
        except FileNotFoundError:
            return 0

    def open_partial(self, upload: Upload) -> PartialFile:
        """Open the file that an upload grows in."""
        return PartialFile(self._path(upload), lasting=upload.lasting)

    def open_to_read(self, upload: Upload) -> int:
        """A descriptor of that file, which is then the caller's; `FileNotFoundError` without."""
        return os.open(self._path(upload), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    async def sweep(self) -> None:
        """Remove what has expired."""
        for upload in self:
            if self._has_expired(upload) and not upload.receiving:
                await self.remove(upload)

    def close(self) -> None:
        """Let go of the catalogue; unfinished uploads can be resumed when it is opened again.

        Twice is once.
        """
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._catalogue.close()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    async def _place(self, upload: Upload) -> Placed:
        if self._placing is None:
            self._placing = asyncio.Lock()
        async with self._placing:  # between a condition and what depends on it nothing may change
            if upload.record.rename:
                await self._rename(upload)
            placing = asyncio.get_running_loop().run_in_executor(
                None,
                place,
                self._path(upload),
                self.root,
                upload.record.target,
                self.permissions,
                upload.record.conditions,
            )
            return await asyncio.shield(placing)

    async def _rename(self, upload: Upload) -> None:
        """Take a free name if a file has come to stand under the one that was free."""
        record = upload.record
        target = await self._free_name(record.target)
        if target != record.target:
            self._forget_target(upload)
            record.target = target
            await self.save(upload)

    async def _free_name(self, target: Target, taken: Container[Target] = ()) -> Target:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, free_name, self.root, target, taken)

    def _path(self, upload: Upload) -> str:
        return os.path.join(self._folder, upload.id)  # noqa: PTH118

    def _check_target(self, target: Target) -> None:
        if any(not name or "/" in name or "\0" in name or name in (".", "..") for name in target):
            raise HTTPError(400, "That is not a name for a file.")
        if any(len(os.fsencode(name)) > NAME_SIZE for name in target):
            raise HTTPError(400, "That name is too long.")
        if target[:1] in RESERVED:
            raise HTTPError(403, "That name is the server's own.")

    def _check_number(self) -> None:
        limit = self.limits.unfinished
        if len(self._uploads) < limit:
            return
        if sum(not upload.complete for upload in self._uploads.values()) >= limit:
            raise HTTPError(429, "Too many uploads are unfinished.", headers={"retry-after": "60"})

    def _forget_target(self, upload: Upload) -> None:
        if self._by_target.get(upload.record.target) is upload:
            del self._by_target[upload.record.target]

    def _has_expired(self, upload: Upload) -> bool:
        return not upload.receiving and upload.record.expires <= self.now()

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            loop = asyncio.get_running_loop()
            self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweeping = None
        self._task = asyncio.ensure_future(self.sweep())
        if self._uploads:
            self._sweep_later()

    def _recover(self) -> None:
        """Load the catalogue; settle what a crash left between two states."""
        with os.scandir(self._folder) as entries:
            stored = {entry.name: entry.stat().st_mtime for entry in entries}
        for record in self._catalogue.load():
            upload = Upload(self, record, lasting=True)
            if record.state is UploadState.COMPLETING:
                self._settle(upload, stored=record.id in stored)
            elif not upload.complete and record.id in stored:  # it lives from its last byte
                record.expires = max(record.expires, stored[record.id] + self.limits.expiry)
            self._uploads[record.id] = upload
            if record.target and not upload.complete:
                self._by_target[record.target] = upload
            stored.pop(record.id, None)
        for name in stored:
            _unlink(os.path.join(self._folder, name))  # noqa: PTH118

    def _settle(self, upload: Upload, *, stored: bool) -> None:
        """It was being placed: it was, if its own file has gone, or has its second name."""
        path = self._path(upload)
        if stored and os.stat(path).st_nlink == 1:  # noqa: PTH116
            upload.record.state = UploadState.RECEIVING
            return
        if stored:
            os.unlink(path)  # noqa: PTH108
        upload.record.state = UploadState.COMPLETE


def _lock(path: str) -> int:
    """Keep other processes away from the store for as long as the descriptor is open."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108
