"""What can be wrong with a log.

LogError
├── LogNotFoundError    there is none of that name
├── LogGoneError        it was deleted, has expired, or no longer keeps what is asked for
├── LogExistsError      there is one, and it is another
├── LogClosedError      nothing can be added any more
├── ContentTypeError    what is to be added or forked is of another kind
├── OrderError          something greater was added before
├── FencedError         a newer epoch of the producer has appended
├── EpochError          a new epoch does not begin at the beginning
├── GapError            appends of the producer are missing
├── OffsetError         the log has no such offset
└── StorageError        the disk is full, or failed
"""

from __future__ import annotations

from riverrun.errors import RiverrunError


class LogError(RiverrunError):
    """The root of what logs raise."""


class LogNotFoundError(LogError):
    """No log has this name."""

    def __str__(self) -> str:
        return "there is no such log"


class LogGoneError(LogError):
    """The log is deleted or expired, or what was asked for is not kept any more."""

    def __str__(self) -> str:
        return "it is gone"


class LogExistsError(LogError):
    """A log of this name was begun with other properties."""

    def __str__(self) -> str:
        return "there is another log of this name"


class LogClosedError(LogError):
    """The log was closed, at `tail`."""

    def __init__(self, tail: int) -> None:
        super().__init__(tail)
        self.tail = tail

    def __str__(self) -> str:
        return f"the log was closed at {self.tail}"


class ContentTypeError(LogError):
    """The log holds something else: `content_type`."""

    def __init__(self, content_type: str) -> None:
        super().__init__(content_type)
        self.content_type = content_type

    def __str__(self) -> str:
        return f"the log holds {self.content_type}"


class OrderError(LogError):
    """`last` was added before."""

    def __init__(self, last: str) -> None:
        super().__init__(last)
        self.last = last

    def __str__(self) -> str:
        return f"{self.last!r} was added before"


class FencedError(LogError):
    """The producer has begun `epoch`, which is newer."""

    def __init__(self, epoch: int) -> None:
        super().__init__(epoch)
        self.epoch = epoch

    def __str__(self) -> str:
        return f"the producer has begun epoch {self.epoch}"


class EpochError(LogError):
    """A new epoch of a producer did not begin with sequence 0."""

    def __str__(self) -> str:
        return "a new epoch begins with sequence 0"


class GapError(LogError):
    """Sequence `expected` of a producer has to come before `received`."""

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(expected, received)
        self.expected = expected
        self.received = received

    def __str__(self) -> str:
        return f"sequence {self.received} came where {self.expected} was expected"


class OffsetError(LogError):
    """The log has nothing at `offset`: it begins at `start` and ends at `tail`."""

    def __init__(self, offset: int, start: int, tail: int) -> None:
        super().__init__(offset, start, tail)
        self.offset = offset
        self.start = start
        self.tail = tail

    def __str__(self) -> str:
        return f"{self.offset} is not between {self.start} and {self.tail}"


class StorageError(LogError):
    """The disk did not take it; `full` is whether for want of room."""

    def __init__(self, reason: str, *, full: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.full = full

    def __str__(self) -> str:
        return self.reason
