"""What to answer to a request for a file, decided without touching it."""

from __future__ import annotations

from riverrun.apps.files.representation import Answer, Representation
from riverrun.errors import HTTPError
from riverrun.http.headers import Fields
from riverrun.http.preconditions import CONDITIONAL_FIELDS, Outcome, evaluate, if_range_holds
from riverrun.http.ranges import (
    UNSATISFIABLE,
    ByteRange,
    content_range,
    multipart_byteranges,
    parse_range,
)

DECIDING_FIELDS = CONDITIONAL_FIELDS | {b"range"}
"""Without any of them the answer is the whole file."""


def decide(method: str, fields: Fields, representation: Representation) -> Answer:
    """Answer a GET or HEAD of `representation`, in the order of RFC 9110, 13.2.2.

    Raises `HTTPError` 412 when a precondition fails, 416 when no range has a byte.
    """
    length = representation.length
    outcome = evaluate(method, fields, representation.etag, representation.last_modified)
    if outcome is Outcome.PRECONDITION_FAILED:
        raise HTTPError(412)
    if outcome is Outcome.NOT_MODIFIED:
        return Answer(304, representation.common_fields, 0, ())
    if (
        method != "GET"  # RFC 9110, 14.2
        or b"range" not in fields
        or not if_range_holds(fields, representation.etag, representation.last_modified)
    ):
        return representation.whole
    ranges = parse_range(fields[b"range"], length)
    if ranges is None:
        return representation.whole
    if ranges is UNSATISFIABLE:
        raise HTTPError(416, headers={"content-range": content_range(None, length)})
    if len(ranges) == 1:
        return _part(representation, ranges[0])
    return _parts(representation, ranges)


def _part(representation: Representation, asked: ByteRange) -> Answer:
    fields = _fields_of_parts(
        representation.content_type, asked.length, content_range(asked, representation.length)
    )
    return Answer(206, fields + representation.common_fields, asked.length, (asked,))


def _parts(representation: Representation, ranges: list[ByteRange]) -> Answer:
    frame = multipart_byteranges(ranges, representation.length, representation.content_type)
    fields = _fields_of_parts(frame.content_type, frame.length, None)
    body: list[bytes | ByteRange] = []
    for head, asked in zip(frame.heads, ranges, strict=True):
        body += (head, asked)
    body.append(frame.tail)
    return Answer(206, fields + representation.common_fields, frame.length, tuple(body))


def _fields_of_parts(content_type: str, length: int, range_of_whole: str | None) -> bytes:
    lines = (
        f"content-type: {content_type}\r\n"
        f"content-length: {length}\r\n"
        "x-content-type-options: nosniff\r\n"
    )
    if range_of_whole is not None:
        lines += f"content-range: {range_of_whole}\r\n"
    return lines.encode("latin-1")
