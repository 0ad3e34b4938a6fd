"""What the fields of a request say about a stream (Durable Streams, 5.1, 5.2)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from riverrun.errors import HTTPError
from riverrun.http.headers import Fields
from riverrun.http.request import Request
from riverrun.http.targets import parse_query
from riverrun.logs.contracts import NEVER, Expiry, Producer

WHOLE_NUMBER = re.compile(rb"0|[1-9][0-9]{0,14}")
DIGITS = re.compile(rb"[0-9]{1,16}")
LARGEST = 2**53 - 1
MEDIA_TYPE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+([ \t]*;.*)?")
DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
JSON = "application/json"
DEFAULT_TYPE = "application/octet-stream"
LONGEST_NAME = 512  # of a producer


def media_type_of(content_type: str) -> str:
    """The type itself, without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a stream of this type holds messages of JSON."""
    return media_type_of(content_type) == JSON


def wants_closed(fields: Fields) -> bool:
    """Whether the stream is to be closed; anything but ``true`` says nothing."""
    return fields.get(b"stream-closed", b"").lower() == b"true"


def content_type_of(fields: Fields) -> str | None:
    """The content type, None if there is none that is valid."""
    value = fields.get(b"content-type", b"")
    return value.decode("latin-1") if MEDIA_TYPE.fullmatch(value) else None


def expiry_of(fields: Fields) -> Expiry:
    """When the stream is to go; raises `HTTPError` 400."""
    ttl, at = fields.get(b"stream-ttl"), fields.get(b"stream-expires-at")
    if ttl is not None and at is not None:
        raise HTTPError(400, "Stream-TTL and Stream-Expires-At exclude each other.")
    if ttl is not None:
        if WHOLE_NUMBER.fullmatch(ttl) is None:
            raise HTTPError(400, "Stream-TTL is a whole number of seconds.")
        return Expiry(ttl=int(ttl))
    if at is not None:
        return Expiry(at=_parse_time(at.decode("latin-1")))
    return NEVER


def format_time(seconds: float) -> str:
    """A time as RFC 3339 has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def producer_of(fields: Fields) -> Producer | None:
    """Who appends, if that is said; raises `HTTPError` 400."""
    name, epoch, sequence = (
        fields.get(field) for field in (b"producer-id", b"producer-epoch", b"producer-seq")
    )
    if name is None and epoch is None and sequence is None:
        return None
    if name is None or epoch is None or sequence is None:
        raise HTTPError(400, "Producer-Id, Producer-Epoch and Producer-Seq go together.")
    if not 0 < len(name) <= LONGEST_NAME:
        raise HTTPError(400, f"Producer-Id has 1 to {LONGEST_NAME} characters.")
    return Producer(
        name.decode("latin-1"),
        _parse_number("Producer-Epoch", epoch),
        _parse_number("Producer-Seq", sequence),
    )


def sub_offset_of(fields: Fields) -> int:
    """How far behind the fork offset a fork is to begin, in bytes or messages; 400 if invalid."""
    value = fields.get(b"stream-fork-sub-offset")
    if value is None:
        return 0
    if WHOLE_NUMBER.fullmatch(value) is None:
        raise HTTPError(400, "Stream-Fork-Sub-Offset is a whole number.")
    return int(value)


def parameters_of(request: Request) -> dict[str, str]:
    """The parameters of the query; raises `HTTPError` 400 for one that is there twice."""
    parameters: dict[str, str] = {}
    for name, value in parse_query(request.url.query):
        if name in parameters:
            raise HTTPError(400, f"{name} is given twice.")
        parameters[name] = value
    return parameters


def _parse_number(name: str, value: bytes) -> int:
    number = int(value) if DIGITS.fullmatch(value) else LARGEST + 1
    if number > LARGEST:
        raise HTTPError(400, f"{name} is a whole number up to {LARGEST}.")
    return number


def _parse_time(text: str) -> float:
    try:
        if DATE_TIME.fullmatch(text):
            time = datetime.fromisoformat(text.upper()).timestamp()
            format_time(time)  # it is told again, and in UTC the year may be another
            return time
    except (ValueError, OverflowError):
        pass
    raise HTTPError(400, "Stream-Expires-At is a time as in RFC 3339.")
