"""The last chunks of a log, at hand for whoever follows it: one object for everybody."""

from __future__ import annotations

from collections import deque

KEPT_SIZE = 64 * 1024


class SharedChunks:
    """What was appended last, by its offset; at most `KEPT_SIZE` bytes together."""

    __slots__ = ("_chunks", "_size")

    def __init__(self) -> None:
        self._chunks: deque[tuple[int, bytes]] = deque()
        self._size = 0

    def add(self, offset: int, chunk: bytes) -> None:
        """Keep a chunk, for now."""
        self._chunks.append((offset, chunk))
        self._size += len(chunk)
        while self._size > KEPT_SIZE:
            self._size -= len(self._chunks.popleft()[1])

    def get(self, offset: int) -> bytes | None:
        """The chunk that begins at `offset`."""
        for first, chunk in reversed(self._chunks):
            if first == offset:
                return chunk
            if first < offset:
                break
        return None

    def clear(self) -> None:
        """Keep nothing."""
        self._chunks.clear()
        self._size = 0
