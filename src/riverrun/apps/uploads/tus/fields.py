"""The fields of tus, read without I/O, and the check of a chunk's checksum.

The sections named here are those of the tus resumable upload protocol 1.0.0. What is not valid
raises `HTTPError` 400, since a client that goes on would lose what it did not manage to say.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from riverrun.errors import HTTPError
from riverrun.http.filenames import safe_name, safe_segments
from riverrun.http.headers import Fields

CHECKSUM_ALGORITHMS = ("sha1", "sha256", "md5")
NUMBER = re.compile(rb"[0-9]{1,18}")
KEY = re.compile(rb"[!-+\--~]+")  # what is visible, but for the comma
PATH_KEYS = ("relativePath", "path")
NAME_KEYS = ("filename", "name")
NO_NAMES = ("", "null", "undefined")  # what scripts make of a path that they do not have


class Concatenation(NamedTuple):
    """What Upload-Concat says of a new upload: the ids that a final one consists of, or none."""

    parts: tuple[str, ...]

    @property
    def final(self) -> bool:
        """Whether it consists of others; otherwise it is to be a part."""
        return bool(self.parts)


class ChecksumCheck:
    """Verifies an Upload-Checksum; a `BodyCheck`. Raises `HTTPError` 460 when it is another."""

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        self._expected = expected

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes into account."""
        self._digest.update(chunk)

    def verify(self) -> None:
        """Raise unless the bytes so far have the checksum."""
        if self._digest.digest() != self._expected:
            name = self._digest.name
            raise HTTPError(460, f"The {name} checksum is not that of the bytes that came.")


def parse_number(fields: Fields, name: bytes) -> int | None:
    """The value of Upload-Offset or Upload-Length, None without the field (Core, Headers)."""
    value = fields.get(name)
    if value is None:
        return None
    if NUMBER.fullmatch(value) is None:
        raise HTTPError(400, f"{name.decode().title()} is not a number of bytes.")
    return int(value)


def parse_new_length(fields: Fields) -> int | None:
    """The length of an upload that begins, None when it is to come later (Creation, POST)."""
    length = parse_number(fields, b"upload-length")
    deferred = fields.get(b"upload-defer-length")
    if deferred not in (None, b"1"):
        raise HTTPError(400, "Upload-Defer-Length can only be 1.")
    if (length is None) is (deferred is None):
        raise HTTPError(400, "An upload wants either Upload-Length or Upload-Defer-Length.")
    return length


def parse_metadata(value: bytes) -> dict[str, bytes]:
    """The keys and values of Upload-Metadata; an empty field has none."""
    metadata: dict[str, bytes] = {}
    for pair in filter(None, map(bytes.strip, value.split(b","))):
        key, _, encoded = pair.partition(b" ")
        if KEY.fullmatch(key) is None:
            raise HTTPError(400, "A key in Upload-Metadata is not valid.")
        name = key.decode()
        if name in metadata:
            raise HTTPError(400, f"{name} is in Upload-Metadata twice.")
        metadata[name] = _decode(encoded, f"The {name} in Upload-Metadata")
    return metadata


def parse_concatenation(value: bytes | None) -> Concatenation | None:
    """What Upload-Concat says, None without the field.

    The parts are told by the last segments of their URLs, which are not fetched and may go by way
    of a proxy that gives them other addresses.
    """
    if value is None:
        return None
    if value == b"partial":
        return Concatenation(())
    kind, _, urls = value.decode("latin-1").partition(";")
    ids = tuple(map(_id_of, urls.split(" ") if urls.strip() else ()))
    if kind != "final" or not all(ids) or not ids:
        raise HTTPError(400, "Upload-Concat is neither partial nor final with its parts.")
    return Concatenation(ids)


def parse_checksum(value: bytes | None) -> list[ChecksumCheck]:
    """What a body must pass because of Upload-Checksum: nothing without the field."""
    if value is None:
        return []
    name, _, encoded = value.decode("latin-1").partition(" ")
    if name not in CHECKSUM_ALGORITHMS:
        raise HTTPError(400, f"Upload-Checksum can be of {', '.join(CHECKSUM_ALGORITHMS)}.")
    expected = _decode(encoded.encode("latin-1"), "Upload-Checksum")
    if len(expected) != hashlib.new(name, usedforsecurity=False).digest_size:
        raise HTTPError(400, f"Upload-Checksum is not as long as {name} is.")
    return [ChecksumCheck(name, expected)]


def target_of(metadata: Mapping[str, bytes]) -> tuple[str, ...] | None:
    """Where a file goes by its metadata, made safe; None when that does not say."""
    path = _first(metadata, PATH_KEYS)
    if path is not None:
        return safe_segments(path)
    name = _first(metadata, NAME_KEYS)
    return None if name is None else (safe_name(name),)


def wants_other_name(metadata: Mapping[str, bytes]) -> bool:
    """Whether a file takes another name rather than clash with one that is there."""
    return metadata.get("clash") == b"rename"


def _first(metadata: Mapping[str, bytes], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        text = metadata.get(key, b"").decode(errors="replace")
        if text not in NO_NAMES:
            return text
    return None


def _decode(encoded: bytes, what: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        raise HTTPError(400, f"{what} is not Base64.") from None


def _id_of(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""
