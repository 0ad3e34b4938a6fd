"""What a connection is doing, in one word."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """What a connection is doing.

    From IDLE to RUNNING and back, once an exchange, by way of DRAINING when a body was left
    unread. LINGERING after the last response, while the client may still be sending.
    """

    IDLE = "idle"
    RUNNING = "running"
    DRAINING = "draining"
    LINGERING = "lingering"
    CLOSED = "closed"


IDLE, RUNNING, DRAINING, LINGERING, CLOSED = Phase  # looked up faster than members, and often
