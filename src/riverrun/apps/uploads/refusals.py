"""Why bytes of an upload are not taken, in words that every dialect can answer with."""

from __future__ import annotations

import errno

from riverrun.errors import HTTPError

READ_ONLY = "The disk can only be read."
NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class OffsetError(HTTPError):
    """What was sent does not begin where the upload ends. Fields: `expected`, `provided`, bytes."""

    def __init__(self, expected: int, provided: int) -> None:
        super().__init__(409, f"The upload stands at {expected}, not at {provided}.")
        self.expected = expected
        self.provided = provided


class OvertakenError(HTTPError):
    """A newer request goes on with the upload; what this one has brought is kept."""

    def __init__(self) -> None:
        super().__init__(409, "A newer request goes on with this upload.")


class BeyondLengthError(HTTPError):
    """More bytes come than the upload was said to have, which is `length`."""

    def __init__(self, length: int) -> None:
        super().__init__(413, f"The upload was said to have {length} bytes.")
        self.length = length


class _TellingOfAFullDisk:
    """A disk that takes nothing, because it is full or may only be read, is 507."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError):
            if error.errno in NO_SPACE:
                raise HTTPError(507, "The disk is full.") from error
            if error.errno == errno.EROFS:
                raise HTTPError(507, READ_ONLY) from error


telling_of_a_full_disk = _TellingOfAFullDisk()  # one for all: a thousand senders wait inside it
