"""A watch that tells time that we took from time that others on the machine took from us."""

from __future__ import annotations

import time
from pathlib import Path

SCHEDSTAT = Path("/proc/thread-self/schedstat")


class Stopwatch:
    """Begins to run when it is made, in the thread that reads it."""

    def __init__(self) -> None:
        self._begun, self._waited = time.monotonic(), _waited()

    @property
    def passed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._begun

    @property
    def ours(self) -> float:
        """The same, without the time in which we could have run and others did."""
        return self.passed - (_waited() - self._waited)


def _waited() -> float:
    """How long this thread has waited for a processor."""
    try:
        return int(SCHEDSTAT.read_text().split()[1]) / 1e9
    except FileNotFoundError:  # not Linux
        return 0.0
