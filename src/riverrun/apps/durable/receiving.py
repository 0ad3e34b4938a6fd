"""What a request brings to be appended."""

from __future__ import annotations

from collections.abc import AsyncIterator

from riverrun.apps.durable.messages import split_messages
from riverrun.apps.durable.settings import StreamSettings
from riverrun.errors import HTTPError
from riverrun.http.request import Request
from riverrun.http.whole import read_whole
from riverrun.streams import IterableSource
from riverrun.streams.contracts import Readable


async def read_messages(
    body: Readable, settings: StreamSettings, *, may_be_empty: bool = False
) -> list[bytes]:
    """The messages of JSON in the body.

    Raises `HTTPError` 400 if it is not JSON, or an empty array that may not be, 413 if it is long.
    """
    whole = await read_whole(body, settings.json_size)
    if not whole and may_be_empty:
        return []
    messages = split_messages(whole)
    if not messages and not may_be_empty:
        raise HTTPError(400, "An empty array appends nothing.")
    return messages


def rest_of(first: bytes, request: Request) -> Readable:
    """The body, of which `first` has been read."""

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        while chunk := await request.read():
            yield chunk

    return IterableSource(chunks())
