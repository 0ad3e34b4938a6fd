"""Requests as clients of tus make them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tests.apps.uploads.inboxes import Inbox
from tests.server.client import Reply

ENDPOINT = "/~/tus/"
RESUMABLE = "Tus-Resumable: 1.0.0"
OFFSET_STREAM = "Content-Type: application/offset+octet-stream"


def metadata(**values: str | bytes) -> str:
    """The field that describes an upload."""
    pairs = []
    for key, value in values.items():
        content = value.encode() if isinstance(value, str) else value
        pairs.append(f"{key} {base64.b64encode(content).decode()}")
    return "Upload-Metadata: " + ",".join(pairs)


async def post(inbox: Inbox, *lines: str, body: bytes | None = None) -> Reply:
    return await inbox.ask("POST", ENDPOINT, RESUMABLE, *lines, body=body)


async def create(
    inbox: Inbox, length: int | None, name: str = "file", *lines: str, **more: str | bytes
) -> str:
    """Begin an upload; return its address."""
    size = "Upload-Defer-Length: 1" if length is None else f"Upload-Length: {length}"
    reply = await post(inbox, size, metadata(filename=name, **more), *lines, body=b"")
    assert reply.status == 201, reply.body
    location = reply["location"]
    assert location is not None
    return location


async def create_part(inbox: Inbox, content: bytes) -> str:
    """A partial upload with all its bytes."""
    lines = (f"Upload-Length: {len(content)}", "Upload-Concat: partial", OFFSET_STREAM)
    reply = await post(inbox, *lines, body=content)
    assert reply.status == 201, reply.body
    location = reply["location"]
    assert location is not None
    return location


def appending(offset: int, *lines: str) -> tuple[str, ...]:
    """The fields of a PATCH."""
    return (RESUMABLE, OFFSET_STREAM, f"Upload-Offset: {offset}", *lines)


async def patch(inbox: Inbox, address: str, offset: int, body: bytes, *lines: str) -> Reply:
    return await inbox.ask("PATCH", address, *appending(offset, *lines), body=body)


async def head(inbox: Inbox, address: str, *lines: str) -> Reply:
    return await inbox.ask("HEAD", address, RESUMABLE, *lines)


async def delete(inbox: Inbox, address: str) -> Reply:
    return await inbox.ask("DELETE", address, RESUMABLE)


def said(reply: Reply, names: Mapping[str, Any]) -> dict[str, str | None]:
    """Those of its fields."""
    return {name: reply[name] for name in names}
