"""The base of sinks: everything a `Writable` promises, around the few things that differ.

A subclass says how a chunk is accepted, how the stream finishes, and how it is abandoned. The base
keeps the rest of the contract: one writer at a time, an end, an abort and a failure that stay, and
a `write` that may be cancelled. There are two: `Sink` for what hands every chunk on at once, and
`BufferedSink` for what holds some, and lets its writer wait when it is full.

A cancel never comes in the middle of a chunk because what the subclass does runs in a task of its
own, to its end. Whoever comes next (a write, or the end) waits for what a cancelled write left
behind; only `abort` and a failure cut it short.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine, Mapping
from enum import Enum
from typing import Any

from riverrun.errors import BusyError, ClosedError, RiverrunError
from riverrun.streams.contracts import Chunk, Writable
from riverrun.streams.lifecycle import Wakeup, failure_of, moved, owned


class SinkState(Enum):
    """Where a sink stands."""

    OPEN = "open"
    ENDING = "ending"
    ENDED = "ended"
    ABORTED = "aborted"
    FAILED = "failed"


_MOVES: Mapping[SinkState, frozenset[SinkState]] = {
    SinkState.OPEN: frozenset({SinkState.ENDING, SinkState.ABORTED, SinkState.FAILED}),
    SinkState.ENDING: frozenset({SinkState.ENDED, SinkState.ABORTED, SinkState.FAILED}),
    SinkState.ENDED: frozenset(),
    SinkState.ABORTED: frozenset(),
    SinkState.FAILED: frozenset(),
}


class Sink(Writable):
    """A `Writable` whose subclass implements `_accept`, which hands a chunk on.

    And `_try_accept`, where a chunk can be handed on without waiting. Whatever they raise becomes
    the failure of the stream: an exception of riverrun's as it is, any other as a `BrokenError`
    with the original as its cause.
    """

    def __init__(self) -> None:
        self._state = SinkState.OPEN
        self._failure: RiverrunError | None = None
        self._wakeup = Wakeup()
        self._operation: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @abstractmethod
    async def _accept(self, chunk: bytes) -> None:
        """Take `chunk`, waiting for room first."""

    def _try_accept(self, chunk: bytes) -> bool:  # noqa: ARG002
        """Take `chunk` and return True, or return False if that would have to wait."""
        return False

    async def _finish(self) -> None:
        """Hand on what was accepted, and tell the far side that this was all."""

    def _abandon(self, error: BaseException | None) -> None:
        """Let go of what lies below, at once, so that the far side can tell it from an end.

        Called once, after an abort or a failure, never after an end. It must not raise.
        """

    async def write(self, chunk: Chunk) -> None:
        """Accept `chunk`, waiting for room; see `Writable.write`."""
        chunk = owned(chunk)  # after a cancel it may be written while its owner changes it
        if not self.try_write(chunk):
            await self._settle()
            await self._perform(self._accept(chunk))

    def try_write(self, chunk: Chunk) -> bool:
        """Accept `chunk` without waiting, or not at all; see `Writable.try_write`."""
        if self._wakeup.waiting:
            raise BusyError("another task is writing")
        self._check_open()
        if not chunk:
            return True
        if self._operation is not None:  # left behind by a cancelled write
            return False
        try:
            return self._try_accept(owned(chunk))
        except Exception as error:  # noqa: BLE001  whatever it is, it is this stream's failure
            self._fail(error)
        self._check_open()
        return False

    async def end(self) -> None:
        """Finish well; see `Writable.end`. A cancel leaves the stream ending."""
        if self._state is SinkState.OPEN:
            self._move(SinkState.ENDING)
            self._wakeup.call()
            self._ending = asyncio.ensure_future(self._conclude())
            self._ending.add_done_callback(self._done)
        if self._ending is not None:
            await asyncio.wait({self._ending})
        if self._state is not SinkState.ENDED:
            self._check_open()

    def abort(self, error: BaseException | None = None) -> None:
        """Finish badly, at once; see `Writable.abort`."""
        if self._state in {SinkState.OPEN, SinkState.ENDING}:
            self._move(SinkState.ABORTED)
            self._stop(error)

    def _fail(self, error: BaseException) -> None:
        """The far side failed: every call from now on raises `error`."""
        if self._state in {SinkState.OPEN, SinkState.ENDING}:
            self._failure = failure_of(error)
            self._move(SinkState.FAILED)
            self._stop(error)

    def _stop(self, error: BaseException | None) -> None:
        for task in (self._operation, self._ending):
            if task is not None:
                task.cancel()
        self._wakeup.call()
        self._abandon(error)

    def _move(self, to: SinkState) -> None:
        self._state = moved(self._state, to, _MOVES)

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._state is not SinkState.OPEN:
            raise ClosedError(f"the stream is {self._state.value}")

    async def _perform(self, operation: Coroutine[Any, Any, None]) -> None:
        """Run `operation` to its end, whatever happens to the caller."""
        self._operation = asyncio.ensure_future(operation)
        self._operation.add_done_callback(self._done)
        await self._settle()

    async def _settle(self) -> None:
        while self._operation is not None:
            await self._wakeup.wait()
            self._check_open()

    async def _conclude(self) -> None:
        if self._operation is not None:
            await asyncio.wait({self._operation})
        await self._finish()
        self._move(SinkState.ENDED)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task is self._operation:
            self._operation = None
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)
        self._wakeup.call()


class BufferedSink(Sink):
    """A `Sink` that holds a buffer: its subclass implements `_try_accept`, `_full` and `_drain`."""

    async def _accept(self, chunk: bytes) -> None:
        while not self._try_accept(chunk):
            await self._drain()

    @abstractmethod
    def _try_accept(self, chunk: bytes) -> bool:
        """Take `chunk` and return True, or return False if there is no room."""

    @abstractmethod
    def _full(self) -> bool:
        """Whether a write that was accepted has to wait for `_drain`."""

    @abstractmethod
    async def _drain(self) -> None:
        """Wait until there is room."""

    async def write(self, chunk: Chunk) -> None:
        """Accept `chunk` and wait for room; see `Writable.write`."""
        await super().write(chunk)
        if self._full():
            await self._settle()
            await self._perform(self._drain())
