"""What goes wrong between us and a server, by who did it.

    RiverrunError
    ├── BrokenError
    │   ├── LostError         the connection: it went away, or could not be made
    │   ├── AnswerError       the server: its answer makes no sense
    │   ├── ChangedError      whoever wrote to the file while it was on its way
    │   └── DigestError       somebody on the way: these are not the bytes that were promised
    ├── RefusalError          the server: it will not do that
    │   └── ExistsError       a file stands there, and it is not to be replaced
    ├── InputError            you: this cannot be sent
    ├── AddressError          you: no request can be sent to this address
    └── FolderError           you: this address is a folder, and a file was asked for

What the disk does is an `OSError`, as everywhere; that somebody else is at the same file, a
`riverrun.errors.BusyError`.
"""

from __future__ import annotations

from collections.abc import Mapping

from riverrun.errors import BrokenError, RiverrunError
from riverrun.http.statuses import title_of

TEMPORARY = frozenset((408, 423, 425, 429, 500, 502, 503, 504))
"""The statuses behind which the same request may succeed a little later."""


class LostError(BrokenError):
    """The connection is gone, `reason` says how; `reached` is whether there ever was one."""

    def __init__(self, place: str, reason: str, *, reached: bool) -> None:
        super().__init__(place, reason, reached)
        self.place = place
        self.reason = reason
        self.reached = reached

    def __str__(self) -> str:
        if self.reached:
            return f"the connection to {self.place} was lost: {self.reason}"
        return f"cannot connect to {self.place}: {self.reason}"


class AnswerError(BrokenError):
    """The server answered what HTTP does not allow, or what does not fit the question."""


class ChangedError(BrokenError):
    """The bytes became others while they were being moved."""


class DigestError(BrokenError):
    """The bytes that arrived are not those that were sent; digests by SHA-256."""

    def __init__(self, promised: bytes, found: bytes) -> None:
        super().__init__(promised, found)
        self.promised = promised
        self.found = found

    def __str__(self) -> str:
        return (
            f"the digest does not match: sha-256 {self.promised.hex()} was promised,"
            f" {self.found.hex()} arrived"
        )


class RefusalError(RiverrunError):
    """The server refused with this status; `detail` is what it says about it (RFC 9457)."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        title: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.title = title or title_of(status)
        self.detail = detail
        self.headers = headers or {}

    @property
    def temporary(self) -> bool:
        """Whether it may go well a little later."""
        return self.status in TEMPORARY

    @property
    def retry_after(self) -> float:
        """After how many seconds the server wants to be asked again; 0 if it does not say."""
        value = self.headers.get("retry-after", "")
        return float(value) if value.isascii() and value.isdecimal() and len(value) < 7 else 0.0

    def __str__(self) -> str:
        shown = f"{self.status} {self.title}"
        return f"{shown}: {self.detail}" if self.detail else shown


class ExistsError(RefusalError):
    """A file stands at the address, which is not the one to be sent as far as can be told.

    The status is 412 when the condition was ours, 403 when the server does not let it be replaced.
    """

    def __init__(self, error: RefusalError) -> None:
        super().__init__(error.status, error.detail, title=error.title, headers=error.headers)

    def __str__(self) -> str:
        return f"a file stands there already: {super().__str__()}"


class InputError(RiverrunError):
    """What was to be sent is not what it has to be."""


class AddressError(RiverrunError):
    """The address is none that a request can be sent to."""


class FolderError(RiverrunError):
    """The address is that of a folder, `url`; list it instead."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url

    def __str__(self) -> str:
        return f"{self.url} is a folder"
