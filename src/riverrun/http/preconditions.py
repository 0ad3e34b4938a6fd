"""Conditional requests (RFC 9110, 13): whether to answer as asked, with 304, or with 412.

Pure decisions from the fields of a request and the validators of what it asks for, in the order of
13.2.2. A condition that cannot be understood is held to fail where that is the careful answer: for
GET and HEAD the whole is sent, for anything else nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from riverrun.http.dates import parse_date
from riverrun.http.entity_tags import EntityTag, parse_entity_tag, parse_entity_tags

CONDITIONAL_FIELDS = frozenset(
    (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since")
)
"""What `evaluate` looks at: a request without any of them proceeds."""

READING_METHODS = ("GET", "HEAD")
UNCONDITIONAL_METHODS = ("CONNECT", "OPTIONS", "TRACE")  # RFC 9110, 13.2.1


class Outcome(IntEnum):
    """What the conditions come to: go on, or answer with the status that is the value."""

    PROCEED = 0
    NOT_MODIFIED = 304
    PRECONDITION_FAILED = 412


def evaluate(
    method: str,
    headers: Mapping[bytes, bytes],
    etag: EntityTag | None,
    last_modified: int | None,
    *,
    exists: bool = True,
) -> Outcome:
    """Decide the conditions of a request, once it would otherwise succeed (RFC 9110, 13.2.2).

    `headers` has lower-case names and joined values. `etag` and `last_modified`, in whole seconds
    since 1970, are the validators of the current representation, as far as there are any; `exists`
    is whether there is one at all, which ``*`` asks. If-Range is for `if_range_holds`.
    """
    if method in UNCONDITIONAL_METHODS:
        return Outcome.PROCEED
    if (value := headers.get(b"if-match")) is not None:
        if not _matches(value, etag, exists=exists, strongly=True):
            return Outcome.PRECONDITION_FAILED
    elif last_modified is not None and (value := headers.get(b"if-unmodified-since")) is not None:
        date = parse_date(value)
        if date is not None and last_modified > date:
            return Outcome.PRECONDITION_FAILED
    reading = method in READING_METHODS
    if (value := headers.get(b"if-none-match")) is not None:
        if _matches(value, etag, exists=exists, strongly=False, when_invalid=not reading):
            return Outcome.NOT_MODIFIED if reading else Outcome.PRECONDITION_FAILED
    elif reading and last_modified is not None:
        value = headers.get(b"if-modified-since")
        date = parse_date(value) if value is not None else None
        if date is not None and last_modified <= date:
            return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def if_range_holds(
    headers: Mapping[bytes, bytes], etag: EntityTag | None, last_modified: int | None
) -> bool:
    """Whether the Range field of a request counts (RFC 9110, 13.1.5); it does without If-Range.

    A tag must match strongly, and a date must be that of Last-Modified to the second.
    """
    value = headers.get(b"if-range")
    if value is None:
        return True
    if value[-1:] == b'"':
        tag = parse_entity_tag(value)
        return tag is not None and etag is not None and tag.equals_strongly(etag)
    return last_modified is not None and parse_date(value) == last_modified


def _matches(
    value: bytes,
    etag: EntityTag | None,
    *,
    exists: bool,
    strongly: bool,
    when_invalid: bool = False,
) -> bool:
    """Whether the current representation is one of those that `value` lists."""
    if value == b"*":
        return exists
    if etag is not None and not etag.weak and value == str(etag).encode("latin-1"):
        return True  # the common case: the one tag that was sent before
    tags = parse_entity_tags(value)
    if tags is None:
        return when_invalid
    if etag is None:
        return False
    equals = etag.equals_strongly if strongly else etag.equals_weakly
    return any(map(equals, tags))
