"""A file here as a file on a server, over as many connections and runs as it takes.

A server of the IETF's resumable uploads is asked for an upload resource first, and its address is
remembered before the first byte is sent; from then on the offset is the server's to tell. A small
file is sent at once, as one request, and gets a resource only if that is cut. Any other server gets
a plain PUT.

Asking such a server for a resource is a PUT without content to it, which empties the file. So
unless the server has announced resumable uploads, it is asked on the condition that there is no
file yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from riverrun.client.appending import Appending
from riverrun.client.errors import DigestError, LostError, RefusalError
from riverrun.client.fields import WANT_REPR_DIGEST, UploadLimits, write_digest
from riverrun.client.occupied import is_there
from riverrun.client.pieces import Pieces
from riverrun.client.progress import SILENT, Progress, Stage
from riverrun.client.records import Record, Upload, default_folder, remove_expired
from riverrun.client.session import Attempts, Session, borrow, parse_address, refusal
from riverrun.client.sources import Source
from riverrun.client.upload_resource import (
    ProcessingError,
    Standing,
    announces,
    cancel,
    create,
    read_standing,
    version_fields,
)
from riverrun.client.versions import read_size
from riverrun.http.media_types import media_type_of
from riverrun.io.threads import in_thread

SENT_AT_ONCE = 1024 * 1024
NOT_THERE = (404, 410)
UNDERSTOOD = frozenset((401, 402, 403, 404, 405, 407, 409, 410, 413, 414, 451, 507))
"""Refusals of the file, not of the way that it is sent: a plain PUT would get them too."""

MOST_FORGOTTEN = 3
"""How often a server may lose an upload before we do not believe that it keeps any."""


class Check(Enum):
    """What is known of the bytes that arrived."""

    VERIFIED = "the server gives their digest, and it is that of the file"
    GIVEN = "the server was given the digest of the file, and says that all is well"
    UNKNOWN = "the server does not tell"


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How files are sent."""

    overwrite: bool = True
    """Whether a file that is there is replaced; else it is refused with 412."""

    piece_size: int | None = None
    """At most so many bytes in one request. None: all, unless the server has a limit."""

    records: Path | None = None
    """The folder of what is remembered of uploads; None is `records.default_folder`."""

    keep_records: bool = False
    """Whether a complete upload is remembered too, so that it is not sent again."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that is on the server: `size` in bytes, `resumed_at` where this run went on.

    `lost` is how many connections were lost on the way; `already` is whether an earlier run had
    sent it, or another program; `resumable` whether the server takes resumable uploads.
    """

    url: str
    size: int
    check: Check
    resumed_at: int = 0
    lost: int = 0
    already: bool = False
    resumable: bool = True


async def upload(
    path: str | os.PathLike[str],
    url: str,
    *,
    progress: Progress = SILENT,
    session: Session | None = None,
    options: UploadOptions | None = None,
) -> Uploaded:
    """Send the file at `path` to be the file at `url`.

    Positions told to `progress` are in bytes. An upload that an earlier call has begun, of this
    program or another, goes on from where it stands, if neither the file nor the address is
    another by now.

    Raises `RefusalError` when the server will not take it, `ExistsError` when another file stands
    there that is to stay, `LostError` when it cannot be reached any more, `DigestError` when other
    bytes have arrived, `ChangedError` when the file is written to meanwhile, `BusyError` when
    another program sends it there, `OSError` when it cannot be read. After `LostError` and after a
    cancel the next call goes on.
    """
    options = options or UploadOptions()
    target = str(parse_address(url))
    folder = options.records or default_folder()
    path = await in_thread(Path(path).resolve)
    async with borrow(session) as asked:
        with Source(path) as source:
            await in_thread(lambda: remove_expired(folder))
            with await in_thread(lambda: Record(folder, os.fspath(path), target)) as record:
                return await _Uploading(source, target, record, asked, progress, options).run()


class _Uploading:
    """One run of one upload."""

    def __init__(
        self,
        source: Source,
        target: str,
        record: Record,
        session: Session,
        progress: Progress,
        options: UploadOptions,
    ) -> None:
        self._source = source
        self._target = target
        self._record = record
        self._session = session
        self._progress = progress
        self._options = options
        self._attempts = Attempts(session.patience, progress)
        self._pieces = Pieces(source.size, options.piece_size)
        self._at_once = source.size <= SENT_AT_ONCE and self._pieces.whole
        self._forgotten = 0
        self._stood = False  # whether these bytes stood there before any of them was sent

    async def run(self) -> Uploaded:
        """Send what is missing."""
        upload = await self._recall()
        if upload is None:
            self._progress.begin(Stage.READING, 0, self._source.size)
            digest = await self._source.digest(self._progress.at)
            path = os.fspath(self._source.path)
            upload = Upload(path, self._source.identity, self._target, digest)
        elif upload.done:
            return Uploaded(self._target, self._source.size, Check.UNKNOWN, already=True)
        is_new = upload.resource is None
        appending = Appending(
            self._source, self._pieces, self._attempts, self._session, self._progress
        )
        while True:
            if upload.resource is None:
                answer = await self._begin(upload)
                if answer is not None:
                    return await self._conclude(
                        upload, answer, resumable=answer.speaks, already=self._stood
                    )
            assert upload.resource is not None
            try:
                answer = await appending.run(upload.resource, is_new=is_new)
                return await self._conclude(upload, answer, resumed_at=appending.began_at)
            except ProcessingError:
                self._record.forget()
                raise
            except RefusalError as error:
                self._forgotten += 1
                if error.status not in NOT_THERE or self._forgotten > MOST_FORGOTTEN:
                    raise
            self._progress.say("the server has the upload no more; begins anew")
            self._record.forget()
            upload.resource = None
            is_new = True

    async def _recall(self) -> Upload | None:
        """The upload that an earlier run has begun, if it is still of use."""
        upload = self._record.upload
        if upload is None:
            return None
        self._pieces.limit(UploadLimits(None, upload.max_append_size, upload.min_append_size))
        if upload.file == self._source.identity:
            if not upload.done or await self._is_there(upload):
                return upload
        elif not upload.done:
            self._progress.say("the file has changed since; begins anew")
            if upload.resource is not None:
                await cancel(upload.resource, self._session)
        self._record.forget()
        return None

    async def _is_there(self, upload: Upload) -> bool:
        """Whether the file that was sent is still what the server has."""
        try:
            async with self._session.request("HEAD", self._target) as answer:
                headers = answer.headers
                return (
                    answer.status_code == 200
                    and read_size(headers) == self._source.size
                    and (upload.etag is None or headers.get("etag") == upload.etag)
                )
        except LostError:
            return False

    async def _begin(self, upload: Upload) -> Standing | None:
        """Get an upload resource and remember it; or send all and return the answer."""
        while True:
            try:
                return await self._begin_once(upload)
            except RefusalError as error:
                size, digest = self._source.size, upload.digest
                if await is_there(error, self._target, self._session, size=size, digest=digest):
                    # Perhaps what seemed lost had been taken, and only its answer was lost.
                    self._stood = not self._attempts.lost
                    return Standing(None, True, UploadLimits(), digest)
                await self._attempts.wait(error)
            except LostError as error:
                await self._attempts.wait(error)

    async def _begin_once(self, upload: Upload) -> Standing | None:
        if self._at_once:
            self._at_once = False
            try:
                return await self._put(upload, Stage.SENDING)
            except RefusalError as error:
                if error.status != 413:
                    raise
        announced = await announces(self._target, self._session)
        fields = self._fields(upload, only_new=not announced)
        made = True
        try:
            resource, limits = await create(
                self._target,
                self._source.size,
                fields,
                self._session,
                announced=announced is True,
            )
        except RefusalError as error:
            final = error.status in UNDERSTOOD or error.temporary
            if announced or final or (error.status == 412 and not self._options.overwrite):
                raise
            resource, limits, made = None, UploadLimits(), False
        if resource is None:
            self._progress.say("the server takes no resumable uploads: this one cannot be resumed")
            return await self._put(upload, Stage.SENDING_WHOLE, made=made)
        if limits.max_size is not None and self._source.size > limits.max_size:
            await cancel(resource, self._session)
            raise RefusalError(413, f"the server takes files of up to {limits.max_size} bytes")
        self._pieces.limit(limits)
        upload.resource = resource
        upload.max_append_size = limits.max_append_size
        upload.min_append_size = limits.min_append_size
        await in_thread(lambda: self._record.remember(upload))
        return None

    async def _put(self, upload: Upload, stage: Stage, *, made: bool = False) -> Standing:
        """Send all in one request; `made` is whether there is an empty file of ours already."""
        size = self._source.size
        fields = self._fields(upload) | {"want-repr-digest": WANT_REPR_DIGEST}
        if made:
            fields.pop("if-none-match", None)
        if stage is Stage.SENDING:
            fields |= version_fields(complete=True) | {"upload-length": str(size)}
        fields["content-length"] = str(size)
        self._progress.begin(stage, 0, size)
        content = self._source.read(0, size, self._progress.at)
        async with self._session.request(
            "PUT", self._target, headers=fields, content=content, follow=False
        ) as answer:
            if not answer.is_success:
                raise await refusal(answer)
            self._source.check()
            return read_standing(answer)

    def _fields(self, upload: Upload, *, only_new: bool = False) -> dict[str, str]:
        """The fields that describe the file, and on which condition it is to be taken."""
        fields = {
            "content-type": media_type_of(self._source.path.name),
            "repr-digest": write_digest(upload.digest),
        }
        if only_new or not self._options.overwrite:
            fields["if-none-match"] = "*"
        return fields

    async def _conclude(
        self,
        upload: Upload,
        answer: Standing,
        *,
        resumed_at: int = 0,
        resumable: bool = True,
        already: bool = False,
    ) -> Uploaded:
        """All has been sent: find out what is known of it."""
        found = answer.digest
        if found is None:
            with suppress(LostError):
                found = await self._session.read_digest(self._target)
        if found is not None and found != upload.digest:
            self._record.forget()
            raise DigestError(upload.digest, found)
        if found is not None:
            check = Check.VERIFIED
        else:
            check = Check.GIVEN if answer.speaks else Check.UNKNOWN
        if self._options.keep_records:
            upload.done = True
            upload.resource = None
            upload.etag = answer.etag
            await in_thread(lambda: self._record.remember(upload))
        else:
            self._record.forget()
        return Uploaded(
            self._target,
            self._source.size,
            check,
            resumed_at,
            self._attempts.lost,
            already=already,
            resumable=resumable,
        )


def forget_done(files: Iterable[tuple[Path, str]], options: UploadOptions) -> None:
    """Forget that these files have been sent to these addresses; blocking. Raises `OSError`."""
    folder = options.records or default_folder()
    for path, url in files:
        with Record(folder, os.fspath(path.resolve()), str(parse_address(url))) as record:
            if record.upload is not None and record.upload.done:
                record.forget()
