"""What changes bytes on their way from a source to a sink, one module an idea.

A transform is an async generator function from chunks to chunks, so a new one is written in a few
lines and needs nothing from here::

    async def upper(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk.upper()

The functions of this room return transforms, as in
``pipeline(source, take(100), compress("gzip"), sink)``.
"""

from riverrun.streams.transforms.compression import compress, decompress
from riverrun.streams.transforms.digest import digest
from riverrun.streams.transforms.lines import lines
from riverrun.streams.transforms.ndjson import decode_ndjson, encode_ndjson
from riverrun.streams.transforms.rate import limit_rate
from riverrun.streams.transforms.take import take

__all__ = [
    "compress",
    "decode_ndjson",
    "decompress",
    "digest",
    "encode_ndjson",
    "limit_rate",
    "lines",
    "take",
]
