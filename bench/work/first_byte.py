"""The time from opening a connection to the first byte of a file, on an idle server."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import Connection
from bench.model import Metric, Target, VoidReadingError
from bench.peers import FILES
from bench.work.tables import LATENCY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Server, Trial

SIZES = {"1MiB": "1 MiB", "1GiB": "1 GiB"}
_PAUSE_SECONDS = 0.002


def metric_name(size: str) -> str:
    """The metric of that size."""
    return f"first byte {size}"


@dataclass(frozen=True)
class FirstByte:
    """Many fresh connections, one after the other."""

    name: str = "first-byte"
    needs: str = FILES
    quick: bool = False
    once: bool = False
    metrics: tuple[Metric, ...] = tuple(
        Metric(metric_name(size), f"First byte of {title}", "ms", LATENCY, "lower", 2, True)
        for size, title in SIZES.items()
    )
    targets: tuple[Target, ...] = ()
    method: str = (
        "First byte: from connect() to the first byte of the body (not of the head), on an"
        " otherwise idle server; the median over the fresh connections of a round."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """The median over fresh connections, for each size."""
        with trial.server() as server:
            return {
                metric_name(size): 1000
                * statistics.median(
                    _first_byte(server, size) for _ in range(trial.settings.fresh_connections)
                )
                for size in SIZES
            }


def _first_byte(server: Server, size: str) -> float:
    began = time.perf_counter()
    with Connection(server.port) as client:
        client.ask(server.path(size))
        head = client.read_head()
        client.wait_for_body(head)
        elapsed = time.perf_counter() - began
        if head.status != 200:
            raise VoidReadingError(f"status {head.status}")
        client.reset()
    # Let the server notice, so that clearing up after one is not in the next one's time.
    time.sleep(_PAUSE_SECONDS)
    return elapsed


WORKS = (FirstByte(),)
