"""Work in threads, and other work that a cancel must not leave half done.

A thread cannot be cancelled. So that what is true of a file afterwards is known, and nobody closes
it under a thread, a cancelled task waits until the work that it has begun is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def to_its_end(work: Awaitable[Result]) -> Result:
    """Wait for `work`, however often this is cancelled; the cancel is raised when it is over."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # the cancel comes first; what failed beside it is not told
        raise


async def in_thread(work: Callable[[], Result], executor: Executor | None = None) -> Result:
    """Do `work` in a thread, to its end even if this is cancelled; then the cancel is raised.

    The threads are those of `executor`, or of the loop's default one.
    """
    return await to_its_end(asyncio.get_running_loop().run_in_executor(executor, work))
