"""Lines, whatever the chunks they came in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from riverrun.errors import RefusedError
from riverrun.streams.lifecycle import owned
from riverrun.streams.pipeline import Transform

MAX_LINE_LENGTH = 64 * 1024


def lines(max_length: int = MAX_LINE_LENGTH) -> Transform[bytes, bytes]:
    r"""Return a transform from chunks to lines, without the ``\n`` or ``\r\n`` that ends them.

    A last line that nothing ends is a line, too, unless it is empty. A line of more than
    `max_length` bytes before its ``\n`` raises `RefusedError`, however much of it has come.
    """

    async def transform(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        splitter = LineSplitter(max_length)
        async for chunk in chunks:
            for line in splitter.feed(owned(chunk)):
                yield line
        if rest := splitter.rest():
            yield rest

    return transform


class LineSplitter:
    """Cuts lines out of chunks; see `lines`."""

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._parts: list[bytes] = []  # of the line whose end has not come
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give the lines that end in `chunk`; they must be taken before the next is fed."""
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            self._add(part)
            yield self.rest().removesuffix(b"\r")
        self._add(rest)

    def rest(self) -> bytes:
        """Take what has come of the line that has not ended."""
        line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return line

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_length:
            raise RefusedError("the length of a line", self._max_length)
        if part:
            self._parts.append(part)
