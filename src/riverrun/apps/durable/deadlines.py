"""Deadlines of many who are all given the same time, behind one timer of the loop.

Who comes first has to go first, so the next to end is always the oldest: a reader costs a place in
a dictionary, not a timer.
"""

from __future__ import annotations

import asyncio


class Deadlines:
    """Ends blocks of `asyncio.timeout(None)` after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, timeout: asyncio.Timeout) -> None:
        """Let this block, which has been entered, end in time, as every `asyncio.Timeout` does."""
        loop = asyncio.get_running_loop()
        self._ends[timeout] = end = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(end, self._end_some)

    def discard(self, timeout: asyncio.Timeout) -> None:
        """The block is over, or will be."""
        self._ends.pop(timeout, None)
        if not self._ends and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_some(self) -> None:
        """End those whose time has come, and come again when the next one's has."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._ends:
            timeout, end = next(iter(self._ends.items()))
            if end > now:
                self._timer = loop.call_at(end, self._end_some)
                return
            del self._ends[timeout]
            timeout.reschedule(now)
