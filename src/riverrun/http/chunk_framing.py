"""What there is in a chunked body beside the body: sizes, chunk extensions, trailers (RFC 9112, 7).

llhttp reads any amount of it, and a client that sends nothing else would be read for ever.
"""

from __future__ import annotations

from riverrun.errors import HTTPError
from riverrun.http.limits import Limits

LONGEST_CHUNK_FRAMING = len("ffffffffffffffff\r\n\r\n")


class ChunkFraming:
    """Keeps what is body, and bounds what is not; the parser tells what it has found."""

    __slots__ = ("_body", "_chunk_size", "_limits", "_overhead", "_trailers_size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._body: list[bytes] = []
        self._overhead = 0
        self._trailers_size = 0
        self._chunk_size = -1  # what has come of the chunk that is read; -1 between two chunks

    def chunk_begins(self) -> None:
        self._chunk_size = 0

    def body_received(self, piece: bytes) -> None:
        self._body.append(piece)
        self._chunk_size += len(piece)
        self._overhead -= len(piece)

    def take(self) -> bytes:
        """What has come of the body since this was asked last."""
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    def chunk_ends(self) -> None:
        # What the chunk needs to be framed; whatever else there is counts as an extension.
        self._overhead -= len(f"{self._chunk_size:x}") + len("\r\n\r\n")
        self._chunk_size = -1

    def trailer_received(self, name: bytes, value: bytes) -> None:
        self._trailers_size += len(name) + len(value) + len(": \r\n")

    def check(self, size: int, *, complete: bool) -> None:
        """`size` more bytes were parsed, of which all was told. Raises `HTTPError` 413 or 431.

        Which of extensions and trailers a byte belongs to is certain only when the body is
        `complete`, since llhttp gives a trailer field when it is whole. Until then both together
        keep to both limits.
        """
        limits = self._limits
        self._overhead += size
        extensions = self._overhead - self._trailers_size
        if self._trailers_size > limits.trailers_size or (
            self._chunk_size == 0
            and extensions > limits.chunk_extensions_size + limits.trailers_size
        ):
            raise HTTPError(431, "The trailers are too large.")
        allowed = limits.chunk_extensions_size
        if self._chunk_size == 0:  # an empty chunk is the last one: these may be trailers
            allowed += limits.trailers_size
        if extensions > allowed + LONGEST_CHUNK_FRAMING * (not complete):
            raise HTTPError(413, "The chunk extensions are too large.")
