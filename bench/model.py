"""The words of a benchmark: work, metric, target, settings.

Pure data and one protocol. Works produce figures under the names of their metrics; the report lays
metrics out in tables and judges targets; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Trial

BASELINE = "nginx"
"""The peer that every ratio is taken to; it takes part in every run."""


class VoidReadingError(Exception):
    """A measurement that was made and does not count, with the reason as its text."""


@dataclass(frozen=True)
class Metric:
    """One figure a work produces.

    Attributes:
        name: How readings, targets and JSON refer to it.
        title: The heading of its column.
        unit: What one reading is counted in.
        table: The table it is shown in; metrics that name the same table stand side by side.
        better: Which way is better, or None where neither is.
        digits: Digits after the decimal point.
        relative: Whether the ratio to the baseline is shown as well.
        core: The metric that says how busy the server's core was meanwhile, in percent; where it
            was not, the load was the limit, and the page says so.
    """

    name: str
    title: str
    unit: str
    table: str
    better: Literal["higher", "lower"] | None
    digits: int = 0
    relative: bool = False
    core: str | None = None


@dataclass(frozen=True)
class Target:
    """What a peer is meant to reach.

    With `against`, the figure judged is the median of the per-round ratios to that peer; without,
    it is the median reading itself. Over several metrics the worst one decides. Exactly one of
    `at_least` and `at_most` is given.
    """

    title: str
    metrics: tuple[str, ...]
    peer: str = "riverrun"
    against: str | None = BASELINE
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Settings:
    """How much of everything a run does."""

    seconds: float = 3.0
    warm_up_seconds: float = 0.5
    connections: int = 64
    bulk_transfers: int = 4
    stalled_readers: int = 1000
    fresh_connections: int = 100
    starts: int = 3
    slow_senders: int = 1000
    live_readers: int = 1000
    long_upload_gib: int = 10

    @classmethod
    def quick(cls) -> Settings:
        """Settings for a look, not for a page."""
        return cls(
            seconds=1.0,
            warm_up_seconds=0.2,
            bulk_transfers=1,
            stalled_readers=200,
            fresh_connections=30,
            starts=1,
            slow_senders=200,
            live_readers=200,
            long_upload_gib=4,
        )


class Work(Protocol):
    """One kind of work, asked of every peer that can do it."""

    @property
    def name(self) -> str:
        """The name on the command line."""
        ...

    @property
    def needs(self) -> str:
        """The ability a peer must list to be asked."""
        ...

    @property
    def quick(self) -> bool:
        """Whether a quick run includes it."""
        ...

    @property
    def once(self) -> bool:
        """Whether the first round is enough: for what takes long and hardly varies."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What it produces."""
        ...

    @property
    def targets(self) -> tuple[Target, ...]:
        """What riverrun is meant to reach here."""
        ...

    @property
    def method(self) -> str:
        """How it is measured, in a sentence or two for the page."""
        ...

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Start the trial's peer, put it to work, and return one figure a metric.

        Raises:
            VoidReadingError: The peer answered, but not so that the figure would count.
            NotStartedError: The peer did not start.
        """
        ...
