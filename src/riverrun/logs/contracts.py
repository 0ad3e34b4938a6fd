"""What a log is, and what keeps logs: the contracts that every engine fulfils.

A log is a durable, append-only sequence of bytes under a name. Offsets count its bytes from 0 and
never change their meaning. Nothing here knows HTTP, nor where the bytes lie.

What was appended can be read as soon as it is durable, not before. Readers cost the log nothing:
who has caught up is handed the chunk that everybody is handed, who has fallen behind reads what
lies on the disk, and nothing is queued for either.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from riverrun.streams.contracts import Chunk, FileRegion, Readable

Watcher = Callable[[], None]
"""Called on the event loop when a log has grown, was closed, or is gone; it must not raise."""

Data = Chunk | Readable
"""What can be appended: bytes, or a source of them that is read to its end first."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a log goes by itself: `ttl` seconds after it was last used, or at a time; or never.

    `at` is in seconds of the Unix epoch. Only one of the two may be given.
    """

    ttl: int | None = None
    at: float | None = None

    def __post_init__(self) -> None:
        if self.ttl is not None and self.at is not None:
            raise ValueError("a log expires after a time or at a time, not both")


NEVER = Expiry()


@dataclass(frozen=True, slots=True)
class Origin:
    """What a log was forked from: the log `name`, all of it before `offset`."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class LogInfo:
    """What is known of a log at one moment. Offsets in bytes, times in seconds of the Unix epoch.

    `id` is never given again, also if another log gets the name. What lies before `start` is kept
    no longer; `tail` is where the next append begins.
    """

    name: str
    id: int
    content_type: str
    created: float
    start: int = 0
    tail: int = 0
    closed: bool = False
    expiry: Expiry = NEVER
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Producer:
    """Who appends, so that nothing is there twice: the same triple is stored once.

    `sequence` counts the appends of an `epoch` from 0; a new epoch shuts out the older ones.
    """

    id: str
    epoch: int
    sequence: int


class Produced(NamedTuple):
    """What became of an append with a `Producer`."""

    tail: int
    """Where the log ends now."""

    sequence: int
    """The highest that is stored, of this producer in this epoch."""

    duplicate: bool
    """Whether it had been stored before, and was not stored again."""


def same_content_type(one: str, other: str) -> bool:
    """Whether two content types mean the same: in any case, and whatever their parameters."""
    return _essence(one) == _essence(other)


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


class Created(NamedTuple):
    """A log, and whether it was not there before."""

    log: Log
    new: bool


class Log(Protocol):
    """One log, open for everything. Not closed by anybody: it goes on when nobody holds it."""

    @property
    def info(self) -> LogInfo:
        """What is known of it now; what is durable, that is."""

    @property
    def gone(self) -> bool:
        """Whether it was deleted or has expired."""

    async def append(self, data: Data, *, order: str | None = None, close: bool = False) -> int:
        """Add `data` at the end, whole or not at all; return where the log ends when it is durable.

        With `close`, nothing can be added after it; no data is needed then. With `order`, it is
        added only if that is greater, as text, than the one given last.

        Raises:
            LogClosedError: the log is closed; closing it once more, without data, is allowed.
            OrderError: `order` is not greater than the last.
            LogGoneError: it was deleted, or has expired.
            StorageError: the disk is full or fails; nothing was added.

        A cancel leaves open whether it was added.
        """

    async def produce(
        self, data: Data, producer: Producer, *, order: str | None = None, close: bool = False
    ) -> Produced:
        """Add `data` as `append` does, unless it has been added before.

        Raises what `append` raises, and:
            FencedError: a newer epoch of the producer has appended.
            GapError: appends between the last one stored and this one are missing.
            EpochError: a new epoch does not begin with sequence 0.
        """

    async def close(self) -> int:
        """Nothing can be added any more; return where the log ends. Twice is once."""

    def touch(self) -> None:
        """It is being used: what `Expiry.ttl` counts from."""

    def read(self, offset: int | None = None) -> Readable:
        """Everything from `offset` on, or from where the log starts, and what comes; to its end.

        The reader waits at the tail while the log is open and ends there when it is closed. It
        raises `LogGoneError` when the log is deleted, or its retention overtakes the reader.

        Raises `OffsetError` for an offset beyond the tail or before the start.
        """

    def slices(self, start: int, stop: int) -> AsyncGenerator[FileRegion | bytes, None]:
        """What lies between two offsets, in pieces; a region is good until the next is asked for.

        Close the iterator if it is not used up (`contextlib.aclosing`).
        """

    def shared_chunk(self, offset: int) -> bytes | None:
        """The chunk that was appended at `offset`, if it still is at hand: the same for everybody.

        Only what came last while somebody was watching is; the rest is read from `slices`.
        """

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` after each change, until `unwatch`."""

    def unwatch(self, watcher: Watcher) -> None:
        """Call it no more."""


class LogStore(Protocol):
    """Keeps logs by their names: non-empty text, of which the engine understands nothing."""

    async def create(
        self,
        name: str,
        *,
        content_type: str = "application/octet-stream",
        expiry: Expiry = NEVER,
        data: Data = b"",
        closed: bool = False,
    ) -> Created:
        """Begin a log with `data` in it, or give the one that is there if it was begun so.

        Content types are the same whatever their case and their parameters.

        Raises `LogExistsError` when one of that name has other properties, or is deleted and not
        gone yet; `StorageError`. A cancel leaves open whether it was created.
        """

    async def fork(
        self,
        name: str,
        source: str,
        *,
        offset: int | None = None,
        content_type: str | None = None,
        expiry: Expiry = NEVER,
        data: Data = b"",
        closed: bool = False,
    ) -> Created:
        """Begin a log with what `source` has before `offset`, or all of it; nothing is copied.

        It has the content type of `source`, and its expiry if none is given. Raises what `create`
        raises, `LogNotFoundError`, `OffsetError` for an offset that `source` does not have, and
        `ContentTypeError` for another content type.
        """

    async def find(self, name: str) -> Log:
        """The log of this name; raises `LogNotFoundError`, or `LogGoneError` if forks keep it."""

    async def delete(self, name: str) -> None:
        """Delete a log; its bytes stay for as long as forks of it need them. Raises as `find`."""

    def list(self, prefix: str = "") -> AsyncIterator[LogInfo]:
        """All logs whose names begin with `prefix`, in the order of their names, as they are."""

    async def aclose(self) -> None:
        """Finish what was begun and let go of everything."""

    def close(self) -> None:
        """As `aclose`, where no event loop runs any more; blocking. Twice is once."""
