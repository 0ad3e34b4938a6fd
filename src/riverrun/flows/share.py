"""A rate that many transfers keep together, each getting its share.

Whoever wants to move bytes takes a slice; when there is none left it queues, and slices are given
in the order of the queue. A slice is what the rate makes in a twentieth of a second, divided by
those who queue, so a round takes about as long however many there are, and everybody who has
something to move gets as much as anybody else. Who is slow by itself is seldom in the queue, and
what it does not use is the others'.

One timer runs while there is a queue; none otherwise.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final, Protocol

from riverrun.flows.pace import MINIMUM_BURST, burst
from riverrun.streams.token_bucket import TokenBucket

LEAST_SLICE: Final = MINIMUM_BURST // 2
EXPECTED: Final = 16


class Asker(Protocol):
    """Who is told that its turn has come."""

    def wake(self) -> None:
        """Ask again now."""


class Share:
    """`rate` bytes a second for all together; times are seconds of the clock of who asks."""

    __slots__ = ("_bucket", "_queue", "_timer", "members")

    def __init__(self, rate: float, now: float) -> None:
        self._bucket = TokenBucket(rate, burst(rate), now)
        self._queue: OrderedDict[Asker, None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self.members = 0

    @property
    def rate(self) -> float:
        """Bytes a second for all; may be changed while they move."""
        return self._bucket.rate

    def change(self, rate: float, now: float) -> None:
        """Go at `rate` from now on."""
        bucket = self._bucket
        bucket.refill(now)
        bucket.rate = rate
        bucket.burst = burst(rate)
        bucket.tokens = min(bucket.tokens, bucket.burst)
        self._call_first()

    def take(self, asker: Asker, want: int, now: float) -> int:
        """Return how many of `want` bytes may move now; if 0, `asker` is woken to ask again."""
        queue, bucket = self._queue, self._bucket
        bucket.refill(now)
        first = not queue or next(iter(queue)) is asker
        size = min(want, self._slice(asker))
        if not first or bucket.tokens < min(size, bucket.burst / 2):
            queue.setdefault(asker)
            if first:
                self._call_first()
            return 0
        bucket.tokens -= size
        queue.pop(asker, None)
        self._call_first()
        return size

    def take_at_once(self, size: int, now: float) -> bool:
        """Take `size` bytes if nobody queues and nothing is owed; what is missing is owed."""
        self._bucket.refill(now)
        if self._queue or self._bucket.tokens <= 0:
            return False
        self._bucket.tokens -= size
        return True

    def give_back(self, size: int) -> None:
        """Of what was taken, `size` bytes did not move."""
        self._bucket.tokens += size

    def leave(self, asker: Asker) -> None:
        """`asker` waits no more."""
        queue = self._queue
        if asker in queue:
            first = next(iter(queue)) is asker
            del queue[asker]
            if first:
                self._call_first()

    def idle(self, now: float) -> bool:
        """Whether forgetting it would change nothing for anybody."""
        self._bucket.refill(now)
        return not self.members and not self._queue and self._bucket.tokens >= self._bucket.burst

    def _slice(self, asker: Asker) -> int:
        others = len(self._queue) - (asker in self._queue)
        # Before there is a queue, who comes first must not take it all from those who come next.
        expected = max(others + 1, min(self.members, EXPECTED))
        return max(LEAST_SLICE, int(self._bucket.burst / 2) // expected)

    def _call_first(self) -> None:
        """See to it that the first in the queue is woken when there is a slice for it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            first = next(iter(self._queue))
            # As the asker's clock stood when it was last asked; late is early enough.
            delay = self._bucket.seconds_until(min(self._slice(first), self._bucket.burst / 2))
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake_first)

    def _wake_first(self) -> None:
        self._timer = None
        if self._queue:
            next(iter(self._queue)).wake()
