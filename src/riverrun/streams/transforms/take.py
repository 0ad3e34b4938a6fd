"""The first bytes of a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from riverrun.streams.pipeline import Transform


def take(count: int) -> Transform[bytes, bytes]:
    """Return a transform that lets the first `count` bytes through, and then ends.

    What lies behind them is not fetched.
    """
    if count < 0:
        raise ValueError(f"count must be 0 or more, not {count}")

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        if not count:
            return
        rest = count
        async for chunk in chunks:
            yield chunk[:rest]
            rest -= len(chunk)
            if rest <= 0:
                return

    return transform
