"""Every exception riverrun raises.

    RiverrunError
    ├── ClosedError            you ended, aborted or closed it, and used it again
    ├── BusyError              two of you used it at once
    ├── BrokenError            the other side did it: the peer, the disk, the producer
    │   ├── DisconnectedError  the peer went away
    │   └── TruncatedError     fewer bytes came than were promised
    ├── LengthError            more or fewer bytes were written than you declared
    ├── RefusedError           a limit did it
    │   └── StallError         nothing moved for too long
    └── HTTPError              answered with this status, as a problem (RFC 9457)

The class says who did it. Exceptions hold fields; ``__str__`` formats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class RiverrunError(Exception):
    """The root: catch it to catch everything of ours."""


class ClosedError(RiverrunError):
    """The stream was ended, aborted or closed by its own user before this call."""


class BusyError(RiverrunError):
    """A second task used a stream that admits one at a time."""


class BrokenError(RiverrunError):
    """The other side failed: nothing more can come or go."""


class DisconnectedError(BrokenError):
    """The peer closed or reset the connection before the exchange was over."""


class TruncatedError(BrokenError):
    """A source ended before the number of bytes it had promised."""

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(expected, received)
        self.expected = expected
        self.received = received

    def __str__(self) -> str:
        return f"{self.received} of {self.expected} bytes came before the end"


class LengthError(RiverrunError):
    """The bytes written do not add up to the declared length."""

    def __init__(self, declared: int, written: int) -> None:
        super().__init__(declared, written)
        self.declared = declared
        self.written = written

    def __str__(self) -> str:
        return f"{self.written} bytes written where {self.declared} were declared"


class RefusedError(RiverrunError):
    """A limit was met.

    ``limit`` names it, ``value`` is where it stands.
    """

    def __init__(self, limit: str, value: float) -> None:
        super().__init__(limit, value)
        self.limit = limit
        self.value = value

    def __str__(self) -> str:
        return f"{self.limit} is limited to {self.value:g}"


class StallError(RefusedError):
    """Nothing moved for longer than the stall timeout, in seconds."""


class Explanation(NamedTuple):
    """An error in a person's words, and where to go from there.

    `links` are addresses, as a link on the page has them, each with what it leads to.
    """

    title: str
    text: str
    links: tuple[tuple[str, str], ...] = ()


class HTTPError(RiverrunError):
    """Ends an exchange with an error status.

    Raised by a handler before the response has started, it is answered as
    ``application/problem+json`` or as a small page (RFC 9457); ``detail`` is for the
    client's eyes, ``headers`` are sent along (``Allow``, ``Retry-After``, ...), and
    ``extensions`` are further members of the problem, for programs: its ``type`` and ``title``,
    and what that type defines. An ``explanation`` takes the detail's place on the page.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
        explanation: Explanation | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})
        self.explanation = explanation

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}" if self.detail else str(self.status)
