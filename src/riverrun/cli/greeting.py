"""What a server says when it has started."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riverrun import __version__
from riverrun.units import format_duration, format_rate, format_size

if TYPE_CHECKING:
    from riverrun.cli.listening import Place
    from riverrun.flows import Shape
    from riverrun.http.limits import Limits


class Greeting(NamedTuple):
    """What is served, where, what may be done to it, how bodies are sent, and how to stop."""

    heading: str
    place: Place
    allowed: str | None
    shape: Shape | None
    limits: Limits

    def text(self) -> str:
        """A few lines, one for each of these."""
        lines = [f"riverrun {__version__} {self.heading}", self.place.text]
        if self.place.beyond_this_machine:
            lines.append("open to whoever can reach this machine")
        if self.allowed is not None:
            lines.append(self.allowed)
        if self.shape is not None:
            lines.append(f"bodies go {pace(self.shape)}")
        lines.append(self._how_to_stop())
        return "\n".join(lines) + "\n"

    def _how_to_stop(self) -> str:
        if not self.limits.graceful_timeout:
            return "Ctrl-C stops"
        seconds = format_duration(self.limits.graceful_timeout)
        return f"Ctrl-C stops, when running transfers are done or after {seconds}; twice, at once"


def pace(shape: Shape) -> str:
    """``at 500 kB/s, in chunks of 1 kB, 10 ms apart``."""
    parts = []
    if shape.rate is not None:
        parts.append(f"at {format_rate(shape.rate)}")
    if shape.chunk_size is not None:
        parts.append(f"in chunks of {format_size(shape.chunk_size)}")
    if shape.delay:
        parts.append(f"{format_duration(shape.delay)} apart")
    return ", ".join(parts)
