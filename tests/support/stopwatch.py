"""A watch that tells time that we took from time that others on the machine took from us."""

from __future__ import annotations

import time
from pathlib import Path


class Stopwatch:
    """Begins to run when it is made, in the thread that reads it; `others` are our processes."""

    def __init__(self, *others: int) -> None:
        ours = ("thread-self", *others)
        self._stats = [Path(f"/proc/{name}/schedstat") for name in ours]
        self._begun, self._waited_before = time.monotonic(), self._waited()

    def add(self, process: int) -> None:
        """One of ours that has begun since: all of its waiting counts."""
        self._stats.append(Path(f"/proc/{process}/schedstat"))

    @property
    def passed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._begun

    @property
    def ours(self) -> float:
        """The same, without the time in which we could have run and others did."""
        return self.passed - (self._waited() - self._waited_before)

    def _waited(self) -> float:
        """How long we have waited for a processor."""
        try:
            return sum(int(stat.read_text().split()[1]) for stat in self._stats) / 1e9
        except FileNotFoundError:  # not Linux
            return 0.0
