"""The two ends of a stream, and what everyone may rely on.

A `Readable` is asked for bytes; a `Writable` is given them. Both set the pace by making the
caller wait. Nothing here knows where the bytes come from or go to. `riverrun.testing` checks an
implementation against every clause below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias, runtime_checkable

Chunk: TypeAlias = bytes | bytearray | memoryview
"""Bytes in motion. What a Readable gives is always `bytes`."""


class Readable(ABC):
    """A source of bytes, read one chunk at a time.

    It is its own asynchronous iterator (``async for chunk in readable``), and an asynchronous
    context manager that closes it.
    """

    @abstractmethod
    async def read(self, max_bytes: int | None = None) -> bytes:
        """Return the next chunk: 1 to `max_bytes` bytes, or ``b""`` at the end, then ever after.

        Without `max_bytes` the source chooses the size. Waits while the source has nothing, and
        while it is paused.

        Raises:
            ValueError: `max_bytes` is less than 1.
            BusyError: another task is reading.
            ClosedError: `aclose` was called before, or while this call waited.
            BrokenError: the source failed; every later call raises it again.

        A cancel loses no bytes: the next read gives what this one would have given.
        """

    @abstractmethod
    def pause(self) -> None:
        """Stop the source itself: it fetches nothing until `resume`.

        Chunks fetched earlier may still be read; then reads wait. Pausing twice is pausing once.
        """

    @abstractmethod
    def resume(self) -> None:
        """Start the source again; does nothing when it is not paused."""

    @abstractmethod
    async def aclose(self) -> None:
        """Free what lies below, at any time, twice too. A read that waits raises `ClosedError`.

        A cancel still leaves it closed.
        """

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.read()
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class Writable(ABC):
    """A sink of bytes, written one chunk at a time.

    As an asynchronous context manager it ends well when the block does, and aborts when the
    block raises.
    """

    @abstractmethod
    async def write(self, chunk: Chunk) -> None:
        """Accept `chunk` and return when there is room for more: here backpressure is felt.

        An empty chunk is accepted and changes nothing.

        Raises:
            BusyError: another task is writing.
            ClosedError: the stream was ended or aborted before, or while this call waited.
            BrokenError: the far side failed; every later call raises it again.

        A cancel may come before or after the chunk was accepted, never in its middle: the chunk
        is then sent whole or not at all, and the stream may be ended or aborted.
        """

    @abstractmethod
    def try_write(self, chunk: Chunk) -> bool:
        """Accept `chunk` whole without waiting and return True, or return False and take nothing.

        Raises what `write` raises.
        """

    @abstractmethod
    async def end(self) -> None:
        """Finish well: returns when everything accepted has been handed on. Twice is once.

        Raises:
            ClosedError: the stream was aborted before.
            BrokenError: the far side failed before all had been handed on.
        """

    @abstractmethod
    def abort(self, error: BaseException | None = None) -> None:
        """Finish badly, at once, at any time: the far side can tell it from an end.

        Does nothing after `end` has returned, or after another abort.
        """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self.end()
        else:
            self.abort(error)


@dataclass(frozen=True, slots=True)
class FileRegion:
    """`length` bytes of the open file `descriptor`, from `offset`; the holder keeps it open.

    `check`, if there is one, is called whenever there was time for the file to change, before more
    of it is taken, and raises when it is not to be taken any more.
    """

    descriptor: int
    offset: int
    length: int
    check: Callable[[], None] | None = None

    def part(self, offset: int, length: int) -> FileRegion:
        """Another region of the same file."""
        return FileRegion(self.descriptor, offset, length, self.check)


@runtime_checkable
class RegionSource(Protocol):
    """A Readable whose rest lies in a file, in one piece."""

    def region(self) -> FileRegion | None:
        """What is left to read as a region, or None if it must be read chunk by chunk."""


@runtime_checkable
class RegionSink(Protocol):
    """A Writable that can take a file region without its bytes passing through Python."""

    async def write_region(self, region: FileRegion) -> None:
        """Send all of `region`, waiting for room as `write` does.

        Raises what `write` raises, and `TruncatedError` if the file ends before the region does.
        A cancel may leave part of the region sent.
        """


class Pace(Protocol):
    """What counts and steers bytes in motion; a `riverrun.Flow` is one."""

    moved: int
    """How many bytes have moved, counted by who moves them."""

    @property
    def free(self) -> bool:
        """Whether any number may move without asking for a turn."""

    async def turn(self, want: int) -> int:
        """Wait until some of `want` bytes may move, and return how many."""
