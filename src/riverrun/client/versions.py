"""Which version of a file on a server the bytes at hand are of.

Bytes of two versions must never be joined, so a transfer goes on only from bytes whose strong
entity tag it knows (RFC 9110, 8.8.1 and 13.1.5), and from none of another address.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from riverrun.client.fields import read_digest
from riverrun.http.dates import parse_date
from riverrun.http.entity_tags import parse_entity_tag


class Version(msgspec.Struct, frozen=True):
    """What is known of it: `size` in bytes, `modified` in seconds since 1970, `digest` SHA-256.

    `etag` is a strong entity tag as the server has written it, or None: then nothing can be
    resumed.
    """

    url: str
    etag: str | None = None
    size: int | None = None
    modified: int | None = None
    digest: bytes | None = None


def read_version(url: str, headers: Mapping[str, str], size: int | None) -> Version:
    """The version that the head of an answer describes."""
    etag = headers.get("etag", "")
    tag = parse_entity_tag(etag.encode("latin-1", "replace"))
    modified = parse_date(headers.get("last-modified", "").encode("latin-1", "replace"))
    strong = etag if tag is not None and not tag.weak else None
    return Version(url, strong, size, modified, read_digest(headers))


def read_size(headers: Mapping[str, str]) -> int | None:
    """The Content-Length, if there is one."""
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None
