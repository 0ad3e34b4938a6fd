"""What the bases of streams share: a state that moves by a table, one who waits, one failure.

The state of a stream is one word, and a table says which word may follow which. At most one task
waits on a stream, so a wake-up needs no queue. Whatever goes wrong below is told in riverrun's own
exceptions, because whoever holds the stream does not know what lies below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from riverrun.errors import BrokenError, BusyError, DisconnectedError, RiverrunError
from riverrun.streams.contracts import Chunk

StateT = TypeVar("StateT", bound=Enum)


def moved(current: StateT, to: StateT, table: Mapping[StateT, frozenset[StateT]]) -> StateT:
    """Return `to`, if `table` lets it follow `current`; raises `RuntimeError` otherwise."""
    if to not in table[current]:
        raise RuntimeError(f"a stream that is {current.value} cannot become {to.value}")
    return to


def failure_of(error: BaseException) -> RiverrunError:
    """Return `error` as whoever holds the stream should see it; the original is its cause.

    The text of an `OSError` is cut down to what went wrong: which file it was is not the
    reader's to know.
    """
    if isinstance(error, RiverrunError):
        return error
    kind = DisconnectedError if isinstance(error, ConnectionError) else BrokenError
    text = error.strerror if isinstance(error, OSError) else str(error)
    failure = kind(text or type(error).__name__)
    failure.__cause__ = error
    return failure


def owned(chunk: Chunk) -> bytes:
    """Return `chunk` as `bytes`, which nobody can change; raises `TypeError` if it holds none."""
    return chunk if isinstance(chunk, bytes) else bytes(memoryview(chunk))


class Wakeup:
    """The call that wakes the one task which may wait."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> bool:
        """Whether a task waits, or has been called and has not run yet."""
        return self._future is not None

    async def wait(self) -> None:
        """Wait for the next `call`; raises `BusyError` when another task already does."""
        if self._future is not None:
            raise BusyError("another task is waiting")
        self._future = asyncio.get_running_loop().create_future()
        try:
            await self._future
        finally:
            self._future = None

    def call(self) -> None:
        """Wake who waits; a call that nobody waits for is forgotten."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
