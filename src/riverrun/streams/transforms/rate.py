"""A limit on how fast bytes pass.

A chunk larger than the burst passes in slices, so that what follows sees an even flow instead of a
lump and a long silence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from riverrun.streams.pipeline import Transform
from riverrun.streams.token_bucket import TokenBucket

BURST_SECONDS = 0.1


def limit_rate(
    bytes_per_second: float,
    *,
    burst: int | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Transform[bytes, bytes]:
    """Return a transform that lets `bytes_per_second` through.

    `burst` is how many bytes may pass at once after a silence, and the size of the largest slice;
    a tenth of a second's worth by default.
    """
    if not bytes_per_second > 0:
        raise ValueError(f"bytes_per_second must be positive, not {bytes_per_second}")
    largest = max(1, int(bytes_per_second * BURST_SECONDS)) if burst is None else burst
    if largest < 1:
        raise ValueError(f"burst must be positive, not {burst}")

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        bucket = TokenBucket(bytes_per_second, largest, clock())
        async for chunk in chunks:
            for start in range(0, len(chunk), largest):
                piece = chunk[start : start + largest]
                bucket.refill(clock())
                bucket.tokens -= len(piece)
                delay = bucket.seconds_until(0)
                if delay:
                    await sleep(delay)
                yield piece

    return transform
