"""What can be set on a server, beside its handler and where it listens."""

from __future__ import annotations

from dataclasses import dataclass, field

from riverrun.flows import Flows, Shape
from riverrun.http.limits import Limits
from riverrun.server.access_log import AccessLog
from riverrun.server.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Options:
    """How a server serves, whatever its handler."""

    limits: Limits = field(default_factory=Limits)
    """What a client may ask before it is refused."""

    shape: Shape | None = None
    """How every response body is sent; None sends as fast as the client takes it."""

    flows: Flows | None = None
    """Where transfers are seen, steered and limited; None makes one that keeps to `shape`."""

    vitals: Vitals | None = None
    """Where the server counts what it does, for whoever wants to read it."""

    access_log: AccessLog | None = None
    """Who is told of every exchange when it is over."""

    def __post_init__(self) -> None:
        if self.flows is not None and self.shape is not None:
            raise ValueError("flows have a shape of their own: give one of the two")
