"""A stream of unknown length as a file on a server, such as the standard output of a program.

A server of the IETF's resumable uploads gets it in requests that go on while bytes come. What is
on its way is kept until the server has it on disk, so a connection that is lost costs nothing; what
is lost with this process is lost for good, so then the server is told to forget the upload. Any
other server gets one request, and nothing is resumed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Final

from riverrun.client.errors import AnswerError, DigestError, LostError, RefusalError
from riverrun.client.fields import UploadLimits
from riverrun.client.occupied import check_vacant
from riverrun.client.progress import SILENT, Progress, Stage
from riverrun.client.session import Attempts, Session, borrow, parse_address, refusal
from riverrun.client.upload import Check, Uploaded, UploadOptions
from riverrun.client.upload_resource import (
    Standing,
    announces,
    append,
    ask,
    cancel,
    create,
)
from riverrun.client.window import Window
from riverrun.http.media_types import media_type_of

WINDOW: Final = 16 * 1024 * 1024
"""Bytes that are kept until the server has them; one request has about as many at most."""

LEAST: Final = 64 * 1024
MOST_ODDITIES: Final = 5
"""How often a server may stand elsewhere than it has said."""

IDLE: Final = 5.0
"""Seconds without a byte from the stream, behind which a request ends: a server does not wait."""

PARTING: Final = 5.0
"""Seconds for telling a server that an upload is given up."""


async def upload_stream(
    chunks: AsyncIterable[bytes],
    url: str,
    *,
    progress: Progress = SILENT,
    session: Session | None = None,
    options: UploadOptions | None = None,
) -> Uploaded:
    """Send `chunks` to be the file at `url`, as they come and as fast as the server takes them.

    At most `WINDOW` bytes are held, or `options.piece_size` if that is less. Raises `RefusalError`
    and `ExistsError` when the server will not take it, `LostError` when it cannot be reached any
    more, `DigestError` when other bytes have arrived, and what `chunks` raises. After an error and
    a cancel nothing of it is at `url`, and nothing can be gone on with.
    """
    options = options or UploadOptions()
    async with borrow(session) as asked:
        uploading = _StreamUploading(chunks, str(parse_address(url)), asked, progress, options)
        return await uploading.run()


class _StreamUploading:
    """One upload of one stream."""

    def __init__(
        self,
        chunks: AsyncIterable[bytes],
        target: str,
        session: Session,
        progress: Progress,
        options: UploadOptions,
    ) -> None:
        self._hasher = hashlib.sha256()
        size = min(options.piece_size or WINDOW, WINDOW)
        self._window = Window(aiter(chunks), size, self._hasher.update)
        self._target = target
        self._session = session
        self._progress = progress
        self._attempts = Attempts(session.patience, progress)
        self._oddities = 0
        self._fields = {"content-type": media_type_of(target.rpartition("/")[2])}
        if not options.overwrite:
            self._fields["if-none-match"] = "*"

    async def run(self) -> Uploaded:
        try:
            resource = await self._begin()
            if resource is None:
                answer = await self._put()
            else:
                answer = await self._append_all(resource)
        except RefusalError as error:
            await check_vacant(error, self._target, self._session)
            raise
        finally:
            await self._window.close()
        found = answer.digest
        if found is None:
            with suppress(LostError):
                found = await self._session.read_digest(self._target)
        sent = self._hasher.digest()
        if found is not None and found != sent:
            raise DigestError(sent, found)
        check = Check.UNKNOWN if found is None else Check.VERIFIED
        return Uploaded(
            self._target,
            self._window.end,
            check,
            lost=self._attempts.lost,
            resumable=resource is not None,
        )

    async def _begin(self) -> str | None:
        """The address of an upload resource; None if the server does not say that it has any."""
        while True:
            try:
                if not await announces(self._target, self._session):
                    return None
                resource, limits = await create(
                    self._target, None, self._fields, self._session, announced=True
                )
            except (LostError, RefusalError) as error:
                await self._attempts.wait(error)
            else:
                if limits.max_append_size:
                    self._window.size = min(self._window.size, limits.max_append_size)
                return resource

    async def _put(self) -> Standing:
        """Send all in one request, which cannot be sent again."""
        self._progress.say("the server takes no resumable uploads: this one cannot be resumed")
        self._progress.begin(Stage.SENDING_WHOLE, 0, None)
        async with self._session.request(
            "PUT", self._target, headers=self._fields, content=self._all(), follow=False
        ) as answer:
            if not answer.is_success:
                raise await refusal(answer)
            return Standing(None, complete=True, limits=UploadLimits(), speaks=False)

    async def _all(self) -> AsyncIterator[bytes]:
        """The stream, of which nothing is kept."""
        while await self._window.more(self._window.start):
            async for chunk in self._window.read(0, self._progress.at):
                yield chunk
            self._window.confirm(self._window.end)

    async def _append_all(self, resource: str) -> Standing:
        """Append what comes until it ends; give the upload up if that cannot be done."""
        self._progress.begin(Stage.SENDING_WHOLE, 0, None)
        try:
            while True:
                try:
                    if not await self._window.more(self._window.start):
                        return await self._end(resource)
                    await self._append(resource)
                except (LostError, RefusalError) as error:
                    await self._recover(error)
                    standing = await self._ask(resource)
                    if standing.complete:
                        return standing
        except BaseException:
            with suppress(Exception):
                await asyncio.wait_for(cancel(resource, self._session), PARTING)
            raise

    async def _append(self, resource: str) -> None:
        content = self._window.read(IDLE, self._progress.at)
        offset = self._window.start
        standing = await append(resource, offset, content, None, self._session, complete=False)
        self._confirm(self._window.end if standing.offset is None else standing.offset)

    async def _end(self, resource: str) -> Standing:
        """Nothing more comes: that is all."""
        offset = self._window.end
        standing = await append(resource, offset, _nothing(), 0, self._session, complete=True)
        if not standing.complete:
            raise AnswerError("the server has all of it, and does not say that it is done")
        return standing

    async def _ask(self, resource: str) -> Standing:
        """How it stands behind a request that was lost."""
        while True:
            try:
                standing = await ask(resource, self._session)
            except (LostError, RefusalError) as error:
                await self._attempts.wait(error)
            else:
                self._confirm(standing.offset or 0)
                return standing

    def _confirm(self, offset: int) -> None:
        if offset > self._window.start:
            self._attempts.progressed()
        self._window.confirm(offset)

    async def _recover(self, error: LostError | RefusalError) -> None:
        """Do what helps against `error`, or raise it."""
        if isinstance(error, RefusalError):
            if error.status == 413 and self._window.size > LEAST:
                self._window.size //= 2  # a proxy before the server, perhaps
                return
            if error.status == 409 and "upload-offset" in error.headers:
                self._oddities += 1
                if self._oddities <= MOST_ODDITIES:
                    return
        await self._attempts.wait(error)


async def _nothing() -> AsyncIterator[bytes]:
    chunks: tuple[bytes, ...] = ()
    for chunk in chunks:
        yield chunk
