"""Appending the rest of a file to an upload resource, until the server says that it is complete.

Each request goes on from the offset that the server has told: in its last answer, or, when that is
lost, in the answer to the question how the upload stands. An upload is never asked about while an
append runs, which would end that (draft-ietf-httpbis-resumable-upload, 4.3.1).
"""

from __future__ import annotations

from riverrun.client.errors import AnswerError, LostError, RefusalError
from riverrun.client.fields import UploadLimits
from riverrun.client.pieces import Pieces
from riverrun.client.progress import Progress, Stage
from riverrun.client.session import Attempts, Session
from riverrun.client.sources import Source
from riverrun.client.upload_resource import ProcessingError, Standing, append, ask

MOST_ODDITIES = 5
"""How often a server may answer what does not fit, before we give up."""


class Appending:
    """Sends `source` in `pieces`; `began_at` is the offset of the first byte of this run."""

    def __init__(
        self,
        source: Source,
        pieces: Pieces,
        attempts: Attempts,
        session: Session,
        progress: Progress,
    ) -> None:
        self.began_at = 0
        self._source = source
        self._pieces = pieces
        self._attempts = attempts
        self._session = session
        self._progress = progress
        self._confirmed = -1
        self._oddities = 0

    async def run(self, resource: str, *, is_new: bool) -> Standing:
        """Append what is missing; return the answer to the last append, or how all stands.

        Raises `RefusalError`, a `ProcessingError` when all has arrived and is refused; `LostError`,
        `AnswerError` and `ChangedError`. After each, and after a cancel, it can be gone on with.
        """
        self._confirmed = -1
        offset = 0 if is_new else None
        while True:
            try:
                if offset is None:
                    standing = await ask(resource, self._session)
                    self._pieces.limit(standing.limits)
                    if standing.complete:
                        return Standing(None, True, UploadLimits(), standing.digest)
                    offset = self._checked(standing.offset)
                self._confirm(offset)
                standing = await self._append(resource, offset)
                if standing.complete:
                    return standing
                offset = self._next(offset, standing)
            except RefusalError as error:
                await self._recover(error)
                offset = None
            except LostError as error:
                await self._attempts.wait(error)
                offset = None

    async def _append(self, resource: str, offset: int) -> Standing:
        self._source.check()
        length, is_last = self._pieces.at(offset)
        self._progress.begin(Stage.SENDING, offset, self._source.size)
        content = self._source.read(offset, length, self._progress.at)
        return await append(resource, offset, content, length, self._session, complete=is_last)

    def _confirm(self, offset: int) -> None:
        """The server has so much for good."""
        if self._confirmed < 0:
            self.began_at = offset
        if offset > self._confirmed:
            self._confirmed = offset
            self._attempts.progressed()

    def _next(self, offset: int, standing: Standing) -> int | None:
        """Where to go on behind an append that went well; None if the server is to be asked."""
        length, is_last = self._pieces.at(offset)
        if is_last:
            self._odd(AnswerError("the server has all of it, and does not say that it is done"))
            return None
        return self._checked(offset + length if standing.offset is None else standing.offset)

    async def _recover(self, error: RefusalError) -> None:
        """Do what helps against a refusal, or raise it."""
        if isinstance(error, ProcessingError):
            raise error
        if error.status == 409 and "upload-offset" in error.headers:
            self._odd(error)
        elif error.status != 413 or not self._pieces.shrink(error.headers):
            await self._attempts.wait(error)

    def _checked(self, offset: int | None) -> int:
        if offset is None or offset > self._source.size:
            raise AnswerError(f"the server has {offset} of {self._source.size} bytes")
        return offset

    def _odd(self, error: Exception) -> None:
        """Go on a few times behind what should not happen; then raise `error`."""
        self._oddities += 1
        if self._oddities > MOST_ODDITIES:
            raise error
