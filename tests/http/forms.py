"""Requests that carry forms, without a socket, and what a handler gets out of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tests.http.bodies import Client, request_with

from riverrun.errors import HTTPError
from riverrun.http.limits import Limits
from riverrun.http.request import Request

BOUNDARY = "----WebKitFormBoundaryTkr3kCBQlBe1nrhc"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Got:
    """A part that was read to its end."""

    name: str
    filename: str | None
    content_type: str
    data: bytes


def field(disposition: str, data: bytes, *lines: str) -> bytes:
    """A part with its delimiter, and the line end that belongs to the next one."""
    head = "\r\n".join([f"--{BOUNDARY}", f"Content-Disposition: {disposition}", *lines, "", ""])
    return head.encode() + data + b"\r\n"


def named(name: str, data: bytes = b"") -> bytes:
    return field(f'form-data; name="{name}"', data)


def multipart_of(*parts: bytes, epilogue: bytes = b"\r\n") -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--".encode() + epilogue


def request_of(
    chunks: Iterable[bytes],
    content_type: str | None = MULTIPART,
    *,
    limits: Limits | None = None,
    length: int | None = None,
    failure: Exception | None = None,
) -> Request:
    """A request with a form that has come, in these chunks, to its end or to a failure."""
    fields = {} if content_type is None else {b"content-type": content_type.encode("latin-1")}
    return request_with(chunks, fields, limits=limits, length=length, failure=failure)


def client_of(pieces: list[bytes], *, end: bool = True, fail: bool = False) -> Client:
    """Who sends a form as it may."""
    return Client(pieces, {b"content-type": MULTIPART.encode()}, end=end, fail=fail)


def cut(body: bytes, *offsets: int) -> list[bytes]:
    """`body` in pieces that end at `offsets`."""
    edges = [0, *sorted(offsets), len(body)]
    return [body[start:stop] for start, stop in pairwise(edges)]


def one_by_one(body: bytes) -> list[bytes]:
    return [body[offset : offset + 1] for offset in range(len(body))]


async def parts_of(request: Request) -> list[Got]:
    """Every part of the form, read to its end."""
    got = []
    async for part in request.form():
        data = b"".join([chunk async for chunk in part])
        got.append(Got(part.name, part.filename, part.content_type, data))
    return got


async def outcome_of(request: Request) -> list[Got] | int:
    """The parts of the form, or the status that refuses it."""
    try:
        return await parts_of(request)
    except HTTPError as error:
        return error.status
