"""What can be set on a server, beside its handler and where it listens."""

from __future__ import annotations

from dataclasses import dataclass, field

from riverrun.flows import Shape
from riverrun.http.limits import Limits
from riverrun.server.access_log import AccessLog


@dataclass(frozen=True, slots=True)
class Options:
    """How a server serves, whatever its handler."""

    limits: Limits = field(default_factory=Limits)
    """What a client may ask before it is refused."""

    shape: Shape | None = None
    """How every response body is sent; None sends as fast as the client takes it."""

    access_log: AccessLog | None = None
    """Who is told of every exchange when it is over."""
