"""Telling a slow transfer from one that has stopped."""

from __future__ import annotations

from riverrun.http.limits import Limits


class StallWatch:
    """Looks now and then at a count of bytes that should grow. Times are in seconds."""

    __slots__ = ("_moved", "_since")

    def __init__(self, now: float) -> None:
        self._moved = 0
        self._since = now

    def restart(self, now: float) -> None:
        """Nothing is expected to move now."""
        self._since = now

    def stalled(self, moved: int, now: float, limits: Limits) -> bool:
        """Whether too little has come since the watch last restarted itself.

        That is nothing for `Limits.stall_timeout`, or less than `Limits.minimum_rate` over it.
        """
        elapsed = now - self._since
        if moved == self._moved:
            return elapsed >= limits.stall_timeout
        if limits.minimum_rate > 0:
            if elapsed < limits.stall_timeout:
                return False
            if (moved - self._moved) / elapsed < limits.minimum_rate:
                return True
        self._moved = moved
        self._since = now
        return False
