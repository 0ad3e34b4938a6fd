"""Disk work in threads, for transfers.

A thread cannot be cancelled. So that what is true of a file afterwards is known, a cancelled
transfer waits until the piece of work that it is in has ended; pieces are small.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Do `work` in a thread, to its end even if this is cancelled; then the cancel is raised."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # the cancel comes first; what failed beside it is not told
        raise
