"""One allowance for many buffers.

Each buffer keeps to its own high-water mark, and a thousand of them may still be too many. They
all report to one budget; whoever feeds a buffer while the budget is spent stops, and is called when
a quarter of it is free again. Nothing fails: the producers wait.
"""

from __future__ import annotations

from collections.abc import Callable


class BufferBudget:
    """How many bytes may wait in all buffers that report here; `level` is how many do.

    `waits` is how often somebody had to wait for room.
    """

    __slots__ = ("_waiting", "level", "limit", "waits")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.level = 0
        self.waits = 0
        self._waiting: set[Callable[[], None]] = set()

    @property
    def spent(self) -> bool:
        """Whether no more may be taken in."""
        return self.level >= self.limit

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._waiting)

    def add(self, size: int) -> None:
        """`size` more bytes wait (fewer, if negative)."""
        self.level += size
        if size < 0 and self._waiting and self.level <= self.limit * 3 // 4:
            waiting, self._waiting = self._waiting, set()
            for resume in waiting:
                resume()

    def call_when_free(self, resume: Callable[[], None]) -> None:
        """Call `resume` once, when there is room again."""
        if resume not in self._waiting:
            self._waiting.add(resume)
            self.waits += 1

    def forget(self, resume: Callable[[], None]) -> None:
        """Do not call `resume` after all."""
        self._waiting.discard(resume)
