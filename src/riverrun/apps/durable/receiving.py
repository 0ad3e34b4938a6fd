"""What a request brings to be appended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Self

from riverrun.apps.durable.messages import check_messages, stored_messages
from riverrun.apps.durable.settings import StreamSettings
from riverrun.errors import HTTPError
from riverrun.http.json_arrays import PART_SIZE
from riverrun.http.request import Request
from riverrun.logs import Data
from riverrun.streams import IterableSource
from riverrun.streams.contracts import Readable

SMALL_SIZE = 64 * 1024  # of a body, which is always taken


class JsonBodies:
    """What the bodies of JSON mode that are in memory may hold together, and do."""

    def __init__(self, settings: StreamSettings) -> None:
        self.longest = settings.json_size
        self.limit = settings.json_memory
        self.held = 0


class JsonBody:
    """One body of JSON mode, which is read whole; use it ``with``, until it was appended."""

    def __init__(self, bodies: JsonBodies) -> None:
        self._bodies = bodies
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._bodies.held -= self._held

    async def read(self, body: Readable, *, may_be_empty: bool = False) -> Data:
        """The messages in `body` as they are to be appended.

        Raises `HTTPError` 400 if it is not JSON, or an empty array that may not be; 413 if it is
        long; 503 if there is no room for a large one now.
        """
        whole = await self._read_whole(body)
        if not whole and may_be_empty:
            return b""
        check_messages(whole)
        messages = stored_messages(whole)
        first = next(messages, None)
        if first is None:
            if not may_be_empty:
                raise HTTPError(400, "An empty array appends nothing.")
            return b""
        return first if len(whole) <= PART_SIZE else IterableSource(_in_steps(first, messages))

    async def _read_whole(self, body: Readable) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in body:
            size += len(chunk)
            if size > self._bodies.longest:
                raise HTTPError(
                    413, f"In JSON mode a body has at most {self._bodies.longest} bytes."
                )
            if size > SMALL_SIZE:
                self._hold(size)
            chunks.append(chunk)
        return b"".join(chunks)

    def _hold(self, size: int) -> None:
        bodies, more = self._bodies, size - self._held
        if bodies.held + more > bodies.limit:
            raise HTTPError(
                503, "Too many large bodies are being received.", headers={"retry-after": "1"}
            )
        bodies.held += more
        self._held = size


async def _in_steps(first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Let others go on behind each piece."""
    for piece in chain((first,), rest):
        if piece:
            yield piece
        await asyncio.sleep(0)


def rest_of(first: bytes, request: Request) -> Readable:
    """The body, of which `first` has been read."""

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        while chunk := await request.read():
            yield chunk

    return IterableSource(chunks())
