"""Objects as JSON, one a line (NDJSON), in both directions.

These two are the border between streams of bytes and streams of objects: between them, in the
same pipeline, transforms take and give objects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar, overload

import msgspec

from riverrun.errors import BrokenError
from riverrun.streams.lifecycle import owned
from riverrun.streams.pipeline import Transform
from riverrun.streams.transforms.lines import LineSplitter

MAX_OBJECT_LENGTH = 1024 * 1024

T = TypeVar("T")


@overload
def decode_ndjson(*, max_length: int = ...) -> Transform[bytes, Any]: ...
@overload
def decode_ndjson(kind: type[T], *, max_length: int = ...) -> Transform[bytes, T]: ...
def decode_ndjson(kind: Any = Any, *, max_length: int = MAX_OBJECT_LENGTH) -> Transform[bytes, Any]:
    """Return a transform from chunks of NDJSON to objects, checked to be of `kind` by msgspec.

    Empty lines are skipped. A line that is not such an object raises `BrokenError`; one of more
    than `max_length` bytes raises `RefusedError`.
    """
    decoder = msgspec.json.Decoder(kind)

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        splitter = LineSplitter(max_length)
        async for chunk in chunks:
            for line in splitter.feed(owned(chunk)):
                if line.strip():
                    yield _decode(decoder, line)
        if (rest := splitter.rest()).strip():
            yield _decode(decoder, rest)

    return transform


def _decode(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenError(f"a line is not the JSON it should be: {error}") from error


def encode_ndjson() -> Transform[Any, bytes]:
    """Return a transform from objects to chunks of NDJSON, each chunk one line."""
    encoder = msgspec.json.Encoder()

    async def transform(objects: AsyncIterator[Any]) -> AsyncIterator[bytes]:
        async for each in objects:
            yield encoder.encode(each) + b"\n"

    return transform
