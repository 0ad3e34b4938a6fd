"""Durable appends of small messages, from one producer and from 64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.model import Metric, Target
from bench.peers import STREAMS
from bench.streams import Producers
from bench.work.tables import APPENDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Server, Trial

MANY = 64
REFERENCE = "durable-streams"
ONE = Metric("appends 1", "1 producer", "appends/s", APPENDS, "higher")
ALL = Metric("appends 64", f"{MANY} producers", "appends/s", APPENDS, "higher")
WAIT = Metric("append median", "median answer, 1 producer", "ms", APPENDS, "lower", 2)
COST = Metric("append cpu", f"CPU an append, {MANY} producers", "µs", APPENDS, "lower")


@dataclass(frozen=True)
class Appends:
    """First one producer alone, then many at once."""

    name: str = "appends"
    needs: str = STREAMS
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (ONE, ALL, WAIT, COST)
    targets: tuple[Target, ...] = (
        Target("Appends by one, of the reference server", (ONE.name,), "riverrun", REFERENCE, 1.0),
        Target("Appends by 64, of the reference server", (ALL.name,), "riverrun", REFERENCE, 2.0),
    )
    method: str = (
        "Appends of 100 bytes to durable streams, each acknowledged when it is on disk (both peers"
        " call fsync or fdatasync) before the next is sent: from one connection, then from 64, each"
        " to a stream of its own. What was acknowledged has to be there to be read. The disk"
        " decides much of it."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """One start of the peer for both."""
        seconds, warm_up = trial.settings.seconds, trial.settings.warm_up_seconds
        with trial.server(self.needs) as server:
            rate, median, _ = _append(server, 1, seconds, warm_up)
            rate_of_many, _, cost = _append(server, MANY, seconds, warm_up)
        return {ONE.name: rate, ALL.name: rate_of_many, WAIT.name: median, COST.name: cost}


def _append(
    server: Server, count: int, seconds: float, warm_up: float
) -> tuple[float, float, float]:
    """Appends a second, the median answer in milliseconds, microseconds of CPU an append."""
    with Producers(server.port, server.prefix, count) as producers:
        producers.append(warm_up)
        cpu = server.cpu_seconds()
        appended = producers.append(seconds)
        cpu = server.cpu_seconds() - cpu
        producers.check()
    latencies = sorted(appended.latencies)
    median = latencies[len(latencies) // 2]
    return appended.rate, median * 1000, cpu / len(latencies) * 1e6


WORKS = (Appends(),)
