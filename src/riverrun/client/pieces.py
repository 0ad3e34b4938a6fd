"""In which pieces a file is appended to an upload: what the user wants within what the server lets.

A server that does not name its limit, or a proxy before it that has one of its own, refuses with
413; then the pieces become smaller until they pass. No I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping

from riverrun.client.fields import UploadLimits, read_limits

FIRST_GUESS = 64 * 1024 * 1024
LEAST = 64 * 1024


class Pieces:
    """The pieces of a file of `size` bytes, of at most `wanted` bytes each, if that is given."""

    def __init__(self, size: int, wanted: int | None = None) -> None:
        self._size = size
        self._most = wanted
        self._least = 1

    @property
    def whole(self) -> bool:
        """Whether the file is one piece."""
        return self._most is None or self._most >= self._size

    def limit(self, limits: UploadLimits) -> None:
        """Keep to what the server lets an append have."""
        if limits.min_append_size is not None:
            self._least = max(1, limits.min_append_size)
        if limits.max_append_size:
            self._most = min(self._most or self._size, limits.max_append_size)

    def at(self, offset: int) -> tuple[int, bool]:
        """The length of the piece that begins at `offset`, and whether it is the last."""
        rest = self._size - offset
        if self._most is None or rest <= self._most:
            return rest, True
        return min(rest, max(self._most, self._least)), False

    def shrink(self, headers: Mapping[str, str]) -> bool:
        """Make smaller pieces behind a 413; return whether there is any hope in that."""
        before = min(self._most or self._size, self._size)
        self.limit(read_limits(headers))
        now = min(self._most or self._size, self._size)
        if now == before:
            now = min(FIRST_GUESS, before // 2)
            self._most = now
        return now >= max(LEAST, self._least)
