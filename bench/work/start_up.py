"""The time from starting a server to its first successful answer."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.model import Metric, Target
from bench.peers import FILES
from bench.work.tables import LATENCY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Trial

READY = Metric("ready", "Ready to answer", "ms", LATENCY, "lower")


@dataclass(frozen=True)
class StartUp:
    """Several starts, one after the other."""

    name: str = "start-up"
    needs: str = FILES
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (READY,)
    targets: tuple[Target, ...] = (
        Target("Ready to answer", (READY.name,), against=None, at_most=300, unit="ms", digits=0),
    )
    method: str = (
        "Ready to answer: from spawning the process to the whole of the first good answer, asked"
        " for every millisecond; the median over the starts of a round, the programs being in the"
        " page cache."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """The median over the starts."""
        return {
            READY.name: 1000
            * statistics.median(_start(trial) for _ in range(trial.settings.starts))
        }


def _start(trial: Trial) -> float:
    with trial.server() as server:
        return server.ready_after


WORKS = (StartUp(),)
