"""What a client may ask of the server before it is refused. Sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server; every one has a test that meets it."""

    head_size: int = 16 * KIB
    """Request line and header fields together; beyond it 414 or 431."""

    field_count: int = 100
    """Header fields, and trailer fields, of one request; beyond it 431."""

    head_timeout: float = 10.0
    """To send a whole head, from its first byte; beyond it 408."""

    chunk_extensions_size: int = 4 * KIB
    """Of all chunk extensions of one body; beyond it 413."""

    trailers_size: int = 8 * KIB
    """Trailer fields of one body; beyond it 431."""

    whole_body_size: int = MIB
    """A body that a handler reads whole; beyond it 413."""

    body_size: int | None = None
    """A body that a handler streams; beyond it 413. None: no limit."""

    part_count: int = 128
    """Parts of one form; beyond it 413."""

    part_field_count: int = 8
    """Header fields of one part of a form; beyond it 431."""

    part_field_size: int = 4 * KIB
    """One header field of a part of a form, name and value together; beyond it 431."""

    text_field_size: int = 64 * KIB
    """A part of a form that a handler reads as text; beyond it 413."""

    body_high_water_mark: int = 256 * KIB
    """Of one request's body, received and not yet read; then its socket is not read."""

    response_high_water_mark: int = 64 * KIB
    """Of one response, written and not yet accepted by the kernel; then writers wait."""

    buffer_budget: int = 64 * MIB
    """All that waits in buffers together, request bodies to be read and responses above their mark
    to be taken; then no body is read."""

    stall_timeout: float = 30.0
    """Without a byte moving, either way; then the transfer is ended."""

    minimum_rate: float = 0.0
    """In bytes a second, over a stall timeout, below which a transfer counts as stalled."""

    connection_count: int | None = None
    """Open at once; one more is told 503 and closed. None: half of the descriptors there may be."""

    keep_alive_timeout: float = 65.0
    """Between two requests on a connection."""

    pipelined_requests: int = 8
    """Parsed ahead of the one being answered; then the socket is not read."""

    linger_timeout: float = 5.0
    """To let a client that is still sending see the answer before the connection is closed."""

    linger_size: int = 256 * KIB
    """How much of an unread body is read and dropped to keep a connection."""

    graceful_timeout: float = 30.0
    """For running exchanges to finish when the server stops; then they are aborted."""
