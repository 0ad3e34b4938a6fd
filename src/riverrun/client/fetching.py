"""Receiving one file, over as many connections as it takes.

Each attempt asks for what is missing, on the condition that the file is still the one the bytes at
hand are of (Range and If-Range, RFC 9110, 13.1.5 and 14.2). The server then sends the rest, 206,
or the whole of another version, 200, behind which the sink begins anew. What the head of an answer
means is decided first, `decide`, without doing anything.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from time import monotonic

import httpx
import msgspec

from riverrun.client.errors import (
    AnswerError,
    DigestError,
    FolderError,
    LostError,
    RefusalError,
)
from riverrun.client.fields import WANT_REPR_DIGEST
from riverrun.client.names import is_folder
from riverrun.client.progress import Progress, Stage
from riverrun.client.session import Attempts, Session, refusal
from riverrun.client.sinks import Sink
from riverrun.client.versions import Version, read_size, read_version

BATCH_SIZE = 512 * 1024
BATCH_SECONDS = 0.5
"""Chunks are written together, up to so many bytes or for so long."""

CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19})|\*)/(\d{1,19}|\*)")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it: the `version` that is there now, `size` bytes of it.

    `resumed_at` is where this run went on, 0 if it began; `lost` how often it had to try again;
    `verified` whether the bytes have the digest that the server gives.
    """

    version: Version
    size: int
    resumed_at: int
    lost: int
    verified: bool


class Step(Enum):
    """What to do with an answer."""

    BEGIN = "the body is the whole file"
    GO_ON = "the body is what is missing"
    DONE = "nothing is missing"
    ASK_ANEW = "what is at hand is of another version"


async def fetch(url: str, sink: Sink, session: Session, progress: Progress) -> Fetched:
    """Receive the file at `url` into `sink`, going on from what that has already.

    Raises `RefusalError`, `LostError` and `AnswerError` when it cannot be had; `DigestError` when
    all has come and it is not what the server says it is; `FolderError` when the address is
    redirected to a folder; what the sink raises. After each of them and after a cancel the sink
    has what has come.
    """
    fetching = _Fetching(url, sink, session, progress)
    while True:
        try:
            if await fetching.attempt():
                break
        except (LostError, RefusalError) as error:
            await fetching.attempts.wait(error)
    version = sink.version
    assert version is not None
    if version.digest is not None:
        progress.begin(Stage.CHECKING, 0, sink.size)
        found = await sink.digest(progress.at)
        if found != version.digest:
            raise DigestError(version.digest, found)
    return Fetched(
        version, sink.size, fetching.resumed_at, fetching.attempts.lost, version.digest is not None
    )


class _Fetching:
    """The attempts for one file."""

    def __init__(self, url: str, sink: Sink, session: Session, progress: Progress) -> None:
        self.attempts = Attempts(session.patience, progress)
        self.resumed_at = 0
        self._url = url
        self._sink = sink
        self._session = session
        self._progress = progress
        self._first = True

    async def attempt(self) -> bool:
        """Ask once for what is missing; return whether the file is whole."""
        sink = self._sink
        headers = {"want-repr-digest": WANT_REPR_DIGEST}
        if sink.size:
            headers |= self._conditions()
        async with self._session.request("GET", self._url, headers=headers) as response:
            if is_folder(str(response.url)) and not is_folder(self._url):
                raise FolderError(str(response.url))
            if response.is_error and response.status_code != 416:
                raise await refusal(response)
            held = sink.version if sink.size else None
            step, version = decide(self._url, response.status_code, response.headers, held,
                                   sink.size)  # fmt: skip
            if step is Step.ASK_ANEW or (step is Step.BEGIN and sink.size):
                self._tell_why(version)
            if step is Step.ASK_ANEW:
                await sink.begin(version)
                return False
            if step is Step.BEGIN:
                await sink.begin(version)
                if coding := response.headers.get("content-encoding"):
                    self._progress.say(f"the server sends it as {coding}, and so it is kept")
            else:
                sink.version = version
            if self._first:
                self.resumed_at = sink.size
                self._first = False
            if step is not Step.DONE:
                self._progress.begin(Stage.RECEIVING, sink.size, version.size)
                await self._receive(response)
        if version.size is not None and sink.size < version.size:
            raise LostError(response.url.netloc.decode(), "it ended early", reached=True)
        if version.size is not None and sink.size > version.size:
            raise AnswerError(f"{sink.size} bytes came where {version.size} were announced")
        return True

    def _conditions(self) -> dict[str, str]:
        """The fields that ask for the rest."""
        version = self._sink.version
        if version is None or version.etag is None or version.url != self._url:
            return {}
        return {"range": f"bytes={self._sink.size}-", "if-range": version.etag}

    def _tell_why(self, version: Version) -> None:
        held = self._sink.version
        if held is None:
            why = "what is here by now is of no known version"
        elif held.url != self._url:
            why = "what is here by now is of another address"
        elif held.etag is None:
            why = "the server names no version of it"
        elif held.etag != version.etag:
            why = "it has changed on the server"
        else:
            why = "the server sends it from its beginning"
        self._progress.say(f"{why}; begins anew")

    async def _receive(self, response: httpx.Response) -> None:
        """Write the body to the sink, also what had come before an error or a cancel."""
        waiting: list[bytes] = []
        size = 0
        written = monotonic()
        try:
            async for chunk in response.aiter_raw():
                waiting.append(chunk)
                size += len(chunk)
                if size >= BATCH_SIZE or monotonic() - written > BATCH_SECONDS:
                    batch, waiting, size = waiting, [], 0
                    await self._write(batch)
                    written = monotonic()
        except asyncio.CancelledError:
            if not self._sink.lasting:
                waiting.clear()
            raise
        finally:
            if waiting:
                await self._write(waiting)

    async def _write(self, chunks: list[bytes]) -> None:
        await self._sink.write(chunks)
        self.attempts.progressed()
        self._progress.at(self._sink.size)


def decide(
    url: str, status: int, headers: Mapping[str, str], held: Version | None, size: int
) -> tuple[Step, Version]:
    """What the answer to a request for `url` means, and which version it is of.

    `size` bytes of the version `held` are at hand; None means that they are of no use. Raises
    `AnswerError` when it makes no sense.
    """
    if status == 200:
        return Step.BEGIN, read_version(url, headers, read_size(headers))
    match = CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if status not in (206, 416) or held is None or held.etag is None:
        raise AnswerError(f"an answer {status} to a request for the whole file")
    first, last, total = (_number(text) for text in match.groups()) if match else [None] * 3
    if status == 416:
        # If the version were another, the server would have sent it (RFC 9110, 13.1.5).
        if total == size:
            return Step.DONE, msgspec.structs.replace(held, size=size)
        return Step.ASK_ANEW, Version(url)
    if first != size or (total is not None and last != total - 1):
        raise AnswerError(f"another range than was asked for: {headers.get('content-range')!r}")
    found = read_version(url, headers, total)
    if found.etag is not None and found.etag != held.etag:
        return Step.ASK_ANEW, Version(url, found.etag)
    return Step.GO_ON, msgspec.structs.replace(
        held,
        size=total if total is not None else held.size,
        digest=found.digest or held.digest,
        modified=found.modified or held.modified,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text != "*" else None
