"""How fast a transfer may go, decided without waiting: how much now, and if nothing, how long.

A token bucket fills at the rate and holds a tenth of a second's worth, so that a rate is kept over
any second without making slices tiny. The chunk size caps one slice; the delay separates slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BURST_SECONDS = 0.1
MINIMUM_BURST = 1024


@dataclass(frozen=True, slots=True)
class Shape:
    """How every body is sent: `rate` in bytes a second, `chunk_size` in bytes, `delay` in seconds.

    None, or a delay of 0, does not shape.
    """

    rate: float | None = None
    chunk_size: int | None = None
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"rate must be positive, not {self.rate}")
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError(f"chunk_size must be positive, not {self.chunk_size}")
        if not 0 <= self.delay < math.inf:
            raise ValueError(f"delay must be 0 or more seconds, not {self.delay}")

    def passes(self, size: int) -> bool:
        """Whether a body of `size` bytes may go at once, as one slice of a full bucket."""
        return (self.chunk_size is None or size <= self.chunk_size) and (
            self.rate is None or size <= burst(self.rate)
        )


def burst(rate: float) -> float:
    """How many bytes may go at once at `rate` bytes a second."""
    return max(rate * BURST_SECONDS, MINIMUM_BURST)


class Pacer:
    """The pace of one transfer. Times are seconds of a clock that the caller chooses."""

    __slots__ = ("_not_before", "_tokens", "_updated", "shape")

    def __init__(self, shape: Shape, now: float) -> None:
        self.shape = shape
        self._tokens = burst(shape.rate) if shape.rate is not None else 0.0
        self._updated = now
        self._not_before = now

    def grant(self, want: int, now: float) -> tuple[int, float]:
        """Return how many of `want` bytes may go now and, if none, how many seconds to wait.

        What is granted is taken to be sent.
        """
        if now < self._not_before:
            return 0, self._not_before - now
        shape = self.shape
        size = want if shape.chunk_size is None else min(want, shape.chunk_size)
        if shape.rate is not None:
            limit = burst(shape.rate)
            self._tokens = min(limit, self._tokens + (now - self._updated) * shape.rate)
            self._updated = now
            # Wait for a worthwhile slice rather than trickle byte by byte.
            worthwhile = min(size, limit / 2)
            if self._tokens < worthwhile:
                return 0, (worthwhile - self._tokens) / shape.rate
            size = min(size, int(self._tokens))
            self._tokens -= size
        if shape.delay:
            self._not_before = now + shape.delay
        return size, 0.0
