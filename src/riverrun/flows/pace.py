"""How fast a transfer may go, decided without waiting: how much now, and if nothing, how long.

The bucket of a rate holds a tenth of a second's worth, so that the rate is kept over any second
without making slices tiny. The chunk size caps one slice; the delay separates slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from riverrun.streams.token_bucket import TokenBucket

BURST_SECONDS = 0.1
MINIMUM_BURST = 1024


@dataclass(frozen=True, slots=True)
class Shape:
    """How every body is sent: `rate` in bytes a second, `chunk_size` in bytes, `delay` in seconds.

    None, or a delay of 0, does not shape. `at_once` is how many bytes may go as one slice of a full
    bucket.
    """

    rate: float | None = None
    chunk_size: int | None = None
    delay: float = 0.0
    at_once: float = field(init=False)

    def __post_init__(self) -> None:
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"rate must be positive, not {self.rate}")
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError(f"chunk_size must be positive, not {self.chunk_size}")
        if not 0 <= self.delay < math.inf:
            raise ValueError(f"delay must be 0 or more seconds, not {self.delay}")
        most = math.inf if self.chunk_size is None else self.chunk_size
        if self.rate is not None:
            most = min(most, burst(self.rate))
        object.__setattr__(self, "at_once", most)

    @classmethod
    def with_rate(cls, shape: Shape | None, rate: float | None) -> Shape | None:
        """`shape` at another rate; None if nothing is left of it."""
        if shape is None:
            return None if rate is None else cls(rate=rate)
        if rate is None and shape.chunk_size is None and not shape.delay:
            return None
        return cls(rate, shape.chunk_size, shape.delay)


def burst(rate: float) -> float:
    """How many bytes may go at once at `rate` bytes a second."""
    return max(rate * BURST_SECONDS, MINIMUM_BURST)


class Pacer:
    """The pace of one transfer. Times are seconds of a clock that the caller chooses."""

    __slots__ = ("_bucket", "_not_before", "shape")

    def __init__(self, shape: Shape, now: float) -> None:
        self.shape = shape
        self._bucket = (
            None if shape.rate is None else TokenBucket(shape.rate, burst(shape.rate), now)
        )
        self._not_before = now

    def grant(self, want: int, now: float) -> tuple[int, float]:
        """Return how many of `want` bytes may go now and, if none, how many seconds to wait.

        What is granted is taken to be sent.
        """
        if now < self._not_before:
            return 0, self._not_before - now
        shape, bucket = self.shape, self._bucket
        size = want if shape.chunk_size is None else min(want, shape.chunk_size)
        if bucket is not None:
            bucket.refill(now)
            # Wait for a worthwhile slice rather than trickle byte by byte.
            delay = bucket.seconds_until(min(size, bucket.burst / 2))
            if delay:
                return 0, delay
            size = min(size, int(bucket.tokens))
            bucket.tokens -= size
        if shape.delay:
            self._not_before = now + shape.delay
        return size, 0.0

    def give_back(self, size: int) -> None:
        """Of what was granted, `size` bytes did not move."""
        if self._bucket is not None:
            self._bucket.tokens += size
