"""How a body is measured, and how its end is told."""

from __future__ import annotations

from enum import Enum

from riverrun.streams.contracts import Chunk


class Framing(Enum):
    """How the end of the body is told (RFC 9112, 6.3)."""

    COUNTED = "counted"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"
    NONE = "none"


COUNTED, CHUNKED, UNTIL_CLOSE, NONE = Framing


def size_of(chunk: Chunk) -> int:
    """How many bytes `chunk` has. Raises `TypeError` for what is no chunk, such as a str."""
    if isinstance(chunk, memoryview):
        return chunk.nbytes
    if isinstance(chunk, (bytes, bytearray)):
        return len(chunk)
    raise TypeError(f"a chunk is bytes, bytearray or memoryview, not {type(chunk).__name__}")
