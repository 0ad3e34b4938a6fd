"""What can be set about streams over HTTP. Sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How streams are read and appended to."""

    read_size: int = 16 * MIB
    """The most that one catch-up read answers with, cut between messages in JSON mode."""

    json_size: int = 4 * MIB
    """The most that one request may append in JSON mode, where a body is checked whole."""

    json_memory: int = 32 * MIB
    """The most that such bodies hold together while they come; 64 KiB of each do not count."""

    long_poll_timeout: float = 20.0
    """How long a long-poll waits."""

    live_time: float = 60.0
    """After how long an answer of events ends, so that caches can gather its readers anew."""

    heartbeat: float = 15.0
    """How often an answer of events says that it is alive."""
