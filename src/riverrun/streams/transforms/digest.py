"""A checksum of what passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from riverrun.streams.contracts import Chunk
from riverrun.streams.pipeline import Transform


class Hasher(Protocol):
    """What `hashlib` and its like provide."""

    def update(self, data: Chunk, /) -> None:
        """Take `data` into account."""


def digest(hasher: Hasher) -> Transform[bytes, bytes]:
    """Return a transform that lets everything through and shows it to `hasher`.

    When the pipeline has returned, ``hasher.hexdigest()`` is the digest of all that passed.
    """

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            hasher.update(chunk)
            yield chunk

    return transform
