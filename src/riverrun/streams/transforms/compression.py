"""Compression and decompression on the way, by the names of HTTP's content codings.

A little compressed data can stand for very much: decompression hands it on in chunks of bounded
size, each taken before the next is made, and can refuse to make more than a total.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from riverrun.errors import BrokenError, RefusedError
from riverrun.streams.lifecycle import owned
from riverrun.streams.pipeline import Transform
from riverrun.streams.transforms.codecs import Codec, codec

STEP = 64 * 1024
OFFLOADED = 16 * 1024  # from this size on, compressing takes longer than a thread's round trip


def compress(
    encoding: str, *, level: int | None = None, flush: bool = False
) -> Transform[bytes, bytes]:
    """Return a transform that compresses: ``gzip``, ``zstd`` or ``br``.

    With `flush`, every chunk can be decompressed to its end as soon as it has passed, for live
    text; without, small chunks are gathered, which compresses better. Large chunks are compressed
    in a thread, so that nothing else waits for it.

    Raises `ValueError` for an encoding or a level that does not exist, `ImportError` when the
    encoding needs the extra ``riverrun[compression]``.
    """
    chosen = codec(encoding)
    at = chosen.default if level is None else level
    if not chosen.lowest <= at <= chosen.highest:
        raise ValueError(
            f"a level of {encoding} goes from {chosen.lowest} to {chosen.highest}, not {at}"
        )

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        compressor = chosen.compressor(at)
        async for chunk in chunks:
            data = owned(chunk)
            if len(data) < OFFLOADED:
                out = compressor.compress(data)
            else:
                out = await asyncio.to_thread(compressor.compress, data)
            if flush:
                out += compressor.flush()
            if out:
                yield out
        yield compressor.finish()

    return transform


def decompress(
    encoding: str, *, max_chunk: int = STEP, max_total: int | None = None
) -> Transform[bytes, bytes]:
    """Return a transform that decompresses: ``gzip``, ``zstd`` or ``br``.

    Chunks have about `max_chunk` bytes at most. Everything that can be decompressed is handed on
    at once, so a flushed stream stays live. Gzip members and zstd frames may follow one another.

    The transform raises `BrokenError` for data that is not of that encoding or stops before its
    end, and `RefusedError` for more than `max_total` bytes; a zstd window above 8 MiB is broken
    (RFC 9659). The function raises what `compress` does.
    """
    chosen = codec(encoding)

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        total = 0
        expansion = _Expansion(chosen, max_chunk)
        async for chunk in chunks:
            for out in expansion.feed(owned(chunk)):
                total += len(out)
                if max_total is not None and total > max_total:
                    raise RefusedError("the decompressed size", max_total)
                yield out
        if not expansion.complete:
            raise BrokenError(f"the {encoding} data stops before its end")

    return transform


class _Expansion:
    """Any number of compressed streams, one behind the other."""

    def __init__(self, chosen: Codec, max_chunk: int) -> None:
        self._codec = chosen
        self._max_chunk = max_chunk
        self._stream = chosen.decompressor()

    @property
    def complete(self) -> bool:
        return self._stream.ended

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give what `data` stands for, in bounded chunks, each made when it is asked for."""
        for start in range(0, len(data), self._max_chunk):
            # In slices, since zlib copies what it has not consumed at every step.
            piece = data[start : start + self._max_chunk]
            while piece:
                if self._stream.ended and self._codec.continues:
                    self._stream = self._codec.decompressor()
                yield from self._expand(piece)
                piece = self._stream.rest if self._stream.ended else b""

    def _expand(self, piece: bytes) -> Iterator[bytes]:
        while True:
            out = self._stream.decompress(piece, self._max_chunk)
            piece = b""
            if out:
                yield out
            if self._stream.ended or self._stream.starved:
                return
