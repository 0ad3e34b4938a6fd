"""The base of sources: everything a `Readable` promises, around the one thing that differs.

A subclass says how a chunk is fetched and what is released in the end. The base keeps the rest of
the contract: one reader at a time, an end and a failure that stay, the gate of `pause`, and a
`read` that may be cancelled.

A cancel loses no bytes because a fetch is never cancelled with the read that asked for it. It runs
in a task of its own, and what it brings is kept for the next read. Only `aclose` cancels a fetch,
and only then is what lies below released, so a `_release` never meets a fetch that still runs.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from enum import Enum

from riverrun.errors import BusyError, ClosedError, RiverrunError
from riverrun.streams.contracts import Readable
from riverrun.streams.lifecycle import Wakeup, failure_of, moved


class SourceState(Enum):
    """Where a source stands."""

    FLOWING = "flowing"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"
    CLOSED = "closed"


_MOVES: Mapping[SourceState, frozenset[SourceState]] = {
    SourceState.FLOWING: frozenset(SourceState) - {SourceState.FLOWING},
    SourceState.PAUSED: frozenset(SourceState) - {SourceState.PAUSED},
    SourceState.ENDED: frozenset({SourceState.CLOSED}),
    SourceState.FAILED: frozenset({SourceState.CLOSED}),
    SourceState.CLOSED: frozenset(),
}


class Source(Readable):
    """A `Readable` whose subclass implements `_fetch`, and `_try_fetch` and `_release` if need be.

    Whatever `_fetch` raises becomes the failure of the stream: an exception of riverrun's as it
    is, any other as a `BrokenError` with the original as its cause.
    """

    def __init__(self) -> None:
        self._state = SourceState.FLOWING
        self._failure: RiverrunError | None = None
        self._wakeup = Wakeup()
        self._fetching: asyncio.Task[bytes] | None = None
        self._kept = b""  # what was fetched and not yet read, from `_taken` on
        self._taken = 0

    @abstractmethod
    async def _fetch(self, max_bytes: int | None) -> bytes:
        """Wait for the next chunk and return it; ``b""`` at the end.

        `max_bytes` is a hint: of a longer chunk the base keeps what was not asked for.
        """

    def _try_fetch(self, max_bytes: int | None) -> bytes | None:  # noqa: ARG002
        """Return what `_fetch` would, or None if that would have to wait."""
        return None

    async def _release(self) -> None:
        """Free what lies below. Called once; a cancel must still leave it freed."""

    async def read(self, max_bytes: int | None = None) -> bytes:
        """Return the next chunk; see `Readable.read`."""
        if max_bytes is not None and max_bytes < 1:
            raise ValueError(f"max_bytes must be at least 1, not {max_bytes}")
        if self._wakeup.waiting:
            raise BusyError("another task is reading")
        while not self._supply(max_bytes):
            if self._state is SourceState.ENDED:
                return b""
            if self._state is SourceState.CLOSED:
                raise ClosedError("the stream was closed")
            if self._failure is not None:
                raise self._failure
            await self._wakeup.wait()
        return self._take(max_bytes)

    def pause(self) -> None:
        """Fetch nothing until `resume`; see `Readable.pause`."""
        if self._state is SourceState.FLOWING:
            self._move(SourceState.PAUSED)

    def resume(self) -> None:
        """Fetch again; see `Readable.resume`."""
        if self._state is SourceState.PAUSED:
            self._move(SourceState.FLOWING)
            self._wakeup.call()

    async def aclose(self) -> None:
        """Free what lies below; see `Readable.aclose`."""
        if self._state is SourceState.CLOSED:
            return
        self._move(SourceState.CLOSED)
        self._kept = b""
        self._wakeup.call()
        if self._fetching is None:
            await self._release()
        else:
            self._fetching.cancel()
            await asyncio.shield(asyncio.ensure_future(self._release_after(self._fetching)))

    async def _release_after(self, fetching: asyncio.Task[bytes]) -> None:
        await asyncio.wait({fetching})
        await self._release()

    def _move(self, to: SourceState) -> None:
        self._state = moved(self._state, to, _MOVES)

    def _supply(self, max_bytes: int | None) -> bool:
        """See to it that bytes come, if the stream flows; return whether some are here."""
        if self._kept:
            return True
        if self._state is not SourceState.FLOWING or self._fetching is not None:
            return False
        try:
            chunk = self._try_fetch(max_bytes)
        except Exception as error:  # noqa: BLE001  whatever it is, it is this stream's failure
            self._fail(error)
        else:
            if chunk is None:
                self._fetching = asyncio.ensure_future(self._fetch(max_bytes))
                self._fetching.add_done_callback(self._fetched)
            else:
                self._keep(chunk)
        return bool(self._kept)

    def _fetched(self, fetching: asyncio.Task[bytes]) -> None:
        self._fetching = None
        error = asyncio.CancelledError() if fetching.cancelled() else fetching.exception()
        if self._state is SourceState.CLOSED:
            return
        if error is None:
            self._keep(fetching.result())
        else:
            self._fail(error)
        self._wakeup.call()

    def _keep(self, chunk: bytes) -> None:
        if chunk:
            self._kept = chunk
            self._taken = 0
        else:
            self._move(SourceState.ENDED)

    def _fail(self, error: BaseException) -> None:
        self._failure = failure_of(error)
        self._move(SourceState.FAILED)

    def _take(self, max_bytes: int | None) -> bytes:
        stop = None if max_bytes is None else self._taken + max_bytes
        piece = self._kept[self._taken : stop]
        self._taken += len(piece)
        if self._taken == len(self._kept):
            self._kept = b""
        return piece
