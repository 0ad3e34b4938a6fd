"""A body that a handler wants in one piece: read up to a limit, and taken as text."""

from __future__ import annotations

from riverrun.errors import HTTPError
from riverrun.streams.contracts import Readable


async def read_whole(body: Readable, limit: int) -> bytes:
    """All that is left of `body`; raises `HTTPError` 413 when that is more than `limit` bytes.

    After a cancel, what was read until then is lost.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in body:
        size += len(chunk)
        if size > limit:
            raise HTTPError(413)
        chunks.append(chunk)
    return b"".join(chunks)


def decode_text(whole: bytes, what: str) -> str:
    """Text in UTF-8; raises `HTTPError` 400, which names `what`, if it is none."""
    try:
        return whole.decode()
    except UnicodeDecodeError:
        raise HTTPError(400, f"The {what} is not UTF-8.") from None
