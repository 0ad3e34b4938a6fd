"""The header fields of uploads and digests, as a client reads and writes them.

A field that is not valid, or of another type than it should be, is ignored as the drafts want it:
it reads as None, and the limits as no limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from riverrun.errors import HTTPError
from riverrun.http.digests import parse_digests, render_digest
from riverrun.http.structured_fields import parse_boolean, parse_dictionary, parse_integer

SHA_256 = "sha-256"
WANT_REPR_DIGEST = f"{SHA_256}=10"
LIMITS = ("max-size", "max-append-size", "min-append-size")


class UploadLimits(NamedTuple):
    """What a server lets one upload have, in bytes (Upload-Limit); None where it does not say."""

    max_size: int | None = None
    max_append_size: int | None = None
    min_append_size: int | None = None


def read_integer(headers: Mapping[str, str], name: str) -> int | None:
    """A non-negative integer."""
    value = parse_integer(_encoded(headers, name))
    return value if value is not None and value >= 0 else None


def read_boolean(headers: Mapping[str, str], name: str) -> bool | None:
    """A boolean: ``?0`` or ``?1``."""
    return parse_boolean(_encoded(headers, name))


def write_boolean(value: bool) -> str:
    """A boolean as it is sent."""
    return "?1" if value else "?0"


def read_digest(headers: Mapping[str, str]) -> bytes | None:
    """The SHA-256 of the representation, if the server gives it (RFC 9530, 3)."""
    try:
        return parse_digests(_encoded(headers, "repr-digest")).get(SHA_256)
    except HTTPError:
        return None


def write_digest(digest: bytes) -> str:
    """The value of a Repr-Digest field."""
    return render_digest(SHA_256, digest)


def read_limits(headers: Mapping[str, str]) -> UploadLimits:
    """The limits of an upload; a member of the wrong type makes all of them void."""
    members = parse_dictionary(_encoded(headers, "upload-limit")) or {}
    found: list[int | None] = []
    for name in LIMITS:
        value = members.get(name)
        if value is None:
            found.append(None)
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            found.append(value)
        else:
            return UploadLimits()
    return UploadLimits(*found)


def _encoded(headers: Mapping[str, str], name: str) -> bytes:
    return headers.get(name, "").encode("latin-1", "replace")
