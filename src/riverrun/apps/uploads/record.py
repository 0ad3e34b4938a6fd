"""What is known of an upload, whatever dialect it came in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec


class Dialect(Enum):
    """The protocol by which an upload began."""

    PUT = "put"
    FORM = "form"
    TUS = "tus"
    RESUMABLE = "resumable"


class UploadState(Enum):
    """How far an upload has come.

    From RECEIVING to COMPLETING, when all of it is there, to COMPLETE, when it stands under its
    name; back to RECEIVING if it could not be put there. GONE from RECEIVING, by the client, by
    its expiry, or because what was given cannot be resumed.
    """

    RECEIVING = "receiving"
    COMPLETING = "completing"
    COMPLETE = "complete"
    GONE = "gone"


class Record(msgspec.Struct):
    """The lasting part of an upload.

    `length` is in bytes, None while the client has not said; `target` the names that lead to the
    place of the file, empty for one that gets none; with `rename` it takes another name of that
    folder rather than the place of a file. Times are seconds since 1970. `conditions` are the
    conditional fields of the request that began it, `repr_digest` the digests its bytes must have
    (RFC 9530), `unverified_from` the offset behind which nothing counts, because the digest of a
    request that runs has not been verified. `details` are the dialect's own: what JSON can hold.
    """

    id: str
    dialect: Dialect
    target: tuple[str, ...]
    length: int | None
    created: float
    expires: float
    owner: str = ""
    state: UploadState = UploadState.RECEIVING
    conditions: Mapping[str, str] = {}
    repr_digest: str = ""
    rename: bool = False
    unverified_from: int | None = None
    details: Mapping[str, Any] = {}
