"""What a thousand connections at once ask of a measurement: open files, and memory that settles."""

from __future__ import annotations

import contextlib
import resource
import time
from typing import TYPE_CHECKING

from bench.model import VoidReadingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPARE_FILES = 256
"""What a process has open besides its connections, and more."""


@contextlib.contextmanager
def file_limit_of_at_least(count: int) -> Iterator[None]:
    """Let this process, and the servers it starts meanwhile, open that many files.

    Raises:
        VoidReadingError: The hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise VoidReadingError(f"the system allows {hard} open files, {count} are needed")
    if soft == resource.RLIM_INFINITY or soft >= 2 * count:
        yield
        return
    raised = 2 * count if hard == resource.RLIM_INFINITY else min(hard, 2 * count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def settled(
    read: Callable[[], int],
    sleep: Callable[[float], None] = time.sleep,
    step_seconds: float = 0.25,
    most_steps: int = 40,
) -> int:
    """The value of `read` once it has hardly moved for four readings, or the last one."""
    recent = [read()]
    for _ in range(most_steps):
        sleep(step_seconds)
        recent = [*recent[-3:], read()]
        if len(recent) == 4 and max(recent) - min(recent) <= 0.002 * max(recent):
            break
    return recent[-1]
