"""Where the bytes of an upload come from: a request, which gives much at once, or any Readable."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from riverrun.http.request import Request
from riverrun.io.splice import Splice
from riverrun.streams.contracts import Readable


def read_chunks(source: Readable) -> Awaitable[Sequence[bytes]]:
    """Everything that waits to be read, at least one chunk; none at the end."""
    return source.read_chunks() if isinstance(source, Request) else _read_chunk(source)


async def move(source: Readable, chunks: Sequence[bytes], splice: Splice, most: int) -> bool:
    """Write `chunks` and what comes next without reading it, if it can be."""
    return isinstance(source, Request) and await source.move(chunks, splice, most)


async def _read_chunk(source: Readable) -> Sequence[bytes]:
    chunk = await source.read()
    return (chunk,) if chunk else ()
