"""Appending to a durable stream, so that nothing is lost and nothing is there twice.

What has come from the source goes out in one request; what comes meanwhile, in the next. Every
request has its number, so one whose answer was lost is sent again as it was, and the server knows
whether it has it already (Durable Streams, 5.2.1: idempotent producers).
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from riverrun.client.errors import AnswerError, InputError, LostError, RefusalError
from riverrun.client.progress import SILENT, Progress
from riverrun.client.session import Attempts, Session, borrow, refusal

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"

_check = msgspec.json.Decoder(msgspec.Raw).decode


@dataclass(frozen=True, slots=True)
class Appended:
    """`size` bytes were appended; `lost` is how often a request had to be sent again."""

    size: int
    lost: int


async def append_stream(
    url: str,
    chunks: AsyncIterable[bytes],
    *,
    content_type: str | None = None,
    close: bool = False,
    session: Session | None = None,
    progress: Progress = SILENT,
) -> Appended:
    """Append `chunks` to the stream at `url`, each as soon as the one before it is stored.

    A stream that is not there is created, of `content_type` or text; one of JSON with its first
    message. To one of JSON each line is a message. With `close`, nothing can be appended after it.

    Raises `RefusalError`, `LostError` and `AnswerError` when it cannot be done, `InputError` for a
    line that is no JSON, and what `chunks` raises; what was appended before stays. A cancel leaves
    open whether the chunk on its way was.
    """
    async with borrow(session) as borrowed:
        appending = _Appending(url, borrowed, progress)
        held_type = await appending.find()
        content_type = content_type or held_type or TEXT
        batches = chunks
        if _is_json(content_type):
            batches = _messages(chunks)
        else:
            await appending.create(content_type)
        async for batch in batches:
            await appending.create(content_type)
            await appending.append(batch, {"content-type": content_type})
        await appending.create(content_type)
        if close:
            await appending.append(b"", {"stream-closed": "true"})
        return Appended(appending.size, appending.attempts.lost)


class _Appending:
    """The requests of one producer."""

    def __init__(self, url: str, session: Session, progress: Progress) -> None:
        self.attempts = Attempts(session.patience, progress)
        self.size = 0
        self._url = url
        self._session = session
        self._producer = uuid.uuid4().hex
        self._sequence = 0
        self._exists = False

    async def find(self) -> str | None:
        """Look whether the stream is there; return its content type."""
        try:
            found = await self._ask("HEAD", {}, b"")
        except RefusalError as error:
            if error.status != 404:
                raise
            return None
        self._exists = True
        return found.get("content-type")

    async def create(self, content_type: str) -> None:
        """Create the stream if it is not there."""
        if not self._exists:
            await self._ask("PUT", {"content-type": content_type}, b"")
            self._exists = True

    async def append(self, batch: bytes, headers: Mapping[str, str]) -> None:
        """Append `batch`, once."""
        numbered = {
            **headers,
            "producer-id": self._producer,
            "producer-epoch": "0",
            "producer-seq": str(self._sequence),
        }
        await self._ask("POST", numbered, batch)
        self._sequence += 1
        self.size += len(batch)

    async def _ask(self, method: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Ask until there is an answer; return its fields."""
        content = None if method == "HEAD" else body
        while True:
            try:
                async with self._session.request(
                    method, self._url, headers=headers, content=content
                ) as response:
                    if not response.is_success:
                        raise await refusal(response)
                    if "stream-next-offset" not in response.headers:
                        raise AnswerError("this is no stream")
                    self.attempts.progressed()
                    return response.headers
            except (LostError, RefusalError) as error:
                await self.attempts.wait(error)


async def _messages(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The lines of `chunks` as arrays of JSON, all that are whole at once; empty ones are none.

    Raises `InputError` behind those that are JSON.
    """
    lines = _Lines()
    rest: list[bytes] = []
    async for chunk in chunks:
        whole, line_end, tail = chunk.rpartition(b"\n")
        if line_end:
            if array := lines.array_of(b"".join([*rest, whole])):
                yield array
            rest = []
        rest.append(tail)
        lines.check()
    if array := lines.array_of(b"".join(rest)):
        yield array
    lines.check()


class _Lines:
    """Makes arrays of lines, and counts them up to one that is no JSON."""

    def __init__(self) -> None:
        self._number = 0
        self._error: Exception | None = None

    def array_of(self, lines: bytes) -> bytes:
        """The messages of some lines; nothing if there are none."""
        messages = []
        for line in lines.split(b"\n"):
            self._number += 1
            if line.strip():
                try:
                    line.decode()
                    _check(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    self._error = error
                    break
                messages.append(line)
        return b"[%b]" % b",".join(messages) if messages else b""

    def check(self) -> None:
        """Raise `InputError` if it has come to that."""
        if self._error is not None:
            raise InputError(f"line {self._number} is not JSON: {self._error}") from self._error


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON
