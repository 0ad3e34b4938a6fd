"""Where the bytes of an upload come from: a request, which gives much at once, or any Readable."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from riverrun.http.forms import Part
from riverrun.http.request import Request
from riverrun.io.splice import Splice
from riverrun.streams.contracts import Readable

MUCH = 128 * 1024
"""So many bytes are worth a thread that writes them."""

PATIENCE = 0.05
"""How many seconds a request has for that, from its first byte on."""


def read_chunks(source: Readable) -> Awaitable[Sequence[bytes]]:
    """Everything that waits to be read, at least one chunk; none at the end."""
    if isinstance(source, (Request, Part)):
        return source.read_chunks(MUCH, PATIENCE)
    return _read_chunk(source)


def take_rest(source: Readable) -> Sequence[bytes]:
    """What has come and was not read, of a request that is over."""
    return source.take_rest() if isinstance(source, Request) else ()


async def move(source: Readable, chunks: Sequence[bytes], splice: Splice, most: int) -> bool:
    """Write `chunks` and what comes next without reading it, if it can be."""
    return isinstance(source, Request) and await source.move(chunks, splice, most)


async def _read_chunk(source: Readable) -> Sequence[bytes]:
    chunk = await source.read()
    return (chunk,) if chunk else ()
