"""What came out of a run: readings by metric, peer and round; and everything derived from them.

A reading that was void or never made is None. Ratios are taken within a round and only then is the
median taken, so a round in which the whole machine was slow weighs no more than another.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.model import Target


@dataclass(frozen=True)
class PeerFacts:
    """What the page says of a peer."""

    name: str
    title: str
    note: str
    version: str | None = None
    variant_of: str | None = None
    absent: str | None = None


@dataclass(frozen=True)
class VoidReading:
    """A measurement that does not count, and why."""

    round: int
    peer: str
    work: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """A target beside what was reached; `reached` is None where it was not measured throughout."""

    target: Target
    reached: float | None

    @property
    def met(self) -> bool | None:
        """Whether the figure is on the right side of the target."""
        if self.reached is None:
            return None
        if self.target.at_least is not None:
            return self.reached >= self.target.at_least
        return self.target.at_most is not None and self.reached <= self.target.at_most


@dataclass
class Results:
    """One run.

    Attributes:
        rounds: How many were asked for.
        command: The command that made it, without paths.
        date: The day it ended, in UTC.
        machine: Facts of the machine, by name.
        settings: How much of everything was done, by name.
        methods: How each work was measured.
        peers: In the order of the table.
        readings: By metric, then peer, one a round.
        voids: What does not count.
        strangers: The part of a core that other programs took during each reading, in order.
    """

    rounds: int
    command: str
    date: str
    machine: dict[str, str]
    settings: dict[str, float]
    methods: list[str]
    peers: list[PeerFacts]
    readings: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    voids: list[VoidReading] = field(default_factory=list)
    strangers: list[float] = field(default_factory=list)

    def record(self, round_index: int, peer: str, metric: str, value: float) -> None:
        """Keep one reading."""
        of_peer = self.readings.setdefault(metric, {}).setdefault(peer, [])
        of_peer.extend([None] * (round_index + 1 - len(of_peer)))
        of_peer[round_index] = value

    def values(self, metric: str, peer: str) -> list[float]:
        """The readings that count."""
        series = self.readings.get(metric, {}).get(peer, [])
        return [value for value in series if value is not None]

    def median(self, metric: str, peer: str) -> float | None:
        """The median reading, or None without any."""
        return _median(self.values(metric, peer))

    def ratios(self, metric: str, peer: str, against: str) -> list[float]:
        """Reading over reading, for the rounds in which both count."""
        of_metric = self.readings.get(metric, {})
        pairs = zip(of_metric.get(peer, []), of_metric.get(against, []), strict=False)
        return [mine / theirs for mine, theirs in pairs if mine is not None and theirs]

    def median_ratio(self, metric: str, peer: str, against: str) -> float | None:
        """The median of the per-round ratios, or None without any."""
        return _median(self.ratios(metric, peer, against))

    def judge(self, target: Target) -> Verdict:
        """Hold the run against a target; over several metrics the worst decides."""
        reached = [
            self.median(metric, target.peer)
            if target.against is None
            else self.median_ratio(metric, target.peer, target.against)
            for metric in target.metrics
        ]
        counted = [figure for figure in reached if figure is not None]
        if len(counted) < len(reached) or not counted:
            return Verdict(target, None)
        return Verdict(target, min(counted) if target.at_least is not None else max(counted))

    def to_json(self) -> str:
        """Everything, for keeping and for drawing the page again."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Results:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        fields["peers"] = [PeerFacts(**peer) for peer in fields["peers"]]
        fields["voids"] = [VoidReading(**void) for void in fields["voids"]]
        return cls(**fields)


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None
