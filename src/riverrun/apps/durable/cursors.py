"""Cursors of live reads (Durable Streams, 10.1): they differ as time passes, so that caches end."""

from __future__ import annotations

import random
import re
import time

EPOCH = 1_728_432_000  # 9 October 2024
INTERVAL = 20
LONGEST_JITTER = 3600
CURSOR = re.compile(r"[0-9]{1,15}")


def current_cursor(now: float | None = None) -> int:
    """The number of the interval that it is."""
    return int(((time.time() if now is None else now) - EPOCH) // INTERVAL)


def next_cursor(given: str | None, current: int | None = None) -> int:
    """The cursor of an answer to a client that has sent the cursor `given`; always a later one."""
    if current is None:
        current = current_cursor()
    if given is None or CURSOR.fullmatch(given) is None or int(given) < current:
        return current
    jitter = random.randint(1, LONGEST_JITTER)  # noqa: S311 - nothing secret
    return int(given) + -(-jitter // INTERVAL)
