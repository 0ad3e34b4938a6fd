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

from riverrun.client.errors import AnswerError, LostError, RefusalError
from riverrun.client.progress import SILENT, Progress
from riverrun.client.session import Attempts, Session, borrow, refusal

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"


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

    A stream that is not there is created, of `content_type` or text. To one of JSON each line is a
    message. With `close`, nothing can be appended after it.

    Raises `RefusalError`, `LostError` and `AnswerError` when it cannot be done, and what `chunks`
    raises; what was appended before stays. A cancel leaves open whether the chunk on its way was.
    """
    async with borrow(session) as borrowed:
        appending = _Appending(url, borrowed, progress)
        held_type = await appending.open(content_type or TEXT)
        content_type = content_type or held_type
        batches = _messages(chunks) if _is_json(content_type) else chunks
        async for batch in batches:
            await appending.append(batch, {"content-type": content_type})
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

    async def open(self, content_type: str) -> str:
        """Create the stream if it is not there; return its content type."""
        try:
            found = await self._ask("HEAD", {}, b"")
        except RefusalError as error:
            if error.status != 404:
                raise
            await self._ask("PUT", {"content-type": content_type}, b"")
            return content_type
        return found.get("content-type", content_type)

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
                        raise AnswerError(f"{self._url} is no stream")
                    self.attempts.progressed()
                    return response.headers
            except (LostError, RefusalError) as error:
                await self.attempts.wait(error)


async def _messages(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The lines of `chunks` as arrays of JSON, all that are whole at once; empty ones are none."""
    rest: list[bytes] = []
    async for chunk in chunks:
        whole, line_end, tail = chunk.rpartition(b"\n")
        if line_end:
            if array := _array(b"".join([*rest, whole])):
                yield array
            rest = []
        rest.append(tail)
    if array := _array(b"".join(rest)):
        yield array


def _array(lines: bytes) -> bytes:
    messages = [line for line in lines.split(b"\n") if line.strip()]
    return b"[%b]" % b",".join(messages) if messages else b""


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON
