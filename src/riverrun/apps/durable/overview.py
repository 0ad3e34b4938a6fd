"""All streams, as JSON: for pages and programs that want to see what there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from urllib.parse import quote

import msgspec

from riverrun.apps.durable.fields import format_time, parameters_of
from riverrun.apps.durable.offsets import format_offset
from riverrun.apps.durable.streams import PREFIX
from riverrun.errors import HTTPError
from riverrun.http.origins import check_reader
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.logs import LogInfo, LogStore


class Entry(msgspec.Struct, omit_defaults=True):
    """What is told of a stream: sizes in bytes, times as in RFC 3339."""

    name: str
    path: str
    content_type: str
    created: str
    size: int
    tail: str
    closed: bool
    ttl: int | None = None
    expires: str | None = None
    forked_from: str | None = None


class StreamsOverview:
    """Answers a GET with all streams of `store`, in the order of their names, as one JSON array.

    With ``?prefix=`` only those whose names begin so. It is sent as it is read: memory does not
    grow with the number of streams. `names` as for `Streams`.
    """

    def __init__(
        self, store: LogStore, *, prefix: str = PREFIX, names: Collection[str] = ()
    ) -> None:
        self._store = store
        self._names = names
        self._prefix = prefix

    async def __call__(self, request: Request, response: Response) -> None:
        """Answer."""
        if request.method not in ("GET", "HEAD"):
            raise HTTPError(405, headers={"allow": "GET, HEAD"})
        check_reader(request, self._names)
        prefix = parameters_of(request).get("prefix", "")
        response.headers["content-type"] = "application/json"
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        if request.method == "HEAD":
            await response.end()
            return
        opening = b"["
        async for lines in _batches(self._store.list(prefix), self._prefix):
            await response.write(opening + b",\n".join(lines))
            opening = b",\n"
        await response.end(b"[]\n" if opening == b"[" else b"]\n")


async def _batches(infos: AsyncIterator[LogInfo], prefix: str) -> AsyncIterator[list[bytes]]:
    """The entries as JSON, some at a time."""
    lines: list[bytes] = []
    async for info in infos:
        lines.append(msgspec.json.encode(describe(info, prefix)))
        if len(lines) == 100:
            yield lines
            lines = []
    if lines:
        yield lines


def describe(info: LogInfo, prefix: str = PREFIX) -> Entry:
    """What is told of a stream."""
    expiry = info.expiry
    return Entry(
        name=info.name,
        path=f"{prefix}/{quote(info.name)}",
        content_type=info.content_type,
        created=format_time(info.created),
        size=info.tail - info.start,
        tail=format_offset(info.tail),
        closed=info.closed,
        ttl=expiry.ttl,
        expires=None if expiry.at is None else format_time(expiry.at),
        forked_from=None if info.origin is None else info.origin.name,
    )
