"""Whether a piece of work has left something open."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from riverrun.testing.clauses import require

OPEN_DESCRIPTORS = Path("/dev/fd")
TURNS = 10


@asynccontextmanager
async def no_leaks() -> AsyncIterator[None]:
    """Raise `AssertionError` if the block leaves tasks running or descriptors open.

    What has been told to close may take a few turns of the loop to do so.
    """
    tasks = asyncio.all_tasks()
    descriptors = _open_descriptors()
    yield
    for _ in range(TURNS):
        await asyncio.sleep(0)
    left_tasks = asyncio.all_tasks() - tasks - {asyncio.current_task()}
    require(not left_tasks, f"these tasks are still running: {left_tasks}")
    left = _open_descriptors() - descriptors
    require(not left, f"these descriptors are still open: {sorted(left)}")


def _open_descriptors() -> set[tuple[int, int, int]]:
    """Descriptors with what they stand for, since a number may be given out again."""
    found = set()
    for name in os.listdir(OPEN_DESCRIPTORS):  # noqa: PTH208  one descriptor fewer than iterdir
        try:
            status = os.fstat(int(name))
        except OSError:
            continue  # the one that the listing itself used
        found.add((int(name), status.st_dev, status.st_ino))
    return found
