"""How much may pass at a rate, decided without waiting.

A bucket fills at the rate and holds a burst. Whoever takes out more than is in it owes the rest,
and waits until the bucket is even again.
"""

from __future__ import annotations


class TokenBucket:
    """`tokens` bytes may pass now, fewer than none when bytes are owed.

    `rate` is in bytes a second, `burst` in bytes; times are seconds of a clock that the caller
    chooses.
    """

    __slots__ = ("_updated", "burst", "rate", "tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.tokens = burst
        self._updated = now

    def refill(self, now: float) -> None:
        """Add what has come in since the last call."""
        self.tokens = min(self.burst, self.tokens + (now - self._updated) * self.rate)
        self._updated = now

    def seconds_until(self, tokens: float) -> float:
        """In how many seconds there will be so many; 0 if there are."""
        return max(0.0, (tokens - self.tokens) / self.rate)
